"""Tell the next person: who that is now, what holds it back, and the rows that carry it.

Runs inside the caller's transaction; the caller holds the alert's row.
"""

import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from alerts import bundling, messages
from alerts.finding import FindingKind, Severity
from alerts.policy import Bundling, Channel, Person, Plan, Step
from alerts.silences import grouped_by_gateway, muted_by
from navigate_safer.db import bundles, telling
from navigate_safer.db.alerting import (
    NOBODY_TO_TELL,
    AlertHistoryRow,
    AlertRow,
    EpisodeRow,
    TextRow,
)
from navigate_safer.db.answering import SilencedRow
from navigate_safer.db.service_alerts import PROTECTION_PARTS
from navigate_safer.services.reaching import next_way

# A reply may come some time after the next person was told: the code still stops the escalation.
CODE_LASTS = timedelta(hours=2)
# Twilio accepts 1 to 36,000 s and advises more than 5; a text that is late is told by the next.
SHORTEST_VALIDITY_S, LONGEST_VALIDITY_S = 60, 36_000
# When nobody can be reached, or not even the last person, try again at this pace and not in a tight
# loop.
RETRY_LAST_STEP = timedelta(seconds=30)
# How soon a device whose gateway is down is looked at again; policy of this project.
LOOK_AT_GATEWAY = timedelta(seconds=60)

_random = secrets.SystemRandom()


class Voice(msgspec.Struct, frozen=True):
    """What texts need to know of this installation: the address of its pages."""

    public_url: str


def tell_next(session: Session, alert: AlertRow, now: datetime, voice: Voice) -> None:
    """Write what the next step sends and when the one after is due, unless something holds it.

    A step that reaches nobody is noted, and the one after it is taken at once; where none reaches
    anybody, whoever can be reached is told. While nobody can be, it is soon tried again.
    """
    if _held(session, alert, now):
        return
    if not to_be_told(alert):
        alert.next_step_at = None
        return
    plan = msgspec.convert(alert.plan, Plan)
    way, missed = next_way(session, alert, plan, kind_of(session, alert), now)
    # Said once, and not at each try.
    if (missed or way is None) and last_move(session, alert) != NOBODY_TO_TELL:
        for reason in missed:
            note(session, alert, now, "not_told", reason)
        if way is None:
            who = "no one of this area" if alert.area_id else "nobody who mends the service"
            note(session, alert, now, NOBODY_TO_TELL, f"{who} can be texted")
    if way is None:
        alert.next_step_at = now + RETRY_LAST_STEP
        return
    step, found, why = way
    for person in found:
        _write(session, alert, step, person, why, now, voice, plan.bundling)
    alert.next_step_at = now + timedelta(seconds=step.answer_within_s)


def to_be_told(alert: AlertRow) -> bool:
    """Whether an alert is for somebody's telephone: its severity or its policy says so."""
    return bool(alert.plan.get("steps")) or Severity(alert.severity).texts_an_officer


def _held(session: Session, alert: AlertRow, now: datetime) -> bool:
    """Whether a silence or a gateway that is down speaks for it; sets when to look again."""
    if alert.episode_id is None:
        return False
    episode = session.get_one(EpisodeRow, alert.episode_id)
    matter = telling.matter(session, episode)
    silence = muted_by(telling.silences(session, now), matter, now)
    was_held = alert.silence_id is not None or alert.grouped_gateway_id is not None
    if silence is not None:
        if alert.silence_id != silence.number:
            reason = f"silence {silence.number} until {silence.until_at:%Y-%m-%d %H:%M} UTC"
            note(session, alert, now, "silenced", reason)
            session.merge(SilencedRow(silence_id=silence.number, alert_id=alert.id, at=now))
        alert.silence_id, alert.next_step_at = silence.number, silence.until_at
        return True
    alert.silence_id = None
    down = telling.gateway_is_down(session, matter.gateway_id)
    if grouped_by_gateway(matter.kind, down) and _spoken_for(session, matter.gateway_id):
        if alert.grouped_gateway_id is None:
            note(session, alert, now, "grouped", "its gateway is down, and that has been told")
        alert.grouped_gateway_id = matter.gateway_id
        alert.next_step_at = now + LOOK_AT_GATEWAY
        return True
    alert.grouped_gateway_id = None
    return was_held and _over(session, alert, episode, now)


def _spoken_for(session: Session, gateway_id: int | None) -> bool:
    """Whether somebody is being told that the gateway is down: only then may it speak for more."""
    live = select(AlertRow.id).where(
        AlertRow.part == gateway_part(gateway_id), AlertRow.state != "resolved"
    )
    return session.scalar(live) is not None


def gateway_part(gateway_id: int | None) -> str:
    """The name of a gateway among the parts of the service."""
    return f"gateway:{gateway_id}"


def _over(session: Session, alert: AlertRow, episode: EpisodeRow, now: datetime) -> bool:
    """What ended, or proved to be no breach, while it was not told is left on the board."""
    if episode.ended_at is None and not episode.withdrawn:
        note(session, alert, now, "no_longer_held", "it is still going on and is told now")
        return False
    note(session, alert, now, "no_longer_held", "it was over before it could be told")
    alert.next_step_at = None
    return True


def _write(
    session: Session,
    alert: AlertRow,
    step: Step,
    person: Person,
    why: str,
    now: datetime,
    voice: Voice,
    rule: Bundling,
) -> None:
    told = session.scalar(select(func.count()).where(TextRow.alert_id == alert.id)) or 0
    code = _new_code(session, person.staff_id, now)
    tell_at, tell_by = _when(session, alert, step, person.staff_id, now, rule)
    session.add(
        TextRow(
            alert_id=alert.id,
            step=told,
            staff_id=person.staff_id,
            channel=step.channel.value,
            body=_body(alert, step.channel, code, voice),
            code=code,
            code_expires_at=now + CODE_LASTS,
            validity_s=min(max(step.answer_within_s, SHORTEST_VALIDITY_S), LONGEST_VALIDITY_S),
            created_at=now,
            state="pending",
            due_at=tell_at,
            bundle_by=tell_by,
        )
    )
    reason = f"{step.channel.label} {told + 1} written: {why}"
    if tell_at > now:
        reason += f"; waits for others until {tell_at:%H:%M:%S} UTC at the latest"
    channel = step.channel.value
    note(session, alert, now, "told", reason, staff_id=person.staff_id, channel=channel)
    session.flush()


def _when(
    session: Session, alert: AlertRow, step: Step, staff_id: int, now: datetime, rule: Bundling
) -> tuple[datetime, datetime | None]:
    """When a text is due, and for one that may be told with others by when it must be told."""
    severity = Severity(alert.severity)
    if not bundling.may_wait(rule, severity, kind_of(session, alert), step.channel):
        return now, None
    waiting = bundles.waiting(session, staff_id, now)
    tell_at = bundling.tell_at(rule, waiting, now, step.answer_within_s)
    return tell_at, bundling.tell_by(now, step.answer_within_s)


def stop_waiting(session: Session, alert: AlertRow, now: datetime) -> bool:
    """What waits to be told with others is told now and by itself; False where nothing waited."""
    query = select(TextRow).where(
        TextRow.alert_id == alert.id, TextRow.state == "pending", TextRow.bundle_by.is_not(None)
    )
    waiting = session.scalars(query).all()
    for text in waiting:
        text.due_at, text.bundle_by = now, None
        word = Severity(alert.severity).word
        text.body = messages.with_word(text.body, word)
    return bool(waiting)


def _body(alert: AlertRow, channel: Channel, code: str, voice: Voice) -> str:
    word = Severity(alert.severity).word
    if channel is Channel.VOICE:
        return messages.breach_call(reference=alert.reference, word=word)
    link = f"{voice.public_url}/a/{alert.reference}"
    if channel is Channel.EMAIL:
        return messages.breach_email(reference=alert.reference, word=word, link=link)
    return messages.breach_text(reference=alert.reference, word=word, code=code, link=link)


def _new_code(session: Session, staff_id: int, now: datetime) -> str:
    """A code that no other unexpired text to the same person carries."""
    live = select(TextRow.code).where(TextRow.staff_id == staff_id, TextRow.code_expires_at > now)
    taken = set(session.scalars(live))
    while True:
        code = messages.reply_code(_random)
        if code not in taken:
            return code


def new_reference(session: Session) -> str:
    """A reference that no alert has."""
    while True:
        reference = messages.alert_reference(_random)
        taken = select(AlertRow.id).where(AlertRow.reference == reference)
        if session.scalar(taken) is None:
            return reference


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


def last_move(session: Session, alert: AlertRow) -> str | None:
    """The newest move in an alert's history."""
    mine = select(AlertHistoryRow.move).where(AlertHistoryRow.alert_id == alert.id)
    return session.scalar(mine.order_by(AlertHistoryRow.id.desc()).limit(1))


def was_told(session: Session, alert: AlertRow) -> bool:
    """Whether a text of an alert was ever written to anybody."""
    return session.scalar(select(exists().where(TextRow.alert_id == alert.id))) or False


def kind_of(session: Session, alert: AlertRow) -> FindingKind | None:
    """What kind of breach an alert is about; None for a fault of the service."""
    if alert.part is not None and alert.part.startswith(PROTECTION_PARTS):
        return FindingKind.PROTECTED_SILENCE
    if alert.episode_id is None:
        return None
    return FindingKind(session.get_one(EpisodeRow, alert.episode_id).kind)
