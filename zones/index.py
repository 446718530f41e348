"""Which of many zones a point or a leg could be inside.

Answers come from the zones' bounding boxes and may name a zone too many, never one too few. A
zone that is not named is one the point or leg is outside of, which for an inclusion zone is the
thing that matters.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from zones.chance import FAR_RADII
from zones.zone import Zone

# Degrees, about a tenth of a millimetre: well above the tolerance of a boundary.
_MARGIN_DEGREES = 1e-9

# Metres in a degree of latitude, at the equator, where they are fewest.
_LEAST_M_PER_DEGREE = 110_500.0

_Floats = npt.NDArray[np.float64]
_Pairs = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


class ZoneIndex:
    """An immutable spatial index; rebuild it when the set of zones changes."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)
        boxes = [_box(zone) for zone in self.zones]
        self._tree = shapely.STRtree(boxes)

    def near_point(self, lon: float, lat: float) -> tuple[Zone, ...]:
        """The zones that a point, degrees, could be inside, in the order they were given."""
        return self._named(self._tree.query(shapely.Point(lon, lat)))

    def near_leg(self, lon0: float, lat0: float, lon1: float, lat1: float) -> tuple[Zone, ...]:
        """The zones that a straight leg could enter, in the order they were given."""
        return self._named(self._tree.query(shapely.LineString([(lon0, lat0), (lon1, lat1)])))

    def near_points(self, lon: _Floats, lat: _Floats) -> _Pairs:
        """For many points at once: positions of points and of zones, pair by pair, sorted."""
        return _sorted(self._tree.query(shapely.points(lon, lat)))

    def near_legs(self, lon0: _Floats, lat0: _Floats, lon1: _Floats, lat1: _Floats) -> _Pairs:
        """For many legs at once: positions of legs and of zones, pair by pair, sorted."""
        boxes = shapely.box(
            np.minimum(lon0, lon1),
            np.minimum(lat0, lat1),
            np.maximum(lon0, lon1),
            np.maximum(lat0, lat1),
        )
        return _sorted(self._tree.query(boxes))

    def chances(self, lon: _Floats, lat: _Floats, radius_m: _Floats) -> tuple[_Pairs, _Floats]:
        """P(inside) for every fix and zone that it can be in: the pairs, and one number a pair.

        ``radius_m`` are effective 95 % radii (:mod:`zones.fix_error`). A pair that is not named has
        a probability below what the far tail of the error leaves.
        """
        reach_m = FAR_RADII * radius_m
        reach_lat = np.minimum(reach_m / _LEAST_M_PER_DEGREE, 90.0)
        widen = np.maximum(np.cos(np.radians(np.minimum(np.abs(lat) + reach_lat, 90.0))), 1e-3)
        reach_lon = np.minimum(reach_lat / widen, 360.0)
        boxes = shapely.box(lon - reach_lon, lat - reach_lat, lon + reach_lon, lat + reach_lat)
        fixes, numbers = pairs = _sorted(self._tree.query(boxes))
        found = np.zeros(len(fixes))
        for number in np.unique(numbers).tolist():
            of_zone = np.flatnonzero(numbers == number)
            rows = fixes[of_zone]
            chance = self.zones[number].chance
            found[of_zone] = chance.of_fixes(lon[rows], lat[rows], radius_m[rows])
        return pairs, found

    def _named(self, found: npt.NDArray[np.intp]) -> tuple[Zone, ...]:
        return tuple(self.zones[number] for number in sorted(found.tolist()))


def _box(zone: Zone) -> shapely.Polygon:
    west, south, east, north = zone.shape.bounds
    return shapely.box(
        west - _MARGIN_DEGREES,
        south - _MARGIN_DEGREES,
        east + _MARGIN_DEGREES,
        north + _MARGIN_DEGREES,
    )


def _sorted(pairs: npt.NDArray[np.intp]) -> _Pairs:
    order = np.lexsort((pairs[1], pairs[0]))
    return pairs[0][order], pairs[1][order]
