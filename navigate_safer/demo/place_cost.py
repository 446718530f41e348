"""What one fix costs the probability rule: by what the wearer does, and by other people's zones.

Processor time of this thread alone, each step by itself; of several runs the least median, since
another process on the machine only ever adds to it.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from time import thread_time_ns

import msgspec
import numpy as np
import shapely

from alerts.finding import Severity
from alerts.judge import Run, States
from alerts.rules import place_probability
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting
from devices.readings import Fix, Stamp
from navigate_safer.demo.place_bench import START
from navigate_safer.demo.place_lives import PLANE
from zones.zone import Zone, ZoneKind

# The order's bar for a step near a zone, microseconds.
BAR_US = 60.0
EDGES = (6, 16, 64)
OTHERS = (10, 1_000, 100_000)
RADIUS_M = 200.0
_FIXES, _FIRST, _RUNS = 1_000, 50, 5
_ACCURACY_M = 15.0


class Cost(msgspec.Struct, frozen=True):
    """Microseconds of a step over a track: its median and its mean."""

    what: str
    count: int
    median_us: float
    mean_us: float


def steps(edges: Sequence[int] = EDGES) -> list[Cost]:
    """The rule alone, by what the wearer does and by the edges of the zone."""
    return [
        _least(what, number, [_stepping(_zone(0, 0, number), track) for _ in range(_RUNS)])
        for what, path in _PATHS.items()
        for track in (_track(path),)
        for number in edges
    ]


def beside_others(counts: Sequence[int] = OTHERS) -> list[Cost]:
    """The whole judgement of one wearer near his zone, with so many zones of others at hand."""
    fixes = _track(_PATHS["walking round it"])
    found = []
    for count in counts:
        others = [_run(number, *_far(number)) for number in range(count)]
        spent = [_judging(fixes) for _ in range(_RUNS)]
        found.append(_least("other people's zones", count, spent))
        assert len(others) == count
    return found


def _walk(
    radius_m: float, steps_a_turn: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    angle = np.arange(_FIXES) * 2 * math.pi / steps_a_turn
    return radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1)


_PATHS = {
    "still beside it": np.tile([RADIUS_M + 40.0, 0.0], (_FIXES, 1)),
    "walking round it": _walk(RADIUS_M + 60.0, 30.0),
    "still inside": np.tile([10.0, 0.0], (_FIXES, 1)),
    "walking inside": _walk(RADIUS_M / 2, 19.0),
    "2 km away": np.tile([2_000.0, 0.0], (_FIXES, 1)),
}


def _zone(east_m: float, north_m: float, edges: int, number: int = 0) -> Zone:
    """A gear with so many corners."""
    angle = np.arange(edges) * 2 * math.pi / edges
    reach = RADIUS_M * (1 + 0.1 * (np.arange(edges) % 2))
    ring = np.stack([east_m + reach * np.cos(angle), north_m + reach * np.sin(angle)], axis=1)
    degrees = ring / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
    return Zone(f"cost {number}", ZoneKind.EXCLUSION, shapely.Polygon(degrees))


def _track(path: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Fix]:
    rng = np.random.default_rng(2)
    metres = path + rng.normal(0, _ACCURACY_M / 2.45, path.shape)
    degrees = metres / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
    return [
        Fix(Stamp("cost", at, None, at), lat, lon, _ACCURACY_M)
        for n, (lon, lat) in enumerate(degrees.tolist())
        for at in (START + timedelta(minutes=n),)
    ]


def _condition(zone: Zone) -> Condition:
    kind = ConditionKind.EXCLUSION_ZONE
    return Condition(1, 1, "1", kind, Severity.HIGH, START, None, zone=zone)


def _least(what: str, count: int, runs: Sequence[Sequence[int]]) -> Cost:
    """The run with the least median."""
    median, mean = min((float(np.median(each)), float(np.mean(each))) for each in runs)
    return Cost(what, count, median / 1e3, mean / 1e3)


def _stepping(zone: Zone, fixes: Sequence[Fix]) -> list[int]:
    """Nanoseconds of each step of the rule, once it is under way."""
    rule, condition = place_probability.RULE, _condition(zone)
    state = rule.initial(condition, DeviceKind.LOCATION_TAG, START)
    spent = []
    for fix in fixes:
        began = thread_time_ns()
        state, _found = rule.step(state, fix, condition)
        spent.append(thread_time_ns() - began)
    return spent[_FIRST:]


def _far(number: int) -> tuple[float, float]:
    """A place for somebody else's zone, some kilometres away."""
    return 1_000.0 + 40.0 * (number % 300), 1_000.0 + 40.0 * (number // 300)


def _run(number: int, east_m: float, north_m: float) -> Run:
    """The judgement of another wearer, ready for the next fix."""
    condition = _condition(_zone(east_m, north_m, 8, number))
    fitting = Fitting(number, DeviceKind.LOCATION_TAG, START, None, (condition,))
    return Run(fitting, States())


def _judging(fixes: Sequence[Fix]) -> list[int]:
    """The same of the whole judgement of a fitting."""
    run = _run(0, 0.0, 0.0)
    spent = []
    for fix in fixes:
        began = thread_time_ns()
        run.take(fix)
        spent.append(thread_time_ns() - began)
    return spent[_FIRST:]
