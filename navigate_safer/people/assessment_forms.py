"""Forms of assessment as data: sections of items, the answers to each, and what rests on them.

A version of a form is a file that never changes once it has been used; an assessment names the
version it was made with, and is read with that one.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from navigate_safer.people.data import read_data

DASH, NEEDS = "dash", "needs"
NEWEST = {DASH: "1", NEEDS: "1"}


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question, by its topic."""

    id: str
    topic: str


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer that can be given, and what it counts."""

    value: str
    label: str
    score: int


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items under a heading."""

    title: str
    items: list[Item]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a form; ``caution`` stands beside every result of it."""

    name: str
    version: str
    title: str
    source: str
    caution: str
    caution_source: str
    sections: list[Section]
    answers: list[Choice]

    def items(self) -> Iterator[Item]:
        """Every item, in the order of the form."""
        for section in self.sections:
            yield from section.items

    def number(self, item: Item) -> int:
        """The place of an item, from 1."""
        return [each.id for each in self.items()].index(item.id) + 1

    def label(self, value: str) -> str:
        """An answer in words."""
        return next((each.label for each in self.answers if each.value == value), value)


class Evidence(msgspec.Struct, frozen=True):
    """One answer and what it rests on: what was seen or said, by whom, when."""

    value: str
    what: str = ""
    source: str = ""
    on: date | None = None


Answers = dict[str, Evidence]


class Incomplete(ValueError):
    """An assessment cannot be scored with answers missing; ``missing`` are the items."""

    def __init__(self, missing: list[Item]) -> None:
        super().__init__(f"{len(missing)} answers are missing")
        self.missing = missing


def form(name: str, version: str | None = None) -> Form:
    """A version of a form; the newest unless one is named."""
    return read_data(f"form_{name}-{version or NEWEST[name]}.json", Form)


def missing(of: Form, answers: Mapping[str, Evidence]) -> list[Item]:
    """The items without an answer that the form knows."""
    known = {each.value for each in of.answers}
    return [
        item for item in of.items() if item.id not in answers or answers[item.id].value not in known
    ]


def count(of: Form, answers: Mapping[str, Evidence]) -> int:
    """The sum of what the answers count; raises :class:`Incomplete`."""
    absent = missing(of, answers)
    if absent:
        raise Incomplete(absent)
    scores = {each.value: each.score for each in of.answers}
    return sum(scores[answers[item.id].value] for item in of.items())


class AreaOfNeed(msgspec.Struct, frozen=True):
    """One item of a form of need, with its answer."""

    item: Item
    label: str
    score: int
    evidence: Evidence


def areas_of_need(of: Form, answers: Mapping[str, Evidence]) -> list[AreaOfNeed]:
    """The items with a need or an unknown one, the greatest need first."""
    scores = {each.value: each.score for each in of.answers}
    made = [
        AreaOfNeed(
            item, of.label(answers[item.id].value), scores[answers[item.id].value], answers[item.id]
        )
        for item in of.items()
        if item.id in answers and answers[item.id].value in scores
    ]
    return sorted(made, key=lambda each: -each.score)
