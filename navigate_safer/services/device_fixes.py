"""Fixes of a batch, made of its columns one by one: most are never looked at as such."""

from devices.readings import Fix, Stamp
from navigate_safer.db import packed
from navigate_safer.db.packed_fixes import PackedFixes


def fix_of(
    device: str,
    measured_us: int,
    received_us: int,
    lat_e7: int,
    lon_e7: int,
    accuracy: int,
    quality: int,
    speed_dkmh: int = packed.NOTHING,
    heading_ddeg: int = packed.NOTHING,
) -> Fix:
    """The fix of packed columns, as :mod:`navigate_safer.db.readings` makes it."""
    good = packed.unpack_quality(int(quality))
    measured_at = packed.instant_of(int(measured_us))
    stamp = Stamp(device, measured_at, None, packed.instant_of(int(received_us)))
    return Fix(
        stamp,
        int(lat_e7) / 1e7,
        int(lon_e7) / 1e7,
        packed.unpack_accuracy(int(accuracy)),
        good.source,
        packed.unpack_tenths(int(speed_dkmh)),
        packed.unpack_tenths(int(heading_ddeg)),
        good.satellites,
        good.hdop,
    )


class DeviceRows:
    """The new fixes of one device, each made only when a rule must see it."""

    def __init__(self, device: str, rows: PackedFixes, which: range) -> None:
        self._device = device
        self._rows = rows
        self.which = which
        self.device_id = int(rows.device_id[which.start])
        self.measured_us: list[int] = rows.measured_us[which.start : which.stop].tolist()

    def fix(self, row: int) -> Fix:
        """The fix of a row of the batch."""
        rows = self._rows
        return fix_of(
            self._device,
            rows.measured_us[row],
            rows.received_us_at(row),
            rows.lat_e7[row],
            rows.lon_e7[row],
            rows.accuracy[row],
            rows.quality[row],
            rows.speed_dkmh[row],
            rows.heading_ddeg[row],
        )
