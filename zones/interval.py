"""Stretches of time and their algebra.

Sets of instants are sorted tuples of intervals that neither overlap nor touch; :func:`union`
makes such a tuple of anything. A stretch is counted from its start up to, not including, its end,
so that two windows that follow each other share no instant. A stretch with no length stands for
one instant: a sighting.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec


class Interval(msgspec.Struct, frozen=True, order=True, gc=False):
    """A stretch of time; aware datetimes (UTC), microsecond resolution, ``start <= end``."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError(f"an interval ends at {self.end} before it starts at {self.start}")

    @property
    def length(self) -> timedelta:
        """How long it lasts; zero for a sighting."""
        return self.end - self.start

    def holds(self, at: datetime) -> bool:
        """Whether the instant belongs to it: the start does, the end does not."""
        return self.start <= at < self.end or self.start == at == self.end


Intervals = tuple[Interval, ...]


def union(*groups: Iterable[Interval]) -> Intervals:
    """Everything in any group, merged; stretches that touch become one."""
    merged: list[Interval] = []
    for piece in sorted(piece for group in groups for piece in group):
        if merged and piece.start <= merged[-1].end:
            if piece.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, piece.end)
        else:
            merged.append(piece)
    return tuple(merged)


def intersection(first: Intervals, second: Intervals) -> Intervals:
    """What is in both; both must be merged and sorted."""
    common: list[Interval] = []
    i = j = 0
    while i < len(first) and j < len(second):
        start = max(first[i].start, second[j].start)
        end = min(first[i].end, second[j].end)
        # Stretches that only touch share no instant; a sighting is kept if the other holds it.
        if start < end or (start == end and first[i].holds(start) and second[j].holds(start)):
            common.append(Interval(start, end))
        if first[i].end < second[j].end:
            i += 1
        else:
            j += 1
    return tuple(common)


def subtraction(whole: Intervals, removed: Intervals) -> Intervals:
    """What is in ``whole`` and not in ``removed``; both must be merged and sorted.

    A sighting in ``removed`` takes away no more than an equal sighting: it does not cut a stretch.
    """
    left: list[Interval] = []
    first = 0
    for piece in whole:
        while first < len(removed) and removed[first].end < piece.start:
            first += 1
        left.extend(_without(piece, removed, first))
    return tuple(left)


def _without(piece: Interval, removed: Intervals, first: int) -> list[Interval]:
    if piece.start == piece.end:
        near = (cut for cut in removed[first : first + 2] if cut.holds(piece.start))
        return [] if any(near) else [piece]
    left = []
    cursor = piece.start
    for index in range(first, len(removed)):
        cut = removed[index]
        if cut.start >= piece.end:
            break
        if cut.start == cut.end:
            continue
        if cut.start > cursor:
            left.append(Interval(cursor, cut.start))
        cursor = max(cursor, cut.end)
    if cursor < piece.end:
        left.append(Interval(cursor, piece.end))
    return left


def clipped(pieces: Intervals, span: Interval) -> Intervals:
    """What of ``pieces`` lies in the closed ``span``; a sighting at its very end is kept.

    A span of no length asks about one instant and gets it back if a piece holds it.
    """
    if span.start == span.end:
        return (span,) if any(piece.holds(span.start) for piece in pieces) else ()
    return tuple(
        Interval(max(piece.start, span.start), min(piece.end, span.end))
        for piece in pieces
        if (piece.start < span.end and piece.end > span.start)
        or (piece.start == piece.end and span.start <= piece.start <= span.end)
    )


def measure(pieces: Intervals) -> timedelta:
    """The time covered; the pieces must not overlap."""
    return sum((piece.length for piece in pieces), timedelta())
