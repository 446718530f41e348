"""What the judge decides of an episode, by hand: no breach after all, and a breach once more."""

from watch import VOICE, Watch

from alerts.decide import Action, Decision, Known, Why
from alerts.finding import Finding, FindingKind, Severity
from navigate_safer.db import terms
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.services import episodes


def known(row: EpisodeRow) -> Known:
    """An episode as the judge knows it."""
    return Known(
        row.id, row.condition_id, FindingKind(row.kind), row.started_at, row.ended_at, row.withdrawn
    )


def withdraw(watch: Watch, row: EpisodeRow) -> None:
    """Late data shows no breach."""
    why = Why.NO_BREACH_IN_LATE_DATA
    _apply(watch, row, Decision(Action.WITHDRAW, why, None, known(row)))


def breach_again(watch: Watch, row: EpisodeRow) -> None:
    """Late data shows that it was one after all, and goes on."""
    found = Finding(
        row.condition_id, 1, row.clause, FindingKind(row.kind), Severity(row.severity), row.rule,
        row.rule_version, row.started_at, None, dict(row.evidence),
    )  # fmt: skip
    why = Why.NOT_OVER_AFTER_ALL
    _apply(watch, row, Decision(Action.REOPEN, why, found, known(row)))


def _apply(watch: Watch, row: EpisodeRow, decision: Decision) -> None:
    with watch.sessions.begin() as session:
        of = terms.fitting(session, row.fitting_id)
        episodes.apply(session, of, [decision], watch.clock(), VOICE)
