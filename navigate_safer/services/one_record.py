"""Keep what there is one of: the first version, or the next one, whichever it has to be."""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.people.access import Scope
from navigate_safer.people.records import BodyT, Due, Record, RecordKind
from navigate_safer.services import records
from navigate_safer.services.records import About, SlotTaken, Stale


class Refused(ValueError):
    """What was typed cannot be kept; ``faults`` says of each field what to do."""

    def __init__(self, **faults: str) -> None:
        super().__init__("; ".join(f"{field}: {what}" for field, what in faults.items()))
        self.faults = faults


def slot_of(kind: RecordKind[BodyT], of: About) -> str:
    """The slot of the one live record of a kind about a person, or about an area."""
    if of.wearer_id is None:
        return f"{kind.name}:area:{of.area_id}"
    return f"{kind.name}:{of.wearer_id}"


def live(
    session: Session, scope: Scope, kind: RecordKind[BodyT], of: About
) -> Record[BodyT] | None:
    """The one live record of a kind; raises Forbidden."""
    return records.in_slot(session, scope, kind, slot_of(kind, of))


def expect(
    session: Session, scope: Scope, kind: RecordKind[BodyT], of: About, replaces: int
) -> Record[BodyT] | None:
    """The live record, which is the version that was read; raises :class:`Stale` when it is not."""
    found = live(session, scope, kind, of)
    if found is not None and replaces != found.version:
        raise Stale(found)
    return found


def put(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    of: About,
    body: BodyT,
    *,
    replaces: int,
    now: datetime,
    state: str = "live",
    due: Due | None = None,
    reason: str = "",
    ends: bool = False,
) -> Record[BodyT]:
    """The live record with a new content; ``replaces`` is the version that was read, 0 for none.

    ``ends`` gives the slot free. Raises :class:`Stale` when there is another version than the one
    that was read, and Forbidden and NotFound.
    """
    slot = slot_of(kind, of)
    found = expect(session, scope, kind, of, replaces)
    if found is None:
        try:
            return records.add(
                session, scope, kind, of, body, now=now, state=state, slot=slot, due=due,
                reason=reason,
            )  # fmt: skip
        except SlotTaken:
            # Somebody else was quicker by less than the time of one request.
            made = records.in_slot(session, scope, kind, slot)
            if made is None:
                raise
            raise Stale(made) from None
    return records.change(
        session, scope, kind, found.ref, body, replaces=replaces, now=now, state=state,
        slot=None if ends else slot, due=due, reason=reason,
    )  # fmt: skip
