"""A rota as a picture: a bar a week, local time from left to right, and who is on in each part."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from alerts.rota import Duty

# As many looks as can be told apart; the name is written in each part besides.
LOOKS = 6
DAYS = 7


class Part(msgspec.Struct, frozen=True):
    """A part of a week's bar, as shares of the week; ``look`` None is a gap."""

    left: float
    width: float
    label: str
    look: int | None


class Tick(msgspec.Struct, frozen=True):
    """Where a day begins in the bar."""

    left: float
    label: str


class Week(msgspec.Struct, frozen=True):
    """One bar. A week in which the clocks change is an hour shorter or longer, and still one."""

    label: str
    words: str
    parts: list[Part]
    ticks: list[Tick]
    now: float | None


def week_start(at: datetime, timezone: str) -> datetime:
    """The local midnight with which the week of an instant begins, a Monday."""
    local = at.astimezone(ZoneInfo(timezone))
    return _midnight(local, -local.weekday(), timezone)


def weeks_after(start: datetime, timezone: str, weeks: int) -> datetime:
    """The local midnight so many weeks after one."""
    return _midnight(start.astimezone(ZoneInfo(timezone)), DAYS * weeks, timezone)


def _midnight(local: datetime, days: int, timezone: str) -> datetime:
    on = local.date() + timedelta(days=days)
    return datetime.combine(on, time(), ZoneInfo(timezone))


def looks_of(duties: Sequence[Duty]) -> dict[int, int]:
    """The look of each person, in the order of their first duties."""
    people = list(dict.fromkeys(each.staff_id for each in duties if each.staff_id is not None))
    return {person: number % LOOKS for number, person in enumerate(people)}


def key(duties: Sequence[Duty], names: Mapping[int, str]) -> list[tuple[int, str, str]]:
    """Look, initials and name of each person of the bars."""
    found = [(look, names.get(who, "not known")) for who, look in looks_of(duties).items()]
    return [(look, _initials(name), name) for look, name in found]


def weeks(
    duties: Sequence[Duty],
    names: Mapping[int, str],
    start: datetime,
    timezone: str,
    count: int,
    now: datetime,
) -> list[Week]:
    """The bars of ``count`` weeks from a local midnight on."""
    looks = looks_of(duties)
    return [
        _week(
            duties,
            names,
            looks,
            weeks_after(start, timezone, number),
            weeks_after(start, timezone, number + 1),
            now,
        )
        for number in range(count)
    ]


def _week(
    duties: Sequence[Duty],
    names: Mapping[int, str],
    looks: Mapping[int, int],
    start: datetime,
    end: datetime,
    now: datetime,
) -> Week:
    whole = end.timestamp() - start.timestamp()

    def share(at: datetime) -> float:
        return (at.timestamp() - start.timestamp()) / whole

    parts, said = [], []
    for duty in duties:
        begins, ends = max(duty.start, start), min(duty.end, end)
        if begins >= ends:
            continue
        name = "nobody" if duty.staff_id is None else names.get(duty.staff_id, "not known")
        label = "GAP" if duty.staff_id is None else _initials(name)
        look = None if duty.staff_id is None else looks[duty.staff_id]
        parts.append(Part(share(begins), share(ends) - share(begins), label, look))
        local = begins.astimezone(start.tzinfo)
        said.append(f"{name} from {local:%a %H:%M}")
    ticks = [
        Tick(share(_midnight(start, day, str(start.tzinfo))), f"{start + timedelta(days=day):%a}")
        for day in range(DAYS)
    ]
    words = f"Week of {start.day} {start:%B}: " + "; ".join(said) + "."
    return Week(
        label=f"{start.day} {start:%b}",
        words=words,
        parts=parts,
        ticks=ticks,
        now=share(now) if start <= now < end else None,
    )


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word)[:3].upper()
