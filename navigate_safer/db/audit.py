"""The append-only log of the Data Protection Act 2018 s.62, sign-in sessions and heartbeats."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.people.access import Scope
from navigate_safer.people.account import Act


class AuditRow(Base):
    """One act on personal data. The database itself refuses to change or delete a row."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_subject_kind_subject_id", "subject_kind", "subject_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    act: Mapped[str] = mapped_column(String(20))
    what: Mapped[str] = mapped_column(String(100))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    actor: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None] = mapped_column(BigId)
    recipient_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    detail: Mapped[dict[str, object]] = mapped_column(JSON)


class WebSessionRow(Base):
    """A signed-in browser; only a hash of its token is kept, so the table signs nobody in."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    board_digest: Mapped[str | None] = mapped_column(String(64))


class SignInRow(Base):
    """A try to sign in, for throttling and for the security log."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_account_at", "account", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    account: Mapped[str] = mapped_column(String(64))
    succeeded: Mapped[bool] = mapped_column(Boolean)


def record(
    session: Session,
    act: Act,
    what: str,
    *,
    at: datetime,
    actor: str,
    subject_kind: str,
    subject_id: int | None = None,
    staff_id: int | None = None,
    recipient_id: int | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    """Add one entry to the log in the caller's transaction.

    ``actor`` is "staff" or the worker's name. ``detail`` holds counts and references, never a
    name, a number, an address, a coordinate, or erased data.
    """
    session.add(
        AuditRow(
            at=at,
            act=act.value,
            what=what,
            staff_id=staff_id,
            actor=actor,
            subject_kind=subject_kind,
            subject_id=subject_id,
            recipient_id=recipient_id,
            detail=detail or {},
        )
    )


def looked(
    session: Session,
    scope: Scope,
    what: str,
    subject_kind: str,
    subject_id: int | None,
    at: datetime,
    detail: dict[str, object] | None = None,
) -> None:
    """Add that somebody of the staff has looked at something, in the caller's transaction."""
    record(
        session,
        Act.CONSULTATION,
        what,
        at=at,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        detail=detail,
    )
