"""Serial and repeat rates."""

from datetime import date

import pytest

from navigate_safer.outcomes.intervals import wilson
from navigate_safer.outcomes.repeats import repeat_rate, serial_rate
from navigate_safer.outcomes.serial import Incident, Incidents


def test_the_repeat_rate_counts_referrals_that_follow_one_of_the_last_twelve_months():
    found = repeat_rate(
        {
            "entered in any order": [
                date(2025, 3, 1),
                date(2024, 3, 1),
            ],  # the anniversary: a repeat
            "a day too late": [date(2024, 3, 1), date(2025, 3, 2)],
            "three in a row": [date(2024, 1, 1), date(2024, 6, 1), date(2025, 2, 1)],
            "only once": [date(2024, 1, 1)],
        }
    )
    assert (found.count, found.of) == (3, 8)
    assert found.rate == pytest.approx(3 / 8)
    assert found.ci95 == wilson(3, 8)


def test_the_serial_rate_is_of_the_whole_cohort():
    rows = [("P1", "A", 1), ("P1", "B", 2), ("P2", "A", 3), ("P2", "A", 4)]
    incidents = tuple(Incident(p, v, date(2025, 1, day)) for p, v, day in rows)
    found = serial_rate(Incidents(date(2025, 6, 30), incidents, {}), cohort=156)
    assert (found.count, found.of) == (1, 156)
    assert found.rate == pytest.approx(1 / 156)


def test_an_empty_cohort_has_no_rate_and_says_so():
    found = repeat_rate({})
    assert found.rate is None
    assert found.ci95 is None
    assert found.reasons == {"rate": "no case was referred", "ci95": "no case was referred"}
    assert serial_rate(Incidents(date(2025, 6, 30), (), {}), cohort=0).rate is None
