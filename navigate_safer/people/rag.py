"""Red, amber, green, blue: how closely somebody is worked with, and what moves them up at once.

A colour is decided by somebody and written down. What becomes known afterwards and is bad moves it
up by rule, from the moment it is known and until somebody has looked at it: nothing waits for a
meeting. The rule never moves anybody down.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum

import msgspec


class Colour(Enum):
    """How closely somebody is worked with; blue is custody and stands apart from the others."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    BLUE = "blue"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.capitalize()


_UPWARDS = (Colour.GREEN, Colour.AMBER, Colour.RED)


class TriggerKind(Enum):
    """What moves somebody up at once."""

    INCIDENT = "incident"
    ARREST = "arrest"
    BREACH = "breach"
    CRITICAL_ALERT = "critical_alert"
    TAMPER = "tamper"
    DISCLOSURE = "disclosure"
    NEW_PARTNER = "new_partner"
    RELEASE = "release"
    PARTNER_EXTRACT = "partner_extract"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return _LABELS[self]

    @property
    def from_monitoring(self) -> bool:
        """Whether the tag said it: what exactly is for those who may see alerts."""
        return self in _MONITORING


_LABELS = {
    TriggerKind.INCIDENT: "New incident",
    TriggerKind.ARREST: "Arrest",
    TriggerKind.BREACH: "Breach confirmed",
    TriggerKind.CRITICAL_ALERT: "Urgent alert open",
    TriggerKind.TAMPER: "Tag tampered with",
    TriggerKind.DISCLOSURE: "Disclosure by a victim",
    TriggerKind.NEW_PARTNER: "New partner",
    TriggerKind.RELEASE: "Released from custody",
    # What it is is for a look-up that says why.
    TriggerKind.PARTNER_EXTRACT: "News in a partner's extract",
}
_MONITORING = {TriggerKind.CRITICAL_ALERT, TriggerKind.TAMPER}


class Trigger(msgspec.Struct, frozen=True):
    """One thing that became known at ``known_at``; ``ref`` is an alert's, an entry's or a record's.

    ``alert`` says that the reference is an alert's.
    """

    kind: TriggerKind
    ref: str
    known_at: datetime
    alert: bool = False

    @property
    def key(self) -> str:
        """What says that it has been looked at; a breach that is confirmed later is a new one."""
        return f"{self.kind.value}:{self.ref}"


class RagStatus(msgspec.Struct, frozen=True):
    """A colour as it was decided, with its cause.

    ``considered`` are the keys of the triggers that were shown to whoever decided: what came in
    meanwhile is not among them. ``release_on`` is the expected day out of custody, of a blue
    one.
    """

    colour: Colour
    cause: str
    review_on: date
    considered: tuple[str, ...] = ()
    release_on: date | None = None


class Decided(msgspec.Struct, frozen=True):
    """A status and the instant at which it was written down."""

    status: RagStatus
    at: datetime


class Standing(msgspec.Struct, frozen=True):
    """Where somebody stands now. ``causes`` are what nobody has looked at yet, the newest first.

    ``colour`` is None as long as nobody has decided and nothing has happened.
    """

    colour: Colour | None
    decided: Colour | None
    causes: tuple[Trigger, ...]

    @property
    def raised(self) -> bool:
        """Whether the colour is higher than the one that somebody decided on."""
        return self.colour is not self.decided


def counts_from(decided: Decided | None, now: datetime, look_back: timedelta) -> datetime:
    """From when on what became known counts: some time before the decision, or before now.

    Before the decision too, since an import can store today what it began to read an hour ago.
    """
    return (now if decided is None else decided.at) - look_back


def standing(
    decided: Decided | None,
    triggers: Iterable[Trigger],
    raises_to: Mapping[str, Colour],
    *,
    now: datetime,
    look_back: timedelta,
) -> Standing:
    """The colour in force: the decided one, moved up by what nobody has looked at yet.

    ``raises_to``: colour by kind of trigger; a kind that is not in it moves nobody. In custody only
    the release moves; what else becomes known is shown. Pure, and the order does not matter.
    """
    news = _unseen(decided, triggers, counts_from(decided, now, look_back))
    before = None if decided is None else decided.status.colour
    if before is Colour.BLUE:
        moving = [each for each in news if each.kind is TriggerKind.RELEASE]
    else:
        news = [each for each in news if each.kind is not TriggerKind.RELEASE]
        moving = news
    targets = [raises_to[each.kind.value] for each in moving if each.kind.value in raises_to]
    return Standing(_highest(before, targets), before, tuple(news))


def _unseen(
    decided: Decided | None, triggers: Iterable[Trigger], counts_from_at: datetime
) -> list[Trigger]:
    seen = frozenset[str]() if decided is None else frozenset(decided.status.considered)
    found = {
        each.key: each
        for each in sorted(triggers, key=lambda each: each.known_at)
        if each.known_at >= counts_from_at and each.key not in seen
    }
    return sorted(found.values(), key=lambda each: (each.known_at, each.key), reverse=True)


def _highest(before: Colour | None, targets: Sequence[Colour]) -> Colour | None:
    rising = [each for each in targets if each in _UPWARDS]
    if not rising:
        return before
    # Out of custody somebody starts from where the rule puts them.
    known = [before] if before in _UPWARDS and before is not None else []
    return max((*rising, *known), key=_UPWARDS.index)


def green_since(history: Sequence[Decided]) -> datetime | None:
    """Since when green without a break.

    ``history``: every decision, the newest first. None where the newest is not green. A decision
    for green that looked at something new begins anew: what became known had moved the person up
    until then, though nobody had written another colour down.
    """
    since: datetime | None = None
    after: RagStatus | None = None
    for each in history:
        if each.status.colour is not Colour.GREEN:
            break
        if after is not None and set(after.considered) - set(each.status.considered):
            break
        since, after = each.at, each.status
    return since
