"""The rules of the devices that move, kept at work in memory between batches."""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts.judge import Run, States
from alerts.rules.calm import Calm
from devices.columns import Flags
from devices.readings import Fix, Stamp
from navigate_safer import logs
from navigate_safer.db import packed, terms
from navigate_safer.db.arrivals import Kept, Saved, judgements
from navigate_safer.db.packed_fixes import PackedFixes
from navigate_safer.services.fleet import Fleet
from zones.zone import Zone

# Fittings whose rules are kept in memory, some kilobytes each; the others are read when needed.
MOST_AT_HAND = 20_000
HOUR_US = 3_600_000_000


class Advanced(msgspec.Struct, frozen=True):
    """A device that was stepped with nothing found: what to save, and where it is calm now."""

    saved: Saved
    kept: list[Kept]
    calm: Calm | None


class _Standing:
    """Rules at work. Of another ``turn`` of the device they may be of other terms."""

    def __init__(self, fitting_id: int, version: int, run: Run) -> None:
        self.fitting_id = fitting_id
        self.version = version
        self.run = run
        self.turn = 0


class Standings:
    """Rules at work by slot, the most recently used."""

    def __init__(self, fleet: Fleet, most: int = MOST_AT_HAND) -> None:
        self._fleet = fleet
        self._most = most
        self._held: OrderedDict[int, _Standing] = OrderedDict()
        self._zones: dict[int, Zone] = {}
        self._stepped: list[int] = []
        self._log = logs.logger("ingest")

    def __len__(self) -> int:
        """How many devices' rules are at hand."""
        return len(self._held)

    def prepare(self, session: Session, slots: Sequence[int]) -> None:
        """Read the rules of the slots that are about to be stepped, all at once."""
        wanted = {}
        for slot in slots:
            fitting_id = int(self._fleet["fitting_id"][slot])
            held, turn = self._held.get(slot), int(self._fleet["turn"][slot])
            if held is None or held.fitting_id != fitting_id or held.turn != turn:
                self._held.pop(slot, None)
                wanted[slot] = fitting_id
        found = self._read(session, list(wanted.values()))
        for slot, fitting_id in wanted.items():
            if fitting_id in found:
                self._held[slot] = found[fitting_id]
                self._held[slot].turn = int(self._fleet["turn"][slot])

    def _read(self, session: Session, fitting_ids: Sequence[int]) -> dict[int, _Standing]:
        """Those whose rules can be read; the monitor meets the fault of the others and notes it."""
        try:
            return _load(session, fitting_ids, self._zones)
        except SQLAlchemyError:
            raise
        except Exception as fault:
            if len(fitting_ids) > 1:
                parts = [self._read(session, [each]) for each in fitting_ids]
                return {key: one for part in parts for key, one in part.items()}
            self._log.error("rules cannot be read", exception_type=type(fault).__name__)
            return {}

    def advance(
        self, slot: int, rows: PackedFixes, which: range, covered: Flags
    ) -> Advanced | None:
        """Step a prepared device through its new fixes; None where the monitor must judge them.

        ``covered`` says of each row whether it keeps the calm that the slot had.
        """
        self._stepped.append(slot)
        standing = self._held.get(slot)
        if standing is None or standing.run.needs_another_device:
            return None
        self._held.move_to_end(slot)
        try:
            through = standing.run.through
            if through is None or packed.micros_of(through) < self._fleet["position_us"][slot]:
                standing.run.rest(self._last(slot))
            return _advance(standing, _Rows(self._fleet.names[slot], rows, which), covered)
        except Exception as fault:  # a fault of a rule: the monitor meets it too, and notes it
            self._log.error("stepping failed", exception_type=type(fault).__name__)
            return None

    def committed(self, marked: set[int]) -> None:
        """The batch is safe; the devices that were marked are the monitor's for now."""
        for slot in self._stepped:
            if slot in marked:
                self._held.pop(slot, None)
            elif slot in self._held:
                self._held[slot].version += 1
        for slot in marked:
            self._held.pop(slot, None)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        self._stepped = []

    def undone(self) -> None:
        """The batch was rolled back: what was stepped is read anew."""
        for slot in self._stepped:
            self._held.pop(slot, None)
        self._stepped = []

    def _last(self, slot: int) -> Fix:
        """The last fix that was passed by in calm."""
        fleet = self._fleet
        return _fix(
            fleet.names[slot],
            fleet["position_us"][slot],
            fleet["received_us"][slot],
            fleet["lat_e7"][slot],
            fleet["lon_e7"][slot],
            fleet["accuracy"][slot],
            fleet["quality"][slot],
        )


def _fix(
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
    """The fix of a row, as :mod:`navigate_safer.db.readings` makes it."""
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


class _Rows:
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
        return _fix(
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


def _load(
    session: Session, fitting_ids: Sequence[int], zones: dict[int, Zone]
) -> dict[int, _Standing]:
    """The rules of fittings as they stand, but of those that are called silent.

    Every reading since the states were saved was passed by in calm: what was not left a mark, and
    a device with a mark is not stepped. So the last position is all that is missing in them.
    """
    if not fitting_ids:
        return {}
    if len(zones) > MOST_AT_HAND:
        zones.clear()
    terms_of = terms.fittings_by_id(session, fitting_ids, zones)
    found = {}
    for row in judgements(session, fitting_ids):
        if row.through is not None:
            run = Run(terms_of[row.fitting_id].fitting, msgspec.convert(row.states, States))
            found[row.fitting_id] = _Standing(row.fitting_id, row.version, run)
    return found


def _advance(standing: _Standing, rows: _Rows, covered: Flags) -> Advanced | None:
    run, kept = standing.run, list[Kept]()
    calm = run.calm()
    stepped = False
    passed: int | None = None
    assert run.through is not None
    last_us = packed.micros_of(run.through)
    for row, measured_us in zip(rows.which, rows.measured_us, strict=True):
        new_hour = measured_us // HOUR_US != last_us // HOUR_US
        # The first step gives another calm than the one that was compared with.
        passes = bool(covered[row])
        if stepped:
            last_at = packed.instant_of(last_us)
            passes = calm is not None and calm.covers(rows.fix(row), last_at)
        if passed is not None and (new_hour or not passes):
            run.rest(rows.fix(passed))
            passed = None
        if new_hour:
            kept.append(Kept(standing.fitting_id, run.through, _json(run)))
        if passes:
            # Of a run that is passed by, the last alone says how the rules rest.
            passed = row
        else:
            run.take(rows.fix(row))
            if run.found:
                return None
            calm, stepped = run.calm(), True
        last_us = measured_us
    if passed is not None:
        run.rest(rows.fix(passed))
    return Advanced(_saved(rows.device_id, standing), kept, calm)


def _saved(device_id: int, standing: _Standing) -> Saved:
    run = standing.run
    check_after, quiet_s, ends_at = run.due()
    assert run.through is not None
    return Saved(
        device_id,
        standing.fitting_id,
        standing.version,
        packed.micros_of(run.through),
        _json(run),
        check_after,
        quiet_s,
        ends_at,
    )


def _json(run: Run) -> str:
    return msgspec.json.encode(run.states()).decode()
