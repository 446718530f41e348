"""Whole days of a wearer's places: what comes late, twice or out of order changes no episode."""

import math
import random
from datetime import timedelta

import shapely
from builders import START, TAG, condition, fitting, hours
from fakes import Register
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judge import States, judge
from alerts.terms import ConditionKind
from devices.readings import Fix, FixSource, Stamp

EAST_M, NORTH_M = 66_830.0, 111_290.0
HOME, SHOP, FRIEND = (-2.8918, 53.1905), (-2.8868, 53.1925), (-2.8990, 53.1880)


def circle(place, radius_m):
    round_m = shapely.Point(0, 0).buffer(radius_m)
    return shapely.transform(round_m, lambda xy: xy / (EAST_M, NORTH_M) + place)


# Every kind of place at once: home at night, the town, a friend's street, a shop in its hours.
TERMS = (
    condition(
        ConditionKind.CURFEW,
        condition_id=1,
        schedule=hours("fri", "19:00", "07:00"),
        shape=circle(HOME, 90),
    ),
    condition(ConditionKind.RESTRICTION_ZONE, condition_id=2, shape=circle(HOME, 700)),
    condition(
        ConditionKind.EXCLUSION_ZONE, condition_id=3, shape=circle(FRIEND, 120), approach_s=300.0
    ),
    condition(
        ConditionKind.EXCLUSION_ZONE,
        condition_id=4,
        schedule=hours("fri", "15:00", "18:00"),
        shape=circle(SHOP, 60),
    ),
)


def day(seed):
    """Some five hundred fixes of a day: stays, walks, drift, leaps, gaps, cells, cellars."""
    draws = random.Random(seed)
    found, minute, here, drift = [], 0.0, HOME, [0.0, 0.0]
    while minute < 24 * 60:
        there = draws.choice((HOME, SHOP, FRIEND, (-2.905 + 0.02 * draws.random(), 53.193)))
        steps, cellar = draws.randint(4, 25), draws.random() < 0.15
        for n in range(steps + draws.randint(5, 40)):
            minute += draws.choice(
                (0.25, 1.0, 1.0, 3.0, 3.0, 12.0 if draws.random() < 0.1 else 1.0)
            )
            share = min(1.0, n / steps)
            drift = [0.9 * each + draws.gauss(0, 4) for each in drift]
            leap = 120.0 if draws.random() < 0.01 else 0.0
            x, y = (drift[0] + leap) / EAST_M, drift[1] / NORTH_M
            lon = here[0] + share * (there[0] - here[0]) + x
            lat = here[1] + share * (there[1] - here[1]) + y
            cell = cellar or draws.random() < 0.03
            at = START + timedelta(seconds=round(60 * minute))
            source = FixSource.LBS if cell else FixSource.GPS
            stamp = Stamp(TAG, at, None, at)
            vague_m = 2_500.0 if cellar else 500.0
            found.append(Fix(stamp, lat, lon, vague_m if cell else draws.uniform(6, 40), source))
        here = there
    return found


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_a_whole_day_in_any_order_and_in_late_batches_gives_the_same_episodes(seed, data):
    worn, readings = fitting(*TERMS), day(seed)
    whole = judge(worn, States(), readings).findings
    late = data.draw(st.sets(st.integers(0, 11), max_size=4), label="twelfths that come late")
    size = math.ceil(len(readings) / 12)
    parts = [readings[n * size : (n + 1) * size] for n in range(12)]
    arrival = [n for n in range(12) if n not in late] + data.draw(st.permutations(sorted(late)))
    repeated = data.draw(st.lists(st.sampled_from(readings), max_size=10), label="sent twice")
    register = Register(worn)
    for number in arrival:
        batch = [*parts[number], *repeated]
        random.Random(number).shuffle(batch)
        register.receive(batch, START + timedelta(days=2))
    assert register.standing() == {(key, each.ended_at) for key, each in whole.items()}


def test_these_days_have_something_to_find():
    kinds = {
        each.kind.value
        for seed in range(4)
        for each in judge(fitting(*TERMS), States(), day(seed)).findings.values()
    }
    assert kinds >= {
        "curfew_breach", "exclusion_breach", "exclusion_approach", "position_unknown",
    }  # fmt: skip
