"""One case alert for alcohol together with an approach or a missed session, its parts linked.

Worked out anew from the wearer's stored episodes whenever one of them changes, in the transaction
that changes it, so that a case is amended and withdrawn with its parts. The wearer is held for it:
of two workers at two devices of one wearer, the second sees what the first has written.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.compound import PART_OF, RULES, MissedSession, Part, PartKind, compounds
from alerts.decide import Action, Decision, Known, Why, decide
from alerts.finding import Finding
from alerts.lifecycle import AlertState
from navigate_safer.db import audit, cases, terms
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.cases import MissedSessionRow
from navigate_safer.db.people import WearerRow
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, episodes, telling
from navigate_safer.services.casework import NotFound
from navigate_safer.services.telling import Voice

# A drinking episode ends after 400 readings, some eight days; what began earlier is not touched.
LONGEST_EPISODE = timedelta(days=9)
_QUIET = frozenset({Action.UPDATE, Action.NOTHING})


def touched_at(decisions: Collection[Decision]) -> datetime | None:
    """The earliest start of what may be part of a case among the decisions; None: nothing is."""
    times = []
    for each in decisions:
        for about in (each.finding, each.known):
            if about is not None and about.kind in PART_OF:
                times.append(about.started_at)
    return min(times, default=None)


def makes_no_case(
    session: Session, wearer_id: int, decisions: Collection[Decision], earliest_at: datetime
) -> bool:
    """Whether the decisions can begin no case and there is none that they could bear on.

    A stay that goes on is no new part of anything: its times are what they were. What is said of
    alcohol may change with each sample.
    """
    for each in decisions:
        about = each.known or each.finding
        part = None if about is None else PART_OF.get(about.kind)
        if part is PartKind.ALCOHOL or (part is not None and each.action not in _QUIET):
            return False
    return not cases.has_case(session, wearer_id, _since(earliest_at))


def in_a_case(session: Session, wearer_id: int, findings: Collection[Finding]) -> bool:
    """Whether any of the findings may be part of a case that there is."""
    times = [each.started_at for each in findings if each.kind in PART_OF]
    return bool(times) and cases.has_case(session, wearer_id, _since(min(times)))


def _since(earliest_at: datetime) -> datetime:
    return earliest_at - RULES.longest - LONGEST_EPISODE


def settle(
    session: Session, wearer_id: int, earliest_at: datetime, now: datetime, voice: Voice
) -> int:
    """Work out the wearer's cases about an instant and after; alerts opened. The caller commits."""
    session.get_one(WearerRow, wearer_id, with_for_update={"key_share": True})
    since = _since(earliest_at)
    parts = cases.parts(session, wearer_id, since - RULES.longest)
    rows = {each.id: each for each in cases.cases_since(session, wearer_id, since)}
    if not rows and not any(each.kind is not PartKind.ALCOHOL for each in parts):
        return 0
    found = [each for each in compounds(parts) if each.started_at >= since]
    known = {each.key: each for each in map(_known, rows.values())}
    before = {key: cases.episode_ids(rows[each.episode_id].evidence) for key, each in known.items()}
    opened = 0
    for decision in decide(found, known, now, rerun=True):
        old = {} if decision.known is None else dict(rows[decision.known.episode_id].evidence)
        opened += _apply(session, parts, _spoken(decision, old), now, voice)
        _link(session, decision, before, now)
    return opened


def _known(row: EpisodeRow) -> Known:
    return Known(row.id, row.condition_id, cases.KIND, row.started_at, row.ended_at, row.withdrawn)


def _spoken(decision: Decision, old: dict[str, Any]) -> Decision:
    """A case whose parts have changed is amended, with its history, whatever its times."""
    if decision.action not in _QUIET or decision.finding is None:
        return decision
    if _gist(decision.finding.evidence) == _gist(old):
        return decision
    return msgspec.structs.replace(decision, action=Action.AMEND, why=Why.PARTS_CHANGED)


def _gist(evidence: dict[str, Any]) -> list[tuple[object, object]]:
    return [(each["source"], each["sure"]) for each in evidence.get("parts", [])]


def _apply(
    session: Session, parts: Sequence[Part], decision: Decision, now: datetime, voice: Voice
) -> int:
    if decision.known is not None:
        fitting_id = session.get_one(EpisodeRow, decision.known.episode_id).fitting_id
    else:
        assert decision.finding is not None
        fitting_id = _fitting(session, parts, decision.finding)
    of = terms.fitting(session, fitting_id)
    return episodes.apply(session, of, [decision], now, voice)


def _fitting(session: Session, parts: Sequence[Part], found: Finding) -> int:
    """The fitting of the first alcohol of the case: it stays the same whatever joins it later."""
    first = next(
        each
        for each in parts
        if each.kind is PartKind.ALCOHOL
        and (each.condition_id, each.started_at) == (found.condition_id, found.started_at)
    )
    (episode,) = cases.episode_ids({"parts": [{"source": first.source}]})
    return session.get_one(EpisodeRow, episode).fitting_id


def _link(
    session: Session, decision: Decision, before: dict[Any, list[int]], now: datetime
) -> None:
    """While a case tells, its parts that nobody has answered are told by it, and not beside it."""
    old = set() if decision.known is None else set(before[decision.known.key])
    new = set() if decision.finding is None else set(cases.episode_ids(decision.finding.evidence))
    again = decision.known is not None and decision.known.withdrawn
    if decision.finding is not None and (decision.action is Action.OPEN or again):
        case = _alert(session, decision.finding)
        if case is not None and _speaks(session, case):
            _join(session, case, new, now)
    _part(session, old - new, now)


def _alert(session: Session, found: Finding) -> AlertRow | None:
    query = (
        select(AlertRow)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .where(
            EpisodeRow.condition_id == found.condition_id,
            EpisodeRow.kind == found.kind.value,
            EpisodeRow.started_at == found.started_at,
        )
    )
    return session.scalars(query.order_by(AlertRow.id.desc()).limit(1)).first()


def _speaks(session: Session, case: AlertRow) -> bool:
    """Whether somebody is being told of a case: nothing holds it, and it has reached anybody."""
    told = case.next_step_at is not None and telling.was_told(session, case)
    return told and case.silence_id is None


def _join(session: Session, case: AlertRow, parts: Collection[int], now: datetime) -> None:
    for alert in cases.alerts_of(session, list(parts)):
        if alert.state == AlertState.OPEN.value:
            alerting.stand_down(session, alert)
            telling.note(session, alert, now, "joined", f"told by case alert {case.reference}")


def _part(session: Session, parts: Collection[int], now: datetime) -> None:
    """What is no longer part of a case is told by its own alert again, unless it was withdrawn."""
    for alert in cases.alerts_of(session, list(parts)) if parts else ():
        episode = session.get_one(EpisodeRow, alert.episode_id)
        if alert.state == AlertState.OPEN.value and not episode.withdrawn:
            alerting.tell_again(alert, now)
            telling.note(session, alert, now, "parted", "no longer part of a case alert")


def session_missed(
    sessions: Sessions, wearer_ref: str, missed: MissedSession, now: datetime, voice: Voice
) -> int:
    """Record a missed session and settle the wearer's cases; alerts opened. Raises NotFound.

    The same session again, by its ``ref``, changes its times and takes back a withdrawal.
    """
    with sessions.begin() as session:
        return session_missed_in(session, wearer_ref, missed, now, voice)


def session_missed_in(
    session: Session, wearer_ref: str, missed: MissedSession, now: datetime, voice: Voice
) -> int:
    """The same within the caller's transaction."""
    wearer_id, row = _session(session, wearer_ref, missed.ref)
    if row is None:
        row = MissedSessionRow(wearer_id=wearer_id, ref=missed.ref, recorded_at=now)
        session.add(row)
    earliest_at = min(missed.started_at, row.started_at or missed.started_at)
    row.started_at, row.ended_at, row.withdrawn = missed.started_at, missed.ended_at, False
    _record(session, wearer_id, "session missed", now)
    session.flush()
    return settle(session, wearer_id, earliest_at, now, voice)


def session_not_missed(
    sessions: Sessions, wearer_ref: str, ref: str, now: datetime, voice: Voice
) -> int:
    """He was there after all, or was excused; raises NotFound."""
    with sessions.begin() as session:
        return session_not_missed_in(session, wearer_ref, ref, now, voice)


def session_not_missed_in(
    session: Session, wearer_ref: str, ref: str, now: datetime, voice: Voice
) -> int:
    """The same within the caller's transaction."""
    wearer_id, row = _session(session, wearer_ref, ref)
    if row is None:
        raise NotFound
    row.withdrawn = True
    _record(session, wearer_id, "session not missed", now)
    session.flush()
    return settle(session, wearer_id, row.started_at, now, voice)


def _session(session: Session, wearer_ref: str, ref: str) -> tuple[int, MissedSessionRow | None]:
    wearer_id = session.scalar(select(WearerRow.id).where(WearerRow.ref == wearer_ref))
    if wearer_id is None:
        raise NotFound
    # Held before the row is looked for: two that record the same session follow each other.
    session.get_one(WearerRow, wearer_id, with_for_update={"key_share": True})
    row = session.scalar(
        select(MissedSessionRow).where(
            MissedSessionRow.wearer_id == wearer_id, MissedSessionRow.ref == ref
        )
    )
    return wearer_id, row


def _record(session: Session, wearer_id: int, what: str, now: datetime) -> None:
    audit.record(
        session,
        Act.ALTERATION,
        what,
        at=now,
        actor="casework",
        subject_kind="wearer",
        subject_id=wearer_id,
    )
