"""Whether a case is closed; and open it again where something makes it one that is worked on."""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.people.access import Scope
from navigate_safer.people.closing import CASE, CLOSED, OPEN_AGAIN, CaseState
from navigate_safer.people.records import Record
from navigate_safer.services import one_record
from navigate_safer.services.records import About


def is_closed(record: Record[CaseState] | None) -> bool:
    """Whether the newest record says that the case is closed."""
    return record is not None and record.state == CLOSED


def open_again(session: Session, scope: Scope, of: About, why: str, now: datetime) -> None:
    """Open a case again within the caller's transaction; one that is open stays as it is."""
    found = one_record.live(session, scope, CASE, of)
    if found is not None and is_closed(found):
        one_record.put(
            session, scope, CASE, of, CaseState(None, why), replaces=found.version, now=now,
            state=OPEN_AGAIN, reason=why,
        )  # fmt: skip
