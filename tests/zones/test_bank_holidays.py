"""Bank holidays of England and Wales against the published lists."""

from datetime import date

import pytest

from zones.bank_holidays import FIRST_YEAR, is_bank_holiday, of_year

# https://www.gov.uk/bank-holidays and the proclamations in the London Gazette.
PUBLISHED = {
    2012: "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26",
    2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
    2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
    2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
    2028: "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_days_of_a_year_are_those_published(year):
    expected = {date.fromisoformat(f"{year}-{day}") for day in PUBLISHED[year].split()}
    assert of_year(year) == expected


def test_every_year_of_the_century_has_its_eight_days_on_weekdays_of_their_own():
    for year in range(2029, 2100):
        days = of_year(year)
        assert len(days) == 8
        assert all(day.weekday() < 5 for day in days)


def test_before_the_first_year_none_is_known():
    assert not is_bank_holiday(date(FIRST_YEAR - 1, 12, 26))


def test_the_weekend_of_which_the_holiday_is_kept_on_monday_is_an_ordinary_weekend():
    assert not is_bank_holiday(date(2022, 1, 1))
    assert is_bank_holiday(date(2022, 1, 3))
