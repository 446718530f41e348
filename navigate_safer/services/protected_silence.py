"""A protected person's device that falls silent becomes an alert to those who look after her.

It belongs to no wearer and no episode. The alert says neither who she is nor where she was; who
may see her case reads its reference on the page. One silence is one alert: somebody who closes it,
since the device was handed back, is not told again until it has been heard.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from alerts.rules import protected_silence
from navigate_safer.db import protected
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.protected import Guarded
from navigate_safer.db.service_alerts import PROTECTION_PARTS
from navigate_safer.people.days import span
from navigate_safer.services import alerting
from navigate_safer.services.telling import Voice

HEARD_AGAIN = "Her device has been heard again, or no order is in force."


def look(sessions: Sessions, now: datetime, voice: Voice) -> int:
    """Open an alert for each device that is silent, end those of devices that are not; how many."""
    with sessions.begin() as session:
        silent = {part(each): each for each in protected.guarded(session, now) if _over(each, now)}
        live = select(AlertRow.part).where(
            AlertRow.part.startswith(PROTECTION_PARTS),
            AlertRow.state != AlertState.RESOLVED.value,
        )
        heard = [name for name in session.scalars(live) if name and name not in silent]
        for name in heard:
            alerting.end_service_alert(session, name, now, HEARD_AGAIN)
    opened = 0
    for each in silent.values():
        try:
            with sessions.begin() as session:
                opened += _open(session, each, now, voice)
        except IntegrityError:  # another process was first
            continue
    return opened


def part(each: Guarded) -> str:
    """The name of a device while she has it; it is on no page."""
    return f"{PROTECTION_PARTS}{each.fitting_id}"


def _over(each: Guarded, now: datetime) -> bool:
    return now - _since(each) > protected_silence.deadline(each.limits)


def _since(each: Guarded) -> datetime:
    return protected_silence.silent_since(each.fitted_at, each.heard, each.in_force_at)


def _open(session: Session, each: Guarded, now: datetime, voice: Voice) -> bool:
    since = _since(each)
    told = select(AlertRow.id).where(AlertRow.part == part(each), AlertRow.opened_at > since)
    if session.scalar(told.limit(1)) is not None:
        return False
    why = (
        f"A protected person's device has not been heard for {span(now - since)}: nobody can tell "
        "how near to her anybody is."
    )
    opened = alerting.open_protection_alert(session, part(each), each.area_id, now, voice, why)
    return opened is not None
