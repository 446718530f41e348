"""Recency, frequency, gravity, victims: a score by which a meeting picks whom to talk about.

Its weights are a table with a version and a source, since none are published; every score names its
table and shows its four parts. It sets no band.
"""

from datetime import date
from typing import Annotated

import msgspec

from navigate_safer.people.data import read_data

Points = Annotated[float, msgspec.Meta(ge=0, le=100)]
PARTS = ("recency", "frequency", "gravity", "victims")
MOST = 100.0
_EVEN = 1e-6


class Gravity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of incident and its points."""

    kind: str
    label: str
    points: Points


class RfgvWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table. ``share`` of each part adds up to 1.

    ``recency``: within so many days, so many points, and none after the last. ``frequency`` and
    ``victims``: from so many on, so many points, and none below the first. Incidents count over
    ``window_days``, victims over ``victims_years``.
    """

    version: str
    source: str
    window_days: int
    victims_years: int
    share: dict[str, float]
    recency: list[tuple[int, Points]]
    frequency: list[tuple[int, Points]]
    gravity: list[Gravity]
    victims: list[tuple[int, Points]]


class BadWeights(ValueError):
    """A table that would not be a score; ``part`` is where, the text what to do."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(text)
        self.part = part


class RfgvInputs(msgspec.Struct, frozen=True):
    """What is scored, as at a day. ``gravest`` is a kind of the table, empty for no incident."""

    as_at: date
    last_on: date | None
    incidents: int
    gravest: str
    victims: int


class RfgvScore(msgspec.Struct, frozen=True):
    """A score, its parts (0 to 100 each) and what each adds; ``weights`` names the table."""

    inputs: RfgvInputs
    parts: dict[str, float]
    added: dict[str, float]
    score: float
    weights: str
    agency: str
    evidence: str


def shipped_weights() -> RfgvWeights:
    """The table that holds where an area has set none."""
    return read_data("rfgv-1.json", RfgvWeights)


def check(weights: RfgvWeights) -> None:
    """Raise :class:`BadWeights` unless worse never scores less, and the shares add up to 1."""
    if set(weights.share) != set(PARTS) or any(
        not 0 <= each <= 1 for each in weights.share.values()
    ):
        raise BadWeights("share", "Enter a share from 0 to 1 for each of the four parts")
    if abs(sum(weights.share.values()) - 1) > _EVEN:
        raise BadWeights("share", "Make the four shares add up to 1")
    _rising("recency", weights.recency, points_fall=True)
    _rising("frequency", weights.frequency, points_fall=False)
    _rising("victims", weights.victims, points_fall=False)
    for each in weights.gravity:
        if not 0 <= each.points <= MOST:
            raise BadWeights("gravity", "Enter points from 0 to 100 for each kind of incident")


def _rising(part: str, steps: list[tuple[int, float]], *, points_fall: bool) -> None:
    limits, points = [step[0] for step in steps], [step[1] for step in steps]
    if not steps or any(not 0 <= each <= MOST for each in points):
        raise BadWeights(part, "Enter points from 0 to 100 for each step")
    if limits[0] < 1 or sorted(set(limits)) != limits:
        raise BadWeights(part, "Enter steps that begin at 1 or more and rise")
    if points != sorted(points, reverse=points_fall):
        what = "never rise with more days" if points_fall else "never fall with a higher number"
        raise BadWeights(part, f"Enter points that {what}")


def score(
    inputs: RfgvInputs, weights: RfgvWeights, *, agency: str = "", evidence: str = ""
) -> RfgvScore:
    """The score, 0 to 100: the weighted sum of its four parts."""
    gravity = next((each.points for each in weights.gravity if each.kind == inputs.gravest), 0.0)
    parts = {
        "recency": _recency(inputs, weights),
        "frequency": _from_so_many(inputs.incidents, weights.frequency),
        "gravity": gravity if inputs.incidents else 0.0,
        "victims": _from_so_many(inputs.victims, weights.victims),
    }
    added = {part: weights.share[part] * points for part, points in parts.items()}
    total = round(sum(added.values()), 6)
    return RfgvScore(inputs, parts, added, total, weights.version, agency, evidence)


def _recency(inputs: RfgvInputs, weights: RfgvWeights) -> float:
    if inputs.last_on is None:
        return 0.0
    days = (inputs.as_at - inputs.last_on).days
    return next((points for limit, points in weights.recency if days <= limit), 0.0)


def _from_so_many(number: int, steps: list[tuple[int, float]]) -> float:
    return max((points for limit, points in steps if number >= limit), default=0.0)
