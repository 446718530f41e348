"""Referrals that came in, some still waiting, and assessments of part of the cohort."""

from datetime import date, datetime, timedelta
from random import Random

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.assessment_forms import DASH, NEEDS, Answers, Evidence, form
from navigate_safer.people.assessments import By, Needs, PartnerRating, tools
from navigate_safer.people.days import day_of
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Caller,
    Diversion,
    Facts,
    Outcome,
    Person,
    Referral,
    shipped_settings,
)
from navigate_safer.people.rfgv import RfgvInputs
from navigate_safer.services import (
    assessments,
    records,
    referral_decisions,
    referrals,
    rfgv_scores,
)
from navigate_safer.services.assessments import DashWish
from navigate_safer.services.referral_decisions import Wish

SEED = 2013
# Hours from the receipt to the decision, and how long ago, in days; what was decided.
DECIDED = (
    (3, 150, Outcome.DIVERTED), (20, 140, Outcome.DIVERTED), (30, 120, Outcome.STEP_DOWN),
    (5, 100, Outcome.DIVERTED), (9, 80, Outcome.STEP_DOWN), (2, 64, Outcome.DIVERTED),
    (14, 40, Outcome.DIVERTED), (26, 30, Outcome.STEP_DOWN), (7, 12, Outcome.DIVERTED),
    (4, 3, Outcome.STEP_DOWN),
)  # fmt: skip
NAMES = (
    "Callum Farrimond", "Stacey Hignett", "Wayne Pargeter", "Gareth Sproston", "Kyle Tickle",
    "Donna Quinney", "Neil Ravenscroft", "Liam Scragg", "Barry Woodier", "Paul Yarwood",
)  # fmt: skip
WAITING = ("Ross Marbrow", "Tyler Minshull", "Shaun Ollier")
PUT_TO = 4
ASSESSED = 4
SAID = "Shouting and a broken door; neighbours rang."
WHY = "The pattern is known; somebody should work with him."


def sprinkle_intake(office: Office, now: datetime) -> None:
    """Referrals and assessments, once."""
    if referrals.queue(office.sessions, office.scope(Role.ACCESS_TEAM), now).waiting:
        return
    rng = Random(SEED)
    for name, (hours, days, outcome) in zip(NAMES, DECIDED, strict=True):
        received_at = now - timedelta(days=days)
        ref = _refer(office, _stranger(name, rng), received_at, rng)
        _decide(office, ref, _elsewhere(outcome, rng), received_at + timedelta(hours=hours))
    for number, ref in enumerate(office.wearers[:PUT_TO]):
        received_at = now - timedelta(days=60 - 7 * number)
        made = _refer(office, _known(office, ref), received_at, rng)
        wish = Wish(Outcome.APPROPRIATE, "He is willing to talk.", put_to=ref)
        _decide(office, made, wish, received_at + timedelta(hours=6))
    for name, hours in zip(WAITING, (30, 9, 2), strict=True):
        _refer(office, _stranger(name, rng), now - timedelta(hours=hours), rng)
    # One who is on the caseload already, with a slip of the pen.
    _refer(office, _slipped(_known(office, office.wearers[-1])), now - timedelta(hours=1), rng)
    for number, ref in enumerate(office.wearers[:ASSESSED]):
        _assess(office, ref, number, now)


def _stranger(name: str, rng: Random) -> Person:
    born_on = date(1968, 1, 1) + timedelta(days=rng.randrange(12_000))
    return Person(name, [], born_on, crn=f"X{rng.randrange(10**6):06d}")


def _known(office: Office, ref: str) -> Person:
    with office.sessions.begin() as session:
        _, row = records.about(session, office.scope(Role.ACCESS_TEAM), ref)
        return Person(row.name, [], row.born_on)


def _slipped(person: Person) -> Person:
    """The last two letters of the name swapped."""
    name = person.name[:-2] + person.name[-1] + person.name[-2]
    return Person(name, [], person.born_on)


def _refer(office: Office, person: Person, received_at: datetime, rng: Random) -> str:
    maybe = (Answered.YES, Answered.NO, Answered.NOT_KNOWN, Answered.NOT_COLLECTED)
    alcohol, drugs, repeat, children = rng.choices(maybe, (3, 3, 1, 1), k=4)
    facts = Facts(
        day_of(received_at) - timedelta(days=1), SAID, alcohol, drugs, repeat, Answered.NO,
        children, rng.choice((None, 1, 1, 2, 3)),
    )  # fmt: skip
    source = rng.choice(shipped_settings().sources[:8])
    made = Referral(person, "Chester", source, Caller.AGENCY, "", WHY, rng.random() < 0.2, facts)
    scope = office.scope(Role.ACCESS_TEAM)
    return referrals.take_in(
        office.sessions, scope, office.area_ref, made, received_at, received_at
    )


def _elsewhere(outcome: Outcome, rng: Random) -> Wish:
    if outcome is Outcome.STEP_DOWN:
        return Wish(outcome, "Early help can hold this.", destination="Team Around the Family")
    diversion = rng.choice((Diversion.BETTER_SERVED, Diversion.INAPPROPRIATE))
    return Wish(
        outcome, "Drink is the matter, and no partner is harmed.", diversion=diversion,
        destination="Drug and alcohol service",
    )  # fmt: skip


def _decide(office: Office, ref: str, wish: Wish, at: datetime) -> None:
    scope = office.scope(Role.ACCESS_TEAM)
    referral_decisions.decide(office.sessions, scope, ref, wish, 1, at)


def _assess(office: Office, ref: str, number: int, now: datetime) -> None:
    sessions, manager = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    on = day_of(now) - timedelta(days=20 + number)
    by = By("Offender manager", "Probation", on, day_of(now) + timedelta(days=10 * number + 1))
    levels = ("none", "some", "much")
    answers = {
        item.id: Evidence(levels[(number + place) % 3], "seen at home", "Probation", on)
        for place, item in enumerate(form(NEEDS).items())
    }
    needs = Needs(form(NEEDS).version, answers, "Drink first, then a home of his own.", by)
    assessments.save_needs(sessions, manager, ref, needs, replaces=0, now=now)
    ogrs = tools().named("OGRS")
    assert ogrs is not None, "the catalogue has it"
    word = ("Low", "Medium", "High")[number % 3]
    rating = PartnerRating("OGRS", "3", word, ogrs.ratings[word], "Probation", on, None, "", "")
    assessments.save_rating(sessions, manager, ref, rating, now)
    last_on = on - timedelta(days=45 * number)
    inputs = RfgvInputs(on, last_on, 6 - number // 2, "injury", 1 + number % 3)
    rfgv_scores.save(
        sessions, manager, ref, inputs, agency="Police", evidence="Police records", replaces=0,
        now=now,
    )  # fmt: skip
    _dash(office, ref, number, on, now)


def _dash(office: Office, ref: str, number: int, on: date, now: datetime) -> None:
    idva = office.scope(Role.IDVA)
    victims = assessments.see(office.sessions, idva, ref, now).victims[:2]
    by = By("IDVA", "IDVA service", on, day_of(now) + timedelta(days=14 + number))
    for place, victim in enumerate(victims):
        judged = Band.HIGH if (number + place) % 4 == 0 else None
        wish = DashWish(
            victim, _ticked(6 + 2 * number - place), None, judged,
            "He has found her before." if judged else "", by,
        )  # fmt: skip
        assessments.save_dash(office.sessions, idva, ref, wish, replaces=0, now=now)


def _ticked(ticks: int) -> Answers:
    return {
        item.id: Evidence("yes" if place < ticks else "no")
        for place, item in enumerate(form(DASH).items())
    }
