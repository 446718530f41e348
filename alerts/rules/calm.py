"""Where and how long a fix need not be judged: the promise that lets intake pass most fixes by."""

import math
from datetime import datetime

import msgspec

from devices.readings import Fix, FixSource


class Calm(msgspec.Struct, frozen=True):
    """While a device's fixes stay in here, a rule finds nothing and keeps its state at rest.

    Degrees EPSG:4326, edges included. A next fix, measured at ``t`` after the last one at ``t0``,
    is covered when it lies in the box, ``t0 < t``, ``t < until`` (None: no end),
    ``t - t0 <= max_gap_s``, its radius (95 %) is from ``min_accuracy_m`` to ``max_accuracy_m``, its
    source is one of ``sources``, and it was received no earlier than it was measured (a clock that
    runs ahead is for the full step). ``min_accuracy_m`` is above 0 where a radius of zero, which
    means "not stated", would leave doubt.

    The promise, for a rule, its state and a covered fix: ``step`` gives no findings and exactly
    the state that ``rest`` gives; and the envelope of that state contains this one, so that one
    envelope serves a run of fixes, each compared with the one before. It says nothing of an
    episode that only the clock can see (a silence raised by a tick): whoever uses the envelope
    takes the full step while one is open.
    """

    west: float
    south: float
    east: float
    north: float
    until: datetime | None
    max_gap_s: float
    max_accuracy_m: float
    sources: frozenset[FixSource] = frozenset(FixSource)
    min_accuracy_m: float = 0.0

    def covers(self, fix: Fix, last_at: datetime) -> bool:
        """Whether ``fix``, the next after the one measured at ``last_at``, needs no step."""
        return fix.stamp.measured_at <= fix.stamp.received_at and self.holds(fix, last_at)

    def holds(self, fix: Fix, last_at: datetime) -> bool:
        """The same without a look at when the fix was received."""
        at = fix.stamp.measured_at
        return (
            self.west <= fix.lon <= self.east
            and self.south <= fix.lat <= self.north
            and last_at < at
            and (self.until is None or at < self.until)
            and (at - last_at).total_seconds() <= self.max_gap_s
            and self.min_accuracy_m <= fix.accuracy_m <= self.max_accuracy_m
            and fix.source in self.sources
        )

    def contains(self, other: "Calm") -> bool:
        """Whether everything that ``other`` covers is covered here too."""
        return (
            self.west <= other.west
            and self.south <= other.south
            and self.east >= other.east
            and self.north >= other.north
            and (self.until is None or (other.until is not None and self.until >= other.until))
            and self.max_gap_s >= other.max_gap_s
            and self.max_accuracy_m >= other.max_accuracy_m
            and self.sources >= other.sources
            and self.min_accuracy_m <= other.min_accuracy_m
        )

    def meet(self, other: "Calm") -> "Calm":
        """What both cover; a box with ``west > east`` or ``south > north`` covers nothing."""
        ends = [each for each in (self.until, other.until) if each is not None]
        return Calm(
            max(self.west, other.west),
            max(self.south, other.south),
            min(self.east, other.east),
            min(self.north, other.north),
            min(ends, default=None),
            min(self.max_gap_s, other.max_gap_s),
            min(self.max_accuracy_m, other.max_accuracy_m),
            self.sources & other.sources,
            max(self.min_accuracy_m, other.min_accuracy_m),
        )


EVERYWHERE = Calm(-180.0, -90.0, 180.0, 90.0, None, math.inf, math.inf)
