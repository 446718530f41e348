"""The case file: one JSON document that registers staff, devices, wearers, orders and zones.

It is how a service starts (``navigate-safer register FILE``), and how the invented cohort comes
in. References (``ref``) are the file's and the service's own names; they are unique per list.
Times are ISO 8601 with an offset, dates ISO 8601.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from alerts.finding import Severity
from alerts.terms import ConditionKind, DeviceKind, Limits
from navigate_safer.people.access import Role
from navigate_safer.people.cost_book import CaseFileCost
from navigate_safer.people.offending import HarmTable, OffendingEntry, Population
from navigate_safer.people.outcome_framework import Supplied

# What every database can keep: no character zero, and no more than its column holds.
_NO_ZERO = Meta(pattern=r"^[^\x00]*$")
Ref = Annotated[str, Meta(min_length=1, max_length=64), _NO_ZERO]
Name = Annotated[str, Meta(max_length=200), _NO_ZERO]
Phrase = Annotated[str, Meta(max_length=100), _NO_ZERO]
OrderKind = Annotated[str, Meta(max_length=60), _NO_ZERO]
Band = Annotated[str, Meta(max_length=20), _NO_ZERO]
Phone = Annotated[str, Meta(max_length=20), _NO_ZERO]
Address = Annotated[str, Meta(max_length=300), _NO_ZERO]
# One level of a topic, as in a message: another name would never be heard of.
TopicName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every entry: an unknown field is an error, not a silent loss."""


class Area(Entry, frozen=True):
    """A locality that staff and wearers belong to."""

    ref: Ref
    name: Name


class StaffMember(Entry, frozen=True):
    """Somebody who signs in. ``call_order`` is who is told first.

    ``phone`` (E.164) and ``email`` are secret, and taken as verified by who prepared the file.
    """

    ref: Ref
    name: Name
    role: Role
    areas: list[str]
    password: str | None = None
    phone: str | None = None
    email: str | None = None
    call_order: int = 100


class Gateway(Entry, frozen=True):
    """A sender of telemetry; ``ref`` is the CN of its certificate and its part of the topic."""

    ref: TopicName
    name: Name


class Device(Entry, frozen=True):
    """A tag or alcohol monitor. With ``gateway`` set, only that gateway may speak for it.

    ``kind`` is location_tag or alcohol_monitor; it chooses which silence deadline applies.
    """

    ref: TopicName
    model: Phrase
    kind: DeviceKind = DeviceKind.LOCATION_TAG
    gateway: str | None = None


class Window(Entry, frozen=True):
    """Weekly hours, local wall time: ``days`` mon..sun, ``start``/``end`` HH:MM (see zones)."""

    days: list[str]
    start: str
    end: str


class ZoneEntry(Entry, frozen=True):
    """A zone: ``geometry`` is GeoJSON (EPSG:4326); ``kind`` exclusion, inclusion, restriction.

    ``properties`` are the others that a zone file may give: :data:`zones.feature.ZONE_PROPERTIES`.
    """

    ref: Ref
    name: Name
    kind: str
    geometry: dict[str, object]
    buffer_m: float = 0.0
    schedule: list[Window] | None = None
    timezone: str = "Europe/London"
    protects: list[str] = []
    properties: dict[str, object] = {}


class ConditionEntry(Entry, frozen=True):
    """A monitored condition under a clause of its order.

    One of kind distance names the victim to keep away from (``keep_away``) and the metres.
    """

    ref: Ref
    clause: Phrase
    kind: ConditionKind
    severity: Severity
    from_at: datetime
    until_at: datetime | None = None
    zone: str | None = None
    limits: Limits = Limits()
    keep_away: str | None = None
    within_m: Annotated[float, Meta(gt=0, le=100_000)] | None = None


class OrderEntry(Entry, frozen=True):
    """A court order or licence: ``kind`` such as licence, community_order, dapo, bail."""

    ref: Ref
    kind: OrderKind
    starts_on: date
    ends_on: date | None
    conditions: list[ConditionEntry]


class Fitting(Entry, frozen=True):
    """Which device was on the wearer and when; readings belong to the wearer by this alone."""

    device: str
    fitted_at: datetime
    removed_at: datetime | None = None


class Wearer(Entry, frozen=True):
    """A perpetrator who is monitored. ``band`` is high or medium."""

    ref: Ref
    name: Name
    born_on: date
    area: str
    locality: Name
    band: Band
    offender_manager: str | None
    orders: list[OrderEntry]
    fittings: list[Fitting]


class Victim(Entry, frozen=True):
    """Somebody to be protected. Kept apart: no page about a wearer reads this.

    ``devices`` that she carries are of kind protected_person. Of somebody ``in_refuge`` there is
    no address here: it is never stored.
    """

    ref: Ref
    name: Name
    area: str
    wearers: list[str]
    address: Address | None = None
    phone: Phone | None = None
    devices: list[Fitting] = []
    in_refuge: bool = False


class CaseFile(Entry, frozen=True):
    """The whole document."""

    v: int
    areas: list[Area] = []
    staff: list[StaffMember] = []
    gateways: list[Gateway] = []
    devices: list[Device] = []
    zones: list[ZoneEntry] = []
    wearers: list[Wearer] = []
    victims: list[Victim] = []
    offending: list[OffendingEntry] = []
    harm_tables: list[HarmTable] = []
    populations: list[Population] = []
    framework_figures: list[Supplied] = []
    costs: list[CaseFileCost] = []
