"""One round of keeping house over the readings: what the scheduler does, and a test by hand."""

from datetime import datetime

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.services import archiving, retention, sorting, storage
from navigate_safer.services.storage import Plan, Wait

# One round does at most so many of each, so that a scheduler can be stopped in good order.
MOST_AT_ONCE = 40


class Round(msgspec.Struct, frozen=True):
    """What a round came to; ``kept_house`` is False where another process was at it."""

    kept_house: bool
    made: int = 0
    sorted: int = 0
    packed: int = 0
    closed: int = 0
    archived: int = 0
    erased: int = 0


def keep_house(sessions: Sessions, now: datetime, plan: Plan, wait: Wait) -> Round:
    """Make, close, archive and erase what is due. Killed at any point, the next round goes on."""
    with storage.alone(sessions) as mine:
        if not mine:
            return Round(kept_house=False)
        archiving.tidy(sessions)
        made = storage.make_days(sessions, now, plan)
        in_order = sorting.sort_pieces(sessions, now, wait)
        packed = storage.pack(sessions)
        closed = archived = 0
        while closed < MOST_AT_ONCE and storage.close_next(sessions, now, plan, wait):
            closed += 1
        while archived < MOST_AT_ONCE and archiving.archive_next(sessions, now, plan):
            archived += 1
        erased = retention.erase(sessions, now, plan)
        return Round(True, made, in_order, packed, closed, archived, erased)
