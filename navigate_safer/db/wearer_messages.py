"""Tables of what wearers are told, and by which policy; a wearer's number is in its own table.

No page shows a number: queries for pages give it masked.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.wearer_messages import Phone, Verdict, WearerPolicy
from alerts.wearer_words import Occasion
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.commands import CommandRow


class WearerContactRow(Base):
    """A wearer's telephone: a secret, used once it is verified and until STOP comes from it."""

    __tablename__ = "wearer_contacts"

    wearer_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("wearers.id"), primary_key=True, autoincrement=False
    )
    phone: Mapped[str] = mapped_column(String(20), index=True)
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    entered_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    verified_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    verified_how: Mapped[str | None] = mapped_column(String(10))
    verified_words: Mapped[str | None] = mapped_column(Text)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def known(self) -> Phone:
        """What a decision knows of it."""
        if self.stopped_at is not None:
            return Phone.STOPPED
        return Phone.UNVERIFIED if self.verified_at is None else Phone.GOOD


class WearerCodeRow(Base):
    """A code that was sent to a wearer's number to see whose it is; only its hash is kept."""

    __tablename__ = "wearer_codes"
    __table_args__ = (Index("ix_wearer_codes_wearer_id_made_at", "wearer_id", "made_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    phone: Mapped[str] = mapped_column(String(20))
    code_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class WearerPolicyRow(Base):
    """One version of what the wearers of an area are told; the newest counts."""

    __tablename__ = "wearer_policies"
    __table_args__ = (UniqueConstraint("area_id", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"))
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)

    @property
    def policy(self) -> WearerPolicy:
        """As the decisions see it."""
        return msgspec.convert(self.body, WearerPolicy)


class WearerMessageRow(Base):
    """An occasion and what was decided: the record, and the outbox of the text.

    ``about`` with the wearer and the occasion makes it one row, however many look. ``state`` is of
    the text: none (there is no text), pending, sending (leased), unknown (the provider may have
    it), accepted, failed, expired (not sent in time), cancelled.
    """

    __tablename__ = "wearer_messages"
    __table_args__ = (
        UniqueConstraint(
            "wearer_id", "occasion", "about", name="uq_wearer_messages_wearer_id_occasion_about"
        ),
        Index("ix_wearer_messages_wearer_id_decided_at", "wearer_id", "decided_at"),
        Index(
            "ix_wearer_messages_due_at",
            "due_at",
            postgresql_where=text("due_at is not null"),
            sqlite_where=text("due_at is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    alert_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("alerts.id"), index=True)
    policy_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearer_policies.id"))
    command_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("commands.id"))
    occasion: Mapped[str] = mapped_column(String(20))
    about: Mapped[str] = mapped_column(String(100))
    verdict: Mapped[str] = mapped_column(String(20))
    tone: Mapped[str] = mapped_column(String(12))
    body: Mapped[str | None] = mapped_column(String(320))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    handed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    provider: Mapped[str | None] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(64), index=True)
    delivery: Mapped[str | None] = mapped_column(String(24))
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(String(40))
    without_callback: Mapped[bool] = mapped_column(Boolean, default=False)
    resent_after_unknown: Mapped[bool] = mapped_column(Boolean, default=False)


class WearerAttemptRow(Base):
    """One call to the provider for a wearer's text: written before it is made, completed after.

    Not among the attempts of officers' texts, so that neither counts as the other.
    """

    __tablename__ = "wearer_attempts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearer_messages.id"), index=True)
    provider: Mapped[str] = mapped_column(String(20))
    claimed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(40))


class WearerLine(msgspec.Struct, frozen=True):
    """What a wearer was told, or not, as a page lists it."""

    occasion: Occasion
    decided_at: datetime
    verdict: Verdict
    tone: str
    body: str | None
    state: str
    handed_at: datetime | None
    delivery: str | None
    fault: str | None
    vibration: str | None


def lines(session: Session, where: ColumnElement[bool], most: int) -> list[WearerLine]:
    """The newest messages for which ``where`` holds; for a caller that has checked the scope."""
    query = (
        select(WearerMessageRow, CommandRow.state)
        .outerjoin(CommandRow, CommandRow.id == WearerMessageRow.command_id)
        .where(where)
        .order_by(WearerMessageRow.id.desc())
        .limit(most)
    )
    return [
        WearerLine(
            occasion=Occasion(row.occasion),
            decided_at=row.decided_at,
            verdict=Verdict(row.verdict),
            tone=row.tone,
            body=row.body,
            state=row.state,
            handed_at=row.handed_at,
            delivery=row.delivery,
            fault=row.fault,
            vibration=vibration,
        )
        for row, vibration in session.execute(query)
    ]


def of_alert(session: Session, alert_id: int) -> list[WearerLine]:
    """What the wearer was told because of one alert."""
    return lines(session, WearerMessageRow.alert_id == alert_id, 5)


def of_wearer(session: Session, wearer_id: int, most: int) -> list[WearerLine]:
    """The newest messages of one wearer."""
    return lines(session, WearerMessageRow.wearer_id == wearer_id, most)


def newest_policies(session: Session) -> Sequence[WearerPolicyRow]:
    """The policy in force of each area that has one."""
    newest = (
        select(WearerPolicyRow.area_id, func.max(WearerPolicyRow.version).label("version"))
        .group_by(WearerPolicyRow.area_id)
        .subquery()
    )
    query = select(WearerPolicyRow).join(
        newest,
        (newest.c.area_id == WearerPolicyRow.area_id)
        & (newest.c.version == WearerPolicyRow.version),
    )
    return session.scalars(query.order_by(WearerPolicyRow.area_id)).all()


def told_since(
    session: Session, wearer_id: int, since: datetime, occasion: Occasion | None = None
) -> int:
    """How many messages a wearer was told since an instant, of one occasion or of all."""
    query = select(func.count()).where(
        WearerMessageRow.wearer_id == wearer_id,
        WearerMessageRow.decided_at >= since,
        WearerMessageRow.verdict == Verdict.TOLD.value,
    )
    if occasion is not None:
        query = query.where(WearerMessageRow.occasion == occasion.value)
    return session.scalar(query) or 0


def counted(session: Session, wearers: Select[int], since: datetime) -> tuple[int, int]:
    """Texts that a provider took for wearers, and vibrations that were asked for, since a time."""
    mine = (WearerMessageRow.wearer_id.in_(wearers), WearerMessageRow.decided_at > since)
    texts = select(func.count()).where(*mine, WearerMessageRow.state == "accepted")
    vibrations = select(func.count()).where(*mine, WearerMessageRow.command_id.is_not(None))
    return session.scalar(texts) or 0, session.scalar(vibrations) or 0


def any_due(session: Session, now: datetime) -> bool:
    """Whether a text to a wearer is due."""
    query = select(WearerMessageRow.id).where(WearerMessageRow.due_at <= now)
    return session.scalar(query.limit(1)) is not None


def next_due(session: Session, now: datetime) -> WearerMessageRow | None:
    """The text to a wearer that has been due longest, locked; what others hold is left."""
    return session.scalar(
        select(WearerMessageRow)
        .where(WearerMessageRow.due_at <= now)
        .order_by(WearerMessageRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def contacts_with(session: Session, phone: str) -> Sequence[WearerContactRow]:
    """Whoever has this number, locked."""
    query = select(WearerContactRow).where(WearerContactRow.phone == phone)
    return session.scalars(query.order_by(WearerContactRow.wearer_id).with_for_update()).all()


def live_code(
    session: Session, wearer_id: int, now: datetime, most_tries: int
) -> WearerCodeRow | None:
    """The newest code of a wearer, if it still counts."""
    query = select(WearerCodeRow).where(WearerCodeRow.wearer_id == wearer_id)
    row = session.scalar(query.order_by(WearerCodeRow.id.desc()).limit(1))
    if row is None or row.used_at is not None or row.expires_at <= now or row.tries >= most_tries:
        return None
    return row


def codes_since(session: Session, wearer_id: int, since: datetime) -> int:
    """How many codes were sent for a wearer since an instant."""
    query = select(func.count()).where(
        WearerCodeRow.wearer_id == wearer_id, WearerCodeRow.made_at > since
    )
    return session.scalar(query) or 0
