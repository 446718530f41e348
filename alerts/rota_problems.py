"""What is wrong with a rota, found while there is still time to mend it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.rota import Duty
from zones.interval import Interval, measure, union

# Policy of this project, version 1. A rest of eleven hours between two duties is the daily rest of
# the Working Time Regulations 1998, regulation 10; being on call is not always working time, so it
# is a warning and forbids nothing. A week at a time and every other week is what on-call practice
# takes as the most that one person keeps up.
LIMITS_VERSION = "1"


class DutyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From when a person's duty is too much."""

    longest_stretch_h: float = 168.0
    most_hours_in_28_days: float = 336.0
    least_rest_h: float = 11.0


class ProblemKind(Enum):
    """What is wrong."""

    GAP = "gap"
    NO_CONTACT = "no_verified_contact"
    INACTIVE = "no_longer_active"
    TOO_LONG = "duty_too_long"
    TOO_MUCH = "too_many_hours"
    NO_REST = "too_little_rest"

    @property
    def nobody_is_told(self) -> bool:
        """Whether a breach in this stretch would reach nobody on this rota."""
        return self in (ProblemKind.GAP, ProblemKind.NO_CONTACT, ProblemKind.INACTIVE)


class Reach(msgspec.Struct, frozen=True):
    """Whether a member of staff can be reached: works here, and has a verified number."""

    active: bool
    verified: bool


class Problem(msgspec.Struct, frozen=True):
    """One problem; ``staff_id`` None for a gap."""

    kind: ProblemKind
    start: datetime
    end: datetime
    staff_id: int | None


TWENTY_EIGHT_DAYS = timedelta(days=28)


def problems(
    found: Sequence[Duty], reach: Mapping[int, Reach], limits: DutyLimits | None = None
) -> list[Problem]:
    """Gaps, people who cannot be reached, and people with too much, in order of time.

    ``found`` is what :func:`alerts.rota.duties` gives; who is missing in ``reach`` is inactive.
    """
    limits = limits or DutyLimits()
    listed = [problem for duty in found if (problem := _unreachable(duty, reach)) is not None]
    by_person: dict[int, list[Interval]] = {}
    for duty in found:
        if duty.staff_id is not None:
            by_person.setdefault(duty.staff_id, []).append(duty.interval)
    for person, pieces in by_person.items():
        listed += _overload(person, pieces, limits)
    return sorted(listed, key=lambda each: (each.start, each.kind.value, each.staff_id or 0))


def _unreachable(duty: Duty, reach: Mapping[int, Reach]) -> Problem | None:
    if duty.staff_id is None:
        return Problem(ProblemKind.GAP, duty.start, duty.end, None)
    person = reach.get(duty.staff_id, Reach(active=False, verified=False))
    if not person.active:
        return Problem(ProblemKind.INACTIVE, duty.start, duty.end, duty.staff_id)
    if not person.verified:
        return Problem(ProblemKind.NO_CONTACT, duty.start, duty.end, duty.staff_id)
    return None


def _overload(person: int, pieces: Sequence[Interval], limits: DutyLimits) -> list[Problem]:
    stretches = union(pieces)
    longest = timedelta(hours=limits.longest_stretch_h)
    rest = timedelta(hours=limits.least_rest_h)
    found = []
    for number, stretch in enumerate(stretches):
        # The night on which the clocks go back lengthens a week of duty by an hour that nobody
        # planned; it is no overload.
        if stretch.length > longest + timedelta(hours=1):
            found.append(Problem(ProblemKind.TOO_LONG, stretch.start, stretch.end, person))
        before = stretches[number - 1] if number else None
        if before is not None and stretch.start - before.end < rest:
            found.append(Problem(ProblemKind.NO_REST, before.end, stretch.start, person))
    too_much = _busiest(stretches, timedelta(hours=limits.most_hours_in_28_days))
    if too_much is not None:
        found.append(Problem(ProblemKind.TOO_MUCH, too_much.start, too_much.end, person))
    return found


def _busiest(stretches: Sequence[Interval], most: timedelta) -> Interval | None:
    """The first 28 days with more than ``most``, beginning with one of the stretches."""
    for first, stretch in enumerate(stretches):
        window = Interval(stretch.start, stretch.start + TWENTY_EIGHT_DAYS)
        inside = tuple(
            Interval(each.start, min(each.end, window.end))
            for each in stretches[first:]
            if each.start < window.end
        )
        if measure(inside) > most + timedelta(hours=1):
            return window
    return None
