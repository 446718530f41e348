"""What the tags say of a cohort over some days: time of compliance, alerts, days worn."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import ScalarSelect, distinct, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.decide import Action
from alerts.lifecycle import Move, Outcome
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeHistoryRow
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import AreaRow, ConditionRow, DeviceRow, FittingRow, WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.outcome_monitoring import AlertFact, ConditionTime

A_DAY = timedelta(days=1)


def areas(session: Session, scope: Scope) -> list[tuple[int, str, str]]:
    """Id, reference and name of each area of the scope, by name."""
    query = select(AreaRow).where(AreaRow.id.in_(scope.areas)).order_by(AreaRow.name)
    return [(each.id, each.ref, each.name) for each in session.scalars(query)]


def times(
    session: Session, wearer_ids: Collection[int], first: date, last: date
) -> list[ConditionTime]:
    """Sums of the days of compliance by kind of condition, both ends included."""
    row = ComplianceDayRow
    query = (
        select(
            ConditionRow.kind,
            func.count(distinct(row.wearer_id)),
            func.sum(row.scheduled_s),
            func.sum(row.compliant_s),
            func.sum(row.breach_s),
            func.sum(row.unknown_s),
        )
        .join(ConditionRow, ConditionRow.id == row.condition_id)
        .where(row.wearer_id.in_(wearer_ids), row.day.between(first, last))
        .group_by(ConditionRow.kind)
        .order_by(ConditionRow.kind)
    )
    return [
        ConditionTime(kind, *(int(part) for part in parts))
        for kind, *parts in session.execute(query)
    ]


def alerts(
    session: Session, wearer_ids: Collection[int], start: datetime, end: datetime, known: datetime
) -> list[AlertFact]:
    """Alerts about wearers that opened from ``start`` to ``end``; outcomes as known then.

    Both are asked of histories, which are never changed: since ``known`` an episode may have been
    withdrawn, and an alert resolved or opened again.
    """
    decision, move = EpisodeHistoryRow, AlertHistoryRow
    query = (
        select(WearerRow.ref, move.move, move.reason, decision.action)
        .select_from(AlertRow)
        .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
        .outerjoin(decision, decision.id == _newest_decision(known))
        .outerjoin(move, move.id == _newest_answer(known))
        .where(
            AlertRow.wearer_id.in_(wearer_ids),
            AlertRow.opened_at >= start,
            AlertRow.opened_at < end,
        )
        .order_by(AlertRow.id)
    )
    return [
        AlertFact(
            ref,
            _outcome(reason) if answered == Move.RESOLVE.value else None,
            action == Action.WITHDRAW.value,
        )
        for ref, answered, reason, action in session.execute(query)
    ]


def _newest_decision(known: datetime) -> ScalarSelect[int]:
    """Id of the last decision about an alert's episode by a moment."""
    row = aliased(EpisodeHistoryRow)
    found = select(func.max(row.id)).where(row.episode_id == AlertRow.episode_id, row.at <= known)
    return found.correlate(AlertRow).scalar_subquery()


def _newest_answer(known: datetime) -> ScalarSelect[int]:
    """Id of the last time that an alert was resolved or opened again by a moment."""
    row = aliased(AlertHistoryRow)
    found = select(func.max(row.id)).where(
        row.alert_id == AlertRow.id, row.at <= known, row.move.in_(_ANSWERS)
    )
    return found.correlate(AlertRow).scalar_subquery()


_ANSWERS = (Move.RESOLVE.value, Move.REOPEN.value)
_OUTCOMES = {each.label: each.value for each in Outcome}


def _outcome(reason: str) -> str:
    """The outcome with which an alert was resolved: its label is what the reason begins with."""
    label = reason.partition(":")[0]
    return _OUTCOMES.get(label, Outcome.OTHER.value)


def worn(
    session: Session, wearer_ids: Collection[int], start: datetime, end: datetime
) -> dict[int, tuple[float, str]]:
    """Days with a device on from ``start`` to ``end``, and its model, by wearer.

    Two devices at once are one day a day; the models of all are named.
    """
    query = (
        select(FittingRow, DeviceRow.model)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(
            FittingRow.wearer_id.in_(wearer_ids),
            FittingRow.fitted_at < end,
            or_(FittingRow.removed_at.is_(None), FittingRow.removed_at > start),
        )
        .order_by(FittingRow.fitted_at, FittingRow.id)
    )
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    models: dict[int, set[str]] = {}
    for fitting, model in session.execute(query):
        until = min(fitting.removed_at or end, end)
        spans.setdefault(fitting.wearer_id, []).append((max(fitting.fitted_at, start), until))
        models.setdefault(fitting.wearer_id, set()).add(model)
    return {
        wearer: (_covered(found) / A_DAY, " and ".join(sorted(models[wearer])))
        for wearer, found in spans.items()
    }


def _covered(spans: list[tuple[datetime, datetime]]) -> timedelta:
    """The length of the union of spans that are in order of their start."""
    total, reached = timedelta(), None
    for start, end in spans:
        begins = start if reached is None else max(start, reached)
        total += max(timedelta(), end - begins)
        reached = end if reached is None else max(reached, end)
    return total
