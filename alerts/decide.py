"""From findings and the episodes already known to what is to be done, each with its reason."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.finding import Finding, FindingKind

# A breach that was over this long before we could know of it is told as late data, so that an
# officer does not drive to where nobody is. Ten minutes: the age of the Ministry's own view.
LATE_AFTER = timedelta(minutes=10)
# These matter while they last; found when already over, they are recorded and not told.
ONLY_WHILE_IT_LASTS = frozenset(
    {
        FindingKind.SILENCE,
        FindingKind.POSITION_UNKNOWN,
        FindingKind.BATTERY_LOW,
        FindingKind.BATTERY_CRITICAL,
        FindingKind.EARLY_WARNING_1,
        FindingKind.EARLY_WARNING_2,
        FindingKind.EARLY_WARNING_3,
        FindingKind.UPLOAD_MISSED,
        FindingKind.BATTERY_EVENT,
        FindingKind.NOT_CHARGED,
        FindingKind.EXCLUSION_APPROACH,
    }
)


class Action(Enum):
    """What happens to an episode and its alert."""

    OPEN = "open"
    RECORD = "record"
    UPDATE = "update"
    END = "end"
    REOPEN = "reopen"
    AMEND = "amend"
    WITHDRAW = "withdraw"
    NOTHING = "nothing"


class Why(Enum):
    """The reason of a decision; stored with the episode."""

    NEW_BREACH = "new breach"
    NEW_BREACH_LATE_DATA = "new breach, found in late data"
    OVER_BEFORE_KNOWN = "already over when it became known"
    STILL_GOING_ON = "still going on"
    CONDITION_KEPT_AGAIN = "the condition is kept again"
    NOT_OVER_AFTER_ALL = "late data: it was not over"
    CHANGED_BY_LATE_DATA = "late data changed its times"
    NO_BREACH_IN_LATE_DATA = "late data shows no breach"
    NEW_BREACH_CHANGED_TERMS = "new breach, found under changed terms"
    NOT_OVER_UNDER_CHANGED_TERMS = "changed terms: it was not over"
    CHANGED_BY_TERMS = "changed terms changed its times"
    NO_BREACH_UNDER_CHANGED_TERMS = "no breach under the changed terms"
    NOTHING_NEW = "nothing new"
    EXCUSED = "allowed by an officer"
    TOLD_BY_ANOTHER_ZONE = "told by the alert of a zone that overlaps"
    COVERED = "an obstruction over it was confirmed: its verdict is undetermined"
    NOT_COVERED = "no obstruction over it after all: its verdict is the rule's again"
    PARTS_CHANGED = "its parts have changed"
    NO_LONGER_TOLD = "the alert of another zone told of it, and does so no longer"
    POSITION_LOST = "nobody can tell where the wearer is"
    POSITION_LOST_LATE_DATA = "nobody could tell where the wearer was, found in late data"
    POSITION_LOST_CHANGED_TERMS = "nobody could tell where the wearer was, under changed terms"
    POSITION_KNOWN_AGAIN = "it can be told again where the wearer is, or nobody asks"

    @property
    def found_late(self) -> bool:
        """Whether a breach was found so long after it that nobody can meet it any more."""
        return self in (
            Why.NEW_BREACH_LATE_DATA,
            Why.NEW_BREACH_CHANGED_TERMS,
            Why.POSITION_LOST_LATE_DATA,
            Why.POSITION_LOST_CHANGED_TERMS,
        )


# What is said where not readings were late, but the terms of their time were changed afterwards.
_BY_TERMS = {
    Why.NEW_BREACH_LATE_DATA: Why.NEW_BREACH_CHANGED_TERMS,
    Why.NOT_OVER_AFTER_ALL: Why.NOT_OVER_UNDER_CHANGED_TERMS,
    Why.CHANGED_BY_LATE_DATA: Why.CHANGED_BY_TERMS,
    Why.NO_BREACH_IN_LATE_DATA: Why.NO_BREACH_UNDER_CHANGED_TERMS,
}
# What is said of a position that nobody knows: it accuses nobody of a breach, and clears nobody.
_OF_POSITIONS = {
    Why.NEW_BREACH: Why.POSITION_LOST,
    Why.NEW_BREACH_LATE_DATA: Why.POSITION_LOST_LATE_DATA,
    Why.NEW_BREACH_CHANGED_TERMS: Why.POSITION_LOST_CHANGED_TERMS,
    Why.CONDITION_KEPT_AGAIN: Why.POSITION_KNOWN_AGAIN,
}


class Known(msgspec.Struct, frozen=True):
    """An episode that is already stored."""

    episode_id: int
    condition_id: int
    kind: FindingKind
    started_at: datetime
    ended_at: datetime | None
    withdrawn: bool

    @property
    def key(self) -> tuple[int, str, datetime]:
        """Identity, as :attr:`alerts.finding.Finding.key`."""
        return (self.condition_id, self.kind.value, self.started_at)


class Decision(msgspec.Struct, frozen=True):
    """One thing to do. ``finding`` None only for WITHDRAW; ``known`` None only for new ones."""

    action: Action
    why: Why
    finding: Finding | None
    known: Known | None


def decide(
    findings: Iterable[Finding],
    known: Mapping[tuple[int, str, datetime], Known],
    now: datetime,
    *,
    rerun: bool,
    terms_changed: bool = False,
) -> list[Decision]:
    """Decide for every finding, and in a re-run for every known episode no longer found.

    In a re-run ``known`` holds the episodes of the stretch that was judged again, and only those.
    ``terms_changed``: it is judged again because an order or clause was changed.
    """
    return [
        msgspec.structs.replace(each, why=_worded(each, terms_changed))
        for each in _decide(findings, known, now, rerun=rerun)
    ]


def _worded(decision: Decision, terms_changed: bool) -> Why:
    why, about = decision.why, decision.finding or decision.known
    if terms_changed:
        why = _BY_TERMS.get(why, why)
    if about is not None and about.kind is FindingKind.POSITION_UNKNOWN:
        why = _OF_POSITIONS.get(why, why)
    return why


def _decide(
    findings: Iterable[Finding],
    known: Mapping[tuple[int, str, datetime], Known],
    now: datetime,
    *,
    rerun: bool,
) -> list[Decision]:
    findings = sorted(findings, key=lambda found: (found.started_at, found.key))
    unmatched = {key: episode for key, episode in known.items() if not episode.withdrawn}
    for found in findings:
        unmatched.pop(found.key, None)
    decisions = []
    for found in findings:
        episode = known.get(found.key)
        if episode is None and rerun:
            episode = _moved(found, unmatched)
            if episode is not None:
                action, why = Action.AMEND, Why.CHANGED_BY_LATE_DATA
                if found.ended_at is None and episode.ended_at is not None:
                    # Its alert may be resolved, and somebody has to act again.
                    action, why = Action.REOPEN, Why.NOT_OVER_AFTER_ALL
                decisions.append(Decision(action, why, found, episode))
                continue
        decisions.append(_one(found, episode, now))
    if rerun:
        why = Why.NO_BREACH_IN_LATE_DATA
        decisions += [Decision(Action.WITHDRAW, why, None, gone) for gone in unmatched.values()]
    return decisions


def _one(found: Finding, episode: Known | None, now: datetime) -> Decision:
    if episode is None:
        return _new(found, now)
    going_on, was_going_on = found.ended_at is None, episode.ended_at is None
    if episode.withdrawn or (going_on and not was_going_on):
        action, why = Action.REOPEN, Why.NOT_OVER_AFTER_ALL
    elif going_on:
        action, why = Action.UPDATE, Why.STILL_GOING_ON
    elif was_going_on:
        action, why = Action.END, Why.CONDITION_KEPT_AGAIN
    elif episode.ended_at == found.ended_at:
        action, why = Action.NOTHING, Why.NOTHING_NEW
    else:
        action, why = Action.AMEND, Why.CHANGED_BY_LATE_DATA
    return Decision(action, why, found, episode)


def _new(found: Finding, now: datetime) -> Decision:
    if found.kind.only_recorded:
        return Decision(Action.RECORD, Why.EXCUSED, found, None)
    if found.ended_at is not None and found.kind in ONLY_WHILE_IT_LASTS:
        return Decision(Action.RECORD, Why.OVER_BEFORE_KNOWN, found, None)
    # One that is still open at readings of hours ago is as late as one that is over.
    late = now - (found.ended_at or found.seen_at or now) > LATE_AFTER
    why = Why.NEW_BREACH_LATE_DATA if late else Why.NEW_BREACH
    return Decision(Action.OPEN, why, found, None)


def _moved(found: Finding, unmatched: dict[tuple[int, str, datetime], Known]) -> Known | None:
    """The known episode that this finding is, with its start moved by late data."""
    for key, episode in sorted(unmatched.items(), key=lambda item: item[0]):
        if episode.condition_id != found.condition_id or episode.kind is not found.kind:
            continue
        starts_before_end = found.ended_at is None or episode.started_at <= found.ended_at
        ends_after_start = episode.ended_at is None or found.started_at <= episode.ended_at
        if starts_before_end and ends_after_start:
            return unmatched.pop(key)
    return None
