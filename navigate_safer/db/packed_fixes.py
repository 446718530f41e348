"""Columns of fixes to the columns of their rows; :mod:`navigate_safer.db.packed` does the same
for one reading, and a test compares the two.
"""

import msgspec
import numpy as np

from devices.columns import NO_TIME_US, NONE, FixColumns, Flags, Ints

# The finest steps of `accuracy` and `sent_s`; see the layout in :mod:`navigate_safer.db.packed`.
_FINE_DM = 32_767
_FINE_S = 16_384
_NOT_SENT = -32_768
_NO_SATELLITES, _NO_HDOP = 255, 8_191
_CENTISECOND_US = 10_000


class PackedFixes(msgspec.Struct, frozen=True):
    """Rows of ``fixes``, column by column in the table's order; the time as microseconds."""

    device_id: Ints
    measured_us: Ints
    lat_e7: Ints
    lon_e7: Ints
    received_cs: Ints
    quality: Ints
    accuracy: Ints
    speed_dkmh: Ints
    heading_ddeg: Ints
    sent_s: Ints

    def __len__(self) -> int:
        """How many rows."""
        return len(self.device_id)

    def take(self, which: Flags | Ints) -> "PackedFixes":
        """Some of the rows, by a mask or by their places."""
        return PackedFixes(*(column[which] for column in msgspec.structs.astuple(self)))

    def received_us_at(self, row: int) -> int:
        """:attr:`received_us` of one row."""
        return int(self.measured_us[row]) + int(self.received_cs[row]) * _CENTISECOND_US

    @property
    def received_us(self) -> Ints:
        """When each was received, as the row says it: what judgement must use."""
        return self.measured_us + self.received_cs * _CENTISECOND_US


def pack(fixes: FixColumns, device_id: Ints) -> PackedFixes:
    """Rows of fixes that are each the first content of their time."""
    delay_us = fixes.received_us - fixes.measured_us
    return PackedFixes(
        device_id=device_id,
        measured_us=fixes.measured_us,
        lat_e7=fixes.lat_e7,
        lon_e7=fixes.lon_e7,
        received_cs=delay_us // _CENTISECOND_US,
        quality=_quality(fixes),
        accuracy=_accuracy(fixes),
        speed_dkmh=fixes.speed_dkmh,
        heading_ddeg=fixes.heading_ddeg,
        sent_s=_sent(fixes),
    )


def fits(fixes: FixColumns) -> Flags:
    """Which fixes these functions pack; the others go through the scalar form."""
    sent = fixes.sent_us != NO_TIME_US
    delay_us = np.where(sent, fixes.received_us - fixes.sent_us, 0)
    return np.abs(delay_us) <= _FINE_S * 1_000_000


def _quality(fixes: FixColumns) -> Ints:
    satellites = np.where(fixes.satellites == NONE, _NO_SATELLITES, fixes.satellites)
    hdop = np.where(fixes.hdop_tenths == NONE, _NO_HDOP, fixes.hdop_tenths)
    packed = fixes.source | fixes.doubts << 3 | satellites << 11 | hdop << 19
    # The column is signed.
    return np.where(packed >= 2**31, packed - 2**32, packed)


def _accuracy(fixes: FixColumns) -> Ints:
    decimetres = np.rint(fixes.accuracy_m * 10).astype(np.int64)
    return np.where(decimetres <= _FINE_DM, decimetres, -(decimetres // 100))


def _sent(fixes: FixColumns) -> Ints:
    sent = fixes.sent_us != NO_TIME_US
    delay_us = np.where(sent, fixes.received_us - fixes.sent_us, 0)
    seconds = np.rint(delay_us / 1_000_000).astype(np.int64)
    return np.where(sent, seconds, _NOT_SENT)
