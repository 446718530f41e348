"""Queries of the duty board and of one alert. Each takes a scope and shows nothing outside it."""

from datetime import datetime

import msgspec
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db import cases, wearer_messages
from navigate_safer.db.alert_history import HistoryLine, TextLine, history_lines, text_lines
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.cases import PartLine
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    FittingRow,
    OrderRow,
    StaffRow,
    WearerRow,
    ZoneRow,
)
from navigate_safer.db.wearer_messages import WearerLine
from navigate_safer.people.access import Permission, Scope

# More than a duty officer can read; the board says how many there are in all.
MOST_ON_BOARD = 200


class BoardLine(msgspec.Struct, frozen=True):
    """One alert as the board, the caseload and the person page list it."""

    alert_id: int
    reference: str
    severity: str
    state: str
    kind: str
    wearer_ref: str
    wearer_name: str
    area: str
    locality: str
    opened_at: datetime
    started_at: datetime
    ended_at: datetime | None
    withdrawn: bool
    late_data: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    next_step_at: datetime | None
    outcome: str | None


class Board(msgspec.Struct, frozen=True):
    """Open alerts, most urgent first, and how many there are in all."""

    lines: list[BoardLine]
    open_count: int
    acknowledged_count: int
    oldest_open_at: datetime | None


class AlsoLine(msgspec.Struct, frozen=True):
    """Another episode about a place at the same time; the name for those who may see places."""

    kind: str
    severity: str
    started_at: datetime
    zone_name: str | None


class AlertDetail(msgspec.Struct, frozen=True):
    """Everything the alert page says; zone id and name only for those who may see places.

    ``wearer_told`` is what the wearer was told because of it. A case has its ``parts``; ``cases``
    are the references of those that this is a part of.
    """

    line: BoardLine
    wearer_id: int
    clause: str
    order_kind: str
    rule: str
    rule_version: str
    evidence: dict[str, object]
    device_id: int
    condition_id: int
    zone_id: int | None
    zone_name: str | None
    history: list[HistoryLine]
    texts: list[TextLine]
    also: list[AlsoLine]
    parts: list[PartLine] = []
    cases: list[str] = []
    wearer_told: list[WearerLine] = []


def _lines(scope: Scope) -> Select[AlertRow, EpisodeRow, WearerRow, AreaRow, str]:
    scope.require(Permission.SEE_BOARD)
    officer = aliased(StaffRow)
    return (
        select(AlertRow, EpisodeRow, WearerRow, AreaRow, officer.name)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
        .join(AreaRow, AreaRow.id == AlertRow.area_id)
        .outerjoin(officer, officer.id == AlertRow.acknowledged_by)
        .where(AlertRow.area_id.in_(scope.areas))
    )


def _line(
    alert: AlertRow, episode: EpisodeRow, wearer: WearerRow, area: AreaRow, officer: str | None
) -> BoardLine:
    return BoardLine(
        alert_id=alert.id,
        reference=alert.reference,
        severity=alert.severity,
        state=alert.state,
        kind=episode.kind,
        wearer_ref=wearer.ref,
        wearer_name=wearer.name,
        area=area.name,
        locality=wearer.locality,
        opened_at=alert.opened_at,
        started_at=episode.started_at,
        ended_at=episode.ended_at,
        withdrawn=episode.withdrawn,
        late_data=alert.late_data,
        acknowledged_by=officer,
        acknowledged_at=alert.acknowledged_at,
        next_step_at=alert.next_step_at,
        outcome=alert.outcome,
    )


def board(session: Session, scope: Scope) -> Board:
    """Open and acknowledged alerts of the scope's areas, most urgent first.

    Within a severity the unacknowledged come first, and of these the one that waits longest: a
    list of "new only" is how 31,000 alerts went unresolved elsewhere.
    """
    lines = unresolved(session, scope, MOST_ON_BOARD)
    here = (AlertRow.area_id.in_(scope.areas), AlertRow.episode_id.is_not(None))
    open_here = (*here, AlertRow.state == AlertState.OPEN.value)
    oldest = session.scalar(select(func.min(AlertRow.opened_at)).where(*open_here))
    counted = session.execute(
        select(AlertRow.state, func.count().label("n")).where(*here).group_by(AlertRow.state)
    )
    counts = {row.state: row.n for row in counted}
    return Board(
        lines,
        counts.get(AlertState.OPEN.value, 0),
        counts.get(AlertState.ACKNOWLEDGED.value, 0),
        oldest,
    )


def unresolved(session: Session, scope: Scope, limit: int | None = None) -> list[BoardLine]:
    """Alerts of the scope's areas that nobody has resolved, in the order of the board; or all."""
    unanswered_first = AlertRow.state == AlertState.ACKNOWLEDGED.value
    query = (
        _lines(scope)
        .where(AlertRow.state != AlertState.RESOLVED.value)
        .order_by(unanswered_first, AlertRow.severity_rank, AlertRow.opened_at)
        .limit(limit)
    )
    return [_line(*row) for row in session.execute(query)]


def of_wearer(session: Session, scope: Scope, wearer_id: int, limit: int) -> list[BoardLine]:
    """The newest alerts of one wearer."""
    query = _lines(scope).where(AlertRow.wearer_id == wearer_id)
    query = query.order_by(AlertRow.opened_at.desc()).limit(limit)
    return [_line(*row) for row in session.execute(query)]


def alert(session: Session, scope: Scope, reference: str) -> AlertDetail | None:
    """One alert, or None when there is none that this person may see."""
    found = session.execute(_lines(scope).where(AlertRow.reference == reference)).one_or_none()
    if found is None:
        return None
    line = _line(*found)
    episode = session.get_one(EpisodeRow, found.AlertRow.episode_id)
    condition, order, zone = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .outerjoin(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(ConditionRow.id == episode.condition_id)
    ).one()
    places = scope.may(Permission.SEE_PLACES)
    return AlertDetail(
        line=line,
        wearer_id=episode.wearer_id,
        clause=condition.clause,
        order_kind=order.kind,
        rule=episode.rule,
        rule_version=episode.rule_version,
        evidence=episode.evidence,
        device_id=session.get_one(FittingRow, episode.fitting_id).device_id,
        condition_id=episode.condition_id,
        zone_id=zone.id if zone is not None and places else None,
        zone_name=zone.name if zone is not None and places else None,
        history=history_lines(session, line.alert_id),
        texts=text_lines(session, line.alert_id),
        also=_also(session, episode, places),
        parts=cases.part_lines(session, episode.evidence),
        cases=cases.references_of_cases(session, episode),
        wearer_told=wearer_messages.of_alert(session, line.alert_id),
    )


def _also(session: Session, episode: EpisodeRow, places: bool) -> list[AlsoLine]:
    """Zones that were broken at the same time, whether an alert tells of them or not."""
    query = (
        select(EpisodeRow, ZoneRow.name)
        .join(ConditionRow, ConditionRow.id == EpisodeRow.condition_id)
        .join(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(EpisodeRow.fitting_id == episode.fitting_id, EpisodeRow.id != episode.id)
        .where(EpisodeRow.withdrawn.is_(False))
        .where(or_(EpisodeRow.ended_at.is_(None), EpisodeRow.ended_at >= episode.started_at))
        .order_by(EpisodeRow.started_at, EpisodeRow.id)
    )
    if episode.ended_at is not None:
        query = query.where(EpisodeRow.started_at <= episode.ended_at)
    return [
        AlsoLine(row.kind, row.severity, row.started_at, name if places else None)
        for row, name in session.execute(query)
    ]
