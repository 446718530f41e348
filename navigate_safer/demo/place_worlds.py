"""Worlds of noise: how a true path turns into fixes, in several ways that differ on purpose.

No rule may be fitted to one of them; the benchmark reports each and the worst.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from devices.readings import FixSource
from navigate_safer.demo.place_lives import PLANE, TICK_S, Floats, Life, Random

# A circular normal holds 95 % within this many standard deviations.
_RADIUS_95 = 2.4477


class World(msgspec.Struct, frozen=True):
    """How receivers err and report.

    ``radii``: (share, smallest, largest reported 95 % radius in metres) of each regime of
    reception, which lasts ``regime_s`` on average. Errors drift over ``drift_still_s`` or
    ``drift_moving_s``; ``fresh`` is the share of their variance that is new in each fix. In
    ``under`` of the regimes errors are ``factor`` times what is reported. ``tail`` above 0: degrees
    of freedom of the error. ``echoes_h``: reflections of 50 to 200 m an hour, some minutes each,
    not reported. ``cell``: share of fixes from the network. ``every_s``: time between fixes;
    ``gaps_day``: losses of coverage.
    """

    name: str
    radii: tuple[tuple[float, float, float], ...] = (
        (0.6, 8, 24),
        (0.38, 32, 97),
        (0.02, 480, 1600),
    )
    regime_s: float = 60.0
    drift_still_s: float = 600.0
    drift_moving_s: float = 120.0
    fresh: float = 0.0
    under: float = 0.07
    factor: float = 3.0
    tail: float = 0.0
    echoes_h: float = 0.0
    cell: float = 0.0
    every_s: float = 60.0
    gaps_day: float = 1.0


GOOD = ((0.9, 6, 18), (0.1, 20, 50))
WORLDS = (
    # The simulation of the project's survey of geofences, radii turned from 68 % to 95 %.
    World("survey"),
    World("honest", radii=GOOD, under=0.0, fresh=0.5, drift_still_s=300.0),
    World("white", radii=GOOD, under=0.0, fresh=1.0),
    World("indoor drift", regime_s=1200.0, drift_still_s=1800.0, under=0.12, factor=2.0),
    World("multipath", radii=GOOD, regime_s=600.0, tail=4.0, echoes_h=0.15, fresh=0.3),
    World("heavy tails", radii=GOOD, tail=3.0, fresh=0.3, under=0.05),
    World("under-reported", radii=GOOD, regime_s=900.0, under=0.35, factor=1.8, fresh=0.2),
    World("cell fallback", radii=GOOD, cell=0.1, gaps_day=4.0, fresh=0.3, tail=5.0),
    World("sparse", every_s=180.0, gaps_day=6.0, fresh=0.3, under=0.03),
    World("dense", every_s=15.0, fresh=0.2, under=0.03),
)


def drawn(seed: int, number: int) -> World:
    """A world that nobody chose: every number at random, from ranges wider than those above."""
    rng = np.random.default_rng([seed, number, 0xD2A])
    good, mid = rng.uniform(4, 25), rng.uniform(20, 120)
    share = rng.uniform(0.3, 0.95)
    return World(
        f"drawn {number + 1}",
        radii=((share, good / 2, 2 * good), (1 - share, mid / 2, 2 * mid)),
        regime_s=float(rng.choice([60, 300, 900, 1800])),
        drift_still_s=float(rng.uniform(30, 2400)),
        drift_moving_s=float(rng.uniform(15, 300)),
        fresh=float(rng.uniform(0, 1)),
        under=float(rng.uniform(0, 0.4)),
        factor=float(rng.uniform(1, 4)),
        tail=float(rng.choice([0, 3, 5, 8])),
        echoes_h=float(rng.choice([0, 0, 0.05, 0.2])),
        cell=float(rng.choice([0, 0, 0.05, 0.2])),
        every_s=float(rng.choice([15, 30, 60, 60, 120, 300])),
        gaps_day=float(rng.uniform(0, 8)),
    )


class Track(msgspec.Struct, frozen=True):
    """Fixes in order: seconds, metres of the truth's plane, degrees, reported radius, source."""

    second: Floats
    xy_m: Floats
    lonlat: Floats
    accuracy_m: Floats
    source: np.ndarray[tuple[int], np.dtype[np.int64]]


def observe(life: Life, world: World, rng: Random) -> Track:
    """What a tag in this world reports of a life."""
    second = _times(world, len(life.path) * TICK_S, rng)
    tick = np.minimum((second / TICK_S).astype(int), len(life.path) - 1)
    accuracy_m, spread_m = _reception(world, second, rng)
    cell = rng.random(len(second)) < world.cell
    accuracy_m = np.where(cell, rng.uniform(300, 1000, len(second)), accuracy_m)
    spread_m = np.where(cell, accuracy_m / _RADIUS_95, spread_m)
    error = _drift(world, second, life.moving[tick], rng) * np.sqrt(1 - world.fresh)
    error += rng.normal(0, 1, error.shape) * np.sqrt(world.fresh)
    # A fix from the network has its own error.
    error = np.where(cell[:, None], rng.normal(0, 1, error.shape), error)
    if world.tail > 0:
        stretch = rng.chisquare(world.tail, _count(second, 120.0)) / world.tail
        error /= np.sqrt(stretch[(second / 120.0).astype(int)])[:, None]
    xy_m = life.path[tick] + error * spread_m[:, None] + _echoes(world, second, rng)
    lonlat = xy_m / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
    source = np.where(cell, int(FixSource.LBS), int(FixSource.GPS))
    return Track(second, xy_m, np.round(lonlat, 7), np.round(accuracy_m, 1), source)


def _count(second: Floats, every_s: float) -> int:
    return int(second[-1] / every_s) + 1


def _times(world: World, length_s: float, rng: Random) -> Floats:
    steps = world.every_s * rng.uniform(0.95, 1.05, int(length_s / world.every_s))
    second = np.asarray(np.round(np.cumsum(steps), 3), dtype=np.float64)
    kept = second < length_s
    for _ in range(rng.poisson(world.gaps_day * length_s / 86_400)):
        start = rng.uniform(0, length_s)
        kept &= ~((second > start) & (second < start + rng.uniform(180, 3600)))
    return second[kept]


def _reception(world: World, second: Floats, rng: Random) -> tuple[Floats, Floats]:
    """Reported radius and true standard deviation of each fix; they hold for a regime."""
    changes = np.concatenate(([0], np.cumsum(rng.exponential(world.regime_s, 4 * len(second)))))
    regime = np.searchsorted(changes, second)
    number = int(regime[-1]) + 1
    share, low, high = np.array(world.radii).T
    kind = rng.choice(len(share), number, p=share / share.sum())
    radius = rng.uniform(low[kind], high[kind])
    under = np.where(rng.random(number) < world.under, world.factor, 1.0)
    return radius[regime], (radius * under)[regime] / _RADIUS_95


def _drift(world: World, second: Floats, moving: npt.NDArray[np.bool_], rng: Random) -> Floats:
    """A slow error of unit variance along each axis (Gauss-Markov)."""
    lasts = np.where(moving, world.drift_moving_s, world.drift_still_s)
    keeps = np.exp(-np.diff(second, prepend=second[0]) / lasts)
    fresh = rng.normal(0, 1, (len(second), 2))
    drift = np.empty_like(fresh)
    now = fresh[0]
    for n, keep in enumerate(keeps.tolist()):
        now = keep * now + np.sqrt(1 - keep * keep) * fresh[n]
        drift[n] = now
    result: Floats = drift
    return result


def _echoes(world: World, second: Floats, rng: Random) -> Floats:
    off = np.zeros((len(second), 2))
    for _ in range(rng.poisson(world.echoes_h * second[-1] / 3600)):
        start, far, angle = rng.uniform(0, second[-1]), rng.uniform(50, 200), rng.uniform(0, 7)
        held = (second > start) & (second < start + rng.uniform(30, 360))
        off[held] += far * np.array([np.cos(angle), np.sin(angle)])
    return off
