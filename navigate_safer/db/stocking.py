"""Fill an empty database with a fleet for a benchmark, by statements over whole sets.

A fleet of a million devices through the case file would take hours. What the rows hold is the
same: every wearer has his own order and conditions, every fitting its own stored states; only the
places repeat, as they do where people live.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from navigate_safer.db.packed import micros_of
from navigate_safer.db.people import AreaRow, GatewayRow, ZoneRow

_BORN, _STARTS = date(1980, 1, 1), date(2020, 1, 1)
# Condition ids in a template's states, replaced by those of each wearer.
PLACES_OF_IDS = ("900000001", "900000002", "900000003")


class Template(msgspec.Struct, frozen=True):
    """A home with its two zones, and how things stand after one fix there."""

    exclusion: dict[str, object]
    curfew: dict[str, object]
    schedule: list[dict[str, object]]
    lat_e7: int
    lon_e7: int
    states: str
    calm: str | None


def zone_ref(kind: str, number: int) -> str:
    """What the zone of a kind of the home of a number is called; the states say of which it is."""
    return f"BENCH-{kind}-{number}"


class Stocked(msgspec.Struct, frozen=True):
    """How the fleet begins: everybody's one fix, and what is written of it."""

    at: datetime
    accuracy: int
    quality: int
    quiet_s: int
    fitted_at: datetime


def stock(session: Session, devices: int, templates: Sequence[Template], begin: Stocked) -> None:
    """Make ``devices`` wearers, each with a tag: ``BENCH-0000001`` and so on."""
    area = session.scalar(insert(AreaRow).values(ref="bench", name="Bench").returning(AreaRow.id))
    session.execute(insert(GatewayRow).values(ref="gw-bench", name="Bench"))
    session.execute(
        text(
            "create temporary table bench_homes (n integer primary key, exclusion_id bigint, "
            "curfew_id bigint, lat_e7 integer, lon_e7 integer, states text, calm text)"
        )
    )
    for number, template in enumerate(templates):
        _home(session, number, template)
    postgresql = session.get_bind().dialect.name == "postgresql"
    values = {
        "devices": devices,
        "homes": len(templates) // 2,
        "area": area,
        "gateway": session.scalar(text("select id from gateways where ref = 'gw-bench'")),
        "fitted": begin.fitted_at if postgresql else _text(begin.fitted_at),
        "at": begin.at if postgresql else _text(begin.at),
        "measured": begin.at if postgresql else micros_of(begin.at),
        "born": _BORN if postgresql else _BORN.isoformat(),
        "starts": _STARTS if postgresql else _STARTS.isoformat(),
        "limits": "{}",
        "quiet": begin.quiet_s,
        "accuracy": begin.accuracy,
        "quality": begin.quality,
    }
    json = "cast({value} as json)" if postgresql else "{value}"
    for statement in (*_people(json), *_devices(json)):
        names = set(re.findall(r":(\w+)", statement))
        used = {name: value for name, value in values.items() if name in names}
        session.execute(text(statement), used)
    session.execute(text("drop table bench_homes"))


def _home(session: Session, number: int, template: Template) -> None:
    zones = []
    for kind, geometry, schedule in (
        ("exclusion", template.exclusion, None),
        ("inclusion", template.curfew, template.schedule),
    ):
        zone = ZoneRow(
            ref=zone_ref(kind, number),
            name="Bench",
            kind=kind,
            geometry=geometry,
            schedule=schedule,
        )
        session.add(zone)
        session.flush()
        zones.append(zone.id)
    session.execute(
        text("insert into bench_homes values (:n, :x, :c, :lat, :lon, :states, :calm)"),
        {
            "n": number,
            "x": zones[0],
            "c": zones[1],
            "lat": template.lat_e7,
            "lon": template.lon_e7,
            "states": template.states,
            "calm": template.calm,
        },
    )


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


_NUMBERS = (
    "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < :devices)"
)
_REF = "'BENCH-' || substr(cast(10000000 + n as text), 2)"
# Each home is there twice: for the devices at home, and for the last fifth of every thousand.
_HOME = (
    "join bench_homes h on h.n = 2 * (cast(substr({ref}, 7) as integer) % :homes) + "
    "case when cast(substr({ref}, 7) as integer) * 617 % 1000 >= 800 then 1 else 0 end"
)
_KINDS = (
    ("exclusion_zone", "critical", "h.exclusion_id"),
    ("curfew", "high", "h.curfew_id"),
    ("tag_care", "medium", "null"),
)


def _people(json: str) -> list[str]:
    """Statements that make the people; ``json`` is how the database takes a text as JSON."""
    conditions = [
        "insert into conditions (ref, version, order_id, clause, kind, severity, zone_id, "  # noqa: S608
        f"limits, from_at) select o.ref || '-{number}', 1, o.id, 'Licence {number}', '{kind}', "
        f"'{severity}', {zone}, {json.format(value=':limits')}, :fitted from orders o "
        + _HOME.format(ref="o.ref")
        for number, (kind, severity, zone) in enumerate(_KINDS)
    ]
    devices = (
        f"{_NUMBERS} insert into devices (ref, model, kind, gateway_id) "  # noqa: S608
        f"select {_REF}, 'bench', 'location_tag', :gateway from numbers"
    )
    wearers = (
        f"{_NUMBERS} insert into wearers (ref, name, born_on, area_id, locality, band) "  # noqa: S608
        f"select {_REF}, 'Bench', :born, :area, 'Bench', 'high' from numbers"
    )
    orders = (
        "insert into orders (ref, wearer_id, kind, starts_on) "
        "select ref, id, 'licence', :starts from wearers"
    )
    return [devices, wearers, orders, *conditions]


def _devices(json: str) -> list[str]:
    """Statements that put their devices on them, each where it is now."""
    states = "h.states"
    for place, alias in zip(PLACES_OF_IDS, "abc", strict=True):
        states = f"replace({states}, '{place}', cast({alias}.id as text))"
    joined = " ".join(
        f"join conditions {alias} on {alias}.order_id = o.id and {alias}.kind = '{kind}'"
        for alias, (kind, _, _) in zip("abc", _KINDS, strict=True)
    )
    fittings = (
        "insert into fittings (device_id, wearer_id, fitted_at) "
        "select d.id, w.id, :fitted from devices d join wearers w on w.ref = d.ref"
    )
    judgements = (
        "insert into judgements (fitting_id, version, through, states, check_after, quiet_s) "  # noqa: S608
        f"select f.id, 0, :at, {json.format(value=states)}, :at, :quiet from fittings f "
        "join devices d on d.id = f.device_id join orders o on o.wearer_id = f.wearer_id "
        f"{joined} " + _HOME.format(ref="d.ref")
    )
    latest = (
        "insert into device_latest (device_id, measured_at, received_at, fix_at, position_at, "  # noqa: S608
        "lat_e7, lon_e7, accuracy, fix_quality, turn, calm) select d.id, :at, :at, :at, :at, "
        "h.lat_e7, h.lon_e7, :accuracy, :quality, 0, h.calm from devices d "
        + _HOME.format(ref="d.ref")
    )
    fixes = (
        "insert into fixes (device_id, measured_at, lat_e7, lon_e7, received_cs, quality, "  # noqa: S608
        "accuracy, speed_dkmh, heading_ddeg, sent_s) select d.id, :measured, h.lat_e7, h.lon_e7, "
        "0, :quality, :accuracy, -1, -1, 0 from devices d " + _HOME.format(ref="d.ref")
    )
    return [fittings, judgements, latest, fixes]


def analyse(session: Session) -> None:
    """Gather the planner's figures."""
    session.execute(text("analyze"))
