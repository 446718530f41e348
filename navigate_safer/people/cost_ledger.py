"""The money beside the result: ledger, contributions, funding, schedules, sources, as tables."""

from datetime import date, timedelta

from navigate_safer.people.cost_book import Book, Entry, Kind, UnitCost
from navigate_safer.people.cost_checks import worth
from navigate_safer.people.cost_seeds import PUBLISHED
from navigate_safer.people.outcome_table import (
    NOT_STATED,
    Cell,
    Table,
    count,
    pounds,
    share,
    words,
)

# Half a year is the time in which a council decides on the next: ours, to be set by the area.
WARN_BEFORE_END = timedelta(days=182)


def ledger_table(book: Book) -> Table:
    """Forecast, budgeted and realised benefits, each apart, and what is cashable and signed."""
    rows: list[tuple[Cell, ...]] = [
        (each.what, pounds(each.pounds), each.year, each.agency, each.owner, each.state,
         f"{each.signed_by}, {each.signed_on}" if each.signed and each.cashable else "no",
         each.evidence or each.source)
        for each in sorted(book.ledger.values(), key=lambda each: (each.year, each.what))
    ]  # fmt: skip
    for state in ("forecast", "budgeted", "realised"):
        mine = [each for each in book.ledger.values() if each.state == state]
        known = [each.pounds for each in mine if each.pounds is not None]
        taken = sum(each.pounds or 0.0 for each in mine if each.cashable and each.signed)
        note = f"{len(mine)} entries, {len(mine) - len(known)} without an amount"
        cashable = words(pounds(taken))
        rows.append(
            (
                f"All {state}",
                pounds(sum(known) if known else None),
                "",
                "",
                "",
                state,
                cashable,
                note,
            )
        )
    said = (
        (
            "A forecast is a hope, what is budgeted a promise, and only what is realised has "
            "happened: the three are never added up."
        ),
        "An amount counts as cashable once its budget owner has signed, with his name and the day.",
    )
    columns = ("Benefit", "Amount", "Year", "Agency", "Owner", "State", "Cashable, signed by",
               "Evidence")  # fmt: skip
    return Table("ledger", "Ledger of benefits", columns, tuple(rows), said)


def money_table(book: Book, today: date) -> list[Table]:
    """What the partners put in, where the money comes from, and what the services cost."""
    return [_contributions(book), _funding(book, today), _schedules(book)]


def _contributions(book: Book) -> Table:
    entries = sorted(book.contributions.values(), key=lambda each: (each.year, each.partner))
    rows: list[tuple[Cell, ...]] = [
        (each.partner, pounds(each.pounds), each.year, each.priority, each.source)
        for each in entries
    ]
    known = [each.pounds for each in entries if each.pounds is not None]
    rows.append(("All partners", pounds(sum(known) if known else None), "", "", ""))
    columns = ("Partner", "Amount", "Year", "Joint priority", "Source")
    said = ("What nobody has stated is not in the sum.",)
    return Table("contributions", "Contributions of partners", columns, tuple(rows), said)


def ending(book: Book, today: date) -> list[str]:
    """A sentence for each stream of money that ends soon."""
    soon = sorted(
        (each for each in book.funding.values()
         if today <= each.ends_on <= today + WARN_BEFORE_END),
        key=lambda each: each.ends_on,
    )  # fmt: skip
    return [
        f"{each.stream} ends on {each.ends_on}, in {(each.ends_on - today).days} days: "
        f"{words(pounds(each.pounds))} for {each.purpose}"
        for each in soon
    ]


def _funding(book: Book, today: date) -> Table:
    rows = tuple(
        (each.stream, pounds(each.pounds), str(each.starts_on), str(each.ends_on),
         _until(each.ends_on, today), each.purpose)
        for each in sorted(book.funding.values(), key=lambda each: each.ends_on)
    )  # fmt: skip
    soon = ending(book, today)
    warned = f"Ends within {WARN_BEFORE_END.days} days: {'; '.join(soon)}." if soon else (
        f"No stream that is entered ends within {WARN_BEFORE_END.days} days."
    )  # fmt: skip
    columns = ("Stream", "Amount", "From", "To", "State", "Purpose")
    said = (warned, "A stream that nobody has entered cannot be warned of.")
    return Table("funding", "Where the money comes from", columns, rows, said)


def _until(ends_on: date, today: date) -> str:
    if ends_on < today:
        return "ended"
    return "ends soon" if ends_on <= today + WARN_BEFORE_END else "runs"


def _schedules(book: Book) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for cost in book.costs.values():
        rows += [(cost.service, each.what, pounds(each.pounds), "", "") for each in cost.items]
        stated = "adds up" if cost.stated_total is not None else "no total stated"
        last = min(cost.last_year, book.assumptions.years)
        span = f"years {cost.first_year} to {last}"
        rows.append((cost.service, f"All, {cost.agency}, {cost.nature}", pounds(cost.total), span,
                     stated))  # fmt: skip
    whole = sum(each.total for each in book.costs.values())
    preventive = sum(each.total for each in book.costs.values() if each.nature == "preventive")
    part = words(share(round(preventive / whole, 4))) if whole else NOT_STATED
    said = (
        (
            f"The sum of each schedule is checked against the total that its source states. "
            f"Preventive share: {part}."
        ),
        "Costs that nobody has entered are not there: the true cost is at least this.",
    )
    columns = ("Service", "What", "A year", "When", "Total")
    return Table("schedules", "What the services cost", columns, tuple(rows), said)


def published_table() -> Table:
    """Every figure of money in the published documents; what they leave blank stays blank."""
    rows = tuple(
        (each.what, pounds(each.low),
         pounds(each.high, otherwise="") if each.high is not None else "", each.source, each.note)
        for each in PUBLISHED
    )  # fmt: skip
    said = (
        (
            "These are quoted, not checked: none comes with a method, and none is used in the "
            "calculation above. What a document leaves blank is not stated here either."
        ),
    )
    columns = ("What", "Figure", "To", "Source", "Note")
    return Table("published", "What was published", columns, rows, said)


def assumption_rows(book: Book) -> list[tuple[str, Cell]]:
    """The general assumptions in words, for the page and the pack."""
    given = book.assumptions
    return [
        ("People in the cohort", count(given.cohort)),
        ("Years", count(given.years)),
        ("Discount rate", share(given.discount_rate)),
        ("First year", "not discounted" if given.first_year_undiscounted else "discounted"),
        ("Would have happened anyway (deadweight)", share(given.deadweight)),
        ("Optimism bias, off benefits", share(given.optimism_bias_benefit)),
        ("Optimism bias, on costs", share(given.optimism_bias_cost)),
        ("Share of the full effect by year (ramp)", ", ".join(words(share(r)) for r in given.ramp)),
        ("Moved by, in the sensitivity", share(given.sensitivity)),
        ("Prices of", given.price_year),
    ]


def assumptions_table(book: Book) -> Table:
    """Every assumption of the case with its source."""
    rows: list[tuple[Cell, ...]] = [
        (name, value, book.assumptions.source if number == 0 else "as above")
        for number, (name, value) in enumerate(assumption_rows(book))
    ]
    for line in book.benefits.values():
        unit = book.unit_costs.get(line.unit_cost)
        name = line.unit_cost if unit is None else unit.name
        each_worth = worth(book, line)
        rows += [
            (f"{name}: a person and year", count(line.baseline), line.source),
            (f"{name}: share avoided", share(line.effect), line.source),
            (f"{name}: effect lost each year", share(line.drop_off), line.source),
            (f"{name}: worth of one, {line.kind}, to {line.agency}",
             pounds(each_worth, pence=line.net), _unit_source(book, line.unit_cost)),
        ]  # fmt: skip
    columns = ("Assumption", "Value", "Source")
    said = ("A result is only as good as these. Who is sure of none of them learns nothing here.",)
    return Table("assumptions", "Every assumption", columns, tuple(rows), said)


def _unit_source(book: Book, key: str) -> str:
    unit = book.unit_costs.get(key)
    if unit is None:
        return NOT_STATED
    return f"{unit.source}. Scope: {unit.scope}; period: {unit.period}; prices: {unit.price_year}"


def unit_words(unit: UnitCost) -> str:
    """What a unit cost is for, in words."""
    return f"for one {unit.per}; scope: {unit.scope}; period: {unit.period}; {unit.price_year}"


def name_of_entry(entry: Entry | None, ref: str, kind: Kind) -> str:
    """What an entry is called on a page."""
    if kind is Kind.ASSUMPTIONS:
        return "Assumptions of the case"
    for field in ("name", "service", "what", "partner", "stream"):
        found = getattr(entry, field, None)
        if isinstance(found, str):
            return found
    return f"{kind.label}: {ref}"
