"""No position that can tell: told as a technical finding, of no breach, and of nobody's silence."""

from datetime import timedelta

import msgspec
import pytest
import shapely
from builders import INSIDE, START, TAG, at, battery, condition, event, fitting, hours
from builders import spans as spans_of
from fakes import BatchJudge, Register
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.decide import Action
from alerts.finding import FindingKind, Severity
from alerts.judge import Run, States, judge, pairs
from alerts.rules import position_unknown
from alerts.rules.place_doubt import tells
from alerts.terms import ConditionKind, DeviceKind, Limits
from devices.readings import Fix, FixSource, Stamp
from zones.authorised import Authorised
from zones.ring import Ring
from zones.timetable import Dates
from zones.whereabouts import spot

CURFEW, RESTRICTION = ConditionKind.CURFEW, ConditionKind.RESTRICTION_ZONE
EXCLUSION, CARE = ConditionKind.EXCLUSION_ZONE, ConditionKind.TAG_CARE
UNKNOWN = FindingKind.POSITION_UNKNOWN
EAST_M, NORTH_M = 66_830.0, 111_290.0
WIFI, CELL, GPS = FixSource.WIFI, FixSource.LBS, FixSource.GPS


def about(kind, radius_m=100.0, **terms):
    """A condition about a circle around INSIDE, of a condition's usual severity."""
    circle = shapely.Point(0, 0).buffer(radius_m, quad_segs=32)
    shape = shapely.transform(circle, lambda xy: xy / (EAST_M, NORTH_M) + INSIDE)
    return condition(kind, shape=shape, **terms)


def seen(moment, east_m=0.0, accuracy_m=8.0, source=GPS, *, late=0):
    """A fix so many minutes after noon and metres east of the middle of the circle."""
    stamp = Stamp(TAG, at(moment), None, at(moment + late))
    return Fix(stamp, INSIDE[1], INSIDE[0] + east_m / EAST_M, accuracy_m, source)


def every(minutes, first, last, *what, **more):
    """The same fix again and again, both ends included."""
    return [seen(n, *what, **more) for n in range(first, last + 1, minutes)]


def cells(first, last, east_m=300.0):
    return every(5, first, last, east_m, 3_000.0, CELL)


def wifi(first, last):
    return every(2, first, last, 0.0, 500.0, WIFI)


def found(readings, *terms):
    return judge(fitting(*terms), States(), readings).findings


def spans(readings, *terms):
    return spans_of(found(readings, *terms), UNKNOWN)


# --- What is told -----------------------------------------------------------------------------


def test_an_evening_of_curfew_with_nothing_but_wifi_is_told_and_accuses_nobody():
    evening = about(CURFEW, schedule=hours("fri", "13:00", "21:00"))
    told = found(wifi(30, 180), evening)
    assert [each.kind for each in told.values()] == [UNKNOWN]
    assert spans_of(told, UNKNOWN) == [(60, None)]
    (one,) = told.values()
    assert one.severity is Severity.MEDIUM
    assert (one.rule, one.rule_version, one.clause) == ("place.position", "1", "4(b)")
    # Only from the hours on, and half an hour later.
    assert spans(wifi(30, 90), evening) == []
    assert spans(wifi(30, 92), evening) == [(60, None)]


def test_a_day_of_cells_about_a_zone_to_keep_out_of_is_told_after_an_hour_and_is_urgent():
    zone = about(EXCLUSION)
    assert spans(cells(0, 60), zone) == []
    told = found([seen(0, 900.0), *cells(5, 600)], zone)
    assert [each.kind for each in told.values()] == [UNKNOWN]
    assert spans_of(told, UNKNOWN) == [(0, None)]
    assert [each.severity for each in told.values()] == [Severity.HIGH]


@pytest.mark.parametrize("kind", [CURFEW, RESTRICTION, EXCLUSION])
def test_a_tag_that_sends_its_battery_and_never_a_fix_is_told(kind):
    messages = [battery(n, 80) for n in range(0, 90, 10)]
    assert spans([seen(0), *messages], about(kind)) == [(0, None)]
    assert spans(messages, about(kind)) == [(0, None)]
    assert spans([event(n, "locate_now") for n in range(0, 90, 10)], about(kind)) == [(0, None)]


def test_what_explains_it_stays_as_it_was_when_it_was_told():
    (one,) = found([seen(0, 900.0), battery(7, 50), *cells(10, 300)], about(EXCLUSION)).values()
    # Cells at 10, 15 and so on to 65, the first after an hour.
    assert one.evidence["vague_fixes"] == 12
    assert one.evidence["other_readings"] == 1
    assert one.evidence["best_radius_m"] == 4_500
    assert one.evidence["limit_s"] == 3_600
    assert 400 < one.evidence["worth_radius_m"] < 450
    assert one.seen_at == at(300)
    assert not {"lat", "lon"} & set(one.evidence)


def test_it_is_never_more_urgent_than_the_breach_that_it_may_hide():
    for severity in Severity:
        (one,) = found(cells(0, 65), about(EXCLUSION, severity=severity)).values()
        assert one.severity.rank == max(severity.rank, Severity.HIGH.rank)
        (other,) = found(wifi(0, 40), about(CURFEW, severity=severity)).values()
        assert other.severity.rank == max(severity.rank, Severity.MEDIUM.rank)


# --- What is not told -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "readings"),
    [
        pytest.param(about(CURFEW), [*every(1, 0, 9), *wifi(10, 38), seen(39)],
                     id="half an hour of WiFi in the house"),
        pytest.param(about(CURFEW), every(1, 0, 300), id="a night of good fixes"),
        pytest.param(about(CURFEW), every(5, 0, 300, 0.0, 60.0, WIFI), id="a night of good WiFi"),
        pytest.param(about(CURFEW), every(2, 0, 300, 900.0),
                     id="away by good fixes: a breach, and no doubt"),
        pytest.param(about(EXCLUSION), [*cells(0, 55), seen(60, 500.0), *cells(65, 120)],
                     id="one good fix an hour"),
        pytest.param(about(EXCLUSION), cells(0, 600, 30_000.0), id="a wide cell of another town"),
        pytest.param(about(EXCLUSION), every(5, 0, 600, 10_000.0, 1_000.0, CELL),
                     id="a cell ten kilometres away"),
        pytest.param(about(EXCLUSION, 5_000.0), cells(0, 600),
                     id="a zone so large that a cell can tell"),
        pytest.param(about(EXCLUSION, 1.0), every(5, 0, 300, 3.0),
                     id="a zone too small for the best fix, which is a position all the same"),
        pytest.param(about(CURFEW, schedule=hours("fri", "20:00", "21:00")), wifi(0, 400),
                     id="before the hours"),
        pytest.param(about(CURFEW, curfew_position_s=7_200), wifi(0, 119), id="an order allows it"),
        pytest.param(about(CURFEW, curfew_position_s=60, max_gap_s=1_200.0), wifi(0, 20),
                     id="never less than the largest gap"),
        pytest.param(about(CURFEW), [seen(0), seen(100)], id="nothing is heard: silence speaks"),
    ],
)  # fmt: skip
def test_nobody_is_told(term, readings):
    assert spans(readings, term) == []


# --- When it is over --------------------------------------------------------------------------


def test_one_good_fix_ends_it():
    night = [seen(0), *wifi(2, 80), seen(81), *wifi(82, 100)]
    assert spans(night, about(CURFEW)) == [(0, 81)]


def test_a_fix_of_far_away_ends_it_for_a_zone_to_keep_out_of():
    assert spans([*cells(0, 90), *cells(95, 100, 30_000.0)], about(EXCLUSION)) == [(0, 95)]


def test_it_ends_with_the_hours_and_begins_anew_with_the_next():
    day = about(CURFEW, schedule=[*hours("fri", "12:10", "13:00"), *hours("fri", "14:00", "15:00")])
    assert spans(wifi(0, 240), day) == [(10, 60), (120, 180)]


def test_hours_that_follow_each_other_within_one_leg_are_two():
    day = about(CURFEW, schedule=[*hours("fri", "12:00", "12:40"), *hours("fri", "12:45", "14:00")])
    assert spans([*wifi(0, 38), *wifi(50, 100)], day) == [(0, 40), (45, None)]


def test_a_device_that_falls_silent_is_left_to_the_silence():
    worn = about(CURFEW, condition_id=1), condition(CARE, condition_id=2)
    day = [seen(0), *wifi(2, 40), seen(200, 0.0, 500.0, WIFI)]
    told = found(day, *worn)
    assert spans_of(told, UNKNOWN) == [(0, 40)]
    assert spans_of(told, FindingKind.SILENCE) == [(40, 200)]


def test_after_a_silence_it_is_known_to_be_unknown_from_the_first_reading_on():
    day = [seen(0), battery(100, 50), *wifi(101, 128)]
    assert spans(day, about(CURFEW)) == []
    assert spans([*day, *wifi(129, 140)], about(CURFEW)) == [(100, None)]


def test_a_leg_that_no_silence_is_told_of_does_not_begin_it_anew():
    """A tag that reports each twenty minutes under an order that lets it."""
    slow = every(20, 0, 120, 0.0, 500.0, WIFI)
    assert spans(slow, about(CURFEW)) == [(0, None)]
    hourly = every(60, 0, 300, 0.0, 500.0, WIFI)
    assert spans(hourly, about(CURFEW, silence_s=4_000)) == [(0, None)]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(90, (0, 90), id="with the clause"),
        pytest.param(300, (0, 80), id="long before the clause, where it was last heard"),
    ],
)
def test_it_ends_with_the_clause(until, expected):
    watched = BatchJudge(fitting(about(CURFEW, until_at=at(until))))
    watched.take(wifi(0, 80))
    assert spans_of(watched.tick(at(until + 1)), UNKNOWN) == [expected]


def test_the_clock_alone_finds_nothing():
    """It falls due with a reading: without one the device is silent, which another rule tells."""
    watched = BatchJudge(fitting(about(CURFEW)))
    watched.take(wifi(0, 30))
    assert watched.check_after is None
    assert watched.tick(at(300)) == {}


# --- Late data --------------------------------------------------------------------------------


def test_a_late_good_fix_moves_its_beginning_or_withdraws_it():
    register = Register(fitting(about(CURFEW)))
    register.receive(wifi(0, 50), at(50))
    assert {(key[2], end) for key, end in register.standing()} == {(at(0), None)}
    register.receive([seen(11, late=60)], at(71))
    assert {(key[2], end) for key, end in register.standing()} == {(at(11), None)}
    register.receive([seen(31, late=60)], at(91))
    assert register.standing() == set()
    assert register.decisions[-1].action is Action.WITHDRAW


def test_found_when_it_is_over_it_is_recorded_and_told_to_nobody():
    register = Register(fitting(about(CURFEW)))
    register.receive([*wifi(0, 80), seen(81)], at(600))
    assert [each.action for each in register.decisions] == [Action.RECORD]


# --- Parts of a zone --------------------------------------------------------------------------


def test_rings_and_what_is_excused_are_not_asked_for():
    plain = about(EXCLUSION)
    ringed = msgspec.structs.replace(plain.zone, rings=(Ring(300.0, "low"),))
    allowed = Authorised("E-1", Dates(at(0), at(300)))
    term = msgspec.structs.replace(plain, zone=ringed, permissions=(allowed,))
    asked = [piece.part_name for piece, rule in pairs(fitting(term))
             if rule is position_unknown.RULE]  # fmt: skip
    assert asked == [""]
    # While it is allowed nobody asks; afterwards it counts from the end of the permission.
    assert spans(cells(0, 340), term) == []
    assert spans(cells(0, 400), term) == [(300, None)]


def test_a_monitor_of_alcohol_is_not_asked_where_it_is():
    worn = fitting(about(CURFEW), device_kind=DeviceKind.ALCOHOL_MONITOR)
    assert judge(worn, States(), [battery(n, 80) for n in range(0, 90, 10)]).findings == {}


@pytest.mark.parametrize(
    "limits",
    [{"curfew_position_s": 0}, {"exclusion_position_s": -1}, {"restriction_position_s": 100_000}],
)
def test_limits_without_a_meaning_are_refused(limits):
    with pytest.raises(ValueError, match="may be unknown for 1 to 86400 seconds"):
        Limits(**limits)


# --- Passing by in calm -----------------------------------------------------------------------


def stepped(readings, *terms):
    """How many fixes a fitting must be stepped through, and where it stands then."""
    run, steps = Run(fitting(*terms), States()), 0
    for reading in readings:
        calm = run.calm() if run.through is not None else None
        if isinstance(reading, Fix) and calm is not None and calm.covers(reading, run.through):
            run.rest(reading)
        else:
            run.take(reading)
            steps += 1
    return steps, run


@pytest.mark.parametrize(
    ("term", "readings"),
    [
        pytest.param(about(CURFEW), every(1, 0, 600), id="at home, good fixes"),
        pytest.param(about(EXCLUSION), every(1, 0, 600, 400.0, 30.0), id="next street, good fixes"),
        pytest.param(about(EXCLUSION, 20.0), every(1, 0, 600, 5_000.0, 60.0, WIFI),
                     id="a doorway to keep out of, WiFi five kilometres away"),
        pytest.param(about(EXCLUSION), every(1, 0, 600, 10_000.0, 1_000.0, CELL),
                     id="cells of the next town"),
        pytest.param(about(EXCLUSION, 20.0), every(1, 0, 600, 700.0, 100.0),
                     id="a doorway to keep out of, poor fixes some streets away"),
        pytest.param(about(EXCLUSION),
                     [*every(2, 0, 60, 5_000.0), *every(5, 65, 600, 5_000.0, 700.0, CELL)],
                     id="good fixes and then cells, five kilometres away"),
        pytest.param(about(CURFEW, schedule=hours("fri", "11:00", "12:10")), wifi(20, 600),
                     id="WiFi outside the hours"),
    ],
)  # fmt: skip
def test_a_device_at_rest_stays_covered(term, readings):
    steps, _ = stepped(readings, term)
    # The first fix, which nothing is known before, and the one that lays the calm.
    assert steps <= 4


@pytest.mark.parametrize("radius_m", [1.0, 20.0, 100.0, 400.0])
@pytest.mark.parametrize("kind", [EXCLUSION, CURFEW, RESTRICTION])
def test_a_good_fix_is_covered_wherever_it_lies(kind, radius_m):
    term, rule = about(kind, radius_m), position_unknown.RULE
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    for n, east_m in enumerate([0.0, 50.0, 300.0, 300.0, -400.0, 0.0], start=1):
        state, _ = rule.step(state, seen(n, east_m, 8.0), term)
        calm = rule.calm(state, term)
        assert calm.covers(seen(n + 1, east_m, 12.0), at(n))


def test_far_from_a_zone_a_good_fix_lays_the_calm_for_cells():
    term, rule = about(EXCLUSION), position_unknown.RULE
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    state, _ = rule.step(state, seen(1, 5_000.0), term)
    calm = rule.calm(state, term)
    assert calm.covers(seen(2, 5_000.0, 550.0, CELL), at(1))
    assert not calm.covers(seen(2, 300.0, 550.0, CELL), at(1))
    # Nearby it is what the zone is worth that counts.
    state, _ = rule.step(state, seen(2, 300.0), term)
    assert rule.calm(state, term).covers(seen(3, 0.0, 200.0), at(2))


def test_another_version_of_the_zone_is_looked_at_before_anything_is_passed_by():
    term, rule = about(EXCLUSION), position_unknown.RULE
    state, _ = rule.step(rule.initial(term, DeviceKind.LOCATION_TAG, START), seen(1, 5_000.0), term)
    moved = msgspec.structs.replace(term, zone=msgspec.structs.replace(term.zone, version=2))
    assert rule.calm(state, term) is not None
    assert rule.calm(state, moved) is None


def test_while_it_is_told_nothing_is_passed_by():
    _, run = stepped([seen(0), *wifi(2, 60)], about(CURFEW))
    assert run.calm() is None


DRAWN = st.tuples(
    st.sampled_from([0.5, 1, 1, 2, 4, 9, 16, 31, 65]),
    st.sampled_from([0.0, 60.0, 150.0, 400.0, 1_200.0, 5_000.0, 15_000.0]),
    st.sampled_from([0.0, 5.0, 12.0, 60.0, 140.0, 150.0, 350.0, 900.0, 3_000.0, 100_000.0]),
    st.sampled_from([GPS, GPS, GPS, WIFI, CELL, FixSource.RF]),
    st.sampled_from([False, False, False, True]),
)
TWICE = [*hours("fri", "12:30", "14:00"), *hours("fri", "14:10", "18:00")]
SCHEDULES = st.sampled_from([None, None, hours("fri", "12:20", "13:00"), TWICE])


@st.composite
def days(draw):
    """Fixes of every quality near and far, staying for a while or not, with messages between."""
    when, readings = 0.0, []
    for gap, east_m, accuracy_m, source, only_battery in draw(
        st.lists(DRAWN, min_size=1, max_size=14)
    ):
        for _ in range(draw(st.sampled_from([1, 1, 3, 12]))):
            when += gap
            one = seen(when, east_m, accuracy_m, source)
            readings.append(battery(when, 60) if only_battery else one)
    return readings


@st.composite
def conditions(draw):
    radius_m = draw(st.sampled_from([5.0, 20.0, 100.0, 800.0]))
    kinds = draw(
        st.lists(st.sampled_from([EXCLUSION, CURFEW, RESTRICTION]), min_size=1, max_size=3)
    )
    return [
        about(kind, radius_m, condition_id=n, schedule=draw(SCHEDULES))
        for n, kind in enumerate(kinds)
    ]


@settings(max_examples=300, deadline=None)
@given(
    readings=days(),
    kind=st.sampled_from([EXCLUSION, EXCLUSION, CURFEW]),
    radius_m=st.sampled_from([5.0, 20.0, 100.0, 800.0]),
    schedule=SCHEDULES,
    data=st.data(),
)
def test_whatever_the_calm_covers_in_the_hours_can_tell(readings, kind, radius_m, schedule, data):
    """At the edge of its box and with the largest radius, too."""
    term, rule = about(kind, radius_m, schedule=schedule), position_unknown.RULE
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in readings:
        state, _ = rule.step(state, each, term)
    calm, last = rule.calm(state, term), readings[-1].stamp.measured_at
    if calm is None:
        return
    lon = data.draw(st.sampled_from([max(calm.west, -3.4), min(calm.east, -2.4), INSIDE[0]]))
    lat = data.draw(st.sampled_from([max(calm.south, 52.9), min(calm.north, 53.5), INSIDE[1]]))
    moment = last + timedelta(minutes=1)
    one = Fix(
        Stamp(TAG, moment, None, moment),
        lat,
        lon,
        data.draw(st.sampled_from([calm.min_accuracy_m, 5.0, calm.max_accuracy_m / 2])
                  | st.just(min(calm.max_accuracy_m, 1e6))),
        data.draw(st.sampled_from(sorted(calm.sources))),
    )  # fmt: skip
    if calm.covers(one, last) and term.zone.hours.around(moment)[0]:
        here = spot(one)
        assert here.radius_m <= position_unknown.GOOD_M or tells(here, term)


@settings(max_examples=200, deadline=None)
@given(readings=days(), terms=conditions())
def test_stepping_each_fix_and_passing_by_in_calm_come_to_the_same(readings, terms):
    whole = Run(fitting(*terms), States())
    for reading in readings:
        whole.take(reading)
    _, run = stepped(readings, *terms)
    assert run.outcome() == whole.outcome()


@settings(max_examples=200, deadline=None)
@given(readings=days(), terms=conditions(), data=st.data())
def test_any_order_repeats_and_late_batches_give_the_same_episodes(readings, terms, data):
    readings = list({each.stamp.measured_at: each for each in readings}.values())
    whole = found(readings, *terms)
    arrival = data.draw(st.permutations(readings))
    register = Register(fitting(*terms))
    for first in range(0, len(arrival), 5):
        batch = [*arrival[first : first + 5], arrival[0]]
        register.receive(batch, at(100_000))
    assert register.standing() == {(key, each.ended_at) for key, each in whole.items()}


@settings(max_examples=200, deadline=None)
@given(readings=days(), terms=conditions())
def test_it_goes_on_from_a_fix_that_tells_to_the_next_and_is_longer_than_its_limit(readings, terms):
    """Held against the definition: no fix tells within an episode, and one does at its end."""
    for each in found(readings, *terms).values():
        if each.kind is not UNKNOWN:
            continue
        term = next(one for one in terms if one.condition_id == each.condition_id)
        counts = term.zone.hours.around(each.started_at)[0]
        assert counts
        last = each.seen_at if each.ended_at is None else each.ended_at
        assert last - each.started_at > position_unknown.limit(term)
        within = [one for one in readings if isinstance(one, Fix)
                  and each.started_at < one.stamp.measured_at < last]  # fmt: skip
        assert not any(tells(spot(one), term) for one in within)
        assert all(spot(one).radius_m > position_unknown.GOOD_M for one in within)


def test_what_is_found_does_not_depend_on_the_other_zones_of_a_wearer():
    terms = [about(CURFEW, condition_id=1), about(EXCLUSION, 60.0, condition_id=2)]
    day = [seen(0), *wifi(2, 90)]
    both = found(day, *terms)
    alone = found(day, terms[0]) | found(day, terms[1])
    assert both == alone
    assert spans_of(both, UNKNOWN) == [(0, None), (0, None)]
