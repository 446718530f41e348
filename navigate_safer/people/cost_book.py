"""The book of costs and benefits: every assumption as one entry with its source.

Each entry is kept in versions with an author and a reason (the tables hold these). What nobody has
stated is None and stays blank: no figure of this book is ever filled in by the service.
Money is in pounds; shares are between 0 and 1; years of a case count from 1.
"""

from datetime import date
from enum import Enum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from navigate_safer.outcomes.refusal import LARGEST

NO_NUL = r"^[^\x00]*$"
# What an entry is called in an address, and in the entries that name it.
REF = r"^[a-z0-9][a-z0-9-]*$"
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
Words = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
Prose = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=NO_NUL)]
Pounds = Annotated[float, Meta(ge=0, le=LARGEST)]
Share = Annotated[float, Meta(ge=0, le=1)]
Effect = Annotated[float, Meta(ge=-10, le=1)]
# As long as the Green Book's tables of discount factors go in one rate.
CaseYears = Annotated[int, Meta(ge=1, le=30)]


class Kind(Enum):
    """The kinds of entry, as they stand in an address."""

    ASSUMPTIONS = "assumptions"
    UNIT_COST = "unit-cost"
    BENEFIT = "benefit"
    COST = "cost"
    LEDGER = "ledger"
    CONTRIBUTION = "contribution"
    FUNDING = "funding"

    @property
    def label(self) -> str:
        """The kind in words."""
        return self.value.replace("-", " ").capitalize()


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every entry has: who or what says so."""


class Assumptions(Part, frozen=True):
    """What holds for the whole case.

    ``ramp`` is the share of the full effect that each year reaches. ``deadweight`` is what would
    have happened anyway. ``sensitivity`` is by how much of itself each assumption is moved, one
    at a time.
    """

    cohort: Pounds | None
    years: CaseYears
    discount_rate: Share
    first_year_undiscounted: bool
    deadweight: Share
    optimism_bias_benefit: Share
    optimism_bias_cost: Annotated[float, Meta(ge=0, le=10)]
    ramp: tuple[Share, ...]
    sensitivity: Share
    price_year: Line
    source: Prose


class UnitCost(Part, frozen=True):
    """What one of something costs whom; ``per`` one what.

    ``holds`` are unit costs whose pounds are in this one already; ``excludes`` are those that
    cannot stand beside it at all, because they count something else.
    """

    name: Line
    pounds: Pounds | None
    per: Line
    scope: Line
    period: Line
    price_year: Line
    source: Prose
    holds: tuple[Line, ...] = ()
    excludes: tuple[Line, ...] = ()


class Benefit(Part, frozen=True):
    """One thing that becomes rarer, and to whom that is worth something.

    ``baseline`` is how many a person and year without the programme, ``effect`` the share of them
    that is avoided, ``drop_off`` the share of the effect that is lost each year. ``cashable`` is
    the share that a budget owner can take out; it counts once he has signed. ``net`` takes off
    what the unit cost holds of the others that are counted.
    """

    unit_cost: Line
    agency: Line
    kind: Literal["fiscal", "economic", "social"]
    baseline: Pounds | None
    effect: Effect | None
    source: Prose
    drop_off: Share = 0.0
    cashable: Share = 0.0
    signed_by: Words = ""
    signed_on: date | None = None
    net: bool = False

    @property
    def signed(self) -> bool:
        """Whether a budget owner has put his name to the cashable share."""
        return bool(self.signed_by.strip()) and self.signed_on is not None


class Item(Part, frozen=True):
    """One line of a schedule of costs, for a year."""

    what: Line
    pounds: Pounds


class Cost(Part, frozen=True):
    """The schedule of a service: what it costs a year from ``first_year`` to ``last_year``.

    ``stated_total`` is what the source says that the items add up to.
    """

    service: Line
    agency: Line
    nature: Literal["preventive", "reactive"]
    items: tuple[Item, ...]
    source: Prose
    stated_total: Pounds | None = None
    first_year: CaseYears = 1
    last_year: CaseYears = 30

    @property
    def total(self) -> float:
        """Pounds a year."""
        return sum(each.pounds for each in self.items)


class LedgerEntry(Part, frozen=True):
    """A benefit in somebody's budget: forecast, budgeted or realised.

    ``year`` is a financial year such as 2026/27.
    """

    what: Line
    pounds: Pounds | None
    year: Annotated[str, Meta(pattern=r"^(19|20|21)\d\d/\d\d$")]
    agency: Line
    owner: Line
    state: Literal["forecast", "budgeted", "realised"]
    source: Prose
    cashable: bool = False
    evidence: Annotated[str, Meta(max_length=1_000, pattern=NO_NUL)] = ""
    signed_by: Words = ""
    signed_on: date | None = None

    @property
    def signed(self) -> bool:
        """Whether a budget owner has put his name to it."""
        return bool(self.signed_by.strip()) and self.signed_on is not None


class Contribution(Part, frozen=True):
    """What a partner puts into the joint budget, against which joint priority."""

    partner: Line
    pounds: Pounds | None
    year: Annotated[str, Meta(pattern=r"^(19|20|21)\d\d/\d\d$")]
    priority: Line
    source: Prose


class Funding(Part, frozen=True):
    """A stream of money with its end."""

    stream: Line
    pounds: Pounds | None
    starts_on: date
    ends_on: date
    purpose: Line
    source: Prose


Entry = Assumptions | UnitCost | Benefit | Cost | LedgerEntry | Contribution | Funding

TYPES: dict[Kind, type[Entry]] = {
    Kind.ASSUMPTIONS: Assumptions,
    Kind.UNIT_COST: UnitCost,
    Kind.BENEFIT: Benefit,
    Kind.COST: Cost,
    Kind.LEDGER: LedgerEntry,
    Kind.CONTRIBUTION: Contribution,
    Kind.FUNDING: Funding,
}


class Book(msgspec.Struct, frozen=True):
    """All entries in force, by reference."""

    assumptions: Assumptions
    unit_costs: dict[str, UnitCost] = {}
    benefits: dict[str, Benefit] = {}
    costs: dict[str, Cost] = {}
    ledger: dict[str, LedgerEntry] = {}
    contributions: dict[str, Contribution] = {}
    funding: dict[str, Funding] = {}

    def of(self, kind: Kind) -> dict[str, Entry]:
        """The entries of a kind."""
        if kind is Kind.ASSUMPTIONS:
            return {Kind.ASSUMPTIONS.value: self.assumptions}
        found: dict[str, Entry] = getattr(self, _FIELDS[kind])
        return found

    def having(self, kind: Kind, ref: str, entry: Entry | None) -> "Book":
        """The book with one entry put in, exchanged, or with None taken out."""
        if isinstance(entry, Assumptions):
            return msgspec.structs.replace(self, assumptions=entry)
        others = {key: each for key, each in self.of(kind).items() if key != ref}
        if entry is not None:
            others[ref] = entry
        return msgspec.structs.replace(self, **{_FIELDS[kind]: others})


_FIELDS = {
    Kind.UNIT_COST: "unit_costs",
    Kind.BENEFIT: "benefits",
    Kind.COST: "costs",
    Kind.LEDGER: "ledger",
    Kind.CONTRIBUTION: "contributions",
    Kind.FUNDING: "funding",
}


class CaseFileCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the book as a case file gives it; ``body`` has the fields of its kind."""

    kind: Kind
    ref: Annotated[str, Meta(min_length=1, max_length=64, pattern=REF)]
    reason: Prose
    body: dict[str, object]
