"""Which provider gets a text while one of them is failing, slow or refusing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.providers import HealthLimits, Seen, Shift, Weight, pick, step

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(hours=1)
LIMITS = HealthLimits()
FAILING = Seen(errors=LIMITS.errors_in_window)
SLOW = Seen(delivered=100, slow=15)


def weights(first=51, second=49, moved_at=LONG_AGO):
    return [
        Weight(provider="twilio", points=first, resting=51, moved_at=moved_at),
        Weight(provider="notify", points=second, resting=49, moved_at=moved_at),
    ]


def points(moved):
    return {each.weight.provider: each.weight.points for each in moved}


@pytest.mark.parametrize(
    ("seen", "after", "why"),
    [
        pytest.param({"twilio": FAILING}, {"twilio": 41, "notify": 59}, Shift.ERRORS, id="errors"),
        pytest.param({"notify": SLOW}, {"twilio": 61, "notify": 39}, Shift.SLOW, id="slow"),
        pytest.param(
            {"twilio": Seen(refused_us=True)},
            {"twilio": 0, "notify": 100},
            Shift.UNUSABLE,
            id="refuses us",
        ),
    ],
)
def test_weight_leaves_who_is_ill(seen, after, why):
    moved = step(weights(), seen, NOON)
    assert points(moved) == after
    assert {each.shift for each in moved} == {why}


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param({}, id="nothing seen"),
        pytest.param({"twilio": SLOW, "notify": SLOW}, id="slow everywhere"),
        pytest.param({"twilio": FAILING, "notify": FAILING}, id="failing everywhere"),
        pytest.param({"twilio": Seen(errors=LIMITS.errors_in_window - 1)}, id="a few errors"),
        pytest.param({"twilio": Seen(delivered=3, slow=3)}, id="too few texts to say"),
    ],
)
def test_weight_stays(seen):
    assert step(weights(), seen, NOON) == []


def test_not_twice_in_a_minute():
    assert step(weights(moved_at=NOON - timedelta(seconds=59)), {"twilio": FAILING}, NOON) == []


def test_a_provider_that_refuses_us_does_not_wait_for_the_minute():
    moved = step(weights(moved_at=NOON), {"twilio": Seen(refused_us=True)}, NOON)
    assert points(moved) == {"twilio": 0, "notify": 100}


def test_weight_drifts_back_and_not_past_its_share():
    assert points(step(weights(31, 69), {}, NOON)) == {"twilio": 41, "notify": 59}
    assert points(step(weights(46, 54), {}, NOON)) == {"twilio": 51, "notify": 49}
    assert step(weights(31, 69, NOON - timedelta(seconds=299)), {}, NOON) == []


def test_which_provider_a_text_takes():
    assert [pick(weights(), draw) for draw in (0.0, 0.5, 0.52, 0.999)] == [
        "twilio",
        "twilio",
        "notify",
        "notify",
    ]
    assert pick(weights(), 0.0, frozenset({"twilio"})) == "notify"
    assert pick(weights(), 0.0, frozenset({"twilio", "notify"})) is None


def test_a_provider_without_points_is_better_than_none():
    assert pick(weights(0, 100), 0.3, frozenset({"notify"})) == "twilio"


@given(
    first=st.integers(0, 100),
    errors=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    refused=st.tuples(st.booleans(), st.booleans()),
    slow=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
def test_no_point_is_made_or_lost(first, errors, refused, slow):
    now = weights(first, 100 - first)
    seen = {
        each.provider: Seen(errors=errors[n], refused_us=refused[n], delivered=30, slow=slow[n])
        for n, each in enumerate(now)
    }
    after = {each.provider: each.points for each in now} | points(step(now, seen, NOON))
    assert sum(after.values()) == 100
    assert all(value >= 0 for value in after.values())
