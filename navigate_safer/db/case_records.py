"""Case records, a row a version. Every query takes a scope and shows nothing outside it.

Current versions have no ``superseded_at``. ``slot`` names what there may be one current record of,
such as the live plan of a wearer: the database itself refuses a second.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.records import BodyT, RecordKind

_CURRENT = text("superseded_at IS NULL")


class CaseRecordRow(Base):
    """One version of a record; only ``superseded_at`` is ever changed."""

    __tablename__ = "case_records"
    __table_args__ = (
        UniqueConstraint("kind", "ref", "version"),
        Index(
            "uq_case_records_slot",
            "slot",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_case_records_wearer_id_kind", "wearer_id", "kind"),
        Index("ix_case_records_kind_state", "kind", "state"),
        Index("ix_case_records_kind_subject", "kind", "subject"),
        Index("ix_case_records_due_at", "due_at", sqlite_where=_CURRENT, postgresql_where=_CURRENT),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    ref: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    wearer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("wearers.id"))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"))
    # What else it belongs to, such as the meeting of an action or the person protected.
    subject: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(40))
    slot: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_what: Mapped[str | None] = mapped_column(String(200))
    due_who: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    made_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(1000))
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


Found = tuple[CaseRecordRow, str | None, str]


def newest(
    session: Session, scope: Scope, kind: RecordKind[BodyT], ref: str, *, held: bool = False
) -> Found | None:
    """The current version of a record of the scope's areas; ``held`` locks it for a change."""
    query = _seen(scope, kind).where(CaseRecordRow.ref == ref, _current())
    if held:
        query = query.with_for_update(of=CaseRecordRow)
    return _first(session, query)


def versions(session: Session, scope: Scope, kind: RecordKind[BodyT], ref: str) -> list[Found]:
    """Every version of a record, the newest first."""
    query = _seen(scope, kind).where(CaseRecordRow.ref == ref)
    return _all(session, query.order_by(CaseRecordRow.version.desc()))


def listed(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    *,
    wearer_id: int | None = None,
    subject: str | None = None,
    states: Collection[str] | None = None,
    limit: int | None = None,
) -> list[Found]:
    """Current records of a kind, the newest first; of one wearer or subject, in certain states."""
    query = _seen(scope, kind).where(_current())
    if wearer_id is not None:
        query = query.where(CaseRecordRow.wearer_id == wearer_id)
    if subject is not None:
        query = query.where(CaseRecordRow.subject == subject)
    if states is not None:
        query = query.where(CaseRecordRow.state.in_(states))
    query = query.order_by(CaseRecordRow.at.desc(), CaseRecordRow.id.desc())
    return _all(session, query if limit is None else query.limit(limit))


def in_slot(session: Session, scope: Scope, kind: RecordKind[BodyT], slot: str) -> Found | None:
    """The one current record of a slot."""
    return _first(session, _seen(scope, kind).where(CaseRecordRow.slot == slot, _current()))


def in_slots(
    session: Session, scope: Scope, kind: RecordKind[BodyT], beginning: str
) -> list[Found]:
    """Current records of a kind whose slots begin so, the oldest first."""
    begins = CaseRecordRow.slot.startswith(beginning, autoescape=True)
    query = _seen(scope, kind).where(begins, _current())
    return _all(session, query.order_by(CaseRecordRow.at, CaseRecordRow.id))


def body_in_slot(session: Session, slot: str) -> dict[str, object] | None:
    """What the current record of a slot says: for the service's own work, not for a page."""
    row = CaseRecordRow
    return session.scalar(select(row.body).where(row.slot == slot, _current()))


def bodies_of_area(
    session: Session, kind: RecordKind[BodyT], area_id: int
) -> list[tuple[int, dict[str, object]]]:
    """What the current records of a kind say of the people of an area, by wearer: for the service's
    own work, not for a page.
    """
    row = CaseRecordRow
    query = (
        select(WearerRow.id, row.body)
        .join(WearerRow, WearerRow.id == row.wearer_id)
        .where(row.kind == kind.name, WearerRow.area_id == area_id, _current())
        .order_by(row.id)
    )
    return [(wearer_id, body) for wearer_id, body in session.execute(query)]


def due_by(session: Session, scope: Scope, kinds: Collection[str], until: datetime) -> list[Found]:
    """Current records of these kinds with something due until then, the most overdue first.

    All of them: whoever asks for their own must not lose one behind others' that wait longer. The
    caller passes only kinds that the scope may see.
    """
    query = _in_areas(scope).where(
        CaseRecordRow.kind.in_(kinds), _current(), CaseRecordRow.due_at <= until
    )
    return _all(session, query.order_by(CaseRecordRow.due_at, CaseRecordRow.id))


def of_person(
    session: Session, scope: Scope, wearer_id: int, kinds: Collection[str], limit: int
) -> list[Found]:
    """Current records of these kinds about one wearer, the newest first."""
    query = _in_areas(scope).where(
        CaseRecordRow.wearer_id == wearer_id, CaseRecordRow.kind.in_(kinds), _current()
    )
    return _all(
        session, query.order_by(CaseRecordRow.at.desc(), CaseRecordRow.id.desc()).limit(limit)
    )


def _seen(scope: Scope, kind: RecordKind[BodyT]) -> Select[CaseRecordRow, str | None, str]:
    scope.require(kind.see)
    return _in_areas(scope).where(CaseRecordRow.kind == kind.name)


def _in_areas(scope: Scope) -> Select[CaseRecordRow, str | None, str]:
    row = CaseRecordRow
    # Outer, so that a record about an area has no wearer: the type cannot know that.
    wearer_ref: InstrumentedAttribute[str | None] = WearerRow.ref
    return (
        select(row, wearer_ref, StaffRow.name)
        .join(StaffRow, StaffRow.id == row.made_by)
        .outerjoin(WearerRow, WearerRow.id == row.wearer_id)
        .where(row.area_id.in_(scope.areas))
    )


def _current() -> ColumnElement[bool]:
    return CaseRecordRow.superseded_at.is_(None)


def _first(session: Session, query: Select[CaseRecordRow, str | None, str]) -> Found | None:
    return next(iter(_all(session, query.limit(1))), None)


def _all(session: Session, query: Select[CaseRecordRow, str | None, str]) -> list[Found]:
    return [(row, wearer, author) for row, wearer, author in session.execute(query)]
