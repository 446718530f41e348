"""What falls due without a reading: silence, ended clauses, unanswered alerts, old checkpoints.

Deadlines are columns. A tick asks which are past and does one at a time, so that a tick that is
missed, or two ticks at once, change nothing.
"""

from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from sqlalchemy import (
    CursorResult,
    Delete,
    Select,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased, defer

from alerts import judge as judging
from alerts.decide import decide
from alerts.judge import States
from alerts.lifecycle import AlertState, Move
from navigate_safer.db import arrivals, terms
from navigate_safer.db.alerting import TELL_FAILED, AlertRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import FittingRow
from navigate_safer.db.telemetry import (
    CheckpointRow,
    DeviceLatestRow,
    IngestBatchRow,
    JudgementRow,
    PendingRow,
)
from navigate_safer.services import alerting, consequences, monitor, stays, telling
from navigate_safer.services.telling import Voice

# No reading is taken that is older (45 days, QualityLimits), so nothing is judged from there.
LAST_CHECKPOINT_KEPT = timedelta(days=60)
# When each batch of intake was safe: for the measurement of delays, not a record of anybody.
BATCHES_KEPT = timedelta(days=7)
# Rows of one transaction.
MOST_PUT_OFF = 5_000
# What fails is tried again at this pace.
TRY_AGAIN = timedelta(seconds=30)
# Late data within this span costs at most an hour of judging again; older data starts from the
# fitting or the last kept checkpoint.
CHECKPOINTS_KEPT = timedelta(days=8)


class HeardMeanwhile(Exception):
    """A device reported while it was being called silent; it is looked at again."""


def look_for_silence(sessions: Sessions, now: datetime, voice: Voice) -> int | None:
    """Tick the fitting whose check has been due longest; alerts opened, None if nothing is due.

    A fitting with readings still to be judged waits for them: they may end the silence.
    """
    fitting_id = None
    try:
        with sessions.begin() as session:
            row = _next_check(session, now)
            if row is None:
                return None
            fitting_id = row.fitting_id
            return _tick(session, row, now, voice)
    except Exception:
        if fitting_id is None:
            raise
        # One fitting that cannot be ticked must not hide the silence of all the others.
        with sessions.begin() as session:
            _look_again(session, fitting_id, now + TRY_AGAIN)
        return 0


def _look_again(session: Session, fitting_id: int, at: datetime) -> None:
    """In one statement, and not a version of the states: intake may be saving newer ones now."""
    session.connection().execute(
        update(JudgementRow).where(JudgementRow.fitting_id == fitting_id).values(check_after=at)
    )


def _next_check(session: Session, now: datetime) -> JudgementRow | None:
    # A mark that waits for the time of a clock ahead must not hide that the device is silent.
    waiting = select(PendingRow.device_id).where(
        or_(PendingRow.not_before.is_(None), PendingRow.not_before <= now, PendingRow.failures > 0)
    )
    return session.scalar(
        select(JudgementRow)
        .join(FittingRow, FittingRow.id == JudgementRow.fitting_id)
        .where(JudgementRow.check_after < now, FittingRow.device_id.not_in(waiting))
        .order_by(JudgementRow.check_after)
        .limit(1)
        .with_for_update(of=JudgementRow, skip_locked=True)
    )


def _tick(session: Session, row: JudgementRow, now: datetime, voice: Voice) -> int:
    of = terms.fitting(session, row.fitting_id)
    # What was judged on arrival since the states were saved is read first: it was heard.
    opened = monitor.catch_up(session, of, now, voice)
    outcome = judging.tick(of.fitting, msgspec.convert(row.states, States), now)
    monitor.save(row, outcome)
    known = monitor.known_episodes(session, of, outcome.findings, since=None, rerun=False)
    decisions = decide(outcome.findings.values(), known, now, rerun=False)
    if outcome.findings:
        # Intake must not pass by what this device sends next: it may end the silence. Where intake
        # is at work on the device now, it was heard, and is looked at again.
        heard_at = arrivals.turn_on(session, of.device_id)
        if heard_at is not None and heard_at > (outcome.states.through or heard_at):
            raise HeardMeanwhile
    return opened + consequences.apply(session, of, decisions, now, voice)


def put_off(sessions: Sessions, now: datetime) -> int:
    """Move the looks for silence of devices that were heard since; how many were moved.

    One statement for thousands: a reading that is judged on arrival does not write its
    fitting's next look, which would cost more than the reading.
    """
    with sessions.begin() as session:
        moved = []
        for row, heard_at in session.execute(_heard_since(now)):
            assert row.quiet_s is not None
            assert row.check_after is not None
            due = heard_at + timedelta(seconds=row.quiet_s)
            due = due if row.ends_at is None else min(due, row.ends_at)
            if due > max(row.check_after, now):
                moved.append({"b_fitting": row.fitting_id, "b_due": due})
        if moved:
            # Not a version of the states: nothing that was judged has changed.
            session.connection().execute(
                update(JudgementRow)
                .where(JudgementRow.fitting_id == bindparam("b_fitting"))
                .values(check_after=bindparam("b_due")),
                moved,
            )
        return len(moved)


def _heard_since(now: datetime) -> Select[JudgementRow, datetime]:
    return (
        select(JudgementRow, DeviceLatestRow.measured_at)
        .options(defer(JudgementRow.states))
        .join(FittingRow, FittingRow.id == JudgementRow.fitting_id)
        .join(DeviceLatestRow, DeviceLatestRow.device_id == FittingRow.device_id)
        .where(
            JudgementRow.check_after < now,
            JudgementRow.quiet_s.is_not(None),
            FittingRow.removed_at.is_(None),
            DeviceLatestRow.measured_at > JudgementRow.through,
        )
        .limit(MOST_PUT_OFF)
        .with_for_update(of=JudgementRow, skip_locked=True)
    )


def escalate_next(sessions: Sessions, now: datetime, voice: Voice) -> int | None:
    """Move the alert that has waited longest; its id, or None when none is due."""
    alert_id = None
    try:
        with sessions.begin() as session:
            alert = _next_due(session, now)
            if alert is None:
                return None
            alert_id = alert.id
            _escalate(session, alert, now, voice)
            return alert_id
    except Exception as fault:
        if alert_id is None:
            raise
        # One alert that cannot be moved must not stand before all the others.
        with sessions.begin() as session:
            alert = session.get_one(AlertRow, alert_id, with_for_update=True)
            _put_off(session, alert, now, type(fault).__name__)
        return alert_id


def _put_off(session: Session, alert: AlertRow, now: datetime, fault: str) -> None:
    """Try again soon, and say once why it has to be, unless somebody has moved it meanwhile."""
    if alert.next_step_at is None or alert.next_step_at > now:
        return
    alert.next_step_at = now + TRY_AGAIN
    if telling.last_move(session, alert) != TELL_FAILED:
        reason = f"the next person could not be told ({fault})"
        telling.note(session, alert, now, TELL_FAILED, reason)


def _next_due(session: Session, now: datetime) -> AlertRow | None:
    return session.scalar(
        select(AlertRow)
        .where(AlertRow.next_step_at <= now)
        .order_by(AlertRow.next_step_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _escalate(session: Session, alert: AlertRow, now: datetime, voice: Voice) -> None:
    if alert.state == AlertState.ACKNOWLEDGED.value:
        reason = "no outcome and no note followed the acknowledgement"
        alerting.move(
            session, alert, Move.EXPIRE, now, staff_id=None, channel="service", reason=reason
        )
    if alert.state == AlertState.OPEN.value:
        telling.tell_next(session, alert, now, voice)
        if alert.silence_id is not None:
            stays.spoken_for_no_more(session, alert, now, voice)
    else:
        alert.next_step_at = None


def prune_checkpoints(sessions: Sessions, now: datetime) -> int:
    """Drop checkpoints that are too old to be worth their room: first but for one a day, then all.

    Two statements, and only over the days that have just become old.
    """
    old, oldest = now - CHECKPOINTS_KEPT, now - LAST_CHECKPOINT_KEPT
    earlier = aliased(CheckpointRow)
    not_first = exists().where(
        earlier.fitting_id == CheckpointRow.fitting_id,
        earlier.at < CheckpointRow.at,
        func.date(earlier.at) == func.date(CheckpointRow.at),
    )
    with sessions.begin() as session:
        lately = (CheckpointRow.at < old, CheckpointRow.at >= old - timedelta(days=3))
        thinned = _count(session, delete(CheckpointRow).where(*lately, not_first))
        return thinned + _count(session, delete(CheckpointRow).where(CheckpointRow.at < oldest))


def prune_batches(sessions: Sessions, now: datetime) -> int:
    """Drop the figures of batches that nobody looks at any more.

    The last one stays however old it is: by it is known that nothing has come since.
    """
    with sessions.begin() as session:
        newest = session.scalar(select(func.max(IngestBatchRow.received_at)))
        before = now - BATCHES_KEPT if newest is None else min(now - BATCHES_KEPT, newest)
        return _count(session, delete(IngestBatchRow).where(IngestBatchRow.received_at < before))


def _count(session: Session, statement: Delete) -> int:
    return cast(CursorResult[Any], session.execute(statement)).rowcount
