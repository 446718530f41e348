"""Colours that move up at once, and the rules around them: teams, MAPPA, de-selection."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.people import cohort_policy, teams
from navigate_safer.people.cohort import (
    CheckResult,
    Gap,
    Leads,
    SafetyCheck,
    gaps,
    seats,
    why_not_deselect,
)
from navigate_safer.people.mappa import MappaFacts, suggest
from navigate_safer.people.rag import (
    Colour,
    Decided,
    RagStatus,
    Standing,
    Trigger,
    TriggerKind,
    green_since,
    standing,
)
from navigate_safer.people.teams import Team

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
POLICY = cohort_policy.shipped()
LOOK_BACK = timedelta(days=POLICY.look_back_days)
UP = (Colour.GREEN, Colour.AMBER, Colour.RED)
triggers = st.lists(
    st.builds(
        Trigger,
        kind=st.sampled_from(TriggerKind),
        ref=st.sampled_from("ABCDE"),
        known_at=st.integers(0, 80 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
    ),
    max_size=6,
)
colours = st.sampled_from(Colour)
raising = st.dictionaries(st.sampled_from([each.value for each in TriggerKind]), colours)


def decided(colour: Colour, *considered: str, at: datetime = NOW - timedelta(days=3)) -> Decided:
    return Decided(RagStatus(colour, "seen", date(2026, 12, 1), considered), at)


def judged(known: Decided | None, found: list[Trigger], raises=POLICY.raises_to) -> Standing:
    return standing(known, found, raises, now=NOW, look_back=LOOK_BACK)


@given(colours, triggers, raising)
def test_what_becomes_known_never_moves_anybody_down(
    colour: Colour, found: list[Trigger], raises: dict[str, Colour]
):
    after = judged(decided(colour), found, raises).colour
    if colour in UP:
        assert UP.index(after) >= UP.index(colour)
    else:
        released = [each for each in found if each.kind is TriggerKind.RELEASE]
        assert after is Colour.BLUE or released


@given(colours, triggers, triggers)
def test_more_news_never_means_a_lower_colour(
    colour: Colour, found: list[Trigger], more: list[Trigger]
):
    less, all_of_it = judged(decided(colour), found), judged(decided(colour), found + more)
    if less.colour in UP and all_of_it.colour in UP:
        assert UP.index(all_of_it.colour) >= UP.index(less.colour)
    assert {each.key for each in less.causes} <= {each.key for each in all_of_it.causes}


@given(colours, triggers.filter(lambda found: len(found) < 5))
def test_the_order_in_which_news_comes_does_not_matter(colour: Colour, found: list[Trigger]):
    answers = {judged(decided(colour), list(each)) for each in permutations(found)}
    assert len({each.colour for each in answers}) == 1
    assert len({frozenset(cause.key for cause in each.causes) for each in answers}) == 1


@given(colours, triggers)
def test_what_somebody_has_looked_at_moves_nobody(colour: Colour, found: list[Trigger]):
    looked_at = decided(colour, *(each.key for each in found))
    assert judged(looked_at, found) == Standing(colour, colour, ())


def test_an_import_that_began_before_the_decision_and_ended_after_it_still_counts():
    known = decided(Colour.GREEN)
    stored = Trigger(TriggerKind.INCIDENT, "E-1", known.at - timedelta(hours=1))
    assert judged(known, [stored]).colour is Colour.RED


def test_in_custody_only_the_release_moves_and_the_rest_is_shown():
    known = decided(Colour.BLUE)
    incident = Trigger(TriggerKind.INCIDENT, "E-1", NOW)
    assert judged(known, [incident]) == Standing(Colour.BLUE, Colour.BLUE, (incident,))
    release = Trigger(TriggerKind.RELEASE, "E-2", NOW)
    assert judged(known, [incident, release]).colour is Colour.RED


def test_green_since_counts_from_the_last_change_to_green():
    days = [NOW - timedelta(days=each) for each in (1, 10, 40, 100)]
    order = [Colour.GREEN, Colour.GREEN, Colour.AMBER, Colour.GREEN]
    history = [decided(colour, at=at) for colour, at in zip(order, days, strict=True)]
    assert green_since(history) == days[1]
    assert green_since([decided(Colour.RED, at=days[0])]) is None
    assert green_since([]) is None


def test_an_arrest_that_was_looked_at_ends_the_run_of_green():
    begun, looked_at, again = (NOW - timedelta(days=each) for each in (185, 15, 1))
    history = [
        decided(Colour.GREEN, "arrest:E", "incident:A", at=again),
        decided(Colour.GREEN, "arrest:E", "incident:A", at=looked_at),
        decided(Colour.GREEN, "incident:A", at=begun),
    ]
    assert green_since(history) == looked_at
    assert green_since(history[2:]) == begun


@pytest.mark.parametrize(
    ("green_days", "check", "causes", "said"),
    [
        pytest.param(183, 0, 0, None, id="six months, checked"),
        pytest.param(182, 0, 0, "182 of 183 days", id="a day too early"),
        pytest.param(None, 0, 0, "the colour is not green", id="not green"),
        pytest.param(200, 29, 0, "no safety check", id="the check is too old"),
        pytest.param(200, None, 0, "no safety check", id="never checked"),
        pytest.param(200, 0, 1, "nobody has looked at", id="something new"),
    ],
)
def test_who_may_be_deselected(green_days, check, causes, said):
    news = (Trigger(TriggerKind.ARREST, "E", NOW),) * causes
    green = None if green_days is None else NOW - timedelta(days=green_days)
    colour = Colour.AMBER if green_days is None else Colour.GREEN
    checks = [] if check is None else [
        SafetyCheck(NOW.date() - timedelta(days=check), CheckResult.NOTHING_AGAINST)
    ]  # fmt: skip
    against = why_not_deselect(
        NOW, standing=Standing(colour, colour, news), green_since=green, checks=checks,
        policy=POLICY,
    )  # fmt: skip
    assert (against == []) if said is None else said in "; ".join(against)


@pytest.mark.parametrize(
    ("facts", "category"),
    [
        (MappaFacts(), None),
        (MappaFacts(registered_sexual_offender=True, dangerous_pattern=True), 1),
        (MappaFacts(coercive_on=date(2025, 2, 3), coercive_months=12), 2),
        (MappaFacts(coercive_on=date(2025, 2, 2), coercive_months=12), None),
        (MappaFacts(coercive_on=date(2026, 1, 1), coercive_months=11), None),
        (MappaFacts(dangerous_pattern=True), 3),
    ],
)
def test_the_rule_proposes_a_mappa_category(facts: MappaFacts, category: int | None):
    found = suggest(facts, POLICY)
    assert (None if found is None else found.category) == category


def test_a_team_that_names_the_locality_comes_before_one_that_takes_all():
    rest, north = Team("Rest"), Team("North", ("Blacon", "Upton"), ("high", "medium"))
    assert teams.route([rest, north], "blacon", "high") == north
    assert teams.route([rest, north], "Blacon", "standard") == rest
    assert teams.route([north], "Hoole", "high") is None
    assert teams.overlaps([rest, north, Team("rest")]) == ["rest"]


def test_the_one_in_custody_is_looked_at_before_his_release():
    today, release = date(2026, 11, 20), date(2027, 2, 20)
    usual = POLICY.level(Colour.BLUE).review_days
    assert POLICY.review_on(Colour.BLUE, today) == today + timedelta(days=usual)
    near = POLICY.review_on(Colour.BLUE, today, release)
    assert near == release - timedelta(days=POLICY.before_release_days)
    assert POLICY.review_on(Colour.BLUE, today, today) == today + timedelta(days=1)


def test_who_is_missing_depends_on_whether_he_is_in_the_cohort():
    assert gaps(selected=False, has_key_worker=True, leads=None) == []
    assert gaps(selected=False, has_key_worker=False, leads=None) == [Gap.KEY_WORKER]
    assert gaps(selected=True, has_key_worker=True, leads=Leads(1, "A", "B", "C")) == []
    assert gaps(selected=True, has_key_worker=True, leads=Leads(1, "A")) == [
        Gap.PROBATION_LEAD, Gap.TEAM
    ]  # fmt: skip


def test_people_of_a_panel_need_an_agency_each():
    found, bad = seats("A. Aldersey, Police\n\n B. Bostock\nC, D., Probation")
    assert [(each.name, each.agency) for each in found] == [
        ("A. Aldersey", "Police"), ("C, D.", "Probation")
    ]  # fmt: skip
    assert bad == ["B. Bostock"]
