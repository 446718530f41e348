"""What plans are made of: agencies, actions, parts of the tracks, clocks; ``data/plan_catalogue``.

Data with a version and a source, so that an area can replace it without a change of code.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from navigate_safer.people.plans import Check, Clock, NeedArea, Strand

Days = Annotated[int, Meta(ge=1, le=3_660)]


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that an agency does; two agencies that do the same do it twice."""

    key: str
    label: str
    strand: Strand


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the motivated track, with the step that it begins with."""

    key: str
    title: str
    area: NeedArea
    action: str
    first_step: str


class FirstStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step that every plan begins with."""

    what: str
    action: str


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that forms of plans offer, and their clocks.

    ``offer_again_days``: how long after an offer the next one is made. ``notice_answer_days``: how
    long an agency has to say that it read a notice. ``grip_days``: the window of the picture.
    ``similar_words``: the share of words by which two steps without an action count as the same.
    """

    version: str
    source: str
    provenance: str
    agencies: tuple[str, ...]
    actions: tuple[Action, ...]
    parts: tuple[Part, ...]
    control_steps: tuple[FirstStep, ...]
    checks: tuple[Check, ...]
    clocks: tuple[Clock, ...]
    offer_again_days: Days
    notice_answer_days: Days
    agreement_review_days: Days
    grip_days: Days
    similar_words: Annotated[float, Meta(gt=0, le=1)]
    of_person: tuple[str, ...]
    of_us: tuple[str, ...]

    def action(self, key: str) -> Action | None:
        """An action by its key."""
        return next((each for each in self.actions if each.key == key), None)

    def label(self, key: str) -> str:
        """What an action is called; the key itself where it is gone from the catalogue."""
        found = self.action(key)
        return key if found is None else found.label


@lru_cache(maxsize=1)
def shipped() -> Catalogue:
    """The catalogue as it comes."""
    source = files("navigate_safer.people").joinpath("data/plan_catalogue.json")
    return msgspec.json.decode(source.read_bytes(), type=Catalogue)
