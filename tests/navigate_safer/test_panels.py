"""Meetings: who is a repeat, what is overdue, and minutes that are kept whole or not at all."""

from datetime import date, timedelta

import msgspec
import pytest
from case_files import START, small_case_file
from databases import SqliteFactory
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.panels import (
    RULES,
    Action,
    Heard,
    Item,
    Panel,
    PanelKind,
    figures,
    next_on,
    repeat_of,
)
from navigate_safer.services import panels, register
from navigate_safer.services.panels import AlreadyListed
from navigate_safer.services.records import Stale

MARAC, MATAC = PanelKind.MARAC, PanelKind.MATAC
DAY = date(2026, 11, 3)
days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


def test_referred_again_within_a_year_is_a_repeat_and_a_day_later_is_not() -> None:
    assert repeat_of(MARAC, DAY, [(MARAC, DAY - timedelta(days=365))], RULES) is not None
    assert repeat_of(MARAC, DAY, [(MARAC, DAY - timedelta(days=366))], RULES) is None
    assert repeat_of(MARAC, DAY, [(MATAC, DAY - timedelta(days=10))], RULES) is None
    assert repeat_of(MARAC, DAY, [(MARAC, DAY + timedelta(days=1))], RULES) is None


@given(days, st.lists(st.tuples(st.sampled_from(PanelKind), days)))
def test_a_repeat_names_the_newest_referral_that_makes_it_one(referred_on: date, earlier) -> None:
    found = repeat_of(MARAC, referred_on, earlier, RULES)
    counting = [
        day for kind, day in earlier
        if kind is MARAC and 0 <= (referred_on - day).days <= RULES.of(MARAC).repeat_within_days
    ]  # fmt: skip
    assert found == max(counting, default=None)


def test_a_matac_meets_every_four_weeks() -> None:
    assert next_on(MATAC, date(2026, 2, 4), RULES) == date(2026, 3, 4)


def test_the_figures_say_that_nobody_was_heard_and_not_zero_days() -> None:
    nothing = figures([], [], [], DAY)
    assert (nothing.median_days_to_hearing, nothing.repeat_percent) == (None, None)
    item = Item("ME-1", MARAC, DAY, DAY - timedelta(days=9), "police", "again", DAY)
    action = Action("ME-1", "Call", "police", "PC", DAY - timedelta(days=1))
    made = figures([], [(1, item), (1, item)], [action], DAY)
    assert (made.median_days_to_hearing, made.repeats, made.people) == (9, 2, 1)
    assert (made.repeat_percent, made.actions_open, made.actions_overdue) == (100, 1, 1)


@pytest.fixture
def office(tmp_path):
    with SqliteFactory(tmp_path).fresh() as database:
        register.register(database.sessions, small_case_file(), START)
        areas = {row.ref: row.id for row in database.all(AreaRow)}
        person = next(row for row in database.all(WearerRow) if row.area_id == areas["west"])
        staff = database.all(StaffRow)[0]
        scope = Scope(staff.id, Role.OFFENDER_MANAGER, frozenset({areas["west"]}))
        yield database.sessions, scope, areas["west"], person.ref


def planned(office, held_on=DAY):
    sessions, scope, area, _ = office
    return panels.plan(sessions, scope, area, Panel(MARAC, held_on, "10:00", "Chair"), START)


def test_a_person_is_heard_and_an_action_is_followed_until_it_is_done(office) -> None:
    sessions, scope, _, person = office
    first = planned(office, DAY - timedelta(days=100))
    referred = DAY - timedelta(days=110)
    item = panels.list_person(
        sessions, scope, first.ref, person, referred, "police", "three calls", START
    )
    with pytest.raises(AlreadyListed):
        panels.list_person(sessions, scope, first.ref, person, DAY, "police", "again", START)
    heard = {item.ref: (1, Heard.HEARD, "He is to be offered a place.")}
    kept = msgspec.structs.replace(first.body, minutes="All came.")
    panels.write_minutes(sessions, scope, first.ref, kept, heard, replaces=1, now=START)
    second = planned(office)
    again = panels.list_person(sessions, scope, second.ref, person, DAY, "housing", "noise", START)
    assert again.body.earlier_on == referred
    action = Action(second.ref, "Offer a place", "probation", "P. Officer", DAY)
    asked = panels.ask(sessions, scope, second.ref, person, action, START)
    assert [each.ref for each in panels.see_all(sessions, scope, START).undone] == [asked.ref]
    panels.done(sessions, scope, asked.ref, "He took it", replaces=1, now=START)
    shown = panels.see_all(sessions, scope, START)
    assert shown.undone == []
    assert shown.figures[MARAC].median_days_to_hearing == 10


def test_a_repeat_counts_from_the_referral_before_and_not_from_its_hearing(office) -> None:
    sessions, scope, _, person = office
    first, second = planned(office, DAY - timedelta(days=340)), planned(office)
    # Referred 375 days before this referral and heard 340 days before it: over twelve months.
    long_ago = DAY - timedelta(days=375)
    item = panels.list_person(
        sessions, scope, first.ref, person, long_ago, "police", "calls", START
    )
    heard = {item.ref: (1, Heard.HEARD, "All came.")}
    panels.write_minutes(sessions, scope, first.ref, first.body, heard, replaces=1, now=START)
    again = panels.list_person(sessions, scope, second.ref, person, DAY, "police", "calls", START)
    assert again.body.earlier_on is None


def test_a_referral_that_was_never_heard_makes_the_next_a_repeat(office) -> None:
    sessions, scope, _, person = office
    put_off, next_one, third = (planned(office, DAY + timedelta(days=n)) for n in (0, 28, 56))
    listed = panels.list_person(sessions, scope, put_off.ref, person, DAY, "police", "one", START)
    deferred = {listed.ref: (1, Heard.DEFERRED, "He is in hospital.")}
    panels.write_minutes(
        sessions, scope, put_off.ref, put_off.body, deferred, replaces=1, now=START
    )
    same = panels.list_person(sessions, scope, next_one.ref, person, DAY, "police", "one", START)
    assert same.body.earlier_on is None, "the same referral, heard at the next meeting"
    later = DAY + timedelta(days=30)
    new = panels.list_person(sessions, scope, third.ref, person, later, "police", "two", START)
    assert new.body.earlier_on == DAY


def test_a_repeat_is_settled_again_with_the_minutes(office) -> None:
    sessions, scope, _, person = office
    first, second = planned(office), planned(office, DAY + timedelta(days=28))
    item = panels.list_person(sessions, scope, first.ref, person, DAY, "police", "calls", START)
    assert item.body.earlier_on is None
    forgotten = DAY - timedelta(days=20)
    panels.list_person(sessions, scope, second.ref, person, forgotten, "health", "calls", START)
    heard = {item.ref: (1, Heard.HEARD, "Both were read.")}
    panels.write_minutes(sessions, scope, first.ref, first.body, heard, replaces=1, now=START)
    (kept,) = panels.see(sessions, scope, first.ref, START).items
    assert kept.body.earlier_on == forgotten


def test_minutes_that_meet_anothers_are_refused_whole(office) -> None:
    sessions, scope, _, person = office
    panel = planned(office)
    item = panels.list_person(sessions, scope, panel.ref, person, DAY, "police", "calls", START)
    panels.write_minutes(
        sessions, scope, panel.ref, panel.body, {item.ref: (1, Heard.HEARD, "Theirs")},
        replaces=1, now=START,
    )  # fmt: skip
    mine = msgspec.structs.replace(panel.body, minutes="Mine")
    with pytest.raises(Stale):
        panels.write_minutes(
            sessions, scope, panel.ref, mine, {item.ref: (1, Heard.DEFERRED, "Mine")},
            replaces=2, now=START,
        )  # fmt: skip
    page = panels.see(sessions, scope, panel.ref, START)
    assert (page.panel.body.minutes, page.items[0].body.minutes) == ("", "Theirs")


def test_a_duty_officer_does_not_read_minutes(office) -> None:
    sessions, scope, _, _ = office
    with pytest.raises(Forbidden):
        panels.see_all(sessions, Scope(scope.staff_id, Role.DUTY_OFFICER, scope.areas), START)
