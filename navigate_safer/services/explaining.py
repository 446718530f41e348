"""Why one alert about a place was raised: the rule run again over the stored fixes about it."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.explanation import WARM_UP, Explanation, explain, piece_of
from alerts.finding import FindingKind
from alerts.judge import States, state_key
from alerts.rules import place_probability
from alerts.rules.place_breach import KIND
from alerts.rules.place_state import PlaceBelief
from alerts.terms import Condition
from navigate_safer.db import audit, terms, tracks
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.board import AlertDetail
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import checkpoints, consult
from zones.interval import Interval

PLACE_KINDS = frozenset(KIND.values())
# The picture begins so long after the state that it is worked out from, at least: the first fix
# shown has one before it.
AHEAD_OF_PICTURE = timedelta(hours=1)


class AlertExplained(msgspec.Struct, frozen=True):
    """An alert with its explanation; ``breach`` is the time of the episode within it."""

    detail: AlertDetail
    explanation: Explanation
    breach: Interval


def explained(kind: str) -> bool:
    """Whether alerts of this kind have an explanation of place."""
    return FindingKind(kind) in PLACE_KINDS


def see_explanation(
    sessions: Sessions, scope: Scope, reference: str, now: datetime
) -> AlertExplained | None:
    """What the rule made of each fix about an alert; None where it is not about a place.

    Raises :class:`navigate_safer.services.casework.NotFound`.
    """
    scope.require(Permission.SEE_PLACES)
    with sessions.begin() as session:
        detail = consult.alert_of(session, scope, reference)
        if not explained(detail.line.kind):
            return None
        audit.record(
            session,
            Act.CONSULTATION,
            "alert explanation",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="alert",
            subject_id=detail.line.alert_id,
        )
        return _explain(session, scope, detail, now)


def _explain(
    session: Session, scope: Scope, detail: AlertDetail, now: datetime
) -> AlertExplained | None:
    condition = terms.condition(session, detail.condition_id)
    if condition.zone is None:
        return None
    piece = piece_of(condition, detail.evidence.get("authorised"))
    from_at, to_at = consult.span_of(detail, now)
    begins, state = _stood(session, detail, piece, from_at)
    fixes = [
        each
        for each in tracks.fixes(
            session, scope, detail.wearer_id, begins, to_at, device_id=detail.device_id
        )
        if state is None or each[0].stamp.measured_at > begins
    ]
    # After the newest fix nothing has been judged yet: the picture ends there.
    newest = max((fix.stamp.measured_at for fix, _ in fixes), default=to_at)
    span = Interval(from_at, max(from_at, min(to_at, newest)))
    line = detail.line
    ends = min(line.ended_at or span.end, span.end)
    breach = Interval(line.started_at, max(line.started_at, ends))
    return AlertExplained(detail, explain(piece, fixes, span, state), breach)


def _stood(
    session: Session, detail: AlertDetail, piece: Condition, from_at: datetime
) -> tuple[datetime, PlaceBelief | None]:
    """How the rule stood before the picture, and when; None: not kept, so begin long before it."""
    fitting_id = session.scalar(
        select(EpisodeRow.fitting_id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(AlertRow.id == detail.line.alert_id)
    )
    kept = States()
    if fitting_id is not None:
        kept = checkpoints.before(session, fitting_id, from_at - AHEAD_OF_PICTURE)
    stored = kept.by_rule.get(state_key(piece, place_probability.RULE))
    if stored is None or kept.through is None or kept.through < from_at - WARM_UP:
        return from_at - WARM_UP, None
    return kept.through, msgspec.convert(stored, PlaceBelief, strict=False)
