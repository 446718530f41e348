"""One device against one zone by probability: what each fix and the way to it say."""

from datetime import UTC, datetime, timedelta

import pytest
import shapely

from devices.readings import Fix, FixSource, Stamp
from zones.whereabouts import Whereabouts, says_nothing, spot, step
from zones.zone import Zone, ZoneKind

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GAP = timedelta(seconds=600)
# Some 200 m by 220 m.
PARK = Zone("park", ZoneKind.EXCLUSION, shapely.box(-2.8915, 53.189, -2.8885, 53.191))
INSIDE, OUTSIDE, BEYOND = (-2.89, 53.19), (-2.895, 53.19), (-2.885, 53.19)


def fix(second, place, accuracy_m=10.0, source=FixSource.GPS):
    at = START + timedelta(seconds=second)
    return Fix(Stamp("TAG", at, None, at), place[1], place[0], accuracy_m, source)


def followed(*fixes, zone=PARK):
    where, way = Whereabouts(), None
    for each in fixes:
        where, way = step(where, spot(each), zone, GAP)
    return where, way


def test_a_first_fix_is_a_leg_that_is_not_known():
    where, way = followed(fix(0, INSIDE))
    assert way.turn is None
    assert [at for at, _ in way.points] == [START]
    assert where.inside > 0.99


def test_the_way_between_two_fixes_outside_may_lead_through():
    where, way = followed(fix(0, OUTSIDE), fix(60, BEYOND))
    assert where.inside < 0.01
    assert max(p for _, p in way.points) > 0.8
    assert [at for at, _ in way.points] == sorted(at for at, _ in way.points)
    assert (way.points[0][0], way.points[-1][0]) == (START, START + timedelta(seconds=60))


def test_a_way_past_the_zone_is_likelier_to_touch_it_the_longer_it_is():
    def touched(length_degrees):
        west, east = (-2.89 - length_degrees / 2, 53.1922), (-2.89 + length_degrees / 2, 53.1922)
        return max(p for _, p in followed(fix(0, west), fix(60, east))[1].points)

    assert 0 < touched(0.002) < touched(0.01) < touched(0.02) < 0.5


def test_nobody_is_taken_to_have_left_a_zone_to_stay_in_by_a_bend():
    home = Zone("home", ZoneKind.INCLUSION, PARK.shape)
    ends = fix(0, (-2.8914, 53.19)), fix(60, (-2.8886, 53.19))
    bent = min(p for _, p in followed(*ends)[1].points[1:-1])
    straight = min(p for _, p in followed(*ends, zone=home)[1].points[1:-1])
    assert straight > bent


def test_after_a_gap_belief_begins_anew():
    known, _ = followed(*(fix(60 * n, OUTSIDE) for n in range(30)))
    after, way = step(known, spot(fix(30 * 60 + 601, OUTSIDE)), PARK, GAP)
    assert way.turn is None
    assert after.belief.age_s < known.belief.age_s


def test_a_fix_from_before_the_last_one_is_refused():
    where, _ = followed(fix(60, INSIDE))
    with pytest.raises(ValueError, match="is earlier than"):
        step(where, spot(fix(0, INSIDE)), PARK, GAP)


@pytest.mark.parametrize(("accuracy_m", "nothing"), [(900.0, False), (60_000.0, True)])
def test_a_fix_wider_than_any_cell_says_nothing(accuracy_m, nothing):
    assert says_nothing(fix(0, INSIDE, accuracy_m, FixSource.LBS)) is nothing


def after_rest(now_at, *, watched=True):
    """An hour without doubt that began in the west of the park; then a fix within it."""
    where, _ = followed(fix(0, OUTSIDE))
    where = where.resting(watched=watched).at_rest(spot(fix(3600, now_at)))
    return step(where, spot(fix(3660, INSIDE)), PARK, GAP)[0]


def test_of_one_who_is_where_the_rest_began_a_leap_is_doubted_more():
    assert after_rest(OUTSIDE).belief.still > 3 * after_rest(BEYOND).belief.still
    assert after_rest(OUTSIDE).belief.age_s > 3600


def test_a_rest_without_a_leap_speaks_for_the_receiver_where_one_would_have_shown():
    watched, not_watched = (after_rest(OUTSIDE, watched=each).receiver for each in (True, False))
    assert watched.watched_h > not_watched.watched_h + 0.9
