"""The forward model: from drinks to what an ankle monitor would read, for many people at once.

Blood by Widmark's volume with first-order absorption and saturating elimination; skin and sensor
as two equal first-order stages. The spread of people was fitted by this project to the table of
Roache 2015 (laboratory, one to five beers) and a peak lag of about two hours.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_MIN = 1
# A standard drink of the United States, in which the published doses are counted; a UK unit is 8 g.
DRINK_G = 14.0
UNIT_G = 8.0


class Sex(msgspec.Struct, frozen=True):
    """The spread of one sex.

    - ``r``: Widmark's factor 0.68 men, 0.55 women, SD 0.05; ``beta_g_dl_h``: elimination 0.015
      (SD 0.002) and 0.017 (0.0025) g/dl/h, the ranges of the published blood-alcohol tables.
    - ``weight_kg``: 82 and 68 kg, SD 12 and 11 (the project's own).
    - ``gain``: what of the blood's level comes through the skin, relative to men; 0.84 fitted.
    """

    name: str
    r: float
    beta_g_dl_h: float
    beta_sd: float
    weight_kg: float
    weight_sd: float
    gain: float


MEN = Sex("men", 0.68, 0.015, 0.002, 82.0, 12.0, 1.0)
WOMEN = Sex("women", 0.55, 0.017, 0.0025, 68.0, 11.0, 0.84)


class Skin(msgspec.Struct, frozen=True):
    """How alcohol reaches the sensor, and how that differs between people.

    - ``ka_per_h``: absorption, lognormal about 2.2 /h (log-SD 0.35); ``r_sd``: 0.05;
      ``km_g_dl``: 0.005 g/dl. The project's own.
    - ``tau_h``: delay of each stage, lognormal about 0.82 h (log-SD 0.33), ``gain_log_sd``: 0.39
      for each person and 0.23 for each occasion about a mean of 1, ``loss_g_dl``: 0.001 g/dl.
      Fitted to Roache 2015, table 2.
    """

    ka_per_h: float = 2.2
    ka_log_sd: float = 0.35
    r_sd: float = 0.05
    km_g_dl: float = 0.005
    tau_h: float = 0.82
    tau_log_sd: float = 0.33
    gain: float = 1.0
    gain_log_sd: float = 0.39
    occasion_log_sd: float = 0.23
    loss_g_dl: float = 0.001


FITTED = Skin()


class People(msgspec.Struct, frozen=True):
    """Drawn people, one entry each; ``body_dl`` is the volume of distribution in decilitres."""

    body_dl: Floats
    beta_g_dl_h: Floats
    ka_per_h: Floats
    tau_h: Floats
    gain: Floats

    @property
    def count(self) -> int:
        """How many."""
        return len(self.body_dl)


def draw(
    rng: np.random.Generator,
    count: int,
    sex: Sex,
    skin: Skin = FITTED,
    weight_kg: float | None = None,
) -> People:
    """Draw people of one sex; of one weight where it is known."""
    weight = rng.normal(sex.weight_kg, sex.weight_sd, count)
    if weight_kg is not None:
        weight = np.full(count, weight_kg)
    factor = np.clip(rng.normal(sex.r, skin.r_sd, count), 0.35, 0.95)
    log_sd = float(np.hypot(skin.gain_log_sd, skin.occasion_log_sd))
    # A lognormal of mean 1 has its median at exp(-variance / 2).
    gain = np.exp(rng.normal(-(log_sd**2) / 2, log_sd, count))
    return People(
        body_dl=10 * factor * np.clip(weight, 40, 160),
        beta_g_dl_h=np.clip(rng.normal(sex.beta_g_dl_h, sex.beta_sd, count), 0.008, 0.03),
        ka_per_h=skin.ka_per_h * np.exp(rng.normal(0, skin.ka_log_sd, count)),
        tau_h=skin.tau_h * np.exp(rng.normal(0, skin.tau_log_sd, count)),
        gain=gain * skin.gain * sex.gain,
    )


def curves(
    people: People, grams: Floats, hours: Floats, minutes: int, skin: Skin = FITTED
) -> Floats:
    """TAC in g/dl of each person (row) at each minute since the first sip (column), unrounded.

    ``grams`` are drunk evenly over ``hours``, one entry a person.
    """
    step_h = STEP_MIN / 60
    gut, blood, inner, sensor = np.zeros((4, people.count))
    found = np.empty((people.count, minutes))
    for minute in range(minutes):
        found[:, minute] = sensor
        drunk = np.where(minute * step_h < hours, grams / hours, 0.0)
        absorbed = people.ka_per_h * gut
        cleared = people.beta_g_dl_h * blood / (blood + skin.km_g_dl)
        gut = gut + (drunk - absorbed) * step_h
        blood = np.maximum(0.0, blood + (absorbed / people.body_dl - cleared) * step_h)
        inner, sensor = (
            inner + (blood - inner) / people.tau_h * step_h,
            sensor + (people.gain * inner - sensor) / people.tau_h * step_h,
        )
    return np.maximum(0.0, found - skin.loss_g_dl)


# What one reading adds: 6 % of the level, nothing below 0.005 g/dl, on a grid of 0.001 (public
# ankle recordings), each half hour.
NOISE = 0.06
FLOOR_G_DL = 0.005
CADENCE_MIN = 30


def read_out(rng: np.random.Generator, levels: Floats, noise: float = NOISE) -> Floats:
    """Levels as a monitor would show them."""
    shown = levels * (1 + noise * rng.standard_normal(levels.shape))
    found: Floats = np.round(np.where(shown < FLOOR_G_DL, 0.0, shown), 3).astype(np.float64)
    return found


class Sensitivity(msgspec.Struct, frozen=True):
    """Of so many drinks, how often a monitor would show the threshold at least once."""

    drinks: int
    sex: str
    weight_kg: float | None
    seen: float


def sensitivity(
    sex: Sex,
    drinks: Sequence[int] = (1, 2, 3, 4, 5),
    *,
    weight_kg: float | None = None,
    threshold_g_dl: float = 0.02,
    people: int = 500,
    seed: int = 2015,
) -> list[Sensitivity]:
    """What could be missed: the same arguments give the same figures. Drinks of 0.92 x 14 g."""
    rng = np.random.default_rng([seed, people])
    found = []
    for count in drinks:
        drawn = draw(rng, people, sex, weight_kg=weight_kg)
        grams = np.full(people, count * PUBLISHED_DRINK_G)
        levels = curves(drawn, grams, np.full(people, count * HOURS_A_DRINK), MINUTES_SEEN)
        shown = read_out(rng, sampled(rng, levels))
        seen = float(np.mean((shown >= threshold_g_dl).any(axis=1)))
        found.append(Sensitivity(count, sex.name, weight_kg, round(seen, 2)))
    return found


# The published doses: beers of 0.92 drink, five of them within two hours.
PUBLISHED_DRINK_G = 0.92 * DRINK_G
HOURS_A_DRINK = 0.4
MINUTES_SEEN = 18 * 60


def sampled(rng: np.random.Generator, levels: Floats) -> Floats:
    """Every half hour of the minutes, at a phase of each person's own."""
    count = levels.shape[1] // CADENCE_MIN
    phase = rng.integers(0, CADENCE_MIN, len(levels))
    places = phase[:, None] + CADENCE_MIN * np.arange(count)[None, :]
    return np.take_along_axis(levels, places, axis=1)
