"""How probable drinking is, given an episode's shape; it ranks reviews and confirms nothing.

A logistic model of four explanations (drinking, interferent, both, nothing), fitted to episodes
that the forward model made in many worlds, and a range of doses fitted to the same. The numbers
are in ``model-1.json``; ``navigate-safer bench alcohol --fit FILE`` makes them anew.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import pairwise

import msgspec

from alerts.alcohol.episode import Episode
from alerts.alcohol.features import NAMES, features
from alerts.alcohol.forward import DRINK_G, UNIT_G

VERSION = "1"
EXPLANATIONS = ("drinking", "interferent", "both", "nothing")


class Model(msgspec.Struct, frozen=True):
    """Fitted numbers.

    ``centre`` and ``scale`` standardise the features; ``weights`` has a row for each explanation
    over the :func:`terms`; ``calibration`` maps what the weights say of drinking to how often it
    was so, as (said, true) pairs that rise. ``dose_weights`` give the logarithm of the grams, and
    ``dose_spread`` what is to be added to it for the low and the high end (90 %).
    """

    version: str
    names: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    calibration: tuple[tuple[float, float], ...]
    dose_weights: tuple[float, ...]
    dose_spread: tuple[float, float]


class Likely(msgspec.Struct, frozen=True):
    """What is probable of an episode; ``dose_g`` is the range of 90 % if it was drinking."""

    drinking: float
    explanations: dict[str, float]
    dose_g: tuple[float, float]
    model_version: str

    @property
    def dose_drinks(self) -> tuple[float, float]:
        """The range in standard drinks of 14 g."""
        return (round(self.dose_g[0] / DRINK_G, 1), round(self.dose_g[1] / DRINK_G, 1))

    @property
    def dose_units(self) -> tuple[float, float]:
        """The range in UK units of 8 g."""
        return (round(self.dose_g[0] / UNIT_G, 1), round(self.dose_g[1] / UNIT_G, 1))


@cache
def fitted() -> Model:
    """The model that comes with the program."""
    text = resources.files("alerts.alcohol").joinpath("model-1.json").read_text(encoding="utf-8")
    model = msgspec.convert(json.loads(text), Model)
    if model.names != NAMES:
        raise ValueError("the fitted model is of other features; fit it anew")
    return model


def likely(episode: Episode, model: Model | None = None) -> Likely:
    """How probable each explanation is, and the dose if it was drinking."""
    model = model or fitted()
    row = terms(standardised(features(episode), model.centre, model.scale))
    raw = shares([_dot(weights, row) for weights in model.weights])
    said = raw[0] + raw[2]
    drinking = _interpolated(said, model.calibration)
    # What the calibration moves is shared out as the weights share it.
    scale = (drinking / said if said > 0 else 0.0, (1 - drinking) / (1 - said) if said < 1 else 0.0)
    each = (raw[0] * scale[0], raw[1] * scale[1], raw[2] * scale[0], raw[3] * scale[1])
    middle = _dot(model.dose_weights, row)
    low, high = (math.exp(min(7.0, middle + spread)) for spread in model.dose_spread)
    return Likely(
        drinking=round(drinking, 4),
        explanations={
            name: round(value, 4) for name, value in zip(EXPLANATIONS, each, strict=True)
        },
        dose_g=(round(low, 1), round(high, 1)),
        model_version=model.version,
    )


def standardised(
    values: Sequence[float], centre: Sequence[float], scale: Sequence[float]
) -> list[float]:
    """Each feature about its mean, in its own spread, kept within four of it."""
    rows = zip(values, centre, scale, strict=True)
    return [max(-4.0, min(4.0, (value - middle) / spread)) for value, middle, spread in rows]


def terms(values: Sequence[float]) -> list[float]:
    """A constant, the features, and their squares and products."""
    products = [
        values[one] * values[two] for one in range(len(values)) for two in range(one, len(values))
    ]
    return [1.0, *values, *products]


def shares(scores: Sequence[float]) -> list[float]:
    """Scores as probabilities."""
    top = max(scores)
    parts = [math.exp(score - top) for score in scores]
    return [part / sum(parts) for part in parts]


def _dot(weights: Sequence[float], row: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, row, strict=True))


def _interpolated(value: float, points: Sequence[tuple[float, float]]) -> float:
    if value <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0) if x1 > x0 else y1
    return points[-1][1]
