"""What an officer has allowed: to be in a zone, or away from one, for a time.

A stay that is allowed is excused: it is recorded and never told. With a corridor only the way
along it is allowed.
"""

from collections.abc import Iterable

import msgspec
from shapely.geometry.base import BaseGeometry

from zones.timetable import Combined, Dates, Timetable


class Authorised(msgspec.Struct, frozen=True):
    """One permission: ``ref`` names it in evidence, ``times`` says when it holds.

    ``corridor`` is EPSG:4326, grown to its full width; None allows everywhere. Its shape never
    changes under one ``ref``.
    """

    ref: str
    times: Timetable
    corridor: BaseGeometry | None = None

    @property
    def dates(self) -> Dates:
        """From when until when it holds at most."""
        parts = self.times.within if isinstance(self.times, Combined) else (self.times,)
        return next((each for each in parts if isinstance(each, Dates)), Dates())


def at_one_time(one: Authorised, other: Authorised) -> bool:
    """Whether there is an instant at which both hold."""
    starts = [each.dates.from_at for each in (one, other) if each.dates.from_at is not None]
    both = Combined((one.times, other.times))
    begins = max(starts, default=None)
    if begins is None:
        return True
    return both.covers(begins) or both.next_change(begins) is not None


def times_without_corridor(permissions: Iterable[Authorised]) -> tuple[Timetable, ...]:
    """When being anywhere is allowed."""
    return tuple(each.times for each in permissions if each.corridor is None)
