"""Judge fixes as they arrive: the many of which there is nothing to say, at the speed they come.

A fix that keeps within its device's calm (:class:`alerts.rules.calm.Calm`) is stored and judged
by a comparison of columns. A device that leaves it is stepped through its rules here and now.
Where that finds something, or where anything is unusual, the readings are stored with a pending
mark, and :mod:`navigate_safer.services.monitor` judges them: nothing is decided here that somebody
must be told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from alerts.compliance import day_of, day_span
from devices.columns import Arrived, FixColumns, Flags, Ints
from navigate_safer.db import bulk
from navigate_safer.db.arrivals import Kept, Latest, Marks
from navigate_safer.db.packed import instant_of, micros_of
from navigate_safer.db.packed_fixes import PackedFixes, fits, pack
from navigate_safer.services import compliance, meeting_marks
from navigate_safer.services.fleet import NOT_CALM, Fleet, calm_text, stored_calm
from navigate_safer.services.laps import Laps
from navigate_safer.services.standing import MOST_AT_HAND, Advanced, Standings

# A day so old may be archived, or on its way there (the settings allow that from 46 days on); the
# general way looks, and compares with the archive.
MAY_BE_ARCHIVED = timedelta(days=30)
# Clocks of devices may be so far ahead of ours without remark.
AHEAD = timedelta(seconds=60)
# The states of a device that keeps calm are saved in each new one of these. Whoever needs them
# sooner steps through what was passed by since: 360 fixes at one a minute, some 20 ms.
UNSAVED_US = 6 * 3_600_000_000
_SECOND_US = 1_000_000
# Prime, so that neighbours in number are hours apart.
_SPREAD = 7_919


# A device that brings more than so many at once and is not calm is left to the monitor: stepping
# them here, at some 0.2 ms each, would keep everybody else's readings waiting.
MOST_STEPPED = 500


class Taken(msgspec.Struct, frozen=True):
    """What came of a batch: the messages left to the general form, and the counts of the rest."""

    left: list[int]
    stored: int = 0
    devices: int = 0
    on_arrival: int = 0
    marked: int = 0


class _Groups(msgspec.Struct, frozen=True):
    """Fixes of a batch sorted by device and time, and where each device's begin and end."""

    fixes: FixColumns
    packed: PackedFixes
    slot: Ints
    before_us: Ints
    first: Ints
    last: Ints


class Arrivals:
    """One process's judgement on arrival. Call :meth:`committed` or :meth:`undone` after each."""

    def __init__(self, fleet: Fleet | None = None, *, most_at_hand: int = MOST_AT_HAND) -> None:
        self.fleet = Fleet() if fleet is None else fleet
        self._standings = Standings(self.fleet, most_at_hand)
        self._groups: _Groups | None = None
        self._advanced: dict[int, Advanced] = {}
        self._marked: Flags = np.zeros(0, dtype=np.bool_)

    @property
    def rules_at_hand(self) -> int:
        """Of how many devices the rules are kept at work in memory."""
        return len(self._standings)

    def take(
        self,
        session: Session,
        messages: Sequence[Arrived],
        fixes: FixColumns,
        now: datetime,
        laps: Laps,
    ) -> Taken:
        """Store and judge what can be. Raises :class:`navigate_safer.db.bulk.AlreadyThere`."""
        self._groups, self._advanced = None, {}
        if not len(fixes):
            return Taken([])
        places, row_of = np.unique(fixes.message, return_inverse=True)
        slots = self.fleet.slots(session, [messages[place].topic for place in places.tolist()], now)
        groups, left = self._group(fixes, slots[row_of], now)
        if groups is None:
            return Taken(left)
        self._groups = groups
        bulk.insert_fixes(session, groups.packed)
        laps.lap("store")
        marked = self._judge(session, groups)
        laps.lap("judge")
        self._write(session, groups, marked, now)
        return Taken(
            left,
            stored=len(groups.packed),
            devices=len(groups.first),
            on_arrival=int((groups.last - groups.first + 1)[~self._marked].sum()),
            marked=int(self._marked.sum()),
        )

    def _judge(self, session: Session, groups: _Groups) -> Flags:
        """Compare with the calm, step those that left it; which devices the monitor must judge."""
        calm, covered = self._calm(groups)
        # One that was never judged, or waits to be: it is stored, and the monitor judges it.
        fit = self.fleet["fit"][groups.slot[groups.first]]
        marked: Flags = ~(calm & fit)
        few = groups.last - groups.first < MOST_STEPPED
        moving = np.flatnonzero(~calm & fit & few).tolist()
        self._standings.prepare(session, groups.slot[groups.first[moving]].tolist())
        for group in moving:
            begin, end = int(groups.first[group]), int(groups.last[group]) + 1
            slot = int(groups.slot[begin])
            advanced = self._standings.advance(slot, groups.packed, range(begin, end), covered)
            if advanced is not None:
                self._advanced[group] = advanced
                marked[group] = False
        return marked

    def _group(
        self, fixes: FixColumns, slot: Ints, now: datetime
    ) -> tuple[_Groups | None, list[int]]:
        """Sort by device and time, and leave out every device with anything unusual."""
        order = np.lexsort((fixes.measured_us, slot))
        fixes, slot = fixes.take(order), slot[order]
        fleet, measured = self.fleet, fixes.measured_us
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
        return _Groups(fixes, packed, slot, before_us, starts, ends), left

    def _calm(self, groups: _Groups) -> tuple[Flags, Flags]:
        """Which devices kept calm and need no saving, and which fixes were covered."""
        fleet, slot, packed = self.fleet, groups.slot, groups.packed
        measured = packed.measured_us
        covered = (
            (packed.lon_e7 >= fleet["west_e7"][slot])
            & (packed.lon_e7 <= fleet["east_e7"][slot])
            & (packed.lat_e7 >= fleet["south_e7"][slot])
            & (packed.lat_e7 <= fleet["north_e7"][slot])
            & (measured <= packed.received_us)
            & (measured < fleet["until_us"][slot])
            & (measured - groups.before_us <= fleet["gap_us"][slot])
            & (groups.fixes.accuracy_m >= fleet["min_accuracy_m"][slot])
            & (groups.fixes.accuracy_m <= fleet["accuracy_m"][slot])
            & ((fleet["sources"][slot] >> groups.fixes.source) & 1 == 1)
        )
        # The rules' states are saved now and then, with a checkpoint for late data.
        # Each device at another moment, or the whole region would be saved in one minute.
        shift = packed.device_id * _SPREAD % (UNSAVED_US // _SECOND_US) * _SECOND_US
        unsaved = (measured + shift) // UNSAVED_US == (groups.before_us + shift) // UNSAVED_US
        return np.logical_and.reduceat(covered & unsaved, groups.first), covered

    def _write(self, session: Session, groups: _Groups, marked: Flags, now: datetime) -> None:
        """Save what came of it; a device that somebody else has judged meanwhile is marked."""
        device_id = groups.packed.device_id[groups.first]
        moved = {
            int(device_id[group]): (group, advanced) for group, advanced in self._advanced.items()
        }
        saved = [each.saved for _, each in moved.values()]
        settled = bulk.settle(session, self._latest(groups, ~marked), saved)
        marked = marked | ~np.isin(device_id, list(settled.devices))
        kept: list[Kept] = []
        for group, each in moved.values():
            if each.saved.fitting_id in settled.fittings:
                kept += each.kept
            else:
                marked[group] = True
        bulk.keep(session, kept)
        if marked.any():
            bulk.turn_on(session, self._latest(groups, marked))
            earliest_us = groups.packed.measured_us[groups.first][marked]
            now_us = np.full(len(earliest_us), micros_of(now), dtype=np.int64)
            bulk.mark(session, Marks(device_id[marked], earliest_us, now_us))
        earliest_all_us = groups.packed.measured_us[groups.first]
        self._forget_days(session, device_id[~marked], earliest_all_us[~marked], now)
        measured = groups.packed.measured_us
        late = measured[measured < micros_of(now - meeting_marks.LATE)]
        if len(late):
            meeting_marks.note_late(session, late.tolist(), now)
        self._marked = marked

    def _forget_days(
        self, session: Session, device_id: Ints, earliest_us: Ints, now: datetime
    ) -> None:
        """Readings of a day before today, judged here, change what was worked out of that day."""
        past = earliest_us < micros_of(day_span(day_of(now)).start)
        if past.any():
            devices = device_id[past].tolist()
            compliance.forget_devices(session, devices, instant_of(int(earliest_us[past].min())))

    def _latest(self, groups: _Groups, which: Flags) -> Latest:
        chosen = np.flatnonzero(which)
        # In one order, so that two workers that meet on the same devices wait, not deadlock.
        chosen = chosen[np.argsort(groups.packed.device_id[groups.first[chosen]])]
        last, packed = groups.last[chosen], groups.packed
        place = {group: n for n, group in enumerate(chosen.tolist())}
        calm: list[str | None] = [None] * len(chosen)
        kept = np.ones(len(chosen), dtype=np.bool_)
        for group, advanced in self._advanced.items():
            if group in place:
                n = place[group]
                kept[n], calm[n] = False, calm_text(advanced.calm)
        return Latest(
            device_id=packed.device_id[last],
            turn=self.fleet["turn"][groups.slot[last]],
            seen_us=self.fleet["position_us"][groups.slot[last]],
            received_us=groups.fixes.received_us[last],
            position_us=packed.measured_us[last],
            lat_e7=packed.lat_e7[last],
            lon_e7=packed.lon_e7[last],
            accuracy=packed.accuracy[last],
            fix_quality=packed.quality[last],
            kept=kept,
            calm=calm,
        )

    def committed(self) -> None:
        """The batch is safe: what is at hand becomes what was written."""
        groups, fleet = self._groups, self.fleet
        if groups is None:
            return
        last, slot = groups.last, groups.slot[groups.last]
        for name, column in (
            ("position_us", groups.packed.measured_us),
            ("received_us", groups.packed.received_us),
            ("lat_e7", groups.packed.lat_e7),
            ("lon_e7", groups.packed.lon_e7),
            ("accuracy", groups.packed.accuracy),
            ("quality", groups.packed.quality),
        ):
            fleet[name][slot] = column[last]
        for group, advanced in self._advanced.items():
            calm = NOT_CALM if advanced.calm is None else stored_calm(advanced.calm)
            fleet.set_calm(int(slot[group]), calm)
        fleet["fresh"][slot[self._marked]] = False
        self._standings.committed(set(slot[self._marked].tolist()))
        self._groups = None

    def undone(self) -> None:
        """The batch was rolled back: rules that were stepped are read anew."""
        self._standings.undone()
        self._groups = None
