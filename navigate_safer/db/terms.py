"""Orders, clauses and zones as the rules need them: a fitting with its conditions."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from alerts.finding import Severity
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting, Limits
from navigate_safer.db.among import Keyed
from navigate_safer.db.exceptions import permissions_of
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    OrderRow,
    ZoneRow,
)
from zones.authorised import Authorised
from zones.feature import read_feature
from zones.zone import Zone

LOCAL = ZoneInfo("Europe/London")


def zone_of(row: ZoneRow) -> Zone:
    """The zone of a row. Zones never change, so that each is built once per process."""
    geometry = msgspec.json.encode(row.geometry)
    return _zone(row.id, row.ref, row.version, geometry, msgspec.json.encode(properties_of(row)))


def properties_of(row: ZoneRow) -> dict[str, object]:
    """What a zone file would say of the zone, but for its id and name."""
    written: dict[str, object] = {"kind": row.kind, **(row.properties or {})}
    if row.buffer_m:
        written["buffer_m"] = row.buffer_m
    if row.schedule is not None:
        written["schedule"] = row.schedule
    return {**written, "timezone": row.timezone}


@lru_cache(maxsize=20_000)
def _zone(_row_id: int, ref: str, version: int, geometry: bytes, properties: bytes) -> Zone:
    written = msgspec.json.decode(properties)
    return read_feature(ref, msgspec.json.decode(geometry), written, version).zone


@lru_cache(maxsize=20_000)
def _zone_as_written(
    row_id: int,
    ref: str,
    version: int,
    kind: str,
    buffer_m: float,
    timezone: str,
    geometry: str,
    schedule: str | None,
    properties: str | None,
) -> Zone:
    """As :func:`zone_of`, of columns with what is written in them."""
    row = ZoneRow(
        id=row_id,
        ref=ref,
        version=version,
        kind=kind,
        buffer_m=buffer_m,
        timezone=timezone,
        geometry=msgspec.json.decode(geometry),
        schedule=_read(schedule),
        properties=_read(properties),
    )
    return zone_of(row)


def _read(text: str | None) -> Any:  # noqa: ANN401 - whatever a column of JSON holds
    return None if text is None else msgspec.json.decode(text)


def _limits(written: str | dict[str, object]) -> Limits:
    """Of an entity's column, or as it is written: then those that are alike are one, and read once.

    Nearly every clause has the limits of its kind; of its own they would be a third of what is kept
    in memory of a device that moves.
    """
    return _limits_as_written(written) if isinstance(written, str) else _read_limits(written)


@lru_cache(maxsize=4_096)
def _limits_as_written(text: str) -> Limits:
    return _read_limits(msgspec.json.decode(text))


def _read_limits(written: dict[str, object]) -> Limits:
    return msgspec.convert(written, Limits)


def _condition(
    row: Any,  # noqa: ANN401 - rows, or rows of columns
    order: Any,  # noqa: ANN401
    zone: Zone | None,
    permissions: Mapping[str, tuple[Authorised, ...]],
) -> Condition:
    until = [at for at in (row.until_at, _order_end(order.ends_on)) if at is not None]
    return Condition(
        condition_id=row.id,
        version=row.version,
        clause=row.clause,
        kind=ConditionKind(row.kind),
        severity=Severity(row.severity),
        from_at=max(row.from_at, _local_midnight(order.starts_on)),
        until_at=min(until, default=None),
        limits=_limits(row.limits),
        zone=zone,
        permissions=permissions.get(row.ref, ()) if zone is not None else (),
    )


def _order_end(ends_on: date | None) -> datetime | None:
    """No rule without a live order: it ends with the end of its last day, local time."""
    if ends_on is None:
        return None
    return _local_midnight(ends_on + timedelta(days=1))


@lru_cache(maxsize=4_096)
def _local_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


class FittingOf(msgspec.Struct, frozen=True):
    """A fitting with whose it is and of which device."""

    fitting: Fitting
    wearer_id: int
    device_id: int
    device: str


def fittings_of_device(session: Session, device_id: int) -> list[FittingOf]:
    """Every fitting of a device, past ones too: late readings belong to them."""
    session.flush()  # what is asked past the session is as the session has it
    found = session.connection().execute(_OF_DEVICE, {"device": device_id}).scalars().all()
    if not found:
        return []
    by_id = fittings_by_id(session, found, {})
    return [by_id[fitting_id] for fitting_id in found]


def fitting(session: Session, fitting_id: int) -> FittingOf:
    """One fitting."""
    return _load(session, session.get_one(FittingRow, fitting_id))


def condition(session: Session, condition_id: int) -> Condition:
    """One condition with its zone."""
    row, order, zone = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .outerjoin(ZoneRow, ConditionRow.zone_id == ZoneRow.id)
        .where(ConditionRow.id == condition_id)
    ).one()
    allowed = {} if zone is None else permissions_of(session, {row.ref})
    return _condition(row, order, None if zone is None else zone_of(zone), allowed)


def conditions_of_wearer(session: Session, wearer_id: int) -> tuple[Condition, ...]:
    """Every condition of a wearer, past ones too, in order of id."""
    conditions = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .outerjoin(ZoneRow, ConditionRow.zone_id == ZoneRow.id)
        .where(OrderRow.wearer_id == wearer_id)
        .order_by(ConditionRow.id)
    ).all()
    allowed = permissions_of(session, {row.ref for row, _, zone in conditions if zone is not None})
    return tuple(
        _condition(condition, order, None if zone is None else zone_of(zone), allowed)
        for condition, order, zone in conditions
    )


def _load(session: Session, row: FittingRow) -> FittingOf:
    device = session.get_one(DeviceRow, row.device_id)
    return _fitting(row, row.device_id, device, conditions_of_wearer(session, row.wearer_id))


# Columns and not entities, and made once: intake asks this of a few devices in every batch, and the
# monitor for each that it judges; putting such a query together costs more than asking it.
_OF_DEVICE = (
    select(FittingRow.id)
    .where(FittingRow.device_id == bindparam("device"))
    .order_by(FittingRow.fitted_at)
)
# What is written in a zone as it is written: reading it anew costs more than all the rest.
_ZONES = Keyed(
    lambda among: select(
        ZoneRow.id, ZoneRow.ref, ZoneRow.version, ZoneRow.kind, ZoneRow.buffer_m, ZoneRow.timezone,
        cast(ZoneRow.geometry, Text).label("geometry"),
        cast(ZoneRow.schedule, Text).label("schedule"),
        cast(ZoneRow.properties, Text).label("properties"),
    ).where(among(ZoneRow.id, "zones"))
)  # fmt: skip
_FITTINGS = Keyed(
    lambda among: select(
        FittingRow.id, FittingRow.wearer_id, FittingRow.device_id, FittingRow.fitted_at,
        FittingRow.removed_at, DeviceRow.kind, DeviceRow.ref,
    )
    .join(DeviceRow, FittingRow.device_id == DeviceRow.id)
    .where(among(FittingRow.id, "fittings"))
)  # fmt: skip
_CLAUSES = Keyed(
    lambda among: select(
        ConditionRow.id, ConditionRow.ref, ConditionRow.version, ConditionRow.clause,
        ConditionRow.kind,
        ConditionRow.severity, ConditionRow.from_at, ConditionRow.until_at,
        cast(ConditionRow.limits, Text).label("limits"),
        ConditionRow.zone_id, OrderRow.wearer_id, OrderRow.starts_on, OrderRow.ends_on,
    )
    .join(OrderRow, ConditionRow.order_id == OrderRow.id)
    .where(among(OrderRow.wearer_id, "wearers"))
    .order_by(ConditionRow.id)
)  # fmt: skip


def fittings_by_id(
    session: Session, fitting_ids: Collection[int], zones: dict[int, Zone]
) -> dict[int, FittingOf]:
    """Many fittings in four queries; ``zones`` holds those of this database built before."""
    session.flush()
    connection = session.connection()
    fittings = _FITTINGS.ask(connection, fittings=list(fitting_ids)).all()
    clauses: dict[int, list[Any]] = {}
    wearers = list({each.wearer_id for each in fittings})
    for clause in _CLAUSES.ask(connection, wearers=wearers):
        clauses.setdefault(clause.wearer_id, []).append(clause)
    named = {each.zone_id for group in clauses.values() for each in group}
    unknown = [each for each in named if each is not None and each not in zones]
    if unknown:
        for zone in _ZONES.ask(connection, zones=unknown):
            zones[zone.id] = _zone_as_written(*zone)
    about_places = {one.ref for group in clauses.values() for one in group if one.zone_id}
    allowed = permissions_of(session, about_places)
    terms = {
        wearer_id: tuple(
            _condition(one, one, None if one.zone_id is None else zones[one.zone_id], allowed)
            for one in group
        )
        for wearer_id, group in clauses.items()
    }
    return {
        each.id: _fitting(each, each.device_id, each, terms.get(each.wearer_id, ()))
        for each in fittings
    }


def _fitting(row: Any, device_id: int, device: Any, terms: tuple[Condition, ...]) -> FittingOf:  # noqa: ANN401
    """Of rows, or of rows of columns, in which a device's kind and reference stand too."""
    kind = DeviceKind(device.kind)
    fitting = Fitting(row.id, kind, row.fitted_at, row.removed_at, terms)
    return FittingOf(fitting, row.wearer_id, device_id, device.ref)
