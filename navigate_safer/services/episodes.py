"""Apply decisions: write episodes with their history, and open or amend their alerts."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from alerts import overlap
from alerts.decide import Action, Decision
from alerts.finding import Finding, FindingKind
from alerts.lifecycle import AlertState, Move
from navigate_safer.db import audit, cases
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow, EpisodeRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, stays, telling
from navigate_safer.services.telling import Voice

# After these a stay that another alert told of may be told no more.
_MAY_UNCOVER = frozenset({Action.END, Action.AMEND, Action.WITHDRAW})
# More readings that say the same are more evidence, and no move in anybody's history.
_QUIET = frozenset({Action.UPDATE, Action.NOTHING})


def apply(
    session: Session, of: FittingOf, decisions: Iterable[Decision], now: datetime, voice: Voice
) -> int:
    """Write what was decided; returns how many alerts were opened. The caller commits.

    Of zones that overlap one alert tells; the others are recorded, and told when it no longer does.
    """
    opened = 0
    decisions = list(decisions)
    alerts = _held(session, decisions)
    if any(each.action is Action.OPEN for each in decisions):
        told = stays.told(session, of.fitting.fitting_id)
        decisions = overlap.settle(decisions, told, stays.muted(session, of, now))
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
            _change(session, decision, alerts, now, voice)
    if any(each.action in _MAY_UNCOVER for each in decisions):
        opened += stays.tell_what_is_left(session, of.fitting.fitting_id, now, voice)
    return opened


def _held(session: Session, decisions: Iterable[Decision]) -> dict[int, AlertRow]:
    """The alerts that decisions change, by episode: as they are now, and nobody else's meanwhile.

    All at once and in order of id, as everybody takes them who needs several, and before their
    texts: whoever answers one at this moment is waited for, or waits.
    """
    changed = [
        each.known.episode_id
        for each in decisions
        if each.known is not None and each.action not in _QUIET
    ]
    rows = cases.alerts_of(session, changed) if changed else []
    return {row.episode_id: row for row in rows if row.episode_id is not None}


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


def _change(
    session: Session,
    decision: Decision,
    alerts: Mapping[int, AlertRow],
    now: datetime,
    voice: Voice,
) -> None:
    assert decision.known is not None
    episode = session.get_one(EpisodeRow, decision.known.episode_id)
    quiet = decision.action in _QUIET
    if not quiet:
        _history(session, episode, decision, now)
    if decision.finding is not None:
        episode.started_at = decision.finding.started_at
        episode.ended_at = decision.finding.ended_at
        episode.evidence = dict(decision.finding.evidence)
    episode.withdrawn = decision.action is Action.WITHDRAW
    if quiet:
        return
    _log(session, episode, decision, now)
    alert = alerts.get(episode.id)
    if alert is None:
        if decision.action is Action.REOPEN and not FindingKind(episode.kind).only_recorded:
            why = decision.why.value
            alerting.open_alert(session, episode, now, voice, late=False, why=why)
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
