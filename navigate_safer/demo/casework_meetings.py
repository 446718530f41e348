"""A MARAC that was held, one that comes, and contact with those protected."""

from datetime import datetime, timedelta

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.days import day_of
from navigate_safer.people.panels import Action, Attendee, Heard, Panel, PanelKind
from navigate_safer.people.safety import Answer, Contact, Feels, Reached
from navigate_safer.services import panels, safety, safety_checks

HEARD_BEFORE, HEARD_NEXT = timedelta(days=22), timedelta(days=6)
WHY = (
    "Four calls in a month; she is afraid that he comes to her work.",
    "Strangulation alleged; there are children under five in the house.",
    "He has traced a new address once before.",
)


def sprinkle_meetings(office: Office, now: datetime) -> None:
    """The meetings of the area, their actions, two safety checks and some contacts."""
    _held(office, now)
    _coming(office, now)
    _safety(office, now)


def _held(office: Office, now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    at = now - HEARD_BEFORE
    panel = Panel(PanelKind.MARAC, day_of(at), "10:00", "Detective inspector, public protection")
    made = panels.plan(sessions, scope, office.area_id, panel, at)
    items = {}
    for number, (ref, why) in enumerate(zip(office.wearers, WHY, strict=False)):
        referred = panel.held_on - timedelta(days=7 + number)
        item = panels.list_person(sessions, scope, made.ref, ref, referred, "Police", why, at)
        items[item.ref] = 1, Heard.HEARD, "Risk shared; each agency has said what it does."
        due = panel.held_on + timedelta(days=14 + 14 * number)
        action = Action(
            made.ref, "Visit and offer a place in a group", "Probation", "Key worker", due
        )
        panels.ask(sessions, scope, made.ref, ref, action, at)
    people = [Attendee(each, "") for each in ("Police", "Probation", "IDVA", "Housing", "Health")]
    kept = Panel(panel.kind, panel.held_on, "10:00", panel.chair, people, "All agencies came.")
    panels.write_minutes(sessions, scope, made.ref, kept, items, replaces=1, now=at)


def _coming(office: Office, now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    day = day_of(now + HEARD_NEXT)
    panel = Panel(PanelKind.MARAC, day, "10:00", "Detective inspector, public protection")
    made = panels.plan(sessions, scope, office.area_id, panel, now)
    for ref in (office.wearers[0], office.wearers[-1]):
        referred = day_of(now) - timedelta(days=2)
        panels.list_person(sessions, scope, made.ref, ref, referred, "IDVA service", WHY[0], now)


def _safety(office: Office, now: datetime) -> None:
    sessions, today = office.sessions, day_of(now)
    manager, idva = office.scope(Role.OFFENDER_MANAGER), office.scope(Role.IDVA)
    first = safety_checks.ask(sessions, manager, office.wearers[0], today, "A visit at home", now)
    until = today + timedelta(days=14)
    safety_checks.answer(sessions, idva, first.ref, Answer.GO_AHEAD, until, replaces=1, now=now)
    safety_checks.ask(sessions, manager, office.wearers[1], today + timedelta(days=1),
               "A warning letter goes out", now)  # fmt: skip
    for number, ref in enumerate(office.victims[:12]):
        feels = (Feels.SAFER, Feels.THE_SAME, Feels.LESS_SAFE)[number % 3]
        again = today + timedelta(days=number)
        contact = Contact(Reached.SPOKE, feels, "", "", "weekday mornings", again)
        safety.write_contact(sessions, idva, ref, contact, now - timedelta(days=14 - number))
