"""Judged on arrival while something else changes: terms, fittings, silence, a rule that fails."""

from datetime import timedelta

import pytest
from case_files import (
    CREWE,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    battery,
    fix,
    message,
    one_more_wearer,
    walk,
)
from faulty_days import breaches_of, device_id, heard
from sqlalchemy import insert, select, update
from watch import Watch

from navigate_safer.db import arrivals
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.people import ConditionRow, FittingRow, OrderRow, WearerRow, ZoneRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import JudgementRow, PendingRow
from navigate_safer.services import sweep

TAG = "TAG-X0"
NOWHERE_NEAR = Place(52.60, -1.20)
HALF_MINUTE = timedelta(seconds=30)


def one_fix(watch: Watch, place: Place = OUTSIDE, tag: str = TAG):
    """The next fix of a tag, half a minute on; what its batch came to."""
    at = watch.clock.forward(seconds=30)
    return watch.receive(message(tag, fix(at, place), received_at=at))


@pytest.fixture
def moving(watch):
    """TAG-X0 has just left one place for another, and its rules are at hand in memory."""
    heard(watch, TAG)
    watch.clock.at = START
    for n in range(40):
        step = Place(OUTSIDE.lat + n * 0.0004, OUTSIDE.lon)
        assert one_fix(watch, step).on_arrival == 1
    return watch


def change(watch: Watch, *statements) -> None:
    """What a service does that changes the terms of a device."""
    tag = device_id(watch.database, TAG)
    with watch.sessions.begin() as session:
        for each in statements:
            session.execute(each)
        arrivals.turn_on(session, tag)


def something_else_comes(watch: Watch) -> None:
    """A repeat, which changes nothing but makes intake read the device anew."""
    old = message(TAG, fix(START - 5 * MINUTE, OUTSIDE), received_at=watch.clock())
    assert watch.receive(old).repeated == 1


LAST = Place(OUTSIDE.lat + 39 * 0.0004, OUTSIDE.lon)


@pytest.mark.parametrize("between", [False, True], ids=["at once", "after a repeat"])
def test_a_new_zone_about_where_the_wearer_is_is_broken_by_the_next_fixes(moving, between):
    ring = [[-2.95, 53.20], [-2.80, 53.20], [-2.80, 53.30], [-2.95, 53.30], [-2.95, 53.20]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    zone = insert(ZoneRow).values(
        ref="Z-1",
        version=2,
        name="Zoo",
        kind="exclusion",
        geometry=geometry,
        buffer_m=0,
        timezone="Europe/London",
    )
    clause = update(ConditionRow).where(ConditionRow.ref == "CX-0")
    larger = select(ZoneRow.id).where(ZoneRow.version == 2).scalar_subquery()
    change(moving, zone, clause.values(zone_id=larger, from_at=moving.clock()))
    if between:
        something_else_comes(moving)
    for _ in range(3):
        one_fix(moving, LAST)
        moving.judge()
    assert len(breaches_of(moving.database, TAG)) == 1


@pytest.mark.parametrize("between", [False, True], ids=["at once", "after a repeat"])
def test_after_the_end_of_a_clause_nothing_is_found(moving, between):
    clause = update(ConditionRow).where(ConditionRow.ref == "CX-0")
    change(moving, clause.values(until_at=moving.clock()))
    if between:
        something_else_comes(moving)
    for place in (INSIDE, INSIDE, INSIDE):
        one_fix(moving, place)
        moving.judge()
    assert breaches_of(moving.database, TAG) == []


def test_a_device_that_changes_hands_is_judged_by_the_terms_of_who_wears_it(moving):
    """W-2 must not be in Crewe, and its old wearer might."""
    at = moving.clock()
    tag = device_id(moving.database, TAG)
    w2 = moving.database.one(WearerRow, WearerRow.ref == "W-2").id
    change(
        moving,
        update(FittingRow).where(FittingRow.device_id == tag).values(removed_at=at),
    )
    with moving.sessions.begin() as session:
        session.add(FittingRow(device_id=tag, wearer_id=w2, fitted_at=at + HALF_MINUTE / 2))
    for _ in range(3):
        one_fix(moving, CREWE)
        moving.judge()
    [episode] = moving.database.all(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    assert episode.wearer_id == w2
    assert one_fix(moving, CREWE).stored == 1


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"zone_id": None}, id="a place without its place"),
        pytest.param({"limits": {"no such limit": 1}}, id="limits of another version"),
    ],
)
def test_a_rule_that_cannot_be_read_costs_its_device_no_reading_and_the_others_nothing(
    moving, broken
):
    moving.register(one_more_wearer(9))
    moving.hear(*walk("TAG-X9", OUTSIDE, start=moving.clock()))
    clause = update(ConditionRow).where(ConditionRow.ref == "CX-0").values(**broken)
    with moving.sessions.begin() as session:
        session.execute(clause)
    for each in (TAG, "TAG-X9"):
        moving.arrivals = type(moving.arrivals)()
        at = moving.clock.forward(seconds=30)
        batch = [message(tag, fix(at, NOWHERE_NEAR), received_at=at) for tag in (TAG, "TAG-X9")]
        result = moving.receive(*batch)
        assert (result.stored, result.refused) == (2, 0), each
    pending = moving.database.all(PendingRow)
    assert device_id(moving.database, TAG) in {row.device_id for row in pending}
    assert moving.database.count(FixRow, FixRow.device_id == device_id(moving.database, TAG)) == 44


def test_rules_that_are_at_hand_are_read_anew_when_a_clause_is_entered_that_begins_soon(moving):
    """No reading is covered yet, so that nothing but the turn says that the terms are others."""
    for n in range(20):
        # Towards Chester Cross: what is near a zone is stepped through the rules.
        assert one_fix(moving, Place(53.220 - n * 0.001, INSIDE.lon)).on_arrival == 1
    assert moving.arrivals.rules_at_hand == 1
    soon = moving.clock() + timedelta(seconds=20)
    ring = [[-2.95, 53.198], [-2.80, 53.198], [-2.80, 53.3], [-2.95, 53.3], [-2.95, 53.198]]
    with moving.sessions.begin() as session:
        order = session.scalars(select(OrderRow).where(OrderRow.ref == "O-X0")).one()
        zone = ZoneRow(ref="Z-N", name="Zoo", kind="exclusion",
                       geometry={"type": "Polygon", "coordinates": [ring]})  # fmt: skip
        session.add(zone)
        session.flush()
        session.add(ConditionRow(ref="C-N", order_id=order.id, clause="Licence 13",
                                 kind="exclusion_zone", severity="high", zone_id=zone.id,
                                 limits={}, from_at=soon))  # fmt: skip
    something_else_comes(moving)
    assert moving.database.count(PendingRow) == 0
    for n in range(3):
        one_fix(moving, Place(53.2005 - n * 1e-5, INSIDE.lon))
        moving.judge()
    assert len(breaches_of(moving.database, TAG)) == 1


# Silence


def silences(watch: Watch) -> list[EpisodeRow]:
    tag = device_id(watch.database, TAG)
    worn = watch.database.one(FittingRow, FittingRow.device_id == tag)
    return watch.database.all(
        EpisodeRow,
        EpisodeRow.kind == "silence",
        EpisodeRow.fitting_id == worn.id,
        EpisodeRow.started_at >= START - 10 * MINUTE,
        EpisodeRow.withdrawn.is_(False),
    )


def schedule(watch: Watch) -> None:
    """A round of the ticks, as the worker does it."""
    sweep.put_off(watch.sessions, watch.clock())
    watch.look_for_silence()


def test_a_tag_that_is_judged_on_arrival_is_not_called_silent(moving):
    for n in range(90):
        assert one_fix(moving, LAST).on_arrival == 1
        if n % 6 == 5:
            schedule(moving)
    assert silences(moving) == []


@pytest.mark.parametrize("rounds", [True, False], ids=["with rounds before", "without"])
def test_a_tag_that_falls_silent_is_found_on_time(moving, rounds):
    for n in range(60):
        one_fix(moving, LAST)
        if rounds and n % 10 == 9:
            schedule(moving)
    last_at = moving.clock()
    moving.clock.forward(seconds=899)
    schedule(moving)
    assert silences(moving) == []
    moving.clock.forward(seconds=2)
    schedule(moving)
    [silence] = silences(moving)
    assert (silence.started_at, silence.ended_at) == (last_at, None)


def test_what_a_silent_tag_sends_next_ends_its_silence(moving):
    for _ in range(5):
        one_fix(moving, LAST)
    last_at = moving.clock()
    moving.clock.forward(minutes=20)
    schedule(moving)
    assert len(silences(moving)) == 1
    assert one_fix(moving, LAST).on_arrival == 0
    moving.judge()
    [silence] = silences(moving)
    assert (silence.started_at, silence.ended_at) == (last_at, moving.clock())
    assert one_fix(moving, LAST).on_arrival == 1


def test_a_backlog_that_comes_after_all_withdraws_the_silence(moving):
    last_at = moving.clock()
    moving.clock.forward(minutes=20)
    schedule(moving)
    late = [fix(last_at + n * MINUTE, LAST) for n in range(1, 21)]
    moving.receive(message(TAG, *late, received_at=moving.clock()))
    moving.judge()
    assert silences(moving) == []


def test_states_that_lag_behind_the_readings_are_caught_up_before_a_silence_is_called(moving):
    """Readings that were passed by in calm are in no states: they count as heard all the same."""
    for _ in range(30):
        one_fix(moving, LAST)
    with moving.sessions.begin() as session:
        session.execute(update(JudgementRow).values(check_after=START))
    moving.look_for_silence()
    assert silences(moving) == []


def test_a_battery_level_between_fixes_is_judged_and_the_fixes_go_on(moving):
    at = moving.clock.forward(seconds=10)
    moving.receive(message(TAG, battery(at, 12), received_at=at))
    moving.judge()
    assert moving.database.count(EpisodeRow, EpisodeRow.kind == "battery_low") == 1
    assert [one_fix(moving, LAST).on_arrival for _ in range(3)] == [1, 1, 1]
