"""The Ministry's supplier feed; whole records are in tests/data/mdss-*."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from builders import condition, fitting
from hypothesis import given
from hypothesis import strategies as st

from alerts.finding import FindingKind
from alerts.judge import States, judge
from alerts.terms import ConditionKind
from devices import mdss_codes
from devices.codec import decode
from devices.mdss import MOST_RECORDS
from devices.quality import QualityLimits
from devices.readings import BatteryLevel, DeviceEvent, EventState, Fix
from devices.rejection import Reason

NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
TOPIC = "mdss/v1/gw-mdss/1904417"
POSITION = {
    "device_id": 1904417, "position_gps_date": "2026-11-21 22:39:00.000",
    "position_latitude": 53.2, "position_longitude": -2.9, "position_precision": 12,
}  # fmt: skip


def read(payload, topic=TOPIC):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decode(topic, raw, NOW, QualityLimits())


def event(code, minute=0, **fields):
    at = NOW - timedelta(hours=1) + timedelta(minutes=minute)
    return {"event_start_date_utc": f"{at:%Y-%m-%d %H:%M:%S}", "event_type_code": code, **fields}


VIOLATIONS = {
    "tamper": ("EV_PID_STRAP_TAMPER_START", "EV_PID_STRAP_TAMPER_END"),
    "curfew": ("EV_CURFEWED_PID_ABSENT", "EV_CURFEWED_PID_ARRIVED"),
    "exclusion zone": (
        "EV_ZONE_EXCLUSION_TU_ARRIVED_DURING_TIME",
        "EV_ZONE_EXCLUSION_TU_DEPARTED_DURING_TIME",
    ),
    "home unit's mains": ("EV_MU_MAINS_START", "EV_MU_MAINS_END"),
}


@pytest.mark.parametrize("codes", VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_pair_of_events_is_a_start_and_an_end(codes):
    events = read({"events": [event(code, n) for n, code in enumerate(codes)]}).readings
    assert [each.state for each in events] == [EventState.START, EventState.END]


def test_no_code_is_both_a_start_and_an_end():
    assert not set(mdss_codes._STARTS) & set(mdss_codes._ENDS)


def judged(*events):
    """What our rules find under every condition there is."""
    conditions = [
        condition(kind, condition_id=number)
        for number, kind in enumerate(ConditionKind)
    ]  # fmt: skip
    worn = fitting(*conditions, fitted_at=NOW - timedelta(hours=1))
    readings = read({"events": list(events)}).readings
    return {each.kind for each in judge(worn, States(), readings).findings.values()}


def test_a_strap_event_of_the_feed_is_a_tamper_under_our_own_rule():
    assert judged(event("EV_PID_STRAP_TAMPER_START")) == {FindingKind.STRAP_TAMPER}


@pytest.mark.parametrize(
    "code", sorted(set(mdss_codes.MEANINGS) - {
        "EV_PID_STRAP_TAMPER_START", "EV_PID_STRAP_TAMPER_END",
        "EV_BATTERY_LEV_5PERCENT", "EV_REPORT_TRACKER_BATTERY_PERCENTAGE",
    })
)  # fmt: skip
def test_what_the_supplier_concluded_is_no_finding_of_ours(code):
    assert judged(event(code)) == set()


def test_five_percent_is_a_battery_that_is_nearly_empty():
    found = judged(event("EV_BATTERY_LEV_5PERCENT"))
    assert found == {FindingKind.BATTERY_LOW, FindingKind.BATTERY_CRITICAL}


def test_an_end_that_is_told_twice_is_one_reading_of_the_same_content():
    ends = f"{NOW - timedelta(minutes=30):%Y-%m-%d %H:%M:%S}"
    start_ = event("EV_PID_STRAP_TAMPER_START", event_status="F", event_end_date_utc=ends)
    readings = read({"events": [start_, event("EV_PID_STRAP_TAMPER_END", 30)]}).readings
    assert [each.state.value for each in readings] == ["start", "end", "end"]
    assert len({(each.stamp.measured_at, each.code, each.state) for each in readings}) == 2


@given(st.text(max_size=80).map(lambda tail: "EV_" + tail))
def test_a_code_nobody_has_heard_of_is_kept_as_an_event(code):
    decoded = read(json.dumps(event(code)).encode())
    if decoded.rejected:  # half a character, which no encoding can write
        assert decoded.rejected[0].reason is Reason.MALFORMED
        return
    (kept,) = decoded.readings
    assert isinstance(kept, DeviceEvent)
    assert kept.code.startswith("EV_")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"position_latitude": None}, Reason.INVALID, id="no latitude"),
        pytest.param({"position_latitude": 95}, Reason.OUT_OF_RANGE, id="beyond the pole"),
        pytest.param({"position_precision": float("nan")}, Reason.NOT_FINITE, id="NaN"),
        pytest.param({"position_gps_date": "21/11/2026 22:39"}, Reason.INVALID, id="another date"),
        pytest.param({"position_gps_date": "2026-11-21"}, Reason.INVALID, id="a day alone"),
        pytest.param({"position_gps_date": "2026-13-21 22:39:00"}, Reason.INVALID, id="month 13"),
        pytest.param({"position_gps_date": "2029-11-21 22:39:00"}, Reason.TIME_IN_FUTURE,
                     id="three years ahead"),
        pytest.param({"position_gps_date": "0001-01-01T00:00:00+05:00"}, Reason.INVALID,
                     id="before the year 1 in UTC"),
        pytest.param({"device_id": 7}, Reason.WRONG_TOPIC, id="another device"),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_with_its_place_and_costs_nobody_else(change, reason):
    decoded = read({"positions": [{**POSITION, **change}, POSITION]})
    assert [(each.reason, each.index) for each in decoded.rejected] == [(reason, 0)]
    (kept,) = decoded.readings
    assert isinstance(kept, Fix)
    assert "53.2" not in decoded.rejected[0].text


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"EV_PARTIAL_CALLBACK", Reason.MALFORMED, id="no JSON"),
        pytest.param([POSITION], Reason.MALFORMED, id="a bare list"),
        pytest.param({}, Reason.INVALID, id="nothing in it"),
        pytest.param({"positions": {"0": POSITION}}, Reason.INVALID, id="no list"),
        pytest.param({"positions": [POSITION] * (MOST_RECORDS + 1)}, Reason.INVALID,
                     id="more records than a message may hold"),
    ],
)  # fmt: skip
def test_a_message_of_which_nothing_can_be_kept_is_refused(payload, reason):
    decoded = read(payload)
    assert [(each.reason, each.index) for each in decoded.rejected] == [(reason, None)]
    assert decoded.readings == []


def test_a_charge_is_a_battery_level_and_the_event_stays():
    decoded = read(event("EV_REPORT_TRACKER_BATTERY_PERCENTAGE", event_status_flags=41))
    kinds = [type(each) for each in decoded.readings]
    assert kinds == [DeviceEvent, BatteryLevel]
    assert decoded.readings[1].percent == 41


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*POSITION, "event_type_code", "event_start_date_utc", "x"]), inner
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_nothing_that_can_be_sent_raises_and_every_record_is_kept_or_refused(positions, events):
    decoded = read({"positions": positions, "events": events})
    seen = {each.index for each in decoded.rejected} - {None}
    assert decoded.rejected
    assert seen == set(range(len(positions) + len(events))) or decoded.rejected[0].index is None
