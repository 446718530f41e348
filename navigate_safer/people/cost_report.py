"""The result of the book as tables, each with what can and what cannot be concluded from it."""

from collections.abc import Callable, Iterable

from navigate_safer.people import cost_sensitivity, outcome_pictures
from navigate_safer.people.cost_book import Book
from navigate_safer.people.cost_case import (
    KINDS,
    Bar,
    CannotCount,
    Case,
    Valued,
    at_effects,
    case_of,
)
from navigate_safer.people.outcome_table import (
    NOT_APPLICABLE,
    Cell,
    Table,
    pounds,
    ratio,
    share,
    words,
    years,
)

# Undiscounted and discounted pounds of one way of counting.
Two = Callable[[Valued], tuple[float, float]]
TITLE = "What it costs and what it brings"
FORMULA = (
    "Avoided = cohort x baseline x ramp x effect x (1 - deadweight) x (1 - drop-off)^year. Benefit "
    "= avoided x unit cost x (1 - optimism bias). Cost x (1 + optimism bias). Each year is "
    "discounted by the rate. Source: HM Treasury and New Economy, supporting public service "
    "transformation (2014), a supplement to the Green Book."
)


def result_tables(book: Book) -> list[Table]:
    """What it costs and brings; one table that says why, where there is no result."""
    try:
        case = case_of(book)
    except CannotCount as fault:
        said = (f"Cannot be estimated: {fault}", "Nothing is filled in that nobody has stated.")
        row = ("Cost and benefit", "cannot be estimated")
        return [Table("money", TITLE, ("", "Figure"), (row,), said)]
    bars = cost_sensitivity.tornado(book)
    return [_money(book, case), _by_agency(case), _effects(book), _tornado(book, case, bars)]


def _money(book: Book, case: Case) -> Table:
    plain, less = case.plain, case.deducted
    rows: list[tuple[Cell, ...]] = [("Cost", *_both(plain, _cost), *_both(less, _cost))]
    rows += [
        (f"{kind.capitalize()} benefit", *_kind(plain, kind), *_kind(less, kind)) for kind in KINDS
    ]
    rows += [
        ("Of the fiscal benefit cashable and signed for",
         *_both(plain, _cashable), *_both(less, _cashable)),
        ("Public value less cost", *_both(plain, _net), *_both(less, _net)),
        ("Fiscal return on each pound", *_ratios(plain, "fiscal"), *_ratios(less, "fiscal")),
        ("Public value for each pound", *_ratios(plain, "all"), *_ratios(less, "all")),
        ("Cost is paid back, fiscal benefit alone", "", _paid_back(plain, "fiscal"),
         "", _paid_back(less, "fiscal")),
        ("Cost is paid back, public value", "", _paid_back(plain, "all"),
         "", _paid_back(less, "all")),
    ]  # fmt: skip
    columns = ("", "Without deductions", "Without, discounted", "With deductions",
               "With, discounted")  # fmt: skip
    said = tuple(_money_said(book, case))
    drawn = [("Cost", less.found.pv_cost)]
    drawn += [(f"{kind.capitalize()} benefit", less.by_kind[kind]) for kind in KINDS]
    drawn.append(("Cashable and signed for", less.found.pv_cashable))
    picture = outcome_pictures.bars(drawn, "With deductions, discounted")
    return Table("money", TITLE, columns, tuple(rows), said, FORMULA, picture)


def _cost(each: Valued) -> tuple[float, float]:
    return each.found.undiscounted.cost, each.found.pv_cost


def _cashable(each: Valued) -> tuple[float, float]:
    return each.found.undiscounted.cashable, each.found.pv_cashable


def _net(each: Valued) -> tuple[float, float]:
    whole = each.found.undiscounted
    return whole.fiscal + whole.social - whole.cost, each.found.npv_public_value


def _both(each: Valued, of: Two) -> tuple[Cell, Cell]:
    undiscounted, discounted = of(each)
    return pounds(undiscounted), pounds(discounted)


def _kind(each: Valued, kind: str) -> tuple[Cell, Cell]:
    return pounds(each.undiscounted_by_kind[kind]), pounds(each.by_kind[kind])


def _ratios(each: Valued, of: str) -> tuple[Cell, Cell]:
    whole, found = each.found.undiscounted, each.found
    above = whole.fiscal if of == "fiscal" else whole.fiscal + whole.social
    discounted = found.fiscal_return if of == "fiscal" else found.benefit_cost_ratio
    return ratio(above / whole.cost if whole.cost > 0 else None), ratio(discounted)


def _paid_back(each: Valued, of: str) -> Cell:
    """The year, and whether what was paid back is lost again before the end."""
    found = each.found
    fiscal = of == "fiscal"
    after = found.payback_years_fiscal if fiscal else found.payback_years_public_value
    net = found.npv_fiscal if fiscal else found.npv_public_value
    if after is None:
        return "not in these years"
    when = "in the first year" if after == 0 else words(years(after))
    return f"{when}, and lost again by the end" if net < 0 else when


def _money_said(book: Book, case: Case) -> Iterable[str]:
    given, found = book.assumptions, case.deducted.found
    back, value = found.fiscal_return, found.benefit_cost_ratio
    if back is not None and value is not None:
        verdict = "more" if back >= 1 else "less"
        yield (
            f"With deductions the public purse gets back {back:.2f} for each pound, {verdict} than "
            f"it pays, and everybody together {value:.2f}. This holds if the assumptions hold: it "
            f"is a calculation from them, and no finding that the programme worked."
        )
    yield (
        f"Deductions are {words(share(given.deadweight))} for what would have happened anyway, "
        f"{words(share(given.optimism_bias_benefit))} off benefits and "
        f"{words(share(given.optimism_bias_cost))} on costs. Read the right-hand columns; the "
        f"left-hand ones stand beside them because others publish such figures."
    )
    yield (
        "Fiscal is money of public bodies, and most of it cannot be taken out of a budget: only "
        "what a budget owner has signed for is called cashable. Economic and social benefits are "
        "worth something to people and pay no bill."
    )
    yield from (f"{each}." for each in case.left_out)


def _by_agency(case: Case) -> Table:
    rows = tuple(
        (each.agency, pounds(each.cost), pounds(each.benefit), pounds(each.benefit - each.cost),
         pounds(each.cashable))
        for each in case.agencies
    )  # fmt: skip
    losing = [each.agency for each in case.agencies if each.benefit < each.cost]
    said = (
        f"These pay more than they get: {', '.join(losing)}. The gain of the others is no reason "
        f"for them to go on paying alone."
        if losing
        else "No agency pays more than it gets, if the assumptions hold.",
        "It cannot show whether a cost was moved from one agency to another outside this table.",
    )
    columns = ("Agency", "Pays", "Gets", "Difference", "Cashable, signed for")
    method = "Present values with deductions. Who pays and who gains are as entered."
    return Table("agencies", "Who pays and who gains", columns, rows, said, method)


def _effects(book: Book) -> Table:
    rows = tuple(
        (share(effect), ratio(each.found.fiscal_return), ratio(each.found.benefit_cost_ratio),
         pounds(each.found.npv_public_value))
        for effect, each in at_effects(book)
    )  # fmt: skip
    switching = case_of(book).deducted.found.switching_values
    lines = [
        f"{book.unit_costs[book.benefits[ref].unit_cost].name}: "
        f"{NOT_APPLICABLE if value is None else words(share(round(value, 4)))}, assumed "
        f"{words(share(book.benefits[ref].effect))}"
        for ref, value in switching.items()
    ]
    said = (
        ("10 to 20 % is what Southend counted on, 35 % the fall in arrests that West Cheshire "
        "reported without a comparison group: none of them is a measured effect."),
        "Public value is exactly nil when one effect alone is changed to: " + "; ".join(lines)
        + ". Below 0 the others carry the cost by themselves, above 100 % this one cannot.",
    )  # fmt: skip
    columns = ("If every effect was", "Fiscal return", "Public value for each pound",
               "Public value less cost")  # fmt: skip
    return Table("effects", "How large the effect has to be", columns, rows, said,
                 "With deductions, discounted.")  # fmt: skip


def _tornado(book: Book, case: Case, bars: list[Bar]) -> Table:
    middle = case.deducted.found.npv_public_value
    rows = tuple(
        (bar.label, bar.low, bar.high, pounds(bar.at_low), pounds(bar.at_high)) for bar in bars
    )
    by = words(share(book.assumptions.sensitivity))
    changes = [bar.label for bar in bars if min(bar.at_low, bar.at_high) < 0 <= middle
               or max(bar.at_low, bar.at_high) >= 0 > middle]  # fmt: skip
    turned = (
        f"By itself it turns gain into loss, or loss into gain: {'; '.join(changes)}."
        if changes
        else f"None of them, moved by {by}, turns gain into loss or loss into gain by itself."
    )
    said = (
        (
            f"Each assumption is moved down and up by {by} of itself while the others stay. The "
            f"widest bar is what to find out about first. {turned}"
        ),
        "It cannot show what happens if several are wrong together, and how likely any of it is.",
    )
    columns = ("Assumption", "From", "To", "Public value less cost at From", "At To")
    picture = outcome_pictures.tornado(bars, middle)
    return Table("tornado", "What moves the result most", columns, rows, said,
                 "With deductions, discounted. The dot is the upper value.", picture)  # fmt: skip
