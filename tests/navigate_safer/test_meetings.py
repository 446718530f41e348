"""Wearers together: found with a probability, once, and only among those of one area."""

import random
from datetime import timedelta

import pytest
from case_files import MINUTE, START, Place, one_more_wearer, walk
from databases import Database
from hypothesis import given, settings
from hypothesis import strategies as st
from watch import Watch

from navigate_safer.db.meetings import MeetingRow
from navigate_safer.services import meetings
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
