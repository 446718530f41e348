"""What alerts ask of the officers of an area, as a supervisor sees it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import burden
from alerts.burden import AlertFact, Group, OfficerLoad, PageFact
from alerts.lifecycle import Move
from navigate_safer.db import audit, wearer_messages
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    DeviceRow,
    FittingRow,
    StaffRow,
    WearerRow,
    ZoneRow,
)
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from zones.schedule import DEFAULT_TIMEZONE

SPANS_DAYS = (7, 28, 91)


class Burden(msgspec.Struct, frozen=True):
    """The figures of a span; ``days`` has every day of it with its alerts.

    Texts to wearers and vibrations are counted for themselves, and among no officer's pages.
    """

    whole: Group
    days: list[tuple[date, int]]
    officers: list[tuple[str, OfficerLoad]]
    night_pages: int
    by_rule: list[Group]
    tables: dict[str, list[Group]]
    wearer_texts: int
    wearer_vibrations: int


def see(sessions: Sessions, scope: Scope, span_days: int, now: datetime) -> Burden:
    """The figures of the scope's areas over the last days; raises Forbidden. It is logged."""
    scope.require(Permission.RUN_ALERTING)
    since = now - timedelta(days=span_days)
    with sessions.begin() as session:
        facts = _facts(session, scope, since)
        pages = _pages(session, scope, since)
        wearers = select(WearerRow.id).where(WearerRow.area_id.in_(scope.areas))
        to_wearers = wearer_messages.counted(session, wearers, since)
        names = dict(session.execute(select(StaffRow.id, StaffRow.name)).all())
        audit.record(
            session, Act.CONSULTATION, "burden of alerts", at=now, actor="staff",
            staff_id=scope.staff_id, subject_kind="alerts", detail={"days": span_days},
        )  # fmt: skip
    days = float(span_days)
    loads = burden.loads(pages, days)
    return Burden(
        whole=burden.group("all", facts, days),
        days=_every_day(burden.a_day(facts), since, now),
        officers=[(names[each.staff_id], each) for each in loads],
        night_pages=sum(each.at_night for each in loads),
        by_rule=burden.by_rule(facts, days),
        tables={
            "kind": burden.groups(facts, lambda each: each.kind, days),
            "zone": burden.groups(facts, lambda each: each.zone, days),
            "device model": burden.groups(facts, lambda each: each.model, days),
            "area": burden.groups(facts, lambda each: each.area, days),
        },
        wearer_texts=to_wearers[0],
        wearer_vibrations=to_wearers[1],
    )


def _every_day(counted: dict[date, int], since: datetime, now: datetime) -> list[tuple[date, int]]:
    zone = ZoneInfo(DEFAULT_TIMEZONE)
    first, last = (each.astimezone(zone).toordinal() for each in (since, now))
    days = [date.fromordinal(each) for each in range(first, last + 1)]
    return [(day, counted.get(day, 0)) for day in days]


def _facts(session: Session, scope: Scope, since: datetime) -> list[AlertFact]:
    # An acknowledgement that expired was still an answer: the first one counts.
    answered = (
        select(AlertHistoryRow.alert_id, func.min(AlertHistoryRow.at).label("at"))
        .where(AlertHistoryRow.move == Move.ACKNOWLEDGE.value, AlertHistoryRow.at > since)
        .group_by(AlertHistoryRow.alert_id)
        .subquery()
    )
    query = (
        select(
            AlertRow.opened_at, answered.c.at, AlertRow.resolved_at, AlertRow.outcome,
            EpisodeRow.rule, EpisodeRow.kind, ZoneRow.name.label("zone"), DeviceRow.model,
            AreaRow.name.label("area"),
        )
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .join(ConditionRow, ConditionRow.id == EpisodeRow.condition_id)
        .outerjoin(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .join(FittingRow, FittingRow.id == EpisodeRow.fitting_id)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .join(AreaRow, AreaRow.id == AlertRow.area_id)
        .outerjoin(answered, answered.c.alert_id == AlertRow.id)
        .where(AlertRow.area_id.in_(scope.areas), AlertRow.opened_at > since)
    )  # fmt: skip
    return [
        AlertFact(
            opened_at=row.opened_at, acknowledged_at=row.at, resolved_at=row.resolved_at,
            outcome=row.outcome, rule=row.rule, kind=row.kind, zone=row.zone, model=row.model,
            area=row.area,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def _pages(session: Session, scope: Scope, since: datetime) -> list[PageFact]:
    query = (
        select(TextRow.staff_id, TextRow.created_at)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(AlertRow.area_id.in_(scope.areas), TextRow.created_at > since)
        .where(TextRow.state != "cancelled")
        # What travelled in another's text was no page of its own.
        .where(TextRow.bundle_id.is_(None))
    )
    return [PageFact(row.staff_id, row.created_at) for row in session.execute(query)]
