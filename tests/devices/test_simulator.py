"""The simulated devices: honest days stay honest, and any cut of time gives the same readings."""

import json
import math
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import contains_xy
from shapely.geometry import Polygon

from devices.codec import decode
from devices.quality import QualityLimits
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Fix
from devices.simulated_alcohol import Drinking, MonitorSpec, tac_g_dl
from devices.simulated_day import LONDON, Excursion, LocalFrame, Routine, Whereabouts
from devices.simulated_draws import Span
from devices.simulator import (
    Burst,
    ChargePoint,
    Simulator,
    StrayFix,
    TagSpec,
    message,
    ordinary_charge,
)

HOME = (-2.89, 53.19)
FRAME = LocalFrame(HOME)
START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def square(east_m, north_m, half_m):
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return Polygon(
        [FRAME.to_degrees((east_m + x * half_m, north_m + y * half_m)) for x, y in corners]
    )


ZONE = square(1400, 300, 700)
NEAR = square(-500, -900, 300)


def routine(**changes):
    return Routine(**{"device": "TAG-1", "seed": 3, "home": HOME, "avoid": (ZONE, NEAR), **changes})


def tag(**changes):
    return TagSpec(routine=routine(), phase_s=17, **changes)


def at(text):
    return datetime.fromisoformat(text)


def of_kind(readings, kind):
    return [reading for reading in readings if reading["kind"] == kind]


def one(spec, from_at=START, to_at=START + DAY, dense_from=None):
    simulator = Simulator([spec], dense_from=dense_from)
    return simulator.readings_between("TAG-1", from_at, to_at)


def metres_from_home(fix):
    return math.hypot(*FRAME.to_m((fix["lon"], fix["lat"])))


EVERYTHING = tag(
    silences=(Span(START + timedelta(hours=2), START + timedelta(hours=2, minutes=25)),),
    bursts=(Burst(Span(START + timedelta(minutes=3), START + timedelta(minutes=9)), 12),),
    tampers=(Span(START + timedelta(minutes=90, seconds=7), START + timedelta(minutes=97)),),
    strays=(StrayFix(START + timedelta(minutes=50, seconds=1), (-2.87, 53.193), 900.0),),
    charge=(
        (
            ChargePoint(START + timedelta(hours=3), 40.0, charging=False),
            ChargePoint(START + timedelta(hours=4), 4.0, charging=True),
            ChargePoint(START + timedelta(hours=5), 90.0, charging=False),
        ),
    ),
)
MONITOR = MonitorSpec("ALC-1", 3, (Drinking(START, 80.0, 2.0),))
FLEET = Simulator([EVERYTHING], [MONITOR], dense_from=START + timedelta(hours=1))


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(
        st.integers(0, 7 * 3600 * 1000).map(lambda ms: START + timedelta(milliseconds=ms)),
        max_size=8,
    ),
    device=st.sampled_from(["TAG-1", "ALC-1"]),
)
def test_a_span_cut_anywhere_gives_the_same_readings(cuts, device):
    edges = [START, *sorted(cuts), START + timedelta(hours=7)]
    whole = FLEET.readings_between(device, edges[0], edges[-1])
    pieces = [FLEET.readings_between(device, begins, ends) for begins, ends in pairwise(edges)]
    assert [reading for piece in pieces for reading in piece] == whole


def test_asking_out_of_order_or_again_gives_the_same_readings():
    hours = [START + timedelta(hours=each) for each in range(200)]
    forwards = [one(tag(), hour, hour + timedelta(hours=1)) for hour in hours[:30]]
    simulator = Simulator([tag()])
    backwards = [
        simulator.readings_between("TAG-1", hour, hour + timedelta(hours=1))
        for hour in reversed(hours)
    ]
    assert backwards[::-1][:30] == forwards


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"seed": 4}, id="another seed"),
        pytest.param({"device": "TAG-2"}, id="another device"),
    ],
)
def test_another_wearer_lives_another_day(changes):
    other = routine(**changes)
    simulator = Simulator([TagSpec(routine=other, phase_s=17)])
    assert simulator.readings_between(other.device, START, START + DAY) != one(tag())


@pytest.mark.parametrize("seed", range(6))
def test_an_ordinary_week_never_enters_an_avoided_area_and_does_go_out(seed):
    life = routine(seed=seed)
    readings = Simulator([TagSpec(routine=life)]).readings_between("TAG-1", START, START + 7 * DAY)
    fixes = of_kind(readings, "fix")
    lons, lats = [each["lon"] for each in fixes], [each["lat"] for each in fixes]
    assert not contains_xy(ZONE, lons, lats).any()
    assert not contains_xy(NEAR, lons, lats).any()
    assert max(map(metres_from_home, fixes)) > 250


def test_outside_the_hours_of_going_out_the_wearer_is_home():
    fixes = of_kind(one(tag(), START, START + 7 * DAY), "fix")
    local = [(at(fix["at"]).astimezone(LONDON).time(), fix) for fix in fixes]
    night = [fix for clock, fix in local if clock >= time(18) or clock < time(8)]
    assert len(night) > 500
    assert max(map(metres_from_home, night)) < 40


def test_a_wearer_confined_to_home_or_to_an_area_stays_there():
    confined = Whereabouts(routine(stays_home=True))
    area = square(0, 0, 1000)
    within = Whereabouts(routine(avoid=(), keep_within=area))
    hours = [START + timedelta(minutes=11 * each) for each in range(900)]
    assert {confined.position(hour) for hour in hours} == {HOME}
    places = [FRAME.to_m(within.position(hour)) for hour in hours]
    assert max(max(abs(x), abs(y)) for x, y in places) <= 850.1
    assert len({(round(x), round(y)) for x, y in places}) > 10


def test_speeds_are_those_of_walking_and_driving():
    life = Whereabouts(routine())
    speeds = [life.motion(START + timedelta(seconds=37 * each))[0] for each in range(9000)]
    assert max(speeds) < 60
    assert sum(speed > 1 for speed in speeds) > 50


def test_the_error_of_a_fix_is_what_its_accuracy_says():
    simulator = Simulator([tag()], dense_from=START)
    fixes = of_kind(simulator.readings_between("TAG-1", START, START + 5 * DAY), "fix")
    assert {fix["accuracy_m"] for fix in fixes} <= {each / 10 for each in range(40, 151)}
    inside = 0
    for fix in fixes:
        truth = FRAME.to_m(simulator.position("TAG-1", at(fix["at"])))
        error_m = math.dist(truth, FRAME.to_m((fix["lon"], fix["lat"])))
        inside += error_m <= fix["accuracy_m"]
    assert 0.93 <= inside / len(fixes) <= 1.0


@pytest.mark.parametrize(
    ("dense_from", "step_s"),
    [
        pytest.param(START, 60, id="live, each minute"),
        pytest.param(START + DAY, 300, id="history, each five minutes"),
    ],
)
def test_fixes_come_at_the_second_of_the_minute_that_is_the_tags_own(dense_from, step_s):
    fixes = of_kind(one(tag(), START, START + timedelta(hours=3), dense_from), "fix")
    times = [at(fix["at"]) for fix in fixes]
    assert {moment.second for moment in times} == {17}
    assert {(b - a).total_seconds() for a, b in pairwise(times)} == {step_s}


def test_an_excursion_replaces_the_day_and_ends_in_it():
    middle = FRAME.to_degrees((1400, 300))
    stops = ((0, *HOME), (10, *middle), (20, *middle), (30, *HOME))
    points = tuple((START + timedelta(minutes=m), lon, lat) for m, lon, lat in stops)
    life = Whereabouts(routine(stays_home=True, excursions=(Excursion(points),)))
    assert life.position(START + timedelta(minutes=15)) == pytest.approx(middle)
    half = FRAME.to_m(life.position(START + timedelta(minutes=5)))
    assert half == pytest.approx((700, 150), abs=0.1)
    assert life.position(START + timedelta(minutes=31)) == HOME


def test_a_silent_tag_says_nothing_at_all():
    gap = EVERYTHING.silences[0]
    assert FLEET.readings_between("TAG-1", gap.from_at, gap.until_at) == []


def test_what_goes_wrong_is_reported_as_scripted():
    readings = FLEET.readings_between("TAG-1", START, START + timedelta(hours=6))
    events = of_kind(readings, "event")
    assert [(each["code"], each["state"]) for each in events] == [
        ("strap_tamper", "start"),
        ("strap_tamper", "end"),
    ]
    assert at(events[0]["at"]) == EVERYTHING.tampers[0].from_at
    (stray,) = [each for each in readings if each.get("source") == "lbs"]
    assert stray["accuracy_m"] == 900.0
    burst = EVERYTHING.bursts[0].span
    often = of_kind(FLEET.readings_between("TAG-1", burst.from_at, burst.until_at), "fix")
    assert len(often) >= 30
    levels = {at(each["at"]): each for each in of_kind(readings, "battery")}
    falling = [each["percent"] for when, each in levels.items() if when.hour == 17]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 5
    assert any(each["charging"] for when, each in levels.items() if when.hour == 18)


def test_the_daily_charge_neither_runs_out_nor_jumps():
    levels = [
        ordinary_charge(3, "TAG-1", START + timedelta(minutes=each))[0]
        for each in range(4 * 24 * 60)
    ]
    assert min(levels) > 30
    assert max(levels) <= 100
    assert max(abs(b - a) for a, b in pairwise(levels)) < 1


def test_a_sober_monitor_stays_below_the_smallest_reading_that_counts():
    simulator = Simulator([], [MonitorSpec("ALC-1", 3)])
    samples = simulator.readings_between("ALC-1", START, START + 30 * DAY)
    assert len(samples) == 30 * 48
    assert max(each["tac_g_dl"] for each in samples) < 0.005
    assert min(each["tac_g_dl"] for each in samples) == 0.0
    assert all(30 <= each["skin_temp_c"] <= 36 for each in samples)


def test_drinking_rises_and_falls_as_a_body_does():
    curve = [tac_g_dl(MONITOR.drinking[0], START + timedelta(minutes=30 * n)) for n in range(36)]
    peak = max(curve)
    hours_to_peak = curve.index(peak) / 2
    assert curve[0] == 0.0
    assert 0.06 < peak < 0.11
    assert 3.5 <= hours_to_peak <= 6
    rises = [b - a for a, b in pairwise(curve)]
    assert max(rises) / 0.5 < 0.05
    assert -min(rises) / 0.5 < 0.025
    assert tac_g_dl(MONITOR.drinking[0], START - timedelta(minutes=1)) == 0.0


@pytest.mark.parametrize("device", ["TAG-1", "ALC-1"])
def test_messages_are_read_by_the_codec_without_a_fault(device):
    readings = FLEET.readings_between(device, START, START + timedelta(hours=6))
    payload = message(device, 7, START + timedelta(hours=6), readings)
    decoded = decode(
        f"telemetry/v1/gw-1/{device}", payload, START + timedelta(hours=6), QualityLimits()
    )
    assert decoded.rejected == []
    assert len(decoded.readings) == len(readings)
    kinds = {type(reading) for reading in decoded.readings}
    assert kinds == ({AlcoholSample} if device == "ALC-1" else {Fix, BatteryLevel, DeviceEvent})
    assert json.loads(payload)["sent_at"] == "2026-11-21T20:00:00Z"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        pytest.param(
            lambda: FLEET.readings_between("TAG-9", START, START), "no device 'TAG-9'", id="unknown"
        ),
        pytest.param(
            lambda: FLEET.readings_between("TAG-1", START.replace(tzinfo=None), START),
            "offset",
            id="naive time",
        ),
        pytest.param(
            lambda: FLEET.position("ALC-1", START), "has no position", id="monitor has no place"
        ),
        pytest.param(lambda: Simulator([tag(), tag()]), "two devices", id="same name twice"),
        pytest.param(lambda: message("TAG-1", 1, START, []), "at least one", id="empty message"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong(call, says):
    with pytest.raises((KeyError, ValueError, TypeError), match=says):
        call()
