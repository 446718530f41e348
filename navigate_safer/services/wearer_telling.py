"""Notice what a wearer is to be told, decide, and write it down with its text and its vibration.

A round of its own, after the alert and never in its transaction: nothing about a message to a
wearer may delay or undo an alert. One row for each occasion, so that two rounds at once tell once.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts import messages
from alerts import wearer_messages as rule
from alerts.silences import muted_by
from alerts.wearer_messages import Decided, Facts, Phone, Verdict, Way
from alerts.wearer_words import LONDON, Occasion, words
from navigate_safer.db import telling, wearer_messages
from navigate_safer.db.base import Sessions
from navigate_safer.db.commands import CommandRow
from navigate_safer.db.people import DeviceRow, WearerRow
from navigate_safer.db.reading import reading
from navigate_safer.db.wearer_messages import (
    WearerContactRow,
    WearerMessageRow,
    WearerPolicyRow,
)
from navigate_safer.services import commands, wearer_occasions
from navigate_safer.services.commands import CommandPolicy
from navigate_safer.services.wearer_occasions import About, is_known, tag_of

LOOK_WITHIN_S = 5.0
_random = secrets.SystemRandom()


def look(sessions: Sessions, now: datetime, limits: CommandPolicy) -> int:
    """Tell the wearers of alerts that have just opened; how many were looked at."""
    found: list[tuple[WearerPolicyRow, About]] = []
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        for policy in wearer_messages.newest_policies(session):
            found += [(policy, each) for each in wearer_occasions.of_alerts(session, policy, now)]
    return _tell(sessions, found, now, limits)


def look_ahead(sessions: Sessions, now: datetime, limits: CommandPolicy) -> int:
    """Tell the wearers whose curfew starts soon; how many were looked at."""
    found: list[tuple[WearerPolicyRow, About]] = []
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        for policy in wearer_messages.newest_policies(session):
            if policy.policy.way(Occasion.CURFEW_SOON) is not None:
                curfews = wearer_occasions.of_curfews(session, policy, now)
                found += [(policy, each) for each in curfews]
    return _tell(sessions, found, now, limits)


def _tell(
    sessions: Sessions,
    found: Iterable[tuple[WearerPolicyRow, About]],
    now: datetime,
    limits: CommandPolicy,
) -> int:
    told = 0
    for policy, about in found:
        try:
            with sessions.begin() as session:
                told += _consider(session, policy, about, now, limits)
        except IntegrityError:  # another process was first
            continue
    return told


def _consider(
    session: Session, policy: WearerPolicyRow, about: About, now: datetime, limits: CommandPolicy
) -> int:
    """Decide on one occasion and write the row; 0 where it is known or not told any more."""
    # The wearer's row is the lock: two rounds must not pass the limit of a day together.
    session.get_one(WearerRow, about.wearer_id, with_for_update=True)
    way = policy.policy.way(about.occasion)
    if way is None or is_known(session, about):
        return 0
    tag = tag_of(session, about.wearer_id, now)
    facts = _facts(session, about, tag, now)
    decided = rule.decide(policy.policy, way, facts, now)
    row = _row(session, policy, way, about, decided, now)
    if decided.by_vibration and tag is not None:
        _vibrate(session, policy, row, tag, now, limits)
    return 1


def _facts(session: Session, about: About, tag: DeviceRow | None, now: datetime) -> Facts:
    midnight = datetime.combine(now.astimezone(LONDON).date(), time(), LONDON)
    lately = now - rule.NOT_AGAIN_WITHIN
    contact = session.get(WearerContactRow, about.wearer_id)
    muted = muted_by(telling.silences(session, now), about.matter, now) is not None
    told = wearer_messages.told_since
    return Facts(
        since=about.since,
        silenced=about.silenced or muted,
        excused=about.excused,
        told_today=told(session, about.wearer_id, midnight),
        told_lately=told(session, about.wearer_id, lately, about.occasion) > 0,
        phone=Phone.NONE if contact is None else contact.known,
        tag_fitted=tag is not None,
    )


def _row(
    session: Session,
    policy: WearerPolicyRow,
    way: Way,
    about: About,
    decided: Decided,
    now: datetime,
) -> WearerMessageRow:
    reference = _new_reference(session)
    text = decided.by_text
    row = WearerMessageRow(
        reference=reference,
        wearer_id=about.wearer_id,
        alert_id=about.alert_id,
        policy_id=policy.id,
        occasion=about.occasion.value,
        about=about.key,
        verdict=decided.verdict.value,
        tone=way.tone.value,
        body=words(about.occasion, way.tone, reference, about.starts_at) if text else None,
        decided_at=now,
        expires_at=now + rule.LASTS,
        state="pending" if text else "none",
        due_at=now if text else None,
        tries=0,
    )
    session.add(row)
    session.flush()
    return row


def _vibrate(
    session: Session,
    policy: WearerPolicyRow,
    row: WearerMessageRow,
    tag: DeviceRow,
    now: datetime,
    limits: CommandPolicy,
) -> None:
    command = CommandRow(
        wearer_id=row.wearer_id,
        alert_id=row.alert_id,
        staff_id=policy.made_by,
        reason=f"messages to wearers, version {policy.version}: {row.occasion}",
    )
    if commands.vibrate(session, tag, command, now, limits):
        row.command_id = command.id
    elif row.body is None:
        row.verdict = Verdict.NO_WAY.value


def _new_reference(session: Session) -> str:
    while True:
        reference = messages.alert_reference(_random)
        taken = select(WearerMessageRow.id).where(WearerMessageRow.reference == reference)
        if session.scalar(taken) is None:
            return reference
