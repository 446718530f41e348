"""Whether one device was near a place in a window of time: in, out, or nobody can tell.

The circle about the place is taken for an exclusion zone and the device's fixes are judged by the
service's own rule of probability, so that the answer is that of a breach of such a zone. Where
fixes are too far apart to say, or too vague for the circle, a wearer is ruled out only where nobody
could have been at the place between those that can tell.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec
import numpy as np
import numpy.typing as npt

from alerts.explanation import gaps_in
from alerts.finding import Finding, Severity
from alerts.judge import FindingKey
from alerts.rules import place_probability
from alerts.terms import Condition, ConditionKind, DeviceKind, Limits
from devices.readings import Fix, order_key
from zones import fix_error
from zones.chance import FAR_RADII
from zones.interval import Interval, Intervals, intersection, measure, subtraction, union
from zones.zone import Zone, zone_from_feature

# From this probability on a wearer is ruled in, and up to the other ruled out: nine to one either
# way, the project's own. A person decides what to do with it.
RULED_IN, RULED_OUT = 0.9, 0.1
# Who would have had to be faster than this (180 km/h) was not there: no road in Great Britain
# allows two thirds of it. The project's own.
FASTEST_M_S = 50.0
# So long before and after the window fixes are read: the rule's belief settles, and a gap that the
# window cuts has both its ends unless it is longer.
AROUND = timedelta(hours=1)

_Floats = npt.NDArray[np.float64]


class Verdict(Enum):
    """Whether somebody was there."""

    IN = "in"
    OUT = "out"
    CANNOT_TELL = "cannot tell"


class Vicinity(msgspec.Struct, frozen=True):
    """The answer about one device.

    ``probability`` that it was within the circle at some time that is known; ``known`` the share
    of the window that fixes good enough for the circle cover, ``open`` the time of the rest in
    which it could have been there. ``nearest_m`` is the distance of the nearest fix of the window
    from the place, with its reported accuracy and time; None without a fix. ``stays`` are the times
    within the circle.
    """

    verdict: Verdict
    probability: float
    known: float
    open: timedelta
    nearest_m: float | None
    nearest_at: datetime | None
    nearest_accuracy_m: float | None
    stays: Intervals


class Circle:
    """A place with a radius, made ready for many devices; degrees and metres.

    Raises :class:`zones.fault.ZoneFault` for a place or radius that is none.
    """

    def __init__(self, lon: float, lat: float, radius_m: float, max_gap_s: float) -> None:
        point = {"type": "Point", "coordinates": [lon, lat]}
        self.lon, self.lat, self.radius_m = lon, lat, radius_m
        self.max_gap = timedelta(seconds=max_gap_s)
        self.zone: Zone = zone_from_feature(
            zone_id="place", kind="exclusion", geometry=point, radius_m=radius_m
        )

    def condition(self, from_at: datetime) -> Condition:
        """The circle as a condition that nobody is under.

        Its costs are such that what is not ruled out is found.
        """
        cost = 1 / RULED_OUT - 1
        limits = Limits(max_gap_s=self.max_gap.total_seconds(), exclusion_miss_cost=cost)
        kind = ConditionKind.EXCLUSION_ZONE
        return Condition(0, 1, "", kind, Severity.LOW, from_at, None, limits, self.zone)

    def judge(
        self, fixes: Sequence[Fix], window: Interval, worn: Interval, others: Intervals = ()
    ) -> Vicinity:
        """Judge the fixes of one device, from :data:`AROUND` before the window to as much after.

        ``worn`` is when it was on this wearer: outside that nothing is known, but for the time in
        which ``others`` were on the wearer, each of which has an answer of its own.
        """
        ordered = sorted(fixes, key=order_key)
        times = [fix.stamp.measured_at for fix in ordered]
        distances = self._distances(ordered)
        telling = [n for n, fix in enumerate(ordered) if self._tells(fix, float(distances[n]))]
        sure = [ordered[n] for n in telling], [times[n] for n in telling], distances[telling]
        span = Interval(max(window.start, worn.start), min(window.end, worn.end))
        off = subtraction((window,), union((span,), others))
        gaps, _ = gaps_in(sure[1], span, self.max_gap)
        open_gaps = [gap for gap in gaps if self._reachable(*sure, gap)]
        unknown = measure(gaps) + measure(off)
        open_time = sum((gap.length for gap in open_gaps), measure(off))
        near = self._is_near(ordered, distances)
        probability, stays = self._run(ordered, span) if near else (0.0, ())
        within = [n for n, at in enumerate(times) if window.start <= at <= window.end]
        nearest = min(within, key=lambda n: (distances[n], times[n]), default=None)
        length = window.length
        return Vicinity(
            _verdict(probability, open_time),
            probability,
            1 - unknown / length if length else float(bool(set(within) & set(telling))),
            open_time,
            None if nearest is None else float(distances[nearest]),
            None if nearest is None else times[nearest],
            None if nearest is None else ordered[nearest].accuracy_m,
            stays,
        )

    def _distances(self, ordered: Sequence[Fix]) -> _Floats:
        plane = self.zone.chance.plane
        lon = np.array([fix.lon for fix in ordered])
        lat = np.array([fix.lat for fix in ordered])
        east, north = (lon - self.lon) * plane.east_m, (lat - self.lat) * plane.north_m
        found: _Floats = np.hypot(east, north)
        return found

    def _tells(self, fix: Fix, distance_m: float) -> bool:
        """Whether a fix can rule out: it is good enough to rule in, or the circle lies beyond it.

        One that is vague against the circle puts little of itself within, wherever it lies.
        """
        radius = fix_error.radius_m(fix.accuracy_m, fix.source)
        return radius <= self.zone.worth.radius_m(RULED_IN) or self._beyond(fix, distance_m) > 0

    def _is_near(self, ordered: Sequence[Fix], distances: _Floats) -> bool:
        """Whether any fix, or the way between two, can be within the circle at all.

        A way bends by a tenth of its length at most times the same number of radii; half its
        length on top of that is more than enough.
        """
        if not ordered:
            return False
        radius = np.array([fix_error.radius_m(each.accuracy_m, each.source) for each in ordered])
        beyond = distances - self.radius_m - FAR_RADII * radius
        if beyond.min() <= 0:
            return True
        plane = self.zone.chance.plane
        lon = np.array([fix.lon for fix in ordered]) * plane.east_m
        lat = np.array([fix.lat for fix in ordered]) * plane.north_m
        legs = np.hypot(np.diff(lon), np.diff(lat))
        return bool((beyond[:-1] <= 1.5 * legs).any())

    def _reachable(
        self,
        ordered: Sequence[Fix],
        times: Sequence[datetime],
        distances: _Floats,
        gap: Interval,
    ) -> bool:
        """Whether anybody could have been at the place within a gap, and at both ends of it."""
        before = max((n for n, at in enumerate(times) if at <= gap.start), default=None)
        after = min((n for n, at in enumerate(times) if at >= gap.end), default=None)
        far = [
            self._beyond(ordered[n], float(distances[n])) for n in (before, after) if n is not None
        ]
        if before is not None and after is not None:
            seconds = (times[after] - times[before]).total_seconds()
        elif before is not None:
            seconds = (gap.end - times[before]).total_seconds()
        elif after is not None:
            seconds = (times[after] - gap.start).total_seconds()
        else:
            return True
        return sum(far) <= FASTEST_M_S * seconds

    def _beyond(self, fix: Fix, distance_m: float) -> float:
        """Metres to the circle at least, with the error that the fix may have."""
        radius = fix_error.radius_m(fix.accuracy_m, fix.source)
        return max(0.0, distance_m - self.radius_m - radius)

    def _run(self, ordered: Sequence[Fix], span: Interval) -> tuple[float, Intervals]:
        """The probability that the device was in the circle within the span, and when."""
        rule, condition = place_probability.RULE, self.condition(ordered[0].stamp.measured_at)
        state = rule.initial(condition, DeviceKind.LOCATION_TAG, condition.from_at)
        highest, found = 0.0, dict[FindingKey, Finding]()
        for fix in ordered:
            state, findings = rule.step(state, fix, condition)
            found.update((each.key, each) for each in findings)
            if span.start <= fix.stamp.measured_at <= span.end:
                highest = max(highest, place_probability.probability(state, condition))
        stays: list[Interval] = []
        for each in found.values():
            ends = each.ended_at or ordered[-1].stamp.measured_at
            stay = intersection((Interval(each.started_at, max(ends, each.started_at)),), (span,))
            stays += stay
            stated = each.evidence["probability"]
            if stay and isinstance(stated, float):
                highest = max(highest, stated)
        return min(highest, 1.0), tuple(sorted(stays))


def _verdict(probability: float, open_time: timedelta) -> Verdict:
    if probability >= RULED_IN:
        return Verdict.IN
    if probability <= RULED_OUT and not open_time:
        return Verdict.OUT
    return Verdict.CANNOT_TELL


def pad(window: Interval) -> Interval:
    """The window with what is read before and after it."""
    return Interval(window.start - AROUND, window.end + AROUND)
