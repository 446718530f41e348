"""The steps of an alert's playbook: which are done, by whom and when; ticking one, taking it back.

A step for the IDVA is ticked by the IDVA role alone, and its words are read by that role alone:
what a protected person said must not reach a page that her perpetrator's file is read from.
"""

from collections.abc import Mapping, Sequence
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


class NoReason(Exception):
    """A step is taken back for a reason only; the message says what to do."""


class TakenBack(msgspec.Struct, frozen=True):
    """A tick that was undone; the words and the reason empty where they are not theirs to read."""

    at: datetime
    who: str
    said: str
    undone_at: datetime
    undone_by: str
    why: str


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
    taken_back: list[TakenBack]


def see(sessions: Sessions, scope: Scope, reference: str) -> list[StepLine]:
    """The steps of one alert; its page writes the log. Raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.SEE_BOARD)
    with sessions.begin() as session:
        alert, episode = _find(session, scope, reference)
        kind, over = FindingKind(episode.kind), episode.ended_at is not None
        query = select(TickRow).where(TickRow.alert_id == alert.id).order_by(TickRow.id)
        ticks = list(session.scalars(query))
        names = _names(session, ticks)
        ticked = frozenset(row.key for row in ticks if row.undone_at is None)
        left = left_to_do(kind, ticked, over=over)
        return [
            _line(
                scope, step, [row for row in ticks if row.key == step.key], names,
                must=step.is_due(over=over), left=step in left,
            )
            for step in playbook(kind)
        ]  # fmt: skip


def _names(session: Session, ticks: Sequence[TickRow]) -> dict[int, str]:
    ids = {row.staff_id for row in ticks} | {row.undone_by for row in ticks}
    found = select(StaffRow.id, StaffRow.name).where(StaffRow.id.in_(ids - {None}))
    return {staff_id: name for staff_id, name in session.execute(found)}  # noqa: C416 - rows


def _line(
    scope: Scope,
    step: PlayStep,
    ticks: Sequence[TickRow],
    names: Mapping[int, str],
    *,
    must: bool,
    left: bool,
) -> StepLine:
    row = next((each for each in ticks if each.undone_at is None), None)
    may = scope.may(_needed(step))
    readable = step.doer is Doer.OFFICER or may
    return StepLine(
        key=step.key,
        words=step.words,
        must=must,
        idva=step.doer is Doer.IDVA,
        may_tick=may,
        left=left,
        at=None if row is None else row.at,
        who=None if row is None else names[row.staff_id],
        said=row.words if row is not None and readable else "",
        taken_back=[
            TakenBack(
                at=each.at,
                who=names[each.staff_id],
                said=each.words if readable else "",
                undone_at=each.undone_at,
                undone_by=names[each.undone_by],
                why=(each.undone_why or "") if readable else "",
            )
            for each in ticks
            if each.undone_at is not None and each.undone_by is not None
        ],
    )


def tick(
    sessions: Sessions, scope: Scope, reference: str, key: str, words: str, now: datetime
) -> bool:
    """Record that a step is done; False where it was. Raises :class:`NotFound`, Forbidden.

    An officer's step counts as work on the alert, as a note does; the IDVA's does not stop it.
    """
    scope.require(Permission.SEE_BOARD)
    with sessions.begin() as session:
        alert, step = _find_step(session, scope, reference, key)
        if _live(session, alert, key) is not None:
            return False
        said = words.strip()[:LONGEST_WORDS]
        session.add(
            TickRow(alert_id=alert.id, key=key, version=PLAYBOOK_VERSION,
                    staff_id=scope.staff_id, at=now, words=said)
        )  # fmt: skip
        _tell_history(session, scope, alert, step, said, now)
        return True


def undo(
    sessions: Sessions, scope: Scope, reference: str, key: str, why: str, now: datetime
) -> bool:
    """Take a tick back, which stays in the record; False where the step is not done.

    Whoever may do the step may: the wrong step may have been ticked by somebody who has gone home.
    It is no work on the alert, and no acknowledgement lasts longer by it. Raises
    :class:`NoReason`, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.SEE_BOARD)
    reason = why.strip()[:LONGEST_WORDS]
    with sessions.begin() as session:
        alert, step = _find_step(session, scope, reference, key)
        if not reason:
            raise NoReason("Enter why the step is taken back")
        row = _live(session, alert, key)
        if row is None:
            return False
        row.undone_at, row.undone_by, row.undone_why = now, scope.staff_id, reason
        # What the IDVA says of her step is hers to read; that it was taken back is everybody's.
        said = f": {reason}" if step.doer is Doer.OFFICER else ""
        note(
            session, alert, now, "step_undone", step.words + said,
            staff_id=scope.staff_id, channel="page",
        )  # fmt: skip
        _log(session, scope, alert, step, "alert step undone", now)
        return True


def _find_step(
    session: Session, scope: Scope, reference: str, key: str
) -> tuple[AlertRow, PlayStep]:
    alert, episode = _find(session, scope, reference, lock=True)
    steps = playbook(FindingKind(episode.kind))
    step = next((each for each in steps if each.key == key), None)
    if step is None:
        raise NotFound
    scope.require(_needed(step))
    return alert, step


def _live(session: Session, alert: AlertRow, key: str) -> TickRow | None:
    return session.scalar(
        select(TickRow).where(
            TickRow.alert_id == alert.id, TickRow.key == key, TickRow.undone_at.is_(None)
        )
    )


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
    _log(session, scope, alert, step, "alert step", now)


def _log(
    session: Session, scope: Scope, alert: AlertRow, step: PlayStep, what: str, now: datetime
) -> None:
    audit.record(
        session, Act.ALTERATION, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="alert", subject_id=alert.id, detail={"step": step.key},
    )  # fmt: skip


def _needed(step: PlayStep) -> Permission:
    officer = step.doer is Doer.OFFICER
    return Permission.ACT_ON_ALERTS if officer else Permission.CONTACT_VICTIMS


def _find(
    session: Session, scope: Scope, reference: str, *, lock: bool = False
) -> tuple[AlertRow, EpisodeRow]:
    query = select(AlertRow).where(
        AlertRow.reference == reference,
        AlertRow.area_id.in_(scope.areas),
        AlertRow.episode_id.is_not(None),
    )
    alert = session.scalar(query.with_for_update() if lock else query)
    if alert is None:
        raise NotFound
    return alert, session.get_one(EpisodeRow, alert.episode_id)
