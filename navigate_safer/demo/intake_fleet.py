"""The fleet of the intake benchmark: homes, zones, and where each device is from minute to minute.

Of a thousand devices 800 are at home under a curfew that is on, 150 walk about, 49 are within
100 m of the exclusion zone's edge, where every fix has to be weighed, and one goes in. The curfew
of the last three kinds is at another time of the day.
"""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from alerts.finding import Severity
from alerts.judge import Run, States
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting
from devices.quality import Doubt
from devices.readings import Fix, FixSource, Stamp
from navigate_safer.services.fleet import calm_text
from navigate_safer.services.stocking import PLACES_OF_IDS, Template, zone_ref
from zones.zone import zone_from_feature

PREFIX = "BENCH-"
GATEWAY = "gw-bench"
VERTICES = 50
CURFEW_RADIUS_M, EXCLUSION_RADIUS_M, APART_M = 100.0, 300.0, 1_500.0
# Metres of a degree of latitude; the fleet needs no better.
_DEGREE_M = 111_320.0
_PER_THOUSAND = 1_000
_AT_HOME, _WALKING, _NEAR = 800, 950, 999
ACCURACY_M = 8.0
SOURCE, NO_DOUBT = FixSource.GPS, Doubt.NONE


def home(number: int, homes: int) -> tuple[float, float]:
    """Longitude and latitude of a device's home, on a grid across Cheshire."""
    row, column = divmod(number % homes, 40)
    return -2.95 + column * 0.008, 53.05 + row * 0.03


def metres(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """A point so many metres from another."""
    return lon + east_m / (_DEGREE_M * math.cos(math.radians(lat))), lat + north_m / _DEGREE_M


def where(number: int, step: int, minute: int, homes: int) -> tuple[float, float]:
    """Longitude and latitude of a device at its ``step``-th fix, so many minutes on."""
    lon, lat = home(number, homes)
    # Prime to a thousand, so that a small fleet has some of each too.
    kind = number * 617 % _PER_THOUSAND
    wobble = (number * 7 + step * 13) % 11 - 5.0
    if kind < _AT_HOME:
        return metres(lon, lat, wobble, -wobble / 2)
    if kind < _WALKING:
        # South and back again, 60 m a minute, up to two kilometres.
        there = (minute * 60) % 4_000
        return metres(lon, lat, wobble, -min(there, 4_000 - there))
    edge_m = APART_M - EXCLUSION_RADIUS_M
    if kind < _NEAR:
        return metres(lon, lat, wobble, edge_m - 40 - 4 * wobble)
    return metres(lon, lat, wobble, APART_M if minute % 8 >= 4 else edge_m - 200)


def ring(lon: float, lat: float, radius_m: float) -> dict[str, object]:
    """A round polygon of :data:`VERTICES` corners, GeoJSON."""
    points = []
    for corner in range(VERTICES):
        angle = 2 * math.pi * corner / VERTICES
        points.append(
            list(metres(lon, lat, radius_m * math.cos(angle), radius_m * math.sin(angle)))
        )
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


def schedule(at: datetime, *, away: bool) -> list[dict[str, object]]:
    """Ten hours of curfew around an instant, or for who is ``away`` ten hours later."""
    begins = at.astimezone(ZoneInfo("Europe/London")) + timedelta(hours=6 if away else -4)
    ends = begins + timedelta(hours=10)
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return [{"days": days, "start": f"{begins:%H:%M}", "end": f"{ends:%H:%M}"}]


def templates(homes: int, at: datetime) -> list[Template]:
    """Every home twice: for who is there, and for who is away."""
    return [_template(n, homes, at) for n in range(2 * homes)]


def _template(number: int, homes: int, at: datetime) -> Template:
    lon, lat = home(number // 2, homes)
    hours = schedule(at, away=number % 2 == 1)
    exclusion = ring(*metres(lon, lat, 0, APART_M), EXCLUSION_RADIUS_M)
    curfew = ring(lon, lat, CURFEW_RADIUS_M)
    ids = [int(each) for each in PLACES_OF_IDS]
    from_at = at - timedelta(days=1)
    conditions = tuple(
        Condition(
            condition_id=key,
            version=1,
            clause="Licence",
            kind=kind,
            severity=severity,
            from_at=from_at,
            until_at=None,
            zone=None if zone is None else zone_from_feature(**zone),
        )
        for key, kind, severity, zone in (
            (ids[0], ConditionKind.EXCLUSION_ZONE, Severity.CRITICAL,
             {"zone_id": zone_ref("exclusion", number), "kind": "exclusion",
              "geometry": exclusion}),
            (ids[1], ConditionKind.CURFEW, Severity.HIGH,
             {"zone_id": zone_ref("inclusion", number), "kind": "inclusion", "geometry": curfew,
              "schedule": hours}),
            (ids[2], ConditionKind.TAG_CARE, Severity.MEDIUM, None),
        )
    )  # fmt: skip
    run = Run(Fitting(0, DeviceKind.LOCATION_TAG, from_at, None, conditions), States())
    run.take(Fix(Stamp("", at, None, at), lat, lon, ACCURACY_M, FixSource.GPS))
    states = msgspec.json.encode(run.states()).decode()
    return Template(
        exclusion, curfew, hours, round(lat * 1e7), round(lon * 1e7), states,
        calm_text(run.calm()),
    )  # fmt: skip


def topic(number: int) -> str:
    """The topic that a device's messages come on."""
    return f"telemetry/v1/{GATEWAY}/{PREFIX}{number:07d}"


class Due(msgspec.Struct, frozen=True):
    """A message to be sent: the ``step``-th of its device, so many minutes after the first."""

    step: int
    minute: int
    at: datetime
    sent_at: str
    readings: int


def payload(number: int, due: Due, homes: int) -> bytes:
    """One message as a tag would send it: its newest fix last; several are a minute apart."""
    if due.readings == 1:
        parts = [_fix(number, due.step, due.minute, homes, due.at)]
    else:
        first = due.at - timedelta(minutes=due.readings - 1)
        parts = [
            _fix(number, due.step + n, due.minute + n, homes, first + timedelta(minutes=n))
            for n in range(due.readings)
        ]
    body = ",".join(parts)
    return (
        f'{{"v":1,"device":"{PREFIX}{number:07d}","seq":{due.step},"sent_at":"{due.sent_at}",'
        f'"readings":[{body}]}}'
    ).encode()


def _fix(number: int, step: int, minute: int, homes: int, at: datetime) -> str:
    lon, lat = where(number, step, minute, homes)
    return (
        f'{{"kind":"fix","at":"{at.isoformat()}","lat":{lat:.7f},"lon":{lon:.7f},'
        f'"accuracy_m":{ACCURACY_M:g},"source":"gps","speed_kmh":4.1,"heading_deg":80,'
        '"satellites":9,"hdop":1.1}'
    )
