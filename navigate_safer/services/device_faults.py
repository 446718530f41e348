"""Before blame: what else was silent when a monitor was, noted on its alert as it opens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from alerts.alcohol.considered import Surroundings, hours_to_empty, in_words
from alerts.decide import Action, Decision
from alerts.finding import Finding, FindingKind
from alerts.terms import Limits
from devices.readings import BatteryLevel
from navigate_safer.db import readings
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.telemetry import DeviceLatestRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import telling

KINDS = frozenset(
    {
        FindingKind.UPLOAD_MISSED,
        FindingKind.CONTACT_SUSPECT,
        FindingKind.CONTACT_LOST,
        FindingKind.SENSOR_FAULT,
    }
)
# Who was heard so long before it was at work: a monitor uploads once a day, and may be late (the
# project's own).
AT_WORK = timedelta(hours=48)


def consider(session: Session, of: FittingOf, decisions: Iterable[Decision], now: datetime) -> None:
    """Note on each alert that was opened about a monitor what else may be behind it."""
    for each in decisions:
        found = each.finding
        if each.action is not Action.OPEN or found is None or found.kind not in KINDS:
            continue
        alert = _alert(session, of, found)
        if alert is not None:
            said = in_words(surroundings(session, of, found.started_at, now))
            telling.note(session, alert, now, "considered", said)


def surroundings(session: Session, of: FittingOf, since: datetime, now: datetime) -> Surroundings:
    """What other devices, and its own battery, say of the time from ``since`` on."""
    device = session.get_one(DeviceRow, of.device_id)
    latest = session.get(DeviceLatestRow, of.device_id)
    others: list[bool] = []
    if device.gateway_id is not None:
        mine = (DeviceRow.gateway_id == device.gateway_id, FittingRow.wearer_id != of.wearer_id)
        others = _silent(session, since, *mine)
    own = _silent(
        session, since, FittingRow.wearer_id == of.wearer_id, DeviceRow.id != of.device_id
    )
    limits = next((each.limits for each in of.fitting.conditions), Limits())
    return Surroundings(
        others=len(others),
        others_silent=sum(others),
        own_silent=all(own) if own else None,
        battery_percent=None if latest is None else latest.battery_percent,
        charging=None if latest is None else latest.charging,
        battery_low_percent=limits.battery_low_percent,
        empty_after_h=None if latest is None else _hours_to_empty(session, of, latest),
        unheard_h=0.0 if latest is None else (now - latest.measured_at) / timedelta(hours=1),
    )


def _hours_to_empty(session: Session, of: FittingOf, latest: DeviceLatestRow) -> float | None:
    """From the levels of the day before the last one."""
    if latest.battery_at is None:
        return None
    from_at = latest.battery_at - timedelta(days=1)
    just_after = latest.battery_at + timedelta(microseconds=1)
    found = readings.between(session, of.device_id, of.device, from_at, just_after)
    levels = [
        (each.stamp.measured_at, each.percent) for each in found if isinstance(each, BatteryLevel)
    ]
    return hours_to_empty(levels)


def _silent(session: Session, since: datetime, *where: ColumnElement[bool]) -> list[bool]:
    """Of each device that is worn and was at work then, whether it has measured nothing since."""
    query = (
        select(DeviceLatestRow.device_id, DeviceLatestRow.measured_at)
        .join(DeviceRow, DeviceRow.id == DeviceLatestRow.device_id)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .where(
            FittingRow.removed_at.is_(None),
            DeviceLatestRow.measured_at > since - AT_WORK,
            *where,
        )
    )
    return [measured_at <= since for _, measured_at in session.execute(query)]


def _alert(session: Session, of: FittingOf, found: Finding) -> AlertRow | None:
    return session.scalar(
        select(AlertRow)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .where(
            EpisodeRow.fitting_id == of.fitting.fitting_id,
            EpisodeRow.condition_id == found.condition_id,
            EpisodeRow.kind == found.kind.value,
            EpisodeRow.started_at == found.started_at,
        )
    )
