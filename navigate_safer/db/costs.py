"""The book of costs and benefits in versions: what was in force at any moment, by whom and why."""

from datetime import datetime

import msgspec
from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import StaffRow
from navigate_safer.people.cost_book import TYPES, Book, Entry, Kind
from navigate_safer.people.cost_seeds import SHIPPED


class CostEntryRow(Base):
    """One version of one entry; the newest is in force unless it is ``removed``.

    Never changed: a new version is a new row, so that a pack can be made again as of any moment.
    """

    __tablename__ = "cost_entries"
    __table_args__ = (UniqueConstraint("kind", "ref", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    removed: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(String(1_000))
    made_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Version(msgspec.Struct, frozen=True):
    """One version as it is read: ``made_by`` None for what came with a case file."""

    number: int
    entry: Entry
    removed: bool
    reason: str
    made_by: str | None
    made_at: datetime


def book_at(session: Session, known: datetime) -> Book:
    """The book as of a moment: what is shipped, under what has been entered since."""
    row = CostEntryRow
    newest: dict[tuple[str, str], CostEntryRow] = {}
    query = select(row).where(row.made_at <= known).order_by(row.id)
    for found in session.scalars(query):
        newest[found.kind, found.ref] = found
    book = SHIPPED
    for found in newest.values():
        kind = Kind(found.kind)
        book = book.having(kind, found.ref, None if found.removed else entry_of(found))
    return book


def versions(session: Session, kind: Kind, ref: str) -> list[Version]:
    """Every version of one entry, the newest first; none for one that is only shipped."""
    row = CostEntryRow
    query = (
        select(row, StaffRow.name)
        .outerjoin(StaffRow, StaffRow.id == row.made_by)
        .where(row.kind == kind.value, row.ref == ref)
        .order_by(row.version.desc())
    )
    return [
        Version(each.version, entry_of(each), each.removed, each.reason, name, each.made_at)
        for each, name in session.execute(query)
    ]


def entry_of(row: CostEntryRow) -> Entry:
    """The entry that a row holds."""
    entry: Entry = msgspec.convert(row.body, TYPES[Kind(row.kind)])
    return entry
