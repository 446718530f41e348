"""What partners sent: entries about people of the cohort, the imports, and the rows kept out."""

from collections.abc import Collection
from datetime import date, datetime

import msgspec
from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Permission, Scope


class PartnerImportRow(Base):
    """One file. ``content`` is there until it is read, and is then taken away.

    ``done_rows`` of ``all_rows`` are through; a reader that is killed goes on from there.
    ``state``: waiting, done, or refused (``fault`` says why).
    ``columns`` is the mapping by which it is read; None of a file from before that was kept.
    ``other_encoding`` counts its lines that were not UTF-8 and were read as Windows-1252.
    """

    __tablename__ = "partner_imports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(40))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    columns: Mapped[dict[str, str] | None] = mapped_column(JSON)
    other_encoding: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    as_at: Mapped[date] = mapped_column(Date)
    made_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(20), index=True)
    fault: Mapped[str] = mapped_column(String(300), default="")
    all_rows: Mapped[int] = mapped_column(Integer, default=0)
    done_rows: Mapped[int] = mapped_column(Integer, default=0)
    added: Mapped[int] = mapped_column(Integer, default=0)
    changed: Mapped[int] = mapped_column(Integer, default=0)
    unchanged: Mapped[int] = mapped_column(Integer, default=0)
    older: Mapped[int] = mapped_column(Integer, default=0)
    not_ours: Mapped[int] = mapped_column(Integer, default=0)
    bad: Mapped[int] = mapped_column(Integer, default=0)


class PartnerBadRow(Base):
    """A row that was kept out: where, which field, what to do; nothing of what it said."""

    __tablename__ = "partner_bad_rows"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("partner_imports.id"), index=True)
    line: Mapped[int] = mapped_column(Integer)
    field: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(300))


class PartnerEntryRow(Base):
    """One version of an entry about a person of the cohort."""

    __tablename__ = "partner_entries"
    __table_args__ = (
        UniqueConstraint("source", "area_id", "ref", "version"),
        Index("ix_partner_entries_wearer_id_on", "wearer_id", "on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(40))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"))
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    on: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(200))
    reliability: Mapped[str] = mapped_column(String(1))
    handling: Mapped[str] = mapped_column(String(1))
    as_at: Mapped[date] = mapped_column(Date)
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("partner_imports.id"))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Coverage(msgspec.Struct, frozen=True):
    """What there is of one source: its newest ``as_at``, entries, and people with any."""

    source: str
    as_at: date | None
    entries: int
    people: int


class ImportLine(msgspec.Struct, frozen=True):
    """An import as the page lists it."""

    import_id: int
    source: str
    area: str
    name: str
    by: str
    made_at: datetime
    finished_at: datetime | None
    state: str
    fault: str
    all_rows: int
    done_rows: int
    added: int
    changed: int
    unchanged: int
    older: int
    not_ours: int
    bad: int
    other_encoding: int


def of_person(session: Session, scope: Scope, wearer_id: int) -> list[PartnerEntryRow]:
    """What partners hold about a wearer of the scope, the newest first. Raises Forbidden."""
    scope.require(Permission.USE_PARTNER_DATA)
    row = PartnerEntryRow
    query = (
        select(row)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(
            row.wearer_id == wearer_id,
            row.superseded_at.is_(None),
            WearerRow.area_id.in_(scope.areas),
        )
        .order_by(row.on.desc(), row.id.desc())
    )
    return list(session.scalars(query))


def coverage(session: Session, scope: Scope) -> dict[str, Coverage]:
    """What there is of each source in the scope's areas; raises Forbidden."""
    scope.require(Permission.USE_PARTNER_DATA)
    sent = PartnerImportRow
    newest = dict(
        session.execute(
            select(sent.source, func.max(sent.as_at))
            .where(sent.area_id.in_(scope.areas), sent.state == "done")
            .group_by(sent.source)
        ).all()
    )
    row = PartnerEntryRow
    counted = session.execute(
        select(row.source, func.count(), func.count(row.wearer_id.distinct()))
        .where(row.area_id.in_(scope.areas), row.superseded_at.is_(None))
        .group_by(row.source)
    )
    found = {source: (entries, people) for source, entries, people in counted}
    return {
        source: Coverage(source, newest.get(source), *found.get(source, (0, 0)))
        for source in {*newest, *found}
    }


def imports(session: Session, scope: Scope, limit: int = 50) -> list[ImportLine]:
    """The newest imports of the scope's areas first; raises Forbidden."""
    scope.require(Permission.USE_PARTNER_DATA)
    row = PartnerImportRow
    query = (
        select(row, AreaRow.name, StaffRow.name)
        .join(AreaRow, AreaRow.id == row.area_id)
        .outerjoin(StaffRow, StaffRow.id == row.made_by)
        .where(row.area_id.in_(scope.areas))
        .order_by(row.id.desc())
        .limit(limit)
    )
    names = ImportLine.__struct_fields__
    shared = [name for name in names if name not in ("import_id", "area", "by")]
    return [
        ImportLine(
            import_id=found.id,
            area=area,
            by=by or "the folder",
            **{name: getattr(found, name) for name in shared},
        )
        for found, area, by in session.execute(query)
    ]


def bad_rows(session: Session, scope: Scope, import_id: int, limit: int) -> list[PartnerBadRow]:
    """The rows of an import that were kept out, in order; raises Forbidden."""
    scope.require(Permission.USE_PARTNER_DATA)
    query = (
        select(PartnerBadRow)
        .join(PartnerImportRow, PartnerImportRow.id == PartnerBadRow.import_id)
        .where(PartnerBadRow.import_id == import_id, PartnerImportRow.area_id.in_(scope.areas))
        .order_by(PartnerBadRow.line)
        .limit(limit)
    )
    return list(session.scalars(query))


def current(
    session: Session, source: str, area_id: int, refs: Collection[str]
) -> dict[str, PartnerEntryRow]:
    """The newest version of each of these entries that is known, by reference."""
    row = PartnerEntryRow
    query = select(row).where(
        row.source == source,
        row.area_id == area_id,
        row.ref.in_(refs),
        row.superseded_at.is_(None),
    )
    return {found.ref: found for found in session.scalars(query)}


def waiting(session: Session) -> PartnerImportRow | None:
    """The oldest import that waits, locked; one that another process reads is passed over."""
    row = PartnerImportRow
    query = select(row).where(row.state == "waiting").order_by(row.id).limit(1)
    return session.scalar(query.with_for_update(skip_locked=True))


def known_file(session: Session, source: str, area_id: int, sha256: str) -> PartnerImportRow | None:
    """The newest import of the same file for the same source that was not refused."""
    row = PartnerImportRow
    query = select(row).where(
        row.source == source,
        row.area_id == area_id,
        row.sha256 == sha256,
        row.state != "refused",
    )
    return session.scalar(query.order_by(row.id.desc()).limit(1))
