"""The fields of each kind of entry in the book of costs, as a form shows and asks them."""

from typing import NamedTuple

from navigate_safer.people.cost_book import Kind

WORDS, PROSE, POUNDS, NUMBER, WHOLE = "words", "prose", "pounds", "number", "whole"
PERCENT, PERCENTS, DAY, CHOICE, TICK, ITEMS, KEYS = (
    "percent", "percents", "day", "choice", "tick", "items", "keys",
)  # fmt: skip


class Field(NamedTuple):
    """One question; ``blank`` where nothing may be entered. ``low`` and ``high`` in its unit."""

    name: str
    label: str
    kind: str
    hint: str = ""
    blank: bool = False
    options: tuple[tuple[str, str], ...] = ()
    low: float = 0.0
    high: float = 100.0


_SOURCE = Field(
    "source", "Source", PROSE, "Who published it, or who says so; where it can be looked up"
)
_BLANK = "Leave empty if it is not stated anywhere"
_SIGNED = (
    Field("signed_by", "Signed by the budget owner", WORDS,
          "Nothing counts as cashable before", blank=True),
    Field("signed_on", "Signed on", DAY, blank=True),
)  # fmt: skip
_YEAR = Field("year", "Financial year", WORDS, "Such as 2026/27")

FIELDS: dict[Kind, tuple[Field, ...]] = {
    Kind.ASSUMPTIONS: (
        # Nobody is no cohort: every benefit would be nought, which reads as a finding.
        Field("cohort", "People in the cohort", NUMBER, _BLANK, blank=True, low=1.0, high=1e9),
        Field("years", "Years", WHOLE, "At most 30", low=1, high=30),
        Field("discount_rate", "Discount rate", PERCENT),
        Field("first_year_undiscounted", "The first year is not discounted", TICK),
        Field("deadweight", "Would have happened anyway (deadweight)", PERCENT),
        Field("optimism_bias_benefit", "Optimism bias, taken off benefits", PERCENT),
        Field("optimism_bias_cost", "Optimism bias, put on costs", PERCENT, high=1_000.0),
        Field("ramp", "Share of the full effect by year", PERCENTS,
              "One for each year, such as 50, 100, 100"),
        Field("sensitivity", "Move each assumption by", PERCENT, "For the picture of what matters",
              low=1.0),
        Field("price_year", "Prices of", WORDS, "Such as 2015/16, or: not stated"),
        _SOURCE,
    ),
    Kind.UNIT_COST: (
        Field("name", "Name", WORDS),
        Field("pounds", "Pounds", POUNDS, _BLANK, blank=True),
        Field("per", "For one", WORDS, "Such as: arrest"),
        Field("scope", "Scope", WORDS, "National, local, of one service; or: not stated"),
        Field("period", "Period", WORDS, "Such as: a year, 6 months; or: not stated"),
        Field("price_year", "Prices of", WORDS, "Such as 2015/16, or: not stated"),
        Field("holds", "Holds these others already", KEYS,
              "Short names of unit costs, with commas: they must not count twice", blank=True),
        Field("excludes", "Cannot stand beside these", KEYS,
              "Short names of unit costs that count the same another way", blank=True),
        _SOURCE,
    ),
    Kind.BENEFIT: (
        Field("unit_cost", "What becomes rarer", CHOICE),
        Field("net", "Take off what it holds of the others", TICK),
        Field("kind", "Kind", CHOICE, options=(
            ("fiscal", "Fiscal: money of public bodies"),
            ("economic", "Economic: money of people and firms"),
            ("social", "Social: worth to people, no money"),
        )),
        Field("agency", "Agency that gains", WORDS),
        Field("baseline", "How many a person and year without the programme", NUMBER, _BLANK,
              blank=True, high=1e6),
        Field("effect", "Share of them that is avoided", PERCENT,
              f"Below 0 if there are more. {_BLANK}", blank=True, low=-1_000.0),
        Field("drop_off", "Share of the effect that is lost each year", PERCENT),
        Field("cashable", "Cashable share", PERCENT,
              "What a budget owner can take out of his budget; only of a fiscal benefit"),
        *_SIGNED,
        _SOURCE,
    ),
    Kind.COST: (
        Field("service", "Service", WORDS),
        Field("agency", "Agency that pays", WORDS),
        Field("nature", "Nature", CHOICE,
              options=(("preventive", "Preventive"), ("reactive", "Reactive"))),
        Field("items", "What it costs a year", ITEMS, "A line each, such as: Two workers: 90,000"),
        Field("stated_total", "Total that the source states", POUNDS,
              "The items are checked against it", blank=True),
        Field("first_year", "From year", WHOLE, low=1, high=30),
        Field("last_year", "To year", WHOLE, low=1, high=30),
        _SOURCE,
    ),
    Kind.LEDGER: (
        Field("what", "Benefit", WORDS),
        Field("pounds", "Pounds", POUNDS, _BLANK, blank=True),
        _YEAR,
        Field("agency", "Agency", WORDS),
        Field("owner", "Owner", WORDS, "Whose budget it is, by office"),
        Field("state", "State", CHOICE, options=(
            ("forecast", "Forecast"), ("budgeted", "Budgeted"), ("realised", "Realised"),
        )),
        Field("evidence", "Evidence", PROSE, "What shows that it was realised", blank=True),
        Field("cashable", "It is cashable", TICK),
        *_SIGNED,
        _SOURCE,
    ),
    Kind.CONTRIBUTION: (
        Field("partner", "Partner", WORDS),
        Field("pounds", "Pounds", POUNDS, _BLANK, blank=True),
        _YEAR,
        Field("priority", "Joint priority", WORDS),
        _SOURCE,
    ),
    Kind.FUNDING: (
        Field("stream", "Stream", WORDS),
        Field("pounds", "Pounds", POUNDS, _BLANK, blank=True),
        Field("starts_on", "From", DAY),
        Field("ends_on", "To", DAY),
        Field("purpose", "Purpose", WORDS),
        _SOURCE,
    ),
}  # fmt: skip
