"""Protection notices of the police: the hours in which a court has to hear the application.

The clocks are data with their sources, in ``data/notice_clocks.json``.
"""

from datetime import datetime
from functools import lru_cache

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.data import read_data
from navigate_safer.people.records import Due, RecordKind
from navigate_safer.people.working_days import after_hours, hours_gone


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a kind of notice lasts, and when somebody is reminded; hours since it was given."""

    kind: str
    label: str
    given_by: str
    leads_to: str
    hours: float
    leaves_out: bool
    alarms_hours: tuple[float, ...]
    what: str
    source: dict[str, str]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    provenance: str
    clocks: list[Clock]


@lru_cache(maxsize=1)
def clocks() -> dict[str, Clock]:
    """Every kind of notice by its name."""
    return {each.kind: each for each in read_data("notice_clocks.json", _File).clocks}


class Notice(msgspec.Struct, frozen=True):
    """A notice that was given. ``given_by`` is the officer with rank and number.

    ``seen_hours`` are the alarms that somebody has seen to. ``outcome`` is empty while it runs.
    """

    kind: str
    given_at: datetime
    given_by: str
    seen_hours: tuple[float, ...] = ()
    heard_at: datetime | None = None
    outcome: str = ""

    @property
    def clock(self) -> Clock:
        """The clock of its kind."""
        return clocks()[self.kind]

    @property
    def ends_at(self) -> datetime:
        """When the court has to have heard the application."""
        return self.at_hours(self.clock.hours)

    def at_hours(self, hours: float) -> datetime:
        """When so many of the hours that count have passed."""
        return after_hours(self.given_at, hours, leave_out=self.clock.leaves_out)

    def gone(self, now: datetime) -> float:
        """How many of the hours that count have passed."""
        return hours_gone(self.given_at, now, leave_out=self.clock.leaves_out)


NOTICE = RecordKind(
    "protection_notice",
    "Protection notice",
    "PN",
    Notice,
    Permission.SEE_CASEWORK,
    Permission.MANAGE_CASES,
)


def alarm_now(notice: Notice) -> float | None:
    """The first alarm, in hours, that nobody has seen to; None when it was heard."""
    if notice.outcome:
        return None
    left = [each for each in notice.clock.alarms_hours if each not in notice.seen_hours]
    return min(left, default=notice.clock.hours)


def due_of(notice: Notice, who: int | None) -> Due | None:
    """What is due: the next alarm, and at last the end; None when it was heard."""
    hours = alarm_now(notice)
    if hours is None:
        return None
    short = notice.kind.upper()
    last = f"{notice.clock.hours:g} hours"
    if hours >= notice.clock.hours:
        return Due(notice.ends_at, f"{short}: {notice.clock.what} within {last}", who)
    what = f"{short}: {hours:g} of its {last} are over, see that a court hears it"
    return Due(notice.at_hours(hours), what, who)
