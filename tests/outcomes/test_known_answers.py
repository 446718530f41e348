"""Each measure against answers worked out by hand or printed in a book."""

import math
from datetime import date
from fractions import Fraction

import pytest
from outcome_inputs import GOOD, measured

from navigate_safer.outcomes.intervals import (
    binomial_two_sided,
    clopper_pearson,
    odds_clopper_pearson,
    poisson_exact,
    wilson,
)
from navigate_safer.outcomes.months import add_months, last_day_of_months_beginning_with

Z = 1.959963984540054


def about(value):
    return pytest.approx(value, rel=1e-6)


# Intervals


@pytest.mark.parametrize(
    ("successes", "of", "score", "exact"),
    [
        pytest.param(15, 148, (0.0624, 0.1605), (0.0578, 0.1617), id="15 of 148"),
        pytest.param(0, 20, (0, 0.1611), (0, 0.1684), id="0 of 20"),
        pytest.param(1, 29, (0.0061, 0.1718), (0.0009, 0.1776), id="1 of 29"),
    ],
)
def test_intervals_of_a_share_are_those_that_newcombe_printed_in_1998(successes, of, score, exact):
    assert wilson(successes, of) == pytest.approx(score, abs=5e-5)
    assert clopper_pearson(successes, of) == pytest.approx(exact, abs=5e-5)


def tail(of, share, outcomes):
    """Exact probability of some outcomes of a binomial, as a fraction."""
    share = Fraction(share)
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in outcomes)


@pytest.mark.parametrize(("successes", "of"), [(1, 1), (3, 10), (7, 7), (0, 5), (40, 90)])
def test_an_exact_limit_leaves_two_and_a_half_per_cent_in_its_tail(successes, of):
    low, high = clopper_pearson(successes, of)
    if successes:
        assert float(tail(of, low, range(successes, of + 1))) == about(0.025)
    if successes < of:
        assert float(tail(of, high, range(successes + 1))) == about(0.025)


@pytest.mark.parametrize(
    ("successes", "of", "share"),
    [
        (3, 10, 0.5),
        (7, 10, 0.5),
        (5, 10, 0.5),
        (2, 30, 0.2),
        (11, 30, 0.2),
        (0, 8, 0.4),
        (8, 8, 0.4),
    ],
)
def test_the_p_value_is_the_sum_over_all_outcomes_at_most_as_likely(successes, of, share):
    chances = [tail(of, share, [k]) for k in range(of + 1)]
    expected = sum(
        each for each in chances if each <= chances[successes] * Fraction(10000001, 10**7)
    )
    assert binomial_two_sided(successes, of, share, 1 - share) == about(float(expected))


def test_the_interval_of_ten_events_is_that_of_the_tables():
    assert poisson_exact(10) == pytest.approx((4.7954, 18.3904), abs=5e-5)
    assert poisson_exact(0) == (0, pytest.approx(-math.log(0.025)))


def test_odds_without_failures_have_no_upper_limit():
    low, high = odds_clopper_pearson(4, 0)
    assert high is None
    assert low / (1 + low) == about(0.025 ** (1 / 4))


# Re-offending


def person(name, index, *events):
    keys = ("offence", "proof", "proof_type", "kind")
    return {
        "id": name,
        "index": index,
        "events": [dict(zip(keys, each, strict=True)) for each in events],
    }


def test_re_offending_counts_what_was_proven_in_time_and_nothing_else():
    people = [
        # 31 August + 12 months is 31 August, + 18 months 28 February: the last days of both count.
        person("last days", "2023-08-31", ("2024-08-31", "2025-02-28", "caution", "offence")),
        person("too late", "2023-08-31",
               ("2024-09-01", "2024-10-01", "conviction", "offence"),
               ("2024-08-31", "2025-03-01", "conviction", "offence")),
        person("on the day", "2023-08-31", ("2023-08-31", "2023-09-30", "conviction", "offence")),
        person("not proven", "2023-08-31",
               ("2024-01-01", "2024-02-01", "nfa", "offence"),
               ("2024-01-01", "2024-02-01", "conviction", "breach"),
               ("2024-01-01", None, None, "offence")),
        person("twice", "2024-02-29",
               ("2024-03-01", "2024-05-01", "conviction", "offence"),
               ("2025-02-28", "2025-08-29", "conviction", "offence")),
        person("young", "2025-08-01", ("2025-09-01", "2025-10-01", "conviction", "offence")),
    ]  # fmt: skip
    found = measured("reoffending", {"as_at": "2025-09-30", "people": people})
    counts = {name: each["proven_reoffences"] for name, each in found["per_person"].items()}
    assert counts == {
        "last days": 1, "too late": 0, "on the day": 0, "not proven": 0, "twice": 2, "young": None,
    }  # fmt: skip
    assert found["per_person"]["last days"]["waiting_end"] == "2025-02-28"
    assert found["per_person"]["twice"]["follow_up_end"] == "2025-02-28"
    assert found["per_person"]["twice"]["waiting_end"] == "2025-08-29"
    assert not found["per_person"]["young"]["mature"]
    assert (found["cohort_n"], found["reoffenders"], found["reoffences"]) == (5, 2, 3)
    assert found["binary_rate"] == 0.4
    assert found["reoffences_per_reoffender"] == 1.5
    assert found["reoffences_per_100_offenders"] == 60
    assert "young" in found["reason"]


def test_a_follow_up_that_ends_on_the_day_of_the_records_is_mature():
    given = {"as_at": "2025-02-28", "people": [person("A", "2023-08-31")]}
    assert measured("reoffending", given)["cohort_n"] == 1
    assert measured("reoffending", {**given, "as_at": "2025-02-27"})["cohort_n"] == 0


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        pytest.param("2023-08-31", 18, "2025-02-28", id="month-end"),
        pytest.param("2024-02-29", 12, "2025-02-28", id="leap day"),
        pytest.param("2023-01-15", 12, "2024-01-15", id="plain"),
        pytest.param("2024-02-29", -36, "2021-02-28", id="back"),
        pytest.param("2023-12-31", 2, "2024-02-29", id="over the year"),
    ],
)
def test_months_are_calendar_months(day, months, later):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2024-02-29", "2025-02-28"), ("2024-03-01", "2025-02-28"), ("2023-03-01", "2024-02-29")],
)
def test_twelve_months_that_begin_with_a_day_end_before_its_anniversary(first, last):
    found = last_day_of_months_beginning_with(date.fromisoformat(first), 12)
    assert found == date.fromisoformat(last)


# Before and after


def test_custody_turns_a_fall_of_35_per_cent_into_one_of_22():
    found = measured("compare", GOOD["compare"])
    assert found["pre_days_at_risk"] == 156 * 365 - 4_000
    assert found["post_days_at_risk"] == 156 * 365 - 12_920
    assert found["naive_percent_change"] == about(100 * (172 - 265) / 265)
    ratio = (172 / 44_020) / (265 / 52_940)
    assert found["rate_ratio"] == about(ratio)
    assert found["percent_change"] == about(100 * (ratio - 1))
    assert found["pre_rate_per_person_year"] == about(265 / 52_940 * 365)
    width = math.exp(Z * math.sqrt(1 / 172 + 1 / 265))
    assert found["wald_log_ci95"] == about([ratio / width, ratio * width])
    low, high = clopper_pearson(172, 437)
    scale = 52_940 / 44_020
    assert found["exact_ci95"] == about([low / (1 - low) * scale, high / (1 - high) * scale])
    assert found["exact_p_two_sided"] == about(
        binomial_two_sided(172, 437, 44_020 / 96_960, 52_940 / 96_960)
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({"perpetrators": 0, "window_days": 365}, "there are no perpetrators",
                     id="nobody"),
        pytest.param({"perpetrators": 5, "window_days": 0}, "the window has no days",
                     id="no window"),
    ],
)  # fmt: skip
def test_a_window_without_people_or_days_is_not_said_to_be_custody(given, why):
    none = {"arrests": 0, "custody_days": 0}
    found = measured("compare", {**given, "pre": none, "post": none})
    assert found["pre_rate_per_person_year"] is found["post_rate_per_person_year"] is None
    assert why in found["reason"]
    assert "custody" not in found["reason"]


def test_a_window_that_all_spent_inside_is_said_to_be_custody():
    inside = {"arrests": 0, "custody_days": 50}
    free = {"arrests": 1, "custody_days": 0}
    given = {"perpetrators": 5, "window_days": 10, "pre": free, "post": inside}
    assert "everybody was in custody" in measured("compare", given)["reason"]


def test_no_event_after_gives_a_lower_limit_of_exactly_zero():
    found = measured("compare", {"x0": 5, "t0": 100, "x1": 0, "t1": 100})
    assert found["rate_ratio"] == 0
    assert found["exact_ci95"][0] == 0
    upper = 1 - 0.025 ** (1 / 5)
    assert found["exact_ci95"][1] == about(upper / (1 - upper))
    assert found["exact_p_two_sided"] == about(2 / 32)
    assert found["wald_log_ci95"] is None


def test_no_event_before_leaves_the_upper_limit_open():
    found = measured("compare", {"x0": 0, "t0": 100, "x1": 3, "t1": 50})
    assert found["rate_ratio"] is None
    lower = 0.025 ** (1 / 3)
    assert found["exact_ci95"] == [about(lower / (1 - lower) * 2), None]
    assert "no upper limit" in found["reason"]


def test_the_four_answers_differ_where_the_worst_are_locked_up():
    found = measured("overdispersed", GOOD["overdispersed"])
    pooled = (15 / 1_715) / (20 / 2_190)
    assert found["poisson_rate_ratio"] == found["gee_rate_ratio"] == about(pooled)
    assert found["poisson_pearson_dispersion"] > 1.5
    assert found["fixed_effects_rate_ratio"] > 1.4
    assert (found["sum_pre"], found["sum_post"], found["zero_post_people"]) == (20, 15, 2)


def test_within_the_person_and_equal_days_the_ratio_is_that_of_the_totals():
    given = {"pre": [4, 1, 7], "post": [2, 1, 3], "pre_days_at_risk": [100, 200, 300],
             "post_days_at_risk": [200, 400, 600]}  # fmt: skip
    found = measured("overdispersed", given)
    width = math.exp(Z * math.sqrt(1 / 12 + 1 / 6))
    assert found["fixed_effects_rate_ratio"] == about(6 / 12 / 2)
    assert found["fixed_effects_ci95"] == about([0.25 / width, 0.25 * width])


def test_the_sandwich_of_two_people_is_worked_by_hand():
    given = {"pre": [1, 3], "post": [2, 2], "pre_days_at_risk": [10, 10],
             "post_days_at_risk": [10, 10]}  # fmt: skip
    # Residuals before -1 and 1 of 4 events, after 0 and 0 of 4: the variance is 2 / 16.
    width = math.exp(Z * math.sqrt(2 / 16))
    assert measured("overdispersed", given)["gee_robust_ci95"] == about([1 / width, width])


def test_counts_that_are_no_wider_than_chance_have_alpha_zero_and_the_poisson_interval():
    given = {"pre": [2, 2, 1, 2, 2, 1], "post": [1, 1, 1, 2, 1, 1], "pre_days_at_risk": [365] * 6,
             "post_days_at_risk": [365] * 6}  # fmt: skip
    found = measured("overdispersed", given)
    assert found["nb2_alpha"] == 0
    assert found["nb2_rate_ratio"] == about(found["poisson_rate_ratio"])
    assert found["nb2_ci95"] == about(found["poisson_model_ci95"])


def test_a_person_without_a_day_at_risk_is_left_out_of_that_period():
    given = dict(GOOD["overdispersed"])
    more = {name: [*each, 0] for name, each in given.items()}
    more["pre"][-1], more["pre_days_at_risk"][-1] = 2, 365
    found, before = measured("overdispersed", more), measured("overdispersed", given)
    assert found["poisson_rate_ratio"] == about((15 / 1_715) / (22 / 2_555))
    assert found["fixed_effects_ci95"] == about(before["fixed_effects_ci95"])
    assert found["zero_post_people"] == 3


# Survival: remission of leukaemia, Freireich and others 1963, as in every textbook


def test_the_textbook_example_of_survival():
    found = measured("survival", GOOD["survival"])
    shares = {day: each["survival"] for day, each in found["six_mp"]["at"].items()}
    assert shares == {
        "6": about(18 / 21),
        "10": about(18 / 21 * 16 / 17 * 14 / 15),
        "23": about(18 / 21 * 16 / 17 * 14 / 15 * 11 / 12 * 10 / 11 * 6 / 7 * 5 / 6),
    }
    assert shares["23"] == pytest.approx(0.4482, abs=5e-5)
    assert found["six_mp"]["at"]["6"]["greenwood_se"] == pytest.approx(0.0764, abs=5e-5)
    assert found["six_mp"]["at"]["6"]["loglog_ci95"] == pytest.approx([0.6197, 0.9516], abs=5e-5)
    assert (found["six_mp"]["median"], found["placebo"]["median"]) == (23, 8)
    assert found["logrank_chi2"] == pytest.approx(16.79, abs=5e-3)
    assert math.log(found["cox_hr"]) == pytest.approx(-1.5721, abs=5e-5)
    width = (math.log(found["cox_hr_ci95"][1]) - math.log(found["cox_hr"])) / Z
    assert width == pytest.approx(0.4124, abs=5e-5)
    assert found["placebo"]["rmst_35"] == about(sum(GOOD["survival"]["placebo"]["time"]) / 21)


def test_a_curve_is_unknown_past_the_last_day_unless_nobody_is_left():
    given = {"a": {"time": [5, 9], "event": [1, 0]}, "b": {"time": [5, 9], "event": [1, 1]},
             "at": [9, 10], "horizon": 20}  # fmt: skip
    found = measured("survival", given)
    assert found["a"]["at"]["9"]["survival"] == 0.5
    assert found["a"]["at"]["10"]["survival"] is None
    assert found["a"]["rmst_20"] is None
    assert "day 9" in found["a"]["reason"]
    assert found["b"]["at"]["10"]["survival"] == 0
    assert found["b"]["rmst_20"] == about(7)
    assert found["a"]["median"] == 5


def test_a_horizon_inside_the_data_cuts_the_area():
    given = {"a": {"time": [5, 9, 20], "event": [1, 1, 1]}, "b": {"time": [30], "event": [0]},
             "horizon": 12}  # fmt: skip
    found = measured("survival", given)
    assert found["a"]["rmst_12"] == about(5 + 4 * 2 / 3 + 3 / 3)
    assert found["b"]["rmst_12"] == 12


def test_ties_by_efron_are_worked_by_hand():
    # One time, two events, one of each group of two: the score is 1 - t/(1+t) - t/(1+t).
    given = {"a": {"time": [1, 2], "event": [1, 0]}, "b": {"time": [1, 2], "event": [1, 0]}}
    found = measured("survival", given)
    assert found["cox_hr"] == about(1)
    # The information is 1/4 for each of the two risk sets (2:2 and 1.5:1.5).
    assert found["cox_hr_ci95"] == about([math.exp(-Z * math.sqrt(2)), math.exp(Z * math.sqrt(2))])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        pytest.param(([5, 8], [0, 0]), ([3], [0]), "no event in either group", id="all censored"),
        pytest.param(([1, 2], [1, 1]), ([30, 40], [1, 0]), "the second group has no event",
                     id="one group first, the other after"),
        pytest.param(([50], [1]), ([30, 40], [1, 1]), "the first group has no event",
                     id="the other way round"),
        pytest.param(([], []), ([30, 40], [1, 1]), "nobody is in the group", id="group of zero"),
        pytest.param(([0, 0], [0, 0]), ([30, 40], [1, 1]), "day 365 is after the last",
                     id="everyone in custody"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_has_no_ratio_and_a_reason(a, b, words):
    groups = {name: dict(zip(("time", "event"), each, strict=True)) for name, each in
              (("a", a), ("b", b))}  # fmt: skip
    found = measured("survival", groups)
    assert found["cox_hr"] is None
    assert found["cox_hr_ci95"] is None
    assert words in found["reason"]


# The rest


def test_people_picked_at_their_worst_fall_by_themselves():
    found = measured("regression-to-mean", GOOD["regression-to-mean"])
    expected = sum(0.8 * (0.5 + x) / 1.3 for x in (3, 4, 5, 3))
    assert found["expected_post_no_effect"] == about(expected)
    assert found["percent_change_expected_from_rtm_alone"] == about(100 * (expected / 15 - 1))
    assert found["observed_over_expected"] == about(9 / expected)
    low, high = found["observed_over_expected_ci95"]
    # Of 9 events, the tables say 4.1154 to 17.0848.
    assert (low * expected, high * expected) == pytest.approx((4.1154, 17.0848), abs=5e-5)
    assert found["naive_percent_change"] == about(-40)


def test_a_comparison_group_widens_with_the_dispersion():
    found = measured("comparison-group", GOOD["comparison-group"])
    ratio = (172 / 265) / (270 / 300)
    error = math.sqrt(1 / 172 + 1 / 265 + 1 / 270 + 1 / 300)
    assert found["ratio_of_ratios"] == about(ratio)
    assert found["ci95"] == about([ratio * math.exp(-Z * error), ratio * math.exp(Z * error)])
    assert found["p_two_sided"] == about(math.erfc(-math.log(ratio) / error / math.sqrt(2)))
    wide = measured("comparison-group", {**GOOD["comparison-group"], "dispersion": 4})
    assert wide["ci95"] == about(
        [ratio * math.exp(-2 * Z * error), ratio * math.exp(2 * Z * error)]
    )


def test_one_offence_can_be_most_of_the_harm():
    found = measured("harm", GOOD["harm"])
    assert (found["pre_harm_days"], found["post_harm_days"]) == (2_425, 400)
    assert (found["pre_count"], found["post_count"]) == (31, 20)
    assert found["largest_single_offence_share_of_pre_harm"] == about(1_825 / 2_425)
    assert found["harm_percent_change"] == about(-100 * 2_025 / 2_425)
    assert found["count_percent_change"] == about(-100 * 11 / 31)
    assert found["pre_harm_per_perpetrator"] == about(242.5)


def test_a_day_counts_against_somebody_once():
    found = measured("compliance", GOOD["compliance"])
    assert found["compliant_days"] == 94
    assert found["compliance_rate"] == about(0.94)
    assert found["attendance_rate"] == about(22 / 27)
    assert found["offered_balances"] is True


def test_sessions_that_do_not_add_up_are_said():
    sessions = {"offered": 31, "attended": 22, "acceptable_absence": 3, "unacceptable_absence": 5}
    found = measured("compliance", {**GOOD["compliance"], "sessions": sessions})
    assert found["offered_balances"] is False
    assert found["attendance_rate"] == about(22 / 28)
    sessions["attended"] = 29
    found = measured("compliance", {**GOOD["compliance"], "sessions": sessions})
    assert found["attendance_rate"] is None
    assert "do not balance" in found["reason"]


def test_cost_and_benefit_worked_by_hand():
    found = measured("cba", GOOD["cba"])
    # Arrests: 100 x 2 x 25 % x 50 % = 25 a year at full ramp; incidents 100 x 4 x 10 % x 50 % = 20.
    assert found["rows"][0]["avoided_by_year"] == about([12.5, 12.5, 6.25])
    assert found["rows"][1]["avoided_by_year"] == about([10, 20, 20])
    assert found["fiscal_by_year"] == about([60_000, 60_000, 30_000])
    assert found["social_by_year"] == about([8_000, 16_000, 16_000])
    assert found["cost_by_year_adjusted"] == about([110_000, 55_000, 55_000])
    one, two = 1 / 1.035, 1 / 1.035**2
    assert found["discount_factors"] == about([1, one, two])
    cost = 110_000 + 55_000 * (one + two)
    fiscal = 60_000 + 60_000 * one + 30_000 * two
    social = 8_000 + 16_000 * (one + two)
    assert found["pv_cost"] == about(cost)
    assert found["npv_fiscal"] == about(fiscal - cost)
    assert found["npv_public_value"] == about(fiscal + social - cost)
    assert found["fiscal_return"] == about(fiscal / cost)
    assert found["benefit_cost_ratio"] == about((fiscal + social) / cost)
    assert found["pv_cashable"] == about(fiscal / 4)
    assert found["cashable_share_of_fiscal"] == about(0.25)
    assert found["undiscounted"] == {
        "cost": about(220_000), "fiscal": about(150_000), "social": about(40_000),
        "cashable": about(37_500),
    }  # fmt: skip
    assert found["payback_years_fiscal"] is None
    assert "payback_years_fiscal" in found["reason"]


@pytest.mark.parametrize(
    ("costs", "years"),
    [
        pytest.param([16_000, 0, 0], 2 + 0.5, id="half way through the third year"),
        pytest.param([4_000, 0, 0], 0, id="not negative in the first year"),
        pytest.param([12_000, 0, 0], 2, id="at the end of the second year"),
        pytest.param([30_000, 0, 0], None, id="never"),
    ],
)
def test_payback_runs_straight_inside_a_year(costs, years):
    # Without discounting and deductions the one outcome brings 4,000, 8,000 and 8,000.
    outcome = {**GOOD["cba"]["outcomes"][1], "kind": "fiscal", "effect": 0.02}
    plain = {"discount_rate": 0, "deadweight": 0, "optimism_bias_benefit": 0,
             "optimism_bias_cost": 0}  # fmt: skip
    found = measured("cba", {**GOOD["cba"], **plain, "cost_by_year": costs, "outcomes": [outcome]})
    assert found["fiscal_by_year"] == about([4_000, 8_000, 8_000])
    assert found["payback_years_fiscal"] == (None if years is None else about(years))


def test_at_its_switching_value_an_effect_makes_the_programme_worth_exactly_its_cost():
    found = measured("cba", GOOD["cba"])
    for number, (name, value) in enumerate(found["switching_values"].items()):
        outcomes = [dict(each) for each in GOOD["cba"]["outcomes"]]
        assert outcomes[number]["id"] == name
        outcomes[number]["effect"] = value
        again = measured("cba", {**GOOD["cba"], "outcomes": outcomes})
        assert again["npv_public_value"] == pytest.approx(0, abs=1e-6)


def test_a_programme_that_costs_nothing_has_no_ratio():
    found = measured("cba", {**GOOD["cba"], "cost_by_year": [0, 0, 0]})
    for name in ("fiscal_return", "benefit_cost_ratio", "cashable_return"):
        assert found[name] is None
    assert found["payback_years_fiscal"] == 0
    assert "no cost to divide by" in found["reason"]
