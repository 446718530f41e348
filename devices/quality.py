"""Doubts about a reading, and the limits past which it cannot be judged at all."""

from datetime import datetime, timedelta
from enum import IntFlag

import msgspec

from devices.readings import Fix, Reading
from devices.rejection import Reason, Rejected


class Doubt(IntFlag):
    """Doubts kept beside a reading and shown; none of them drops it."""

    NONE = 0
    CLOCK_AHEAD = 1
    LATE = 2
    INACCURATE = 4
    OUTSIDE_SERVICE_AREA = 8


class ServiceArea(msgspec.Struct, frozen=True):
    """Where tags are expected, degrees; used to recognise swapped coordinates."""

    west: float = -8.7
    south: float = 49.8
    east: float = 1.8
    north: float = 60.9

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the point lies in the area, its edge included."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


class QualityLimits(msgspec.Struct, frozen=True):
    """Limits of what can be believed; policy of this project, each a setting.

    - ``future_s``: a device clock further ahead than this (one day) is refused; tags keep network
      time, so a larger error is a fault of the device and not drift.
    - ``past_days``: a reading older than this is refused. Tags store days, not months; 45 days
      covers a tag found in a drawer and read out.
    - ``skew_s``: clocks may differ by this much (one minute) without remark.
    - ``late_s``: a reading received this long after it was measured is marked late. The England
      and Wales view is "about 10 minutes behind" (field survey, section 3.4).
    - ``max_payload_bytes``: 16 MiB, some 100,000 fixes, which is the most readings of one message
      (:data:`devices.native.MOST_READINGS`); no broker on the way may take less.
    - ``inaccurate_m``: a wider 95 % radius is marked; cell fixes are 200 to 600 m.
    """

    future_s: int = 86_400
    past_days: int = 45
    skew_s: int = 60
    late_s: int = 600
    inaccurate_m: float = 150.0
    max_payload_bytes: int = 16 * 1024 * 1024
    area: ServiceArea = ServiceArea()


def time_fault(
    measured_at: datetime, received_at: datetime, limits: QualityLimits, index: int | None
) -> Rejected | None:
    """Refuse a reading whose clock cannot be right, naming how far off it is."""
    ahead = measured_at - received_at
    if ahead > timedelta(seconds=limits.future_s):
        text = f"measured {_days(ahead)} after it was received; check the device's clock"
        return Rejected(Reason.TIME_IN_FUTURE, text, index)
    if -ahead > timedelta(days=limits.past_days):
        text = f"measured {_days(-ahead)} before it was received; check the device's clock"
        return Rejected(Reason.TIME_TOO_OLD, text, index)
    return None


def position_fault(
    lat: float, lon: float, limits: QualityLimits, index: int | None
) -> Rejected | None:
    """Refuse a position that is in the service area only with its coordinates exchanged."""
    area = limits.area
    if not area.holds(lon, lat) and area.holds(lat, lon):
        text = "latitude and longitude are exchanged: send lat (about 50 to 61) and lon apart"
        return Rejected(Reason.COORDINATES_SWAPPED, text, index)
    return None


def doubts(reading: Reading, limits: QualityLimits) -> Doubt:
    """Everything worth a remark about a reading that is kept."""
    found = Doubt.NONE
    delay = reading.stamp.received_at - reading.stamp.measured_at
    if delay < -timedelta(seconds=limits.skew_s):
        found |= Doubt.CLOCK_AHEAD
    if delay > timedelta(seconds=limits.late_s):
        found |= Doubt.LATE
    if isinstance(reading, Fix):
        if reading.accuracy_m > limits.inaccurate_m:
            found |= Doubt.INACCURATE
        if not limits.area.holds(reading.lon, reading.lat):
            found |= Doubt.OUTSIDE_SERVICE_AREA
    return found


def _days(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:,.0f} days" if hours >= 48 else f"{hours:,.0f} hours"
