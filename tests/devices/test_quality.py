"""What can be believed, and what is kept with a doubt beside it."""

from datetime import timedelta

import pytest
from builders import INSIDE, START, battery, event, fix, sample
from hypothesis import given
from hypothesis import strategies as st

from devices.quality import Doubt, QualityLimits, ServiceArea, doubts, position_fault, time_fault
from devices.rejection import Reason

LIMITS = QualityLimits()
DAY, MS = timedelta(days=1), timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("ahead", "reason", "says"),
    [
        pytest.param(timedelta(0), None, "", id="now"),
        pytest.param(DAY, None, "", id="a day ahead is the most"),
        pytest.param(DAY + MS, Reason.TIME_IN_FUTURE, "24 hours after", id="more than a day ahead"),
        pytest.param(365 * DAY, Reason.TIME_IN_FUTURE, "365 days after", id="next year"),
        pytest.param(-45 * DAY, None, "", id="45 days in a drawer"),
        pytest.param(-45 * DAY - MS, Reason.TIME_TOO_OLD, "45 days before", id="longer than that"),
        pytest.param(-20_000 * DAY, Reason.TIME_TOO_OLD, "20,000 days", id="the clock's year 1970"),
    ],
)
def test_the_device_clock(ahead, reason, says):
    fault = time_fault(START + ahead, START, LIMITS, 3)
    if reason is None:
        assert fault is None
    else:
        assert (fault.reason, fault.index) == (reason, 3)
        assert says in fault.text


@pytest.mark.parametrize(
    ("lat", "lon", "swapped"),
    [
        pytest.param(53.19, -2.89, False, id="Chester"),
        pytest.param(-2.89, 53.19, True, id="Chester with its coordinates exchanged"),
        pytest.param(48.86, 2.35, False, id="Paris: outside the area, and so it is exchanged"),
        pytest.param(2.35, 48.86, False, id="Paris exchanged: not ours to tell"),
        pytest.param(0.0, 0.0, False, id="null island"),
        pytest.param(49.8, -8.7, False, id="the corner of the area"),
        pytest.param(-8.7, 49.8, True, id="the corner exchanged"),
    ],
)
def test_swapped_coordinates(lat, lon, swapped):
    fault = position_fault(lat, lon, LIMITS, 0)
    assert (fault is not None) == swapped
    if fault is not None:
        assert fault.reason is Reason.COORDINATES_SWAPPED
        assert str(lat) not in fault.text


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_a_position_and_its_exchange_are_never_both_refused(lat, lon):
    both = position_fault(lat, lon, LIMITS, 0), position_fault(lon, lat, LIMITS, 0)
    assert None in both


def test_another_service_area_has_other_swaps():
    chile = QualityLimits(area=ServiceArea(west=-76, south=-56, east=-66, north=-17))
    assert position_fault(-70.6, -33.4, chile, 0) is not None
    assert position_fault(-33.4, -70.6, chile, 0) is None
    assert position_fault(-2.89, 53.19, chile, 0) is None


def test_where_both_readings_of_a_pair_lie_in_the_area_nothing_is_told():
    both_ways = QualityLimits(area=ServiceArea(west=0, south=0, east=50, north=50))
    assert position_fault(10, 20, both_ways, 0) is None


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        pytest.param(fix(0, INSIDE), Doubt.NONE, id="an ordinary fix"),
        pytest.param(fix(0, INSIDE, late=10), Doubt.NONE, id="ten minutes late is ordinary"),
        pytest.param(fix(0, INSIDE, late=10.01), Doubt.LATE, id="later than that"),
        pytest.param(fix(0, INSIDE, late=-1), Doubt.NONE, id="a clock one minute ahead"),
        pytest.param(fix(0, INSIDE, late=-1.01), Doubt.CLOCK_AHEAD, id="more than a minute ahead"),
        pytest.param(fix(0, INSIDE, accuracy_m=150), Doubt.NONE, id="150 m"),
        pytest.param(fix(0, INSIDE, accuracy_m=150.1), Doubt.INACCURATE, id="more than 150 m"),
        pytest.param(fix(0, (2.35, 48.86)), Doubt.OUTSIDE_SERVICE_AREA, id="in Paris"),
        pytest.param(
            fix(0, (2.35, 48.86), accuracy_m=999, late=60),
            Doubt.LATE | Doubt.INACCURATE | Doubt.OUTSIDE_SERVICE_AREA,
            id="in Paris, by a mast, told an hour later",
        ),
        pytest.param(sample(0, 0.1, late=60), Doubt.LATE, id="a late sample"),
        pytest.param(event(0, late=-5), Doubt.CLOCK_AHEAD, id="an event from the future"),
        pytest.param(battery(0, 50), Doubt.NONE, id="a battery has no place to doubt"),
    ],
)
def test_doubts_are_kept_beside_a_reading(reading, expected):
    assert doubts(reading, LIMITS) == expected
