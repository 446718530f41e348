"""Metres about a place: a flat frame in which a zone and the fixes near it are measured."""

import msgspec
import numpy as np
import numpy.typing as npt

from zones.geometry import metres_per_degree


class Plane(msgspec.Struct, frozen=True):
    """Metres east and north of an origin, degrees EPSG:4326.

    Exact to 0.1 % within 10 km of the origin in Great Britain; further away only good for "far".
    """

    lon: float
    lat: float
    east_m: float
    north_m: float

    def metres(self, lon: float, lat: float) -> tuple[float, float]:
        """East and north of the origin."""
        return (lon - self.lon) * self.east_m, (lat - self.lat) * self.north_m

    def all_metres(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array of rows (lon, lat)."""
        return (points - (self.lon, self.lat)) * (self.east_m, self.north_m)

    def degrees(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Longitude and latitude of a place in the frame."""
        return self.lon + x_m / self.east_m, self.lat + y_m / self.north_m

    def all_degrees(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array of rows (x, y)."""
        degrees: npt.NDArray[np.float64] = points / (self.east_m, self.north_m)
        degrees += (self.lon, self.lat)
        return degrees


def plane_at(lon: float, lat: float) -> Plane:
    """The frame with its origin here."""
    return Plane(lon, lat, *metres_per_degree(lat))
