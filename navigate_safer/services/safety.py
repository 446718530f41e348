"""Contact with those who are protected, and the safety check before contact with a perpetrator."""

from datetime import date, datetime

import msgspec
import phonenumbers
from sqlalchemy.orm import Session

from navigate_safer.db import audit, victims
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import VictimRow
from navigate_safer.db.victims import Victim, VictimChangeRow, VictimLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.records import Due, Record
from navigate_safer.people.safety import (
    CONTACT,
    DISCLOSURE,
    SAFETY_CHECK,
    Answer,
    Contact,
    Disclosure,
    Feels,
    SafetyCheck,
    address_to_keep,
)
from navigate_safer.services import records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About

ASKED, DONE = "asked", "followed"


class Details(msgspec.Struct, frozen=True):
    """How somebody protected can be reached."""

    name: str
    address: str
    phone: str
    in_refuge: bool


class ChangedMeanwhile(Exception):
    """Somebody else has changed her details since they were read."""


class BadNumber(ValueError):
    """Not a telephone number."""


class VictimInList(msgspec.Struct, frozen=True):
    """Somebody protected with her newest contact; None when there was none."""

    line: VictimLine
    newest: Record[Contact] | None


class VictimsPage(msgspec.Struct, frozen=True):
    """The IDVA's list: who waits for an answer first, then those protected."""

    asked: list[Record[SafetyCheck]]
    people: list[VictimInList]
    feel: dict[Feels, int]


class VictimPage(msgspec.Struct, frozen=True):
    """One who is protected, with every contact and disclosure."""

    victim: Victim
    contacts: list[Record[Contact]]
    disclosures: list[Record[Disclosure]]


class ChecksPage(msgspec.Struct, frozen=True):
    """The safety checks about one wearer: of whoever may see his case."""

    ref: str
    name: str
    protects: bool
    checks: list[Record[SafetyCheck]]


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> VictimsPage:
    """Those protected in the areas of whoever asks; raises Forbidden."""
    scope.require(Permission.SEE_VICTIMS)
    with sessions.begin() as session:
        newest: dict[str | None, Record[Contact]] = {}
        for each in records.listed(session, scope, CONTACT):
            newest.setdefault(each.subject, each)
        people = [VictimInList(line, newest.get(line.ref)) for line in victims.listed(session, scope)]
        asked = records.listed(session, scope, SAFETY_CHECK, states=[ASKED])
        feel = {each: 0 for each in Feels}
        for each in newest.values():
            feel[each.body.feels] += 1
        shown: list[object] = [each.line.victim_id for each in people]
        _looked(session, scope, "protected people", None, now, {"shown": shown})
        return VictimsPage(asked[::-1], people, feel)


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> VictimPage:
    """One who is protected; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        victim = _victim(session, scope, ref)
        contacts = records.listed(session, scope, CONTACT, subject=ref)
        disclosures = records.listed(session, scope, DISCLOSURE, subject=ref)
        _looked(session, scope, "protected person", victim.line.victim_id, now, {})
        return VictimPage(victim, contacts, disclosures)


def write_contact(
    sessions: Sessions, scope: Scope, ref: str, contact: Contact, now: datetime
) -> Record[Contact]:
    """A try to be in contact; the one after it is due on its day. Raises Forbidden, NotFound."""
    with sessions.begin() as session:
        line = _victim(session, scope, ref).line
        # What was due by the contact before is done with this one.
        for old in records.listed(session, scope, CONTACT, subject=ref):
            if old.due is not None:
                records.change(
                    session, scope, CONTACT, old.ref, old.body,
                    replaces=old.version, now=now, state=DONE,
                )  # fmt: skip
        due = None
        if contact.next_on is not None:
            due = Due(end_of(contact.next_on), f"Contact with {ref}", scope.staff_id)
        of = About(line.area_id, subject=ref)
        return records.add(
            session, scope, CONTACT, of, contact, now=now, state=contact.reached.value, due=due
        )


def disclose(
    sessions: Sessions, scope: Scope, ref: str, disclosure: Disclosure, now: datetime
) -> Record[Disclosure]:
    """What she was told, and by whom; raises Forbidden and NotFound.

    The wearer is one of those from whom she is protected.
    """
    with sessions.begin() as session:
        line = _victim(session, scope, ref).line
        if disclosure.wearer not in line.wearers:
            raise NotFound
        of = About(line.area_id, subject=ref)
        kept = records.add(
            session, scope, DISCLOSURE, of, disclosure, now=now, state=disclosure.basis.value
        )
        audit.record(
            session,
            Act.DISCLOSURE,
            "disclosure to a protected person",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="victim",
            subject_id=line.victim_id,
            detail={"record": kept.ref, "basis": disclosure.basis.value},
        )
        return kept


def change_details(
    sessions: Sessions, scope: Scope, ref: str, details: Details, *, replaces: int, now: datetime
) -> None:
    """How she can be reached. Raises Forbidden, NotFound, RefusedAddress, :class:`BadNumber` and
    :class:`ChangedMeanwhile`; that something was changed is kept, never what it was.
    """
    scope.require(Permission.CONTACT_VICTIMS)
    with sessions.begin() as session:
        victim = _victim(session, scope, ref)
        row = session.get_one(VictimRow, victim.line.victim_id, with_for_update=True)
        if _victim(session, scope, ref).version != replaces:
            raise ChangedMeanwhile
        kept: dict[str, object] = {
            "name": details.name,
            "address": address_to_keep(details.address, in_refuge=details.in_refuge),
            "phone": _number(details.phone),
            "in_refuge": details.in_refuge,
        }
        changed = [name for name, value in kept.items() if getattr(row, name) != value]
        if not changed:
            return
        for name in changed:
            setattr(row, name, kept[name])
        what = ", ".join(changed)
        by = {"made_by": scope.staff_id, "made_at": now, "what": what}
        session.add(VictimChangeRow(victim_id=row.id, **by))
        _looked(session, scope, "details changed", row.id, now, {"what": what}, Act.ALTERATION)


def see_checks(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> ChecksPage:
    """The safety checks about a wearer; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        checks = records.listed(session, scope, SAFETY_CHECK, wearer_id=wearer.id)
        records.consulted(session, scope, "safety checks", now, wearer_id=of.wearer_id)
        return ChecksPage(ref, wearer.name, victims.guards(session, wearer.id) > 0, checks)


def ask(
    sessions: Sessions, scope: Scope, ref: str, planned_on: date, what: str, now: datetime
) -> Record[SafetyCheck]:
    """Ask the IDVA before a contact with the perpetrator; raises Forbidden and NotFound."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        due = Due(end_of(planned_on), "Safety check: answer before the contact")
        return records.add(
            session, scope, SAFETY_CHECK, of, SafetyCheck(planned_on, what),
            now=now, state=ASKED, due=due,
        )  # fmt: skip


def answer(
    sessions: Sessions,
    scope: Scope,
    check_ref: str,
    said: Answer,
    holds_until: date,
    *,
    replaces: int,
    now: datetime,
) -> Record[SafetyCheck]:
    """The IDVA's answer; raises Forbidden, NotFound and Stale."""
    scope.require(Permission.CONTACT_VICTIMS)
    with sessions.begin() as session:
        old = records.newest(session, scope, SAFETY_CHECK, check_ref)
        body = msgspec.structs.replace(old.body, answer=said, holds_until=holds_until)
        return records.change(
            session, scope, SAFETY_CHECK, check_ref, body,
            replaces=replaces, now=now, state=said.value,
        )  # fmt: skip


def may_contact(session: Session, scope: Scope, wearer_ref: str, now: datetime) -> Answer | None:
    """The newest answer about a wearer that still holds; None when there is none."""
    of, _ = records.about(session, scope, wearer_ref)
    today = day_of(now)
    for each in records.listed(session, scope, SAFETY_CHECK, wearer_id=of.wearer_id):
        until = each.body.holds_until
        if each.body.answer is not None and until is not None and until >= today:
            return each.body.answer
    return None


def _victim(session: Session, scope: Scope, ref: str) -> Victim:
    found = victims.one(session, scope, ref)
    if found is None:
        raise NotFound
    return found


def _number(typed: str) -> str | None:
    if not typed.strip():
        return None
    try:
        number = phonenumbers.parse(typed, "GB")
    except phonenumbers.NumberParseException:
        raise BadNumber from None
    if not phonenumbers.is_possible_number(number):
        raise BadNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _looked(
    session: Session,
    scope: Scope,
    what: str,
    victim_id: int | None,
    now: datetime,
    detail: dict[str, object],
    act: Act = Act.CONSULTATION,
) -> None:
    audit.record(
        session,
        act,
        what,
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="victim",
        subject_id=victim_id,
        detail=detail,
    )
