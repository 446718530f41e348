"""Cost and benefit from the book: what counts, what may not count twice, what nobody has stated."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.demo.costs import cost_entries
from navigate_safer.people import cost_ledger, cost_report
from navigate_safer.people.cost_book import (
    TYPES,
    Benefit,
    Book,
    Cost,
    Funding,
    Item,
    Kind,
    LedgerEntry,
)
from navigate_safer.people.cost_case import case_of
from navigate_safer.people.cost_checks import BadEntry, check, net_pounds
from navigate_safer.people.cost_seeds import PUBLISHED, SHIPPED
from navigate_safer.people.cost_sensitivity import tornado
from navigate_safer.people.outcome_packs import (
    AreaLoad,
    Facts,
    Waiting,
    capacity,
    late_items,
)
from navigate_safer.people.outcome_table import Table, words

TODAY = date(2026, 11, 22)


def line(unit: str, **fields: object) -> Benefit:
    known = {"unit_cost": unit, "agency": "Police", "kind": "fiscal", "source": "a test",
             "baseline": 1.0, "effect": 0.2}  # fmt: skip
    return msgspec.convert(known | fields, Benefit)


def a_book(**benefits: Benefit) -> Book:
    """A hundred people, one year, nothing discounted, no deductions, 100,000 a year."""
    plain = msgspec.structs.replace(
        SHIPPED.assumptions, cohort=100.0, years=1, ramp=(1.0,), deadweight=0.0,
        optimism_bias_benefit=0.0, optimism_bias_cost=0.0,
    )  # fmt: skip
    cost = Cost("Scheme", "Council", "preventive", (Item("All", 100_000),), "a test")
    return msgspec.structs.replace(
        SHIPPED, assumptions=plain, costs={"scheme": cost}, benefits=benefits
    )


def demo_book() -> Book:
    book = SHIPPED
    for each in cost_entries(TODAY):
        entry = msgspec.convert(each.body, TYPES[each.kind])
        book = book.having(each.kind, each.ref, entry)
        check(book, each.ref, entry)
    return book


def text(table: Table) -> str:
    return " ".join([*table.said, *(words(cell) for row in table.rows for cell in row)])


def test_an_incident_counted_beside_arrests_and_custody_is_worth_what_is_left_of_it() -> None:
    """The published case's figures: 1.7 arrests and 0.25 spells inside to four incidents."""
    book = a_book(
        arrests=line("arrest", baseline=1.7),
        custody=line("custody", baseline=0.25),
        incidents=line("incident", kind="social", baseline=4.0, net=True),
    )
    assert net_pounds(book, book.benefits["incidents"]) == pytest.approx(10_036.25)


def test_the_same_pounds_twice_are_refused_with_the_sum_that_would_be_right() -> None:
    book = a_book(arrests=line("arrest", baseline=1.7), custody=line("custody", baseline=0.25))
    whole = line("incident", kind="social", baseline=4.0)
    with pytest.raises(BadEntry) as refused:
        check(book.having(Kind.BENEFIT, "incidents", whole), "incidents", whole)
    assert refused.value.field == "unit_cost"
    for part in ("£13,160", "would count twice", "Take off", "£6,000 × 0.425", "£10,036.25"):
        assert part in refused.value.what


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        pytest.param("arrest", "arrest", "by again and by first", id="one unit cost on two lines"),
        pytest.param("incident", "victim", "cannot be added up", id="an incident and a lifetime"),
        pytest.param("victim", "incident", "cannot be added up", id="the other way round"),
        pytest.param("custody", "incident", "would count twice", id="a part and its whole"),
    ],
)
def test_what_cannot_be_added_up_is_refused(first: str, second: str, why: str) -> None:
    book, other = a_book(first=line(first)), line(second)
    with pytest.raises(BadEntry, match=why):
        check(book.having(Kind.BENEFIT, "again", other), "again", other)


def test_what_lies_within_a_part_that_nobody_counts_is_counted_twice_as_well() -> None:
    """An incident holds an arrest, and that an hour of an officer."""
    hour = msgspec.structs.replace(SHIPPED.unit_costs["arrest"], name="Hour", pounds=50.0)
    arrest = msgspec.structs.replace(SHIPPED.unit_costs["arrest"], holds=("hour",))
    book = a_book(hours=line("hour"), incidents=line("incident", kind="social", net=True))
    book = book.having(Kind.UNIT_COST, "hour", hour).having(Kind.UNIT_COST, "arrest", arrest)
    assert net_pounds(book, book.benefits["incidents"]) == pytest.approx(13_110.0)
    whole = line("incident", kind="social")
    with pytest.raises(BadEntry, match="would count twice"):
        check(book.having(Kind.BENEFIT, "incidents", whole), "incidents", whole)
    both = book.having(Kind.BENEFIT, "arrests", line("arrest", net=True))
    assert net_pounds(both, both.benefits["incidents"]) == pytest.approx(13_160.0 - 6_000.0)
    assert net_pounds(both, both.benefits["arrests"]) == pytest.approx(5_950.0)


def test_the_same_benefit_is_in_the_ledger_once_for_a_year_and_a_state() -> None:
    post = LedgerEntry("A post", 1.0, "2026/27", "Police", "Head", "budgeted", "a test")
    book = SHIPPED.having(Kind.LEDGER, "post", post)
    again = msgspec.structs.replace(post, what=" a  Post", pounds=2.0)
    with pytest.raises(BadEntry, match="would count twice"):
        check(book.having(Kind.LEDGER, "again", again), "again", again)
    for other in ({"state": "forecast"}, {"year": "2027/28"}, {"agency": "Council"}):
        entry = msgspec.structs.replace(post, **other)
        check(book.having(Kind.LEDGER, "again", entry), "again", entry)
    check(book, "post", post)


def test_a_book_in_which_something_counts_twice_gives_no_result() -> None:
    book = a_book(one=line("arrest"), two=line("arrest"))
    (table,) = cost_report.result_tables(book)
    assert "would count twice" in text(table)
    assert words(table.rows[0][1]) == "cannot be estimated"


def test_a_plain_case_comes_to_what_can_be_done_in_the_head() -> None:
    """100 people, 1 arrest each, a fifth avoided: 20 x £6,000 for £100,000."""
    case = case_of(a_book(arrests=line("arrest")))
    assert case.deducted.found.pv_fiscal == pytest.approx(120_000)
    assert case.deducted.found.fiscal_return == pytest.approx(1.2)


def test_deductions_take_off_deadweight_and_optimism_and_nothing_else() -> None:
    book = a_book(arrests=line("arrest", drop_off=0.1))
    given = msgspec.structs.replace(
        book.assumptions, deadweight=0.3, optimism_bias_benefit=0.15, optimism_bias_cost=0.1
    )
    case = case_of(msgspec.structs.replace(book, assumptions=given))
    assert case.plain.found.fiscal_return == pytest.approx(1.2)
    assert case.deducted.found.fiscal_return == pytest.approx(1.2 * 0.7 * 0.85 / 1.1)


def test_nothing_is_cashable_before_its_budget_owner_has_signed() -> None:
    half = line("arrest", cashable=0.5)
    assert case_of(a_book(arrests=half)).deducted.found.pv_cashable == 0
    signed = line("arrest", cashable=0.5, signed_by="A head", signed_on="2026-04-01")
    assert case_of(a_book(arrests=signed)).deducted.found.pv_cashable == pytest.approx(60_000)
    nameless = line("arrest", cashable=0.5, signed_by="A head")
    with pytest.raises(BadEntry, match="the day"):
        check(a_book(arrests=nameless), "arrests", nameless)


def test_a_figure_that_nobody_stated_leaves_its_benefit_out_and_says_so() -> None:
    book = a_book(arrests=line("arrest"), plans=line("plan", baseline=None))
    case = case_of(book)
    assert [row.id for row in case.deducted.found.rows] == ["arrests"]
    assert "Child protection plan: how many there would be is not stated" in case.left_out[0]


def test_what_is_shipped_gives_no_result_and_no_invented_figure() -> None:
    (table,) = cost_report.result_tables(SHIPPED)
    assert "The size of the cohort is not stated" in text(table)
    blank = [each for each in PUBLISHED if each.low is None]
    assert len(blank) == 2
    rows = {words(row[0]): words(row[1]) for row in cost_ledger.published_table().rows}
    assert rows["Savings of the perpetrator package"] == "not stated"
    assert rows["Cost and benefit over five years"] == "not stated"


effects = st.floats(-0.5, 1.0)
rates = st.floats(0.0, 20.0)


@given(effects, effects, rates, rates, st.floats(0, 1), st.floats(0, 0.2))
def test_agencies_and_kinds_add_up_to_the_whole(
    one: float, two: float, some: float, more: float, deadweight: float, discount: float
) -> None:
    book = a_book(
        arrests=line("arrest", effect=one, baseline=some, agency="Police"),
        care=line("care", effect=two, baseline=more, agency="Council", kind="economic"),
    )
    given_ = msgspec.structs.replace(
        book.assumptions, deadweight=deadweight, discount_rate=discount, years=3, ramp=(0, 0.5, 1)
    )
    case = case_of(msgspec.structs.replace(book, assumptions=given_))
    found = case.deducted.found
    near = {"rel": 1e-9, "abs": 1e-3}
    assert sum(each.benefit for each in case.agencies) == pytest.approx(found.pv_total, **near)
    assert sum(each.cost for each in case.agencies) == pytest.approx(found.pv_cost, **near)
    assert sum(case.deducted.by_kind.values()) == pytest.approx(found.pv_total, **near)


def test_at_its_switching_value_an_effect_brings_exactly_nothing() -> None:
    book = demo_book()
    for ref, value in case_of(book).deducted.found.switching_values.items():
        assert value is not None
        at = msgspec.structs.replace(book.benefits[ref], effect=value)
        there = case_of(book.having(Kind.BENEFIT, ref, at))
        assert there.deducted.found.npv_public_value == pytest.approx(0, abs=1e-3)


def test_the_tornado_is_about_the_result_with_the_widest_bar_first() -> None:
    book = demo_book()
    bars, middle = tornado(book), case_of(book).deducted.found.npv_public_value
    assert [bar.swing for bar in bars] == sorted((bar.swing for bar in bars), reverse=True)
    for bar in bars:
        assert min(bar.at_low, bar.at_high) <= middle <= max(bar.at_low, bar.at_high), bar.label
    still = msgspec.structs.replace(book.assumptions, sensitivity=0.0)
    unmoved = tornado(msgspec.structs.replace(book, assumptions=still))
    assert all(bar.swing == pytest.approx(0) for bar in unmoved)


def test_every_table_says_what_can_and_cannot_be_concluded() -> None:
    book = demo_book()
    made = [*cost_report.result_tables(book), cost_ledger.ledger_table(book)]
    made += [*cost_ledger.money_table(book, TODAY), cost_ledger.assumptions_table(book)]
    made.append(cost_ledger.published_table())
    assert len({each.key for each in made}) == len(made) == 10
    for table in made:
        assert table.said, table.key
        assert all(len(row) == len(table.columns) for row in table.rows), table.key
    pictures = {table.key: table.picture for table in made if table.picture}
    assert set(pictures) == {"money", "tornado"}
    assert 'role="img" aria-label="Net present public value' in pictures["tornado"]
    assert 'role="img" aria-label="With deductions, discounted: Cost £' in pictures["money"]


def test_a_schedule_that_does_not_add_up_and_a_realised_benefit_without_evidence_are_refused() -> (
    None
):
    items = (Item("Partnership", 5_000), Item("Two bases", 600_000))
    cost = Cost("Services", "Council", "preventive", items, "a test", stated_total=965_000)
    with pytest.raises(BadEntry, match="add up to £605,000 and not to £965,000"):
        check(SHIPPED.having(Kind.COST, "c", cost), "c", cost)
    entry = LedgerEntry("Posts", 1.0, "2026/27", "Police", "Head", "realised", "a test")
    with pytest.raises(BadEntry, match="what shows that it was realised"):
        check(SHIPPED.having(Kind.LEDGER, "l", entry), "l", entry)


def test_money_that_ends_soon_and_a_forecast_whose_year_is_over_are_told() -> None:
    stream = Funding("Fund", None, date(2025, 1, 1), date(2027, 3, 31), "groups", "a test")
    over = LedgerEntry("Hearings", None, "2024/25", "Courts", "Lead", "forecast", "a test")
    book = msgspec.structs.replace(SHIPPED, funding={"f": stream}, ledger={"l": over})
    facts = Facts(book, (), (), Waiting(late=7, open=12), TODAY)
    told = text(late_items(facts))
    assert "Fund ends on 2027-03-31, in 129 days: not stated for groups" in told
    assert "Hearings: forecast for 2024/25, not realised" in told
    assert "7 of 12 open" in told
    later = msgspec.structs.replace(facts, today=date(2026, 9, 1), waiting=Waiting(late=1, open=9))
    assert "Fund ends" not in text(late_items(later))
    assert "left out: fewer than 5" in text(late_items(later))
    # Two are not late, which is as few as the one that is.
    rest = text(late_items(msgspec.structs.replace(facts, waiting=Waiting(late=7, open=9))))
    assert "7 of 9 open" not in rest
    assert "left out: fewer than 5" in rest


def test_an_area_with_more_people_than_its_workers_can_hold_is_named() -> None:
    table = capacity([AreaLoad("North", 60, 2), AreaLoad("South", 20, 1)])
    assert [words(row[3]) for row in table.rows] == ["over", "within"]
    assert "Over 28 people a worker: North" in text(table)


def test_a_small_area_cannot_be_worked_out_from_the_others() -> None:
    table = capacity([AreaLoad("North", 60, 2), AreaLoad("South", 20, 1), AreaLoad("East", 3, 0)])
    left_out = ["left out" in words(row[1]) for row in table.rows]
    assert left_out == [False, True, True], "three people, or the whole less the others"
