"""Apply decisions: write episodes with their history, and open or amend their alerts."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from alerts import overlap
from alerts.decide import Action, Decision, Why
from alerts.finding import Finding, FindingKind, Severity
from alerts.lifecycle import AlertState, Move
from alerts.overlap import Stay
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow, EpisodeRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, telling
from navigate_safer.services.telling import Voice

# After these a stay that another alert told of may be told no more.
_MAY_UNCOVER = frozenset({Action.END, Action.AMEND, Action.WITHDRAW})


def apply(
    session: Session, of: FittingOf, decisions: Iterable[Decision], now: datetime, voice: Voice
) -> int:
    """Write what was decided; returns how many alerts were opened. The caller commits.

    Of zones that overlap one alert tells; the others are recorded, and told when it no longer does.
    """
    opened = 0
    decisions = list(decisions)
    if any(each.action is Action.OPEN for each in decisions):
        decisions = overlap.settle(decisions, told_stays(session, of.fitting.fitting_id))
    for decision in decisions:
        if decision.known is None:
            assert decision.finding is not None
            episode = _new(session, of, decision.finding, now)
            _history(session, episode, decision, now)
            if decision.action is Action.OPEN:
                late, why = decision.why.found_late, decision.why.value
                alerting.open_alert(session, episode, now, voice, late=late, why=why)
                opened += 1
        else:
            _change(session, decision, now, voice)
    if any(each.action in _MAY_UNCOVER for each in decisions):
        opened += _tell_what_is_left(session, of, now, voice)
    return opened


def told_stays(session: Session, fitting_id: int) -> list[Stay]:
    """Stays of a fitting that go on, and of which an alert tells that is not resolved."""
    query = (
        select(EpisodeRow)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(*_going_on(fitting_id), AlertRow.state != AlertState.RESOLVED.value)
    )
    return [stay for row in session.scalars(query) if (stay := _stay(row)) is not None]


def _tell_what_is_left(session: Session, of: FittingOf, now: datetime, voice: Voice) -> int:
    """Open alerts of stays that go on after the one that told of them; how many."""
    fitting_id = of.fitting.fitting_id
    query = (
        select(EpisodeRow)
        .outerjoin(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(*_going_on(fitting_id), AlertRow.id.is_(None))
    )
    untold = [(row, stay) for row in session.scalars(query) if (stay := _stay(row)) is not None]
    if not untold:
        return 0
    told, opened = told_stays(session, fitting_id), 0
    for row, stay in sorted(untold, key=lambda each: each[1].rank, reverse=True):
        if any(overlap.tells(other, stay) for other in told):
            continue
        why = Why.NO_LONGER_TOLD
        session.add(
            EpisodeHistoryRow(
                episode_id=row.id, at=now, action=Action.OPEN.value, why=why.value, before=None
            )
        )
        alerting.open_alert(session, row, now, voice, late=False, why=why.value)
        told.append(stay)
        opened += 1
    return opened


def _going_on(fitting_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        EpisodeRow.fitting_id == fitting_id,
        EpisodeRow.ended_at.is_(None),
        EpisodeRow.withdrawn.is_(False),
    )


def _stay(row: EpisodeRow) -> Stay | None:
    kind, severity = FindingKind(row.kind), Severity(row.severity)
    return overlap.stay_of(kind, severity, row.started_at, row.ended_at, row.evidence)


def _new(session: Session, of: FittingOf, finding: Finding, now: datetime) -> EpisodeRow:
    episode = EpisodeRow(
        fitting_id=of.fitting.fitting_id,
        wearer_id=of.wearer_id,
        condition_id=finding.condition_id,
        kind=finding.kind.value,
        severity=finding.severity.value,
        clause=finding.clause,
        rule=finding.rule,
        rule_version=finding.rule_version,
        started_at=finding.started_at,
        ended_at=finding.ended_at,
        detected_at=now,
        withdrawn=False,
        evidence=dict(finding.evidence),
    )
    session.add(episode)
    session.flush()
    return episode


def _change(session: Session, decision: Decision, now: datetime, voice: Voice) -> None:
    assert decision.known is not None
    episode = session.get_one(EpisodeRow, decision.known.episode_id)
    # More readings that say the same are more evidence, and no move in anybody's history.
    quiet = decision.action in (Action.UPDATE, Action.NOTHING)
    if not quiet:
        _history(session, episode, decision, now)
    if decision.finding is not None:
        episode.started_at = decision.finding.started_at
        episode.ended_at = decision.finding.ended_at
        episode.evidence = dict(decision.finding.evidence)
    episode.withdrawn = decision.action is Action.WITHDRAW
    if not quiet:
        _log(session, episode, decision, now)
    alert = session.scalar(select(AlertRow).where(AlertRow.episode_id == episode.id))
    if alert is None:
        if decision.action is Action.REOPEN and not FindingKind(episode.kind).only_recorded:
            why = decision.why.value
            alerting.open_alert(session, episode, now, voice, late=False, why=why)
        return
    if quiet:
        return
    telling.note(session, alert, now, decision.action.value, decision.why.value)
    if decision.action is Action.WITHDRAW:
        alerting.stand_down(session, alert)
    elif decision.action is Action.REOPEN:
        _tell_again(session, alert, decision.why.value, now)


def _tell_again(session: Session, alert: AlertRow, why: str, now: datetime) -> None:
    """A breach in an episode that somebody took for over: whatever was done, it is told again."""
    moves = {AlertState.RESOLVED: Move.REOPEN, AlertState.ACKNOWLEDGED: Move.EXPIRE}
    again = moves.get(AlertState(alert.state))
    if again is None:
        alerting.tell_again(alert, now)
    else:
        alerting.move(session, alert, again, now, staff_id=None, channel="judge", reason=why)


def _log(session: Session, episode: EpisodeRow, decision: Decision, now: datetime) -> None:
    audit.record(
        session,
        Act.ALTERATION,
        f"episode {decision.action.value}",
        at=now,
        actor="monitor",
        subject_kind="episode",
        subject_id=episode.id,
        detail={"why": decision.why.value},
    )


def _history(session: Session, episode: EpisodeRow, decision: Decision, now: datetime) -> None:
    before: dict[str, object] | None = None
    if decision.known is not None:
        before = {
            "started_at": episode.started_at.isoformat(),
            "ended_at": None if episode.ended_at is None else episode.ended_at.isoformat(),
            "withdrawn": episode.withdrawn,
        }
    session.add(
        EpisodeHistoryRow(
            episode_id=episode.id,
            at=now,
            action=decision.action.value,
            why=decision.why.value,
            before=before,
        )
    )
