"""The benchmark of place rules: ours and the peers' on the same labelled tracks, world by world."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely

from alerts.finding import Finding, Severity
from alerts.rules import place_probability
from alerts.rules.rule import Rule
from alerts.terms import Condition, ConditionKind, DeviceKind, Limits
from devices.readings import Fix, FixSource, Stamp
from navigate_safer.demo import place_ahead
from navigate_safer.demo.place_ahead import Warnings
from navigate_safer.demo.place_lives import Floats, Life, live
from navigate_safer.demo.place_peers import PEERS
from navigate_safer.demo.place_scores import Episode, Score
from navigate_safer.demo.place_worlds import WORLDS, Track, World, observe
from zones.zone import Zone, ZoneKind

OURS = "probability"
# No rule: who is told the truth at each fix, and nothing of the time between. What is better than
# this on the rows of finding accuses before anybody has done anything, or has luck.
BOUND = "truth at each fix"
START = datetime(2026, 1, 5, tzinfo=UTC)
_CONDITION = {
    ZoneKind.EXCLUSION: ConditionKind.EXCLUSION_ZONE,
    ZoneKind.INCLUSION: ConditionKind.CURFEW,
    ZoneKind.RESTRICTION: ConditionKind.RESTRICTION_ZONE,
}
# Zones to keep out of and zones to stay in are different questions, with different costs.
GROUPS = ("keep out", "stay in")
# Brier and calibration look at fixes whose truth is so near the edge: further away all agree.
NEAR_M = 500.0

DEFAULT_LIMITS = Limits()

# World, group, rule.
Scores = dict[tuple[str, str, str], Score]
# Ours by its level, a ring by its metres.
Approaches = dict[tuple[str, float], Warnings]


def measure(
    devices: int,
    days: float,
    seed: int,
    *,
    worlds: tuple[World, ...] = WORLDS,
    limits: Limits = DEFAULT_LIMITS,
    sweep: tuple[float, ...] = (),
    approaches: Approaches | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Scores:
    """Run everything; ``advance`` is called after each device of each world.

    Ours is run at each cost of a miss in ``sweep`` too, under the name that :func:`swept` gives;
    ``approaches`` takes in what was warned of.
    """
    scores: Scores = {}
    for device in range(devices):
        life = live(np.random.default_rng([seed, device]), days)
        for world in worlds:
            # Not the position in the list: another world more must not change this one's noise.
            named = zlib.crc32(world.name.encode())
            track = observe(life, world, np.random.default_rng([seed, device, named]))
            for number in range(len(life.zones)):
                _zone(scores, life, track, (device, number), world.name, limits, sweep)
            _count_device(scores, world.name, days)
            if approaches is not None:
                _approach(approaches, life, track, days)
            advance()
    return scores


def _count_device(scores: Scores, world: str, days: float) -> None:
    for (name, _, _), score in scores.items():
        if name == world:
            score.device_s += days * 86_400


def _zone(
    scores: Scores,
    life: Life,
    track: Track,
    witness: tuple[int, int],
    world: str,
    limits: Limits,
    sweep: tuple[float, ...],
) -> None:
    """``witness``: the number of the life, and of the zone in it."""
    _, number = witness
    zone, truth = life.zones[number], life.truths[number]
    out = zone.kind.forbids_inside
    group = GROUPS[0] if out else GROUPS[1]
    tick = np.minimum((track.second / 2).astype(int), len(life.path) - 1)
    off_m = life.off_edge_m[number][tick]
    near = np.abs(off_m) < NEAR_M
    true = ((off_m <= 0) == out).astype(float)
    signed = _signed_of_fixes(zone, track)
    said = {name: rule(signed, track.accuracy_m) == out for name, rule in PEERS.items()}
    for name, flags in {**said, BOUND: true > 0}.items():
        score = scores.setdefault((world, group, name), Score())
        score.add_episodes(_episodes(flags, track.second), truth)
        score.add_fixes(flags[near].astype(float), true[near], witness)
    episodes, stated = run(zone, track, limits)
    score = scores.setdefault((world, group, OURS), Score())
    score.add_episodes(episodes, truth)
    score.add_fixes(stated[near], true[near], witness)
    for cost in sweep:
        score = scores.setdefault((world, group, swept(cost)), Score())
        score.add_episodes(run(zone, track, _at_cost(cost))[0], truth)


def swept(cost: float) -> str:
    """What ours is called at another cost of a miss."""
    return f"{OURS}, a miss costs {cost:g}"


def _at_cost(cost: float) -> Limits:
    return Limits(exclusion_miss_cost=cost, curfew_miss_cost=cost, restriction_miss_cost=cost)


def _approach(approaches: Approaches, life: Life, track: Track, days: float) -> None:
    """Warnings of the zones to keep out of, by our rule at each level and by each ring."""
    seen = fixes(track)
    taken: Approaches = {}
    for zone, truth in zip(life.zones, life.truths, strict=True):
        if not zone.kind.forbids_inside:
            continue
        likely, off_m = place_ahead.likely(zone, seen), _signed_of_fixes(zone, track)
        for level in place_ahead.LEVELS:
            began = place_ahead.began(likely, level, track.second)
            taken.setdefault(("ours", level), Warnings()).take(began, truth)
        for ring_m in place_ahead.RINGS_M:
            began = place_ahead.ring_began(off_m, ring_m, track.second)
            taken.setdefault(("ring", ring_m), Warnings()).take(began, truth)
    for key, each in taken.items():
        each.device_s = days * 86_400
        approaches.setdefault(key, Warnings()).add(each)


def _signed_of_fixes(zone: Zone, track: Track) -> Floats:
    """Metres of each reported point from the zone's edge, negative inside."""
    chance = zone.chance
    shape = shapely.transform(zone.shape, chance.plane.all_metres)
    shapely.prepare(shape)
    points = shapely.points(chance.plane.all_metres(track.lonlat))
    metres = shapely.distance(points, shape.boundary)
    signed: Floats = np.where(shapely.intersects(shape, points), -metres, metres)
    return signed


def _episodes(flags: np.ndarray[tuple[int], np.dtype[np.bool_]], second: Floats) -> list[Episode]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    last = len(second) - 1
    return [
        Episode(float(second[a]), float(second[min(b, last)]), float(second[a]))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def run(
    zone: Zone, track: Track, limits: Limits, rule: Rule = place_probability.RULE
) -> tuple[list[Episode], Floats]:
    """Our rule over a track: the episodes, and the probability of breach stated at each fix."""
    term = Condition(1, 1, "1", _CONDITION[zone.kind], Severity.HIGH, START, None, limits, zone)
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    found: dict[object, Finding] = {}
    told: dict[object, float] = {}
    stated = np.zeros(len(track.second))
    for n, fix in enumerate(fixes(track)):
        state, findings = rule.step(state, fix, term)
        for each in findings:
            found[each.key] = each
            told.setdefault(each.key, float(track.second[n]))
        stated[n] = place_probability.probability(state, term)
    end = float(track.second[-1])
    return [_episode(each, told[each.key], end) for each in found.values()], stated


def _episode(finding: Finding, told_s: float, end_s: float) -> Episode:
    start_s = (finding.started_at - START).total_seconds()
    ended_s = end_s if finding.ended_at is None else (finding.ended_at - START).total_seconds()
    probability = finding.evidence["probability"]
    assert isinstance(probability, float)
    return Episode(start_s, ended_s, told_s, probability)


def fixes(track: Track) -> list[Fix]:
    """The track as readings."""
    columns = (track.second, track.lonlat[:, 0], track.lonlat[:, 1], track.accuracy_m, track.source)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Fix(Stamp("bench", at, None, at), lat, lon, accuracy_m, FixSource(source))
        for second, lon, lat, accuracy_m, source in rows
        for at in (START + timedelta(seconds=second),)
    ]
