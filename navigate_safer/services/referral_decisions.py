"""Decide on a referral: take somebody on, put it to somebody known, send it elsewhere, or ask.

A person's record is made, the band set and everything noted in one transaction. Nobody is joined
with somebody else but by an officer's word, and somebody who looks like one of those known is made
anew only with a reason.
"""

import secrets
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.assessments import JUDGEMENT, LIVE, Basis, By, Judgement
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.records import Due, Record
from navigate_safer.people.referrals import (
    REFERRAL,
    Band,
    Decision,
    Diversion,
    History,
    IntakeSettings,
    Outcome,
    Referral,
    age_on,
    history,
    years_for_serial,
)
from navigate_safer.services import (
    bands,
    duplicates,
    records,
    referral_notes,
    referral_settings,
)
from navigate_safer.services.duplicates import PERSON
from navigate_safer.services.records import About, Stale
from navigate_safer.services.referral_notes import Noted
from navigate_safer.services.referrals import WAITING, earlier

NEW = "new"
ACCESS_TEAM = "Access team"
FIRST_ASSESSMENT = "First assessment after triage"
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REF_LENGTH = 5


class Wish(msgspec.Struct, frozen=True):
    """What an officer decides. ``put_to``: a wearer's reference, ``new``, or empty for nobody."""

    outcome: Outcome
    reason: str
    put_to: str = ""
    band: Band | None = None
    not_same: str = ""
    destination: str = ""
    diversion: Diversion | None = None
    asked_of: str = ""
    answer_by: date | None = None


class CannotDecide(Exception):
    """The decision is not complete; ``field`` names where, the text says what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def decide(
    sessions: Sessions, scope: Scope, ref: str, wish: Wish, replaces: int, now: datetime
) -> str | None:
    """Keep the decision; the reference of the person it was put to, None for nobody.

    Raises :class:`CannotDecide`, Stale, Forbidden, NotFound.
    """
    scope.require(REFERRAL.write)
    with sessions.begin() as session:
        record = records.newest(session, scope, REFERRAL, ref)
        if record.version != replaces:
            raise Stale(record)
        if record.state not in WAITING:
            raise CannotDecide(
                "outcome", "This referral is decided. Enter a new one if there is something new"
            )
        settings = referral_settings.in_force(session, scope, record.area_id)
        _check(wish, settings, record, now)
        if not wish.put_to or not wish.outcome.final:
            _keep(session, scope, record, wish, None, _history(session, scope, record, None), now)
            return None
        if wish.put_to == NEW:
            _refuse_twin(session, scope, record, wish)
            of, wearer = _take_on(session, record, wish)
        else:
            of, wearer = records.about(session, scope, wish.put_to)
        known = _history(session, scope, record, of)
        _keep(session, scope, record, wish, (of, wearer), known, now)
        news = Noted(record, wish.outcome, wish.destination, known, wish.put_to != NEW)
        referral_notes.note(session, scope, news, of, wearer, now)
        if wish.put_to == NEW:
            _judge(session, scope, wish, of, wearer, settings, now)
        return wearer.ref


def _check(wish: Wish, settings: IntakeSettings, record: Record[Referral], now: datetime) -> None:
    if wish.outcome.goes_elsewhere and not wish.destination:
        raise CannotDecide("destination", "Select where it goes")
    if wish.outcome is Outcome.DIVERTED and wish.diversion is None:
        raise CannotDecide("diversion", "Select why it goes elsewhere")
    if wish.outcome is Outcome.MORE_INFORMATION:
        if not wish.asked_of:
            raise CannotDecide("asked_of", "Enter who is asked")
        if wish.answer_by is None or wish.answer_by < day_of(now):
            raise CannotDecide("answer_by", "Enter the day by which the answer is needed")
    if wish.put_to == NEW and not wish.outcome.makes_case:
        raise CannotDecide("put_to", "A record is made only of somebody who is taken on")
    if wish.outcome.makes_case:
        _check_case(wish, settings, record, now)


def _check_case(
    wish: Wish, settings: IntakeSettings, record: Record[Referral], now: datetime
) -> None:
    if not wish.put_to:
        raise CannotDecide("put_to", "Select whom it is about")
    if wish.put_to != NEW:
        return
    born_on = record.body.person.born_on
    if born_on is None:
        what = "The referral has no date of birth: ask for more information first"
        raise CannotDecide("put_to", what)
    age = age_on(born_on, day_of(now))
    if age < settings.least_age:
        what = f"Somebody of {age} is not taken on before {settings.least_age}: divert the referral"
        raise CannotDecide("outcome", what)
    if wish.band is None:
        raise CannotDecide("band", "Select the band until the first assessment")


def _refuse_twin(session: Session, scope: Scope, record: Record[Referral], wish: Wish) -> None:
    found = duplicates.alike(session, scope, record.body.person, record.ref)
    likely = [each.ref for each in found if each.kind == PERSON and each.match.likely]
    if likely and not wish.not_same:
        who = " or ".join(likely)
        raise CannotDecide("not_same", f"Enter why this is not {who}, or put it to that person")


def _take_on(session: Session, record: Record[Referral], wish: Wish) -> tuple[About, WearerRow]:
    person = record.body.person
    assert person.born_on is not None, "looked at before"
    assert wish.band is not None, "looked at before"
    known = rows.refs(session)
    while (ref := _drawn()) in known:
        pass
    wearer = WearerRow(
        ref=ref,
        name=person.name,
        born_on=person.born_on,
        area_id=record.area_id,
        locality=record.body.locality,
        band=wish.band.value,
    )
    session.add(wearer)
    session.flush()
    return About(wearer.area_id, wearer.id), wearer


def _drawn() -> str:
    return "W-" + "".join(secrets.choice(_LETTERS) for _ in range(_REF_LENGTH))


def _history(session: Session, scope: Scope, record: Record[Referral], of: About | None) -> History:
    """Repeat and serial of somebody known, or of whoever is not on the caseload (None).

    Referrals that became no case have no wearer: those that are likely of the same person count.
    """
    settings = referral_settings.in_force(session, scope, record.area_id)
    likely = [
        each.since
        for each in duplicates.alike(session, scope, record.body.person, record.ref)
        if each.kind == duplicates.OTHER and each.match.likely and each.since is not None
    ]
    before: list[datetime] = []
    victims = 0
    if of is not None and of.wearer_id is not None:
        since = years_for_serial(day_of(record.at), settings)
        victims = rows.offences(session, scope, of.wearer_id, since, since).victims
        before = earlier(session, scope, of.wearer_id)
    return history(record.body.facts, record.at, before, victims, settings, likely)


def _keep(
    session: Session,
    scope: Scope,
    record: Record[Referral],
    wish: Wish,
    put_to: tuple[About, WearerRow] | None,
    known: History,
    now: datetime,
) -> None:
    decision = Decision(
        outcome=wish.outcome,
        reason=wish.reason,
        at=now,
        destination=wish.destination if wish.outcome.goes_elsewhere else "",
        diversion=wish.diversion if wish.outcome is Outcome.DIVERTED else None,
        asked_of=wish.asked_of if not wish.outcome.final else "",
        answer_by=wish.answer_by if not wish.outcome.final else None,
        wearer="" if put_to is None else put_to[1].ref,
        made_new=wish.put_to == NEW,
        not_same=wish.not_same if wish.put_to == NEW else "",
        repeat=known.repeat,
        serial=known.serial,
        why=known.why,
    )
    due = None
    if wish.answer_by is not None and not wish.outcome.final:
        due = Due(end_of(wish.answer_by), "Decide on a referral that waits for an answer")
    records.change(
        session, scope, REFERRAL, record.ref,
        msgspec.structs.replace(record.body, decision=decision),
        replaces=record.version, now=now, state=wish.outcome.value, due=due, reason=wish.reason,
        of=None if put_to is None else put_to[0],
    )  # fmt: skip


def _judge(
    session: Session,
    scope: Scope,
    wish: Wish,
    of: About,
    wearer: WearerRow,
    settings: IntakeSettings,
    now: datetime,
) -> None:
    """The band of triage is a judgement that the first assessment looks at again."""
    assert wish.band is not None and of.wearer_id is not None, "looked at before"  # noqa: PT018
    today = day_of(now)
    review_on = today + timedelta(days=settings.assess_within_days)
    by = By("", ACCESS_TEAM, today, review_on)
    body = Judgement(wish.band, wish.reason, Basis.TRIAGE, None, by)
    records.add(
        session, scope, JUDGEMENT, of, body,
        now=now, state=LIVE, slot=bands.judgement_slot(of.wearer_id),
        due=Due(end_of(review_on), FIRST_ASSESSMENT), reason=wish.reason,
    )  # fmt: skip
    bands.settle(session, scope, of, wearer, now, agency=ACCESS_TEAM, reason=wish.reason)
