"""Who was near a place, and where everybody was last."""

from datetime import UTC, datetime, timedelta

import pytest
from case_files import CREWE, INSIDE, OUTSIDE, Place, fix, message, walk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from sqlalchemy import delete, insert, select

from navigate_safer.db import archive, days, nearby
from navigate_safer.db.nearby import BadQuestion
from navigate_safer.db.packed import Quality, pack_quality
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import archiving

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WGS84 = Geod(ellps="WGS84")
# A hundredth of a minute of latitude, 18.5 m.
STEP = 0.01 / 60


def near(watch, place, radius_m, from_at=NOON, to_at=NOON + HOUR):
    with watch.sessions() as session:
        refs = {row.id: row.ref for row in session.scalars(select(DeviceRow))}
        found = nearby.near(session, place.lon, place.lat, radius_m, from_at, to_at)
    return [(refs[each.device_id], each) for each in found]


def moved(place, north=0.0):
    return Place(place.lat + north * STEP, place.lon)


def test_each_device_is_named_once_with_where_it_was_nearest(watch):
    watch.receive(
        *walk("TAG-1", OUTSIDE, moved(INSIDE, 5), moved(INSIDE, 1), moved(INSIDE, 3), start=NOON),
        *walk("TAG-LENT", moved(INSIDE, 4), CREWE, start=NOON),
        *walk("TAG-2", CREWE, gateway="gw-east", start=NOON),
    )
    (first, one), (second, other) = near(watch, INSIDE, 200)
    assert (first, second) == ("TAG-1", "TAG-LENT")
    assert (one.at, other.at) == (NOON + 2 * MINUTE, NOON)
    assert one.distance_m == pytest.approx(18.5, abs=0.1)
    assert other.distance_m == pytest.approx(74.2, abs=0.2)
    assert one.accuracy_m == 8


def test_both_ends_of_the_window_are_in_it(watch):
    watch.receive(*walk("TAG-1", INSIDE, OUTSIDE, OUTSIDE, INSIDE, start=NOON))
    assert [each.at for _, each in near(watch, INSIDE, 50, NOON, NOON)] == [NOON]
    ends = NOON + 3 * MINUTE
    assert [each.at for _, each in near(watch, INSIDE, 50, NOON + MINUTE, ends)] == [ends]
    assert near(watch, INSIDE, 50, NOON + MINUTE, NOON + 2 * MINUTE) == []


def test_a_second_content_for_the_same_time_counts_too(watch):
    watch.receive(message("TAG-1", fix(NOON, CREWE)), message("TAG-1", fix(NOON, INSIDE)))
    ((device, found),) = near(watch, INSIDE, 50, NOON, NOON)
    assert (device, found.at) == ("TAG-1", NOON)


@pytest.mark.parametrize(
    ("place", "radius_m", "from_at", "to_at", "words"),
    [
        pytest.param(Place(91, 0), 100, NOON, NOON, "latitude", id="north of the pole"),
        pytest.param(INSIDE, 0, NOON, NOON, "radius", id="no radius"),
        pytest.param(INSIDE, 20_001, NOON, NOON, "20,000 m", id="half a county"),
        pytest.param(INSIDE, float("nan"), NOON, NOON, "radius", id="a radius that is no number"),
        pytest.param(INSIDE, 9, NOON, NOON - MINUTE, "after it begins", id="ends before it begins"),
        pytest.param(INSIDE, 9, NOON, NOON + 13 * HOUR, "12 hours", id="thirteen hours"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(watch, place, radius_m, from_at, to_at, words):
    with pytest.raises(BadQuestion, match=words):
        near(watch, place, radius_m, from_at, to_at)


def test_archived_days_answer_as_they_did_before(watch, tmp_path):
    archive.use_folder(watch.sessions, tmp_path / "archive")
    watch.receive(
        *walk("TAG-1", OUTSIDE, moved(INSIDE, 5), moved(INSIDE, 1), start=NOON),
        *walk("TAG-LENT", moved(INSIDE, 4), CREWE, start=NOON),
    )
    before = near(watch, INSIDE, 200)
    day = NOON.date()
    # Straight from where readings without a partition are kept.
    if watch.database.kind == "postgresql":
        with watch.sessions.begin() as session:
            days.put(session, FixRow, day, days.DayState.CLOSED, NOON)
    assert archiving.archive_day(watch.sessions, FixRow, day, NOON + 90 * 24 * HOUR)
    assert watch.database.count(FixRow) == 0
    after = near(watch, INSIDE, 200)
    assert [(device, each.at) for device, each in after] == [
        (device, each.at) for device, each in before
    ]
    for (_, one), (_, other) in zip(before, after, strict=True):
        assert one.distance_m == pytest.approx(other.distance_m, abs=0.001)


offsets = st.integers(-60_000, 60_000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.tuples(offsets, offsets), min_size=1, max_size=12), st.floats(10, 5_000))
def test_it_finds_what_measuring_every_position_on_the_ellipsoid_finds(watch, places, radius_m):
    lat_e7, lon_e7 = round(INSIDE.lat * 1e7), round(INSIDE.lon * 1e7)
    quality = pack_quality(Quality(1, 0, None, None))
    rows = [
        {
            "device_id": number, "measured_at": NOON, "lat_e7": lat_e7 + north,
            "lon_e7": lon_e7 + east, "received_cs": 0, "quality": quality, "accuracy": 80,
            "speed_dkmh": -1, "heading_ddeg": -1, "sent_s": 0,
        }
        for number, (east, north) in enumerate(places)
    ]  # fmt: skip
    with watch.sessions.begin() as session:
        session.execute(delete(FixRow))
        session.execute(insert(FixRow), rows)
        found = nearby.near(session, INSIDE.lon, INSIDE.lat, radius_m, NOON, NOON)
    distances = {each.device_id: each.distance_m for each in found}
    for number, (east, north) in enumerate(places):
        there = (INSIDE.lon + east / 1e7, INSIDE.lat + north / 1e7)
        _, _, truth_m = WGS84.inv(INSIDE.lon, INSIDE.lat, *there)
        if number in distances:
            assert distances[number] == pytest.approx(truth_m, rel=2e-3, abs=0.05)
        else:
            assert truth_m > radius_m * 0.998 - 0.05


def test_the_last_position_of_everybody_is_at_hand(watch):
    watch.receive(
        *walk("TAG-1", OUTSIDE, INSIDE, start=NOON),
        *walk("TAG-LENT", CREWE, start=NOON + HOUR),
    )
    watch.receive(*walk("TAG-1", CREWE, start=NOON - HOUR))
    with watch.sessions() as session:
        refs = {row.id: row.ref for row in session.scalars(select(DeviceRow))}
        found = {refs[each.device_id]: each for each in nearby.last_positions(session)}
    assert set(found) == {"TAG-1", "TAG-LENT"}
    assert (found["TAG-1"].at, found["TAG-1"].lat) == (NOON + MINUTE, INSIDE.lat)
    assert (found["TAG-LENT"].at, found["TAG-LENT"].accuracy_m) == (NOON + HOUR, 8)
