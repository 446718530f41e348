"""Rules of a plan: what it lacks, the order of its steps, the same done twice, grip."""

from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.people import cohort_policy, plan_catalogue
from navigate_safer.people.duplicates import alike, twice
from navigate_safer.people.grip import Answer, Seen, grip
from navigate_safer.people.plan_changes import from_template, with_goal, with_step
from navigate_safer.people.plan_log import Notice, Unmanaged
from navigate_safer.people.plan_sequence import out_of_order, why_not_after
from navigate_safer.people.plans import (
    Check,
    EngagementPlan,
    Goal,
    Missing,
    NeedArea,
    Step,
    StepStatus,
    Strand,
    Track,
    complete,
    missing,
    next_due,
)
from navigate_safer.people.rag import Colour

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
CATALOGUE = plan_catalogue.shipped()


def step(number: int, *after: int, status: StepStatus = StepStatus.NOT_STARTED, **more) -> Step:
    values = {"what": f"step {number}", "strand": Strand.CONTROL, "action": "tag",
              "agency": "Police", "actor": "A", "due_on": TODAY, **more}  # fmt: skip
    return Step(number=number, after=after, status=status, **values)


def plan(*steps: Step, track: Track = Track.MOTIVATED) -> EngagementPlan:
    return EngagementPlan(track, TODAY + timedelta(days=28), steps=steps)


strands = st.lists(st.tuples(st.sampled_from(Strand), st.sampled_from(StepStatus)), max_size=6)


@given(strands)
def test_a_plan_is_complete_only_with_both_sides(drawn):
    made = plan(*(step(n, strand=side, status=at) for n, (side, at) in enumerate(drawn, 1)))
    wanted = {side for side, at in drawn if at is not StepStatus.NO_LONGER_NEEDED}
    assert complete(made) == (wanted == set(Strand))
    assert (Missing.CONTROL in missing(made)) == (Strand.CONTROL not in wanted)


def test_templates_have_both_sides_and_what_their_track_needs():
    for track in Track:
        made = from_template(plan(track=track), CATALOGUE, TODAY)
        assert complete(made)
        assert Missing.CHECKS not in missing(made)
        assert Missing.CLOCKS not in missing(made)
    motivated = from_template(plan(), CATALOGUE, TODAY)
    assert len({each.part for each in motivated.goals}) == 5
    assert all(CATALOGUE.action(each.action) for each in motivated.steps)


edges = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12)


@given(edges)
def test_steps_that_were_accepted_can_all_be_done_in_some_order(drawn):
    made = plan(*(step(n) for n in range(1, 7)))
    for number, before in drawn:
        old = made.step(number)
        new = msgspec.structs.replace(old, after=tuple(sorted({*old.after, before})))
        if why_not_after(made.steps, new) is None:
            made = with_step(made, new)
    done: set[int] = set()
    while ready := [n for n in range(1, 7) if n not in done and set(made.step(n).after) <= done]:
        done |= set(ready)
    assert done == set(range(1, 7))


def test_a_step_cannot_wait_for_itself_or_for_one_that_is_not_there():
    steps = (step(1), step(2, 1))
    assert "itself" in why_not_after(steps, step(1, 1))
    assert "no step 9" in why_not_after(steps, step(2, 9))
    assert "for ever" in why_not_after(steps, step(1, 2))
    assert why_not_after(steps, step(0, 1, 2)) is None


def test_a_start_before_its_time_is_warned_of_until_the_first_is_done():
    begun = step(2, 1, status=StepStatus.IN_PROGRESS)
    assert [each.step for each in out_of_order(plan(step(1), begun))] == [2]
    assert out_of_order(plan(step(1, status=StepStatus.COMPLETED), begun)) == []
    assert out_of_order(plan(step(1, status=StepStatus.NO_LONGER_NEEDED), begun)) == []
    early = step(2, 1, due_on=TODAY - timedelta(days=1))
    assert "due before" in out_of_order(plan(step(1), early))[0].text


def test_numbers_of_goals_and_steps_are_never_given_twice():
    made = with_goal(with_goal(plan(), Goal(0, "A", NeedArea.FINANCES)),
                     Goal(0, "B", NeedArea.FINANCES))  # fmt: skip
    assert [each.number for each in made.goals] == [1, 2]
    changed = with_goal(made, Goal(1, "C", NeedArea.FINANCES))
    assert [each.title for each in changed.goals] == ["C", "B"]


def test_what_is_due_first_is_an_open_step_or_the_review():
    later = TODAY + timedelta(days=60)
    assert next_due(plan(step(1, due_on=later)))[1] == "Review the plan"
    assert next_due(plan(step(1)))[1] == "Step: step 1"
    assert next_due(plan(step(1, status=StepStatus.COMPLETED)))[1] == "Review the plan"


def test_the_same_is_found_by_its_action_or_by_its_words():
    housing = step(1, agency="Housing", action="housing")
    council = step(2, agency="Council", action="housing")
    (found,) = twice([housing, council, step(3)], 0.6)
    assert (found.first.number, found.second.number, found.same_action) == (1, 2, True)
    assert twice([housing, msgspec.structs.replace(council, agency="housing")], 0.6) == []
    done = msgspec.structs.replace(council, status=StepStatus.COMPLETED)
    assert twice([housing, done], 0.6) == []
    one = step(1, agency="Health", action="other", what="Referral to the anger group")
    two = step(2, agency="Police", action="other", what="A referral to anger group")
    assert not twice([one, two], 0.6)[0].same_action
    assert alike(one, two) == 1.0
    other = msgspec.structs.replace(two, what="Take him to court")
    assert twice([one, other], 0.6) == []


def level(colour: Colour):
    return cohort_policy.shipped().level(colour)


def seen(*ago: int, check: str = "") -> list[Seen]:
    return [Seen(TODAY - timedelta(days=each), check) for each in ago]


def test_grip_counts_contacts_checks_and_answers_of_the_window():
    visit = [Check("Visit", 7)]
    late = Answer(NOW - timedelta(hours=1), 120, NOW)
    in_time = Answer(NOW - timedelta(hours=2), 120, NOW - timedelta(hours=2))
    waiting = Answer(NOW, 120, None)
    never = Answer(NOW - timedelta(days=1), 120, None)
    found = grip(
        TODAY, NOW, 28, since=TODAY - timedelta(days=90), level=level(Colour.RED), checks=visit,
        seen=seen(0, 3, 27, 28) + seen(1, 2, check="visit"),
        answers=[late, in_time, waiting, never],
    )  # fmt: skip
    assert (found.contacts.done, found.contacts.due) == (5, 8)
    assert (found.checks.done, found.checks.due, found.checks.met) == (2, 4, False)
    assert (found.alerts.done, found.alerts.due) == (1, 3)


@given(st.integers(0, 60), st.lists(st.integers(0, 60), max_size=30), st.sampled_from(Colour))
def test_grip_is_never_more_than_whole_and_nothing_is_due_of_before(since, ago, colour):
    found = grip(
        TODAY, NOW, 28, since=TODAY - timedelta(days=since), level=level(colour),
        checks=[Check("Visit", 7)], seen=seen(*ago, check="Visit"), answers=[],
    )  # fmt: skip
    for share in (found.contacts, found.checks, found.alerts):
        assert 0 <= share.done <= share.due
    assert found.checks.due <= (since + 1) // 7
    assert found.alerts.met is None


def test_a_risk_is_due_until_somebody_was_told_and_every_one_has_answered():
    risk = Unmanaged("He refuses", TODAY)
    assert risk.due_on(3) == TODAY
    police, health = Notice("Police", "A", TODAY), Notice("Health", "B", TODAY - timedelta(days=1))
    told = msgspec.structs.replace(risk, notices=(police, health))
    assert told.due_on(3) == TODAY + timedelta(days=2)
    known = [msgspec.structs.replace(each, acknowledged_on=TODAY) for each in (police, health)]
    assert msgspec.structs.replace(told, notices=tuple(known)).due_on(3) is None
    assert msgspec.structs.replace(told, ended_on=TODAY).due_on(3) is None
