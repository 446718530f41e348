"""Why a place was judged as it was: the same rule, fix by fix, with doubts, edge and coverage."""

from datetime import timedelta

import msgspec
import pytest
from builders import INSIDE, OUTSIDE, START, at, condition, fix, fixes, hours
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.explanation import explain, piece_of
from alerts.finding import FindingKind
from alerts.rules import place_probability
from alerts.rules.place_costs import threshold
from alerts.terms import ConditionKind, DeviceKind
from devices.quality import Doubt
from zones.authorised import Authorised
from zones.geojson import shape_from_geojson
from zones.interval import Interval
from zones.timetable import Dates

EXCLUSION, CURFEW = ConditionKind.EXCLUSION_ZONE, ConditionKind.CURFEW
WALK_IN = [*fixes(0, 6), fix(10, INSIDE), *fixes(11, 20, INSIDE)]


def explained(readings, term=None, span=None, doubts=Doubt.NONE):
    term = condition(EXCLUSION) if term is None else term
    span = Interval(at(0), at(20)) if span is None else span
    return explain(term, [(each, doubts) for each in readings], span)


def test_a_wearer_who_walks_in_is_explained_fix_by_fix():
    why = explained(WALK_IN)
    assert [each.at for each in why.fixes] == [each.stamp.measured_at for each in WALK_IN]
    first, last = why.fixes[0], why.fixes[-1]
    assert first.probability < 0.001
    assert first.edge_m > 0
    assert last.probability > 0.999
    assert last.edge_m < 0
    assert last.radius_m >= last.fix.accuracy_m
    assert why.forbids_inside
    assert (why.rule, why.rule_version) == ("place.probability", place_probability.RULE.version)
    assert why.threshold == threshold(condition(EXCLUSION))
    assert why.clause == condition(EXCLUSION).clause


def test_the_explanation_is_the_judgement_and_no_second_opinion():
    term, rule = condition(CURFEW), place_probability.RULE
    readings = [*fixes(0, 6, INSIDE), fix(10, OUTSIDE), *fixes(11, 20)]
    state, stated = rule.initial(term, DeviceKind.LOCATION_TAG, START), []
    for each in readings:
        state, _ = rule.step(state, each, term)
        stated.append(place_probability.probability(state, term))
    assert [each.probability for each in explained(readings, term).fixes] == stated


def test_outside_the_hours_nothing_is_said_of_a_breach():
    # START is a Friday at noon: the zone counts from 12:10 on.
    term = condition(EXCLUSION, schedule=hours("fri", "12:10", "13:00"))
    told = [each.probability is not None for each in explained(fixes(0, 20, INSIDE), term).fixes]
    assert told == [each.stamp.measured_at >= at(10) for each in fixes(0, 20, INSIDE)]


def test_of_a_fix_too_vague_for_the_zone_no_chance_is_stated():
    readings = [fix(0, INSIDE, accuracy_m=3_000.0), *fixes(1, 5, INSIDE)]
    found = explained(readings, condition(CURFEW)).fixes
    assert [each.unheard for each in found] == [True, *[False] * 5]
    assert found[0].probability is None
    assert all(each.probability < 0.01 for each in found[1:])


def test_a_leap_that_nobody_can_make_is_a_doubt_about_the_fix():
    far = (OUTSIDE[0] + 1.0, OUTSIDE[1])
    leap = explained([fix(0), fix(1, far), fix(2)])
    assert [each.implausible for each in leap.fixes] == [False, True, True]


def test_doubts_of_intake_are_carried_along():
    why = explained([fix(1)], doubts=Doubt.LATE | Doubt.INACCURATE)
    assert why.fixes[0].doubts == Doubt.LATE | Doubt.INACCURATE


@pytest.mark.parametrize(
    ("minutes", "span", "covered", "longest"),
    [
        pytest.param(range(21), (0, 20), 20, 60, id="a fix a minute covers it all"),
        pytest.param((0, 5, 20), (0, 20), 5, 900, id="a leg of 15 minutes is unknown"),
        pytest.param((5, 10), (0, 20), 5, 600, id="before the first and after the last fix"),
        pytest.param((), (0, 20), 0, 1200, id="no fix at all"),
        pytest.param((-5, 1, 22), (0, 20), 1, 1260, id="legs that begin before and end after"),
    ],
)
def test_coverage(minutes, span, covered, longest):
    why = explained([fix(each) for each in minutes], span=Interval(at(span[0]), at(span[1])))
    assert why.covered == timedelta(minutes=covered)
    assert why.longest_gap_s == longest
    assert why.coverage == covered / 20


def test_a_condition_about_no_place_has_no_such_explanation():
    with pytest.raises(ValueError, match="about no place"):
        explained([fix(1)], condition(ConditionKind.TAG_CARE))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 30), st.integers(1, 20))
def test_covered_and_gaps_make_up_the_span_in_any_order(minutes, begins, length):
    span = Interval(at(begins), at(begins + length))
    readings = [fix(each) for each in minutes]
    why = explained(readings, span=span)
    gaps = sum((each.length for each in why.gaps), timedelta())
    assert gaps + why.covered == span.length
    assert 0 <= why.coverage <= 1
    assert explained(readings[::-1], span=span) == why


def corridor_term():
    """The square is forbidden; for the day a way of 100 m to each side leads through its middle."""
    permission = Authorised(
        "7",
        Dates(START - timedelta(days=1), START + timedelta(days=1)),
        shape_from_geojson(
            {"type": "LineString", "coordinates": [[-2.92, 53.19], [-2.86, 53.19]]}, buffer_m=100.0
        ),
    )
    return msgspec.structs.replace(condition(EXCLUSION), permissions=(permission,))


def test_who_leaves_the_way_that_is_allowed_is_explained_from_there_on():
    term, rule = corridor_term(), place_probability.RULE
    beside = (INSIDE[0], INSIDE[1] + 0.003)
    readings = [*fixes(0, 5), *fixes(10, 20, INSIDE), *fixes(25, 35, beside)]
    found = {}
    for piece in term.pieces():
        state = rule.initial(piece, DeviceKind.LOCATION_TAG, START)
        for each in readings:
            state, findings = rule.step(state, each, piece)
            found |= {one.key: one for one in findings if one.kind is FindingKind.EXCLUSION_BREACH}
    (breach,) = found.values()
    assert breach.started_at > at(20)
    piece = piece_of(term, breach.evidence["authorised"])
    why = explained(readings, piece, Interval(at(0), at(35)))
    on_the_way = [each for each in why.fixes if at(10) <= each.at <= at(20)]
    assert all(each.probability < why.threshold for each in on_the_way)
    assert all(each.edge_m > 0 for each in on_the_way)
    assert why.fixes[-1].probability > 0.99
    assert {each["probability"] for each in breach.evidence["fixes"]} <= {
        round(each.probability, 4) for each in why.fixes
    }


def test_what_was_allowed_without_a_way_is_no_breach_in_the_explanation():
    allowed = Authorised("8", Dates(at(0), at(10)))
    term = msgspec.structs.replace(condition(EXCLUSION), permissions=(allowed,))
    why = explained(fixes(0, 20, INSIDE), piece_of(term, None))
    assert [each.probability is None for each in why.fixes] == [n < 10 for n in range(21)]


def test_the_explanation_goes_on_from_where_the_rule_stood():
    # An hour of leaps, of which the rule has learnt what this receiver is like.
    rough = [
        fix(n, (INSIDE[0] + (0.0075 if n % 9 == 4 else 0.0), INSIDE[1]), accuracy_m=10.0)
        for n in range(400)
    ]
    term, rule = condition(CURFEW), place_probability.RULE
    state, stated, stood = rule.initial(term, DeviceKind.LOCATION_TAG, START), [], None
    for n, each in enumerate(rough):
        stood = state if n == 300 else stood
        state, _ = rule.step(state, each, term)
        stated.append(place_probability.probability(state, term))
    span = Interval(at(350), at(399))
    told = [(each, Doubt.NONE) for each in rough[300:]]
    assert [each.probability for each in explain(term, told, span, stood).fixes] == stated[350:]
    # Begun anew an hour before, it is a second opinion.
    assert [each.probability for each in explain(term, told, span).fixes] != stated[350:]
