"""Records of casework of the small office, made as its staff would make them, each once."""

from datetime import date, timedelta

from web.on_call import scope_of, west
from web.world import World

from navigate_safer.people.assessment_forms import Evidence, form
from navigate_safer.people.assessments import By, Needs, PartnerRating
from navigate_safer.people.panels import Action, Panel, PanelKind
from navigate_safer.people.partners import Mapped
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Caller,
    Facts,
    Outcome,
    Person,
    Referral,
)
from navigate_safer.people.rfgv import RfgvInputs
from navigate_safer.people.safety import SAFETY_CHECK
from navigate_safer.services import (
    assessments,
    hub,
    panels,
    partner_import,
    records,
    referral_decisions,
    referrals,
    rfgv_scores,
    safety_checks,
)
from navigate_safer.services.assessments import DashWish
from navigate_safer.services.referral_decisions import Wish

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
    return safety_checks.ask(sessions, scope, PERSON, day, "A visit at home", world.clock()).ref


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


def referral_of(world: World) -> str:
    """A referral of somebody who is very like W-EXC, waiting for a decision."""
    sessions, scope, at = world.database.sessions, scope_of(world, "access"), world.clock()
    known = referrals.queue(sessions, scope, at).waiting
    if known:
        return known[0].record.ref
    person = Person("Leofric Umbreshaw", [], date(1987, 2, 4), crn="X123456")
    facts = Facts(HELD_ON, "Shouting", *[Answered.NOT_KNOWN] * 5, victims=2)
    made = Referral(person, "Boughton", "Probation", Caller.AGENCY, "", "Help", True, facts)
    return referrals.take_in(sessions, scope, "west", made, at - timedelta(hours=1), at)


def taken_on(world: World, put_to: str = "new") -> str:
    """The reference of somebody without an order who was taken on, or referred again."""
    sessions, scope, at = world.database.sessions, scope_of(world, "access"), world.clock()
    person = Person("Godric Wistaston", [], date(1990, 5, 6), pnc="12/0123456A")
    facts = Facts(HELD_ON, "Shouting", *[Answered.NOT_KNOWN] * 5)
    made = Referral(person, "Hoole", "Probation", Caller.AGENCY, "", "Help", False, facts)
    ref = referrals.take_in(sessions, scope, "west", made, at, at)
    wish = Wish(Outcome.APPROPRIATE, "He is willing", put_to=put_to, band=Band.MEDIUM)
    kept = referral_decisions.decide(sessions, scope, ref, wish, 1, at)
    assert kept is not None, "he was put to somebody"
    return kept


def assessed(world: World) -> None:
    """W-EXC with a Dash of V-1 that judgement raised, needs, a partner's rating and a score."""
    sessions, scope, at = world.database.sessions, scope_of(world, "manager"), world.clock()
    if assessments.see(sessions, scope, PERSON, at).dashes:
        return
    items = [item.id for item in form("dash").items()]
    answers = {item: Evidence("yes" if n < 9 else "no") for n, item in enumerate(items)}
    by = By("M. Ashworthy", "Probation", HELD_ON, HELD_ON + timedelta(days=90))
    wish = DashWish("V-1", answers, None, Band.HIGH, "He has found her before", by)
    assessments.save_dash(sessions, scope, PERSON, wish, replaces=0, now=at)
    needed = {
        item.id: Evidence("some", "seen", "Police", HELD_ON) for item in form("needs").items()
    }
    needs = Needs("1", needed, "Alcohol, then housing", by)
    assessments.save_needs(sessions, scope, PERSON, needs, replaces=0, now=at)
    rated = PartnerRating("OGRS", "3", "Medium", Band.MEDIUM, "Probation", HELD_ON, None, "", "")
    assessments.save_rating(sessions, scope, PERSON, rated, at)
    inputs = RfgvInputs(HELD_ON, HELD_ON - timedelta(days=45), 6, "injury", 2)
    rfgv_scores.save(
        sessions, scope, PERSON, inputs, agency="Police", evidence="its records", replaces=0, now=at
    )
