"""The last correction of what is stated: small, monotone, and nothing at the ends."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.correction import KEEP_OUT, STAY_IN, corrected, inside


@pytest.mark.parametrize("so", [KEEP_OUT, STAY_IN], ids=["keep out", "stay in"])
def test_it_rises_from_nothing_to_certainty(so):
    assert (so[0], so[-1]) == (0.0, 1.0)
    assert all(one < other for one, other in pairwise(so))
    # Small: a model that needs more than this is wrong and should be mended instead.
    assert max(abs(each - n / 10) for n, each in enumerate(so)) <= 0.15


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([KEEP_OUT, STAY_IN]))
def test_who_is_likelier_stays_so(one, other, so):
    low, high = sorted((one, other))
    assert 0 <= corrected(low, so) <= corrected(high, so) <= 1


@given(st.floats(0, 1))
def test_for_a_zone_to_stay_in_it_is_the_absence_that_is_corrected(probability):
    assert inside(probability, forbids_inside=True) == corrected(probability, KEEP_OUT)
    absent = 1 - inside(probability, forbids_inside=False)
    assert absent == pytest.approx(corrected(1 - probability, STAY_IN), abs=1e-12)


def test_at_a_tenth_it_is_what_was_learnt_and_between_two_a_straight_line():
    assert corrected(0.3, STAY_IN) == pytest.approx(STAY_IN[3])
    assert corrected(0.35, STAY_IN) == pytest.approx((STAY_IN[3] + STAY_IN[4]) / 2)
