"""One assumption at a time, down and up by the same share of itself: what moves the result most."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from navigate_safer.people.cost_book import Book, Cost, Kind
from navigate_safer.people.cost_case import Bar, counted, valued
from navigate_safer.people.outcome_table import count, pounds, share, words

# More bars than this say nothing that the first ones do not.
MOST_BARS = 12
# A rate that all benefits are multiplied with cannot be above the whole.
WHOLE = 1.0
EntryT = TypeVar("EntryT", bound=msgspec.Struct)
# The label, the value at both ends, and the book at each.
_Moved = tuple[str, str, str, Book, Book]


def tornado(book: Book) -> list[Bar]:
    """The bars, the widest first; deductions are in. The book must give a result."""
    bars = [
        Bar(label, low, high, _npv(below), _npv(above))
        for label, low, high, below, above in (*_general(book), *_of_benefits(book), *_paid(book))
    ]
    return sorted(bars, key=lambda bar: -bar.swing)[:MOST_BARS]


def _npv(book: Book) -> float:
    return valued(book, deductions=True).found.npv_public_value


def _ends(value: float, by: float, most: float | None = None) -> tuple[float, float]:
    low, high = sorted((value * (1 - by), value * (1 + by)))
    return (low, high) if most is None else (min(low, most), min(high, most))


def _general(book: Book) -> Iterable[_Moved]:
    given = book.assumptions
    named = (
        ("cohort", "People in the cohort", None),
        ("discount_rate", "Discount rate", WHOLE),
        ("deadweight", "Would have happened anyway", WHOLE),
        ("optimism_bias_benefit", "Optimism bias of benefits", WHOLE),
        ("optimism_bias_cost", "Optimism bias of costs", None),
    )
    for field, label, most in named:
        value = getattr(given, field)
        ends = _ends(value, given.sensitivity, most)
        books = [
            msgspec.structs.replace(book, assumptions=_with(given, field, end)) for end in ends
        ]
        low, high = (words(count(end) if field == "cohort" else share(end)) for end in ends)
        yield label, low, high, books[0], books[1]


def _of_benefits(book: Book) -> Iterable[_Moved]:
    by = book.assumptions.sensitivity
    for ref, line in counted(book).items():
        name = book.unit_costs[line.unit_cost].name
        for field, label, most in (
            ("effect", "effect", WHOLE),
            ("baseline", "a person and year", None),
        ):
            ends = _ends(getattr(line, field), by, most)
            books = [book.having(Kind.BENEFIT, ref, _with(line, field, end)) for end in ends]
            low, high = (words(share(end) if field == "effect" else count(end)) for end in ends)
            yield f"{name}: {label}", low, high, books[0], books[1]
        unit = book.unit_costs[line.unit_cost]
        ends = _ends(unit.pounds or 0.0, by)
        books = [
            book.having(Kind.UNIT_COST, line.unit_cost, _with(unit, "pounds", end)) for end in ends
        ]
        low, high = (words(pounds(end)) for end in ends)
        yield f"{name}: what one is worth", low, high, books[0], books[1]


def _paid(book: Book) -> Iterable[_Moved]:
    for ref, cost in book.costs.items():
        ends = _ends(cost.total, book.assumptions.sensitivity)
        scales = (1 - book.assumptions.sensitivity, 1 + book.assumptions.sensitivity)
        books = [book.having(Kind.COST, ref, _scaled(cost, scale)) for scale in scales]
        low, high = (words(pounds(end)) for end in ends)
        yield f"{cost.service}: cost a year", low, high, books[0], books[1]


def _scaled(cost: Cost, scale: float) -> Cost:
    items = tuple(msgspec.structs.replace(each, pounds=each.pounds * scale) for each in cost.items)
    return msgspec.structs.replace(cost, items=items, stated_total=None)


def _with(entry: EntryT, field: str, value: float) -> EntryT:
    return msgspec.structs.replace(entry, **{field: value})
