"""Open, tell and move alerts. Runs inside the caller's transaction, so that an episode, its alert
and the first text are one commit or nothing.
"""

import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import lifecycle, messages, routing
from alerts.finding import Severity
from alerts.lifecycle import AlertState, Move
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import StaffAreaRow, StaffRow, WearerRow
from navigate_safer.people.account import Act

# A reply may come some time after the next person was told: the code still stops the escalation.
CODE_LASTS = timedelta(hours=2)
# Twilio accepts 1 to 36,000 s and advises more than 5; a text that is late is told by the next.
SHORTEST_VALIDITY_S, LONGEST_VALIDITY_S = 60, 36_000
# When even the last person cannot be reached, try again at this pace and not in a tight loop.
RETRY_LAST_STEP = timedelta(seconds=30)

_random = secrets.SystemRandom()


class Voice(msgspec.Struct, frozen=True):
    """What texts need to know of this installation: the address of its pages."""

    public_url: str


def open_alert(
    session: Session, episode: EpisodeRow, now: datetime, voice: Voice, *, late: bool, why: str
) -> AlertRow:
    """Write an alert with its escalation plan and the first text."""
    wearer = session.get_one(WearerRow, episode.wearer_id)
    severity = Severity(episode.severity)
    plan = routing.plan(severity, contacts(session, wearer.area_id))
    alert = AlertRow(
        reference=_new_reference(session),
        episode_id=episode.id,
        wearer_id=wearer.id,
        area_id=wearer.area_id,
        severity=severity.value,
        severity_rank=severity.rank,
        state=AlertState.OPEN.value,
        late_data=late,
        opened_at=now,
        plan=msgspec.to_builtins(plan),
        next_step=0,
    )
    session.add(alert)
    session.flush()
    note(session, alert, now, "opened", why)
    if plan.steps:
        tell_next(session, alert, now, voice)
    elif severity.texts_an_officer:
        note(session, alert, now, "nobody_to_tell", "no one of this area can be texted")
    return alert


def contacts(session: Session, area_id: int) -> list[routing.Contact]:
    """Active staff of an area, as the routing needs them."""
    query = (
        select(StaffRow)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(StaffAreaRow.area_id == area_id, StaffRow.active)
        .order_by(StaffRow.call_order, StaffRow.id)
    )
    return [
        routing.Contact(row.id, row.role, row.call_order, row.phone is not None)
        for row in session.scalars(query)
    ]


def tell_next(session: Session, alert: AlertRow, now: datetime, voice: Voice) -> None:
    """Write the text of the next step and when the one after is due."""
    plan = msgspec.convert(alert.plan, routing.Plan)
    step = plan.step(alert.next_step)
    if step is None:
        alert.next_step_at = None
        return
    wait_s = step.answer_within_s
    told = session.scalar(select(func.count()).where(TextRow.alert_id == alert.id)) or 0
    code = _new_code(session, step.staff_id, now)
    session.add(
        TextRow(
            alert_id=alert.id,
            step=told,
            staff_id=step.staff_id,
            body=messages.breach_text(
                reference=alert.reference,
                word=Severity(alert.severity).word,
                code=code,
                link=f"{voice.public_url}/a/{alert.reference}",
            ),
            code=code,
            code_expires_at=now + CODE_LASTS,
            validity_s=min(max(wait_s, SHORTEST_VALIDITY_S), LONGEST_VALIDITY_S),
            created_at=now,
            state="pending",
            due_at=now,
        )
    )
    reason = f"text {told + 1} written"
    note(session, alert, now, "told", reason, staff_id=step.staff_id, channel="sms")
    alert.next_step += 1
    alert.next_step_at = now + timedelta(seconds=wait_s)


def stand_down(session: Session, alert: AlertRow) -> None:
    """Late data shows no breach: nobody further is told; a person still closes the alert."""
    alert.next_step_at = None
    _cancel_unsent(session, alert)


def tell_again(alert: AlertRow, now: datetime) -> None:
    """It was a breach after all: an open alert that was stood down goes on."""
    if alert.state == AlertState.OPEN.value and alert.next_step_at is None:
        alert.next_step_at = now if alert.plan.get("steps") else None


def hurry(alert: AlertRow, now: datetime) -> None:
    """A text could not reach its person: the next step is due now, without waiting."""
    if alert.state != AlertState.OPEN.value:
        return
    steps = len(msgspec.convert(alert.plan, routing.Plan).steps)
    soon = now if alert.next_step < steps else now + RETRY_LAST_STEP
    alert.next_step_at = soon if alert.next_step_at is None else min(alert.next_step_at, soon)


def move(
    session: Session,
    alert: AlertRow,
    move_: Move,
    now: datetime,
    *,
    staff_id: int | None,
    channel: str,
    reason: str,
) -> bool:
    """Apply one guarded transition; False, with nothing changed, where it is refused."""
    target = lifecycle.after(AlertState(alert.state), move_)
    if target is None:
        return False
    _set_times(alert, move_, target, now, staff_id)
    alert.state = target.value
    if target is not AlertState.OPEN:
        _cancel_unsent(session, alert)
    note(session, alert, now, move_.value, reason, staff_id=staff_id, channel=channel)
    audit.record(
        session,
        Act.ALTERATION,
        f"alert {move_.value}",
        at=now,
        actor="staff" if staff_id is not None else channel,
        staff_id=staff_id,
        subject_kind="alert",
        subject_id=alert.id,
    )
    return True


def _set_times(
    alert: AlertRow, move_: Move, target: AlertState, now: datetime, staff_id: int | None
) -> None:
    if move_ is Move.ACKNOWLEDGE:
        alert.acknowledged_at, alert.acknowledged_by = now, staff_id
        alert.next_step_at = now + lifecycle.ACKNOWLEDGEMENT_LASTS
        alert.acknowledgement_expires_at = alert.next_step_at
    elif move_ is Move.RESOLVE:
        alert.resolved_at = now
        alert.next_step_at = alert.acknowledgement_expires_at = None
    elif move_ in (Move.EXPIRE, Move.REOPEN):
        alert.acknowledged_at = alert.acknowledged_by = alert.resolved_at = None
        alert.outcome = alert.acknowledgement_expires_at = None
        # Whoever is first in the plan is asked first again.
        alert.next_step = 0
        alert.next_step_at = now if alert.plan.get("steps") else None
    elif target is AlertState.ACKNOWLEDGED:  # a note: somebody is at work, it no longer expires
        alert.next_step_at = alert.acknowledgement_expires_at = None


def note(
    session: Session,
    alert: AlertRow,
    now: datetime,
    what: str,
    reason: str,
    *,
    staff_id: int | None = None,
    channel: str = "service",
) -> None:
    """Add a line to the alert's history."""
    session.add(
        AlertHistoryRow(
            alert_id=alert.id, at=now, move=what, staff_id=staff_id, channel=channel, reason=reason
        )
    )


def _cancel_unsent(session: Session, alert: AlertRow) -> None:
    query = select(TextRow).where(TextRow.alert_id == alert.id, TextRow.state == "pending")
    for text in session.scalars(query):
        text.state, text.due_at = "cancelled", None


def _new_reference(session: Session) -> str:
    while True:
        reference = messages.alert_reference(_random)
        taken = select(AlertRow.id).where(AlertRow.reference == reference)
        if session.scalar(taken) is None:
            return reference


def _new_code(session: Session, staff_id: int, now: datetime) -> str:
    """A code that no other unexpired text to the same person carries."""
    live = select(TextRow.code).where(TextRow.staff_id == staff_id, TextRow.code_expires_at > now)
    taken = set(session.scalars(live))
    while True:
        code = messages.reply_code(_random)
        if code not in taken:
            return code
