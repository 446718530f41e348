"""A menu in use, a group in its fourth week, and sessions of single people."""

from datetime import date, datetime, time, timedelta
from random import Random

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.days import day_of
from navigate_safer.people.group_schedule import instant, weekly
from navigate_safer.people.menu import AlcoholNeed, Motivation, RequestState
from navigate_safer.people.programmes import (
    Group,
    Line,
    Measure,
    Mode,
    RarOrdered,
    Sitting,
    Stage,
)
from navigate_safer.services import (
    group_members,
    group_registers,
    groups,
    individual_sessions,
    intervention_requests,
    intervention_steps,
    menu,
    progress,
)
from navigate_safer.services.group_registers import Wanted
from navigate_safer.services.individual_sessions import Recorded
from navigate_safer.services.intervention_requests import Asked
from navigate_safer.services.intervention_steps import NotAsked, Step
from navigate_safer.services.telling import Voice

SEED = "programmes"
MEMBERS, STRANGERS = 12, 5
HELD = 3
# The fourth session was yesterday evening, and its register is still to be filled in.
FIRST_BEFORE = timedelta(days=7 * HELD + 1)
ASKED_BEFORE = timedelta(days=50)
BEGINS = time(18, 30)
# While nothing has been measured nobody is told anything.
VOICE = Voice("http://127.0.0.1")
OUTCOMES = {"ATTC": 75, "AFTC": 6, "UAAB": 9, "AAME": 6, "AAEM": 4}
CODE = "behaviour-change"


def sprinkle_programmes(office: Office, now: datetime) -> None:
    """The menu, who asked for what, a group with three registers, and some single sessions."""
    menu.take_shipped(office.sessions, office.scope(Role.SUPERVISOR), office.area_id, now)
    people = _ready(office, now)
    _group(office, people[:MEMBERS], now)
    _others(office, people[MEMBERS:], now)
    for ref in people[:2]:
        _alone(office, ref, now)


def _ready(office: Office, now: datetime) -> list[str]:
    """Those who may join: asked for some weeks ago, and accepted a week later."""
    found = []
    for ref in office.wearers:
        if len(found) == MEMBERS + STRANGERS:
            break
        accepted = len(found) < MEMBERS
        asked = now - ASKED_BEFORE + timedelta(days=len(found))
        if _ask(office, ref, CODE, AlcoholNeed.HARMFUL, accepted, asked):
            found.append(ref)
    return found


def _ask(
    office: Office, ref: str, code: str, alcohol: AlcoholNeed, accepted: bool, at: datetime
) -> bool:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    try:
        asked = Asked(code, Motivation.MOTIVATED, alcohol)
        request = intervention_requests.ask(sessions, scope, ref, asked, at)
        if accepted:
            later = at + timedelta(days=7)
            step = Step(RequestState.ACCEPTED, day_of(later), "place given")
            intervention_steps.move(sessions, scope, request, step, replaces=1, now=later)
    except NotAsked:
        return False
    return True


def _group(office: Office, members: list[str], now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.PROGRAMME_FACILITATOR)
    planned = now - FIRST_BEFORE - timedelta(days=2)
    first = day_of(now - FIRST_BEFORE)
    made = Group(
        name="Evening group, Chester", template="behaviour-change-22", template_version="",
        place="Boughton centre", starts_on=first, starts_at=BEGINS.strftime("%H:%M"), minutes=150,
        intervention=CODE, rar=True, facilitators=(scope.staff_id,),
    )  # fmt: skip
    ref = groups.make(sessions, scope, office.area_id, made, planned)
    for number, each in enumerate(members, start=1):
        group_members.join(sessions, scope, ref, each, first, replaces=number, now=planned)
    rng = Random(SEED)
    for number, day in enumerate(weekly(first, HELD), start=1):
        at = instant(day, BEGINS) + timedelta(hours=3)
        wanted = Wanted({each: _line(rng) for each in members}, 1)
        group_registers.save(sessions, scope, ref, number, wanted, min(at, now), VOICE)


def _line(rng: Random) -> Line:
    (outcome,) = rng.choices(list(OUTCOMES), weights=list(OUTCOMES.values()))
    concern = "Speaks of a new partner" if rng.random() < 0.06 else ""
    return Line(outcome, "Takes part" if outcome == "ATTC" else "", concern, bool(concern))


def _others(office: Office, people: list[str], now: datetime) -> None:
    for number, ref in enumerate(people):
        code = ("alcohol-recovery", "housing", "employment")[number % 3]
        at = now - timedelta(days=20 - number)
        _ask(office, ref, code, AlcoholNeed.DEPENDENT, number % 2 == 0, at)


def _alone(office: Office, ref: str, now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    before = now - timedelta(days=9)
    held = Sitting("Patterns of control", "", Mode.IN_PERSON, before, 60, "Probation office",
                   rar=True)  # fmt: skip
    (kept,) = individual_sessions.plan(sessions, scope, ref, held, 1, before - timedelta(days=7))
    individual_sessions.record(
        sessions, scope, kept, Recorded("ATTC", "Named two early signs"), replaces=1, reason="",
        now=before + timedelta(hours=2), voice=VOICE,
    )  # fmt: skip
    ahead = Sitting("Early signs and time out", "", Mode.IN_PERSON, now + timedelta(days=5), 60,
                    "Probation office", rar=True)  # fmt: skip
    individual_sessions.plan(sessions, scope, ref, ahead, 3, now)
    progress.order_rar(sessions, scope, ref, RarOrdered("Order 1", 25, _in_a_year(now)), now)
    for days, stage, score in ((40, Stage.BEFORE, 21), (3, Stage.DURING, 27)):
        measured = day_of(now - timedelta(days=days))
        scale = Measure("Attitudes scale (invented), 1", stage, measured, score, 10, 50, True)
        progress.measure(sessions, scope, ref, scale, now)


def _in_a_year(now: datetime) -> date:
    return day_of(now + timedelta(days=365))
