"""What must hold for every input."""

import json
import math
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outcome_inputs import GOOD, measured

from navigate_safer.outcomes.breach import Failure, breach_rule
from navigate_safer.outcomes.hearing import end_of_hours
from navigate_safer.outcomes.measures import MEASURES, run
from navigate_safer.outcomes.months import add_months
from navigate_safer.outcomes.refusal import BadOutcomeInput

counts = st.integers(0, 60)
events = st.integers(1, 500)
days = st.floats(0.5, 5_000)
dates = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def close(value):
    return pytest.approx(value, rel=1e-6)


@given(events, days, events, days, st.floats(0.01, 100))
def test_a_rate_ratio_does_not_depend_on_the_unit_of_time(x0, t0, x1, t1, unit):
    one = measured("compare", {"x0": x0, "t0": t0, "x1": x1, "t1": t1})
    other = measured("compare", {"x0": x0, "t0": t0 * unit, "x1": x1, "t1": t1 * unit})
    for name in ("rate_ratio", "exact_ci95", "wald_log_ci95", "exact_p_two_sided"):
        assert other[name] == close(one[name])


@given(events, days, events, days)
def test_looking_from_after_to_before_turns_the_ratio_over(x0, t0, x1, t1):
    one = measured("compare", {"x0": x0, "t0": t0, "x1": x1, "t1": t1})
    back = measured("compare", {"x0": x1, "t0": t1, "x1": x0, "t1": t0})
    assert back["rate_ratio"] == close(1 / one["rate_ratio"])
    for name in ("exact_ci95", "wald_log_ci95"):
        low, high = one[name]
        assert low < one["rate_ratio"] < high
        assert back[name] == close([1 / high, 1 / low])
    assert back["exact_p_two_sided"] == close(one["exact_p_two_sided"])


people = st.lists(st.tuples(counts, counts, days, days), min_size=2, max_size=20)


def lists(rows):
    names = ("pre", "post", "pre_days_at_risk", "post_days_at_risk")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def check_same(one, other):
    for name, value in one.items():
        if isinstance(value, float | list):
            assert other[name] == pytest.approx(value, rel=1e-5, abs=1e-9), name
        else:
            assert other[name] == value


@given(people, st.randoms())
@settings(deadline=None, max_examples=30)
def test_the_order_of_people_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = measured("overdispersed", lists(rows)), measured("overdispersed", lists(shuffled))
    check_same(one, other)


@given(people, st.floats(0.01, 100))
@settings(deadline=None, max_examples=30)
def test_the_models_do_not_depend_on_the_unit_of_time(rows, unit):
    one = measured("overdispersed", lists(rows))
    scaled = [(x0, x1, t0 * unit, t1 * unit) for x0, x1, t0, t1 in rows]
    other = measured("overdispersed", lists(scaled))
    check_same(one, other)


groups = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 1)), min_size=1, max_size=25)


def group(rows):
    return dict(zip(("time", "event"), map(list, zip(*rows, strict=True)), strict=True))


@given(groups, groups)
def test_the_other_group_first_turns_the_hazard_ratio_over(a, b):
    one = measured("survival", {"a": group(a), "b": group(b)})
    back = measured("survival", {"b": group(b), "a": group(a)})
    assert back["logrank_chi2"] == (
        one["logrank_chi2"] and pytest.approx(one["logrank_chi2"], rel=1e-6, abs=1e-9)
    )
    assert back["a"] == one["a"]
    if one["cox_hr"] is None:
        assert back["cox_hr"] is None
    else:
        assert back["cox_hr"] == close(1 / one["cox_hr"])
        assert back["cox_hr_ci95"] == close([1 / each for each in one["cox_hr_ci95"][::-1]])


@given(groups, groups, st.sampled_from([2, 7, 24]))
def test_survival_in_hours_is_survival_in_days(a, b, unit):
    at = [0, 10, 365]
    one = measured("survival", {"a": group(a), "b": group(b), "at": at, "horizon": 50})
    hours = [group([(time * unit, event) for time, event in each]) for each in (a, b)]
    other = measured("survival", {"a": hours[0], "b": hours[1], "at": [unit * day for day in at],
                                  "horizon": 50 * unit})  # fmt: skip
    for name in ("logrank_chi2", "cox_hr"):
        assert other[name] == (one[name] and pytest.approx(one[name], rel=1e-6, abs=1e-9))
    for name in "ab":
        assert [each["survival"] for each in other[name]["at"].values()] == [
            each["survival"] for each in one[name]["at"].values()
        ]
        mean = one[name]["rmst_50"]
        assert other[name][f"rmst_{50 * unit}"] == (None if mean is None else close(unit * mean))


@given(st.lists(st.tuples(dates, st.sampled_from(["acceptable", "unacceptable"]))), st.randoms())
def test_the_steps_do_not_depend_on_the_order_of_entry(rows, random):
    failures = [Failure(*row) for row in {day: (day, finding) for day, finding in rows}.values()]
    steps = dict(zip((each.date for each in failures), breach_rule(failures), strict=True))
    random.shuffle(failures)
    again = dict(zip((each.date for each in failures), breach_rule(failures), strict=True))
    assert again == steps
    assert sum(each.value != "none" for each in steps.values()) == sum(
        each.finding == "unacceptable" for each in failures
    )


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 - wall clock
    st.lists(st.integers(0, 12), max_size=6),
)
def test_exactly_48_hours_run_outside_sundays_and_disregarded_days(start, offsets):
    out = {start.date() + timedelta(days=each) for each in offsets}
    end = end_of_hours(start, timedelta(hours=48), tuple(out))
    run_hours, at = timedelta(), start
    while at < end:
        midnight = datetime.combine(at.date() + timedelta(days=1), datetime.min.time())
        upto = min(midnight, end)
        if at.weekday() != 6 and at.date() not in out:
            run_hours += upto - at
        at = upto
    assert run_hours == timedelta(hours=48)


@given(dates, st.integers(-400, 400), st.integers(-400, 400))
def test_months_lead_to_the_month_counted(day, first, second):
    later = add_months(day, first + second)
    assert (later.year * 12 + later.month) == (day.year * 12 + day.month) + first + second
    assert later.day <= day.day


def check_finite(value, reason=None):
    """Only finite numbers, and a reason in or above whatever holds a null."""
    if isinstance(value, dict):
        reason = value.get("reason", reason)
        for each in value.values():
            check_finite(each, reason)
    elif isinstance(value, list):
        for each in value:
            check_finite(each, reason)
    elif isinstance(value, float):
        assert math.isfinite(value)
    else:
        assert value is not None or reason


NUMBERS = st.one_of(
    st.integers(-2, 10**12), st.integers(0, 3), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 0.0, 1, 0.5, 1e-300, 1e300, 365]),
)  # fmt: skip


def changed(value, draw):
    """The same document with some of its values replaced."""
    if isinstance(value, dict):
        return {name: changed(each, draw) for name, each in value.items()}
    if isinstance(value, list):
        kept = [changed(each, draw) for each in value]
        return kept[: draw(st.integers(0, len(kept)))] if draw(st.integers(0, 19)) == 0 else kept
    if isinstance(value, int | float) and draw(st.integers(0, 4)) == 0:
        return draw(NUMBERS)
    if draw(st.integers(0, 29)) == 0:
        return draw(st.one_of(st.none(), NUMBERS, st.text(max_size=3), st.dates().map(str)))
    return value


@pytest.mark.parametrize("measure", MEASURES)
@given(data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_whatever_is_given_is_measured_or_refused(measure, data):
    document = changed(GOOD[measure], data.draw)
    refusal = "one line"
    try:
        check_finite(measured(measure, document))
    except BadOutcomeInput as fault:
        refusal = str(fault)
    assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize("measure", MEASURES)
@given(
    st.recursive(
        st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["time", "event", "pre", "x0", "a", "as_at", "at"]), inner
            )
        ),
        max_leaves=8,
    )
)
@settings(max_examples=25)
def test_any_json_is_measured_or_refused(measure, document):
    refusal = "one line"
    try:
        check_finite(measured(measure, document))
    except BadOutcomeInput as fault:
        refusal = str(fault)
    assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize("measure", MEASURES)
@given(st.binary(max_size=30))
@settings(max_examples=25)
def test_any_bytes_are_measured_or_refused(measure, content):
    refusal = "one line"
    try:
        json.dumps(run(measure, content), allow_nan=False)
    except BadOutcomeInput as fault:
        refusal = str(fault)
    assert len(refusal.splitlines()) == 1
