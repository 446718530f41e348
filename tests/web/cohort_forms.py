"""Forms of the cohort and of plans as staff of the small office fill them in."""

from datetime import date, datetime, timedelta

from web.on_call import scope_of
from web.world import Visitor, World

from navigate_safer.people.days import LONDON
from navigate_safer.people.plan_log import TRIGGERED
from navigate_safer.people.plans import Clock
from navigate_safer.services import plan_log, records

PERSON = "W-EXC"


def day(name: str, on: date) -> dict[str, str]:
    return {
        f"{name}-day": str(on.day),
        f"{name}-month": str(on.month),
        f"{name}-year": str(on.year),
    }


def today(world: World) -> date:
    now: datetime = world.clock()
    return now.astimezone(LONDON).date()


def panel(world: World, **changed: str) -> dict[str, str]:
    return {
        "decision": "selected", "people": "A. Aldersey, Police\nB. Bostock, Probation",
        "reasons": "Three incidents in a month", "cohort": "flex", "statutory": "yes",
        "legal_basis": "Licence", "replaces": "0", **day("on", today(world)), **changed,
    }  # fmt: skip


def select(world: World, person: str = PERSON) -> Visitor:
    """Somebody is selected by a panel; the offender manager who wrote it down."""
    manager = world.visitor("manager")
    kept = manager.post(f"/people/{person}/cohort/panel", **panel(world))
    assert kept.status_code == 302, kept.text
    return manager


def details(world: World, **changed: str) -> dict[str, str]:
    review = date.fromordinal(today(world).toordinal() + 28)
    return {
        "track": "motivated", "agreed": "draft", "approach": "remove_and_separate",
        "reason": "first talk", "replaces": "0", **day("review_on", review), **changed,
    }  # fmt: skip


def step(world: World, **changed: str) -> dict[str, str]:
    due = date.fromordinal(today(world).toordinal() + 7)
    return {
        "what": "Visit at home", "strand": "control", "action": "home_visit", "agency": "Police",
        "actor": "C. Dutton", "status": "not_started", **day("due_on", due), **changed,
    }  # fmt: skip


def planned(world: World, person: str = PERSON) -> str:
    """The reference of somebody who is in the cohort and has a plan of both sides, made once."""
    manager = world.visitor("manager")
    path = f"/people/{person}/plan"
    if "There is no plan" in manager.get(path).text:
        select(world, person)
        colour = {"colour": "amber", "cause": "He came twice", "replaces": "0"}
        assert manager.post(f"/people/{person}/cohort/rag", **colour).status_code == 302
        world.clock.at += timedelta(minutes=1)
        begun = manager.post(f"{path}/details", **details(world, template="yes"))
        assert begun.status_code == 302, begun.text
    return person


def clock_of(world: World) -> str:
    """The reference of a trigger whose clock runs, made once."""
    sessions, scope = world.database.sessions, scope_of(world, "manager")
    with sessions() as session:
        known = records.listed(session, scope, TRIGGERED)
    if known:
        return known[0].ref
    clock, at = Clock("Appointment missed", 24), world.clock()
    return plan_log.start_clock(sessions, scope, PERSON, clock, at, at).ref
