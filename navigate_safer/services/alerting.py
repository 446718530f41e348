"""Open, tell and move alerts. Runs inside the caller's transaction, so that an episode, its alert
and the first text are one commit or nothing.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import lifecycle, routing
from alerts.finding import FindingKind, Severity
from alerts.lifecycle import AlertState, Move, Outcome
from alerts.policy import Plan, choose, snapshot
from alerts.rules import protected_silence
from navigate_safer.db import audit, telling
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import WearerRow
from navigate_safer.people.account import Act
from navigate_safer.services import service_plans
from navigate_safer.services.telling import (
    RETRY_LAST_STEP,
    Voice,
    new_reference,
    note,
    stop_waiting,
    tell_next,
    to_be_told,
)


def open_alert(
    session: Session,
    episode: EpisodeRow,
    now: datetime,
    voice: Voice | None,
    *,
    late: bool,
    why: str,
) -> AlertRow:
    """Write an alert with its escalation plan and the first text.

    Without a ``voice`` the next tick, within a second, writes the text.
    """
    wearer = session.get_one(WearerRow, episode.wearer_id)
    severity = Severity(episode.severity)
    plan = plan_for(session, severity, wearer.area_id, FindingKind(episode.kind))
    alert = AlertRow(
        episode_id=episode.id, wearer_id=wearer.id, area_id=wearer.area_id, late_data=late
    )
    return _open(session, alert, severity, plan, now, voice, why)


def open_service_alert(
    session: Session, part: str, severity: Severity, now: datetime, voice: Voice, why: str
) -> AlertRow:
    """Write an alert about a part of the service, or add to the live one about it.

    ``part`` is a name such as ``worker:ingest``; ``why`` says in words what is wrong and names
    nobody.
    """
    alert = _about(session, part)
    if alert is None:
        plan = service_plans.plan_about(session, severity, part)
        about = AlertRow(part=part, late_data=False)
        return _open(session, about, severity, plan, now, voice, why)
    if severity.rank < alert.severity_rank:
        alert.severity, alert.severity_rank = severity.value, severity.rank
        note(session, alert, now, "worse", why)
        if not alert.plan.get("steps"):
            _tell_at_last(session, alert, severity, now)
        elif not stop_waiting(session, alert, now):
            hurry(alert, now)
        if alert.state == AlertState.ACKNOWLEDGED.value:
            move(session, alert, Move.EXPIRE, now, staff_id=None, channel="service", reason="worse")
    return alert


def open_protection_alert(
    session: Session, part: str, area_id: int, now: datetime, voice: Voice, why: str
) -> AlertRow | None:
    """Write an alert about a protected person's device; None where there is a live one.

    ``why`` names neither her nor a place nor a device.
    """
    if _about(session, part) is not None:
        return None
    alert = AlertRow(part=part, area_id=area_id, late_data=False)
    severity = protected_silence.SEVERITY
    plan = _protection_plan(session, severity, area_id)
    return _open(session, alert, severity, plan, now, voice, why)


def _protection_plan(session: Session, severity: Severity, area_id: int) -> Plan:
    """A policy that names the kind, or the IDVAs of the area and who comes after them.

    A policy for all kinds of alerts is about wearers and was not made with her in mind.
    """
    kind = FindingKind.PROTECTED_SILENCE
    naming = [each for each in telling.policies(session) if each.kinds and kind in each.kinds]
    chosen = choose(naming, severity, area_id, kind)
    if chosen is not None:
        return snapshot(chosen)
    return routing.plan(severity, telling.people(session, area_id), routing.roles_for(kind))


def _tell_at_last(session: Session, alert: AlertRow, severity: Severity, now: datetime) -> None:
    """What was only shown has become worth a text: the next tick takes its first step."""
    assert alert.part is not None
    plan = service_plans.plan_about(session, severity, alert.part)
    alert.plan, alert.next_step = msgspec.to_builtins(plan), 0
    alert.next_step_at = now if to_be_told(alert) else None


def end_service_alert(session: Session, part: str, now: datetime, why: str) -> bool:
    """The part works again: its alert is resolved by the service itself; False without one."""
    alert = _about(session, part)
    if alert is None:
        return False
    alert.outcome = Outcome.MONITORING_GAP.value
    return move(session, alert, Move.RESOLVE, now, staff_id=None, channel="service", reason=why)


def _about(session: Session, part: str) -> AlertRow | None:
    return session.scalar(
        select(AlertRow)
        .where(AlertRow.part == part, AlertRow.state != AlertState.RESOLVED.value)
        .with_for_update()
    )


def _open(
    session: Session,
    alert: AlertRow,
    severity: Severity,
    plan: Plan,
    now: datetime,
    voice: Voice | None,
    why: str,
) -> AlertRow:
    alert.reference = new_reference(session)
    alert.severity, alert.severity_rank = severity.value, severity.rank
    alert.state, alert.opened_at = AlertState.OPEN.value, now
    alert.plan, alert.next_step = msgspec.to_builtins(plan), 0
    session.add(alert)
    session.flush()
    note(session, alert, now, "opened", why)
    if voice is None:
        alert.next_step_at = now if to_be_told(alert) else None
    elif to_be_told(alert):
        tell_next(session, alert, now, voice)
    return alert


def plan_for(
    session: Session, severity: Severity, area_id: int | None, kind: FindingKind | None
) -> Plan:
    """The steps of the policy that fits most closely; without one, everybody in their order."""
    chosen = choose(telling.policies(session), severity, area_id, kind)
    if chosen is not None:
        return snapshot(chosen)
    people = telling.people(session, area_id)
    return routing.plan(severity, people, routing.roles_for(kind))


def stand_down(session: Session, alert: AlertRow) -> None:
    """Late data shows no breach: nobody further is told; a person still closes the alert."""
    alert.next_step_at = alert.acknowledgement_expires_at = None
    _cancel_unsent(session, alert)


def tell_again(alert: AlertRow, now: datetime) -> None:
    """It was a breach after all: an open alert that was stood down goes on."""
    if alert.state == AlertState.OPEN.value and alert.next_step_at is None:
        alert.next_step_at = now if to_be_told(alert) else None


def hurry(alert: AlertRow, now: datetime) -> None:
    """A text could not reach its person: the next step is due now, without waiting."""
    if alert.state != AlertState.OPEN.value:
        return
    steps = len(msgspec.convert(alert.plan, Plan).steps)
    soon = now if alert.next_step < steps else now + RETRY_LAST_STEP
    alert.next_step_at = soon if alert.next_step_at is None else min(alert.next_step_at, soon)


def hurry_another_way(alert: AlertRow, channel: str, now: datetime) -> bool:
    """While a channel's providers are down: the next step is due now if it uses another channel.

    Steps by the same channel keep their time, or a provider that is down would burn through them
    all and repeat the last person. Whether it did.
    """
    plan = msgspec.convert(alert.plan, Plan)
    following = plan.step(alert.next_step)
    other = following is not None and following.channel.value != channel
    if other and alert.next_step < len(plan.steps):
        hurry(alert, now)
        return True
    return False


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
        alert.next_step_at = now if to_be_told(alert) else None
    elif target is AlertState.ACKNOWLEDGED:  # a note: somebody is at work, it no longer expires
        alert.next_step_at = alert.acknowledgement_expires_at = None


def _cancel_unsent(session: Session, alert: AlertRow) -> None:
    query = select(TextRow).where(TextRow.alert_id == alert.id, TextRow.state == "pending")
    for text in session.scalars(query):
        text.state, text.due_at = "cancelled", None
