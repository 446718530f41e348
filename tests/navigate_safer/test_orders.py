"""Orders through their service: what may not be, and what the monitor then judges by."""

from datetime import date, timedelta

import msgspec
import pytest
from case_files import CREWE, INSIDE, MINUTE, OUTSIDE, START, box
from hypothesis import given, settings
from hypothesis import strategies as st
from order_office import HOUR, TODAY, Office, by_court, draft, zone_clause
from watch import Watch

from alerts.finding import Severity
from navigate_safer.db.people import ConditionRow, OrderRow, ZoneRow
from navigate_safer.people.access import Forbidden, Role
from navigate_safer.people.clause_catalogue import Monitored, placeholders, templates
from navigate_safer.people.days import day_of
from navigate_safer.people.order_rules import OnFailure, OrderRules, kinds
from navigate_safer.people.orders import OrderFile, alarms, due_of, order_faults
from navigate_safer.services import order_clauses, orders
from navigate_safer.services.casework import NotFound
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import Stale

# The same SQL for both: tests of records and of changed terms run on PostgreSQL too.
ON_SQLITE = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)


@pytest.fixture
def office(watch: Watch) -> Office:
    return Office(watch)


@ON_SQLITE
def test_a_clause_is_judged_and_after_the_order_is_revoked_nothing_is(office: Office) -> None:
    number = office.make()
    office.add(number, zone_clause())
    office.go(0, OUTSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE)
    assert len(office.breaches) == 1

    office.end(number, START + 6 * MINUTE, replaces=2)
    office.go(7, INSIDE, INSIDE, INSIDE, OUTSIDE)
    assert len(office.breaches) == 1, "no rule without a live clause"
    assert office.see(number).order.stage == "revoked"
    row = office.watch.database.one(OrderRow, OrderRow.id == number)
    assert row.ends_on == TODAY


@ON_SQLITE
def test_what_ended_before_it_was_known_is_judged_again(office: Office) -> None:
    """The court revoked it at 21:00; the officer hears of it after the tag was in the zone."""
    number = office.make()
    office.add(number, zone_clause())
    office.go(0, OUTSIDE, INSIDE, INSIDE, OUTSIDE)
    assert len(office.breaches) == 1
    office.end(number, START, replaces=2)
    office.watch.judge()
    assert office.breaches == []


@ON_SQLITE
def test_a_clause_with_its_start_in_the_past_is_judged_from_its_start(office: Office) -> None:
    office.go(0, INSIDE, INSIDE, OUTSIDE, OUTSIDE, INSIDE, INSIDE, OUTSIDE)
    number = office.make()
    office.add(number, zone_clause(from_at=START + 3 * MINUTE))
    office.watch.judge()
    (found,) = office.breaches
    assert found[0] >= START + 3 * MINUTE, "the first stay was before the clause"


@ON_SQLITE
def test_a_varied_clause_is_judged_by_its_new_zone_from_then_on(office: Office) -> None:
    number = office.make()
    office.add(number, zone_clause())
    with office.sessions.begin() as session:
        session.add(
            ZoneRow(ref="Z-3", version=1, name="Crewe", kind="exclusion", geometry=box(CREWE))
        )
    # Somebody of the area has drawn it: without that it may not be chosen.
    varied = zone_clause("Z-3", key=1)
    with pytest.raises(Faulty) as refused:
        order_clauses.vary_clause(
            office.sessions, office.scope(), "W-NEW", number, varied, by_court(START, 2), office.now
        )
    assert "zone" in refused.value.faults
    again = zone_clause("Z-1", key=1, number="4A", severity=Severity.CRITICAL.value)
    order_clauses.vary_clause(
        office.sessions, office.scope(), "W-NEW", number, again, by_court(START + MINUTE, 2),
        office.now,
    )  # fmt: skip
    office.go(0, OUTSIDE, OUTSIDE, INSIDE, INSIDE, OUTSIDE)
    assert len(office.breaches) == 1
    first, second = office.watch.database.all(ConditionRow, ConditionRow.order_id == number)
    assert (first.until_at, second.from_at) == (START + MINUTE, START + MINUTE)
    assert (first.ref, first.version, second.ref, second.version) == (
        second.ref, 1, first.ref, 2
    )  # fmt: skip
    assert second.clause == "Clause 4A"


@ON_SQLITE
def test_an_ended_clause_is_judged_no_more_and_the_others_are(office: Office) -> None:
    number = office.make()
    office.add(number, zone_clause())
    tag = zone_clause(number="1", monitored=Monitored.TAG, zone_ref=None)
    office.add(number, tag, replaces=2)
    order_clauses.end_clause(
        office.sessions, office.scope(), "W-NEW", number, 1, by_court(START, 3), office.now
    )
    office.go(0, OUTSIDE, INSIDE, INSIDE)
    assert office.breaches == []
    live = [each for each in office.see(number).order.file.clauses if not each.over(office.now)]
    assert [each.number for each in live] == ["1"]


@ON_SQLITE
def test_an_order_of_a_case_file_is_taken_over_when_it_is_first_varied(office: Office) -> None:
    row = office.watch.database.one(OrderRow, OrderRow.ref == "O-1")
    page = office.see(row.id, "W-1")
    assert page.order.version == 0
    assert [each.number for each in page.order.file.clauses] == [
        "Licence 12", "Licence 14A", "Licence 14D"
    ]  # fmt: skip
    later = TODAY + timedelta(days=100)

    def vary(replaces: int) -> None:
        orders.vary(
            office.sessions, office.scope(), "W-1", row.id, later, by_court(replaces=replaces),
            office.now,
        )  # fmt: skip

    vary(0)
    assert office.watch.database.one(OrderRow, OrderRow.ref == "O-1").ends_on == later
    assert [each.version for each in office.see(row.id, "W-1").versions] == [2, 1]
    with pytest.raises(Stale):
        vary(0)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        (draft("dvpo", ends_on=TODAY + timedelta(days=10)), "ends_on"),
        (draft("dvpo", ends_on=TODAY + timedelta(days=26)), "ends_on"),
        (draft("community_order", ends_on=None), "ends_on"),
        (draft("community_order", ends_on=TODAY + timedelta(days=1_200)), "ends_on"),
        (draft(ends_on=TODAY - timedelta(days=9)), "ends_on"),
        (draft(starts_on=TODAY - timedelta(days=3)), "starts_on"),
        (draft(made_on=TODAY + timedelta(days=1)), "made_on"),
    ],
    ids=["13 days", "29 days", "no end", "over 3 years", "end first", "start first", "to come"],
)
def test_an_order_that_cannot_be_is_refused_at_its_field(file: OrderFile, field: str) -> None:
    assert field in order_faults(file, [], START)


@ON_SQLITE
def test_a_second_of_what_there_can_be_one_of_is_refused(office: Office) -> None:
    licence = draft("licence")
    office.make(licence)
    with pytest.raises(Faulty) as refused:
        office.make(draft("licence", starts_on=TODAY, made_on=TODAY))
    assert "vary that" in refused.value.faults["starts_on"]
    # After the first there may be another, and an order of another kind at any time.
    after = TODAY + timedelta(days=55)
    office.make(draft("licence", starts_on=after, ends_on=after + timedelta(days=30)))
    office.make(draft("bail"))
    office.make(draft(case_number="CH/12"))
    with pytest.raises(Faulty) as refused:
        office.make(draft(case_number="ch/12"))
    assert "case_number" in refused.value.faults


@ON_SQLITE
def test_a_clause_that_cannot_be_is_refused_at_its_field(office: Office) -> None:
    number = office.make(draft("community_order"))
    day = timedelta(days=1)
    wrong = {
        "from_at": zone_clause(from_at=START - 9 * day),
        "until_at": zone_clause(until_at=START - 2 * HOUR),
        "zone": zone_clause("Z-2"),
    }
    for field, clause in wrong.items():
        with pytest.raises(Faulty) as refused:
            office.add(number, clause)
        assert field in refused.value.faults, field
    inside_out = zone_clause(monitored=Monitored.CURFEW)
    with pytest.raises(Faulty, match="inclusion"):
        office.add(number, inside_out)
    assert office.watch.database.count(ConditionRow, ConditionRow.order_id == number) == 0
    office.add(number, zone_clause())
    tag = {"monitored": Monitored.TAG, "zone_ref": None}
    office.add(number, zone_clause(number="6", **tag), replaces=2)
    again = {
        "number": zone_clause("Z-9"),
        "zone": zone_clause(number="5"),
        "monitored": zone_clause(number="7", **{**tag, "monitored": Monitored.TRAIL}),
    }
    for field, clause in again.items():
        with pytest.raises(Faulty) as refused:
            office.add(number, clause, replaces=3)
        assert field in refused.value.faults, field


@ON_SQLITE
def test_alcohol_is_monitored_for_as_long_as_the_law_lets(office: Office) -> None:
    number = office.make(draft("community_order", ends_on=TODAY + timedelta(days=300)))
    drink = zone_clause(monitored=Monitored.ALCOHOL_ABSTINENCE, zone_ref=None, number="6")
    with pytest.raises(Faulty, match="at most 120 days"):
        office.add(number, drink)
    until = START - HOUR + timedelta(days=119)
    office.add(number, msgspec.structs.replace(drink, until_at=until))


@ON_SQLITE
def test_nobody_writes_orders_beyond_role_and_area(office: Office) -> None:
    number = office.make()
    args = ("W-NEW", number, by_court(replaces=1), office.now)
    with pytest.raises(Forbidden):
        orders.end_order(office.sessions, office.scope(Role.DUTY_OFFICER), *args)
    with pytest.raises(NotFound):
        orders.end_order(office.sessions, office.scope(area="east"), *args)
    with pytest.raises(NotFound):
        office.see(number, "W-1")
    office.add(number, zone_clause())
    assert office.see(number).zone_names == {"Z-1": "Chester Cross"}
    assert office.see(number, role=Role.PROGRAMME_FACILITATOR).zone_names == {}


def test_the_clocks_of_an_order_come_one_after_another() -> None:
    first = date(2026, 11, 20)
    file = draft("dapo", made_on=first, starts_on=first, ends_on=first + timedelta(days=199))
    assert [key for key, _ in alarms(file, None)] == [
        "notice",
        "end-90",
        "end-30",
        "end-7",
        "end-0",
    ]
    due = due_of(file, START, 7)
    assert due is not None
    # Three days that begin with that of the order; somebody is reminded on the second.
    assert (day_of(due.at), due.who) == (date(2026, 11, 21), 7)
    assert "22 November 2026" in due.what
    seen = msgspec.structs.replace(file, seen=("notice", "end-90"))
    due = due_of(seen, START, None)
    assert due is not None
    # Thirty days before 7 June 2027 is Saturday 8 May: the Friday before.
    assert (file.ends_on, day_of(due.at)) == (date(2027, 6, 7), date(2027, 5, 7))
    assert due_of(msgspec.structs.replace(file, revoked_at=START), START, None) is None
    short = draft("dvpo", starts_on=first, made_on=first, ends_on=first + timedelta(days=27))
    assert [key for key, _ in alarms(short, None)] == ["plan", "end-7", "end-0"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(kinds())),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_two_that_share_a_day_are_found_and_others_are_not(
    kind: str, one: int, long: int, other: int, longer: int
) -> None:
    def of(ref: str, begin: int, length: int) -> OrderFile:
        first = date(2026, 1, 1) + timedelta(days=begin)
        last = first + timedelta(days=length)
        return OrderFile(ref, kind, "A court", "N-1", first, first, last)

    known, new = of("A", one, long), of("B", other, longer)
    days = set(range(one, one + long + 1)) & set(range(other, other + longer + 1))
    if "ends_on" not in order_faults(new, [], START):
        assert bool(order_faults(new, [known], START)) is bool(days)


def test_the_shipped_rules_and_conditions_are_whole() -> None:
    assert set(kinds()) == {
        "community_order", "suspended_sentence", "licence", "dapo", "dvpo", "restraining_order",
        "bail", "voluntary",
    }  # fmt: skip
    for each in kinds().values():
        assert set(each.source) <= set(OrderRules.__struct_fields__)
        assert "pack_working_days" in each.source
        assert each.refer_second is (each.kind in ("community_order", "suspended_sentence"))
        assert each.on_failure is not OnFailure.POLICE or each.letter_working_days == 0
    known = templates()
    assert len(known) > 20
    for template in known.values():
        assert placeholders(template) == {each.name for each in template.inputs}, template.code
    monitored = {each.monitors for each in known.values()}
    assert set(Monitored) - monitored == {Monitored.DISTANCE}, "that names whom to keep away from"
