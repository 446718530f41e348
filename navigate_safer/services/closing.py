"""Close a case and open it again: a closed one asks for nobody and counts in no caseload."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import closed_cases
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.closing import CASE, CLOSED, CaseState, why_not_close
from navigate_safer.people.cohort import MEMBERSHIP
from navigate_safer.people.records import Record
from navigate_safer.services import one_record, orders, records
from navigate_safer.services.case_state import is_closed, open_again
from navigate_safer.services.casework import NotFound
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import About


class ClosingPage(msgspec.Struct, frozen=True):
    """Whether a case is closed, by its newest record, and what stands against closing it."""

    ref: str
    name: str
    record: Record[CaseState] | None
    against: list[str]

    @property
    def closed(self) -> bool:
        """Whether it is closed now."""
        return is_closed(self.record)

    @property
    def version(self) -> int:
        """The version of the record, 0 without one."""
        return 0 if self.record is None else self.record.version


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> ClosingPage:
    """How a case stands; raises Forbidden and NotFound."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        records.consulted(session, scope, "case state", now, wearer_id=of.wearer_id)
        found = one_record.live(session, scope, CASE, of)
        return ClosingPage(wearer.ref, wearer.name, found, _against(session, scope, of, now))


def close(
    sessions: Sessions, scope: Scope, ref: str, body: CaseState, replaces: int, now: datetime
) -> Record[CaseState]:
    """Close a case; raises Refused with what stands against it, Stale, Forbidden and NotFound."""
    scope.require(Permission.MANAGE_CASES)
    assert body.why is not None, "a case is closed for a reason"
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        if is_closed(one_record.expect(session, scope, CASE, of, replaces)):
            raise Refused(why="This case is closed already")
        against = _against(session, scope, of, now)
        if against:
            raise Refused(why=f"This case cannot be closed yet: {'; '.join(against)}")
        return one_record.put(
            session, scope, CASE, of, body, replaces=replaces, now=now, state=CLOSED,
            reason=": ".join(filter(None, (body.why.label, body.words))),
        )  # fmt: skip


def _against(session: Session, scope: Scope, of: About, now: datetime) -> list[str]:
    assert of.wearer_id is not None, "a case is about a wearer"
    membership = one_record.live(session, scope, MEMBERSHIP, of)
    live = [
        ", ".join(filter(None, (file.rules.label, file.case_number)))
        for _, file, _ in orders.files_of(session, scope, of)
        if file.stage(now) in {"in_force", "to_come"}
    ]
    return why_not_close(
        in_cohort=membership is not None and membership.body.selected,
        orders=live,
        alerts=closed_cases.open_alerts(session, scope, of.wearer_id),
    )


def reopen(
    sessions: Sessions, scope: Scope, ref: str, words: str, replaces: int, now: datetime
) -> None:
    """Open a closed case again by hand; raises Stale, Forbidden and NotFound."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        if not is_closed(one_record.expect(session, scope, CASE, of, replaces)):
            raise NotFound
        open_again(session, scope, of, words, now)
