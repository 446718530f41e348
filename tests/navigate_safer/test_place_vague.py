"""`judge place` on fixes too vague for the zone: unknown, and neither breach nor compliance."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigate_safer.place_files import judge_place

START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
HOUSE = (-2.89, 53.19)
EAST_M = 66_830.0
ALWAYS_IN = pytest.mark.parametrize("kind", ["inclusion", "restriction"])
SMALL = pytest.mark.parametrize("radius_m", [50, 75, 100])
VAGUE = pytest.mark.parametrize(
    ("accuracy_m", "source"), [(500, "gps"), (500, "wifi"), (3_000, "lbs"), (100_000, "gps")]
)


def place(kind, radius_m, **properties):
    geometry = {"type": "Point", "coordinates": HOUSE}
    own = {"id": "Z", "kind": kind, "radius_m": radius_m, **properties}
    feature = {"type": "Feature", "properties": own, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def row(minute, accuracy_m=8, source="gps", *, east_m=0.0):
    at = (START + timedelta(minutes=minute)).isoformat()
    return f"T,{at},{HOUSE[1]},{HOUSE[0] + east_m / EAST_M},{accuracy_m},{source}"


def judged(kind, radius_m, rows, **properties):
    track = "\n".join(["device,at,lat,lon,accuracy_m,source", *rows]).encode()
    return judge_place(place(kind, radius_m, **properties), track, rule="probability")["zones"]["Z"]


def minutes(found):
    return tuple(found["minutes"][name] for name in ("compliant", "breach", "unknown"))


@ALWAYS_IN
@SMALL
@VAGUE
def test_a_track_of_vague_fixes_at_the_house_is_unknown(kind, radius_m, accuracy_m, source):
    found = judged(kind, radius_m, [row(n, accuracy_m, source) for n in range(61)])
    assert found["violations"] == []
    assert minutes(found) == (0, 0, 60)


@ALWAYS_IN
@SMALL
@VAGUE
def test_a_vague_fix_after_a_silence_at_home_is_unknown(kind, radius_m, accuracy_m, source):
    rows = [*[row(n) for n in range(31)], row(45, accuracy_m, source)]
    found = judged(kind, radius_m, rows)
    assert found["violations"] == []
    assert minutes(found) == (30, 0, 15)


@VAGUE
def test_a_day_of_cells_about_an_exclusion_zone_vouches_for_nothing(accuracy_m, source):
    found = judged(
        "exclusion", 100, [row(5 * n, accuracy_m, source, east_m=300.0) for n in range(289)]
    )
    assert found["violations"] == []
    assert minutes(found) == (0, 0, 24 * 60)


def test_cells_of_another_town_vouch_for_an_exclusion_zone():
    rows = [row(5 * n, 3_000, "lbs", east_m=30_000.0) for n in range(13)]
    assert minutes(judged("exclusion", 100, rows)) == (60, 0, 0)


@pytest.mark.parametrize("kind", ["inclusion", "restriction", "exclusion"])
def test_a_vague_fix_now_and_then_among_good_ones_costs_no_minute(kind):
    off_m = 3_000.0 if kind == "exclusion" else 0.0
    rows = [
        row(n, *((3_000, "lbs") if n % 4 == 2 else (8, "gps")), east_m=off_m) for n in range(61)
    ]
    assert minutes(judged(kind, 100, rows)) == (60, 0, 0)


def test_vague_fixes_for_longer_than_the_largest_gap_are_unknown_until_the_next_good_one():
    rows = [row(n, *((3_000, "lbs") if 20 < n < 40 else (8, "gps"))) for n in range(61)]
    found = judged("inclusion", 100, rows)
    assert found["violations"] == []
    assert minutes(found) == (40, 0, 20)


def test_outside_the_hours_nothing_is_unknown():
    hours = [{"days": ["fri"], "start": "18:20", "end": "18:50"}]
    found = judged("exclusion", 100, [row(n, 3_000, "lbs") for n in range(61)], schedule=hours)
    assert minutes(found) == (30, 0, 30)


def test_an_absence_that_ends_in_vague_fixes_lasts_to_where_it_was_last_seen():
    rows = [*[row(n, east_m=900.0) for n in range(10)],
            *[row(n, 900, "lbs") for n in range(30, 61)]]  # fmt: skip
    found = judged("inclusion", 100, rows)
    assert [each["end"][11:19] for each in found["violations"]] == ["18:09:00"]
    assert minutes(found) == (0, 9, 51)


def test_a_violation_shows_no_probability_of_a_fix_that_cannot_tell():
    rows = [row(0, 900, "lbs"), *[row(n, east_m=900.0) for n in range(1, 6)]]
    (found,) = judged("inclusion", 100, rows)["violations"]
    assert [each["at"][11:16] for each in found["evidence"]["probability_over_time"]] == [
        f"18:0{n}" for n in range(1, 6)
    ]


ROW = st.builds(
    row,
    st.integers(0, 80),
    st.sampled_from([8, 100, 500, 3_000, 100_000]),
    st.sampled_from(["gps", "wifi", "lbs"]),
    east_m=st.sampled_from([0.0, 120.0, 400.0, 9_000.0]),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, min_size=1, max_size=20, unique_by=lambda each: each[:20]),
    kind=st.sampled_from(["inclusion", "restriction", "exclusion"]),
    randomly=st.randoms(),
)
def test_order_and_repeats_change_nothing_and_minutes_add_up(rows, kind, randomly):
    straight = judged(kind, 100, sorted(rows))
    mixed = [*rows, *rows[:4]]
    randomly.shuffle(mixed)
    assert judged(kind, 100, mixed) == straight
    times = [each[2:27] for each in rows]
    span = datetime.fromisoformat(max(times)) - datetime.fromisoformat(min(times))
    assert sum(minutes(straight)) == pytest.approx(span / timedelta(minutes=1))
