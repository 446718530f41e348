"""A report on outcomes: parts with rows, and under each what can and cannot be concluded.

The page, the printed pack and the spreadsheet show the same parts. In a public report a row or a
sentence that rests on a small number is left out, and said to be.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from navigate_safer.outcomes.estimate import OpenInterval
from navigate_safer.people.record_reach import Reach

# Cells under 5 are left out of public packs: a custom of statistics offices, to be confirmed
# locally; an area may set its own.
SMALL = 5
PUBLIC_STEP_DAYS = 30
# Days at risk at which the share without an event is a row of its own.
DAYS_SHOWN = (90, 180, 365)
LEFT_OUT = f"left out: fewer than {SMALL}"
CANNOT = "cannot be estimated"


class Row(msgspec.Struct, frozen=True):
    """One figure in words, with the number itself for a spreadsheet.

    ``counts`` are the counts of people or events that it rests on; ``behind`` is the name of the
    list of them, for those who may see it.
    """

    label: str
    value: str
    interval: str = ""
    note: str = ""
    number: float | None = None
    low: float | None = None
    high: float | None = None
    counts: tuple[int, ...] = ()
    behind: str | None = None


class Sentence(msgspec.Struct, frozen=True):
    """One sentence and the counts that can be read from it; ``team_only``: never in public."""

    text: str
    counts: tuple[int, ...] = ()
    team_only: bool = False


class Point(msgspec.Struct, frozen=True):
    """One step of a curve: share and interval from a day on, people still watched."""

    day: float
    share: float
    low: float | None
    high: float | None
    at_risk: int


class Part(msgspec.Struct, frozen=True):
    """One measure. ``adds_up``: its rows are the whole of a known total. ``curves``: by group.

    ``start_counts`` are the counts that the number watched at the start of ``curve`` gives away.
    """

    key: str
    title: str
    rows: tuple[Row, ...]
    said: tuple[Sentence, ...]
    method: str
    curve: tuple[Point, ...] = ()
    adds_up: bool = False
    curves: tuple[tuple[str, tuple[Point, ...]], ...] = ()
    start_counts: tuple[int, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """The parts, and what they are about; ``reach``: how far the records behind them reach."""

    as_at: date
    policy: str
    people: int
    window_days: int
    gap_days: int
    kind: str
    parts: tuple[Part, ...]
    public: bool = False
    reach: tuple[Reach, ...] = ()

    def part(self, key: str) -> Part:
        """The part of that name; raises KeyError."""
        return {each.key: each for each in self.parts}[key]


def public(report: Report) -> Report:
    """The report without lists, and without what rests on a small number."""
    parts = tuple(_public_part(part) for part in report.parts)
    people = report.people if not small((report.people,)) else 0
    return msgspec.structs.replace(report, parts=parts, people=people, public=True)


def small(counts: Sequence[int]) -> bool:
    """Whether one of the counts is so small that somebody could be known by it."""
    return any(0 < count < SMALL for count in counts)


def with_complement(counts: Sequence[Sequence[int]], hidden: Iterable[int]) -> set[int]:
    """Which rows to leave out of those that add up to a known total; ``hidden`` are left out.

    What is left out is the total less the others: of each count it has to be nought or at least
    :data:`SMALL`. The smallest row that makes it more is taken next; one of nought hides nothing.
    """
    found = set(hidden)
    while True:
        together = [sum(each) for each in zip(*(counts[row] for row in found), strict=False)]
        lacking = [column for column, count in enumerate(together) if small((count,))]
        rest = [
            row
            for row in range(len(counts))
            if row not in found and any(counts[row][column] for column in lacking)
        ]
        if not rest:
            return found
        found.add(min(rest, key=lambda row: tuple(counts[row])))


def _public_part(part: Part) -> Part:
    hidden = {number for number, row in enumerate(part.rows) if small(row.counts)}
    if part.adds_up:
        hidden = with_complement([row.counts for row in part.rows], hidden)
    rows = tuple(
        Row(row.label, LEFT_OUT) if number in hidden else msgspec.structs.replace(row, behind=None)
        for number, row in enumerate(part.rows)
    )
    may_say = [each for each in part.said if not each.team_only]
    said = tuple(each for each in may_say if not small(each.counts))
    if len(said) < len(may_say) or (hidden and not said):
        said = (*said, Sentence("Some words are left out, since they rest on small numbers."))
    curve = _coarse(part.curve)
    if small(part.start_counts):
        curve = tuple(point for point in curve if point.day > 0)
    curves = tuple((name, _coarse(each)) for name, each in part.curves)
    return msgspec.structs.replace(part, rows=rows, said=said, curve=curve, curves=curves)


def public_steps(curve: Sequence[Point]) -> dict[float, tuple[int, ...]]:
    """What could be read from the curve at each day that a public report may show.

    People watched, and those who have had an event or have left since the day shown before it:
    share and number watched would tell how many. Where one is small the day is left out, and the
    next is held against the last that is shown. The rows of a part show some of these days too.
    """
    found: dict[float, tuple[int, ...]] = {}
    events, share = 0, 1.0
    shown: Point | None = None
    for point in curve:
        if share > 0:
            events += round(point.at_risk * (1 - point.share / share))
        share = point.share
        if not _may_show(point.day):
            continue
        left = (shown or curve[0]).at_risk - point.at_risk
        found[point.day] = (point.at_risk, events, left)
        if not small(found[point.day]):
            shown, events = point, 0
    return found


def _may_show(day: float) -> bool:
    """Thirtieth days and those of the rows, of which none is close to another."""
    return day in DAYS_SHOWN or (
        day % PUBLIC_STEP_DAYS == 0
        and all(abs(day - each) >= PUBLIC_STEP_DAYS / 2 for each in DAYS_SHOWN)
    )


def _coarse(curve: Sequence[Point]) -> tuple[Point, ...]:
    """The curve at thirtieth days while enough are watched: no step of one person."""
    steps = public_steps(curve)
    return tuple(
        point
        for point in curve
        if point.day % PUBLIC_STEP_DAYS == 0 and point.day in steps and not small(steps[point.day])
    )


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage; a minus as printed."""
    return CANNOT if share is None else f"{100 * share:.{digits}f} %".replace("-", "\N{MINUS SIGN}")


def change(ratio: float | None) -> str:
    """A ratio as a change: 0.65 is a fall of 35 %."""
    if ratio is None:
        return CANNOT
    if round(100 * ratio) == 100:
        return "no change"
    return f"{'fall' if ratio < 1 else 'rise'} of {abs(100 * (ratio - 1)):.0f} %"


def between(interval: OpenInterval | None, why: str = "") -> str:
    """An interval of shares, as percentages."""
    if interval is None:
        return why or CANNOT
    low, high = interval
    if high is None:
        return f"{percent(low)} or more"
    return f"{percent(low)} to {percent(high)}"


def change_between(interval: OpenInterval | None, why: str = "") -> str:
    """An interval of ratios, as changes."""
    if interval is None:
        return why or CANNOT
    low, high = interval
    return f"{change(low)} to {'no upper limit' if high is None else change(high)}"


def signed(change_percent: float | None) -> str:
    """A change in per cent with its sign."""
    if change_percent is None:
        return CANNOT
    return f"{change_percent:+.0f} %".replace("-", "\N{MINUS SIGN}")
