"""What a round of keeping house could not do: noted, so that one bad day does not stop the others.

A day that fails stays as it is and is tried again by the next round. The last fault is kept in the
database, where the health page, the metrics and the watch over the service find it.
"""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy.exc import OperationalError

from navigate_safer.db.base import Sessions
from navigate_safer.db.operations import STORAGE
from navigate_safer.db.parquet import ArchiveUnreadable
from navigate_safer.db.partitions import was_full
from navigate_safer.db.reading_rows import ReadingTable
from navigate_safer.services import heartbeats

# As wide as its column.
LONGEST_FAULT = 200


class StorageFault(Exception):
    """A copy does not hold what it should; nothing was dropped. Says which."""


class Trouble:
    """Days that one round passes over, how often anything failed in it, and what was last."""

    def __init__(self) -> None:
        self.faults = 0
        self.last: str | None = None
        self._days: set[tuple[str, date]] = set()

    def has(self, table: ReadingTable, day: date) -> bool:
        """Whether this day has failed in this round."""
        return (table.__tablename__, day) in self._days

    @contextlib.contextmanager
    def of_day(self, table: ReadingTable, day: date) -> Iterator[None]:
        """Note a fault of one day; the round goes on with the next one."""
        try:
            yield
        except (StorageFault, ArchiveUnreadable) as fault:
            self._days.add((table.__tablename__, day))
            self.note(f"{table.__tablename__} of {day}: {fault}")

    @contextlib.contextmanager
    def of_disk(self) -> Iterator[None]:
        """Note a folder that cannot be read or written, which is the same for every day of it."""
        try:
            yield
        except OSError as fault:
            # Not its text: that has the path.
            self.note(f"the archive's folder: {fault.strerror or type(fault).__name__}")

    @contextlib.contextmanager
    def of_room(self) -> Iterator[None]:
        """Note that the database's disk is full: what needs room fails, what frees it goes on."""
        try:
            yield
        except OperationalError as fault:
            if not was_full(fault):
                raise
            self.note("the database's disk has no room to sort or pack a day")

    def note(self, text: str) -> None:
        """One more fault."""
        self.faults += 1
        self.last = text


def tell(sessions: Sessions, wall_now: datetime, faults: int, last: str | None) -> None:
    """Write down what a round came to; ``wall_now`` is real time, as of every sign of life."""
    text = None if last is None else last[:LONGEST_FAULT]
    heartbeats.beat(sessions, STORAGE, wall_now, fault=text, waiting=faults)
