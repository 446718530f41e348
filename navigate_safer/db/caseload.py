"""Queries of the caseload and of one wearer. Each takes a scope and shows nothing outside it."""

from datetime import date, datetime

import msgspec
from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db import closed_cases
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    DeviceRow,
    FittingRow,
    OrderRow,
    StaffRow,
    WearerRow,
    ZoneRow,
)
from navigate_safer.db.telemetry import DeviceLatestRow
from navigate_safer.people.access import Permission, Scope


class CaseLine(msgspec.Struct, frozen=True):
    """One wearer as the caseload lists them. A key worker is one whose account is active."""

    wearer_id: int
    ref: str
    name: str
    area: str
    locality: str
    band: str
    offender_manager: str | None
    has_key_worker: bool
    last_measured_at: datetime | None
    battery_percent: int | None
    open_alerts: int


class FittedDevice(msgspec.Struct, frozen=True):
    """A device on a wearer now, and its newest signs of life."""

    device_id: int
    ref: str
    model: str
    kind: str
    fitted_at: datetime
    last_measured_at: datetime | None
    last_received_at: datetime | None
    battery_percent: int | None
    charging: bool | None


class ConditionLine(msgspec.Struct, frozen=True):
    """A clause as the person page says it; the zone only for those who may see places."""

    order_kind: str
    order_ref: str
    order_ends_on: date | None
    clause: str
    kind: str
    severity: str
    from_at: datetime
    until_at: datetime | None
    zone_id: int | None
    zone_name: str | None
    schedule: list[dict[str, object]] | None


class Person(msgspec.Struct, frozen=True):
    """Identity, conditions and devices of one wearer."""

    wearer_id: int
    ref: str
    name: str
    born_on: date
    area: str
    locality: str
    band: str
    offender_manager: str | None
    has_key_worker: bool
    devices: list[FittedDevice]
    conditions: list[ConditionLine]


def caseload(
    session: Session, scope: Scope, search: str = "", *, closed: bool = False
) -> list[CaseLine]:
    """Wearers of the scope's areas, those with open alerts first; ``closed``: closed cases too."""
    scope.require(Permission.SEE_CASELOAD)
    manager = aliased(StaffRow)
    alerts, seen = _open_alerts(), _last_seen()
    open_alerts = func.coalesce(alerts.c.n, 0)
    query = (
        select(WearerRow, AreaRow.name, manager, seen.c.at, seen.c.battery, open_alerts)
        .join(AreaRow, AreaRow.id == WearerRow.area_id)
        .outerjoin(manager, manager.id == WearerRow.offender_manager_id)
        .outerjoin(seen, seen.c.wearer_id == WearerRow.id)
        .outerjoin(alerts, alerts.c.wearer_id == WearerRow.id)
        .where(_visible(scope), *_matching(search), *([] if closed else [_open_case()]))
        .order_by(open_alerts.desc(), WearerRow.band, WearerRow.ref)
    )
    shows_alerts = scope.may(Permission.SEE_BOARD)
    return [
        CaseLine(
            wearer_id=wearer.id,
            ref=wearer.ref,
            name=wearer.name,
            area=area,
            locality=wearer.locality,
            band=wearer.band,
            offender_manager=None if manager_row is None else manager_row.name,
            has_key_worker=_works(manager_row),
            last_measured_at=at,
            battery_percent=battery,
            open_alerts=count if shows_alerts else 0,
        )
        for wearer, area, manager_row, at, battery, count in session.execute(query)
    ]


def managed_by(session: Session, scope: Scope, staff_id: int) -> set[int]:
    """Ids of the wearers of the scope's areas whose key worker somebody is."""
    scope.require(Permission.SEE_CASELOAD)
    query = select(WearerRow.id).where(WearerRow.offender_manager_id == staff_id, _visible(scope))
    return set(session.scalars(query))


def _works(key_worker: StaffRow | None) -> bool:
    return key_worker is not None and key_worker.active


def _open_case() -> ColumnElement[bool]:
    return WearerRow.id.not_in(closed_cases.ids())


def _open_alerts() -> Subquery:
    return (
        select(AlertRow.wearer_id, func.count().label("n"))
        .where(AlertRow.state != AlertState.RESOLVED.value)
        .group_by(AlertRow.wearer_id)
        .subquery()
    )


def _last_seen() -> Subquery:
    return (
        select(
            FittingRow.wearer_id,
            func.max(DeviceLatestRow.measured_at).label("at"),
            func.min(DeviceLatestRow.battery_percent).label("battery"),
        )
        .join(DeviceLatestRow, DeviceLatestRow.device_id == FittingRow.device_id)
        .where(FittingRow.removed_at.is_(None))
        .group_by(FittingRow.wearer_id)
        .subquery()
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    return WearerRow.area_id.in_(scope.areas)


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search.strip():
        return []
    return [
        or_(
            WearerRow.name.icontains(search.strip(), autoescape=True),
            WearerRow.ref.icontains(search.strip(), autoescape=True),
            WearerRow.locality.icontains(search.strip(), autoescape=True),
        )
    ]


def person(session: Session, scope: Scope, ref: str) -> Person | None:
    """One wearer, or None when there is none that this person may see."""
    scope.require(Permission.SEE_CASELOAD)
    manager = aliased(StaffRow)
    found = session.execute(
        select(WearerRow, AreaRow.name, manager)
        .join(AreaRow, AreaRow.id == WearerRow.area_id)
        .outerjoin(manager, manager.id == WearerRow.offender_manager_id)
        .where(WearerRow.ref == ref, _visible(scope))
    ).one_or_none()
    if found is None:
        return None
    wearer, area, manager_row = found
    return Person(
        wearer_id=wearer.id,
        ref=wearer.ref,
        name=wearer.name,
        born_on=wearer.born_on,
        area=area,
        locality=wearer.locality,
        band=wearer.band,
        offender_manager=None if manager_row is None else manager_row.name,
        has_key_worker=_works(manager_row),
        devices=_devices(session, wearer.id),
        conditions=_conditions(session, scope, wearer.id),
    )


def _devices(session: Session, wearer_id: int) -> list[FittedDevice]:
    query = (
        select(FittingRow, DeviceRow, DeviceLatestRow)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .outerjoin(DeviceLatestRow, DeviceLatestRow.device_id == DeviceRow.id)
        .where(FittingRow.wearer_id == wearer_id, FittingRow.removed_at.is_(None))
        .order_by(DeviceRow.kind.desc(), DeviceRow.ref)
    )
    return [
        FittedDevice(
            device_id=device.id,
            ref=device.ref,
            model=device.model,
            kind=device.kind,
            fitted_at=fitting.fitted_at,
            last_measured_at=latest.measured_at if latest else None,
            last_received_at=latest.received_at if latest else None,
            battery_percent=latest.battery_percent if latest else None,
            charging=latest.charging if latest else None,
        )
        for fitting, device, latest in session.execute(query)
    ]


def _conditions(session: Session, scope: Scope, wearer_id: int) -> list[ConditionLine]:
    places = scope.may(Permission.SEE_PLACES)
    query = (
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .outerjoin(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(OrderRow.wearer_id == wearer_id)
        .order_by(OrderRow.starts_on, ConditionRow.id)
    )
    return [
        ConditionLine(
            order_kind=order.kind,
            order_ref=order.ref,
            order_ends_on=order.ends_on,
            clause=condition.clause,
            kind=condition.kind,
            severity=condition.severity,
            from_at=condition.from_at,
            until_at=condition.until_at,
            zone_id=zone.id if zone is not None and places else None,
            zone_name=zone.name if zone is not None and places else None,
            schedule=zone.schedule if zone is not None else None,
        )
        for condition, order, zone in session.execute(query)
    ]
