"""The safety check that an officer asks for before contact with a perpetrator."""

from datetime import date, datetime

import msgspec

from navigate_safer.db import victims
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.records import Due, Record
from navigate_safer.people.safety import SAFETY_CHECK, Answer, SafetyCheck
from navigate_safer.services import records

ASKED = "asked"


class ChecksPage(msgspec.Struct, frozen=True):
    """The safety checks about one wearer: of whoever may see his case."""

    ref: str
    name: str
    protects: bool
    checks: list[Record[SafetyCheck]]


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


def may_contact(sessions: Sessions, scope: Scope, wearer_ref: str, now: datetime) -> Answer | None:
    """The answer about a wearer that was given last and still holds; None when there is none."""
    today = day_of(now)
    with sessions() as session:
        of, _ = records.about(session, scope, wearer_ref)
        checks = records.listed(session, scope, SAFETY_CHECK, wearer_id=of.wearer_id)
    # By when it was answered: what was asked first may be answered last.
    for each in sorted(checks, key=lambda one: one.made_at, reverse=True):
        until = each.body.holds_until
        if each.body.answer is not None and until is not None and until >= today:
            return each.body.answer
    return None
