"""One timeline of a person: records of casework, alerts, and the police's and courts' entries.

What partners sent in extracts joins it only on the look-up that says why (:mod:`hub`).
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import board, case_records
from navigate_safer.db import offending as offending_rows
from navigate_safer.db.base import Sessions
from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.people import record_kinds
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import start_of
from navigate_safer.services import records

MOST_SHOWN = 300
CASEWORK, ALERT, PARTNER = "casework", "alert", "partner"


class Event(msgspec.Struct, frozen=True):
    """Something that happened: ``source`` is casework, alert or partner; ``by`` who said it.

    ``ref`` names the record or the alert, empty where there is no page behind it.
    """

    at: datetime
    source: str
    kind: str
    title: str
    state: str
    by: str
    ref: str
    text: str


class Timeline(msgspec.Struct, frozen=True):
    """The newest events first. ``cut`` when there are more than are shown."""

    ref: str
    name: str
    events: list[Event]
    cut: bool


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> Timeline:
    """Of one wearer; raises Forbidden and NotFound."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        assert of.wearer_id is not None, "a wearer has an id"
        events = gathered(session, scope, of.wearer_id)
        records.consulted(session, scope, "timeline", now, wearer_id=of.wearer_id)
        return newest(wearer.ref, wearer.name, events)


def gathered(session: Session, scope: Scope, wearer_id: int) -> list[Event]:
    """What happened with a wearer of the scope, in no order; raises Forbidden."""
    return [
        *_records(session, scope, wearer_id),
        *_alerts(session, scope, wearer_id),
        *_entries(session, scope, wearer_id),
    ]


def newest(ref: str, name: str, events: Iterable[Event]) -> Timeline:
    """Events as one list."""
    by_time = sorted(events, key=lambda each: each.at, reverse=True)
    return Timeline(ref, name, by_time[:MOST_SHOWN], len(by_time) > MOST_SHOWN)


def _records(session: Session, scope: Scope, wearer_id: int) -> list[Event]:
    kinds = record_kinds.on_timeline(scope)
    found = case_records.of_person(session, scope, wearer_id, kinds, MOST_SHOWN + 1)
    return [_of_record(row, author) for row, _wearer, author in found]


def _of_record(row: CaseRecordRow, author: str) -> Event:
    return Event(
        row.at,
        CASEWORK,
        row.kind,
        record_kinds.BY_NAME[row.kind].label,
        row.state,
        author,
        row.ref,
        row.reason,
    )


def _alerts(session: Session, scope: Scope, wearer_id: int) -> list[Event]:
    if not scope.may(Permission.SEE_BOARD):
        return []
    return [
        Event(
            each.started_at,
            ALERT,
            each.kind,
            each.kind,
            each.outcome or each.state,
            "",
            each.reference,
            "",
        )
        for each in board.of_wearer(session, scope, wearer_id, MOST_SHOWN)
    ]


def _entries(session: Session, scope: Scope, wearer_id: int) -> list[Event]:
    return [
        Event(
            start_of(row.on),
            PARTNER,
            row.kind,
            row.kind,
            row.role or "",
            row.source,
            row.ref,
            row.offence_code or "",
        )
        for row in offending_rows.of_wearer(session, scope, wearer_id)
    ]
