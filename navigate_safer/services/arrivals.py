"""Judge fixes as they arrive: the many of which there is nothing to say, at the speed they come.

A fix that keeps within its device's calm (:class:`alerts.rules.calm.Calm`) is stored and judged
by a comparison of columns. A device that leaves it is stepped through its rules here and now.
Where that finds something, or where anything is unusual, the readings are stored with a pending
mark, and :mod:`navigate_safer.services.monitor` judges them: nothing is decided here that somebody
must be told.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from alerts.compliance import day_of, day_span
from devices.columns import Arrived, FixColumns, Flags, Ints
from navigate_safer.db import arrivals, bulk
from navigate_safer.db.arrivals import Kept, Latest, Marks
from navigate_safer.db.packed import instant_of, micros_of
from navigate_safer.services import arrival_groups, compliance, compound, meeting_marks
from navigate_safer.services.arrival_groups import Groups
from navigate_safer.services.beside import Beside
from navigate_safer.services.fleet import NOT_CALM, Fleet, calm_text, stored_calm
from navigate_safer.services.laps import Laps
from navigate_safer.services.standing import Advanced, Standings

# A device that brings more than so many at once and is not calm is left to the monitor: stepping
# them here, at some 0.2 ms each, would keep everybody else's readings waiting.
MOST_STEPPED = 500


class Taken(msgspec.Struct, frozen=True):
    """What came of a batch: the messages left to the general form, and the counts of the rest.

    ``judged_us`` is when each fix was received that was judged at once (microseconds since 1970).
    """

    left: list[int]
    stored: int = 0
    devices: int = 0
    on_arrival: int = 0
    marked: int = 0
    judged_us: Ints | None = None


class Arrivals:
    """One process's judgement on arrival. Call :meth:`committed` or :meth:`undone` after each."""

    def __init__(self, fleet: Fleet | None = None, *, most_at_hand: int | None = None) -> None:
        self.fleet = Fleet() if fleet is None else fleet
        self._standings = Standings(self.fleet, most_at_hand)
        self._beside = Beside()
        self._groups: Groups | None = None
        self._advanced: dict[int, Advanced] = {}
        self._marked: Flags = np.zeros(0, dtype=np.bool_)
        # Slots that were calm all through the batch, and stepped for their states to be saved.
        self._resting: set[int] = set()

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
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Taken:
        """Store and judge what can be. Raises :class:`navigate_safer.db.bulk.AlreadyThere`.

        ``meanwhile`` is done while the database copies the fixes, and must not use the session;
        not at all where nothing can be done beside it: others would wait for its lock.
        """
        self._groups, self._advanced = None, {}
        if not len(fixes):
            return Taken([])
        places, row_of = np.unique(fixes.message, return_inverse=True)
        slots = self.fleet.slots(session, [messages[place].topic for place in places.tolist()], now)
        groups, left = arrival_groups.group(self.fleet, fixes, slots[row_of], now)
        if groups is None:
            return Taken(left)
        self._groups = groups
        laps.lap("store")
        moving, covered = self._moving(session, groups, now)
        laps.lap("judge")

        def advance() -> None:
            laps.lap("store")
            self._advance(groups, moving, covered)
            laps.lap("judge")
            # No row is held yet that anybody else may want.
            if bulk.any_thread(session):
                meanwhile()

        write = partial(bulk.insert_fixes, session, groups.packed)
        self._beside.both(session, write, advance)
        self._leave_cases(session)
        self._write(session, groups, now)
        return self._taken(groups, left)

    def _taken(self, groups: Groups, left: list[int]) -> Taken:
        at_once = np.repeat(~self._marked, groups.last - groups.first + 1)
        return Taken(
            left,
            stored=len(groups.packed),
            devices=len(groups.first),
            on_arrival=int(np.count_nonzero(at_once)),
            marked=int(self._marked.sum()),
            judged_us=groups.fixes.received_us[at_once],
        )

    def _moving(self, session: Session, groups: Groups, now: datetime) -> tuple[list[int], Flags]:
        """Compare with the calm: which groups are to be stepped, and which fixes are covered.

        Everybody else who is not calm is marked: one that was never judged, or waits to be, is
        stored, and the monitor judges it.
        """
        covered = arrival_groups.covered(self.fleet, groups)
        resting = np.logical_and.reduceat(covered, groups.first)
        calm = resting & ~arrival_groups.to_be_saved(self.fleet, groups)
        fit = self.fleet["fit"][groups.slot[groups.first]]
        self._marked = ~(calm & fit)
        few = groups.last - groups.first < MOST_STEPPED
        stepped = ~calm & fit & few
        self._resting = set(groups.slot[groups.first[stepped & resting]].tolist())
        moving = np.flatnonzero(stepped).tolist()
        self._standings.prepare(session, groups.slot[groups.first[moving]].tolist(), now)
        return moving, covered

    def _advance(self, groups: Groups, moving: Sequence[int], covered: Flags) -> None:
        """Step those that left their calm; what finds something is marked for the monitor."""
        for group in moving:
            begin, end = int(groups.first[group]), int(groups.last[group]) + 1
            slot = int(groups.slot[begin])
            advanced = self._standings.advance(slot, groups.packed, range(begin, end), covered)
            if advanced is not None:
                self._advanced[group] = advanced
                self._marked[group] = False

    def _leave_cases(self, session: Session) -> None:
        """A case says what its parts say: where there is one, the monitor writes both."""
        for group, each in list(self._advanced.items()):
            if compound.in_a_case(session, each.wearer_id, each.going_on):
                del self._advanced[group]
                self._marked[group] = True

    def _write(self, session: Session, groups: Groups, now: datetime) -> None:
        """Save what came of it; a device that somebody else has judged meanwhile is marked."""
        marked = self._marked
        device_id = groups.packed.device_id[groups.first]
        moved = {
            int(device_id[group]): (group, advanced) for group, advanced in self._advanced.items()
        }
        saved = [each.saved for _, each in moved.values()]
        settled = bulk.settle(session, self._latest(groups, ~marked), saved)
        marked = marked | ~np.isin(device_id, list(settled.devices))
        kept: list[Kept] = []
        for group, each in moved.values():
            fitting_id = each.saved.fitting_id
            # The states are its to save, and what goes on is known: or somebody judged meanwhile.
            if fitting_id in settled.fittings and _goes_on(session, fitting_id, each):
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

    def _latest(self, groups: Groups, which: Flags) -> Latest:
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
        stepped = list(self._advanced)
        fleet["saved_in"][slot[stepped]] = arrival_groups.span_of(
            groups.packed.measured_us[last[stepped]], groups.packed.device_id[last[stepped]]
        )
        fleet["fresh"][slot[self._marked]] = False
        self._standings.committed(set(slot[self._marked].tolist()), self._resting)
        self._groups = None

    def undone(self) -> None:
        """The batch was rolled back: rules that were stepped are read anew."""
        self._standings.undone()
        self._groups = None


def _goes_on(session: Session, fitting_id: int, advanced: Advanced) -> bool:
    going_on = advanced.going_on
    return not going_on or arrivals.say_goes_on(session, fitting_id, going_on)
