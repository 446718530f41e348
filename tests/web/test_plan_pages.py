"""The plan on its pages: two sides, two tracks, clocks, the agreement, two people at once."""

from datetime import date, timedelta

import pytest
from web.cohort_forms import PERSON, day, details, planned, step, today
from web.on_call import scope_of
from web.world import Visitor, World, words_of

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.services import today as mornings
from navigate_safer.web import wall_time

PLAN = f"/people/{PERSON}/plan"


def begin(world: World, **changed: str) -> Visitor:
    manager = world.visitor("manager")
    kept = manager.post(f"{PLAN}/details", **details(world, **changed))
    assert kept.status_code == 302, kept.text
    return manager


def due_of(world: World) -> list[str]:
    """What is asked about the person until this time tomorrow."""
    found = mornings.see(
        world.database.sessions, scope_of(world, "duty"), world.clock(), mine=False
    )
    return [item.what for each in found.people if each.person.ref == PERSON for item in each.due]


def test_a_plan_without_both_sides_is_incomplete_and_says_which(quiet_world: World):
    manager = begin(quiet_world)
    shown = words_of(manager.get(PLAN))
    assert "The plan is incomplete" in shown
    assert "a control part" in shown
    assert "a support part" in shown
    assert manager.post(f"{PLAN}/step", **step(quiet_world, replaces="1")).status_code == 302
    shown = words_of(manager.get(PLAN))
    assert "a control part" not in shown
    assert "a support part" in shown
    work = step(quiet_world, what="Programme", strand="support", action="abuse_work", replaces="2")
    manager.post(f"{PLAN}/step", **work)
    assert "The plan is incomplete" not in words_of(manager.get(PLAN))


def test_whoever_wants_to_change_begins_with_the_five_parts(quiet_world: World):
    manager = begin(quiet_world, template="yes", own_words="I want to see my son")
    shown = words_of(manager.get(PLAN))
    for part in ("healthy relationship", "alcohol or drugs", "place to live", "Work or training",
                 "Stop abusive behaviour"):  # fmt: skip
        assert part in shown
    assert "I want to see my son" in shown
    assert "The plan is incomplete" not in shown
    assert "somebody for every step" in shown


def test_two_who_change_one_plan_at_once_each_keep_their_goal(quiet_world: World):
    manager = begin(quiet_world)
    goal = {"title": "Stop drinking", "area": "alcohol_use", "status": "active", "replaces": "1"}
    manager.post(f"{PLAN}/goal", **goal)
    late = manager.post(f"{PLAN}/goal", **goal | {"title": "Find a flat", "area": "accommodation"})
    assert late.status_code == 409
    assert "Somebody else has changed this" in words_of(late)
    assert "Find a flat" in late.text
    assert (
        "Stop drinking" not in words_of(late).split("Where you and they")[1].split("Take over")[0]
    )
    assert 'name="replaces" value="2"' in late.text
    again = goal | {"title": "Find a flat", "area": "accommodation", "replaces": "2"}
    assert manager.post(f"{PLAN}/goal", **again).status_code == 302
    shown = words_of(manager.get(PLAN))
    assert "Stop drinking" in shown
    assert "Find a flat" in shown
    assert "Version 3" in shown


def test_steps_wait_for_each_other_and_never_in_a_circle(quiet_world: World):
    world, manager = quiet_world, begin(quiet_world)
    manager.post(f"{PLAN}/step", **step(world, what="Assessment", replaces="1"))
    sessions = step(world, what="Sessions", status="in_progress", after="1", replaces="2")
    assert manager.post(f"{PLAN}/step", **sessions).status_code == 302
    shown = words_of(manager.get(PLAN))
    assert "“Sessions” was begun, but waits for “Assessment”, which is not done" in shown
    circle = step(world, what="Assessment", step="1", after="2", replaces="3")
    assert "wait for each other for ever" in words_of(manager.post(f"{PLAN}/step", **circle))
    done = step(world, what="Assessment", step="1", status="completed", replaces="3")
    manager.post(f"{PLAN}/step", **done)
    assert "Out of order" not in words_of(manager.get(PLAN))


def test_two_agencies_that_do_the_same_are_found(quiet_world: World):
    manager = begin(quiet_world)
    same = {"strand": "support", "action": "housing"}
    manager.post(f"{PLAN}/step", **step(quiet_world, **same, agency="Housing", replaces="1"))
    manager.post(f"{PLAN}/step", **step(quiet_world, **same, agency="Probation", replaces="2"))
    assert "Two agencies do the same" in words_of(manager.get(PLAN))
    assert "Housing advice or a place to live Housing and Probation" in words_of(
        manager.get("/plans")
    )


def test_whoever_does_not_want_to_change_is_offered_again_and_checked(quiet_world: World):
    world = quiet_world
    begin(world, track="not_motivated", template="yes", checks="Visit at home, 7")
    world.clock.at += timedelta(days=6, hours=20)
    assert "Check: Visit at home" in due_of(world)
    manager, now_on = world.visitor("manager"), day("on", today(world))
    seen = {"how": "home_visit", "agency": "Police", "check": "Visit at home", **now_on}
    manager.post(f"{PLAN}/contact", **seen, made="no")
    assert "Check: Visit at home" in due_of(world), "nobody was there"
    manager.post(f"{PLAN}/contact", **seen, made="yes")
    assert "Check: Visit at home" not in due_of(world)

    offer = {"what": "A place in a group", "by": "C. Dutton", "answer": "refused", **now_on}
    assert manager.post(f"{PLAN}/offer", **offer).status_code == 302
    world.clock.at += timedelta(days=28)
    assert "Offer again: A place in a group" in due_of(world)
    offer |= {"answer": "accepted", **day("on", today(world))}
    world.visitor("manager").post(f"{PLAN}/offer", **offer)
    assert "Offer again: A place in a group" not in due_of(world)


def test_a_clock_runs_from_a_trigger_to_the_action(quiet_world: World):
    world, manager = quiet_world, begin(quiet_world, track="not_motivated", template="yes")
    seen_at = wall_time.written(world.clock())
    trigger = {"what": "Tag cut or tampered with", "seen_at": seen_at}
    assert manager.post(f"{PLAN}/trigger", **trigger).status_code == 302
    assert "Act on: Tag cut or tampered with" in due_of(world)
    ref = world.database.one(CaseRecordRow, CaseRecordRow.kind == "plan_trigger").ref
    world.clock.at += timedelta(hours=5)
    manager = world.visitor("manager")
    before = {"done": "Arrested", "acted_at": "2026-11-20T10:00", "replaces": "1"}
    assert "after the trigger" in words_of(manager.post(f"{PLAN}/triggers/{ref}", **before))
    acted = before | {"acted_at": wall_time.written(world.clock())}
    assert manager.post(f"{PLAN}/triggers/{ref}", **acted).status_code == 302
    assert "Act on: Tag cut or tampered with" not in due_of(world)
    assert "Arrested Late" in words_of(manager.get(PLAN))


def test_an_agreement_is_signed_by_both_printed_and_its_breach_kept(quiet_world: World):
    world, manager = quiet_world, begin(quiet_world)
    assert manager.get(f"{PLAN}/agreement.pdf").status_code == 404
    form = {"of_person": "I come.", "of_us": "We tell you why.", "reason": "first",
            "replaces": "0"}  # fmt: skip
    assert manager.post(f"{PLAN}/agreement", **form).status_code == 302
    paper = manager.get(f"{PLAN}/agreement.pdf")
    assert paper.data.startswith(b"%PDF")
    assert paper.data == manager.get(f"{PLAN}/agreement.pdf").data
    broken = {
        "breach": "Did not come", "breach_by": "person", "breach_decided": "Talked to",
        "replaces": "1", **day("breach_on", today(world)),
    }  # fmt: skip
    early = words_of(manager.post(f"{PLAN}/agreement", **form | broken))
    assert "before both sides have signed" in early
    signed = {
        **day("signed_by_person_on", today(world)), **day("signed_for_us_on", today(world)),
        "signed_for_us_by": "C. Dutton",
    }  # fmt: skip
    assert manager.post(f"{PLAN}/agreement", **form | broken | signed).status_code == 302
    shown = words_of(manager.get(PLAN))
    assert "Signed by the person on" in shown
    assert "the person: Did not come. Talked to" in shown


def test_an_unmanaged_risk_is_due_until_every_agency_has_said_that_it_knows(quiet_world: World):
    world, manager = quiet_world, begin(quiet_world)
    told = {
        "why": "He refuses everything", "replaces": "0", **day("since", today(world)),
        "agency_1": "Police", "person_1": "Insp. J. Kelsall", **day("sent_1", today(world)),
    }  # fmt: skip
    assert manager.post(f"{PLAN}/unmanaged", **told).status_code == 302
    assert "Unmanaged risk since" in words_of(manager.get(PLAN))
    world.clock.at += timedelta(days=3)
    assert "Not acknowledged: Police" in due_of(world)
    manager = world.visitor("manager")
    early = told | {"replaces": "1", **day("acknowledged_1", date(2026, 11, 1))}
    assert "from the notice until today" in words_of(manager.post(f"{PLAN}/unmanaged", **early))
    manager.post(
        f"{PLAN}/unmanaged", **told | {"replaces": "1", **day("acknowledged_1", today(world))}
    )
    assert "Not acknowledged: Police" not in due_of(world)
    assert "1" in words_of(manager.get("/plans")).split("Unmanaged risk ")[1]


def test_a_plan_ends_with_a_reason_and_another_can_be_begun(quiet_world: World):
    manager = begin(quiet_world, checks="Visit at home, 7")
    paper = {"of_person": "I come", "of_us": "We say why", "reason": "first", "replaces": "0"}
    assert manager.post(f"{PLAN}/agreement", **paper).status_code == 302
    quiet_world.clock.forward(days=200)
    manager = quiet_world.visitor("manager")
    assert "Have the agreement signed" in due_of(quiet_world)
    without = manager.post(f"{PLAN}/end", replaces="1")
    assert "Enter why the plan ends" in words_of(without)
    assert manager.post(f"{PLAN}/end", reason="moved", replaces="1").status_code == 302
    assert "There is no plan" in words_of(manager.get(PLAN))
    assert "Check: Visit at home" not in due_of(quiet_world)
    assert "Have the agreement signed" not in due_of(quiet_world)
    begin(quiet_world)
    live = CaseRecordRow.kind == "plan", CaseRecordRow.slot.is_not(None)
    current = CaseRecordRow.superseded_at.is_(None)
    assert quiet_world.database.count(CaseRecordRow, *live, current) == 1


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        pytest.param(
            {"review_on-year": "2020"}, "Enter a day after today", id="review in the past"
        ),
        pytest.param({"approach": "engage_and_enable"}, "who decided", id="no safety decision"),
        pytest.param(
            {"agreed": "agreed"}, "Enter when the person was asked", id="agreed, without a day"
        ),
        pytest.param({"checks": "Visit"}, "Enter what and days", id="a check without its days"),
        pytest.param(
            {"own_words": "Call 07700 900199"}, "Take out the telephone number", id="a number"
        ),
        pytest.param({"track": ""}, "Select a track", id="no track"),
    ],
)
def test_a_plan_that_cannot_be_kept_says_what_to_mend(
    quiet_world: World, changed: dict[str, str], what: str
):
    form = details(quiet_world, **changed)
    refused = quiet_world.visitor("manager").post(f"{PLAN}/details", **form)
    assert refused.status_code == 422
    assert what in words_of(refused)
    assert quiet_world.database.count(CaseRecordRow) == 0


def test_grip_counts_what_was_due_and_what_was_done(world: World):

    planned(world)
    world.clock.at += timedelta(days=13)
    manager = world.visitor("manager")
    seen = {"how": "appointment", "agency": "Probation", "made": "yes"}
    for ago in (0, 1, 2):
        manager.post(f"{PLAN}/contact", **seen, **day("on", today(world) - timedelta(days=ago)))
    shown = words_of(world.visitor("duty").get(PLAN))
    # Red: four contacts in fourteen days, and an urgent alert that nobody has answered.
    assert "Contacts 3 of 4" in shown
    assert "Alerts answered in time 0 of" in shown
    assert "Log a contact" not in shown
