"""Kinds of case records: who may see and who may write each, and what a version carries.

A case record is a form, a plan, a decision or a note about one wearer, or about the work of an
area. A change is a new version and the old one stays, so that the file can be read as it was on any
day, and two people who write at once both keep what they wrote.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from navigate_safer.people.access import Permission

BodyT = TypeVar("BodyT", bound=msgspec.Struct)
LONGEST_LINE = 200
LONGEST_TEXT = 4_000


class RecordKind(msgspec.Struct, Generic[BodyT], frozen=True):
    """A kind of record: ``name`` is stored, ``prefix`` begins its references.

    ``body`` is the structure of what it says. A record that is ``confidential`` is not on the
    person's timeline even for those who may see it: it has a page of its own.
    """

    name: str
    label: str
    prefix: str
    body: type[BodyT]
    see: Permission
    write: Permission
    confidential: bool = False


class Due(msgspec.Struct, frozen=True):
    """Something that has to be done by then; ``who`` a staff id, None for whoever has the case."""

    at: datetime
    what: str
    who: int | None = None


class Record(msgspec.Struct, Generic[BodyT], frozen=True):
    """One version of a record. ``at`` is the time that it is about, ``made_at`` when it was made.

    ``wearer_ref`` is None for what is about an area and nobody in it. ``state`` is the kind's own
    word, by which lists are made.
    """

    record_id: int
    kind: str
    ref: str
    version: int
    wearer_id: int | None
    wearer_ref: str | None
    area_id: int
    subject: str | None
    state: str
    at: datetime
    due: Due | None
    body: BodyT
    made_by: str
    made_by_id: int
    made_at: datetime
    reason: str
    superseded_at: datetime | None


class Difference(msgspec.Struct, frozen=True):
    """What two versions say differently, at a place such as ``goals, 2, title``."""

    place: str
    before: str
    after: str


def differences(before: msgspec.Struct, after: msgspec.Struct) -> list[Difference]:
    """What changed between two versions, place by place, in the order of the form."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    places = [*new, *(each for each in old if each not in new)]
    return [
        Difference(place, old.get(place, ""), new.get(place, ""))
        for place in places
        if old.get(place, "") != new.get(place, "")
    ]


def _leaves(body: msgspec.Struct) -> Iterator[tuple[str, str]]:
    yield from _walk(msgspec.to_builtins(body), ())


def _walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _walk(each, (*path, str(name).replace("_", " ")))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, start=1):
            yield from _walk(each, (*path, str(number)))
    elif value is not None:
        yield ", ".join(path), str(value)
