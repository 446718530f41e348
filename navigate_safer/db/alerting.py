"""Tables of episodes, alerts, texts and their receipts."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.finding import FindingKind
from navigate_safer.db.base import Base, BigId, UTCDateTime


class EpisodeRow(Base):
    """One breach of one condition: the unique key is what makes "one alert per breach" hold."""

    __tablename__ = "episodes"
    __table_args__ = (
        UniqueConstraint("fitting_id", "condition_id", "kind", "started_at"),
        Index("ix_episodes_wearer_id_started_at", "wearer_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fitting_id: Mapped[int] = mapped_column(BigId, ForeignKey("fittings.id"))
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    condition_id: Mapped[int] = mapped_column(BigId, ForeignKey("conditions.id"))
    kind: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(20))
    clause: Mapped[str] = mapped_column(String(100))
    rule: Mapped[str] = mapped_column(String(60))
    rule_version: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    detected_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)
    evidence: Mapped[dict[str, object]] = mapped_column(JSON)


class EpisodeHistoryRow(Base):
    """Every decision about an episode with its reason; append-only."""

    __tablename__ = "episode_history"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    episode_id: Mapped[int] = mapped_column(BigId, ForeignKey("episodes.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    action: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(String(100))
    before: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class AlertRow(Base):
    """What somebody has to answer. ``plan`` is the escalation as it was when the alert opened.

    An alert is about an episode of a wearer, or about a ``part`` of the service itself; then it has
    no episode, no wearer and no area. ``silence_id`` is what it is not told under at present,
    ``grouped_gateway_id`` the gateway whose failure speaks for it.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "ix_alerts_next_step_at",
            "next_step_at",
            postgresql_where=text("next_step_at is not null"),
            sqlite_where=text("next_step_at is not null"),
        ),
        Index(
            "uq_alerts_part_live",
            "part",
            unique=True,
            postgresql_where=text("part is not null and state <> 'resolved'"),
            sqlite_where=text("part is not null and state <> 'resolved'"),
        ),
        Index("ix_alerts_state_severity_rank", "state", "severity_rank"),
        Index("ix_alerts_area_id_opened_at", "area_id", "opened_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    episode_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("episodes.id"), unique=True)
    wearer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("areas.id"))
    part: Mapped[str | None] = mapped_column(String(100))
    severity: Mapped[str] = mapped_column(String(20))
    severity_rank: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20))
    late_data: Mapped[bool] = mapped_column(Boolean, default=False)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    acknowledgement_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(40))
    plan: Mapped[dict[str, object]] = mapped_column(JSON)
    next_step: Mapped[int] = mapped_column(Integer, default=0)
    next_step_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    silence_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("silences.id"))
    grouped_gateway_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("gateways.id"))


# Moves of an alert that has to be told, and of which nobody could be.
NOBODY_TO_TELL, TELL_FAILED = "nobody_to_tell", "tell_failed"


class AlertHistoryRow(Base):
    """Every move of an alert: who, when, why; append-only."""

    __tablename__ = "alert_history"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    move: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    channel: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)


class TextRow(Base):
    """A text, call or e-mail to be sent: the outbox. ``step`` counts up, so a repeat is a new row.

    ``chased_at`` is when the next person or channel was hurried because of this one, once.

    ``bundle_by`` is the latest at which a text that may be told with others is told; None for one
    that is told by itself. While it travels in another's text its ``bundle_id`` is that text's id;
    the text that carries others has their common ``bundle_body``.

    ``state``: pending, sending (leased), unknown (the provider may have it), bundled (in another's
    text, which is being sent), accepted, failed, cancelled (acknowledged before it was sent).
    """

    __tablename__ = "texts"
    __table_args__ = (
        UniqueConstraint("alert_id", "step"),
        Index(
            "ix_texts_due_at",
            "due_at",
            postgresql_where=text("due_at is not null"),
            sqlite_where=text("due_at is not null"),
        ),
        Index(
            "ix_texts_staff_id_bundle_by",
            "staff_id",
            "bundle_by",
            postgresql_where=text("bundle_by is not null"),
            sqlite_where=text("bundle_by is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"))
    step: Mapped[int] = mapped_column(Integer)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    channel: Mapped[str] = mapped_column(String(10), default="sms", server_default="sms")
    body: Mapped[str] = mapped_column(String(1600))
    code: Mapped[str] = mapped_column(String(6), index=True)
    code_expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    validity_s: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    handed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    provider: Mapped[str | None] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(64), index=True)
    delivery: Mapped[str | None] = mapped_column(String(24))
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    chased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(String(40))
    without_callback: Mapped[bool] = mapped_column(Boolean, default=False)
    resent_after_unknown: Mapped[bool] = mapped_column(Boolean, default=False)
    bundle_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    bundle_id: Mapped[int | None] = mapped_column(BigId, index=True)
    bundle_body: Mapped[str | None] = mapped_column(String(1600))


class TextAttemptRow(Base):
    """One call to the provider: written before it is made, completed after."""

    __tablename__ = "text_attempts"
    __table_args__ = (Index("ix_text_attempts_finished_at", "finished_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    text_id: Mapped[int] = mapped_column(BigId, ForeignKey("texts.id"), index=True)
    provider: Mapped[str | None] = mapped_column(String(20))
    claimed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(40))


class TextReceiptRow(Base):
    """A status callback as it came; repeated ones are one row."""

    __tablename__ = "text_receipts"
    __table_args__ = (UniqueConstraint("provider_id", "status"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64))
    attempt_id: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(24))
    error_code: Mapped[int | None] = mapped_column(Integer)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)


class TextReplyRow(Base):
    """A text somebody sent us, a key pressed or a link used, and what it did.

    The body is not kept: it could say anything.
    """

    __tablename__ = "text_replies"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    alert_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("alerts.id"))
    result: Mapped[str] = mapped_column(String(40))


def called_silent(session: Session, fitting_ids: Collection[int]) -> set[int]:
    """Which of the fittings have an open silence: what they measure may show it never was."""
    query = select(EpisodeRow.fitting_id).where(
        EpisodeRow.fitting_id.in_(fitting_ids),
        EpisodeRow.kind == FindingKind.SILENCE.value,
        EpisodeRow.ended_at.is_(None),
        EpisodeRow.withdrawn.is_(False),
    )
    return set(session.scalars(query))
