"""The verdict on alcohol when an obstruction over it is confirmed later: amended, with its history.

An episode is over within hours, an obstruction is confirmed after eight. What the rule said of
alcohol is kept beside what may be said of it now, so that it comes back where late data shows that
nothing was covered. Drinking that was confirmed stays so: it was seen through the cover.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.alcohol.episode import DRINKING_UNCERTAIN
from alerts.alcohol.verdict import Verdict
from alerts.decide import Action, Decision, Why
from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow, EpisodeRow
from navigate_safer.services import telling

_LOST, _EARLY = FindingKind.CONTACT_LOST, FindingKind.ALCOHOL_THRESHOLD
_OPEN_TO_DOUBT = frozenset({Verdict.REVIEW.value, Verdict.NOT_CONFIRMED.value})
REASON = "an obstruction over it was confirmed later"


def amend(
    session: Session, wearer_id: int, decisions: Iterable[Decision], now: datetime
) -> datetime | None:
    """Amend verdicts on ended alcohol that the decisions bear on; the earliest start amended."""
    about = [each.known or each.finding for each in decisions]
    times = [each.started_at for each in about if each and each.kind in (_LOST, _EARLY)]
    if not times:
        return None
    session.flush()
    rows = _rows(session, wearer_id, min(times) - 2 * DRINKING_UNCERTAIN)
    lost = [row for row in rows if row.kind == _LOST.value]
    sure = {
        (row.condition_id, row.started_at)
        for row in rows
        if row.kind == FindingKind.ALCOHOL_CONFIRMED.value
    }
    amended = []
    for row in rows:
        if row.kind != _EARLY.value or row.ended_at is None:
            continue
        blind = any(_over(each, row) for each in lost)
        if (row.condition_id, row.started_at) not in sure and _say(session, row, blind, now):
            amended.append(row.started_at)
    return min(amended, default=None)


def _rows(session: Session, wearer_id: int, since: datetime) -> list[EpisodeRow]:
    row = EpisodeRow
    kinds = (_LOST, _EARLY, FindingKind.ALCOHOL_CONFIRMED)
    query = select(row).where(
        row.wearer_id == wearer_id,
        row.kind.in_([each.value for each in kinds]),
        row.withdrawn.is_(False),
        or_(row.ended_at.is_(None), row.ended_at >= since),
    )
    return list(session.scalars(query.order_by(row.id)))


def _over(lost: EpisodeRow, alcohol: EpisodeRow) -> bool:
    """Whether it may have been covered while alcohol cannot be excluded."""
    begins, ends = alcohol.started_at, alcohol.ended_at or alcohol.started_at
    said_from = alcohol.evidence.get("alcohol_present_from")
    said_until = alcohol.evidence.get("alcohol_present_until")
    if isinstance(said_from, str) and isinstance(said_until, str):
        begins = datetime.fromisoformat(said_from) + DRINKING_UNCERTAIN
        ends = datetime.fromisoformat(said_until)
    return lost.started_at <= ends and (lost.ended_at is None or begins <= lost.ended_at)


def _say(session: Session, row: EpisodeRow, blind: bool, now: datetime) -> bool:
    """Put the verdict right; True where it was changed."""
    evidence: dict[str, Any] = dict(row.evidence)
    ruled = evidence.pop("verdict_of_rule", evidence.get("verdict"))
    why = evidence.pop("reason_of_rule", evidence.get("reason"))
    evidence |= {"verdict": ruled, "reason": why}
    covered = blind and ruled in _OPEN_TO_DOUBT
    if covered:
        said = {"verdict": Verdict.UNDETERMINED.value, "reason": REASON}
        evidence |= {**said, "verdict_of_rule": ruled, "reason_of_rule": why}
    if evidence == row.evidence:
        return False
    row.evidence = evidence
    last = session.scalars(
        select(EpisodeHistoryRow)
        .where(
            EpisodeHistoryRow.episode_id == row.id,
            EpisodeHistoryRow.why.in_([Why.COVERED.value, Why.NOT_COVERED.value]),
        )
        .order_by(EpisodeHistoryRow.id.desc())
        .limit(1)
    ).first()
    reason = Why.COVERED if covered else Why.NOT_COVERED
    # Judged again, the rule says again what it said; what is made of it has not changed.
    if last is None or last.why != reason.value:
        _note(session, row, reason, {"verdict": ruled}, now)
    return True


def _note(
    session: Session, row: EpisodeRow, why: Why, before: dict[str, object], now: datetime
) -> None:
    session.add(
        EpisodeHistoryRow(
            episode_id=row.id, at=now, action=Action.AMEND.value, why=why.value, before=before
        )
    )
    alert = session.scalar(select(AlertRow).where(AlertRow.episode_id == row.id))
    if alert is not None:
        telling.note(session, alert, now, Action.AMEND.value, why.value)
