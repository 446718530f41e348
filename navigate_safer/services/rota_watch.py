"""Problems of rotas become alerts about the service while there is still time to mend them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.finding import Severity
from alerts.lifecycle import AlertState
from alerts.rota_problems import Problem
from navigate_safer.db import telling
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.service_alerts import ROTA_PARTS
from navigate_safer.db.telling import RotaRow
from navigate_safer.services import alerting, rotas
from navigate_safer.services.telling import Voice

# Project policy, version 1: two weeks are enough to find somebody; what nobody has mended two days
# before is told, and not only shown.
LOOK_AHEAD = timedelta(days=14)
TOLD_FROM = timedelta(hours=48)


def look(sessions: Sessions, now: datetime, voice: Voice) -> list[str]:
    """Open an alert for each rota with problems, end those of mended ones; the parts with one."""
    with sessions.begin() as session:
        wrong = {
            f"{ROTA_PARTS}{row.id}": _words(row, found, now)
            for row in telling.active_rotas(session)
            if (found := rotas.found_wrong(session, row, now, now + LOOK_AHEAD))
        }
        live = select(AlertRow.part).where(
            AlertRow.part.startswith(ROTA_PARTS), AlertRow.state != AlertState.RESOLVED.value
        )
        mended = [part for part in session.scalars(live) if part and part not in wrong]
        for part in mended:
            alerting.end_service_alert(session, part, now, "The rota has no problems ahead.")
    for part, (severity, text) in wrong.items():
        try:
            with sessions.begin() as session:
                _open(session, part, severity, now, voice, text)
        except IntegrityError:  # another process was first
            continue
    return sorted(wrong)


def _open(
    session: Session, part: str, severity: Severity, now: datetime, voice: Voice, text: str
) -> None:
    alerting.open_service_alert(session, part, severity, now, voice, text)


def _words(row: RotaRow, found: list[Problem], now: datetime) -> tuple[Severity, str]:
    """How badly, and a sentence that names no person."""
    untold = [each for each in found if each.kind.nobody_is_told]
    first = (untold or found)[0]
    local = first.start.astimezone(ZoneInfo(row.timezone))
    what = first.kind.value.replace("_", " ")
    begins = "now" if first.start <= now else f"on {local.day} {local:%B at %H:%M}"
    count = f"{len(found)} problem{'' if len(found) == 1 else 's'}"
    text = f"Rota {row.name}: {count} in the next {LOOK_AHEAD.days} days, first {what} {begins}."
    near = bool(untold) and first.start - now <= TOLD_FROM
    return (Severity.MEDIUM if near else Severity.LOW), text
