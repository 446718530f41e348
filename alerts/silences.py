"""What is not told for a while, who said so, and what it hid.

Nothing is discarded: readings are judged and stored, alerts open and show on the board, and only
the telling waits. When a silence ends, what it hid and is still going on is told. Nothing here can
mute a breach of a zone unless a second person agreed, and a gateway that is down can group no more
than the silence of its own devices.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.finding import FindingKind

ZONE_BREACHES = frozenset(
    {
        FindingKind.EXCLUSION_BREACH,
        FindingKind.CURFEW_BREACH,
        FindingKind.RESTRICTION_BREACH,
        # It may hold one of them.
        FindingKind.COMPOUND,
        FindingKind.DISTANCE_BREACH,
        # What a tag itself reports of a zone or a curfew is the same matter.
        FindingKind.ZONE_EVENT,
        FindingKind.CURFEW_EVENT,
    }
)
# Project policy, version 1: longer than a working day must be looked at again by somebody.
LONGEST_SILENCE = timedelta(hours=12)
LONGEST_MAINTENANCE = timedelta(hours=24)


class SilenceFault(ValueError):
    """A silence that may not be made; the message says why."""


class SilenceKind(Enum):
    """Why something is not told."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"

    @property
    def longest(self) -> timedelta:
        """The most that one may last."""
        return LONGEST_MAINTENANCE if self is SilenceKind.MAINTENANCE else LONGEST_SILENCE


class Reason(Enum):
    """Reason codes; each needs words beside it."""

    DEVICE_REPLACED = "device_replaced"
    KNOWN_FAULT = "known_fault"
    PLANNED_WORK = "planned_work"
    IN_CUSTODY = "in_custody"
    IN_HOSPITAL = "in_hospital"
    BEING_DEALT_WITH = "being_dealt_with"


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert is about, as far as a silence looks at it."""

    wearer_id: int
    device_id: int | None
    gateway_id: int | None
    condition_id: int | None
    kind: FindingKind


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Not told from one instant up to, not including, another, for what it names.

    Of ``wearer_id``, ``device_id``, ``gateway_id`` and ``condition_id`` exactly one is set;
    ``kinds`` None means all kinds. ``approved_by`` is the second person's.
    """

    number: int
    kind: SilenceKind
    from_at: datetime
    until_at: datetime
    author_id: int
    reason: Reason
    words: str
    kinds: frozenset[FindingKind] | None = None
    wearer_id: int | None = None
    device_id: int | None = None
    gateway_id: int | None = None
    condition_id: int | None = None
    approved_by: int | None = None

    def __post_init__(self) -> None:
        named = (self.wearer_id, self.device_id, self.gateway_id, self.condition_id)
        if sum(each is not None for each in named) != 1:
            raise SilenceFault("name one wearer, device, gateway or condition")
        if self.until_at <= self.from_at:
            raise SilenceFault("it must end after it starts")
        if self.until_at - self.from_at > self.kind.longest:
            hours = int(self.kind.longest.total_seconds() // 3600)
            raise SilenceFault(f"it may last {hours} hours at the most; make another one after it")
        if not self.words.strip():
            raise SilenceFault("say in words why")
        if self.approved_by == self.author_id:
            raise SilenceFault("somebody else must approve it")

    @property
    def needs_second_person(self) -> bool:
        """Whether it could mute a breach of a zone."""
        return self.kinds is None or bool(self.kinds & ZONE_BREACHES)

    def mutes(self, matter: Matter, at: datetime) -> bool:
        """Whether an alert about this is not told at this instant."""
        return (
            self.from_at <= at < self.until_at
            and (self.kinds is None or matter.kind in self.kinds)
            and self._is_about(matter)
            and (matter.kind not in ZONE_BREACHES or self._may_mute_zones)
        )

    @property
    def _may_mute_zones(self) -> bool:
        # A gateway says nothing about where somebody is: whatever is typed, it mutes no zone.
        return self.approved_by is not None and self.gateway_id is None

    def _is_about(self, matter: Matter) -> bool:
        return (
            (self.wearer_id is not None and self.wearer_id == matter.wearer_id)
            or (self.device_id is not None and self.device_id == matter.device_id)
            or (self.gateway_id is not None and self.gateway_id == matter.gateway_id)
            or (self.condition_id is not None and self.condition_id == matter.condition_id)
        )


def muted_by(silences: Iterable[Silence], matter: Matter, at: datetime) -> Silence | None:
    """The silence under which an alert is not told now: of several the one that ends last."""
    found = [each for each in silences if each.mutes(matter, at)]
    return max(found, key=lambda each: (each.until_at, each.number), default=None)


def grouped_by_gateway(kind: FindingKind, gateway_down: bool) -> bool:
    """Whether an alert is told as part of its gateway's failure instead of by itself.

    Only silence: a device whose gateway is down cannot be heard. Whatever was heard is told.
    """
    return gateway_down and kind is FindingKind.SILENCE
