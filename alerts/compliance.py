"""Compliance time: how long a condition was kept, broken, or unknown, and each absence by its code.

Every scheduled minute is in exactly one of four states. A breach is what the rules found; what they
found and a person has yet to judge is for review; of the rest, what no readings vouch for is
unknown, and only what is left was kept.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from zones.interval import Interval, Intervals, clipped, intersection, measure, subtraction, union

LONDON = ZoneInfo("Europe/London")


class AbsenceCode(Enum):
    """The Ministry's contractor codes of curfew violations; none was found for zones or alcohol."""

    OUT_AT_START = "AL08"
    RETURNED_LATE = "AL09"
    LEFT_DURING = "AL10"
    OUT_AT_END = "AL11"
    OUT_ENTIRE = "AL12"

    @property
    def words(self) -> str:
        """The category as the Ministry names it."""
        return {
            "AL08": "Out past curfew commencement",
            "AL09": "Returned home late",
            "AL10": "Left home during curfew",
            "AL11": "Out at end of curfew",
            "AL12": "Out for entire curfew period",
        }[self.value]


class Absence(msgspec.Struct, frozen=True):
    """One breach within one window of a curfew.

    ``authorised``: an officer has excused it, and it does not count to the total.
    """

    time: Interval
    codes: tuple[AbsenceCode, ...]
    authorised: bool = False


class Account(msgspec.Struct, frozen=True):
    """A stretch of time in four parts that add up to ``scheduled``.

    ``compliant`` holds what an officer has excused; ``excused`` says how much that is. ``review``
    is nothing but for alcohol that was measured and not confirmed.
    """

    scheduled: timedelta
    compliant: timedelta
    breach: timedelta
    unknown: timedelta
    excused: timedelta = timedelta()
    review: timedelta = timedelta()

    @property
    def coverage(self) -> float | None:
        """The share of the scheduled time of which something is known; None where none is."""
        return 1 - self.unknown / self.scheduled if self.scheduled else None

    def plus(self, other: "Account") -> "Account":
        """Both together."""
        return Account(
            self.scheduled + other.scheduled,
            self.compliant + other.compliant,
            self.breach + other.breach,
            self.unknown + other.unknown,
            self.excused + other.excused,
            self.review + other.review,
        )


NOTHING = Account(timedelta(), timedelta(), timedelta(), timedelta())


def account(
    scheduled: Intervals,
    known: Intervals,
    broken: Intervals,
    excused: Intervals = (),
    doubtful: Intervals = (),
) -> Account:
    """The four parts of the scheduled time; all intervals merged and sorted.

    ``broken`` is what the rules found and ``known`` what readings vouch for. What was broken while
    excused counts as compliant; a breach counts whether or not it is among what is known, and so
    does what is ``doubtful``, for a person to review, as far as it is no breach.
    """
    found = intersection(broken, scheduled)
    forgiven = intersection(found, excused)
    breach = subtraction(found, forgiven)
    review = subtraction(intersection(doubtful, scheduled), found)
    unknown = subtraction(subtraction(subtraction(scheduled, known), found), review)
    whole, bad, dark, open_ = (measure(each) for each in (scheduled, breach, unknown, review))
    return Account(whole, whole - bad - dark - open_, bad, dark, measure(forgiven), open_)


def day_span(day: date) -> Interval:
    """A calendar day of Europe/London: 23, 24 or 25 hours."""
    return Interval(_midnight(day), _midnight(day + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def day_of(at: datetime) -> date:
    """The local day of an instant."""
    return at.astimezone(LONDON).date()


def absences(
    windows: Intervals,
    known: Intervals,
    broken: Intervals,
    through: datetime,
    excused: Intervals = (),
) -> tuple[Absence, ...]:
    """Each breach of a curfew's windows with its codes; ``windows`` whole, not cut at midnight.

    Nothing after ``through`` has been seen. A code is only given where it was seen: who was not
    seen at home before is out at the start of the curfew, but who vanished from sight in an
    absence is neither back late nor out at its end.
    """
    found: list[Absence] = []
    for window in windows:
        kept = subtraction(intersection(known, (window,)), broken)
        for piece in clipped(broken, window):
            codes = _codes(piece, window, kept, through)
            found.append(Absence(piece, codes, bool(intersection((piece,), excused))))
    return tuple(found)


def _codes(
    piece: Interval, window: Interval, kept: Intervals, through: datetime
) -> tuple[AbsenceCode, ...]:
    home_before = bool(_within(kept, window.start, piece.start))
    seen_from_start = piece.start == window.start
    to_end = piece.end == window.end and window.end <= through
    back = bool(_within(kept, piece.end, window.end))
    if seen_from_start and to_end:
        return (AbsenceCode.OUT_ENTIRE,)
    codes: list[AbsenceCode] = []
    if seen_from_start:
        codes.append(AbsenceCode.OUT_AT_START)
        if back:
            codes.append(AbsenceCode.RETURNED_LATE)
    elif home_before:
        codes.append(AbsenceCode.LEFT_DURING)
    if to_end:
        codes.append(AbsenceCode.OUT_AT_END)
    return tuple(codes)


def _within(pieces: Intervals, start: datetime, end: datetime) -> Intervals:
    return intersection(pieces, (Interval(start, end),)) if start < end else ()


def late_start(window_absences: Sequence[Absence]) -> timedelta:
    """How long after the start of their windows those out at the start came home, or stayed out."""
    first = {AbsenceCode.OUT_AT_START, AbsenceCode.OUT_ENTIRE}
    late = (each.time.length for each in window_absences if _counts(each, first))
    return sum(late, timedelta())


def early_end(window_absences: Sequence[Absence]) -> timedelta:
    """How long before the end of their windows those who were not back had left."""
    last = {AbsenceCode.OUT_AT_END}
    early = (each.time.length for each in window_absences if _counts(each, last))
    return sum(early, timedelta())


def cumulative(window_absences: Sequence[Absence]) -> timedelta:
    """The accumulated time of violation; what an officer has excused is left out."""
    return measure(union(each.time for each in window_absences if not each.authorised))


def _counts(absence: Absence, codes: set[AbsenceCode]) -> bool:
    return not absence.authorised and not codes.isdisjoint(absence.codes)


def covered(times: Sequence[datetime], max_gap: timedelta) -> Intervals:
    """What readings vouch for: the time between two that are not too far apart."""
    ordered = sorted(set(times))
    legs = pairwise(ordered)
    return union(Interval(one, other) for one, other in legs if other - one <= max_gap)
