"""Take in a case file: everything in it, or nothing and a line that says what is wrong."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.terms import ConditionKind
from navigate_safer.db import audit, terms
from navigate_safer.db.base import Base, Sessions
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    DeviceRow,
    FittingRow,
    GatewayRow,
    OrderRow,
    StaffAreaRow,
    StaffRow,
    VictimRow,
    VictimWearerRow,
    WearerRow,
    ZoneRow,
    ZoneVictimRow,
)
from navigate_safer.people.account import Act
from navigate_safer.people.casefile import (
    CaseFile,
    ConditionEntry,
    StaffMember,
    Victim,
    Wearer,
    ZoneEntry,
)
from navigate_safer.services import costs, monitor, offending
from navigate_safer.services.case_entries import CaseFileFault, address, e164, once, span, zone_row
from navigate_safer.services.case_protected import refuse_victims_device, take_protected

SHORTEST_PASSWORD = 12
ZONE_OF = {
    ConditionKind.EXCLUSION_ZONE: "exclusion",
    ConditionKind.CURFEW: "inclusion",
    ConditionKind.RESTRICTION_ZONE: "restriction",
}

RowT = TypeVar(
    "RowT",
    AreaRow,
    StaffRow,
    GatewayRow,
    DeviceRow,
    ZoneRow,
    WearerRow,
    OrderRow,
    ConditionRow,
    VictimRow,
)


class Registered(msgspec.Struct, frozen=True):
    """How many entries of each list were added."""

    areas: int
    staff: int
    gateways: int
    devices: int
    zones: int
    wearers: int
    victims: int
    offending: int


def register(sessions: Sessions, case_file: CaseFile, now: datetime) -> Registered:
    """Add everything in the file in one transaction; raises :class:`CaseFileFault`."""
    with sessions.begin() as session:
        _Registration(session, now).take(case_file)
    counts = {name: len(getattr(case_file, name)) for name in Registered.__struct_fields__}
    return Registered(**counts)


class _Registration:
    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.hasher = PasswordHasher()
        self.ids: dict[type[Base], dict[str, int]] = {}

    def take(self, case_file: CaseFile) -> None:
        self._add(AreaRow, [AreaRow(ref=each.ref, name=each.name) for each in case_file.areas])
        self._staff(case_file.staff)
        gateways = [GatewayRow(ref=each.ref, name=each.name) for each in case_file.gateways]
        self._add(GatewayRow, gateways)
        devices = [
            DeviceRow(
                ref=each.ref,
                model=each.model,
                kind=each.kind.value,
                gateway_id=self._optional(GatewayRow, each.gateway, f"device {each.ref}"),
            )
            for each in case_file.devices
        ]
        self._add(DeviceRow, devices)
        self._add(ZoneRow, [zone_row(each) for each in case_file.zones])
        for wearer in case_file.wearers:
            self._wearer(wearer)
        self._victims(case_file.victims)
        self._protected(case_file.zones)
        take_protected(self.session, case_file, self._id)
        offending.register(self.session, case_file, self.now)
        costs.register(self.session, case_file, self.now)
        self._log(case_file)

    def _add(self, table: type[RowT], rows: list[RowT]) -> None:
        known = self._known(table)
        for row in rows:
            if row.ref in known:
                raise CaseFileFault(f"{table.__tablename__}: {row.ref} is registered already")
            self.session.add(row)
            known[row.ref] = 0
        self.session.flush()
        known.update({row.ref: row.id for row in rows})

    def _known(self, table: type[Any]) -> dict[str, int]:
        if table not in self.ids:
            found = self.session.execute(select(table.ref, table.id))
            self.ids[table] = {row.ref: row.id for row in found}
        return self.ids[table]

    def _id(self, table: type[Any], ref: str, where: str) -> int:
        found = self._known(table).get(ref)
        if found is None:
            raise CaseFileFault(f"{where}: {ref} is not in {table.__tablename__}")
        return found

    def _optional(self, table: type[Any], ref: str | None, where: str) -> int | None:
        return None if ref is None else self._id(table, ref, where)

    def _staff(self, entries: list[StaffMember]) -> None:
        rows = [
            StaffRow(
                ref=each.ref,
                name=each.name,
                role=each.role.value,
                phone=e164(each),
                # Whoever prepares a case file answers for the numbers in it.
                phone_verified_at=None if each.phone is None else self.now,
                email=each.email,
                email_verified_at=None if each.email is None else self.now,
                call_order=each.call_order,
                password_hash=self._hash(each),
                active=True,
            )
            for each in entries
        ]
        self._add(StaffRow, rows)
        for row, each in zip(rows, entries, strict=True):
            for area in once(each.areas, f"staff {each.ref}"):
                area_id = self._id(AreaRow, area, f"staff {each.ref}")
                self.session.add(StaffAreaRow(staff_id=row.id, area_id=area_id))

    def _hash(self, each: StaffMember) -> str | None:
        if each.password is None:
            return None
        if len(each.password) < SHORTEST_PASSWORD:
            short = f"the password needs at least {SHORTEST_PASSWORD} characters"
            raise CaseFileFault(f"staff {each.ref}: {short}")
        return self.hasher.hash(each.password)

    def _wearer(self, entry: Wearer) -> None:
        where = f"wearer {entry.ref}"
        row = WearerRow(
            ref=entry.ref,
            name=entry.name,
            born_on=entry.born_on,
            area_id=self._id(AreaRow, entry.area, where),
            locality=entry.locality,
            band=entry.band,
            offender_manager_id=self._optional(StaffRow, entry.offender_manager, where),
        )
        self._add(WearerRow, [row])
        for order in entry.orders:
            order_row = OrderRow(
                ref=order.ref,
                wearer_id=row.id,
                kind=order.kind,
                starts_on=order.starts_on,
                ends_on=order.ends_on,
            )
            if order.ends_on is not None and order.ends_on < order.starts_on:
                raise CaseFileFault(f"{where}: order {order.ref} ends before it starts")
            self._add(OrderRow, [order_row])
            conditions = [self._condition(each, order_row.id, where) for each in order.conditions]
            self._add(ConditionRow, conditions)
        self._fit(entry, row.id, where)

    def _condition(self, entry: ConditionEntry, order_id: int, where: str) -> ConditionRow:
        if entry.kind.needs_zone and entry.zone is None:
            raise CaseFileFault(f"{where}: condition {entry.ref} is about a place: name its zone")
        what = f"{where}, condition {entry.ref}"
        from_at, until_at = span(entry.from_at, entry.until_at, what)
        zone_id = self._optional(ZoneRow, entry.zone, what)
        if zone_id is not None:
            kind = self.session.get_one(ZoneRow, zone_id).kind
            if kind != ZONE_OF.get(entry.kind):
                # Judged all the same it would be judged inside out.
                raise CaseFileFault(f"{what}: it cannot be about a zone of kind {kind}")
        return ConditionRow(
            ref=entry.ref,
            order_id=order_id,
            clause=entry.clause,
            kind=entry.kind.value,
            severity=entry.severity.value,
            zone_id=zone_id,
            limits=msgspec.to_builtins(entry.limits),
            from_at=from_at,
            until_at=until_at,
        )

    def _fit(self, entry: Wearer, wearer_id: int, where: str) -> None:
        for fitting in entry.fittings:
            what = f"{where}, {fitting.device}"
            fitted_at, removed_at = span(fitting.fitted_at, fitting.removed_at, what)
            row = FittingRow(
                device_id=self._id(DeviceRow, fitting.device, where),
                wearer_id=wearer_id,
                fitted_at=fitted_at,
                removed_at=removed_at,
            )
            self._refuse_overlap(row, fitting.device, where)
            refuse_victims_device(self.session, row.device_id, what)
            self.session.add(row)
            self.session.flush()
            # Silence is armed from the fitting, not from the first message.
            monitor.judgement_of(self.session, terms.fitting(self.session, row.id))

    def _refuse_overlap(self, row: FittingRow, device: str, where: str) -> None:
        query = select(FittingRow).where(FittingRow.device_id == row.device_id)
        for other in self.session.scalars(query):
            ends_first = row.removed_at is not None and row.removed_at <= other.fitted_at
            begins_later = other.removed_at is not None and other.removed_at <= row.fitted_at
            if not ends_first and not begins_later:
                raise CaseFileFault(f"{where}: {device} is on somebody else at that time")

    def _victims(self, entries: list[Victim]) -> None:
        rows = [
            VictimRow(
                ref=each.ref,
                name=each.name,
                area_id=self._id(AreaRow, each.area, f"victim {each.ref}"),
                address=address(each),
                phone=each.phone,
                in_refuge=each.in_refuge,
            )
            for each in entries
        ]
        self._add(VictimRow, rows)
        for row, each in zip(rows, entries, strict=True):
            for wearer in once(each.wearers, f"victim {each.ref}"):
                wearer_id = self._id(WearerRow, wearer, f"victim {each.ref}")
                self.session.add(VictimWearerRow(victim_id=row.id, wearer_id=wearer_id))

    def _protected(self, zones: list[ZoneEntry]) -> None:
        for each in zones:
            zone_id = self._id(ZoneRow, each.ref, "zones")
            for victim in once(each.protects, f"zone {each.ref}"):
                victim_id = self._id(VictimRow, victim, f"zone {each.ref}")
                self.session.add(ZoneVictimRow(zone_id=zone_id, victim_id=victim_id))

    def _log(self, case_file: CaseFile) -> None:
        for wearer in case_file.wearers:
            wearer_id = self._id(WearerRow, wearer.ref, "wearers")
            self._entry(Act.COLLECTION, "wearer registered", "wearer", wearer_id, {})
        if case_file.victims:
            count: dict[str, object] = {"victims": len(case_file.victims)}
            self._entry(Act.COLLECTION, "victims registered", "victims", None, count)
        for zone in case_file.zones:
            if zone.protects:
                zone_id = self._id(ZoneRow, zone.ref, "zones")
                linked: dict[str, object] = {"victims": len(zone.protects)}
                self._entry(Act.COMBINATION, "zone linked to victims", "zone", zone_id, linked)

    def _entry(
        self, act: Act, what: str, kind: str, subject_id: int | None, detail: dict[str, object]
    ) -> None:
        audit.record(
            self.session,
            act,
            what,
            at=self.now,
            actor="command line",
            subject_kind=kind,
            subject_id=subject_id,
            detail=detail,
        )
