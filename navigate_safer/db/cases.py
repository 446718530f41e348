"""The parts of a case: episodes and missed sessions of one wearer, and their alerts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.alcohol.verdict import Verdict
from alerts.compound import PART_OF, MissedSession, Part, PartKind, missed
from alerts.finding import FindingKind, Severity
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import ConditionRow

KIND = FindingKind.COMPOUND
_EPISODE = "episode:"


class MissedSessionRow(Base):
    """A session that a wearer did not come to; ``withdrawn`` when that proves to be a mistake."""

    __tablename__ = "missed_sessions"
    __table_args__ = (UniqueConstraint("wearer_id", "ref"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    ref: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)


class PartLine(msgspec.Struct, frozen=True):
    """A part as the alert page lists it; ``reference`` of its own alert, None where it has none."""

    kind: str
    what: str
    started_at: datetime
    ended_at: datetime | None
    severity: str
    sure: str | None
    probability: float | None
    reference: str | None


def parts(session: Session, wearer_id: int, since: datetime) -> list[Part]:
    """What may be part of a case and was not over before an instant; nothing that was withdrawn."""
    row, term = EpisodeRow, ConditionRow
    # The rings of a place to stay in are no approach to anybody.
    about = or_(term.kind == ConditionKind.EXCLUSION_ZONE.value, term.zone_id.is_(None))
    query = (
        select(row, term.version)
        .join(term, term.id == row.condition_id)
        .where(
            row.wearer_id == wearer_id,
            row.kind.in_([each.value for each in PART_OF]),
            row.withdrawn.is_(False),
            or_(row.ended_at.is_(None), row.ended_at >= since),
            about,
        )
    )
    found = [_part(each, version) for each, version in session.execute(query)]
    sessions = select(MissedSessionRow).where(
        MissedSessionRow.wearer_id == wearer_id,
        MissedSessionRow.withdrawn.is_(False),
        MissedSessionRow.ended_at >= since,
    )
    return found + [
        missed(MissedSession(each.ref, each.started_at, each.ended_at))
        for each in session.scalars(sessions)
    ]


def _part(row: EpisodeRow, version: int) -> Part:
    kind = FindingKind(row.kind)
    said, chance = row.evidence.get("verdict"), row.evidence.get("probability")
    alcohol = PART_OF[kind] is PartKind.ALCOHOL
    if kind is FindingKind.ALCOHOL_CONFIRMED:
        said = Verdict.CONFIRMED.value
    return Part(
        PART_OF[kind],
        row.kind,
        f"{_EPISODE}{row.id}",
        Severity(row.severity),
        row.started_at,
        row.ended_at,
        row.condition_id,
        version,
        row.clause,
        str(said) if alcohol and said is not None else None,
        float(chance) if isinstance(chance, int | float) else None,
    )


def episode_ids(evidence: dict[str, Any]) -> list[int]:
    """The episodes that are parts of a case."""
    sources = [str(each["source"]) for each in evidence.get("parts", [])]
    return [int(each.removeprefix(_EPISODE)) for each in sources if each.startswith(_EPISODE)]


def part_lines(session: Session, evidence: dict[str, Any]) -> list[PartLine]:
    """The parts of a case with the references of their alerts, in order of time."""
    query = select(AlertRow.episode_id, AlertRow.reference)
    rows = session.execute(query.where(AlertRow.episode_id.in_(episode_ids(evidence))))
    references = {f"{_EPISODE}{episode}": reference for episode, reference in rows}
    return [
        PartLine(
            each["kind"],
            each["what"],
            datetime.fromisoformat(each["started_at"]),
            None if each["ended_at"] is None else datetime.fromisoformat(each["ended_at"]),
            each["severity"],
            each["sure"],
            each["probability"],
            references.get(each["source"]),
        )
        for each in evidence.get("parts", [])
    ]


_HAS_CASE = (
    select(EpisodeRow.id)
    .where(
        EpisodeRow.wearer_id == bindparam("wearer"),
        EpisodeRow.kind == KIND.value,
        EpisodeRow.started_at >= bindparam("since"),
    )
    .limit(1)
)


def has_case(session: Session, wearer_id: int, since: datetime) -> bool:
    """Whether a wearer has any of :func:`cases_since`."""
    asked = {"wearer": wearer_id, "since": since}
    return session.connection().execute(_HAS_CASE, asked).first() is not None


def cases_since(session: Session, wearer_id: int, since: datetime) -> list[EpisodeRow]:
    """Cases of a wearer that began at an instant or after it, withdrawn ones too."""
    row = EpisodeRow
    query = select(row).where(
        row.wearer_id == wearer_id, row.kind == KIND.value, row.started_at >= since
    )
    return list(session.scalars(query.order_by(row.started_at, row.id)))


def references_of_cases(session: Session, episode: EpisodeRow) -> list[str]:
    """References of the cases that an episode is part of; none that was withdrawn."""
    if FindingKind(episode.kind) not in PART_OF:
        return []
    query = (
        select(EpisodeRow, AlertRow.reference)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(
            EpisodeRow.wearer_id == episode.wearer_id,
            EpisodeRow.kind == KIND.value,
            EpisodeRow.withdrawn.is_(False),
        )
        .order_by(EpisodeRow.started_at)
    )
    return [
        reference
        for row, reference in session.execute(query)
        if episode.id in episode_ids(row.evidence)
    ]


def alerts_of(session: Session, episodes: Sequence[int]) -> list[AlertRow]:
    """The alerts of episodes as they are now, held in order of id."""
    query = select(AlertRow).where(AlertRow.episode_id.in_(episodes)).order_by(AlertRow.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))
