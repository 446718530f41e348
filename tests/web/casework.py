"""Records of casework of the small office, made as its staff would make them, each once."""

from datetime import date, timedelta

from web.on_call import scope_of, west
from web.world import World

from navigate_safer.people.panels import Action, Panel, PanelKind
from navigate_safer.people.partners import Mapped
from navigate_safer.people.safety import SAFETY_CHECK
from navigate_safer.services import hub, panels, partner_import, records, safety

HELD_ON = date(2026, 11, 3)
PERSON = "W-EXC"


def meeting_of(world: World) -> str:
    """A MARAC at which one person is heard again, with an action."""
    sessions, scope, at = world.database.sessions, scope_of(world, "manager"), world.clock()
    known = panels.see_all(sessions, scope, at)
    if known.coming:
        return known.coming[0].ref
    panel = Panel(PanelKind.MARAC, HELD_ON, "10:00", "C. Hairburgh")
    made = panels.plan(sessions, scope, west(world), panel, at)
    referred = HELD_ON - timedelta(days=9)
    panels.list_person(sessions, scope, made.ref, PERSON, referred, "police", "three calls", at)
    action = Action(made.ref, "Offer a place", "probation", "P. Officer", HELD_ON)
    panels.ask(sessions, scope, made.ref, PERSON, action, at)
    return made.ref


def hearing_of(world: World) -> str:
    ref = meeting_of(world)
    page = panels.see(world.database.sessions, scope_of(world, "manager"), ref, world.clock())
    return page.items[0].ref


def action_of(world: World) -> str:
    ref = meeting_of(world)
    page = panels.see(world.database.sessions, scope_of(world, "manager"), ref, world.clock())
    return page.actions[0].ref


def check_of(world: World) -> str:
    """A safety check that waits for its answer."""
    sessions, scope = world.database.sessions, scope_of(world, "manager")
    with sessions() as session:
        known = records.listed(session, scope, SAFETY_CHECK)
    if known:
        return known[0].ref
    day = world.clock().date()
    return safety.ask(sessions, scope, PERSON, day, "A visit at home", world.clock()).ref


EXTRACT = b"""reference,person,date,type,summary
A-1,W-EXC,03/11/2026,hearing,Adjourned for reports
A-2,W-NOBODY,03/11/2026,hearing,Somebody else
A-3,W-EXC,3 November,hearing,A date that is none
"""


def extract_of(world: World) -> str:
    """An extract of the courts, read: one row is in, one is not ours, one was kept out."""
    sessions, scope, at = world.database.sessions, scope_of(world, "supervisor"), world.clock()
    known = hub.see(sessions, scope, at)
    if known.imports:
        return str(known.imports[0].import_id)
    columns = {"entry": "reference", "person": "person", "on": "date", "kind": "type"}
    mapped = Mapped("courts", {**columns, "what": "summary"}, "Agreement of 2026, s.115 CDA 1998")
    partner_import.keep_setting(sessions, scope, west(world), mapped, replaces=0, now=at)
    day = world.clock().date()
    made, _ = partner_import.take(
        sessions, scope, "courts", west(world), "courts.csv", EXTRACT, day, at
    )
    assert partner_import.read_waiting(sessions, at) == 1
    return str(made)
