"""One round of keeping house over the readings: what the scheduler does, and a test by hand."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.services import archiving, retention, sorting, storage, storage_trouble
from navigate_safer.services.storage import Plan, Wait
from navigate_safer.services.storage_trouble import Trouble

# One round does at most so many of each, so that a scheduler can be stopped in good order.
MOST_AT_ONCE = 40


class Round(msgspec.Struct, frozen=True):
    """What a round came to; ``kept_house`` is False where another process was at it.

    ``faults`` is how many days and steps failed and were passed over, ``last_fault`` the last.
    """

    kept_house: bool
    made: int = 0
    sorted: int = 0
    packed: int = 0
    closed: int = 0
    archived: int = 0
    erased: int = 0
    faults: int = 0
    last_fault: str | None = None


def keep_house(sessions: Sessions, now: datetime, plan: Plan, wait: Wait) -> Round:
    """Make, close, archive and erase what is due. Killed at any point, the next round goes on.

    What fails is noted and passed over. Raises only where the database cannot be used.
    """
    trouble, done = Trouble(), Round(kept_house=True)
    # On SQLite the lock itself is a file in the archive's folder.
    with trouble.of_disk(), storage.alone(sessions) as mine:
        if not mine:
            return Round(kept_house=False)
        done = _round(sessions, now, plan, wait, trouble)
    return msgspec.structs.replace(done, faults=trouble.faults, last_fault=trouble.last)


def _round(sessions: Sessions, now: datetime, plan: Plan, wait: Wait, trouble: Trouble) -> Round:
    # First what intake needs, and last what needs the archive: its disk may be full or away. So may
    # the database's own, and then archiving is what makes room.
    made = in_order = packed = closed = archived = erased = 0
    with trouble.of_room():
        made = storage.make_days(sessions, now, plan)
    with trouble.of_room():
        in_order = sorting.sort_pieces(sessions, now, wait, trouble=trouble)
    with trouble.of_room():
        packed = storage.pack(sessions)
    with trouble.of_room():
        closed = _many(lambda: storage.close_next(sessions, now, plan, wait, trouble))
    with trouble.of_disk():
        archiving.tidy(sessions)
    with trouble.of_disk():
        archived = _many(lambda: archiving.archive_next(sessions, now, plan, trouble))
    with trouble.of_disk():
        erased = retention.erase(sessions, now, plan, trouble)
    return Round(True, made, in_order, packed, closed, archived, erased)


def _many(one: Callable[[], object]) -> int:
    """Do one after the other until none is left, at most :data:`MOST_AT_ONCE`; how many."""
    done = 0
    while done < MOST_AT_ONCE and one() is not None:
        done += 1
    return done


def keep_house_and_tell(
    sessions: Sessions, now: datetime, wall_now: datetime, plan: Plan, wait: Wait
) -> Round:
    """The same, and what failed is written down for the health page; ``wall_now`` is real time."""
    try:
        done = keep_house(sessions, now, plan, wait)
    except Exception as fault:
        # Of a database that is away the telling fails too, and everybody knows of it.
        storage_trouble.tell(sessions, wall_now, 1, type(fault).__name__)
        raise
    if done.kept_house:
        storage_trouble.tell(sessions, wall_now, done.faults, done.last_fault)
    return done
