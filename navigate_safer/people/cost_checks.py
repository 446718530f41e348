"""What of the book cannot stand: pounds that would count twice, sums that do not add up."""

from navigate_safer.people.cost_book import (
    Assumptions,
    Benefit,
    Book,
    Cost,
    Entry,
    Funding,
    LedgerEntry,
    UnitCost,
)
from navigate_safer.people.outcome_table import MINUS, pounds, words

TIMES = "\N{MULTIPLICATION SIGN}"
# A stated total is printed to the pound.
PENNY = 0.005


class BadEntry(ValueError):
    """An entry that cannot be kept: the field, and in one line what is wrong and what to do."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field
        self.what = what


def check(book: Book, ref: str, entry: Entry) -> None:
    """Refuse an entry that contradicts itself or the others; raises :class:`BadEntry`.

    ``book`` holds the entry already.
    """
    if isinstance(entry, Assumptions):
        _check_assumptions(entry)
    elif isinstance(entry, Benefit):
        _check_benefit(book, ref, entry)
    elif isinstance(entry, UnitCost):
        _check_unit_cost(book, ref, entry)
    elif isinstance(entry, Cost):
        _check_cost(entry)
    elif isinstance(entry, LedgerEntry):
        _check_ledger(book, ref, entry)
    elif isinstance(entry, Funding) and entry.ends_on < entry.starts_on:
        raise BadEntry("ends_on", f"The end {entry.ends_on} is before the start: correct one")


def _check_assumptions(entry: Assumptions) -> None:
    if len(entry.ramp) != entry.years:
        raise BadEntry(
            "ramp",
            f"The ramp has {len(entry.ramp)} years, the case {entry.years}: give one share a year",
        )


def _check_benefit(book: Book, ref: str, entry: Benefit) -> None:
    if entry.unit_cost not in book.unit_costs:
        raise BadEntry("unit_cost", "Select a unit cost that is in the book")
    if entry.cashable and entry.kind != "fiscal":
        raise BadEntry("cashable", "Only a fiscal benefit can be cashable: enter 0")
    _check_signature(entry.signed_by, entry.signed)
    twice = double_counts(book, about=ref)
    if twice:
        raise BadEntry("unit_cost", twice[0])


def _check_unit_cost(book: Book, ref: str, entry: UnitCost) -> None:
    for field, named in (("holds", entry.holds), ("excludes", entry.excludes)):
        for key in named:
            if key not in book.unit_costs or key == ref:
                raise BadEntry(field, f"There is no other unit cost {key}: name those of the book")
    if ref in {other for key in entry.holds for other in book.unit_costs[key].holds}:
        raise BadEntry("holds", "Two unit costs cannot hold each other: correct one")
    twice = double_counts(book)
    if twice:
        raise BadEntry("holds", twice[0])


def _check_cost(entry: Cost) -> None:
    if entry.last_year < entry.first_year:
        raise BadEntry("last_year", "The last year is before the first: correct one")
    if not entry.items:
        raise BadEntry("items", "Enter at least one line, such as: Two workers: 90,000")
    if entry.stated_total is not None and abs(entry.stated_total - entry.total) > PENNY:
        raise BadEntry(
            "stated_total",
            f"The items add up to {words(pounds(entry.total))} and not to "
            f"{words(pounds(entry.stated_total))}: correct an item or the total",
        )


def _check_ledger(book: Book, ref: str, entry: LedgerEntry) -> None:
    if int(entry.year[5:]) != (int(entry.year[:4]) + 1) % 100:
        raise BadEntry("year", f"{entry.year} is no financial year: write it as 2026/27")
    if entry.state == "realised" and not entry.evidence.strip():
        raise BadEntry("evidence", "Enter what shows that it was realised")
    _check_signature(entry.signed_by, entry.signed)
    for other_ref, other in book.ledger.items():
        if other_ref != ref and _same_pounds(entry) == _same_pounds(other):
            raise BadEntry(
                "what",
                f"{other_ref} is {entry.state} for {entry.year} and {entry.agency} already: the "
                f"same pounds would count twice. Change that entry, or say what differs",
            )


def _same_pounds(entry: LedgerEntry) -> tuple[str, ...]:
    """What makes two entries one benefit: forecast, budgeted and realised are never added up."""
    named = (entry.what, entry.agency, entry.year, entry.state)
    return tuple(" ".join(each.casefold().split()) for each in named)


def _check_signature(signed_by: str, signed: bool) -> None:
    if signed_by.strip() and not signed:
        raise BadEntry("signed_on", "Enter the day on which the budget owner signed")


def double_counts(book: Book, *, about: str | None = None) -> list[str]:
    """Why the benefits cannot be added up, one sentence each; ``about`` one of them only."""
    found: list[str] = []
    lines = list(book.benefits.items())
    for ref, line in lines:
        for other_ref, other in lines:
            if ref != other_ref and (about is None or about in (ref, other_ref)):
                found += _pair(book, (ref, line), (other_ref, other))
    return list(dict.fromkeys(found))


def _pair(book: Book, one: tuple[str, Benefit], two: tuple[str, Benefit]) -> list[str]:
    (ref, line), (other_ref, other) = one, two
    unit, beside = book.unit_costs.get(line.unit_cost), book.unit_costs.get(other.unit_cost)
    if unit is None or beside is None:
        return []
    if line.unit_cost == other.unit_cost:
        first, second = sorted((ref, other_ref))
        return [
            (
                f"{unit.name} is counted by {first} and by {second}: the same pounds would count "
                f"twice. Keep one"
            )
        ]
    told_already = line.unit_cost in beside.excludes and ref > other_ref
    if other.unit_cost in unit.excludes and not told_already:
        return [
            (
                f"{unit.name} and {beside.name} cannot be added up: one is for {unit.per} "
                f"({unit.period}), the other for {beside.per} ({beside.period}), and they count "
                f"the same harm. Keep one"
            )
        ]
    if other.unit_cost in _counted_within(book, unit):
        return _held(book, line, unit, beside)
    return []


def _held(book: Book, line: Benefit, unit: UnitCost, beside: UnitCost) -> list[str]:
    worth, net = words(pounds(unit.pounds)), net_pounds(book, line)
    twice = (
        f"The {worth} of one {unit.per} ({unit.name}) holds {beside.name} already, which is "
        f"counted as well: the same pounds would count twice"
    )
    if not line.net:
        less = "" if net is None else f": {_sum_in_words(book, line, unit)} = {_pence(net)}"
        tick = f"Tick “Take off what it holds of the others” there{less}"
        return [f"{twice}. {tick}, or keep one of them"]
    if net is None:
        return [f"{twice}, and cannot be taken off: a unit cost or a baseline is not stated"]
    if net < 0:
        return [
            (
                f"{unit.name} holds less than what is to be taken off it: "
                f"{_sum_in_words(book, line, unit)} = {_pence(net)}. Correct a baseline or a unit "
                "cost"
            )
        ]
    return []


def net_pounds(book: Book, line: Benefit) -> float | None:
    """The unit cost less what it holds of the others that are counted; None where not stated.

    Each is taken off as often as it comes to one of these: its baseline over this one's.
    """
    unit = book.unit_costs.get(line.unit_cost)
    if unit is None or unit.pounds is None:
        return None
    left = unit.pounds
    for other, beside in _held_by(book, unit):
        if not line.baseline or other.baseline is None or beside.pounds is None:
            return None
        left -= beside.pounds * other.baseline / line.baseline
    return left


def worth(book: Book, line: Benefit) -> float | None:
    """Pounds that one avoided is worth in this book."""
    unit = book.unit_costs.get(line.unit_cost)
    if line.net:
        return net_pounds(book, line)
    return None if unit is None else unit.pounds


def _held_by(book: Book, unit: UnitCost) -> list[tuple[Benefit, UnitCost]]:
    within = _counted_within(book, unit)
    return [
        (other, book.unit_costs[other.unit_cost])
        for other in book.benefits.values()
        if other.unit_cost in within
    ]


def _counted_within(book: Book, unit: UnitCost) -> set[str]:
    """Unit costs of benefits that one holds: itself, or in another that no benefit counts.

    What lies within a counted one is taken off there, and not here once more.
    """
    counted = {each.unit_cost for each in book.benefits.values()}
    found: set[str] = set()
    left, seen = list(unit.holds), set(unit.holds)
    while left:
        key = left.pop()
        if key in counted and key in book.unit_costs:
            found.add(key)
        elif key in book.unit_costs:
            left += [each for each in book.unit_costs[key].holds if each not in seen]
            seen |= {*book.unit_costs[key].holds}
    return found


def _sum_in_words(book: Book, line: Benefit, unit: UnitCost) -> str:
    taken = "".join(
        f" {MINUS} {words(pounds(beside.pounds))} {TIMES} "
        f"{(other.baseline or 0) / (line.baseline or 1):.4g}"
        for other, beside in _held_by(book, unit)
    )
    return f"{words(pounds(unit.pounds))}{taken}"


def _pence(value: float) -> str:
    return words(pounds(value, pence=True))
