"""How far a fix may be from the truth: the error model that every probability of place rests on.

The error is isotropic, with heavier tails than a normal: a Student t of four degrees of freedom in
the plane, scaled so that the effective radius holds 95 % of it. Its share beyond a distance ``r``
is ``(1 + r^2 / (4 s^2)) ** -2``, with ``s`` the scale. A normal that holds 95 % in the same radius
leaves 0.03 % beyond one and a half radii; this leaves 1.3 %, between a normal and what field
studies saw: an audit goal of 50 m for 67 % and 150 m for 95 % has a ratio of 3 between the two
radii (a normal 1.6, this 2.2).
"""

import math

import msgspec

from devices.readings import FixSource

# Degrees of freedom. Whatever is even has P(inside) in closed form; four has a finite variance.
TAIL_DEGREES = 4
# The scale of the t for an effective radius of 1: the radius where 5 % are left outside.
SCALE_PER_RADIUS = 1 / (2 * math.sqrt(math.sqrt(20) - 1))
# The t's standard deviation along one axis, for filters that carry variances: with four degrees of
# freedom its variance is twice the square of the scale.
SPREAD_PER_RADIUS = math.sqrt(2) * SCALE_PER_RADIUS
# The same of a normal in the plane, for what is no error of a fix: how far people go.
SIGMA_PER_RADIUS = 1 / math.sqrt(2 * math.log(20))
# A fix with a wider radius says nothing of any zone: no cell of a network is larger (GSM's timing
# allows 35 km).
NO_WORTH_M = 35_000.0


class SourceError(msgspec.Struct, frozen=True):
    """What to make of the radius that a source reports, metres at 95 %.

    The effective radius is ``max(floor_m, inflation x reported)``; ``unstated_m`` stands in where
    the report is zero, which Android documents as "unknown" and vendors write for "missing".
    """

    floor_m: float
    inflation: float
    unstated_m: float

    def radius_m(self, accuracy_m: float) -> float:
        """The effective 95 % radius of a fix that reports ``accuracy_m``."""
        if not accuracy_m > 0:
            return self.unstated_m
        return max(self.floor_m, self.inflation * accuracy_m)

    def accuracy_m(self, radius_m: float) -> float:
        """The largest report whose effective radius is at most ``radius_m``; below 0: none.

        A report of zero can be wider than that: see ``unstated_m``.
        """
        return radius_m / self.inflation if radius_m >= self.floor_m else -1.0


# Error model 1. Floors: phones under open sky are within 10 m about 95 % of the time (field study
# in the project's survey of geofences); a beacon tells that the tag is in its house, some 20 m;
# WiFi fixes had a median error of 74 m and cell fixes of 600 m (Zandbergen 2009), vendors state 200
# to 500 m. Inflation: receivers report too small a radius; WiFi "missed its claimed accuracy" in
# the same study; the numbers themselves are the project's own. Unstated: the audit goal of 50 m for
# GPS, twice the floor for the others.
MODEL_VERSION = "1"
ERRORS = {
    FixSource.GPS: SourceError(floor_m=10.0, inflation=1.2, unstated_m=50.0),
    FixSource.RF: SourceError(floor_m=20.0, inflation=1.0, unstated_m=40.0),
    FixSource.WIFI: SourceError(floor_m=75.0, inflation=1.5, unstated_m=150.0),
    FixSource.LBS: SourceError(floor_m=300.0, inflation=1.5, unstated_m=600.0),
}


def radius_m(accuracy_m: float, source: FixSource) -> float:
    """The effective 95 % radius of a fix, metres: see :class:`SourceError`."""
    return ERRORS[source].radius_m(accuracy_m)


def share_beyond(distance_m: float, radius_m: float) -> float:
    """The probability that the truth is further than ``distance_m`` from the fix."""
    scaled = distance_m / (radius_m * SCALE_PER_RADIUS)
    return float((1 + scaled * scaled / TAIL_DEGREES) ** (-TAIL_DEGREES / 2))


def share_to_one_side(offset_m: float, radius_m: float) -> float:
    """The probability that the truth is on the near side of a straight line.

    ``offset_m`` is the fix's distance from the line, positive on the near side. The error along
    one axis is a Student t of four degrees of freedom too.
    """
    t = offset_m / (radius_m * SCALE_PER_RADIUS)
    u = t / math.sqrt(TAIL_DEGREES + t * t)
    return 0.5 + 0.25 * u * (3 - u * u)
