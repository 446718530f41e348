"""Pages of programmes: a whole group on one page, two facilitators at once, words of refusal."""

import re
from datetime import timedelta

import pytest
from watch import VOICE
from web import programmes
from web.on_call import scope_of
from web.world import World, words_of

from navigate_safer.db.cases import MissedSessionRow
from navigate_safer.people.programmes import CAUTION, SITTING, Line
from navigate_safer.services import group_registers, records
from navigate_safer.services.group_registers import Wanted

TWELVE = [f"W-X{number}" for number in range(1, 13)]


@pytest.fixture
def group(world: World) -> str:
    """A group of twelve whose first session was a week ago."""
    programmes.larger_group(world, 12)
    return programmes.group_of(world, *TWELVE)


def register(ref: str, number: int = 1) -> str:
    return f"/groups/{ref}/sessions/{number}/register"


def filled(world: World, **lines: str) -> dict[str, str]:
    """Everybody attended but those named."""
    form = {f"outcome-{ref}": "ATTC" for ref in TWELVE}
    return {**form, "replaces": "1", **{key.replace("__", "-"): v for key, v in lines.items()}}


def test_twelve_people_are_one_page_and_one_submit(world: World, group: str) -> None:
    visitor = world.visitor("facilitator")
    page = visitor.get(register(group))
    assert page.text.count('class="ns-register__person"') == 12
    assert not re.search(r'type="(radio|checkbox)"[^>]*checked', page.text), "nothing is ticked"
    for code in ("ATTC", "UAAB", "ATSH", "AARC", "RSOF", "CO10"):
        assert page.text.count(f'value="{code}"') == 12
    form = filled(world, outcome__W__X3="UAAB", outcome__W__X4="", other__W__X4="AAEM")
    answer = visitor.post(register(group), **form)
    assert (answer.status_code, answer.location) == (302, f"/groups/{group}")
    shown = words_of(visitor.get(f"/groups/{group}"))
    assert "The register is saved: 10 of 12 attended." in shown
    assert CAUTION in shown
    assert world.database.count(MissedSessionRow) == 1
    person = words_of(visitor.get("/people/W-X3/sessions"))
    assert "Unacceptable absence" in person
    today = words_of(world.visitor("manager").get("/today"))
    assert "Decide about the failure of 13 November" in today


def test_a_line_left_empty_is_named_and_nothing_is_saved(world: World, group: str) -> None:
    visitor = world.visitor("facilitator")
    form = filled(world, outcome__W__X5="", behaviour__W__X6="Left early", other__W__X7="AAME")
    answer = visitor.post(register(group), **form)
    assert answer.status_code == 422
    assert 'href="#outcome-W-X7"' in answer.text
    assert "Select one outcome: here are two" in words_of(answer)
    form["other-W-X7"] = ""
    answer = visitor.post(register(group), **form)
    assert "Select how it went for Wearer Number 5" in words_of(answer)
    assert "Left early" in answer.text, "what was typed is still there"
    with world.database.sessions() as session:
        assert records.listed(session, scope_of(world, "facilitator"), SITTING) == []
    assert visitor.post(register(group), later="yes", **form).status_code == 302
    assert "1 still to be filled in" in words_of(visitor.get("/groups"))


def test_the_second_of_two_facilitators_sees_both_versions(world: World, group: str) -> None:
    lines = {ref: Line("ATTC") for ref in TWELVE}
    wanted = Wanted({**lines, "W-X2": Line("UAAB")}, 1)
    scope = scope_of(world, "manager")
    group_registers.save(world.database.sessions, scope, group, 1, wanted, world.clock(), VOICE)
    visitor = world.visitor("facilitator")
    answer = visitor.post(register(group), **filled(world))
    assert answer.status_code == 422
    said = words_of(answer)
    assert "Somebody else has changed this while you were writing" in said
    assert "Manager Ashworthy saved version 2" in said
    assert "Wearer Number 2, outcome UAAB ATTC" in said
    form = {**filled(world), "replaces": "2"}
    assert "Enter why the register is changed" in words_of(visitor.post(register(group), **form))
    assert visitor.post(register(group), reason="I was there", **form).status_code == 302


def test_a_session_that_was_not_held_is_put_off_for_everybody(world: World, group: str) -> None:
    visitor = world.visitor("facilitator")
    assert visitor.post(register(group), replaces="1", not_held="yes").status_code == 302
    assert "Rescheduled by the service" in words_of(visitor.get("/people/W-X1/sessions"))
    later = visitor.post(register(group, 5), replaces="1", not_held="yes")
    assert "The session has not begun" in words_of(later)


def test_why_somebody_is_not_eligible_is_said_in_words(world: World) -> None:
    programmes.offer_of(world)
    visitor = world.visitor("manager")
    form = {"code": programmes.ENTRY.code, "motivation": "motivated", "alcohol": "dependent"}
    answer = visitor.post("/people/W-EXC/interventions", **form)
    assert answer.status_code == 422
    assert "not for people who are dependent on alcohol: treatment comes first" in words_of(answer)
    sent = visitor.post("/people/W-EXC/interventions", **{**form, "alcohol": "harmful"})
    assert sent.status_code == 302
    asked = visitor.get(sent.location)
    assert "Answer the request for Behaviour change programme" in words_of(asked)
    day = world.clock()
    step = {"to": "accepted", "replaces": "1", "on-day": str(day.day),
            "on-month": str(day.month), "on-year": str(day.year)}  # fmt: skip
    assert visitor.post(sent.location, **step).status_code == 302
    again = visitor.post(sent.location, **step)
    assert "has taken it on in the meantime: it is accepted now" in words_of(again)
    assert "1 of 24 taken" in words_of(visitor.get("/menu"))


def test_a_supervisor_changes_the_menu_and_is_told_of_a_second_route(world: World) -> None:
    ref = programmes.offer_of(world)
    visitor = world.visitor("supervisor")
    form = {
        "name": "Behaviour change programme", "about": "x", "need": "abuse", "route": "Council",
        "strand": "protection", "timing": "preventive", "bands": "high", "motivation": "any",
        "alcohol": "any", "places_perpetrators": "5", "places_victims": "0",
        "first_session_days": "14", "reason": "wider",
    }  # fmt: skip
    area = re.search(r'name="area" value="(\d+)"', visitor.get("/menu/new").text)[1]
    answer = visitor.post("/menu/new", area=area, **form)
    assert "An intervention has one commissioning route" in words_of(answer)
    assert visitor.post(f"/menu/{ref}/change", replaces="1", **form).status_code == 302
    stale = visitor.post(f"/menu/{ref}/change", replaces="1", **{**form, "route": "Probation"})
    assert "Route Council Probation" in words_of(stale)
    empty = words_of(visitor.post(f"/menu/{ref}/change", replaces="2", name=""))
    for said in ("Enter what it is called", "Select the strand", "Enter why it is changed"):
        assert said in empty


def test_a_session_alone_is_planned_recorded_and_answered(world: World) -> None:
    visitor, ref = world.visitor("manager"), programmes.session_of(world)
    at = (world.clock() + timedelta(days=1)).strftime("%Y-%m-%dT18:00")
    form = {"title": "Money", "starts_at": at, "minutes": "60", "weeks": "3", "mode": "video"}
    assert visitor.post("/people/W-CUR/sessions", **form).status_code == 302
    assert "Money, 3 of 3" in words_of(visitor.get("/people/W-CUR/sessions"))
    whole = {**form, "title": "", "weeks": "1", "programme": "individual-8"}
    assert visitor.post("/people/W-RES/sessions", **whole).status_code == 302
    said = words_of(visitor.get("/people/W-RES/sessions"))
    assert "8 sessions planned" in said
    assert "Patterns of control" in said
    missing = visitor.post(f"/sessions/{ref}", replaces="1")
    assert "Select how it went" in words_of(missing)
    late = {"outcome": "AFTC", "notify": "yes"}
    assert visitor.post(f"/sessions/{ref}", replaces="1", **late).status_code == 302
    stale = words_of(visitor.post(f"/sessions/{ref}", replaces="1", outcome="UAAB"))
    assert "Outcome AFTC UAAB" in stale
    assert "A failure to comply is decided by an officer" in stale
    assert (
        visitor.post(f"/sessions/{ref}/answer", replaces="2", answer="Spoken to").status_code == 302
    )
    assert "Spoken to" in words_of(visitor.get(f"/sessions/{ref}"))


def test_capacity_works_out_the_figures_of_the_reference(world: World) -> None:
    visitor = world.visitor("manager")
    said = words_of(visitor.get("/capacity?a_year=156&months=9&each=28.1"))
    assert "117 open at once, so 4.16 workers" in said
    assert "Manager Ashworthy" in said
    wrong = visitor.get("/capacity?a_year=many&months=9&each=28")
    assert wrong.status_code == 422
    assert "Enter the cases a year as a number above nought" in words_of(wrong)
    limits = world.visitor("supervisor").post("/capacity/1/limits", perpetrators="-1")
    assert limits.status_code == 422
