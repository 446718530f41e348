"""Wearers together: found with a probability, once, and only among those of one area."""

import random
from datetime import timedelta

import pytest
from case_files import MINUTE, START, Place, fix, message, one_more_wearer, walk
from databases import Database
from hypothesis import given, settings
from hypothesis import strategies as st
from watch import Watch

from navigate_safer.db.meetings import MeetingMarkRow, MeetingRow
from navigate_safer.services import meeting_marks, meetings
from zones import encounters

PUB = Place(53.2001, -2.9001)
HOME = Place(53.2301, -2.8601)
BESIDE = Place(PUB.lat + 10 / 111_290, PUB.lon)


def heard(watch: Watch, number: int, *places: Place, start=START) -> None:
    watch.receive(*walk(f"TAG-X{number}", *places, start=start))


@pytest.fixture
def pair(database: Database) -> Watch:
    watch = Watch(database)
    for number in (1, 2, 3):
        watch.register(one_more_wearer(number, conditions=()))
    return watch


def found(watch: Watch) -> list[tuple[float, float]]:
    """Minutes from START of each meeting."""
    rows = watch.database.all(MeetingRow)
    return [((row.started_at - START) / MINUTE, (row.ended_at - START) / MINUTE) for row in rows]


def test_an_hour_at_one_table_is_found_once_with_its_times(pair: Watch) -> None:
    heard(pair, 1, *[HOME] * 10, *[PUB] * 60, *[HOME] * 10)
    heard(pair, 2, *[PUB] * 10, *[BESIDE] * 60, *[PUB] * 10)
    heard(pair, 3, *[HOME] * 80)
    pair.clock.not_before(START + 85 * MINUTE)
    assert meetings.look(pair.sessions, pair.clock()) == 1
    ((begins, ends),) = found(pair)
    assert 9 <= begins <= 11
    assert 69 <= ends <= 71
    assert pair.database.one(MeetingRow).probability > 0.9
    # Looked for again an hour later it is still one.
    pair.clock.forward(hours=1)
    meetings.look(pair.sessions, pair.clock())
    assert len(found(pair)) == 1


def test_two_tags_that_report_in_turn_every_ten_minutes_are_found_at_one_table(
    pair: Watch,
) -> None:
    for number, first in ((1, 0), (2, 5)):
        for minute in range(first, 70, 10):
            place = PUB if number == 1 else BESIDE
            heard(pair, number, place, start=START + minute * MINUTE)
    pair.clock.not_before(START + 75 * MINUTE)
    assert meetings.look(pair.sessions, pair.clock()) == 1
    ((begins, ends),) = found(pair)
    assert (begins, ends) == (5, 60)


def test_five_minutes_at_one_counter_are_no_meeting(pair: Watch) -> None:
    heard(pair, 1, *[HOME] * 10, *[PUB] * 5, *[HOME] * 10)
    heard(pair, 2, *[PUB] * 25)
    pair.clock.not_before(START + 30 * MINUTE)
    assert meetings.look(pair.sessions, pair.clock()) == 0


def test_a_meeting_longer_than_the_stretch_that_is_looked_at_stays_one(pair: Watch) -> None:
    for hours in range(1, 6):
        first = START + timedelta(hours=hours - 1)
        heard(pair, 1, *[PUB] * 60, start=first)
        heard(pair, 2, *[BESIDE] * 60, start=first)
        pair.clock.not_before(START + timedelta(hours=hours))
        meetings.look(pair.sessions, pair.clock())
    ((begins, ends),) = found(pair)
    assert begins == 0
    assert ends >= 295


def test_wearers_of_two_areas_are_not_compared(database: Database) -> None:
    watch = Watch(database)
    watch.receive(*walk("TAG-1", *[PUB] * 40), *walk("TAG-2", *[PUB] * 40, gateway="gw-east"))
    watch.clock.not_before(START + 45 * MINUTE)
    assert meetings.look(watch.sessions, watch.clock()) == 0


STEP_M = st.floats(-2_000, 2_000)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(STEP_M, STEP_M), min_size=2, max_size=12), st.integers(0, 1_000))
def test_the_sieve_lets_everybody_through_who_was_within_a_square(places, seed) -> None:
    generator = random.Random(seed)
    slots = [0, 1, 2]
    where = {
        number: {
            (slot, int((east + generator.uniform(-5, 5)) // encounters.SQUARE_M),
             int((north + generator.uniform(-5, 5)) // encounters.SQUARE_M))
            for slot in slots
        }
        for number, (east, north) in enumerate(places)
    }  # fmt: skip
    passed = encounters.candidates(where, 2)
    assert list(passed) == sorted(set(passed))
    assert all(0 <= first < last <= 2 for first, last in passed.values())
    for one in where:
        for other in range(one + 1, len(places)):
            near = [
                max(abs(places[one][axis] - places[other][axis]) for axis in (0, 1))
                < encounters.SQUARE_M - 10
            ]
            if all(near):
                assert (one, other) in passed


# Readings that come late, and hours in which nobody looked

TWO_AT_ONE_TABLE = [*[HOME] * 10, *[PUB] * 60, *[HOME] * 10]
THE_OTHER = [*[PUB] * 10, *[BESIDE] * 60, *[PUB] * 10]


def hourly(watch: Watch, hours: int) -> None:
    """What the schedule does, from now on."""
    for _ in range(hours):
        watch.clock.forward(hours=1)
        meetings.look(watch.sessions, watch.clock())


def bring(watch: Watch, number: int, *places: Place, start=START) -> None:
    """A tag that was out of coverage hands over what it kept, now."""
    kept = [fix(start + minute * MINUTE, place) for minute, place in enumerate(places)]
    watch.receive(message(f"TAG-X{number}", *kept, received_at=watch.clock()))


@pytest.mark.parametrize("hours", [2, 4, 12, 13 * 24], ids=lambda hours: f"{hours} hours late")
def test_a_tag_that_uploads_late_is_found_with_whom_it_was(pair: Watch, hours: int) -> None:
    heard(pair, 1, *TWO_AT_ONE_TABLE)
    pair.clock.not_before(START + 80 * MINUTE)
    meetings.look(pair.sessions, pair.clock())
    assert found(pair) == []
    pair.clock.forward(hours=hours - 1, minutes=30)
    meetings.look(pair.sessions, pair.clock())
    pair.clock.forward(minutes=30)
    bring(pair, 2, *THE_OTHER)
    hourly(pair, 1)
    ((begins, ends),) = found(pair)
    assert 9 <= begins <= 11
    assert 69 <= ends <= 71


def test_an_older_part_that_comes_after_a_newer_one_is_looked_at_too(pair: Watch) -> None:
    """Out of order it goes through the general form of intake."""
    heard(pair, 1, *TWO_AT_ONE_TABLE)
    heard(pair, 2, HOME, start=START + 5 * 60 * MINUTE)
    pair.clock.not_before(START + 5 * 60 * MINUTE)
    meetings.look(pair.sessions, pair.clock())
    bring(pair, 2, *THE_OTHER)
    hourly(pair, 1)
    assert len(found(pair)) == 1


@pytest.mark.parametrize("minute", [-10, 100], ids=["its beginning", "its middle"])
def test_what_was_found_before_stays_whole_when_a_part_of_it_is_looked_at_again(
    pair: Watch, minute: int
) -> None:
    """Five hours together; of a third person a few fixes of that time come late."""
    for number, place in ((1, PUB), (2, BESIDE)):
        heard(pair, number, *[place] * 300)
    pair.clock.not_before(START + 300 * MINUTE)
    pair.clock.at = START
    hourly(pair, 6)
    ((begins, ends),) = found(pair)
    assert (begins, ends >= 295) == (0, True)
    hourly(pair, 8)
    bring(pair, 3, *[HOME] * 5, start=START + minute * MINUTE)
    hourly(pair, 2)
    assert found(pair) == [(begins, ends)]


def test_after_a_pause_of_the_schedule_the_hours_of_the_pause_are_looked_at(pair: Watch) -> None:
    meetings.look(pair.sessions, pair.clock())
    heard(pair, 1, *TWO_AT_ONE_TABLE)
    heard(pair, 2, *THE_OTHER)
    pair.clock.not_before(START + timedelta(hours=9))
    meetings.look(pair.sessions, pair.clock())
    ((begins, ends),) = found(pair)
    assert 9 <= begins <= 11
    assert 69 <= ends <= 71


def test_a_meeting_over_the_border_of_two_stretches_is_found_after_a_pause(pair: Watch) -> None:
    meetings.look(pair.sessions, pair.clock())
    at = START + timedelta(minutes=65)
    heard(pair, 1, *[PUB] * 20, start=at)
    heard(pair, 2, *[BESIDE] * 20, start=at)
    for hours in (9, 10):
        pair.clock.not_before(START + timedelta(hours=hours))
        meetings.look(pair.sessions, pair.clock())
        assert len(found(pair)) == 1


def test_a_long_pause_is_made_up_for_in_several_rounds_each_bounded(pair: Watch) -> None:
    meetings.look(pair.sessions, pair.clock())
    day = START + timedelta(days=4)
    heard(pair, 1, *TWO_AT_ONE_TABLE, start=day)
    heard(pair, 2, *THE_OTHER, start=day)
    pair.clock.not_before(START + timedelta(days=8))
    with pair.sessions() as session:
        due = meeting_marks.due(session, pair.clock())
    assert len(due.stretches) == meeting_marks.MOST_AT_ONCE
    assert [each.end for each in due.left] == [pair.clock() - timedelta(hours=2)]
    meetings.look(pair.sessions, pair.clock())
    assert found(pair) == [], "the first two days of the pause"
    hourly(pair, 5)
    assert len(found(pair)) == 1
    with pair.sessions() as session:
        assert meeting_marks.due(session, pair.clock()).stretches == []


def test_where_nothing_is_late_only_the_last_hours_are_looked_at(pair: Watch) -> None:
    for hour in range(4):
        heard(pair, 1, *[PUB] * 59, start=START + timedelta(hours=hour))
        hourly(pair, 1)
        with pair.sessions() as session:
            due = meeting_marks.due(session, pair.clock() + timedelta(hours=1, minutes=5))
        assert due.stretches == []
    assert pair.database.count(MeetingMarkRow) == 1


def test_one_clock_that_is_days_slow_does_not_have_the_days_between_looked_at(pair: Watch) -> None:
    pair.clock.not_before(START + timedelta(days=10))
    meetings.look(pair.sessions, pair.clock())
    slow = [fix(START, HOME), fix(START + timedelta(days=10), HOME)]
    pair.receive(message("TAG-X1", *slow, received_at=pair.clock()))
    with pair.sessions() as session:
        due = meeting_marks.due(session, pair.clock())
    assert len(due.stretches) == 1


def test_what_nobody_would_be_shown_is_not_looked_for(pair: Watch) -> None:
    pair.clock.not_before(START + timedelta(days=20))
    bring(pair, 2, *THE_OTHER)
    with pair.sessions() as session:
        assert meeting_marks.due(session, pair.clock()).stretches == []
