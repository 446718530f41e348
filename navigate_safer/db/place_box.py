"""A place and a window of time in the units of the rows, for whatever engine looks into them."""

from datetime import datetime

import msgspec

from zones.geometry import metres_per_degree

E7 = 1e7


class PlaceBox(msgspec.Struct, frozen=True):
    """The middle and half the width of a box in 1e-7 degrees, metres per 1e-7, and bounds on the
    stored time: from ``begins`` to before ``ends``.
    """

    lon_e7: int
    lat_e7: int
    half_lon_e7: int
    half_lat_e7: int
    lon_step_m: float
    lat_step_m: float
    radius_m: float
    begins: datetime
    ends: datetime

    @classmethod
    def about(
        cls, lon: float, lat: float, radius_m: float, begins: datetime, ends: datetime
    ) -> "PlaceBox":
        """The box about a circle."""
        lon_m, lat_m = (each / E7 for each in metres_per_degree(lat))
        half_lon, half_lat = (int(radius_m / step) + 1 for step in (lon_m, lat_m))
        at = (round(lon * E7), round(lat * E7))
        return cls(*at, half_lon, half_lat, lon_m, lat_m, radius_m, begins, ends)
