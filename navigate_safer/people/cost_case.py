"""From the book to the appraisal: with deductions and without, by kind and by agency.

The formula is that of :func:`navigate_safer.outcomes.cost_benefit.cba`; economic benefits stand
with the social ones in it, since both are public value and neither is the public purse's.
"""

import math
from collections.abc import Iterable

import msgspec

from navigate_safer.outcomes.cost_benefit import Appraisal, CostBenefit, Outcome, cba
from navigate_safer.people.cost_book import Benefit, Book
from navigate_safer.people.cost_checks import double_counts, worth

KINDS = ("fiscal", "economic", "social")
# Southend counted on 10 to 20 % fewer repeat offenders; West Cheshire reported 35 % fewer arrests.
EFFECTS_SHOWN = (0.10, 0.20, 0.35)


class Valued(msgspec.Struct, frozen=True):
    """One way of counting: what came out, and present values by kind in pounds."""

    found: CostBenefit
    by_kind: dict[str, float]
    undiscounted_by_kind: dict[str, float]


class AgencyShare(msgspec.Struct, frozen=True):
    """What one agency pays and what it gets, present values in pounds, deductions in them."""

    agency: str
    cost: float
    benefit: float
    cashable: float


class Bar(msgspec.Struct, frozen=True):
    """One assumption moved down and up: its values, and the net present public value at each."""

    label: str
    low: str
    high: str
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """How far the net present value moves."""
        return abs(self.at_high - self.at_low)


class Case(msgspec.Struct, frozen=True):
    """The whole result. ``left_out`` says which benefits are not in it, and why."""

    deducted: Valued
    plain: Valued
    agencies: tuple[AgencyShare, ...]
    left_out: tuple[str, ...]
    counted: tuple[str, ...]


class CannotCount(Exception):
    """The book gives no result; the message is one sentence for each reason."""


def case_of(book: Book) -> Case:
    """The result of a book; raises :class:`CannotCount`."""
    reasons = why_not(book)
    if reasons:
        raise CannotCount(" ".join(f"{each}." for each in reasons))
    deducted = valued(book, deductions=True)
    return Case(
        deducted=deducted,
        plain=valued(book, deductions=False),
        agencies=tuple(_agencies(book, deducted.found)),
        left_out=tuple(left_out(book)),
        counted=tuple(counted(book)),
    )


def why_not(book: Book) -> list[str]:
    """What is missing for any result at all, and what would count twice."""
    reasons = double_counts(book)
    if book.assumptions.cohort is None:
        reasons.append("The size of the cohort is not stated: set it in the assumptions")
    if not book.costs:
        reasons.append("The cost of no service is stated: add a schedule of costs")
    if not counted(book):
        reasons.append("No benefit is stated in full: add one with its baseline and effect")
    return reasons


def left_out(book: Book) -> Iterable[str]:
    """Each benefit that cannot be counted, with what is not stated."""
    for line in book.benefits.values():
        unit = book.unit_costs.get(line.unit_cost)
        name = line.unit_cost if unit is None else unit.name
        for what, value in (
            ("what one is worth", worth(book, line)),
            ("how many there would be", line.baseline),
            ("how many are avoided", line.effect),
        ):
            if value is None:
                yield f"{name}: {what} is not stated, so it is left out"
                break


def counted(book: Book) -> dict[str, Benefit]:
    """The benefits of which everything is stated."""
    return {
        ref: line
        for ref, line in book.benefits.items()
        if None not in (worth(book, line), line.baseline, line.effect)
    }


def valued(book: Book, *, deductions: bool) -> Valued:
    """The appraisal; without deductions nothing is taken off for deadweight or optimism."""
    found = cba(appraisal(book, deductions=deductions))
    kinds = {ref: line.kind for ref, line in book.benefits.items()}
    return Valued(
        found=found,
        by_kind={
            kind: math.fsum(row.pv_benefit for row in found.rows if kinds[row.id] == kind)
            for kind in KINDS
        },
        undiscounted_by_kind={
            kind: math.fsum(row.benefit_undiscounted for row in found.rows if kinds[row.id] == kind)
            for kind in KINDS
        },
    )


def appraisal(book: Book, *, deductions: bool) -> Appraisal:
    """The input of ``cba``; a cashable share counts only where a budget owner has signed."""
    given = book.assumptions
    return Appraisal(
        cohort=given.cohort or 0.0,
        years=given.years,
        discount_rate=given.discount_rate,
        first_year_t=0.0 if given.first_year_undiscounted else 1.0,
        deadweight=given.deadweight if deductions else 0.0,
        optimism_bias_benefit=given.optimism_bias_benefit if deductions else 0.0,
        optimism_bias_cost=given.optimism_bias_cost if deductions else 0.0,
        ramp=given.ramp,
        cost_by_year=tuple(
            math.fsum(_cost_of(book, agency)[year] for agency in _payers(book))
            for year in range(given.years)
        ),
        outcomes=tuple(_outcome(book, ref, line) for ref, line in counted(book).items()),
    )


def _outcome(book: Book, ref: str, line: Benefit) -> Outcome:
    return Outcome(
        id=ref,
        kind="fiscal" if line.kind == "fiscal" else "social",
        baseline_per_person_year=line.baseline or 0.0,
        effect=line.effect or 0.0,
        unit_value=worth(book, line) or 0.0,
        cashable=line.cashable if line.signed else 0.0,
        drop_off=line.drop_off,
    )


def _payers(book: Book) -> list[str]:
    return sorted({each.agency for each in book.costs.values()})


def _cost_of(book: Book, agency: str) -> list[float]:
    """Pounds of each year that an agency pays, nothing added for optimism."""
    return [
        math.fsum(
            each.total
            for each in book.costs.values()
            if each.agency == agency and each.first_year <= year <= each.last_year
        )
        for year in range(1, book.assumptions.years + 1)
    ]


def _agencies(book: Book, found: CostBenefit) -> Iterable[AgencyShare]:
    lines = counted(book)
    bias = 1 + book.assumptions.optimism_bias_cost
    for agency in sorted({*_payers(book), *(line.agency for line in lines.values())}):
        mine = [row for row in found.rows if lines[row.id].agency == agency]
        paid = zip(_cost_of(book, agency), found.discount_factors, strict=True)
        yield AgencyShare(
            agency,
            cost=math.fsum(cost * bias * factor for cost, factor in paid),
            benefit=math.fsum(row.pv_benefit for row in mine),
            cashable=math.fsum(
                row.pv_benefit * lines[row.id].cashable for row in mine if lines[row.id].signed
            ),
        )


def at_effects(book: Book) -> list[tuple[float, Valued]]:
    """The result were every effect the same, for the shares that the documents name."""
    made = []
    for effect in EFFECTS_SHOWN:
        lines = {
            ref: msgspec.structs.replace(line, effect=effect) for ref, line in counted(book).items()
        }
        changed = msgspec.structs.replace(book, benefits=lines)
        made.append((effect, valued(changed, deductions=True)))
    return made
