"""The rules of the devices that move, kept at work in memory between batches."""

from collections import OrderedDict
from collections.abc import Sequence, Set
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts.finding import Finding, FindingKind
from alerts.judge import FindingKey, Run, States
from alerts.rules.calm import Calm
from devices.columns import Flags
from devices.readings import Fix
from navigate_safer import logs
from navigate_safer.db import packed, terms
from navigate_safer.db.arrivals import Kept, Saved, judgements, open_episodes
from navigate_safer.db.packed_fixes import PackedFixes
from navigate_safer.db.terms import FittingOf
from navigate_safer.services.device_fixes import DeviceRows, fix_of
from navigate_safer.services.fleet import Fleet
from zones.zone import Zone

# Fittings whose rules are kept in memory, some kilobytes each; others are read when needed. Of a
# large fleet a share: with fewer than go about near a zone, every round would read all anew.
MOST_AT_HAND = 20_000
SHARE_AT_HAND = 1 / 16
# Nor longer than this after they were last needed: of who has come home nothing more is asked.
IDLE = timedelta(minutes=10)
HOUR_US = 3_600_000_000


# What goes on and is known asks nobody to act anew. What is said of alcohol, or of a cover over a
# monitor, may bear on other episodes: the monitor looks.
_MAY_GO_ON = frozenset(
    {
        FindingKind.EXCLUSION_BREACH,
        FindingKind.CURFEW_BREACH,
        FindingKind.RESTRICTION_BREACH,
        FindingKind.EXCLUSION_APPROACH,
        FindingKind.EARLY_WARNING_1,
        FindingKind.EARLY_WARNING_2,
        FindingKind.EARLY_WARNING_3,
    }
)


class Advanced(msgspec.Struct, frozen=True):
    """A device that was stepped with nothing new found: what to save, and where it is calm now.

    ``going_on``: episodes that are known and that its fixes show to go on, as they are now.
    """

    wearer_id: int
    saved: Saved
    kept: list[Kept]
    calm: Calm | None
    going_on: list[Finding]


class _Standing:
    """Rules at work. Of another ``turn`` of the device they may be of other terms."""

    __slots__ = ("fitting_id", "known", "run", "turn", "used_at", "version", "wearer_id")

    def __init__(self, of: FittingOf, version: int, run: Run, known: Set[FindingKey]) -> None:
        self.fitting_id = of.fitting.fitting_id
        self.wearer_id = of.wearer_id
        self.version = version
        self.run = run
        self.known = known
        self.turn = 0
        self.used_at: datetime | None = None

    def only_goes_on(self) -> bool:
        """Whether all that was found are known episodes that go on."""
        found = self.run.found
        return found.keys() <= self.known and all(
            each.ended_at is None and each.kind in _MAY_GO_ON for each in found.values()
        )


def at_hand(devices: int) -> int:
    """Of how many devices the rules are kept in memory in a fleet of so many."""
    return max(MOST_AT_HAND, int(devices * SHARE_AT_HAND))


class Standings:
    """Rules at work by slot, the most recently used; ``most`` of them, None for :func:`at_hand`."""

    def __init__(self, fleet: Fleet, most: int | None = None) -> None:
        self._fleet = fleet
        self._most = most
        self._held: OrderedDict[int, _Standing] = OrderedDict()
        self._zones: dict[int, Zone] = {}
        self._stepped: list[int] = []
        self._now: datetime | None = None
        self._log = logs.logger("ingest")

    def __len__(self) -> int:
        """How many devices' rules are at hand."""
        return len(self._held)

    def prepare(self, session: Session, slots: Sequence[int], now: datetime) -> None:
        """Read the rules of the slots that are about to be stepped, all at once."""
        self._now = now
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
                self._held[slot].used_at = now

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
        standing.used_at = self._now
        try:
            through = standing.run.through
            if through is None or packed.micros_of(through) < self._fleet["position_us"][slot]:
                standing.run.rest(self._last(slot))
            return _advance(standing, DeviceRows(self._fleet.names[slot], rows, which), covered)
        except Exception as fault:  # a fault of a rule: the monitor meets it too, and notes it
            self._log.error("stepping failed", exception_type=type(fault).__name__)
            return None

    def committed(self, marked: set[int], resting: set[int]) -> None:
        """The batch is safe; the devices that were marked are the monitor's for now.

        Who rests was stepped only to save its states, hours after the last time and before the
        next: its rules are not kept at hand for that, or those of everybody would be in the end.
        """
        for slot in self._stepped:
            if slot in marked or slot in resting:
                self._held.pop(slot, None)
            elif slot in self._held:
                self._held[slot].version += 1
        for slot in marked:
            self._held.pop(slot, None)
        self._let_go()
        self._stepped = []

    def _let_go(self) -> None:
        """Of the rules that were needed longest ago: those that are too many, or idle."""
        most = at_hand(len(self._fleet)) if self._most is None else self._most
        while self._held:
            slot, oldest = next(iter(self._held.items()))
            used_at, now = oldest.used_at, self._now
            idle = used_at is not None and now is not None and now - used_at > IDLE
            if len(self._held) <= most and not idle:
                return
            del self._held[slot]

    def undone(self) -> None:
        """The batch was rolled back: what was stepped is read anew."""
        for slot in self._stepped:
            self._held.pop(slot, None)
        self._stepped = []

    def _last(self, slot: int) -> Fix:
        """The last fix that was passed by in calm."""
        fleet = self._fleet
        return fix_of(
            fleet.names[slot],
            fleet["position_us"][slot],
            fleet["received_us"][slot],
            fleet["lat_e7"][slot],
            fleet["lon_e7"][slot],
            fleet["accuracy"][slot],
            fleet["quality"][slot],
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
    found, rows = {}, judgements(session, fitting_ids)
    in_breach = [row.fitting_id for row in rows if row.in_breach]
    known = open_episodes(session, in_breach) if in_breach else {}
    for row in rows:
        if row.through is not None:
            of = terms_of[row.fitting_id]
            run = Run(of.fitting, msgspec.json.decode(row.states, type=States))
            open_now: Set[FindingKey] = known.get(row.fitting_id, frozenset())
            found[row.fitting_id] = _Standing(of, row.version, run, open_now)
    return found


def _advance(standing: _Standing, rows: DeviceRows, covered: Flags) -> Advanced | None:
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
            if not standing.only_goes_on():
                return None
            calm, stepped = run.calm(), True
        last_us = measured_us
    if passed is not None:
        run.rest(rows.fix(passed))
    going_on = list(run.found.values())
    run.found = {}
    return Advanced(standing.wearer_id, _saved(rows.device_id, standing), kept, calm, going_on)


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
