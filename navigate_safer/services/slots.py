"""Keep the one current record of a slot: made the first time, a new version after that."""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.people.access import Scope
from navigate_safer.people.records import BodyT, Due, Record, RecordKind
from navigate_safer.services import records
from navigate_safer.services.records import About, SlotTaken, Stale


def keep(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    of: About,
    slot: str,
    body: BodyT,
    *,
    replaces: int,
    now: datetime,
    at: datetime | None = None,
    state: str = "live",
    due: Due | None = None,
    reason: str = "",
) -> Record[BodyT]:
    """Store ``body`` as what is current in the slot; ``replaces`` 0 where none was seen.

    Raises Forbidden, and Stale when somebody else has kept another in between.
    """
    found = records.in_slot(session, scope, kind, slot)
    if found is not None:
        if found.version != replaces:
            raise Stale(found)
        return records.change(
            session, scope, kind, found.ref, body,
            replaces=replaces, now=now, at=at, state=state, slot=slot, due=due, reason=reason,
        )  # fmt: skip
    try:
        return records.add(
            session, scope, kind, of, body,
            now=now, at=at, state=state, slot=slot, due=due, reason=reason,
        )  # fmt: skip
    except SlotTaken:
        found = records.in_slot(session, scope, kind, slot)
        if found is None:
            raise
        raise Stale(found) from None
