"""What is written of an entry of quarantine that somebody deals with: its state, the act, the log.

The caller commits.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.db import audit
from navigate_safer.db.quarantine import Handling, QuarantineActRow, QuarantineGroupRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound

LONGEST_REASON = 1_000


def row_of(session: Session, entry_id: int) -> QuarantineRow:
    """The entry, locked. Raises :class:`NotFound`."""
    row = session.get(QuarantineRow, entry_id, with_for_update=True)
    if row is None:
        raise NotFound
    return row


def deal_with(session: Session, row: QuarantineRow, handling: Handling) -> None:
    """Change the state; only what waits counts towards the most that is kept."""
    more = (handling is Handling.WAITING) - (row.state == Handling.WAITING.value)
    if more:
        group = session.get(QuarantineGroupRow, (row.reason, row.gateway), with_for_update=True)
        if group is not None:
            group.kept = max(0, group.kept + more)
            group.kept_bytes = max(0, group.kept_bytes + more * len(row.payload))
    row.state = handling.value


def note(
    session: Session,
    scope: Scope,
    row: QuarantineRow,
    act: str,
    why: str,
    result: str,
    now: datetime,
    payload: bytes | None = None,
) -> None:
    """Keep who did what and why beside the entry, and in the log."""
    session.add(
        QuarantineActRow(
            quarantine_id=row.id,
            at=now,
            staff_id=scope.staff_id,
            act=act,
            why=why.strip()[:LONGEST_REASON],
            payload=payload,
            result=result,
        )
    )
    log(session, scope, Act.ALTERATION, f"quarantine: {act}", row.id, now)


def log(session: Session, scope: Scope, act: Act, what: str, entry_id: int, now: datetime) -> None:
    """Write the act into the log of everything that is done."""
    audit.record(
        session, act, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="quarantine", subject_id=entry_id,
    )  # fmt: skip
