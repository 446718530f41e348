"""Drinking episodes by the letter of their definitions, on their edges."""

import random

import pytest
from alcohol_days import DRINKING, SPILL, every
from builders import at, minute
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alcohol.episode import episodes
from alerts.alcohol.rule_set import RULE_SETS, STANDARD, Answer, RuleSet
from alerts.alcohol.series import Sample, in_order
from alerts.alcohol.verdict import Verdict, verdict

YES, NO, UNDECIDABLE = Answer.YES, Answer.NO, Answer.UNDECIDABLE


def of(samples, rules=STANDARD):
    series = in_order(samples)
    return episodes(series.samples, rules, series.conflicts)


def only(samples, rules=STANDARD):
    (episode,) = of(samples, rules)
    return episode


def parts(episode):
    return (episode.primary.r1, episode.primary.r2, episode.primary.r3)


def said(samples):
    return verdict(only(samples))[0]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(every(30, 0, 0.019, 0.019, 0), [], id="never at the threshold: not reported"),
        pytest.param(every(30, 0, 0.02, 0), [(30, 30)], id="one reading exactly at it"),
        pytest.param(every(30, 0, 0.005, 0.02, 0.005, 0), [(30, 90)], id="0.005 is not baseline"),
        pytest.param(every(30, 0, 0.0049, 0.02, 0.0049, 0), [(60, 60)], id="0.0049 is"),
        pytest.param(every(30, 0.03, 0, 0.03), [(0, 60)], id="one lone baseline is inside"),
        pytest.param(every(30, 0.03, 0, 0.03, 0, 0.03), [(0, 120)], id="lone ones, twice"),
        pytest.param(every(30, 0.03, 0, 0, 0.03), [(0, 0), (90, 90)], id="two in a row end it"),
        pytest.param(every(30, 0.03, -0.01, 0.03), [(0, 60)], id="below zero is baseline"),
        pytest.param(every(90, 0.03, 0.03), [(0, 90)], id="90 minutes apart: one"),
        pytest.param(every(90.01, 0.03, 0.03), [(0, 0), (90.01, 90.01)], id="a second more: two"),
        pytest.param(every(60, 0.03, 0, 0.03), [(0, 120)],
                     id="two hours, but no gap over 90 minutes"),
        pytest.param([*every(30, 0.03, 0), *every(30, 0.03, first=121)], [(0, 0), (121, 121)],
                     id="a gap after a lone baseline ends it"),
    ],
)  # fmt: skip
def test_where_episodes_are(samples, expected):
    assert [(minute(each.onset), minute(each.end)) for each in of(samples)] == expected


@pytest.mark.parametrize(
    ("samples", "longest", "answer"),
    [
        pytest.param(every(25, 0, 0.03, 0.03, 0.03, 0), (3, 50 / 60), YES, id="exactly 50 minutes"),
        pytest.param(every(24.9, 0, 0.03, 0.03, 0.03, 0), (3, 0.83), NO, id="just under"),
        pytest.param(every(60, 0, 0.03, 0.03, 0), (2, 1.0), NO, id="two readings, an hour"),
        pytest.param(every(4, 0, *[0.03] * 10, 0), (10, 0.6), NO, id="ten quick set-up readings"),
        pytest.param(every(4, 0, *[0.03] * 14, 0), (14, 52 / 60), YES, id="fourteen span enough"),
        pytest.param(every(30, 0, 0.03, 0.03, 0.01, 0.03, 0.03, 0), (2, 0.5), NO,
                     id="broken in the middle"),
        pytest.param([*every(4, 0, *[0.03] * 10, 0.01), *every(30, 0.03, 0.03, 0.03, 0, first=70)],
                     (10, 0.6), YES, id="a short long run, and a long short one"),
    ],
)  # fmt: skip
def test_the_run(samples, longest, answer):
    primary = only(samples).primary
    assert (primary.longest_run, round(primary.run_span_h, 2)) == (longest[0], round(longest[1], 2))
    assert primary.r1 is answer


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(every(30, *DRINKING), (YES, YES, YES), id="a night's drinking"),
        pytest.param(every(30, *SPILL), (NO, NO, NO), id="a spill"),
        pytest.param(every(60, 0.01, 0.06, 0.05, 0.04, 0.019), (YES, NO, YES),
                     id="a rise of exactly 0.05 g/dl/h is not below it"),
        pytest.param(every(60, 0.011, 0.06, 0.05, 0.04, 0.019), (YES, YES, YES), id="0.049 is"),
        pytest.param(every(30, 0.015, 0.03, 0.04, 0.04, 0.015), (YES, YES, NO),
                     id="a fall of exactly 0.025 g/dl/h from the first of two peaks"),
        pytest.param(every(60, 0.01, 0.05, 0.1, 0.15, 0.1, 0.05, 0.02, 0.0), (YES, YES, NO),
                     id="peak of exactly 0.15: the lower limit of the fall"),
        pytest.param(every(60, 0.01, 0.05, 0.1, 0.151, 0.1, 0.05, 0.02, 0.011), (YES, YES, NO),
                     id="above 0.15, and still too fast"),
        pytest.param(every(60, 0.01, 0.05, 0.1, 0.151, 0.12, 0.09, 0.06, 0.03, 0.0),
                     (YES, YES, YES), id="above 0.15, 0.030 g/dl/h is slow enough"),
        pytest.param(every(30, 0.03, 0.04, 0.035, 0.03, 0.015), (YES, UNDECIDABLE, YES),
                     id="the data begins in it"),
        pytest.param(every(30, 0, 0.01, 0.03, 0.04, 0.03), (YES, YES, UNDECIDABLE),
                     id="the data ends in it"),
        pytest.param([*every(30, 0.0), *every(30, 0.03, 0.04, 0.035, 0.03, 0.015, first=91)],
                     (YES, UNDECIDABLE, YES), id="a gap before its foot"),
        pytest.param([*every(30, 0.0), *every(30, 0.03, 0.04, 0.035, 0.03, 0.015, first=90)],
                     (YES, YES, YES), id="no gap: 90 minutes before"),
        pytest.param([*every(30, 0, 0.03, 0.04, 0.03), *every(30, 0.0, first=181)],
                     (YES, YES, UNDECIDABLE), id="a gap before its toe"),
        pytest.param(every(30, 0.08), (NO, UNDECIDABLE, UNDECIDABLE), id="one reading only"),
    ],
)  # fmt: skip
def test_run_rise_and_fall(samples, expected):
    assert parts(only(samples)) == expected


def test_a_part_that_says_no_decides_even_where_another_cannot_be_told():
    assert only(every(30, 0, 0.06, 0.06, 0.06)).primary.confirmed is NO
    assert only(every(30, 0.0, 0.02, 0.03, 0.03)).primary.confirmed is UNDECIDABLE
    assert only(every(30, 0.08)).primary.confirmed is NO


def test_the_peak_is_the_first_of_equals_and_rates_are_averages():
    episode = only(every(30, 0.01, 0.03, 0.05, 0.05, 0.03, 0.01))
    assert minute(episode.peak_at) == 60
    assert episode.primary.absorption_g_dl_h == pytest.approx(0.04)
    assert episode.primary.elimination_g_dl_h == pytest.approx(0.04 / 1.5)


def test_the_foot_may_be_the_baseline_just_before_the_episode():
    episode = only(every(30, 0.0, 0.03, 0.03, 0.03, 0.0, 0.0))
    assert minute(episode.onset) == 30
    assert episode.primary.absorption_g_dl_h == pytest.approx(0.06)


VARIANTS = [
    pytest.param(
        every(30, 0.0, 0.01, 0.019, 0.046, 0.044, 0.04, 0.035, 0.03, 0.025, 0.019, 0.01, 0.0),
        NO, "zero", YES, id="slow from zero, fast from 0.02"),
    pytest.param(
        every(30, *DRINKING[:5], 0.3, *DRINKING[6:]), NO, "median3", YES,
        id="one reading that stands out"),
    pytest.param(
        every(30, *SPILL[1:4], 0.006, *DRINKING[2:]), NO, "run", YES,
        id="a spill and then drinking, with no baseline between"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "primary", "name", "answer"),
    VARIANTS,
)
def test_where_a_variant_says_something_else(samples, primary, name, answer):
    episode = only(samples)
    assert episode.primary.confirmed is primary
    assert episode.variants[name] is answer
    assert not episode.robust
    assert name not in episode.agree


def test_the_limits_of_absorption_of_the_variants():
    # 0.17 g/dl two hours after a foot of 0.0: 0.085 g/dl/h; then slowly down.
    tail = [0.17 - 0.015 * n for n in range(1, 12)]
    high = only(every(30, 0.0, 0.04, 0.08, 0.13, 0.17, *tail))
    assert (high.primary.r2, high.variants["tiered"], high.variants["loose"]) == (NO, YES, YES)
    low = only(every(30, 0.0, 0.03, 0.06, 0.09, *[0.09 - 0.01 * n for n in range(1, 9)]))
    assert (low.primary.r2, low.variants["tiered"], low.variants["loose"]) == (NO, NO, YES)


def test_a_night_s_drinking_is_confirmed_by_every_variant():
    episode = only(every(30, *DRINKING))
    assert episode.robust
    assert set(episode.variants.values()) == {YES}


def test_a_variant_across_a_gap_cannot_tell():
    # The foot below 0.02 is there, the baseline before it is not.
    samples = [*every(30, 0.0), *every(30, 0.015, 0.024, 0.03, 0.028, 0.015, 0, first=120)]
    episode = only(samples)
    assert (episode.primary.confirmed, episode.variants["zero"]) == (YES, UNDECIDABLE)


def test_no_smoothing_across_a_gap():
    # Without the gap the median of 0.0, 0.05, 0.05 would carry the run on.
    samples = [*every(30, 0.0, 0.02, 0.0), *every(30, 0.05, first=180)]
    assert of(samples)[0].variants["median3"] is NO


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(every(30, *DRINKING), Verdict.CONFIRMED, id="drinking"),
        pytest.param(every(30, *SPILL), Verdict.NOT_CONFIRMED, id="a spill: too short a run"),
        pytest.param(every(30, 0, 0, 0.21, 0.12, 0.06, 0.03, 0, 0), Verdict.REVIEW,
                     id="a run that rises too fast is reviewed, never cleared"),
        pytest.param(every(30, 0, 0.01, 0.03, 0.04, 0.03), Verdict.UNDETERMINED,
                     id="still going on"),
        pytest.param(every(30, 0.08), Verdict.UNDETERMINED, id="one reading: no verdict"),
        pytest.param(every(30, 0, 0.08, 0.0, 0.0), Verdict.NOT_CONFIRMED, id="one of four"),
        pytest.param([*every(30, *DRINKING), Sample(at(180), 0.1)], Verdict.REVIEW,
                     id="two levels claimed for one time"),
        pytest.param([*every(30, *DRINKING[:-5], *[0.018] * 12), *every(30, 0.11, 0.09, 0.07, 0.05,
                      0.03, 0.018, 0.015, 0.0, 0.0, first=24 * 30)], Verdict.REVIEW,
                     id="an average that hides a spike"),
    ],
)  # fmt: skip
def test_the_verdict(samples, expected):
    assert said(samples) is expected


def test_alcohol_is_present_from_before_it_was_seen_and_no_time_of_drinking_is_given():
    episode = only(every(30, *DRINKING))
    assert (minute(episode.present_from), minute(episode.present_until)) == (0, 450)
    assert episode.area_g_dl_h == pytest.approx((sum(DRINKING) - 0.006) / 2)
    cut = only(every(30, *DRINKING[3:8]))
    assert (cut.present_from, cut.present_until) == (None, None)


def test_the_rule_sets_have_names_and_refuse_what_makes_no_sense():
    assert set(RULE_SETS) == {"standard", "tiered", "loose"}
    assert all(name == rules.name for name, rules in RULE_SETS.items())
    with pytest.raises(ValueError, match="at or above the baseline"):
        RuleSet("odd", "1", threshold_g_dl=0.001)


LEVELS = st.sampled_from([-0.01, 0.0, 0.004, 0.005, 0.019, 0.02, 0.05, 0.15, 0.151, 0.4])
STEPS = st.sampled_from([4, 5, 25, 30, 30, 30, 33, 39, 60, 90, 91, 300])


@st.composite
def days(draw):
    minute_, samples = 0, []
    for level in draw(st.lists(LEVELS, min_size=1, max_size=40)):
        minute_ += draw(STEPS)
        samples.append(Sample(at(minute_), level))
    return samples


@settings(max_examples=150, deadline=None)
@given(samples=days(), seed=st.integers(0, 9))
def test_order_and_repetition_change_nothing(samples, seed):
    mixed = [*samples, *samples[: len(samples) // 2]]
    random.Random(seed).shuffle(mixed)
    assert of(mixed) == of(samples)


@settings(max_examples=150, deadline=None)
@given(samples=days())
def test_nothing_is_confirmed_without_the_readings_for_it(samples):
    for episode in of(samples):
        primary = episode.primary
        inside = [each for each in samples if episode.onset <= each.at <= episode.end]
        assert episode.peak_tac_g_dl == max(each.tac_g_dl for each in inside) >= 0.02
        if primary.confirmed is YES:
            assert sum(each.tac_g_dl >= 0.02 for each in inside) >= 3
            assert primary.foot is not None
            assert primary.toe is not None
            assert 0 < primary.absorption_g_dl_h < 0.05
            assert 0 < primary.elimination_g_dl_h < 0.035
