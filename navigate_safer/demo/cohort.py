"""The invented cohort: 156 wearers and 1,160 victims over 46 real wards, and their staff.

Nobody in it lives. The same seed and start give the same document to the byte. Victims have an
address in words and no coordinate anywhere; zones are wards or drawn about random points, so no
address can be worked out from a shape.
"""

import math
from datetime import datetime, timedelta
from random import Random

import msgspec

from alerts.terms import DeviceKind
from navigate_safer.demo.costs import cost_entries
from navigate_safer.demo.names import drama_number, person_name, street_address
from navigate_safer.demo.offending import harm_table, offending_of, population
from navigate_safer.demo.orders import paper, town_zone
from navigate_safer.demo.places import LOCALITIES, TOWN_CENTRES
from navigate_safer.demo.wearers import VICTIMS, WEARERS, Sketch, sketches
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import (
    Area,
    CaseFile,
    Device,
    Fitting,
    Gateway,
    OrderEntry,
    StaffMember,
    Victim,
    Wearer,
    ZoneEntry,
)

FITTED_BEFORE_START = timedelta(hours=24)
CASES_PER_MANAGER = 25
_STAFF_NUMBERS = range(100)
_VICTIM_NUMBERS = range(100, 1000)
_VICTIMS_WITH_PHONE = 0.6
_SECOND_WEARER = 0.06
_MOST_PROTECTED_BY_A_ZONE = 3


def build_cohort(*, seed: int, start: datetime) -> CaseFile:
    """The case file of the demonstration that starts at ``start`` (aware).

    Every device is fitted 24 hours before the start, where the simulated telemetry begins.
    """
    if start.utcoffset() is None:
        raise ValueError("the cohort needs a start with an offset, such as +00:00")
    drawn = sketches(seed)
    victims, protected = _victims(seed, drawn)
    staff = _staff(seed, drawn)
    victims, carriers = _with_devices(victims, drawn, start)
    papers = {
        sketch.ref: paper(
            sketch, start, protected.get(sketch.ref, []), carriers.get(sketch.ref), seed=seed
        )
        for sketch in drawn
    }
    managers = _managers_of(staff, drawn)
    zones = [zone for each in papers.values() for zone in each.zones]
    wearers = [
        _wearer(sketch, start, papers[sketch.ref].order, managers[sketch.ref]) for sketch in drawn
    ]
    born = {each.ref: each.born_on for each in wearers}
    return CaseFile(
        v=1,
        areas=[Area(each.ref, each.name) for each in LOCALITIES],
        staff=staff,
        gateways=[Gateway(each.gateway, f"{each.name} gateway") for each in LOCALITIES],
        devices=_devices(drawn),
        zones=[*_town_zones(drawn, victims), *zones],
        wearers=wearers,
        victims=victims,
        offending=offending_of(born, _kept_from(victims), seed=seed, today=start.date()),
        harm_tables=[harm_table()],
        populations=[population(seed=seed)],
        costs=cost_entries(start.date()),
    )


def _with_devices(
    victims: list[Victim], drawn: tuple[Sketch, ...], start: datetime
) -> tuple[list[Victim], dict[str, str]]:
    """The victims, one of whom carries a device; and by wearer, from whom he must keep away."""
    carriers: dict[str, str] = {}
    for sketch in drawn:
        if sketch.keeps_away is None:
            continue
        place = next(n for n, each in enumerate(victims) if each.wearers[0] == sketch.ref)
        carried = Fitting(sketch.keeps_away.device, start - FITTED_BEFORE_START)
        victims = list(victims)
        victims[place] = msgspec.structs.replace(victims[place], devices=[carried])
        carriers[sketch.ref] = victims[place].ref
    return victims, carriers


def _kept_from(victims: list[Victim]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for victim in victims:
        found.setdefault(victim.wearers[0], []).append(victim.ref)
    return found


def _wearer(sketch: Sketch, start: datetime, order: OrderEntry, manager: str) -> Wearer:
    fitted_at = start - FITTED_BEFORE_START
    return Wearer(
        ref=sketch.ref,
        name=sketch.name,
        born_on=start.date() - timedelta(days=sketch.age_days),
        area=sketch.locality.ref,
        locality=sketch.ward,
        band=sketch.band,
        offender_manager=manager,
        orders=[order],
        fittings=[Fitting(device, fitted_at) for device in _worn_by(sketch)],
    )


def _worn_by(sketch: Sketch) -> list[str]:
    return [sketch.tag, sketch.monitor] if sketch.alcohol else [sketch.tag]


def _devices(drawn: tuple[Sketch, ...]) -> list[Device]:
    tags = [
        Device(each.tag, "simulated GPS tag", DeviceKind.LOCATION_TAG, each.locality.gateway)
        for each in drawn
    ]
    monitors = [
        Device(
            each.monitor,
            "simulated alcohol monitor",
            DeviceKind.ALCOHOL_MONITOR,
            each.locality.gateway,
        )
        for each in drawn
        if each.alcohol
    ]
    phones = [
        Device(
            each.keeps_away.device,
            "simulated phone of a protected person",
            DeviceKind.PROTECTED_PERSON,
            each.locality.gateway,
        )
        for each in drawn
        if each.keeps_away is not None
    ]
    return tags + monitors + phones


def _town_zones(drawn: tuple[Sketch, ...], victims: list[Victim]) -> list[ZoneEntry]:
    zones = []
    for town in TOWN_CENTRES:
        kept_out = {each.ref for each in drawn if each.town == town}
        protects = [victim.ref for victim in victims if victim.wearers[0] in kept_out]
        zones.append(town_zone(town, protects[:: len(protects) // 20 + 1]))
    return sorted(zones, key=lambda zone: zone.ref)


def _victims(seed: int, drawn: tuple[Sketch, ...]) -> tuple[list[Victim], dict[str, list[str]]]:
    """The victims, and for each wearer those whom the wearer's own exclusion zone protects.

    The ones a zone protects have their address in the zone's ward, and that is all they share.
    """
    rng = Random(f"victims|{seed}")
    phones = list(_VICTIM_NUMBERS)
    rng.shuffle(phones)
    victims: list[Victim] = []
    protected: dict[str, list[str]] = {}
    for sketch, count in zip(drawn, _victims_each(rng), strict=True):
        kept_safe = rng.randint(1, min(count, _MOST_PROTECTED_BY_A_ZONE))
        for place in range(count):
            ref = f"V-{len(victims) + 1:04d}"
            in_zone = sketch.exclusion is not None and place < kept_safe
            ward = _victim_ward(rng, sketch, in_zone=in_zone)
            if in_zone:
                protected.setdefault(sketch.ref, []).append(ref)
            has_phone = phones and rng.random() < _VICTIMS_WITH_PHONE
            others = [rng.choice(drawn).ref] if rng.random() < _SECOND_WEARER else []
            victims.append(
                Victim(
                    ref=ref,
                    name=person_name(rng, female=rng.random() < 0.8),
                    area=sketch.locality.ref,
                    wearers=list(dict.fromkeys([sketch.ref, *others])),
                    address=street_address(rng, ward),
                    phone=drama_number(phones.pop()) if has_phone else None,
                )
            )
    return victims, protected


def _victims_each(rng: Random) -> list[int]:
    """How many victims each wearer has: at least one, unevenly, 1,160 in all."""
    shares = [rng.gammavariate(1.6, 1.0) for _ in range(WEARERS)]
    counts = [1] * WEARERS
    for wearer in rng.choices(range(WEARERS), weights=shares, k=VICTIMS - WEARERS):
        counts[wearer] += 1
    return counts


def _victim_ward(rng: Random, sketch: Sketch, *, in_zone: bool) -> str:
    if in_zone and sketch.exclusion is not None:
        return sketch.exclusion.ward
    near = sketch.locality.wards
    return rng.choices(list(near), weights=list(near.values()))[0]


def _manager_counts(drawn: tuple[Sketch, ...]) -> dict[str, int]:
    cases = {area.ref: 0 for area in LOCALITIES}
    for sketch in drawn:
        cases[sketch.locality.ref] += 1
    return {area: math.ceil(count / CASES_PER_MANAGER) for area, count in cases.items()}


def _staff(seed: int, drawn: tuple[Sketch, ...]) -> list[StaffMember]:
    """At least one of each role; duty officers are called in the order of ``call_order``."""
    rng = Random(f"staff|{seed}")
    everywhere = [area.ref for area in LOCALITIES]
    posts: list[tuple[str, Role, list[str], int]] = [
        (f"duty-{number}", Role.DUTY_OFFICER, everywhere, 10 * number) for number in (1, 2, 3)
    ]
    posts += [(f"supervisor-{n}", Role.SUPERVISOR, everywhere, 100 + 10 * n) for n in (1, 2)]
    for area, count in _manager_counts(drawn).items():
        posts += [
            (f"manager-{area}-{n}", Role.OFFENDER_MANAGER, [area], 200 + n)
            for n in range(1, count + 1)
        ]
    posts += [
        ("facilitator-1", Role.PROGRAMME_FACILITATOR, everywhere, 300),
        ("idva-1", Role.IDVA, ["chester", "ellesmere-port", "rural-west"], 300),
        ("idva-2", Role.IDVA, ["northwich-winsford", "rural-east"], 300),
        ("access-1", Role.ACCESS_TEAM, everywhere, 300),
        ("auditor-1", Role.AUDITOR, everywhere, 300),
        ("admin-1", Role.SYSTEM_ADMINISTRATOR, [], 300),
        ("board-1", Role.BOARD_MEMBER, everywhere, 300),
    ]
    return [
        StaffMember(
            ref=ref,
            name=person_name(rng, female=rng.random() < 0.55),
            role=role,
            areas=areas,
            phone=drama_number(_STAFF_NUMBERS[number]),
            call_order=call_order,
        )
        for number, (ref, role, areas, call_order) in enumerate(posts)
    ]


def _managers_of(staff: list[StaffMember], drawn: tuple[Sketch, ...]) -> dict[str, str]:
    """Each wearer's offender manager: those of the area take turns."""
    turns: dict[str, int] = {}
    managers: dict[str, str] = {}
    for sketch in drawn:
        area = sketch.locality.ref
        team = [
            each.ref for each in staff if each.role is Role.OFFENDER_MANAGER and area in each.areas
        ]
        managers[sketch.ref] = team[turns.get(area, 0) % len(team)]
        turns[area] = turns.get(area, 0) + 1
    return managers
