"""Alerts about the service itself: no wearer, no area, no case data."""

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import alerts_of_nobody
from navigate_safer.db.alert_history import HistoryLine, TextLine, history_lines, text_lines
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.alerts_of_nobody import Line
from navigate_safer.people.access import Permission, Scope

# What is about a protected person's device is in :mod:`navigate_safer.db.protection_alerts`.
PROTECTION_PARTS = "protected:"
# A rota with a gap ahead, and a telephone that takes no more texts: what people mend, no machine.
ROTA_PARTS, CONTACT_PARTS = "rota:", "contact:"
ABOUT_SERVICE = AlertRow.part.is_not(None) & AlertRow.part.not_like(f"{PROTECTION_PARTS}%")


class ServiceAlertDetail(msgspec.Struct, frozen=True):
    """What the page of one says."""

    line: Line
    history: list[HistoryLine]
    texts: list[TextLine]


def live(session: Session, scope: Scope) -> list[Line]:
    """Those that nobody has resolved, most urgent first; none for who may not mend it."""
    may = scope.may(Permission.MEND_SERVICE)
    return alerts_of_nobody.live(session, ABOUT_SERVICE) if may else []


def detail(session: Session, scope: Scope, reference: str) -> ServiceAlertDetail | None:
    """One of them, or None."""
    scope.require(Permission.MEND_SERVICE)
    found = alerts_of_nobody.one(session, ABOUT_SERVICE, reference)
    if found is None:
        return None
    alert, line = found
    return ServiceAlertDetail(line, history_lines(session, alert.id), text_lines(session, alert.id))


def is_about_service(session: Session, reference: str) -> bool:
    """Whether a reference is of an alert about the service; says nothing of any case."""
    return alerts_of_nobody.is_about(session, ABOUT_SERVICE, reference)
