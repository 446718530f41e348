"""Durations as people read them: in the largest unit that fits, everywhere by one function."""

from datetime import timedelta

import pytest

from navigate_safer.people.days import span
from navigate_safer.web.words import seconds


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(seconds=1.9), "1 second"),
        (timedelta(seconds=59.9), "59 seconds"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=24_488), "17 days"),
    ],
)
def test_a_duration_is_said_in_the_largest_unit_that_fits(length: timedelta, words: str) -> None:
    assert span(length) == words


@pytest.mark.parametrize(
    ("delay_s", "words"),
    [(0.34, "0.3 s"), (45, "45 s"), (700, "12 min"), (20_000, "5 hours"), (1_469_280, "17 days")],
)
def test_a_delay_of_a_gateway_is_not_said_in_thousands_of_minutes(
    delay_s: float, words: str
) -> None:
    assert seconds(delay_s) == words
