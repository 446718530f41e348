"""What a reader could work out by taking one printed number from another.

A row or a sentence is left out of a public report when one of the counts that it rests on is
small. Here the differences that it would give away are put among its counts: people whom two
parts count differently, and events of those who are in one part and not in the other.
"""

from collections.abc import Iterable

import msgspec

from navigate_safer.outcomes.survival import Group
from navigate_safer.people.observation import Watched
from navigate_safer.people.outcome_report import Part

# The rows of "before and after" that with those watched for the whole window are the whole cohort.
_APART = ("shortened", "too_early", "without_selection")


def guarded(parts: Iterable[Part], people: Watched, clocks: Group) -> tuple[Part, ...]:
    """The parts, each with the remainders that it would give away among its counts."""
    return tuple(_guarded(each, people, clocks) for each in parts)


def _guarded(part: Part, people: Watched, clocks: Group) -> Part:
    if part.key == "change":
        return _change(part, people)
    if part.key == "mean":
        return _with(part, _left_of_whole(people))
    if part.key == "survival":
        return _survival(part, _everybody(people) - len(clocks.time))
    return part


def _everybody(people: Watched) -> int:
    return len(people.people) + len(people.too_early) + len(people.without_selection)


def _left_of_whole(people: Watched) -> tuple[int, ...]:
    """Of all less those watched for the whole window: people, events before, events after."""
    short = [each for each in people.people if each.shortened]
    whole = len(people.people) - len(short)
    return (
        _everybody(people) - whole,
        sum(len(each.pre) for each in short),
        sum(len(each.post) for each in short),
    )


def _change(part: Part, people: Watched) -> Part:
    """The whole cohort less the three rows is those watched for the whole window."""
    whole = sum(not each.shortened for each in people.people)
    rows = tuple(
        msgspec.structs.replace(row, counts=(*row.counts, whole)) if row.behind in _APART else row
        for row in part.rows
    )
    return msgspec.structs.replace(part, rows=rows)


def _with(part: Part, counts: tuple[int, ...]) -> Part:
    """The part, with the counts added to everything in it that rests on counts."""
    rows = tuple(
        msgspec.structs.replace(row, counts=(*row.counts, *counts)) if row.counts else row
        for row in part.rows
    )
    said = tuple(
        msgspec.structs.replace(each, counts=(*each.counts, *counts)) if each.counts else each
        for each in part.said
    )
    return msgspec.structs.replace(part, rows=rows, said=said)


def _survival(part: Part, others: int) -> Part:
    """The sentence and the start of the curve say how many are in it, and so how many are not."""
    said = tuple(
        msgspec.structs.replace(each, counts=(*each.counts, others)) if each.counts else each
        for each in part.said
    )
    return msgspec.structs.replace(part, said=said, start_counts=(others,))
