"""A tag whose clock ran ahead for some minutes: its fixes are judged when their time has come."""

from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, fix, message
from faulty_days import breaches_of, heard

TAG = "TAG-X0"
HALF_MINUTE = timedelta(seconds=30)


def one_fix(watch, place):
    """The next fix of the tag by a clock that is right, half a minute on, judged by the monitor."""
    at = watch.clock.forward(seconds=30)
    came = watch.receive(message(TAG, fix(at, place), received_at=at))
    watch.judge()
    return came


@pytest.fixture
def ahead(watch):
    """The tag is at home in calm, and has sent two minutes in the zone that are still to come."""
    heard(watch, TAG)
    watch.clock.at = START
    for _ in range(10):
        one_fix(watch, OUTSIDE)
    at = watch.clock.forward(seconds=30)
    told = [fix(at + timedelta(minutes=10) + n * HALF_MINUTE, INSIDE) for n in range(4)]
    watch.hear(message(TAG, *told, received_at=at))
    return watch


def test_until_then_its_fixes_are_judged_as_they_arrive(ahead):
    assert [one_fix(ahead, OUTSIDE).on_arrival for _ in range(3)] == [1, 1, 1]
    assert breaches_of(ahead.database, TAG) == []


def test_a_breach_that_they_begin_is_over_when_the_tag_is_heard_elsewhere(ahead):
    """What intake has at hand of the calm is from before they were judged."""
    for _ in range(3):
        one_fix(ahead, OUTSIDE)
    ahead.clock.forward(minutes=11)
    ahead.judge()
    [(_, ended_at)] = breaches_of(ahead.database, TAG)
    assert ended_at is None
    for _ in range(4):
        one_fix(ahead, OUTSIDE)
    [(_, ended_at)] = breaches_of(ahead.database, TAG)
    assert ended_at is not None
    assert [one_fix(ahead, OUTSIDE).on_arrival for _ in range(3)] == [1, 1, 1]
