"""What the cohort's rules ask the other tables: alerts, the police's records, staff of an area."""

from datetime import date, datetime

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind, Severity
from alerts.lifecycle import AlertState, Move, Outcome
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow
from navigate_safer.db.offending import OffendingRow
from navigate_safer.db.partners import PartnerEntryRow
from navigate_safer.db.people import StaffAreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.people.days import day_of, start_of
from navigate_safer.people.offending import EntryKind, IncidentRole
from navigate_safer.people.rag import Trigger, TriggerKind

_TAMPER = (
    FindingKind.STRAP_TAMPER.value,
    FindingKind.CONTACT_LOST.value,
    FindingKind.BASE_STATION_MOVED.value,
)
_ENTRIES = {
    EntryKind.INCIDENT.value: TriggerKind.INCIDENT,
    EntryKind.ARREST.value: TriggerKind.ARREST,
    EntryKind.BREACH.value: TriggerKind.BREACH,
}
# Of partners' extracts, by source: a row does not say whether somebody was suspect or victim, so
# that only what can be nothing else counts as against him.
_IN_EXTRACTS = {"police_arrests": "arrest"}
_AGAINST = (IncidentRole.SUSPECT.value, IncidentRole.BOTH_ALLEGED.value)
KEY_WORKERS = (Role.OFFENDER_MANAGER.value, Role.SUPERVISOR.value)


class StaffChoice(msgspec.Struct, frozen=True):
    """Somebody of an area who can have cases."""

    staff_id: int
    name: str
    role: str


class AnswerLine(msgspec.Struct, frozen=True):
    """An alert, its plan as it was, and when somebody first answered it."""

    opened_at: datetime
    plan: dict[str, object]
    answered_at: datetime | None


def triggers(
    session: Session, scope: Scope, since: datetime, now: datetime, wearer_id: int | None = None
) -> dict[int, list[Trigger]]:
    """What became known since then and moves somebody up, by wearer of the scope's areas."""
    scope.require(Permission.SEE_CASEWORK)
    found: dict[int, list[Trigger]] = {}
    for owner, trigger in _of_alerts(session, scope, since, wearer_id):
        found.setdefault(owner, []).append(trigger)
    for owner, trigger in _of_entries(session, scope, since, now, wearer_id):
        found.setdefault(owner, []).append(trigger)
    for owner, trigger in _of_extracts(session, scope, since, wearer_id):
        found.setdefault(owner, []).append(trigger)
    return found


def _of_alerts(
    session: Session, scope: Scope, since: datetime, wearer_id: int | None
) -> list[tuple[int, Trigger]]:
    live = AlertRow.state != AlertState.RESOLVED.value
    where: list[ColumnElement[bool]] = [
        AlertRow.area_id.in_(scope.areas),
        AlertRow.wearer_id.is_not(None),
        EpisodeRow.withdrawn.is_(False),
        or_(
            AlertRow.outcome == Outcome.BREACH_CONFIRMED.value,
            live & (AlertRow.severity == Severity.CRITICAL.value),
            live & EpisodeRow.kind.in_(_TAMPER),
        ),
        or_(AlertRow.opened_at >= since, AlertRow.resolved_at >= since),
    ]
    if wearer_id is not None:
        where.append(AlertRow.wearer_id == wearer_id)
    query = (
        select(AlertRow, EpisodeRow.kind)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .where(*where)
    )
    made = []
    for alert, kind in session.execute(query):
        assert alert.wearer_id is not None, "the query asked for those about a wearer"
        made.append((alert.wearer_id, _trigger(alert, kind)))
    return made


def _trigger(alert: AlertRow, kind: str) -> Trigger:
    if alert.outcome == Outcome.BREACH_CONFIRMED.value:
        known_at = alert.resolved_at or alert.opened_at
        return Trigger(TriggerKind.BREACH, alert.reference, known_at, alert=True)
    what = TriggerKind.TAMPER if kind in _TAMPER else TriggerKind.CRITICAL_ALERT
    return Trigger(what, alert.reference, alert.opened_at, alert=True)


def _of_entries(
    session: Session, scope: Scope, since: datetime, now: datetime, wearer_id: int | None
) -> list[tuple[int, Trigger]]:
    row = OffendingRow
    first, today = day_of(since), day_of(now)
    # What happened years ago is no news because somebody has typed it in today.
    news = row.kind.in_(list(_ENTRIES)) & row.role.in_(_AGAINST) & (row.on >= first)
    released = (row.kind == EntryKind.CUSTODY.value) & row.until.between(first, today)
    query = (
        select(row)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(WearerRow.area_id.in_(scope.areas), row.superseded_at.is_(None), news | released)
    )
    if wearer_id is not None:
        query = query.where(row.wearer_id == wearer_id)
    return [(each.wearer_id, _of_entry(each)) for each in session.scalars(query)]


def _of_entry(row: OffendingRow) -> Trigger:
    if row.until is not None:
        known_at = max(row.received_at, start_of(row.until))
        return Trigger(TriggerKind.RELEASE, row.ref, known_at)
    return Trigger(_ENTRIES[row.kind], row.ref, row.received_at)


def _of_extracts(
    session: Session, scope: Scope, since: datetime, wearer_id: int | None
) -> list[tuple[int, Trigger]]:
    row = PartnerEntryRow
    against = [(row.source == source) & (row.kind == kind) for source, kind in _IN_EXTRACTS.items()]
    query = (
        select(row)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(
            WearerRow.area_id.in_(scope.areas),
            row.superseded_at.is_(None),
            row.on >= day_of(since),
            or_(*against),
        )
    )
    if wearer_id is not None:
        query = query.where(row.wearer_id == wearer_id)
    return [
        (each.wearer_id, Trigger(TriggerKind.PARTNER_EXTRACT, each.ref, each.received_at))
        for each in session.scalars(query)
    ]


def in_custody(session: Session, scope: Scope, today: date) -> set[int]:
    """Ids of those of the scope's areas who are inside today, as far as the records say."""
    scope.require(Permission.SEE_CASEWORK)
    row = OffendingRow
    query = (
        select(row.wearer_id)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(
            WearerRow.area_id.in_(scope.areas),
            row.superseded_at.is_(None),
            row.kind == EntryKind.CUSTODY.value,
            row.on <= today,
            or_(row.until.is_(None), row.until > today),
        )
    )
    return set(session.scalars(query))


def has_selection(session: Session, wearer_id: int) -> bool:
    """Whether a day of selection is known already, from which outcomes are counted."""
    row = OffendingRow
    query = select(func.count()).where(
        row.wearer_id == wearer_id,
        row.kind == EntryKind.SELECTION.value,
        row.superseded_at.is_(None),
    )
    return bool(session.scalar(query))


def key_workers(session: Session, scope: Scope, area_id: int) -> list[StaffChoice]:
    """Who of an area can be a key worker, by name; raises Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    query = (
        select(StaffRow)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(
            StaffAreaRow.area_id == area_id,
            StaffAreaRow.area_id.in_(scope.areas),
            StaffRow.active.is_(True),
            StaffRow.role.in_(KEY_WORKERS),
        )
        .order_by(StaffRow.name)
    )
    return [StaffChoice(each.id, each.name, each.role) for each in session.scalars(query)]


def answers(session: Session, scope: Scope, wearer_id: int, since: datetime) -> list[AnswerLine]:
    """Alerts of a wearer of the scope's areas since then, with their first answer."""
    scope.require(Permission.SEE_CASEWORK)
    answered = (
        select(AlertHistoryRow.alert_id, func.min(AlertHistoryRow.at).label("at"))
        .where(AlertHistoryRow.move.in_((Move.ACKNOWLEDGE.value, Move.RESOLVE.value)))
        .group_by(AlertHistoryRow.alert_id)
        .subquery()
    )
    query = (
        select(AlertRow.opened_at, AlertRow.plan, answered.c.at)
        .outerjoin(answered, answered.c.alert_id == AlertRow.id)
        .where(
            AlertRow.wearer_id == wearer_id,
            AlertRow.area_id.in_(scope.areas),
            AlertRow.opened_at >= since,
        )
    )
    return [AnswerLine(row.opened_at, row.plan, row.at) for row in session.execute(query)]
