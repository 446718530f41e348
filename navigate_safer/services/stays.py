"""Which stays in zones an alert speaks for, and what is told once it no longer does.

Runs inside the caller's transaction, which holds the rows of the alerts that it changes.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts import overlap
from alerts.decide import Action, Why
from alerts.finding import Finding, FindingKind, Severity
from alerts.lifecycle import AlertState
from alerts.overlap import Stay
from alerts.silences import Matter, muted_by
from navigate_safer.db import telling
from navigate_safer.db.alerting import AlertRow, EpisodeHistoryRow, EpisodeRow
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import alerting
from navigate_safer.services.telling import Voice


def told(session: Session, fitting_id: int) -> list[Stay]:
    """Stays of a fitting that go on and are told: not resolved, and nothing holds their alerts."""
    query = (
        select(EpisodeRow)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(
            *_going_on(fitting_id),
            AlertRow.state != AlertState.RESOLVED.value,
            AlertRow.silence_id.is_(None),
            AlertRow.grouped_gateway_id.is_(None),
        )
    )
    return [stay for row in session.scalars(query) if (stay := _stay(row)) is not None]


def muted(session: Session, of: FittingOf, now: datetime) -> Callable[[Finding], bool]:
    """Says of a finding of a fitting whether a silence would hold its alert back at ``now``."""
    silences = telling.silences(session, now)
    gateway_id = session.get_one(DeviceRow, of.device_id).gateway_id if silences else None

    def by_a_silence(found: Finding) -> bool:
        matter = Matter(
            wearer_id=of.wearer_id,
            device_id=of.device_id,
            gateway_id=gateway_id,
            condition_id=found.condition_id,
            kind=found.kind,
        )
        return muted_by(silences, matter, now) is not None

    return by_a_silence


def tell_what_is_left(session: Session, fitting_id: int, now: datetime, voice: Voice | None) -> int:
    """Open alerts of stays that go on and that none speaks for any more; how many.

    Without a ``voice`` the tick tells of them, within a second.
    """
    query = (
        select(EpisodeRow)
        .outerjoin(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(*_going_on(fitting_id), AlertRow.id.is_(None))
    )
    untold = [(row, stay) for row in session.scalars(query) if (stay := _stay(row)) is not None]
    if not untold:
        return 0
    speaking, answered = told(session, fitting_id), _answered(session, fitting_id)
    opened = 0
    of_all = [each for stays in answered.values() for each in stays if each.of_all_zones]
    for row, stay in sorted(untold, key=lambda each: each[1].rank, reverse=True):
        heard = (*speaking, *answered.get(row.condition_id, ()), *of_all)
        if not any(overlap.tells(other, stay) for other in heard) and _open(
            session, row, now, voice
        ):
            opened += 1
            speaking = told(session, fitting_id)
    return opened


def spoken_for_no_more(
    session: Session, alert: AlertRow, now: datetime, voice: Voice | None
) -> int:
    """An alert was resolved or is held back: what it spoke for besides is told; alerts opened."""
    if alert.episode_id is None:
        return 0
    fitting_id = session.get_one(EpisodeRow, alert.episode_id).fitting_id
    return tell_what_is_left(session, fitting_id, now, voice)


def _answered(session: Session, fitting_id: int) -> dict[int, list[Stay]]:
    """Stays that go on and were answered, by condition: an answer is that of its rings too."""
    query = (
        select(EpisodeRow)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(*_going_on(fitting_id), AlertRow.state == AlertState.RESOLVED.value)
    )
    found: dict[int, list[Stay]] = {}
    for row in session.scalars(query):
        stay = _stay(row)
        if stay is not None:
            found.setdefault(row.condition_id, []).append(stay)
    return found


def _open(session: Session, row: EpisodeRow, now: datetime, voice: Voice | None) -> bool:
    why = Why.NO_LONGER_TOLD
    line = EpisodeHistoryRow(
        episode_id=row.id, at=now, action=Action.OPEN.value, why=why.value, before=None
    )
    try:
        with session.begin_nested():
            session.add(line)
            alerting.open_alert(session, row, now, voice, late=False, why=why.value)
    except IntegrityError:  # the judge, or whoever answered another alert, was first
        return False
    return True


def _going_on(fitting_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        EpisodeRow.fitting_id == fitting_id,
        EpisodeRow.ended_at.is_(None),
        EpisodeRow.withdrawn.is_(False),
    )


def _stay(row: EpisodeRow) -> Stay | None:
    kind, severity = FindingKind(row.kind), Severity(row.severity)
    return overlap.stay_of(kind, severity, row.started_at, row.ended_at, row.evidence)
