"""A telephone with OwnTracks in place of a tag; whole messages are in tests/data/owntracks-*."""

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codec import decode
from devices.native import MessageRefused
from devices.owntracks import NO_READING, R95_PER_R68, UNKNOWN_ACCURACY_M, unpack
from devices.quality import QualityLimits
from devices.readings import BatteryLevel, Fix
from devices.rejection import Reason

NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
LOCATION = {"_type": "location", "lat": 53.2, "lon": -2.9, "tst": SECONDS, "acc": 10}


def read(**changes):
    raw = json.dumps({**LOCATION, **changes}).encode()
    return decode("owntracks/gw-chester/PHONE-1", raw, NOW, QualityLimits())


def without(name):
    raw = json.dumps({key: value for key, value in LOCATION.items() if key != name}).encode()
    return decode("owntracks/gw-chester/PHONE-1", raw, NOW, QualityLimits())


def test_the_radius_is_widened_from_68_to_95_percent():
    # The share of a circular normal error within r is 1 - exp(-r² / 2): both radii of one sigma.
    sigma_m = 10 / math.sqrt(-2 * math.log(1 - 0.68))
    within = 1 - math.exp(-((10 * R95_PER_R68 / sigma_m) ** 2) / 2)
    assert within == pytest.approx(0.95, abs=1e-12)
    assert read(acc=10).readings[0].accuracy_m == 16.2


@pytest.mark.parametrize(
    "acc", [pytest.param(None, id="null"), pytest.param(0, id="0"), pytest.param(0.0, id="0.0")]
)
def test_an_accuracy_that_says_nothing_is_taken_as_the_stand_in(acc):
    assert read(acc=acc).readings[0].accuracy_m == UNKNOWN_ACCURACY_M
    assert without("acc").readings[0].accuracy_m == UNKNOWN_ACCURACY_M


@pytest.mark.parametrize(
    ("bs", "charging"),
    [
        pytest.param(0, None, id="unknown"),
        pytest.param(1, False, id="unplugged"),
        pytest.param(2, True, id="charging"),
        pytest.param(3, True, id="full, on the charger"),
        pytest.param(9, None, id="a number of a later version"),
        pytest.param("2", None, id="a word"),
        pytest.param([], None, id="a list"),
    ],
)
def test_the_battery_rides_on_the_location(bs, charging):
    fix, battery = read(batt=15, bs=bs).readings
    assert isinstance(fix, Fix)
    assert (battery.percent, battery.charging) == (15.0, charging)
    assert battery.stamp.measured_at == fix.stamp.measured_at == NOW


def test_without_a_battery_there_is_only_the_fix():
    assert [type(each) for each in read().readings] == [Fix]
    assert [type(each) for each in read(batt=None).readings] == [Fix]
    assert [type(each) for each in read(batt=1).readings] == [Fix, BatteryLevel]


@pytest.mark.parametrize("kind", sorted(NO_READING))
def test_a_message_that_is_no_location_has_no_reading_and_no_fault(kind):
    decoded = read(_type=kind, lat="not even a number")
    assert (decoded.readings, decoded.rejected) == ([], [])


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        pytest.param({"_type": "encrypted"}, Reason.UNSUPPORTED, "encryption", id="encrypted"),
        pytest.param({"_type": "msg"}, Reason.UNSUPPORTED, "_type location", id="unknown type"),
        pytest.param({"_type": None}, Reason.UNSUPPORTED, "_type location", id="no type"),
        pytest.param({"_type": []}, Reason.UNSUPPORTED, "_type location", id="a list for a type"),
        pytest.param({"_type": {}}, Reason.UNSUPPORTED, "_type location", id="an object for one"),
        pytest.param({"lat": 91}, Reason.OUT_OF_RANGE, "lat: ", id="latitude 91"),
        pytest.param({"lon": -181}, Reason.OUT_OF_RANGE, "lon: ", id="longitude -181"),
        pytest.param({"lat": "53.2"}, Reason.INVALID, "lat: expected", id="text for lat"),
        pytest.param({"lat": None}, Reason.INVALID, "lat: expected", id="null for lat"),
        pytest.param({"lat": False}, Reason.INVALID, "lat: expected", id="false for lat"),
        pytest.param({"lat": math.nan}, Reason.NOT_FINITE, "lat is NaN", id="NaN"),
        pytest.param({"lon": math.inf}, Reason.NOT_FINITE, "lon is Infinity", id="infinite"),
        pytest.param({"tst": -math.inf}, Reason.NOT_FINITE, "tst is -Inf", id="for ever ago"),
        pytest.param({"tst": 10**400}, Reason.OUT_OF_RANGE, "tst: ", id="400 digits for a time"),
        pytest.param({"tst": -1}, Reason.OUT_OF_RANGE, "tst: ", id="before 1970"),
        pytest.param({"tst": "now"}, Reason.INVALID, "tst: ", id="a word for a time"),
        pytest.param({"acc": -5}, Reason.OUT_OF_RANGE, "acc: ", id="accuracy below 0"),
        pytest.param({"created_at": None}, Reason.INVALID, "created_at: ", id="created never"),
    ],
)
def test_what_is_refused_whole(changes, reason, says):
    decoded = read(**changes)
    assert [(each.reason, each.index) for each in decoded.rejected] == [(reason, None)]
    assert says in decoded.rejected[0].text
    assert decoded.readings == []


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        pytest.param({"batt": 101}, Reason.OUT_OF_RANGE, "batt: ", id="101 percent"),
        pytest.param({"vel": -1}, Reason.OUT_OF_RANGE, "vel: ", id="no speed, as old iOS says it"),
        pytest.param({"vel": math.nan}, Reason.NOT_FINITE, "vel is NaN", id="a speed that is none"),
        pytest.param({"cog": "east"}, Reason.INVALID, "cog: ", id="a word for a heading"),
    ],
)
def test_an_extra_that_is_bad_costs_no_position(changes, reason, says):
    decoded = read(**changes)
    assert [each.reason for each in decoded.rejected] == [reason]
    assert says in decoded.rejected[0].text
    assert any(isinstance(each, Fix) for each in decoded.readings)


@pytest.mark.parametrize("name", ["lat", "lon", "tst", "_type"])
def test_what_is_required(name):
    decoded = without(name)
    assert decoded.readings == []
    assert name in decoded.rejected[0].text


def test_a_number_too_large_for_a_float_is_not_finite():
    raw = json.dumps(LOCATION).replace("53.2", "1e999").encode()
    with pytest.raises(MessageRefused, match="lat is not a finite number") as refused:
        unpack(raw)
    assert refused.value.rejected.reason is Reason.NOT_FINITE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"tst": 0}, Reason.TIME_TOO_OLD, id="1970"),
        pytest.param({"tst": SECONDS + 86_401}, Reason.TIME_IN_FUTURE, id="a day and a second on"),
        pytest.param({"lat": -2.9, "lon": 53.2}, Reason.COORDINATES_SWAPPED, id="swapped"),
    ],
)
def test_what_cannot_be_believed(changes, reason):
    decoded = read(**changes)
    assert [(each.reason, each.index) for each in decoded.rejected] == [(reason, 0)]


def test_swapped_coordinates_cost_only_the_fix():
    decoded = read(lat=-2.9, lon=53.2, batt=50)
    assert [type(each) for each in decoded.readings] == [BatteryLevel]


@given(seconds=st.floats(SECONDS - 86_400, SECONDS))
def test_a_fraction_of_a_second_is_kept_to_the_millisecond(seconds):
    (fix,) = read(tst=seconds).readings
    assert fix.stamp.measured_at.microsecond % 1000 == 0
    # A float of seconds is rounded to the microsecond before the rest is cut off.
    assert -0.000_001 <= seconds - fix.stamp.measured_at.timestamp() < 0.001_001
