"""Queries of silences: what each is about, and what it hid. Each takes a scope."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.answering import SilencedRow
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    GatewayRow,
    OrderRow,
    StaffRow,
    WearerRow,
)
from navigate_safer.db.telling import SilenceRow
from navigate_safer.people.access import Permission, Scope

MOST_SHOWN = 200


class SilenceLine(msgspec.Struct, frozen=True):
    """A silence as it stands; ``about`` is its subject in words, ``ended_at`` an early end."""

    number: int
    kind: str
    about: str
    wearer_ref: str | None
    kinds: list[str] | None
    from_at: datetime
    until_at: datetime
    reason: str
    words: str
    author_id: int
    author: str
    made_at: datetime
    needs_second: bool
    approved_by: str | None
    approved_at: datetime | None
    ended_by: str | None
    ended_at: datetime | None
    hidden: int

    @property
    def over_at(self) -> datetime:
        """When it ends, or ended."""
        return self.until_at if self.ended_at is None else min(self.ended_at, self.until_at)


class HiddenAlert(msgspec.Struct, frozen=True):
    """An alert that was held back, and what became of it."""

    reference: str
    kind: str
    severity: str
    wearer_name: str
    held_at: datetime
    still_held: bool
    state: str
    episode_ended_at: datetime | None


class Meanwhile(msgspec.Struct, frozen=True):
    """An episode within a silence, whether or not an alert tells of it."""

    kind: str
    wearer_name: str
    started_at: datetime
    ended_at: datetime | None
    withdrawn: bool


def lines(session: Session, scope: Scope, needs_second: Sequence[int]) -> list[SilenceLine]:
    """Silences of the scope's areas, those that end last first."""
    scope.require(Permission.ACT_ON_ALERTS)
    query = (
        select(SilenceRow)
        .where(SilenceRow.area_id.in_(scope.areas))
        .order_by(SilenceRow.until_at.desc(), SilenceRow.id.desc())
        .limit(MOST_SHOWN)
    )
    return [line(session, row, row.id in needs_second) for row in session.scalars(query)]


def line(session: Session, row: SilenceRow, needs_second: bool) -> SilenceLine:
    """One silence in words."""
    about, wearer_ref = _about(session, row)
    hidden = select(SilencedRow.alert_id).where(SilencedRow.silence_id == row.id)
    return SilenceLine(
        number=row.id,
        kind=row.kind,
        about=about,
        wearer_ref=wearer_ref,
        kinds=row.kinds,
        from_at=row.from_at,
        until_at=row.until_at,
        reason=row.reason,
        words=row.words,
        author_id=row.author_id,
        author=session.get_one(StaffRow, row.author_id).name,
        made_at=row.made_at,
        needs_second=needs_second,
        approved_by=_name(session, row.approved_by),
        approved_at=row.approved_at,
        ended_by=_name(session, row.ended_by),
        ended_at=row.ended_at,
        hidden=len(session.scalars(hidden).all()),
    )


def _name(session: Session, staff_id: int | None) -> str | None:
    return None if staff_id is None else session.get_one(StaffRow, staff_id).name


def _about(session: Session, row: SilenceRow) -> tuple[str, str | None]:
    if row.wearer_id is not None:
        wearer = session.get_one(WearerRow, row.wearer_id)
        return f"{wearer.name} ({wearer.ref})", wearer.ref
    if row.device_id is not None:
        return f"Device {session.get_one(DeviceRow, row.device_id).ref}", None
    if row.gateway_id is not None:
        return f"Gateway {session.get_one(GatewayRow, row.gateway_id).ref}", None
    query = (
        select(ConditionRow.ref, ConditionRow.clause, WearerRow.name, WearerRow.ref.label("who"))
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .join(WearerRow, WearerRow.id == OrderRow.wearer_id)
        .where(ConditionRow.id == row.condition_id)
    )
    found = session.execute(query).one()
    return f"Condition {found.ref} ({found.clause}) of {found.name}", found.who


def hidden(session: Session, scope: Scope, row: SilenceRow) -> list[HiddenAlert]:
    """The alerts that a silence held back, of the scope's areas."""
    query = (
        select(SilencedRow.at, AlertRow, EpisodeRow, WearerRow.name)
        .join(AlertRow, AlertRow.id == SilencedRow.alert_id)
        .join(EpisodeRow, EpisodeRow.id == AlertRow.episode_id)
        .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
        .where(SilencedRow.silence_id == row.id, AlertRow.area_id.in_(scope.areas))
        .order_by(SilencedRow.at, AlertRow.id)
        .limit(MOST_SHOWN)
    )
    return [
        HiddenAlert(
            reference=alert.reference,
            kind=episode.kind,
            severity=alert.severity,
            wearer_name=name,
            held_at=at,
            still_held=alert.silence_id == row.id and alert.state == "open",
            state=alert.state,
            episode_ended_at=episode.ended_at,
        )
        for at, alert, episode, name in session.execute(query)
    ]


def meanwhile(session: Session, scope: Scope, row: SilenceRow, now: datetime) -> list[Meanwhile]:
    """The episodes that it is about and that went on within it."""
    until_at = min(row.until_at, row.ended_at or row.until_at, now)
    query = (
        select(EpisodeRow, WearerRow.name)
        .join(WearerRow, WearerRow.id == EpisodeRow.wearer_id)
        .join(FittingRow, FittingRow.id == EpisodeRow.fitting_id)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(
            WearerRow.area_id.in_(scope.areas),
            _subject(row),
            EpisodeRow.started_at < until_at,
            or_(EpisodeRow.ended_at.is_(None), EpisodeRow.ended_at >= row.from_at),
            EpisodeRow.kind != FindingKind.EXCUSED_STAY.value,
        )
        .order_by(EpisodeRow.started_at, EpisodeRow.id)
        .limit(MOST_SHOWN)
    )
    if row.kinds is not None:
        query = query.where(EpisodeRow.kind.in_(row.kinds))
    return [
        Meanwhile(each.kind, name, each.started_at, each.ended_at, each.withdrawn)
        for each, name in session.execute(query)
    ]


def _subject(row: SilenceRow) -> ColumnElement[bool]:
    if row.wearer_id is not None:
        return EpisodeRow.wearer_id == row.wearer_id
    if row.device_id is not None:
        return FittingRow.device_id == row.device_id
    if row.gateway_id is not None:
        return DeviceRow.gateway_id == row.gateway_id
    return EpisodeRow.condition_id == row.condition_id


def areas_of_devices(session: Session, where: ColumnElement[bool], at: datetime) -> set[int]:
    """The areas of those who wear devices at an instant, of the devices for which it holds."""
    query = (
        select(WearerRow.area_id)
        .join(FittingRow, FittingRow.wearer_id == WearerRow.id)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(where, FittingRow.fitted_at <= at)
        .where(or_(FittingRow.removed_at.is_(None), FittingRow.removed_at > at))
    )
    return set(session.scalars(query))


def to_tell(session: Session, silence_id: int) -> list[AlertRow]:
    """The open alerts that a silence holds back now, locked in order of id."""
    query = select(AlertRow).where(AlertRow.silence_id == silence_id, AlertRow.state == "open")
    return list(session.scalars(query.order_by(AlertRow.id).with_for_update()))
