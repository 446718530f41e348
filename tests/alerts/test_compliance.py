"""Compliance time: three kinds of minutes that add up, and absences by the Ministry's codes."""

from datetime import date, timedelta

import pytest
from builders import at
from hypothesis import given
from hypothesis import strategies as st

from alerts.compliance import (
    AbsenceCode,
    absences,
    account,
    covered,
    cumulative,
    day_of,
    day_span,
    early_end,
    late_start,
)
from zones.interval import Interval, subtraction, union

MINUTES = timedelta(minutes=1)


def spans(*pairs):
    return union(Interval(at(start), at(end)) for start, end in pairs)


# A curfew of an hour from minute 60 on.
CURFEW = spans((60, 120))


def codes(broken, known=((0, 200),), through=200):
    found = absences(CURFEW, spans(*known), spans(*broken), at(through))
    return [" ".join(code.value for code in each.codes) for each in found]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        pytest.param([(0, 200)], ["AL12"], id="out for the entire curfew"),
        pytest.param([(60, 120)], ["AL12"], id="out for exactly the curfew"),
        pytest.param([(50, 75)], ["AL08 AL09"], id="returned home late"),
        pytest.param([(80, 90)], ["AL10"], id="left home and came back"),
        pytest.param([(80, 150)], ["AL10 AL11"], id="left home and was out at the end"),
        pytest.param([(50, 75), (110, 130)], ["AL08 AL09", "AL10 AL11"], id="late, and early out"),
        pytest.param([(0, 60), (120, 130)], [], id="out only outside the hours"),
    ],
)
def test_absences_by_code(broken, expected):
    assert codes(broken) == expected


@pytest.mark.parametrize(
    ("broken", "known", "through", "expected"),
    [
        pytest.param([(60, 80)], [(60, 80)], 80, ["AL08"], id="out at the start, still going on"),
        pytest.param([(90, 100)], [(60, 100)], 100, ["AL10"], id="left, still going on"),
        pytest.param([(60, 80)], [(0, 80)], 200, ["AL08"], id="out, then out of sight"),
        pytest.param([(80, 90)], [(80, 200)], 200, [""], id="first seen away, later home"),
        pytest.param([(80, 120)], [(80, 120)], 200, ["AL11"], id="first seen away, out at the end"),
    ],
)
def test_a_code_is_only_given_where_it_was_seen(broken, known, through, expected):
    assert codes(broken, known, through) == expected


def test_late_starts_early_ends_and_cumulative_absence():
    found = absences(CURFEW, spans((0, 200)), spans((50, 75), (90, 95), (110, 130)), at(200))
    assert late_start(found) == 15 * MINUTES
    assert early_end(found) == 10 * MINUTES
    assert cumulative(found) == 30 * MINUTES


def test_what_an_officer_has_excused_is_listed_and_does_not_count():
    excused = spans((60, 80))
    found = absences(CURFEW, spans((0, 200)), spans((50, 75)), at(200), excused)
    assert [each.authorised for each in found] == [True]
    assert cumulative(found) == late_start(found) == timedelta()
    made = account(CURFEW, spans((0, 200)), spans((50, 75)), excused)
    assert (made.breach, made.compliant, made.excused) == (
        timedelta(), 60 * MINUTES, 15 * MINUTES
    )  # fmt: skip


def test_a_gap_is_unknown_and_neither_breach_nor_compliance():
    known = covered([at(n) for n in (*range(60, 80), *range(100, 121))], 10 * MINUTES)
    made = account(CURFEW, known, spans((110, 115)))
    assert (made.compliant, made.breach, made.unknown) == (34 * MINUTES, 5 * MINUTES, 21 * MINUTES)
    assert made.coverage == pytest.approx(39 / 60)


def test_a_day_without_hours_has_no_coverage():
    assert account((), spans((0, 10)), ()).coverage is None


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 29), 23, id="clocks forward"),
        pytest.param(date(2026, 10, 25), 25, id="clocks back"),
        pytest.param(date(2028, 2, 29), 24, id="29 February"),
    ],
)
def test_a_day_is_a_day_of_the_wall_clock(day, hours):
    span = day_span(day)
    assert span.length == timedelta(hours=hours)
    assert day_of(span.start) == day
    assert day_of(span.end) == day + timedelta(days=1)


PIECES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda each: (each[0], sum(each))),
    max_size=6,
)


@given(PIECES, PIECES, PIECES, PIECES)
def test_the_three_kinds_of_minutes_add_up_to_the_scheduled_minutes(hours, known, broken, excused):
    drawn = [spans(*each) for each in (hours, known, broken, excused)]
    made = account(*drawn)
    assert made.compliant + made.breach + made.unknown == made.scheduled
    for part in (made.compliant, made.breach, made.unknown, made.excused):
        assert timedelta() <= part <= made.scheduled
    assert made.excused <= made.compliant
    scheduled, seen, bad, _ = drawn
    # No minute without a reading is ever called kept.
    dark = subtraction(subtraction(scheduled, seen), bad)
    assert made.unknown == sum((each.length for each in dark), timedelta())


@given(PIECES, PIECES)
def test_absences_are_the_broken_part_of_the_windows_and_codes_never_contradict(known, broken):
    found = absences(CURFEW, spans(*known), spans(*broken), at(400))
    made = account(CURFEW, spans(*known), spans(*broken))
    assert cumulative(found) == made.breach
    for each in found:
        if AbsenceCode.OUT_ENTIRE in each.codes:
            assert each.codes == (AbsenceCode.OUT_ENTIRE,)
            assert each.time == CURFEW[0]
        assert not {AbsenceCode.OUT_AT_START, AbsenceCode.LEFT_DURING} <= set(each.codes)
