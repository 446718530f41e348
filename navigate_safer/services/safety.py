"""Contact with those who are protected, and the safety check before contact with a perpetrator."""

from datetime import UTC, datetime

import msgspec
import phonenumbers
from sqlalchemy.orm import Session

from navigate_safer.db import audit, victims
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import VictimRow
from navigate_safer.db.victims import Victim, VictimChangeRow, VictimLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.days import end_of
from navigate_safer.people.records import Due, Record
from navigate_safer.people.safety import (
    CONTACT,
    DISCLOSURE,
    SAFETY_CHECK,
    Contact,
    Disclosure,
    Feels,
    SafetyCheck,
    address_to_keep,
)
from navigate_safer.services import records, safety_checks
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About

DONE = "followed"
# A page of the list; the search finds the others.
MOST_SHOWN = 100


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
    found: int
    feel: dict[Feels, int]


class VictimPage(msgspec.Struct, frozen=True):
    """One who is protected, with every contact and disclosure."""

    victim: Victim
    contacts: list[Record[Contact]]
    disclosures: list[Record[Disclosure]]


def see_all(sessions: Sessions, scope: Scope, search: str, now: datetime) -> VictimsPage:
    """Those protected in the areas of whoever asks: who is to be called first; raises Forbidden."""
    scope.require(Permission.SEE_VICTIMS)
    with sessions.begin() as session:
        newest: dict[str | None, Record[Contact]] = {}
        for each in records.listed(session, scope, CONTACT):
            newest.setdefault(each.subject, each)
        words = search.strip().casefold()
        people = [
            VictimInList(line, newest.get(line.ref))
            for line in victims.listed(session, scope)
            if words in f"{line.name} {line.ref} {' '.join(line.wearers)}".casefold()
        ]
        people.sort(key=_who_first)
        asked = records.listed(session, scope, SAFETY_CHECK, states=[safety_checks.ASKED])
        feel = dict.fromkeys(Feels, 0)
        for each in newest.values():
            feel[each.body.feels] += 1
        found, people = len(people), people[:MOST_SHOWN]
        shown: list[object] = [each.line.victim_id for each in people]
        audit.looked(session, scope, "protected people", "victim", None, now, {"shown": shown})
        return VictimsPage(asked[::-1], people, found, feel)


def _who_first(each: VictimInList) -> tuple[bool, datetime, str]:
    """Those with a day for the next contact, by that day; then the others by reference."""
    due = each.newest.due if each.newest is not None else None
    at = datetime.max.replace(tzinfo=UTC) if due is None else due.at
    return due is None, at, each.line.ref


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> VictimPage:
    """One who is protected; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        victim = one_of(session, scope, ref)
        contacts = records.listed(session, scope, CONTACT, subject=ref)
        disclosures = records.listed(session, scope, DISCLOSURE, subject=ref)
        audit.looked(session, scope, "protected person", "victim", victim.line.victim_id, now)
        return VictimPage(victim, contacts, disclosures)


def write_contact(
    sessions: Sessions, scope: Scope, ref: str, contact: Contact, now: datetime
) -> Record[Contact]:
    """A try to be in contact; the one after it is due on its day. Raises Forbidden, NotFound."""
    with sessions.begin() as session:
        line = one_of(session, scope, ref).line
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
        line = one_of(session, scope, ref).line
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
        victim = one_of(session, scope, ref)
        row = session.get_one(VictimRow, victim.line.victim_id, with_for_update=True)
        if one_of(session, scope, ref).version != replaces:
            raise ChangedMeanwhile
        kept: dict[str, object] = {
            "name": details.name,
            "address": address_to_keep(details.address, in_refuge=details.in_refuge),
            "phone": number_to_keep(details.phone),
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
        audit.record(
            session,
            Act.ALTERATION,
            "details changed",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="victim",
            subject_id=row.id,
            detail={"what": what},
        )


def one_of(session: Session, scope: Scope, ref: str) -> Victim:
    """One who is protected, within the caller's transaction; raises Forbidden and NotFound."""
    found = victims.one(session, scope, ref)
    if found is None:
        raise NotFound
    return found


def number_to_keep(typed: str) -> str | None:
    """A telephone number as E.164, None for none; raises :class:`BadNumber`."""
    if not typed.strip():
        return None
    try:
        number = phonenumbers.parse(typed, "GB")
    except phonenumbers.NumberParseException:
        raise BadNumber from None
    if not phonenumbers.is_possible_number(number):
        raise BadNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
