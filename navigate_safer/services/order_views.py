"""What the pages about orders show: every order of a person, and one with its history."""

from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import orders as order_rows
from navigate_safer.db import zones
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.clause_catalogue import ZONE_KINDS, Monitored
from navigate_safer.people.days import day_of
from navigate_safer.people.orders import ORDER, OrderFile, alarms, days_left, due_of, notice_day
from navigate_safer.people.records import Due
from navigate_safer.services import records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.orders import OrderRecord, files_of


class OrderLine(msgspec.Struct, frozen=True):
    """An order as it stands now. ``version`` is 0 while it has no file of its own.

    ``gone`` is how much of it has passed, from 0 to 1, None without an end; ``due`` what waits.
    """

    number: int
    file: OrderFile
    version: int
    stage: str
    days_left: int | None
    gone: float | None
    due: Due | None
    alarm: str | None
    notice_by: date | None


class OrdersPage(msgspec.Struct, frozen=True):
    """The orders of one wearer; ``zone_names`` only for those who may see places."""

    ref: str
    name: str
    orders: list[OrderLine]
    zone_names: dict[str, str]
    today: date


class ZoneChoice(msgspec.Struct, frozen=True):
    """A zone that a clause can be about."""

    ref: str
    name: str
    kind: str


class OrderPage(msgspec.Struct, frozen=True):
    """One order with its versions, the newest first, and the zones that can be chosen."""

    ref: str
    name: str
    order: OrderLine
    zone_names: dict[str, str]
    versions: list[OrderRecord]
    zones: list[ZoneChoice]

    def choices(self, monitored: Monitored | None) -> list[ZoneChoice]:
        """Zones of the kind that something monitored needs."""
        kind = None if monitored is None else ZONE_KINDS.get(monitored)
        return [each for each in self.zones if each.kind == kind]


def see_orders(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> OrdersPage:
    """Every order of a wearer, those in force first; raises NotFound, Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        lines = [
            line_of(row.id, file, record, now) for row, file, record in files_of(session, scope, of)
        ]
        order = {"in_force": 0, "to_come": 1, "ended": 2, "revoked": 2}
        lines.sort(key=lambda each: order[each.stage])
        names = _names(session, scope, [each.file for each in lines])
        records.consulted(session, scope, "orders", now, wearer_id=of.wearer_id)
        return OrdersPage(wearer.ref, wearer.name, lines, names, day_of(now))


def see_order(
    sessions: Sessions, scope: Scope, ref: str, order_id: int, now: datetime
) -> OrderPage:
    """One order of a wearer; raises NotFound, Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        found = [each for each in files_of(session, scope, of) if each[0].id == order_id]
        if not found:
            raise NotFound
        ((_, file, record),) = found
        versions = [] if record is None else records.versions(session, scope, ORDER, record.ref)
        choices = []
        if scope.may(Permission.MANAGE_CASES) and scope.may(Permission.SEE_PLACES):
            choices = [
                ZoneChoice(zone.ref, zone.name, zone.kind) for zone in zones.newest(session, scope)
            ]
        names = _names(session, scope, [file])
        records.consulted(session, scope, "order", now, wearer_id=of.wearer_id)
        line = line_of(order_id, file, record, now)
        return OrderPage(wearer.ref, wearer.name, line, names, versions, choices)


def line_of(number: int, file: OrderFile, record: OrderRecord | None, now: datetime) -> OrderLine:
    """An order as it stands at ``now``."""
    today = day_of(now)
    due = due_of(file, now, None)
    waiting = [key for key, each in alarms(file, None) if each == due and key not in file.seen]
    told = notice_day(file)
    return OrderLine(
        number=number,
        file=file,
        version=0 if record is None else record.version,
        stage=file.stage(now),
        days_left=days_left(file, today),
        gone=_gone(file, today),
        due=due,
        alarm=waiting[0] if waiting else None,
        notice_by=told,
    )


def _gone(file: OrderFile, today: date) -> float | None:
    if file.ends_on is None:
        return None
    length = (file.ends_on - file.starts_on).days + 1
    return min(max((today - file.starts_on).days / length, 0.0), 1.0)


def _names(session: Session, scope: Scope, files: list[OrderFile]) -> dict[str, str]:
    if not scope.may(Permission.SEE_PLACES):
        return {}
    refs = {clause.zone_ref for file in files for clause in file.clauses if clause.zone_ref}
    return order_rows.zone_names(session, refs) if refs else {}
