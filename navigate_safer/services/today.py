"""Who needs me today: open alerts and what is due, by person, the most pressing first."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import board, case_records, caseload, closed_cases
from navigate_safer.db.base import Sessions
from navigate_safer.db.board import BoardLine
from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.caseload import CaseLine
from navigate_safer.people import record_kinds
from navigate_safer.people.access import Permission, Scope
from navigate_safer.services import cohort_watch, records

# What falls due within a day belongs to this morning: it can still be done in time.
AHEAD = timedelta(hours=24)


class DueLine(msgspec.Struct, frozen=True):
    """Something that is due; ``overdue`` when its time has passed."""

    kind: str
    label: str
    record_ref: str
    what: str
    at: datetime
    overdue: bool
    mine: bool


class PersonToday(msgspec.Struct, frozen=True):
    """A person who needs somebody, with what and why."""

    person: CaseLine
    alerts: list[BoardLine]
    due: list[DueLine]

    @property
    def pressing(self) -> tuple[int, int, datetime | None]:
        """The order of the list: open alerts, then what is overdue."""
        first = min((each.at for each in self.due), default=None)
        return -len(self.alerts), -sum(each.overdue for each in self.due), first


class Today(msgspec.Struct, frozen=True):
    """The morning view. ``area_due`` is what is due and about nobody in particular."""

    people: list[PersonToday]
    area_due: list[DueLine]
    mine: bool


def see(sessions: Sessions, scope: Scope, now: datetime, *, mine: bool) -> Today:
    """Of the whole area, or with ``mine`` of those whom this person manages or was asked about."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        # An alert asks for somebody, also where the case is closed.
        lines = caseload.caseload(session, scope, closed=True)
        own = caseload.managed_by(session, scope, scope.staff_id)
        due = _due(session, scope, now)
        alerts = _open_alerts(session, scope)
        people = [
            PersonToday(line, alerts.get(line.ref, []), due.get(line.wearer_id, []))
            for line in lines
        ]
        shown = [
            each
            for each in people
            if (each.alerts or each.due)
            and (not mine or each.person.wearer_id in own or any(item.mine for item in each.due))
        ]
        shown.sort(key=lambda each: (*each.pressing[:2], each.pressing[2] or now))
        of_area = [each for each in due.get(None, []) if each.mine or not mine]
        ids: list[object] = [each.person.wearer_id for each in shown]
        records.consulted(session, scope, "today", now, detail={"people": ids})
        return Today(shown, of_area, mine)


def _due(session: Session, scope: Scope, now: datetime) -> dict[int | None, list[DueLine]]:
    """By person; with a closed case only what was written after it was closed."""
    kinds = record_kinds.seen_by(scope)
    found: dict[int | None, list[DueLine]] = {}
    closed = closed_cases.since(session, scope)
    for row, _wearer, _author in case_records.due_by(session, scope, kinds, now + AHEAD):
        closed_at = closed.get(row.wearer_id)
        if closed_at is not None and row.made_at <= closed_at:
            continue
        found.setdefault(row.wearer_id, []).append(_line(row, scope, now))
    for wearer_id, asked in cohort_watch.asked(session, scope, now).items():
        found.setdefault(wearer_id, []).extend(
            DueLine(each.kind.name, each.kind.label, "", each.what, each.at, each.at < now, False)
            for each in asked
        )
    return found


def _line(row: CaseRecordRow, scope: Scope, now: datetime) -> DueLine:
    assert row.due_at is not None, "the query asked for those that are due"
    return DueLine(
        row.kind,
        record_kinds.BY_NAME[row.kind].label,
        row.ref,
        row.due_what or "",
        row.due_at,
        row.due_at < now,
        row.due_who == scope.staff_id,
    )


def _open_alerts(session: Session, scope: Scope) -> dict[str, list[BoardLine]]:
    if not scope.may(Permission.SEE_BOARD):
        return {}
    return _by_wearer(board.unresolved(session, scope))


def _by_wearer(lines: Iterable[BoardLine]) -> dict[str, list[BoardLine]]:
    found: dict[str, list[BoardLine]] = {}
    for line in lines:
        found.setdefault(line.wearer_ref, []).append(line)
    return found
