"""The steps of an alert's playbook: which are done, by whom and when, and ticking one.

A step for the IDVA is ticked by the IDVA role alone, and its words are read by that role alone:
what a protected person said must not reach a page that her perpetrator's file is read from.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind
from alerts.lifecycle import Move
from alerts.playbooks import PLAYBOOK_VERSION, Doer, PlayStep, left_to_do, playbook
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.answering import TickRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import alerting
from navigate_safer.services.casework import NotFound
from navigate_safer.services.telling import note

LONGEST_WORDS = 1_000


class StepLine(msgspec.Struct, frozen=True):
    """One step as somebody may see it; ``said`` empty where the words are not theirs to read."""

    key: str
    words: str
    must: bool
    idva: bool
    may_tick: bool
    left: bool
    at: datetime | None
    who: str | None
    said: str


def see(sessions: Sessions, scope: Scope, reference: str) -> list[StepLine]:
    """The steps of one alert; its page writes the log. Raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.SEE_BOARD)
    with sessions.begin() as session:
        alert, kind = _find(session, scope, reference)
        query = (
            select(TickRow, StaffRow.name)
            .join(StaffRow, StaffRow.id == TickRow.staff_id)
            .where(TickRow.alert_id == alert.id)
        )
        ticks = {row.key: (row, name) for row, name in session.execute(query)}
        left = left_to_do(kind, frozenset(ticks))
        return [_line(scope, step, ticks.get(step.key), step in left) for step in playbook(kind)]


def _line(scope: Scope, step: PlayStep, done: tuple[TickRow, str] | None, left: bool) -> StepLine:
    row, name = done or (None, None)
    may = scope.may(_needed(step))
    readable = step.doer is Doer.OFFICER or may
    return StepLine(
        key=step.key,
        words=step.words,
        must=step.must,
        idva=step.doer is Doer.IDVA,
        may_tick=may,
        left=left,
        at=None if row is None else row.at,
        who=name,
        said=row.words if row is not None and readable else "",
    )


def tick(
    sessions: Sessions, scope: Scope, reference: str, key: str, words: str, now: datetime
) -> bool:
    """Record that a step is done; False where it was. Raises :class:`NotFound`, Forbidden.

    An officer's step counts as work on the alert, as a note does; the IDVA's does not stop it.
    """
    scope.require(Permission.SEE_BOARD)
    with sessions.begin() as session:
        alert, kind = _find(session, scope, reference, lock=True)
        step = next((each for each in playbook(kind) if each.key == key), None)
        if step is None:
            raise NotFound
        scope.require(_needed(step))
        known = select(TickRow.id).where(TickRow.alert_id == alert.id, TickRow.key == key)
        if session.scalar(known) is not None:
            return False
        said = words.strip()[:LONGEST_WORDS]
        session.add(
            TickRow(alert_id=alert.id, key=key, version=PLAYBOOK_VERSION,
                    staff_id=scope.staff_id, at=now, words=said)
        )  # fmt: skip
        _tell_history(session, scope, alert, step, said, now)
        return True


def _tell_history(
    session: Session, scope: Scope, alert: AlertRow, step: PlayStep, said: str, now: datetime
) -> None:
    if step.doer is Doer.OFFICER:
        reason = f"Done: {step.words}" + (f". {said}" if said else "")
        alerting.move(
            session, alert, Move.NOTE, now, staff_id=scope.staff_id, channel="page", reason=reason
        )
        return
    note(session, alert, now, "step", step.words, staff_id=scope.staff_id, channel="page")
    audit.record(
        session, Act.ALTERATION, "alert step", at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="alert", subject_id=alert.id, detail={"step": step.key},
    )  # fmt: skip


def _needed(step: PlayStep) -> Permission:
    officer = step.doer is Doer.OFFICER
    return Permission.ACT_ON_ALERTS if officer else Permission.CONTACT_VICTIMS


def _find(
    session: Session, scope: Scope, reference: str, *, lock: bool = False
) -> tuple[AlertRow, FindingKind]:
    query = select(AlertRow).where(
        AlertRow.reference == reference,
        AlertRow.area_id.in_(scope.areas),
        AlertRow.episode_id.is_not(None),
    )
    alert = session.scalar(query.with_for_update() if lock else query)
    if alert is None:
        raise NotFound
    return alert, FindingKind(session.get_one(EpisodeRow, alert.episode_id).kind)
