"""A small registered case file of invented people at real places, and messages of its devices.

Everything in it that could identify somebody is in :func:`private_words`, so that a test can look
for it where it must not be.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from alerts.finding import Severity
from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import (
    Area,
    CaseFile,
    ConditionEntry,
    Device,
    Fitting,
    Gateway,
    OrderEntry,
    StaffMember,
    Victim,
    Wearer,
    ZoneEntry,
)
from navigate_safer.services.ingest import Message

# A Friday evening in winter, so that London's wall time is UTC.
START = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
FITTED_AT = START - timedelta(days=2)
PASSWORD = "three wet umbrellas"
MINUTE = timedelta(minutes=1)


class Place(NamedTuple):
    """Degrees, EPSG:4326."""

    lat: float
    lon: float


# Chester Cross is in the zone of W-1, the zoo is 4 km away; Crewe's market is in the zone of W-2.
INSIDE = Place(53.1905, -2.8918)
OUTSIDE = Place(53.2270, -2.8840)
CREWE = Place(53.0988, -2.4413)


def box(centre: Place, *, half_deg: float = 0.006) -> dict[str, object]:
    """A square about a place, GeoJSON: longitude first."""
    west, east = centre.lon - half_deg, centre.lon + half_deg
    south, north = centre.lat - half_deg, centre.lat + half_deg
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def condition(
    ref: str,
    kind: ConditionKind,
    severity: Severity,
    *,
    zone: str | None = None,
    clause: str = "Licence 12",
    from_at: datetime = FITTED_AT,
    until_at: datetime | None = None,
) -> ConditionEntry:
    """One monitored condition."""
    return ConditionEntry(ref, clause, kind, severity, from_at, until_at, zone)


def order(ref: str, *conditions: ConditionEntry, ends_on: date | None = None) -> OrderEntry:
    """A licence with its conditions."""
    return OrderEntry(ref, "licence", date(2026, 9, 1), ends_on, list(conditions))


STAFF = [
    StaffMember("off-1", "Ottoline Quarrington", Role.DUTY_OFFICER, ["west"],
                phone="07700 900101", call_order=1),
    StaffMember("off-2", "Barnabas Threlkeldy", Role.DUTY_OFFICER, ["west"],
                phone="07700 900102", call_order=2),
    StaffMember("sup-1", "Persis Yarwoodie", Role.SUPERVISOR, ["west", "east"],
                phone="07700 900103"),
    StaffMember("off-3", "Zebulon Haverstock", Role.DUTY_OFFICER, ["east"],
                phone="07700 900104"),
    StaffMember("adm-1", "Clementia Oddingley", Role.SYSTEM_ADMINISTRATOR, []),
]  # fmt: skip


def wearer_west() -> Wearer:
    """W-1: an exclusion zone at Chester Cross, a tag to keep charged, and no alcohol."""
    conditions = (
        condition("C-1", ConditionKind.EXCLUSION_ZONE, Severity.CRITICAL, zone="Z-1"),
        condition("C-2", ConditionKind.TAG_CARE, Severity.HIGH, clause="Licence 14A"),
        condition("C-3", ConditionKind.ALCOHOL_ABSTINENCE, Severity.MEDIUM, clause="Licence 14D"),
    )
    return Wearer(
        "W-1", "Leofric Umbershaw", date(1987, 4, 2), "west", "Boughton", "high", None,
        [order("O-1", *conditions)],
        [
            Fitting("TAG-1", FITTED_AT),
            Fitting("MON-1", FITTED_AT),
            Fitting("TAG-LENT", FITTED_AT, START - timedelta(hours=6)),
        ],
    )  # fmt: skip


def wearer_east() -> Wearer:
    """W-2: an exclusion zone at Crewe, and the tag that W-1 wore before."""
    exclusion = condition("C-4", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-2")
    return Wearer(
        "W-2", "Osgar Pettivale", date(1979, 12, 30), "east", "Wistaston", "medium", None,
        [order("O-2", exclusion)],
        [Fitting("TAG-2", FITTED_AT), Fitting("TAG-LENT", START - timedelta(hours=3))],
    )  # fmt: skip


VICTIM = Victim(
    "V-1", "Merewen Dunstable-Oake", "west", ["W-1"],
    address="14 Fletching Row, Chester", phone="07700 900199",
)  # fmt: skip


def small_case_file() -> CaseFile:
    """Two areas with a wearer each, their staff, and a tag that is on nobody."""
    return CaseFile(
        v=1,
        areas=[Area("west", "Cheshire West"), Area("east", "Cheshire East")],
        staff=list(STAFF),
        gateways=[Gateway("gw-west", "West gateway"), Gateway("gw-east", "East gateway")],
        devices=[
            Device("TAG-1", "tag", gateway="gw-west"),
            Device("MON-1", "monitor", DeviceKind.ALCOHOL_MONITOR, "gw-west"),
            Device("TAG-2", "tag", gateway="gw-east"),
            Device("TAG-LENT", "tag"),
            Device("TAG-SPARE", "tag"),
        ],
        zones=[
            ZoneEntry("Z-1", "Chester Cross", "exclusion", box(INSIDE), protects=["V-1"]),
            ZoneEntry("Z-2", "Crewe market", "exclusion", box(CREWE)),
        ],
        wearers=[wearer_west(), wearer_east()],
        victims=[VICTIM],
    )


def with_passwords(case_file: CaseFile) -> CaseFile:
    """The same with a password for each of the staff; their hashing takes its time."""
    staff = [msgspec.structs.replace(each, password=PASSWORD) for each in case_file.staff]
    return msgspec.structs.replace(case_file, staff=staff)


def one_more_wearer(number: int, *, conditions: Sequence[ConditionEntry] = ()) -> CaseFile:
    """A wearer of the west with a tag, ``TAG-X<number>``, to add to the small case file.

    The conditions are an exclusion zone and the care of the tag unless others are given.
    """
    own = conditions or (
        condition(f"CX-{number}", ConditionKind.EXCLUSION_ZONE, Severity.HIGH, zone="Z-1"),
        condition(f"CY-{number}", ConditionKind.TAG_CARE, Severity.HIGH),
    )
    return CaseFile(
        v=1,
        devices=[Device(f"TAG-X{number}", "tag")],
        wearers=[
            Wearer(
                f"W-X{number}", f"Wearer Number {number}", date(1990, 1, 1), "west", "Hoole",
                "medium", None, [order(f"O-X{number}", *own)],
                [Fitting(f"TAG-X{number}", FITTED_AT)],
            )
        ],
    )  # fmt: skip


def private_words() -> set[str]:
    """Names, numbers, addresses and localities that no log and no text may hold."""
    case_file = small_case_file()
    words = {part for each in case_file.staff for part in each.name.split()}
    words |= {part for each in case_file.wearers for part in each.name.split()}
    words |= {each.locality for each in case_file.wearers}
    words |= {each.name for each in case_file.zones}
    words |= {"Merewen", "Dunstable", "Fletching"}
    numbers = {each.phone.replace(" ", "") for each in case_file.staff if each.phone}
    # With and without the country code, and as a person would write it.
    words |= {number.removeprefix("0") for number in numbers}
    words |= {number[-6:] for number in numbers}
    return words


def fix(at: datetime, place: Place, **fields: object) -> dict[str, object]:
    """A position as a tag sends it."""
    return {
        "kind": "fix", "at": at.isoformat(), "lat": place.lat, "lon": place.lon,
        "accuracy_m": 8, **fields,
    }  # fmt: skip


def battery(at: datetime, percent: float, *, charging: bool = False) -> dict[str, object]:
    """A charge as a device sends it."""
    return {"kind": "battery", "at": at.isoformat(), "percent": percent, "charging": charging}


def event(at: datetime, code: str, state: str = "none") -> dict[str, object]:
    """An event as a device sends it."""
    return {"kind": "event", "at": at.isoformat(), "code": code, "state": state}


def alcohol(at: datetime, tac_g_dl: float) -> dict[str, object]:
    """An alcohol sample as a monitor sends it."""
    return {"kind": "alcohol", "at": at.isoformat(), "tac_g_dl": tac_g_dl}


def message(
    device: str,
    *readings: dict[str, Any],
    received_at: datetime | None = None,
    gateway: str = "gw-west",
    **envelope: object,
) -> Message:
    """One message of a device; received two seconds after its newest reading unless told."""
    document = {"v": 1, "device": device, "readings": list(readings), **envelope}
    if received_at is None:
        newest = max(datetime.fromisoformat(each["at"]) for each in readings)
        received_at = newest + timedelta(seconds=2)
    payload = msgspec.json.encode(document)
    return Message(f"telemetry/v1/{gateway}/{device}", payload, received_at)


def walk(
    device: str, *places: Place, start: datetime = START, gateway: str = "gw-west"
) -> list[Message]:
    """A message a minute, each with a fix at the next place."""
    return [
        message(device, fix(start + MINUTE * number, place), gateway=gateway)
        for number, place in enumerate(places)
    ]
