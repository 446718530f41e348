"""Fixes of a batch by device: which a comparison of columns can judge, and which are calm."""

from datetime import datetime, timedelta

import msgspec
import numpy as np

from devices.columns import FixColumns, Flags, Ints
from navigate_safer.db.packed import micros_of
from navigate_safer.db.packed_fixes import PackedFixes, fits, pack
from navigate_safer.services.fleet import PUT_OFF_US, Fleet, span_of

__all__ = ["AHEAD", "Groups", "covered", "group", "span_of", "to_be_saved"]

# A day so old may be archived, or on its way there (the settings allow that from 46 days on); the
# general way looks, and compares with the archive.
MAY_BE_ARCHIVED = timedelta(days=30)
# Clocks of devices may be so far ahead of ours without remark.
AHEAD = timedelta(seconds=60)
# States that are due to be saved wait until a batch brings so many of them: to read the rules of
# twenty costs little more than of one.
SAVED_AT_ONCE = 20


class Groups(msgspec.Struct, frozen=True):
    """Fixes of a batch sorted by device and time, and where each device's begin and end."""

    fixes: FixColumns
    packed: PackedFixes
    slot: Ints
    before_us: Ints
    first: Ints
    last: Ints


def group(
    fleet: Fleet, fixes: FixColumns, slot: Ints, now: datetime
) -> tuple[Groups | None, list[int]]:
    """Sort by device and time; the messages of devices with anything unusual are left out."""
    order = np.lexsort((fixes.measured_us, slot))
    fixes, slot = fixes.take(order), slot[order]
    measured = fixes.measured_us
    first = np.ones(len(slot), dtype=np.bool_)
    first[1:] = slot[1:] != slot[:-1]
    before_us = np.where(first, fleet["position_us"][slot], np.roll(measured, 1))
    usual = (
        (slot >= 0)
        & (fleet["fitting_id"][slot] > 0)
        & (measured > before_us)
        & (measured <= micros_of(now + AHEAD))
        & (measured >= micros_of(now - MAY_BE_ARCHIVED))
        & (measured >= fleet["fitted_us"][slot])
        & fits(fixes)
    )
    left: list[int] = []
    if not usual.all():
        unusual = np.isin(slot, np.unique(slot[~usual]))
        left = np.unique(fixes.message[unusual]).tolist()
        rest = ~unusual
        fixes, slot = fixes.take(rest), slot[rest]
        before_us, first = before_us[rest], first[rest]
    if not len(slot):
        return None, left
    last = np.roll(first, -1)
    packed = pack(fixes, fleet["device_id"][slot])
    starts, ends = np.flatnonzero(first), np.flatnonzero(last)
    return Groups(fixes, packed, slot, before_us, starts, ends), left


def covered(fleet: Fleet, groups: Groups) -> Flags:
    """Which fixes keep within the calm of their device."""
    slot, packed = groups.slot, groups.packed
    measured, accuracy_m = packed.measured_us, groups.fixes.accuracy_m
    found: Flags = (
        (packed.lon_e7 >= fleet["west_e7"][slot])
        & (packed.lon_e7 <= fleet["east_e7"][slot])
        & (packed.lat_e7 >= fleet["south_e7"][slot])
        & (packed.lat_e7 <= fleet["north_e7"][slot])
        & (measured <= packed.received_us)
        & (measured < fleet["until_us"][slot])
        & (measured - groups.before_us <= fleet["gap_us"][slot])
        & (accuracy_m >= fleet["min_accuracy_m"][slot])
        & (accuracy_m <= fleet["accuracy_m"][slot])
        & ((fleet["sources"][slot] >> groups.fixes.source) & 1 == 1)
    )
    return found


def to_be_saved(fleet: Fleet, groups: Groups) -> Flags:
    """Of which devices the rules' states are saved with this batch, calm or not.

    They are saved now and then, with a checkpoint for late data.
    """
    at = groups.last
    measured_us, device_id = groups.packed.measured_us[at], groups.packed.device_id[at]
    due: Flags = span_of(measured_us, device_id) != fleet["saved_in"][groups.slot[at]]
    if np.count_nonzero(due) >= SAVED_AT_ONCE:
        return due
    put_off = span_of(measured_us - PUT_OFF_US, device_id) != fleet["saved_in"][groups.slot[at]]
    overdue: Flags = due & put_off
    return overdue
