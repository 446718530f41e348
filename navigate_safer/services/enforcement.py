"""What the pages about enforcement show: one timeline of failures, letters, breaches and alerts."""

from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import board
from navigate_safer.db.base import Sessions
from navigate_safer.db.board import BoardLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.breaches import BREACH, CLOSED
from navigate_safer.people.days import day_of, start_of
from navigate_safer.people.failures import (
    COUNTED,
    FAILURE,
    PANEL_MONTHS,
    FailureState,
    Panel,
    Source,
    panel,
)
from navigate_safer.people.notices import NOTICE
from navigate_safer.people.orders import OrderFile
from navigate_safer.people.working_days import months_after
from navigate_safer.services import records
from navigate_safer.services.breaches import BreachRecord
from navigate_safer.services.failures import FailureRecord
from navigate_safer.services.notices import NoticeRecord
from navigate_safer.services.orders import files_of

MOST_ALERTS = 200
_SHOWN = {each.value for each in COUNTED}


class Mark(msgspec.Struct, frozen=True):
    """Something on the strip of twelve months: ``left`` from 0 to 1, ``row`` names its line."""

    left: float
    row: str
    look: str
    words: str


class OrderChoice(msgspec.Struct, frozen=True):
    """An order that a failure can be under, with the words of its clauses."""

    order_ref: str
    kind: str
    label: str
    clauses: tuple[str, ...]


class EnforcementPage(msgspec.Struct, frozen=True):
    """Of one wearer. ``alerts`` only for those who may see the board; the newest first."""

    ref: str
    name: str
    panel: Panel
    first: date
    today: date
    marks: list[Mark]
    months: list[tuple[float, str]]
    failures: list[FailureRecord]
    breaches: list[BreachRecord]
    notices: list[NoticeRecord]
    alerts: list[BoardLine]
    reported: set[str]
    orders: list[OrderChoice]

    def of_state(self, *states: str) -> list[FailureRecord]:
        """Failures that have come so far."""
        return [each for each in self.failures if each.state in states]


class FailurePage(msgspec.Struct, frozen=True):
    """One failure with its versions, the newest first, and what it can be under."""

    ref: str
    name: str
    failure: FailureRecord
    versions: list[FailureRecord]
    orders: list[OrderChoice]


class BreachPage(msgspec.Struct, frozen=True):
    """One breach with its versions and its failures, the oldest first."""

    ref: str
    name: str
    breach: BreachRecord
    versions: list[BreachRecord]
    failures: list[FailureRecord]


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> EnforcementPage:
    """Everything of one wearer; raises NotFound, Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        found = records.listed(session, scope, FAILURE, wearer_id=of.wearer_id)
        breaches = records.listed(session, scope, BREACH, wearer_id=of.wearer_id)
        notices = records.listed(session, scope, NOTICE, wearer_id=of.wearer_id)
        alerts = _alerts(session, scope, wearer.id)
        orders = _choices([file for _, file, _ in files_of(session, scope, of)])
        records.consulted(session, scope, "enforcement", now, wearer_id=of.wearer_id)
        today = day_of(now)
        first = months_after(today, -PANEL_MONTHS)
        counted = [day_of(each.at) for each in found if each.state in _SHOWN]
        return EnforcementPage(
            ref=wearer.ref,
            name=wearer.name,
            panel=panel(counted, today, breach=any(each.state != CLOSED for each in breaches)),
            first=first,
            today=today,
            marks=_marks(first, now, found, breaches, alerts),
            months=_months(first, now),
            failures=found,
            breaches=breaches,
            notices=notices,
            alerts=alerts,
            reported={
                each.body.source_ref
                for each in found
                if each.body.source is Source.ALERT and each.state != FailureState.WITHDRAWN.value
            },
            orders=orders,
        )


def see_failure(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> FailurePage:
    """One failure by its own reference; raises NotFound, Forbidden."""
    with sessions.begin() as session:
        failure = records.newest(session, scope, FAILURE, ref)
        assert failure.wearer_ref is not None, "a failure is somebody's"
        of, wearer = records.about(session, scope, failure.wearer_ref)
        versions = records.versions(session, scope, FAILURE, ref)
        orders = _choices([file for _, file, _ in files_of(session, scope, of)])
        records.consulted(session, scope, "failure to comply", now, wearer_id=of.wearer_id)
        return FailurePage(wearer.ref, wearer.name, failure, versions, orders)


def see_breach(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> BreachPage:
    """One breach by its own reference; raises NotFound, Forbidden."""
    with sessions.begin() as session:
        breach = records.newest(session, scope, BREACH, ref)
        assert breach.wearer_ref is not None, "a breach is somebody's"
        of, wearer = records.about(session, scope, breach.wearer_ref)
        versions = records.versions(session, scope, BREACH, ref)
        found = [records.newest(session, scope, FAILURE, each) for each in breach.body.failure_refs]
        found.sort(key=lambda each: each.at)
        records.consulted(session, scope, "breach", now, wearer_id=of.wearer_id)
        return BreachPage(wearer.ref, wearer.name, breach, versions, found)


def _alerts(session: Session, scope: Scope, wearer_id: int) -> list[BoardLine]:
    if not scope.may(Permission.SEE_BOARD):
        return []
    found = board.of_wearer(session, scope, wearer_id, MOST_ALERTS)
    return [each for each in found if not each.withdrawn]


def _choices(files: list[OrderFile]) -> list[OrderChoice]:
    return [
        OrderChoice(
            file.order_ref,
            file.kind,
            f"{file.rules.label} from {file.starts_on.day} {file.starts_on:%B %Y}",
            tuple(_clause_words(file)),
        )
        for file in files
    ]


def _clause_words(file: OrderFile) -> list[str]:
    return [f"{each.number}: {each.text}" if each.text else each.number for each in file.clauses]


def _marks(
    first: date,
    now: datetime,
    found: list[FailureRecord],
    breaches: list[BreachRecord],
    alerts: list[BoardLine],
) -> list[Mark]:
    begins = start_of(first)

    def left(at: datetime) -> float:
        return (at - begins) / (now - begins)

    marks: list[Mark] = []
    for each in found:
        if each.state == FailureState.WITHDRAWN.value:
            continue
        look = "counted" if each.state in _SHOWN else each.state
        marks.append(Mark(left(each.at), "Failures", look, each.body.what))
        if each.body.warned is not None:
            at = start_of(each.body.warned.sent_on)
            marks.append(Mark(left(at), "Letters", "letter", "Warning letter"))
    marks += [Mark(left(each.made_at), "Breaches", "breach", "Breach") for each in breaches]
    marks += [Mark(left(each.started_at), "Alerts", "alert", each.kind) for each in alerts]
    return sorted((each for each in marks if 0 <= each.left <= 1), key=lambda each: each.left)


def _months(first: date, now: datetime) -> list[tuple[float, str]]:
    """Where each month begins on the strip, and its name."""
    begins, length = start_of(first), now - start_of(first)
    month = months_after(first.replace(day=1), 1)
    found: list[tuple[float, str]] = []
    while start_of(month) < now - timedelta(days=10):
        found.append(((start_of(month) - begins) / length, f"{month:%b}"))
        month = months_after(month, 1)
    return found
