"""The quarterly pack of each tier: what differs is what each tier decides about.

The board reads headlines and money, the steering group the framework by agency, what is late and
who has room; a team reads its own area in full. Boards and steering groups see no name, and no
number under the small-number limit.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum

import msgspec

from navigate_safer.people import cost_ledger, cost_report
from navigate_safer.people.cost_book import Book
from navigate_safer.people.outcome_change import trusted_row
from navigate_safer.people.outcome_framework import Line
from navigate_safer.people.outcome_report import (
    CANNOT,
    LEFT_OUT,
    Part,
    Report,
    Row,
    small,
    with_complement,
)
from navigate_safer.people.outcome_table import Cell, Number, Table, count

# Open cases that one worker can hold: 150 perpetrators a year for 9 months each, 4 workers
# (Cheshire East, domestic abuse strategy, staffing); an area may set its own.
CASES_PER_WORKER = 28
# An alert that nobody has answered for so long is late: our own.
LATE_ALERT_HOURS = 24
# What the board decides about; the rest is in the other packs.
BOARD_PARTS = ("change", "mean", "survival", "proven", "harm", "serial")
HEADLINE_ROWS = {"mean": 3, "survival": 2, "proven": 0, "harm": 0, "serial": 1}


class Tier(Enum):
    """For whom a pack is."""

    BOARD = "board"
    STEERING = "steering"
    TEAM = "team"

    @property
    def label(self) -> str:
        """The pack's name."""
        return {
            Tier.BOARD: "Board pack, without names",
            Tier.STEERING: "Steering group pack, without names",
            Tier.TEAM: "Team pack",
        }[self]


class AreaLoad(msgspec.Struct, frozen=True):
    """People of an area who are worked with, and workers who have at least one of them."""

    area: str
    people: int
    workers: int


class Waiting(msgspec.Struct, frozen=True):
    """Alerts of the areas that nobody has answered in time, as of the moment of the pack."""

    late: int
    open: int


class Pack(msgspec.Struct, frozen=True):
    """What a pack holds: the report's parts, and tables before and after them."""

    tier: Tier
    report: Report
    first: tuple[Table, ...]
    last: tuple[Table, ...]


class Facts(msgspec.Struct, frozen=True):
    """What packs are made of besides the report; ``today`` is the day on which they are read."""

    book: Book
    framework: Sequence[Line]
    loads: Sequence[AreaLoad]
    waiting: Waiting
    today: date


def pack_of(tier: Tier, report: Report, facts: Facts) -> Pack:
    """The pack of a tier; for the board and the steering group ``report`` is the public one."""
    money = cost_report.result_tables(facts.book)
    if tier is Tier.BOARD:
        kept = tuple(part for part in report.parts if part.key in BOARD_PARTS)
        shown = msgspec.structs.replace(report, parts=kept)
        ledger = cost_ledger.ledger_table(facts.book)
        last = (*money, ledger, framework_table(facts.framework))
        return Pack(tier, shown, (headlines(report),), last)
    if tier is Tier.STEERING:
        first = (
            headlines(report),
            late_items(facts),
            capacity(facts.loads),
            framework_table(facts.framework),
        )
        rest = cost_ledger.money_table(facts.book, facts.today)
        return Pack(tier, report, first, (*money, cost_ledger.ledger_table(facts.book), *rest))
    return Pack(tier, report, (), (framework_table(facts.framework),))


def headlines(report: Report) -> Table:
    """One line a part, with its interval and the first sentence of what it says."""
    rows = []
    for part in report.parts:
        if part.key in BOARD_PARTS and part.rows:
            row = headline_of(part)
            measure = f"{part.title}: {row.label[:1].lower()}{row.label[1:]}"
            rows.append((measure, row.value, row.interval, _what_it_says(part)))
    said = (
        (
            "None of these shows by itself that the programme worked: people are picked at their "
            "worst, and the law, the courts and the reporting of abuse change too. What each can "
            "say stands beside it; the parts below say how it is counted."
        ),
    )
    columns = ("Measure", "Figure", "Likely between (95 %)", "What it says")
    return Table("headlines", "Headlines", columns, tuple(rows), said)


def headline_of(part: Part) -> Row:
    """The row that stands for a part: of the change the interval that may be trusted."""
    if part.key == "change":
        return trusted_row(part)
    return part.rows[min(HEADLINE_ROWS[part.key], len(part.rows) - 1)]


# The rows of the parts that the framework has; of the others the first.
_FRAMEWORK_ROWS = {"serial": 1}


def in_framework(part: Part) -> str:
    """What the joint framework shows of a part: the change as the headline has it."""
    if not part.rows:
        return ""
    changed = part.key == "change"
    row = trusted_row(part) if changed else part.rows[_FRAMEWORK_ROWS.get(part.key, 0)]
    return f"{row.value} (likely {row.interval})" if row.interval else row.value


# Of these a fall is easily taken for a success, so that all their words are printed.
_WHOLE = ("change", "mean")


def _what_it_says(part: Part) -> str:
    found = part.said if part.key in _WHOLE else part.said[:1]
    return " ".join(each.text for each in found) or CANNOT


def framework_table(lines: Sequence[Line]) -> Table:
    """The joint framework by agency: one definition, one figure."""
    ordered = sorted(lines, key=lambda line: line.definition.owner)
    rows = tuple(
        (line.definition.owner, line.definition.name, _figure(line),
         f"{line.definition.numerator}, out of {line.definition.denominator}",
         line.definition.window)
        for line in ordered
    )  # fmt: skip
    waiting = [line for line in lines if line.state == "not supplied"]
    said = (
        (
            f"{len(waiting)} of {len(lines)} measures have not been supplied by their owners; that "
            f"is not nought, and nothing can be concluded about them."
        ),
        "No figure here shows by itself that the programme caused a change.",
    )
    columns = ("Owner", "Measure", "Figure", "What is counted", "Over")
    return Table("framework", "Joint outcomes framework", columns, rows, said)


def _figure(line: Line) -> Cell:
    if line.figure is not None:
        return Number(line.words, line.figure)
    return line.words or (CANNOT if line.state == "computed" else line.state)


def late_items(facts: Facts) -> Table:
    """What is overdue, by who has to see to it."""
    late, everything = facts.waiting.late, facts.waiting.open
    hidden = small((late, everything, everything - late))
    alerts = LEFT_OUT if hidden else f"{late} of {everything} open"
    what = f"Alerts that nobody has answered for {LATE_ALERT_HOURS} hours"
    rows: list[tuple[Cell, ...]] = [("Navigate Safer", what, alerts)]
    rows += [
        (owner, "Measures of the framework not supplied", count(number))
        for owner, number in _not_supplied(facts.framework).items()
    ]
    rows += [
        (each.agency, f"{each.what}: {each.state} for {each.year}, not realised", "late")
        for each in facts.book.ledger.values()
        if each.state != "realised" and _year_over(each.year, facts.today)
    ]
    rows += [("Funding", each, "ends soon") for each in cost_ledger.ending(facts.book, facts.today)]
    said = (
        (
            "What is late says nothing of why. An alert that was answered late was still answered; "
            "the pages of the service show each one to those who may see it."
        ),
    )
    return Table("late", "Overdue and late", ("Who", "What", "How many"), tuple(rows), said)


def _not_supplied(lines: Sequence[Line]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        if line.state == "not supplied":
            found[line.definition.owner] = found.get(line.definition.owner, 0) + 1
    return dict(sorted(found.items()))


def _year_over(year: str, today: date) -> bool:
    """Whether a financial year, such as 2026/27, has ended: on 31 March."""
    return today > date(int(year[:4]) + 1, 3, 31)


def _hidden(loads: Sequence[AreaLoad]) -> set[str]:
    """Areas with so few people that somebody could be known by it.

    The whole is printed in the pack: what is left out is the whole less the others, so that as
    many areas are left out with it as it takes to have enough people, or none, among them.
    """
    few = [place for place, each in enumerate(loads) if small((each.people,))]
    places = with_complement([(each.people,) for each in loads], few)
    return {loads[place].area for place in places}


def capacity(loads: Sequence[AreaLoad]) -> Table:
    """People for each worker by area, beside what one can hold."""
    rows: list[tuple[Cell, ...]] = []
    over = []
    hidden = _hidden(loads)
    for each in loads:
        if each.area in hidden:
            rows.append((each.area, LEFT_OUT, "", ""))
            continue
        part = each.people / each.workers if each.workers else None
        if part is not None and part > CASES_PER_WORKER:
            over.append(each.area)
        state = "no worker" if part is None else ("over" if part > CASES_PER_WORKER else "within")
        each_has: Cell = "" if part is None else Number(f"{part:.1f}", part)
        rows.append((each.area, count(each.people), each_has, state))
    told = (
        f"Over {CASES_PER_WORKER} people a worker: {', '.join(over)}."
        if over
        else f"No area has more than {CASES_PER_WORKER} people for each worker."
    )
    said = (
        told,
        (
            f"{CASES_PER_WORKER} is what Cheshire East planned with (150 people a year, 9 months "
            f"each, 4 workers). It cannot show how hard the cases are, nor who is ill or on leave."
        ),
    )
    columns = ("Area", "People", "For each worker", "Capacity")
    method = "People and their offender managers as they are when the pack is made."
    return Table("capacity", "Who has room", columns, tuple(rows), said, method)
