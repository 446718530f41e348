"""Synthetic days of alcohol monitors with known truth: drinking, interferents, covers.

The body is the forward model; what surrounds it varies by world, so that nothing is tuned to one
generator. Levels in g/dl, times in minutes since noon of the first day.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from alerts.alcohol.forward import (
    CADENCE_MIN,
    FITTED,
    FLOOR_G_DL,
    HOURS_A_DRINK,
    MEN,
    NOISE,
    WOMEN,
    Floats,
    Sex,
    Skin,
    curves,
    draw,
    read_out,
)
from alerts.alcohol.series import Sample

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTES = 36 * 60
_SIPS_FROM, _SIPS_UNTIL = 3 * 60, 10 * 60
_IR_V, _SKIN_C, _ROOM_C = 1.45, 32.5, 21.0


class Pulse(msgspec.Struct, frozen=True):
    """An interferent: alcohol that was not drunk. Minutes, g/dl, and hours of rise and fall."""

    at_min: float
    height_g_dl: float
    rise_h: float
    fall_h: float

    def levels(self, minutes: Floats) -> Floats:
        """What it adds at each minute."""
        since = np.maximum(0.0, minutes - self.at_min) / 60
        shape: Floats = (1 - np.exp(-since / self.rise_h)) * np.exp(-since / self.fall_h)
        return self.height_g_dl * shape


class World(msgspec.Struct, frozen=True):
    """What surrounds the body.

    Interferents after public recordings of ankle monitors (one-step rises of 0.17 to 0.68 g/dl/h,
    most back to a quarter within two readings): height 0.08 to 0.40 g/dl, fall 0.2 to 0.5 h, one
    in ten slow. Lotions and soaked socks (1 to 3 h) are assumed. ``lost`` is the share of readings
    that never come, ``repeated`` of those that come twice, ``late_min`` how irregular they are.
    """

    name: str
    skin: Skin = FITTED
    noise: float = NOISE
    slow_share: float = 0.1
    slow_fall_h: tuple[float, float] = (1.0, 2.0)
    lost: float = 0.0
    repeated: float = 0.0
    late_min: float = 1.0
    wander_g_dl: float = 0.0


WORLDS = (
    World("reference"),
    World("other skin", skin=Skin(tau_h=1.05, gain=0.85, gain_log_sd=0.5)),
    World("noisy sensor", noise=0.12, wander_g_dl=0.004),
    World("field", lost=0.04, repeated=0.05, late_min=4.0),
    World("lotions", slow_share=0.6, slow_fall_h=(1.0, 3.0)),
)


class Plan(msgspec.Struct, frozen=True):
    """What happens on a day."""

    sex: Sex = MEN
    drinks_g: float = 0.0
    hours: float = 1.0
    pulses: int = 0
    cover: str = ""


class Day(msgspec.Struct, frozen=True):
    """A day as it was measured, and what was true; ``covered`` is None where nothing was.

    ``clean`` are the readings as they would be with the drinking alone, ``spilt`` the times of
    readings at which interferents alone were above baseline.
    """

    plan: Plan
    samples: tuple[Sample, ...]
    clean: tuple[Sample, ...]
    sips_at: datetime
    spilt: tuple[datetime, ...]
    covered: tuple[datetime, datetime] | None


def beers(sex: Sex, count: float, grams_each: float, pulses: int = 0, cover: str = "") -> Plan:
    """So many drinks, one after the other."""
    return Plan(sex, count * grams_each, max(count, 0.5) * HOURS_A_DRINK, pulses, cover)


# Explanations of a day, as often as this each; a statement of ignorance more than of the world.
_SHARES = {"drinking": 0.45, "interferent": 0.35, "both": 0.2}


def any_plan(rng: np.random.Generator) -> Plan:
    """A day's plan: drinking, an interferent, or both."""
    kind = rng.choice(list(_SHARES), p=list(_SHARES.values()))
    sex = MEN if rng.random() < 0.6 else WOMEN
    grams = float(np.exp(rng.uniform(np.log(8), np.log(160)))) if kind != "interferent" else 0.0
    hours = float(rng.uniform(0.25, 5.0))
    pulses = 0 if kind == "drinking" else int(rng.integers(1, 4))
    return Plan(sex, grams, hours, pulses)


def live(rng: np.random.Generator, plans: Sequence[Plan], world: World) -> list[Day]:
    """One day of another person for each plan."""
    found: list[Day] = []
    bodies = np.zeros((len(plans), MINUTES))
    sips = rng.integers(_SIPS_FROM, _SIPS_UNTIL, len(plans))
    for sex in (MEN, WOMEN):
        mine = [n for n, plan in enumerate(plans) if plan.sex is sex and plan.drinks_g > 0]
        if mine:
            people = draw(rng, len(mine), sex, world.skin)
            grams = np.array([plans[n].drinks_g for n in mine])
            hours = np.array([plans[n].hours for n in mine])
            levels = curves(people, grams, hours, MINUTES - _SIPS_FROM, world.skin)
            for row, n in enumerate(mine):
                bodies[n, sips[n] :] = levels[row, : MINUTES - sips[n]]
    for n, plan in enumerate(plans):
        found.append(_day(rng, plan, bodies[n], int(sips[n]), world))
    return found


def _day(rng: np.random.Generator, plan: Plan, body: Floats, sips: int, world: World) -> Day:
    minutes = _reading_times(rng, world)
    drunk = np.interp(minutes, np.arange(MINUTES), body)
    pulses = tuple(_pulse(rng, world, sips, plan.drinks_g > 0) for _ in range(plan.pulses))
    spilt = sum((each.levels(minutes) for each in pulses), np.zeros(len(minutes)))
    levels = drunk + spilt
    ir_v, skin_c = _worn(rng, minutes)
    covered = _cover(rng, plan.cover, sips) if plan.cover else None
    if covered is not None:
        levels, ir_v, skin_c = _hidden(rng, plan.cover, covered, minutes, (levels, ir_v, skin_c))
    if world.wander_g_dl:
        levels = np.maximum(0.0, levels + _wander(rng, minutes, world.wander_g_dl))
    shown, alone = read_out(rng, levels, world.noise), read_out(rng, drunk, world.noise)
    there = rng.random(len(minutes)) >= world.lost
    every = _samples(minutes[there], shown[there], ir_v[there], skin_c[there])
    again = [each for each in every if rng.random() < world.repeated]
    return Day(
        plan,
        (*every, *again),
        _samples(minutes, alone, ir_v, skin_c),
        _at(sips),
        tuple(_at(float(each)) for each in minutes[spilt >= FLOOR_G_DL]),
        None if covered is None else (_at(covered[0]), _at(covered[1])),
    )


def _reading_times(rng: np.random.Generator, world: World) -> Floats:
    """About every half hour at a phase of its own; now and then several minutes late."""
    count = MINUTES // CADENCE_MIN - 2
    late = rng.uniform(0, world.late_min, count) + np.where(rng.random(count) < 0.03, 5.0, 0.0)
    steps = CADENCE_MIN + late - late.mean() / 2
    begin: Floats = rng.uniform(0, CADENCE_MIN) + np.cumsum(steps) - steps[0]
    return begin[begin < MINUTES - 1]


def _pulse(rng: np.random.Generator, world: World, sips: int, drinks: bool) -> Pulse:
    slow = rng.random() < world.slow_share
    fall_h = rng.uniform(*(world.slow_fall_h if slow else (0.2, 0.5)))
    # Contamination that could hide drinking is near it; otherwise at any time.
    begin = rng.uniform(sips - 60, sips + 360) if drinks else rng.uniform(0, MINUTES - 360)
    return Pulse(begin, rng.uniform(0.08, 0.40), rng.uniform(0.01, 0.1), fall_h)


def _wander(rng: np.random.Generator, minutes: Floats, size: float) -> Floats:
    steps = rng.standard_normal(len(minutes))
    found = np.zeros(len(minutes))
    for place in range(1, len(minutes)):
        found[place] = 0.9 * found[place - 1] + size * 0.44 * steps[place]
    return found


def _worn(rng: np.random.Generator, minutes: Floats) -> tuple[Floats, Floats]:
    """Infrared at its baseline with ordinary excursions, and a skin that warms and cools.

    A few excursions a night, the longest of five readings or more on one night in four, as in
    thirteen public recordings of people who presumably wore it honestly.
    """
    base = _IR_V * rng.uniform(0.9, 1.1)
    ir_v = base * (1 + 0.01 * rng.standard_normal(len(minutes)))
    for _ in range(rng.poisson(3)):
        begin, length = rng.integers(3, len(minutes)), min(9, rng.geometric(0.45))
        up = rng.random() < 0.6
        ir_v[begin : begin + length] = base * (1 + (rng.uniform(0.13, 0.4) if up else -0.2))
    skin_c = _SKIN_C + 2.0 * np.sin(minutes / 300 + rng.uniform(0, 6)) + rng.normal(0, 1.2)
    drops = np.where(rng.random(len(minutes)) < 0.05, rng.uniform(3, 8, len(minutes)), 0.0)
    return np.round(ir_v, 3), np.round(skin_c - drops, 2)


def _cover(rng: np.random.Generator, cover: str, sips: int) -> tuple[float, float]:
    """From shortly before or after the first sip, for two to ten hours."""
    begin = max(120.0, sips + rng.uniform(-60, 120))
    longest = 10.0 if cover == "obstruction" else 6.0
    return begin, min(MINUTES - 60.0, begin + 60 * rng.uniform(2.0, longest))


def _hidden(
    rng: np.random.Generator,
    cover: str,
    covered: tuple[float, float],
    minutes: Floats,
    measured: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Floats, Floats]:
    levels, ir_v, skin_c = measured
    inside = (minutes >= covered[0]) & (minutes <= covered[1])
    base = float(np.median(ir_v))
    if cover == "obstruction":
        change = rng.uniform(0.15, 0.85) if rng.random() < 0.6 else -rng.uniform(0.17, 0.40)
        levels = np.where(inside, levels * rng.uniform(0, 0.2), levels)
        return levels, np.where(inside, base * (1 + change), ir_v), skin_c
    since_h = np.maximum(0.0, minutes - covered[0]) / 60
    levels = np.where(inside, levels * np.exp(-since_h / 0.5), levels)
    cooled = _ROOM_C + (skin_c - _ROOM_C) * np.exp(-since_h / 0.4)
    off = base * rng.uniform(0.1, 0.4)
    return levels, np.where(inside, off, ir_v), np.where(inside, np.round(cooled, 2), skin_c)


def _samples(minutes: Floats, levels: Floats, ir_v: Floats, skin_c: Floats) -> tuple[Sample, ...]:
    rows = zip(minutes, levels, ir_v, skin_c, strict=True)
    return tuple(
        Sample(_at(float(m)), round(float(level), 3), round(float(v), 3), float(c))
        for m, level, v, c in rows
    )


def _at(minute: float) -> datetime:
    return NOON + timedelta(seconds=round(minute * 60))
