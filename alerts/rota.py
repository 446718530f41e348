"""Who is on duty when: layers of rotations, swaps and overrides, turned into stretches of UTC.

A turn begins at a time on the wall of the rota's place and ends at the next one, so a week in which
the clocks change is an hour shorter or longer and nobody's hours move (a rota kept as "start in UTC
and a length" moved every British shift by an hour in October 2023: OnCall issue 3261). Later layers
win over earlier ones, swaps change who takes a turn, overrides win over everything.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

import msgspec

from zones.interval import Interval, Intervals, intersection, subtraction, union
from zones.schedule import DEFAULT_TIMEZONE, Schedule

ONE_DAY = timedelta(days=1)


class RotaFault(ValueError):
    """A rota that cannot be kept; the message says which part, and what to change."""


class On(Enum):
    """On which days a layer counts."""

    EVERY_DAY = "every_day"
    BANK_HOLIDAYS = "bank_holidays"
    OTHER_DAYS = "other_days"


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """People who take turns of ``turn_days`` whole days, in order, from a date on.

    ``handover`` is the local time at which a turn ends and the next begins; ``hours`` narrows the
    layer to weekly hours; ``until`` is the last date on which a turn may begin. Raises
    :class:`RotaFault` without people, or for a turn of no days.
    """

    people: tuple[int, ...]
    starts_on: date
    handover: time = time(9)
    turn_days: int = 7
    hours: Schedule | None = None
    on: On = On.EVERY_DAY
    until: date | None = None

    def __post_init__(self) -> None:
        if not self.people:
            raise RotaFault("a layer names nobody; give at least one person")
        if self.turn_days < 1:
            raise RotaFault(f"a turn of {self.turn_days} days; give one day or more")
        if self.handover.tzinfo is not None:
            raise RotaFault("the handover is a local time and carries no offset")
        if self.until is not None and self.until < self.starts_on:
            raise RotaFault(f"a layer ends on {self.until} before it starts on {self.starts_on}")


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person instead of whoever the rota names; ``staff_id`` None takes that person off."""

    from_at: datetime
    until_at: datetime
    staff_id: int | None
    reason: str

    def __post_init__(self) -> None:
        _ordered(self.from_at, self.until_at, "an override")


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """``taken_by`` stands in wherever ``staff_id`` would be on duty in this stretch."""

    from_at: datetime
    until_at: datetime
    staff_id: int
    taken_by: int

    def __post_init__(self) -> None:
        _ordered(self.from_at, self.until_at, "a swap")


class Rota(msgspec.Struct, frozen=True, kw_only=True):
    """A rota; ``timezone`` is an IANA name, and the hours of its layers must be in the same."""

    layers: tuple[Layer, ...]
    timezone: str = DEFAULT_TIMEZONE
    swaps: tuple[Swap, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        for layer in self.layers:
            if layer.hours is not None and layer.hours.timezone != self.timezone:
                what = f"the rota keeps {self.timezone}, a layer's hours {layer.hours.timezone}"
                raise RotaFault(f"{what}; use one time zone")


class Duty(msgspec.Struct, frozen=True):
    """A stretch and who has it; ``staff_id`` None is a gap. ``source`` says what decided."""

    start: datetime
    end: datetime
    staff_id: int | None
    source: str

    @property
    def interval(self) -> Interval:
        """The stretch alone."""
        return Interval(self.start, self.end)


def duties(
    rota: Rota, from_at: datetime, until_at: datetime, holidays: Collection[date] = ()
) -> list[Duty]:
    """Everybody's duty between two instants, and the gaps, in order and without overlap.

    ``holidays`` are the bank holidays of the rota's place, at least those that the span touches.
    The stretches cover the span exactly. Raises :class:`RotaFault` for an empty span.
    """
    _ordered(from_at, until_at, "a span")
    span = Interval(from_at.astimezone(UTC), until_at.astimezone(UTC))
    zone = ZoneInfo(rota.timezone)
    found: list[Duty] = []
    for number, layer in enumerate(rota.layers, start=1):
        found = _over(found, _layer_duties(layer, span, zone, holidays, f"layer {number}"))
    for swap in rota.swaps:
        found = _swapped(found, swap)
    for override in rota.overrides:
        piece = _piece(override.from_at, override.until_at, span)
        if piece is not None:
            own = Duty(piece.start, piece.end, override.staff_id, "override")
            found = _over(found, [own])
    covered = union(each.interval for each in found)
    gaps = [Duty(gap.start, gap.end, None, "gap") for gap in subtraction((span,), covered)]
    return _merged(sorted([*found, *gaps], key=lambda each: each.start))


def on_duty(rota: Rota, at: datetime, holidays: Collection[date] = ()) -> int | None:
    """Who is on duty at an aware instant; None for a gap."""
    return duties(rota, at, at + timedelta(microseconds=1), holidays)[0].staff_id


def _ordered(from_at: datetime, until_at: datetime, what: str) -> None:
    if from_at.tzinfo is None or until_at.tzinfo is None:
        raise RotaFault(f"{what} has a time without a time zone; give aware times")
    if until_at <= from_at:
        raise RotaFault(f"{what} ends at {until_at} and starts at {from_at}; end it later")


def _piece(from_at: datetime, until_at: datetime, span: Interval) -> Interval | None:
    start, end = max(from_at.astimezone(UTC), span.start), min(until_at.astimezone(UTC), span.end)
    return Interval(start, end) if start < end else None


def _layer_duties(
    layer: Layer, span: Interval, zone: ZoneInfo, holidays: Collection[date], source: str
) -> list[Duty]:
    allowed: Intervals = (span,)
    if layer.hours is not None:
        allowed = layer.hours.intervals(span.start, span.end)
    if layer.on is not On.EVERY_DAY:
        off = union(_whole_day(each, zone) for each in holidays)
        keep = layer.on is On.BANK_HOLIDAYS
        allowed = intersection(allowed, off) if keep else subtraction(allowed, off)
    found = []
    for number in _turns(layer, span, zone):
        turn = Interval(_turn_start(layer, number, zone), _turn_start(layer, number + 1, zone))
        person = layer.people[number % len(layer.people)]
        for piece in intersection(allowed, (turn,)):
            found.append(Duty(piece.start, piece.end, person, source))
    return found


def _whole_day(day: date, zone: ZoneInfo) -> Interval:
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + ONE_DAY))
    return Interval(start.astimezone(UTC), end.astimezone(UTC))


def _turn_start(layer: Layer, number: int, zone: ZoneInfo) -> datetime:
    on = layer.starts_on + timedelta(days=number * layer.turn_days)
    return datetime.combine(on, layer.handover, zone).astimezone(UTC)


def _turns(layer: Layer, span: Interval, zone: ZoneInfo) -> range:
    """The numbers of the turns that may touch the span, from 0 on."""
    first_day = span.start.astimezone(zone).date() - ONE_DAY
    last_day = span.end.astimezone(zone).date()
    if layer.until is not None:
        last_day = min(last_day, layer.until)
    first = max((first_day - layer.starts_on).days // layer.turn_days, 0)
    last = (last_day - layer.starts_on).days // layer.turn_days
    return range(first, last + 1)


def _over(under: list[Duty], over: list[Duty]) -> list[Duty]:
    """``over`` laid on ``under``; the pieces of each do not overlap among themselves."""
    hidden = union(each.interval for each in over)
    left = [
        Duty(piece.start, piece.end, each.staff_id, each.source)
        for each in under
        for piece in subtraction((each.interval,), hidden)
    ]
    return sorted([*left, *over], key=lambda each: each.start)


def _swapped(found: list[Duty], swap: Swap) -> list[Duty]:
    taken = Interval(swap.from_at.astimezone(UTC), swap.until_at.astimezone(UTC))
    moved = [
        Duty(piece.start, piece.end, swap.taken_by, "swap")
        for each in found
        if each.staff_id == swap.staff_id
        for piece in intersection((each.interval,), (taken,))
    ]
    return _over(found, moved)


def _merged(found: Iterable[Duty]) -> list[Duty]:
    merged: list[Duty] = []
    for each in found:
        last = merged[-1] if merged else None
        if last is not None and (last.staff_id, last.source) == (each.staff_id, each.source):
            merged[-1] = Duty(last.start, each.end, last.staff_id, last.source)
        else:
            merged.append(each)
    return merged
