"""A reading packed into a row and taken out again is the same reading."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.quality import Doubt
from devices.readings import (
    AlcoholSample,
    BatteryLevel,
    DeviceEvent,
    EventState,
    Fix,
    FixSource,
    Stamp,
    accuracy_on_grid,
)
from navigate_safer.db import packed
from navigate_safer.db.packed import BadPacking, Quality
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.reading_values import TABLES, columns_of, reading_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
INT16 = range(-(2**15), 2**15)
INT32 = range(-(2**31), 2**31)


class Row:
    def __init__(self, **columns):
        self.__dict__.update(columns)


millis = st.integers(1_600_000_000_000, 1_900_000_000_000)
measured = millis.map(lambda ms: packed.instant_of(ms * 1000))
tenths = st.none() | st.integers(0, 20_000).map(lambda value: value / 10)


@st.composite
def stamps(draw):
    measured_at = draw(measured)
    received_at = measured_at + timedelta(
        milliseconds=10 * draw(st.integers(-8_000_000, 400_000_000))
    )
    delay_s = st.none() | st.integers(-packed.EXACT_S, packed.EXACT_S)
    sent = draw(delay_s)
    return Stamp(
        "", measured_at, None if sent is None else received_at - sent * SECOND, received_at
    )


readings = st.one_of(
    st.builds(
        Fix,
        stamps(),
        st.integers(-900_000_000, 900_000_000).map(lambda value: value / 1e7),
        st.integers(-1_800_000_000, 1_800_000_000).map(lambda value: value / 1e7),
        st.floats(0, 200_000).map(accuracy_on_grid),
        st.sampled_from(FixSource),
        tenths,
        st.none() | st.integers(0, 3_600).map(lambda value: value / 10),
        st.none() | st.integers(0, 200),
        st.none() | st.integers(0, 5_000).map(lambda value: value / 10),
    ),
    st.builds(
        AlcoholSample,
        stamps(),
        st.integers(-50_000, 2_000_000).map(lambda value: value / 1e6),
        st.none() | st.integers(0, 20_000).map(lambda value: value / 1000),
        st.none() | st.integers(-6_000, 9_000).map(lambda value: value / 100),
    ),
    st.builds(DeviceEvent, stamps(), st.just("strap_tamper"), st.sampled_from(EventState)),
    st.builds(
        BatteryLevel,
        stamps(),
        st.integers(0, 1000).map(lambda value: value / 10),
        st.none() | st.booleans(),
    ),
)
doubts = st.integers(0, 15).map(Doubt)


@given(readings, doubts, st.integers(0, packed.MOST_VARIANTS - 1))
def test_a_row_gives_back_the_reading_that_it_was_made_of(reading, doubt, variant):
    columns = columns_of(17, reading, doubt, variant)
    row = Row(**columns)
    assert reading_of(TABLES[type(reading)], "", row) == reading
    assert packed.variant_of(row.measured_at) == variant
    if isinstance(reading, Fix):
        assert FixRow(**columns).doubts == doubt
    else:
        assert columns["doubts"] == doubt


@given(readings, doubts, st.integers(0, packed.MOST_VARIANTS - 1))
def test_a_row_is_packed_again_to_the_same_row(reading, doubt, variant):
    columns = columns_of(17, reading, doubt, variant)
    again = reading_of(TABLES[type(reading)], "", Row(**columns))
    assert columns_of(17, again, doubt, variant) == columns


@given(readings, doubts)
def test_every_column_of_a_fix_has_a_value_and_room_for_it(reading, doubt):
    if not isinstance(reading, Fix):
        return
    columns = columns_of(17, reading, doubt, 0)
    assert set(columns) == set(FixRow.__table__.columns.keys())
    for name in ("accuracy", "speed_dkmh", "heading_ddeg", "sent_s"):
        assert columns[name] in INT16
    for name in ("lat_e7", "lon_e7", "received_cs", "quality"):
        assert columns[name] in INT32


@given(st.integers(INT32.start, INT32.stop - 1))
def test_quality_comes_back_from_any_32_bits_that_name_a_source(bits):
    if bits % 8 not in [int(each) for each in FixSource]:
        return
    assert packed.pack_quality(packed.unpack_quality(bits)) == bits


@pytest.mark.parametrize(
    "quality",
    [
        pytest.param(Quality(FixSource.GPS, Doubt.NONE, 256, None), id="256 satellites"),
        pytest.param(Quality(FixSource.GPS, Doubt.NONE, -1, None), id="minus one satellite"),
        pytest.param(Quality(FixSource.GPS, Doubt.NONE, None, 819.2), id="a dilution of 819.2"),
    ],
)
def test_what_has_no_place_is_refused_by_name(quality):
    with pytest.raises(BadPacking, match="must be from 0 to"):
        packed.pack_quality(quality)


@given(st.floats(0, 400_000), st.floats(0, 400_000))
def test_a_wider_radius_is_never_kept_as_a_narrower_one(one, other):
    narrow, wide = sorted((one, other))
    assert accuracy_on_grid(narrow) <= accuracy_on_grid(wide)
    kept = packed.unpack_accuracy(packed.pack_accuracy(wide))
    assert kept == accuracy_on_grid(wide) == accuracy_on_grid(kept)


@pytest.mark.parametrize(
    ("accuracy_m", "kept", "column"),
    [
        pytest.param(0, 0, 0, id="a point"),
        pytest.param(8, 8, 80, id="a good fix"),
        pytest.param(3_276.7, 3_276.7, 32_767, id="the widest to a decimetre"),
        pytest.param(3_276.8, 3_280, -328, id="the first to ten metres"),
        pytest.param(200_000, 200_000, -20_000, id="the widest that a message may hold"),
        pytest.param(500_000, 327_670, -32_767, id="wider than any column"),
    ],
)
def test_a_radius_is_kept_to_a_decimetre_and_a_very_wide_one_to_ten_metres(
    accuracy_m, kept, column
):
    assert accuracy_on_grid(accuracy_m) == kept
    assert packed.pack_accuracy(accuracy_m) == column


@pytest.mark.parametrize(
    ("delay_s", "column", "kept_s"),
    [
        pytest.param(0.4, 0, 0, id="less than half a second"),
        pytest.param(1.6, 2, 2, id="to the nearest second"),
        pytest.param(-3, -3, -3, id="a gateway's clock ahead"),
        pytest.param(16_384, 16_384, 16_384, id="four and a half hours, exactly"),
        pytest.param(16_384 + 59, 16_384, 16_384, id="not yet a minute more"),
        pytest.param(16_384 + 600, 16_394, 16_384 + 600, id="ten minutes more"),
        pytest.param(-16_384 - 600, -16_394, -16_384 - 600, id="as much ahead"),
        pytest.param(86_400 * 40, 32_767, 16_384 + 60 * 16_383, id="forty days: the longest"),
    ],
)
def test_how_long_a_message_was_on_the_way(delay_s, column, kept_s):
    assert packed.pack_sent(NOON, NOON - delay_s * SECOND) == column
    assert packed.unpack_sent(NOON, column) == NOON - kept_s * SECOND


@given(measured, st.integers(-(10**12), 10**12))
def test_the_receipt_is_kept_to_the_centisecond_and_never_late(measured_at, delay_us):
    received_at = measured_at + timedelta(microseconds=delay_us)
    kept = packed.unpack_received(measured_at, packed.pack_received(measured_at, received_at))
    assert timedelta(0) <= received_at - kept < timedelta(milliseconds=10)


def test_a_delay_too_long_for_the_column_is_the_longest_it_has():
    assert packed.pack_received(NOON, NOON + timedelta(days=300)) == packed.INT32_MAX
    assert packed.pack_received(NOON, NOON - timedelta(days=300)) == packed.INT32_MIN


@given(measured, st.integers(0, 999), st.integers(-3_000, 3_000))
def test_bounds_on_what_is_stored_say_what_bounds_on_the_measured_time_would(
    measured_at, variant, offset_us
):
    stored = packed.with_variant(measured_at, variant)
    bound = measured_at + timedelta(microseconds=offset_us)
    assert (stored >= packed.from_bound(bound)) == (measured_at >= bound)
    assert (stored >= packed.after_bound(bound)) == (measured_at > bound)


@pytest.mark.parametrize("variant", [-1, 1_000])
def test_no_more_contents_for_one_time_than_a_millisecond_has_room_for(variant):
    with pytest.raises(BadPacking, match="more than 1000 contents"):
        packed.with_variant(NOON, variant)
