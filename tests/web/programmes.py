"""A menu, a group, a request and a session of the small office, each made once."""

from datetime import date, timedelta

from web.on_call import scope_of, staff_id, west
from web.world import World

from navigate_safer.people.casefile import CaseFile, Wearer
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import AlcoholNeed, Motivation, shipped
from navigate_safer.people.programmes import GROUP, REGISTER, SITTING, Group, Mode, Sitting
from navigate_safer.services import (
    group_members,
    groups,
    individual_sessions,
    intervention_requests,
    menu,
    records,
    register,
)
from navigate_safer.services.intervention_requests import Asked

PERSON = "W-EXC"
MEMBERS = ("W-EXC", "W-CUR", "W-RES")
ENTRY = next(each for each in shipped().interventions if each.code == "behaviour-change")


def offer_of(world: World) -> str:
    """The behaviour change programme, on the menu of the west."""
    sessions, scope = world.database.sessions, scope_of(world, "supervisor")
    with sessions() as session:
        known = menu.offers(session, scope)
    if known:
        return known[0].ref
    return menu.add(sessions, scope, west(world), ENTRY, "pilot", world.clock())


def asked_of(world: World) -> str:
    """A request for it."""
    offer_of(world)
    sessions, scope = world.database.sessions, scope_of(world, "manager")
    page = intervention_requests.of_person(sessions, scope, PERSON, world.clock())
    if page.requests:
        return page.requests[0].ref
    asked = Asked(ENTRY.code, Motivation.MOTIVATED, AlcoholNeed.NONE)
    return intervention_requests.ask(sessions, scope, PERSON, asked, world.clock())


def group_of(world: World, *members: str, **changed: object) -> str:
    """A group of three that met for the first time a week ago."""
    sessions, scope = world.database.sessions, scope_of(world, "facilitator")
    with sessions() as session:
        known = records.listed(session, scope, GROUP)
    if known:
        return known[0].ref
    before = world.clock() - timedelta(days=7)
    first = day_of(before)
    values = {
        "name": "Friday evening", "template": ENTRY.code + "-22", "template_version": "",
        "place": "Boughton centre", "starts_on": first, "starts_at": "18:30", "minutes": 150,
        "facilitators": (staff_id(world, "facilitator"),), **changed,
    }  # fmt: skip
    ref = groups.make(sessions, scope, west(world), Group(**values), before)
    for number, each in enumerate(members or MEMBERS, start=1):
        group_members.join(sessions, scope, ref, each, first, replaces=number, now=before)
    return ref


def class_of(world: World) -> str:
    """The record of the group's first session."""
    ref = group_of(world)
    with world.database.sessions() as session:
        scope = scope_of(world, "facilitator")
        return records.in_slots(session, scope, REGISTER, groups.slot_of(ref))[0].ref


def session_of(world: World) -> str:
    """A session of one person that was held this afternoon and is not recorded."""
    sessions, scope = world.database.sessions, scope_of(world, "facilitator")
    with sessions() as session:
        known = [x for x in records.listed(session, scope, SITTING) if not x.body.group_ref]
    if known:
        return known[0].ref
    at = world.clock() - timedelta(hours=5)
    made = Sitting("Early signs", "", Mode.IN_PERSON, at, 60, "Boughton centre", rar=True)
    (ref,) = individual_sessions.plan(sessions, scope, PERSON, made, 1, world.clock())
    return ref


def larger_group(world: World, count: int) -> list[str]:
    """References of so many more people of the west, without a tag or an order."""
    born = date(1990, 1, 1)
    people = [
        Wearer(f"W-X{n}", f"Wearer Number {n}", born, "west", "Hoole", "medium", "manager", [], [])
        for n in range(1, count + 1)
    ]
    register.register(world.database.sessions, CaseFile(v=1, wearers=people), world.clock())
    return [each.ref for each in people]
