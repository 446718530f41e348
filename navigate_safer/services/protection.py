"""See alerts about a protected person's device; a look at one is logged."""

from datetime import datetime

from navigate_safer.db import audit, protection_alerts
from navigate_safer.db.alerts_of_nobody import Line
from navigate_safer.db.base import Sessions
from navigate_safer.db.protection_alerts import ProtectionDetail
from navigate_safer.db.reading import reading
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound

LOOK_WITHIN_S = 5.0


def see(sessions: Sessions, scope: Scope, reference: str, now: datetime) -> ProtectionDetail:
    """One alert; raises :class:`NotFound`, also for one of another area."""
    scope.require(Permission.ANSWER_PROTECTION)
    with sessions.begin() as session:
        found = protection_alerts.detail(session, scope, reference, now)
        if found is None:
            raise NotFound
        audit.record(
            session, Act.CONSULTATION, "alert about protection", at=now, actor="staff",
            staff_id=scope.staff_id, subject_kind="alert", subject_id=found.alert_id,
        )  # fmt: skip
        return found


def live(sessions: Sessions, scope: Scope) -> list[Line]:
    """Those that nobody has resolved, for who may answer them; for others none."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return protection_alerts.live(session, scope)


def is_about_protection(sessions: Sessions, reference: str) -> bool:
    """Whether the reference of a text leads to a page about a protected person's device."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return protection_alerts.is_about_protection(session, reference)
