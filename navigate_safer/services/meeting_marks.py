"""From when meetings must be looked for again: late readings, and hours in which nobody looked.

Each look takes the last :data:`STRETCH`. What comes later than that is noted by intake, in the
transaction that stores it; and each look notes itself, so that the one after a pause knows how long
the pause was. Nothing older than a fortnight is shown, and nothing older is looked for.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import meetings
from navigate_safer.db.packed import instant_of, micros_of
from zones.interval import Interval, union

# Looked at in each round, and again in the next.
STRETCH = timedelta(hours=3)
# What is shown of a wearer, and so how far back it is looked for.
SHOWN = timedelta(days=14)
# The schedule looks once an hour, some minutes late at worst; what is younger than this is in the
# next look's own stretch.
LATE = STRETCH - timedelta(hours=1, minutes=15)
# Stretches that follow each other share so much: a meeting at their border is whole in one of them.
SHARED = timedelta(hours=1)
# A late fix says something of the time up to its neighbours, ten minutes at most
# (alerts.terms.Limits.max_gap_s), and may join what was too short for a meeting by itself.
AROUND = timedelta(minutes=30)
# In one round at most so many, two days: after a fortnight's pause it takes seven rounds.
MOST_AT_ONCE = 24


class Due(msgspec.Struct, frozen=True):
    """Marks that were read, the stretches to look at now, and what is left for the next round."""

    ids: list[int]
    stretches: list[Interval]
    left: list[Interval]


def note_late(session: Session, measured_us: Iterable[int], now: datetime) -> None:
    """Note of readings (microseconds since 1970) those that no coming look would take by itself.

    Readings far apart are noted apart: one clock that is days slow does not make all of the days
    between be looked at.
    """
    first_us, last_us = micros_of(now - SHOWN), micros_of(now - LATE)
    late = sorted({each for each in measured_us if first_us <= each < last_us})
    begin = 0
    for place in range(1, len(late) + 1):
        if place == len(late) or late[place] - late[place - 1] > STRETCH // timedelta.resolution:
            meetings.mark(session, instant_of(late[begin]), instant_of(late[place - 1]))
            begin = place


def due(session: Session, now: datetime) -> Due:
    """What is to be looked at before the newest stretch, in the order of time."""
    rows = meetings.marks(session)
    newest = now - STRETCH
    ends = newest + SHARED
    wanted = []
    for row in rows:
        from_at = row.from_at if row.to_at is None else row.from_at - AROUND
        to_at = ends if row.to_at is None else row.to_at + AROUND
        begin, end = max(from_at, now - SHOWN), min(to_at, ends)
        if row.from_at < newest and begin < end:
            wanted.append(Interval(begin, end))
    stretches: list[Interval] = []
    left: list[Interval] = []
    for each in union(wanted):
        begin, end = each.start, _end_of_all(session, each, ends)
        while begin < end and len(stretches) < MOST_AT_ONCE:
            stretches.append(Interval(begin, min(begin + STRETCH, end)))
            begin = end if begin + STRETCH >= end else begin + STRETCH - SHARED
        if begin < end:
            left.append(Interval(begin, end))
    return Due([row.id for row in rows], stretches, left)


def _end_of_all(session: Session, stretch: Interval, latest: datetime) -> datetime:
    """The end of a stretch or of the last meeting that began in it, which is looked for anew."""
    end = stretch.end
    while end < latest:
        lasts = meetings.last_end(session, stretch.start, end)
        if lasts is None or lasts <= end:
            break
        end = min(lasts, latest)
    return end


def looked(session: Session, done: Due, now: datetime) -> None:
    """The marks are looked after, up to now; the next look goes on from here."""
    meetings.drop_marks(session, done.ids)
    for each in done.left:
        meetings.mark(session, each.start, each.end)
    meetings.mark(session, now - LATE, None)
