"""Records of offending, custody and moves, as they were known at any time; tables of harm."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import (
    JSON,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.offending import OffendingEntry


class OffendingRow(Base):
    """One version of an entry; a corrected one is a new row, and the one before is superseded.

    So a report can be made again as of any moment. ``victim`` is a reference and no key: no query
    about a wearer reads the table of victims.
    """

    __tablename__ = "offending_entries"
    __table_args__ = (
        UniqueConstraint("ref", "version"),
        Index("ix_offending_entries_wearer_id_on", "wearer_id", "on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    kind: Mapped[str] = mapped_column(String(20))
    on: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    recorded_on: Mapped[date | None] = mapped_column(Date)
    role: Mapped[str | None] = mapped_column(String(20))
    offence_code: Mapped[str | None] = mapped_column(String(60))
    proof_on: Mapped[date | None] = mapped_column(Date)
    proof_type: Mapped[str | None] = mapped_column(String(20))
    victim: Mapped[str | None] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(100))
    as_at: Mapped[date] = mapped_column(Date)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ReferenceRow(Base):
    """What figures are compared with: ``kind`` harm_table or population; the newest one is used.

    ``body`` is the entry of the case file.
    """

    __tablename__ = "outcome_references"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(100))
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    loaded_at: Mapped[datetime] = mapped_column(UTCDateTime)


def current(session: Session, refs: Collection[str]) -> dict[str, OffendingRow]:
    """The newest version of each entry that is known, by reference."""
    row = OffendingRow
    query = select(row).where(row.ref.in_(refs), row.superseded_at.is_(None))
    return {found.ref: found for found in session.scalars(query)}


def of_wearer(session: Session, scope: Scope, wearer_id: int) -> list[OffendingRow]:
    """What is known now of a wearer of the scope's areas, the newest first. Raises Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    row = OffendingRow
    query = (
        select(row)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(
            row.wearer_id == wearer_id,
            row.superseded_at.is_(None),
            WearerRow.area_id.in_(scope.areas),
        )
        .order_by(row.on.desc(), row.ref)
    )
    return list(session.scalars(query))


def known_at(
    session: Session, scope: Scope, area_ids: Collection[int], known: datetime
) -> list[tuple[WearerRow, list[OffendingRow]]]:
    """Each wearer of the areas with the entries as they were known at a moment.

    Who was registered later is not among them. In which area somebody is has no history: it is
    taken as it is now. Areas outside the scope are passed over. Raises Forbidden.
    """
    scope.require(Permission.SEE_OUTCOME_FIGURES)
    wearers = list(
        session.scalars(
            select(WearerRow)
            .where(WearerRow.area_id.in_(set(area_ids) & scope.areas), _registered(known))
            .order_by(WearerRow.ref)
        )
    )
    row = OffendingRow
    by_wearer: dict[int, list[OffendingRow]] = {each.id: [] for each in wearers}
    query = (
        select(row)
        .where(
            row.wearer_id.in_(by_wearer),
            row.received_at <= known,
            or_(row.superseded_at.is_(None), row.superseded_at > known),
        )
        .order_by(row.on, row.ref)
    )
    for found in session.scalars(query):
        by_wearer[found.wearer_id].append(found)
    return [(each, by_wearer[each.id]) for each in wearers]


def first_received(session: Session) -> datetime | None:
    """When the first entry of all was taken in; None while there is none."""
    return session.scalar(select(func.min(OffendingRow.received_at)))


def _registered(known: datetime) -> ColumnElement[bool]:
    """Whether a wearer was registered by a moment, by the log of acts about him.

    The log's first entry about somebody is his registration. Nobody is left out of whom the log
    has nothing at all.
    """
    of_him = AuditRow.subject_kind == "wearer", AuditRow.subject_id == WearerRow.id
    return or_(exists().where(*of_him, AuditRow.at <= known), ~exists().where(*of_him))


def references(session: Session, kind: str, known: datetime) -> list[ReferenceRow]:
    """Those of a kind that were loaded by a moment, the newest first."""
    row = ReferenceRow
    query = select(row).where(row.kind == kind, row.loaded_at <= known)
    return list(session.scalars(query.order_by(row.loaded_at.desc(), row.id.desc())))


# What an entry and its row have in common, besides whose it is.
FIELDS = tuple(name for name in OffendingEntry.__struct_fields__ if name != "wearer")
