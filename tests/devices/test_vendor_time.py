"""Times of exports, above all in the two nights on which the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.vendor_time import BadTime, TimeRule, parser

UK = "%d/%m/%Y %H:%M:%S"
LONDON = ZoneInfo("Europe/London")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "text", "at"),
    [
        pytest.param(TimeRule(), "2026-07-01T12:00:00Z", utc(2026, 7, 1, 12), id="ISO, UTC"),
        pytest.param(TimeRule(), "2026-07-01T12:00:00+01:00", utc(2026, 7, 1, 11), id="an offset"),
        pytest.param(TimeRule(timezone="UTC"), "2026-07-01 12:00:00.250",
                     utc(2026, 7, 1, 12, 0, 0, 250_000), id="ISO without an offset, in UTC"),
        pytest.param(TimeRule(timezone="Europe/London"), "2026-07-01T12:00:00+00:00",
                     utc(2026, 7, 1, 12), id="its own offset goes before the mapping's zone"),
        pytest.param(TimeRule(UK, "Europe/London"), "01/07/2026 12:00:00", utc(2026, 7, 1, 11),
                     id="local time in summer"),
        pytest.param(TimeRule(UK, "Europe/London"), "01/12/2026 12:00:00", utc(2026, 12, 1, 12),
                     id="local time in winter"),
        pytest.param(TimeRule(UK + " %z"), "01/07/2026 12:00:00 +0200", utc(2026, 7, 1, 10),
                     id="a format with an offset"),
        pytest.param(TimeRule("epoch_s"), "1795300800", utc(2026, 11, 21, 22, 40), id="seconds"),
        pytest.param(TimeRule("epoch_ms"), "1795300800500", utc(2026, 11, 21, 22, 40, 0, 500_000),
                     id="milliseconds"),
    ],
)  # fmt: skip
def test_a_time_is_the_instant_it_says(rule, text, at):
    found = parser(rule)(text)
    assert found == at
    assert found.utcoffset().total_seconds() == 0


CHANGES = [
    pytest.param("25/10/2026 00:59:59", utc(2026, 10, 24, 23, 59, 59), id="the last second before"),
    pytest.param("25/10/2026 02:00:00", utc(2026, 10, 25, 2), id="the first that is single again"),
    pytest.param("29/03/2026 00:59:59", utc(2026, 3, 29, 0, 59, 59), id="before the lost hour"),
    pytest.param("29/03/2026 02:00:00", utc(2026, 3, 29, 1), id="after the lost hour"),
]


@pytest.mark.parametrize(("text", "at"), CHANGES)
def test_about_a_change_of_the_clocks(text, at):
    assert parser(TimeRule(UK, "Europe/London"))(text) == at


@pytest.mark.parametrize(
    ("ambiguous", "at"),
    [("first", utc(2026, 10, 25, 0, 30)), ("second", utc(2026, 10, 25, 1, 30))],
)
def test_the_repeated_hour_is_taken_as_the_mapping_says(ambiguous, at):
    rule = TimeRule(UK, "Europe/London", ambiguous)
    assert parser(rule)("25/10/2026 01:30:00") == at


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_the_repeated_hour_is_refused_by_name_unless_the_mapping_says(minute):
    with pytest.raises(BadTime, match="clocks went back and it was twice"):
        parser(TimeRule(UK, "Europe/London"))(f"25/10/2026 01:{minute:02}:00")


@pytest.mark.parametrize("ambiguous", ["refuse", "first", "second"])
def test_a_time_in_the_lost_hour_never_was(ambiguous):
    rule = TimeRule(UK, "Europe/London", ambiguous)
    with pytest.raises(BadTime, match="never was"):
        parser(rule)("29/03/2026 01:30:00")


def test_in_utc_the_same_wall_time_is_neither_lost_nor_twice():
    for text in ("25/10/2026 01:30:00", "29/03/2026 01:30:00"):
        assert parser(TimeRule(UK, "UTC"))(text).strftime(UK) == text


@given(st.integers(0, 15 * 366 * 86_400))
def test_local_time_there_and_back(seconds):
    local = (utc(2020, 1, 1) + timedelta(seconds=seconds)).replace(tzinfo=None)
    try:
        at = parser(TimeRule(UK, "Europe/London", "first"))(local.strftime(UK))
    except BadTime:
        # Only what no clock in London has shown.
        aware = local.replace(tzinfo=LONDON)
        assert aware.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != local
        return
    assert at.astimezone(LONDON).replace(tzinfo=None, fold=0) == local


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param(TimeRule(), "2026-07-01T12:00:00", id="no offset, and no zone in the mapping"),
        pytest.param(TimeRule(), "", id="empty"),
        pytest.param(TimeRule(timezone="UTC"), "2026-07-01", id="a day that is no midnight"),
        pytest.param(TimeRule(UK, "UTC"), "2026-07-01 12:00:00", id="another format"),
        pytest.param(TimeRule(UK, "UTC"), "31/06/2026 12:00:00", id="31 June"),
        pytest.param(TimeRule("epoch_s"), "soon", id="a word"),
        pytest.param(TimeRule("epoch_s"), "1e300", id="beyond all years"),
        pytest.param(TimeRule("epoch_s"), "nan", id="no number"),
        pytest.param(TimeRule(), "0001-01-01T00:00:00+05:00", id="before the year 1 in UTC"),
    ],
)
def test_a_bad_time_is_named_and_not_repeated(rule, text):
    with pytest.raises(BadTime, match=r"^time: ") as told:
        parser(rule)(text)
    assert not text or text not in str(told.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param(TimeRule(UK), "time.timezone: is needed", id="local time of nowhere"),
        pytest.param(TimeRule(timezone="Europe/Chester"), "zone such as Europe/London", id="typo"),
        pytest.param(TimeRule(timezone="../etc/passwd"), "zone such as", id="a path"),
        pytest.param(TimeRule(ambiguous="later"), "time.ambiguous", id="a third hour"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(rule, words):
    with pytest.raises(ValueError, match=words):
        parser(rule)
