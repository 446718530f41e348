"""Tables of how alerts are answered: what a silence hid, steps ticked, versions of rotas, codes."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime


class SilencedRow(Base):
    """An alert that a silence held back, from the instant it first did."""

    __tablename__ = "silenced_alerts"

    silence_id: Mapped[int] = mapped_column(BigId, ForeignKey("silences.id"), primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class TickRow(Base):
    """A step of an alert's playbook that was done. ``words`` of an IDVA's step are the IDVA's.

    One that was taken back keeps everything and says who did so, when and why; the step may then
    be done again, as another row.
    """

    __tablename__ = "playbook_ticks"
    __table_args__ = (
        Index(
            "uq_playbook_ticks_live",
            "alert_id",
            "key",
            unique=True,
            postgresql_where=text("undone_at is null"),
            sqlite_where=text("undone_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"))
    key: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    words: Mapped[str] = mapped_column(Text)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    undone_why: Mapped[str | None] = mapped_column(Text)


class RotaVersionRow(Base):
    """The layers of a rota as they were from one edit to the next."""

    __tablename__ = "rota_versions"
    __table_args__ = (UniqueConstraint("rota_id", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rota_id: Mapped[int] = mapped_column(BigId, ForeignKey("rotas.id"))
    version: Mapped[int] = mapped_column(Integer)
    layers: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)


class ContactCodeRow(Base):
    """A code that was sent to an address to see whose it is; only its hash is kept."""

    __tablename__ = "contact_codes"
    __table_args__ = (Index("ix_contact_codes_staff_id_made_at", "staff_id", "made_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(254))
    code_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AckLinkRow(Base):
    """A link that acknowledges one alert as one member of staff, once; only its hash is kept.

    It is made for one call to the provider, so that the token is nowhere but in that text.
    """

    __tablename__ = "ack_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    text_id: Mapped[int] = mapped_column(BigId, ForeignKey("texts.id"))
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    attempt_id: Mapped[str] = mapped_column(String(32), ForeignKey("text_attempts.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
