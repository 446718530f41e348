"""Alerts about a protected person's device, for those who may answer them, within their areas."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from navigate_safer.db import alerts_of_nobody, protected
from navigate_safer.db.alert_history import HistoryLine, TextLine, history_lines, text_lines
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.alerts_of_nobody import Line
from navigate_safer.db.service_alerts import PROTECTION_PARTS
from navigate_safer.people.access import Permission, Scope

_ABOUT = AlertRow.part.startswith(PROTECTION_PARTS)


class ProtectionDetail(msgspec.Struct, frozen=True):
    """What the page of one says.

    ``victim_ref`` is her case's reference, for those alone who may see who is protected;
    ``wearer_refs`` who must keep away from her. Nothing says where she is.
    """

    alert_id: int
    line: Line
    victim_ref: str | None
    wearer_refs: list[str]
    history: list[HistoryLine]
    texts: list[TextLine]


def _within(scope: Scope) -> ColumnElement[bool]:
    scope.require(Permission.ANSWER_PROTECTION)
    return _ABOUT & AlertRow.area_id.in_(scope.areas)


def live(session: Session, scope: Scope) -> list[Line]:
    """Those that nobody has resolved; none for who may not answer them."""
    may = scope.may(Permission.ANSWER_PROTECTION)
    return alerts_of_nobody.live(session, _within(scope)) if may else []


def detail(
    session: Session, scope: Scope, reference: str, now: datetime
) -> ProtectionDetail | None:
    """One of them, or None."""
    found = alerts_of_nobody.one(session, _within(scope), reference)
    if found is None:
        return None
    alert, line = found
    fitting_id = int(line.part.removeprefix(PROTECTION_PARTS))
    about = protected.about_fitting(session, fitting_id, now)
    may = scope.may(Permission.SEE_VICTIMS)
    return ProtectionDetail(
        alert_id=alert.id,
        line=line,
        victim_ref=about.victim_ref if about is not None and may else None,
        wearer_refs=[] if about is None else about.wearer_refs,
        history=history_lines(session, alert.id),
        texts=text_lines(session, alert.id),
    )


def is_about_protection(session: Session, reference: str) -> bool:
    """Whether a reference is of such an alert; says nothing of any case."""
    return alerts_of_nobody.is_about(session, _ABOUT, reference)
