"""Settings of the cohort: levels of contact and review, what moves up, when somebody may leave.

The shipped values are ``data/cohort_policy.json``, with their source; an area's supervisor replaces
them by a record in versions.
"""

from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from navigate_safer.people.access import Permission
from navigate_safer.people.rag import Colour
from navigate_safer.people.records import RecordKind

Days = Annotated[int, Meta(ge=1, le=3_660)]
Line = Annotated[str, Meta(min_length=1, max_length=500)]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a colour means: at least ``contacts`` in ``contact_days``, and when it is reviewed."""

    colour: Colour
    means: Line
    contacts: Annotated[int, Meta(ge=0, le=100)]
    contact_days: Days
    review_days: Days


class CohortPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one area; ``source`` and ``provenance`` say where the figures are from.

    ``raises_to``: colour by kind of trigger. ``look_back_days``: how old something may be to count
    for somebody without a colour. ``panel_agencies``: the fewest agencies at a panel's table.
    ``mappa_review_days``: by level, 1 to 3. ``coercive_control_from``: sentences of
    ``coercive_control_months`` or more for controlling or coercive behaviour are MAPPA from then.
    """

    version: Line
    source: Line
    provenance: Line
    levels: tuple[Level, ...]
    raises_to: dict[str, Colour]
    look_back_days: Days
    deselect_green_days: Days
    safety_check_days: Days
    panel_agencies: Annotated[int, Meta(ge=1, le=20)]
    before_release_days: Days
    mappa_review_days: dict[str, Days]
    coercive_control_from: date
    coercive_control_months: Annotated[int, Meta(ge=1, le=600)]

    def level(self, colour: Colour) -> Level:
        """What a colour means here."""
        return next(each for each in self.levels if each.colour is colour)

    def review_on(self, colour: Colour, today: date, release_on: date | None = None) -> date:
        """When a colour decided today is looked at again; of a blue one before the release."""
        usual = today + timedelta(days=self.level(colour).review_days)
        if colour is not Colour.BLUE or release_on is None:
            return usual
        plan_from = release_on - timedelta(days=self.before_release_days)
        return max(today + timedelta(days=1), min(usual, plan_from))

    def mappa_review_on(self, level: int, today: date) -> date | None:
        """When a MAPPA level is reviewed; None where the area has set none."""
        days = self.mappa_review_days.get(str(level))
        return None if days is None else today + timedelta(days=days)


@lru_cache(maxsize=1)
def shipped() -> CohortPolicy:
    """The settings as they come, for an area whose supervisor has not decided yet."""
    source = files("navigate_safer.people").joinpath("data/cohort_policy.json")
    return msgspec.json.decode(source.read_bytes(), type=CohortPolicy)


POLICY = RecordKind(
    "cohort_policy", "Cohort settings", "CP", CohortPolicy, Permission.SEE_CASEWORK,
    Permission.SET_CASEWORK,
)  # fmt: skip
