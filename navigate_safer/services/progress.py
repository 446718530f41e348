"""Days of rehabilitation activity that were ordered, and measures of change."""

from datetime import datetime, time

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Scope
from navigate_safer.people.group_schedule import instant
from navigate_safer.people.programmes import MEASURE, RAR, Measure, RarOrdered
from navigate_safer.services import records
from navigate_safer.services.individual_sessions import NoSession

# A measure is of a day; on a timeline it stands at noon.
_NOON = time(12)


def order_rar(sessions: Sessions, scope: Scope, ref: str, made: RarOrdered, now: datetime) -> None:
    """Days of activity that a court has ordered; again for the same order is a new version.

    Raises Forbidden and NotFound.
    """
    scope.require(RAR.write)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        slot = f"rar:{of.wearer_id}:{made.order.casefold()}"[:120]
        known = records.in_slot(session, scope, RAR, slot)
        if known is None:
            records.add(session, scope, RAR, of, made, now=now, slot=slot, reason="ordered")
        else:
            records.change(
                session, scope, RAR, known.ref, made, replaces=known.version, now=now, slot=slot,
                reason="varied",
            )  # fmt: skip


def measure(sessions: Sessions, scope: Scope, ref: str, made: Measure, now: datetime) -> None:
    """A scale as it was filled in; raises Forbidden, NotFound and :class:`NoSession`."""
    scope.require(MEASURE.write)
    if not made.lowest < made.highest or not made.lowest <= made.score <= made.highest:
        raise NoSession(score="Enter a score within the range of the tool")
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        at = instant(made.on, _NOON)
        records.add(
            session, scope, MEASURE, of, made, now=now, at=at, state=made.stage.value,
            reason=f"{made.tool}, {made.stage.value}",
        )  # fmt: skip
