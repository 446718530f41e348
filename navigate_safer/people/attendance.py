"""What sessions add up to: attendance, completion, rehabilitation activity days.

Attendance is attended / (offered - acceptable absences). A session that was put off is offered on
its new day and not on the old one. Having attended says nothing about being safe.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from navigate_safer.people.session_outcomes import Counts, by_code


class Taken(msgspec.Struct, frozen=True):
    """One session of one person, as it counts.

    ``outcome`` is a code, None while it is only planned. ``unit`` is the number of the group's
    session that it covers, itself or as a catch-up; None for what covers none.
    """

    on: date
    outcome: str | None = None
    rar: bool = False
    unit: int | None = None

    @property
    def attended(self) -> bool:
        """Whether he was there."""
        return self.outcome is not None and by_code()[self.outcome].attended


class Attendance(msgspec.Struct, frozen=True):
    """Numbers of sessions; ``without_complying`` are among those attended."""

    attended: int = 0
    without_complying: int = 0
    missed: int = 0
    excused: int = 0
    rescheduled: int = 0
    planned: int = 0

    @property
    def offered(self) -> int:
        """Those that took place for him to come to."""
        return self.attended + self.missed + self.excused

    @property
    def rate(self) -> float | None:
        """Attended / (offered - acceptable absences), 0 to 1; None when there was none to count."""
        counted = self.offered - self.excused
        return self.attended / counted if counted else None


def attendance(sessions: Iterable[Taken]) -> Attendance:
    """Of one person, or of a whole group."""
    numbers = dict.fromkeys(Counts, 0)
    planned = without = 0
    for each in sessions:
        if each.outcome is None:
            planned += 1
            continue
        outcome = by_code()[each.outcome]
        numbers[outcome.counts] += 1
        without += outcome.attended and not outcome.complied
    return Attendance(
        attended=numbers[Counts.ATTENDED],
        without_complying=without,
        missed=numbers[Counts.MISSED],
        excused=numbers[Counts.EXCUSED],
        rescheduled=numbers[Counts.RESCHEDULED],
        planned=planned,
    )


def covered(sessions: Iterable[Taken]) -> frozenset[int]:
    """The numbers of the group's sessions that he attended or caught up."""
    return frozenset(each.unit for each in sessions if each.unit is not None and each.attended)


class RarDays(msgspec.Struct, frozen=True):
    """Rehabilitation activity days: the most that the court ordered, done, and planned ahead."""

    ordered: int
    done: int
    planned: int

    @property
    def left(self) -> int:
        """What may still be asked for."""
        return max(0, self.ordered - self.done)

    @property
    def over(self) -> bool:
        """More is done or planned than the court allows."""
        return self.done + self.planned > self.ordered


def rar_days(sessions: Iterable[Taken], ordered: int, *, day_counts_once: bool) -> RarDays:
    """Count them; with ``day_counts_once`` two activities on one day are one day."""
    counted = [each for each in sessions if each.rar]
    done = [each.on for each in counted if each.attended]
    planned = [each.on for each in counted if each.outcome is None]
    if day_counts_once:
        done, planned = sorted(set(done)), sorted(set(planned) - set(done))
    return RarDays(ordered, len(done), len(planned))


def days_to_start(decided_on: date, sessions: Iterable[Taken]) -> int | None:
    """Days from a decision to the first session that he attended; None before there is one."""
    days = [(each.on - decided_on).days for each in sessions if each.attended]
    return min((each for each in days if each >= 0), default=None)
