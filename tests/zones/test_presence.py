from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import shapely

from devices.readings import Fix, Stamp
from zones.interval import Interval
from zones.presence import LegResult, Presence, TrackPoint, step
from zones.zone import Zone, ZoneKind

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
GAP = timedelta(seconds=600)
SCHOOL = Zone("school", ZoneKind.EXCLUSION, shapely.box(-2.90, 53.18, -2.88, 53.20))

OUTSIDE = (-2.92, 53.19)
INSIDE = (-2.89, 53.19)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def fix(second: float, place: tuple[float, float]) -> Fix:
    return Fix(Stamp("TAG-1", at(second), None, at(second)), place[1], place[0], 12.0)


def walk(*fixes: Fix) -> list[LegResult]:
    presence, legs = Presence(), []
    for each in fixes:
        presence, leg = step(presence, each, SCHOOL, GAP)
        legs.append(leg)
    return legs


def test_a_first_fix_inside_is_a_sighting_and_nothing_is_known_of_before():
    assert walk(fix(0, INSIDE)) == [LegResult(at(0), at(0), False, (Interval(at(0), at(0)),))]


def test_a_first_fix_outside_shows_nothing():
    assert walk(fix(0, OUTSIDE)) == [LegResult(at(0), at(0), False, ())]


def test_a_leg_says_when_the_path_went_in():
    # Three hundredths of a degree in a minute; the boundary is two of them away.
    leg = walk(fix(0, OUTSIDE), fix(60, INSIDE))[1]
    assert leg == LegResult(at(0), at(60), True, (Interval(at(40), at(60)),))


def test_a_passage_between_two_fixes_outside_is_seen():
    leg = walk(fix(0, OUTSIDE), fix(60, (-2.86, 53.19)))[1]
    assert leg.inside == (Interval(at(20), at(40)),)


@pytest.mark.parametrize(
    ("seconds", "known"),
    [
        pytest.param(600, True, id="a leg as long as the largest gap is known"),
        pytest.param(600.000001, False, id="a microsecond more is unknown"),
    ],
)
def test_the_largest_gap(seconds, known):
    leg = walk(fix(0, INSIDE), fix(seconds, INSIDE))[1]
    assert leg.known is known
    start = at(0) if known else at(seconds)
    assert leg.inside == (Interval(start, at(seconds)),)
    assert (leg.start, leg.end) == (at(0), at(seconds))


def test_after_an_unknown_leg_the_stay_begins_anew():
    legs = walk(fix(0, INSIDE), fix(5000, INSIDE), fix(5060, INSIDE))
    assert [leg.inside for leg in legs[1:]] == [
        (Interval(at(5000), at(5000)),),
        (Interval(at(5000), at(5060)),),
    ]


def test_of_two_fixes_at_one_time_the_last_given_counts_from_then_on():
    legs = walk(fix(0, OUTSIDE), fix(60, INSIDE), fix(60, OUTSIDE), fix(120, OUTSIDE))
    assert legs[2] == LegResult(at(60), at(60), True, ())
    assert legs[3].inside == ()


def test_a_fix_out_of_order_is_refused():
    with pytest.raises(ValueError, match="step again from before it"):
        walk(fix(60, INSIDE), fix(0, INSIDE))


def test_the_state_survives_json():
    presence, _ = step(Presence(), fix(0.25, INSIDE), SCHOOL, GAP)
    assert presence == Presence(TrackPoint(at(0.25), 53.19, -2.89, 12.0))
    assert msgspec.json.decode(msgspec.json.encode(presence), type=Presence) == presence
    assert msgspec.json.decode(b"{}", type=Presence) == Presence()
