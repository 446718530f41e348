"""One day of one condition, worked out from stored readings and episodes; nothing is written.

A breach is what was told to officers: the stored episodes, and no second opinion.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import abstinence
from alerts import compliance as reckoning
from alerts.compliance import Absence, Account, day_span
from alerts.finding import FindingKind
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import Fix
from navigate_safer.db import packed, readings
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.reading_rows import AlcoholRow, FixRow
from navigate_safer.db.reading_values import reading_of
from navigate_safer.place_probability import vouched_for
from navigate_safer.services import abstinence_days
from zones.interval import Interval, Intervals, intersection, union

# A day that has been over for so long is worked out by the schedule: tags that were out of
# coverage at midnight mostly report within the hour.
SETTLES = timedelta(hours=1)
# Read before a day, so that the rule's belief has settled and a gap has both ends.
BEFORE = timedelta(minutes=30)
BREACHES = {
    ConditionKind.EXCLUSION_ZONE: FindingKind.EXCLUSION_BREACH,
    ConditionKind.CURFEW: FindingKind.CURFEW_BREACH,
    ConditionKind.RESTRICTION_ZONE: FindingKind.RESTRICTION_BREACH,
    ConditionKind.ALCOHOL_ABSTINENCE: FindingKind.ALCOHOL_CONFIRMED,
    ConditionKind.ALCOHOL_LEVEL: FindingKind.ALCOHOL_CONFIRMED,
}


def work_out(
    session: Session, wearer_id: int, condition: Condition, day: date, now: datetime
) -> ComplianceDayRow:
    """One day of one condition from what is stored; nothing is written."""
    span = day_span(day)
    known, newest = _known(session, wearer_id, condition, span)
    through = now
    limits = condition.limits
    patience = limits.max_gap_s if condition.zone is not None else limits.alcohol_gap_s
    if newest is not None and now - newest <= timedelta(seconds=patience):
        # The next fix is not late yet: what comes after the newest is not unknown, only not yet.
        through = max(newest, span.start)
    scheduled = _hours(condition, Interval(span.start, max(span.start, min(span.end, through))))
    # What still goes on was last seen at the newest reading: silence is not a breach.
    seen = min(newest or span.start, through)
    excused = _episodes(session, wearer_id, condition, FindingKind.EXCUSED_STAY, seen)
    found: tuple[Absence, ...] = ()
    if condition.kind in abstinence_days.ALCOHOL:
        measured = abstinence_days.measured(session, wearer_id, condition, seen)
        made = abstinence.account_of(scheduled, known, measured)
    else:
        broken = _episodes(session, wearer_id, condition, BREACHES[condition.kind], seen)
        broken = union(broken, excused)
        made = reckoning.account(scheduled, known, broken, excused)
    if condition.kind is ConditionKind.CURFEW:
        wide = Interval(span.start - timedelta(days=1), span.end + timedelta(days=1))
        begun = [each for each in _hours(condition, wide) if span.holds(each.start)]
        found = reckoning.absences(tuple(begun), known, broken, through, excused)
    return ComplianceDayRow(
        condition_id=condition.condition_id,
        day=day,
        wearer_id=wearer_id,
        worked_at=now,
        absences=absence_values(found),
        **_seconds(made),
    )


def settled(condition: Condition, day: date, now: datetime) -> bool:
    """Whether the day is over, and every window that began on it, for :data:`SETTLES`."""
    span = day_span(day)
    wide = Interval(span.start - timedelta(days=1), span.end + timedelta(days=1))
    begun = [each.end for each in _hours(condition, wide) if span.holds(each.start)]
    # Hours without an end, or of more than a day, are settled with the day itself.
    ends = [each for each in begun if each < wide.end]
    return max([span.end, *ends]) + SETTLES <= now


def _seconds(made: Account) -> dict[str, int]:
    """Whole seconds that still add up; rounding never takes from what was not kept."""
    left = scheduled = round(made.scheduled.total_seconds())
    parts = {"scheduled_s": scheduled}
    for name in ("breach", "review", "unknown"):
        part = min(left, math.ceil(getattr(made, name).total_seconds()))
        parts[f"{name}_s"], left = part, left - part
    return {**parts, "compliant_s": left}


def _hours(condition: Condition, span: Interval) -> Intervals:
    """When the condition counts within a span: in force, and in the hours of its zone."""
    start = max(span.start, condition.from_at)
    end = span.end if condition.until_at is None else min(span.end, condition.until_at)
    if start >= end:
        return ()
    within = Interval(start, end)
    return (within,) if condition.zone is None else condition.zone.windows(within)


def _episodes(
    session: Session, wearer_id: int, condition: Condition, kind: FindingKind, through: datetime
) -> Intervals:
    """What the rules found of this condition, as it is told to officers or excused."""
    rows = session.scalars(
        select(EpisodeRow).where(
            EpisodeRow.wearer_id == wearer_id,
            EpisodeRow.condition_id == condition.condition_id,
            EpisodeRow.kind == kind.value,
            EpisodeRow.withdrawn.is_(False),
            EpisodeRow.started_at <= through,
        )
    )
    return union(
        Interval(row.started_at, max(row.started_at, row.ended_at or through)) for row in rows
    )


def _known(
    session: Session, wearer_id: int, condition: Condition, span: Interval
) -> tuple[Intervals, datetime | None]:
    """The time that readings vouch for, and when the newest of them was measured."""
    wanted = DeviceKind.LOCATION_TAG if condition.zone is not None else DeviceKind.ALCOHOL_MONITOR
    known: list[Intervals] = []
    newest: list[datetime] = []
    longest = timedelta(seconds=max(condition.limits.max_gap_s, condition.limits.alcohol_gap_s))
    # The windows of a curfew that begin on the day may go on into the next.
    after = timedelta(days=1) if condition.kind is ConditionKind.CURFEW else longest
    wide = Interval(span.start - max(BEFORE, longest), span.end + after)
    for fitting, device in session.execute(_fittings(wearer_id, wanted)):
        worn = Interval(fitting.fitted_at, max(fitting.fitted_at, fitting.removed_at or wide.end))
        for part in intersection((wide,), (worn,)):
            pieces, last = _vouched(session, fitting.device_id, device, condition, part)
            known.append(pieces)
            newest += [] if last is None else [last]
    return union(*known), max(newest, default=None)


def _fittings(wearer_id: int, kind: DeviceKind) -> Any:  # noqa: ANN401 - a select of two
    return (
        select(FittingRow, DeviceRow.ref)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(FittingRow.wearer_id == wearer_id, DeviceRow.kind == kind.value)
    )


def _vouched(
    session: Session, device_id: int, device: str, condition: Condition, part: Interval
) -> tuple[Intervals, datetime | None]:
    bounds = packed.from_bound(part.start), packed.from_bound(part.end)
    if condition.zone is None:
        rows = readings.rows_between(session, (AlcoholRow,), device_id, *bounds)[AlcoholRow]
        times = [packed.on_millisecond(row.measured_at) for row in rows]
        gap = timedelta(seconds=condition.limits.alcohol_gap_s)
        return reckoning.covered(times, gap), max(times, default=None)
    fixes: list[Fix] = []
    for row in readings.rows_between(session, (FixRow,), device_id, *bounds)[FixRow]:
        fix = reading_of(FixRow, device, row)
        assert isinstance(fix, Fix)
        fixes.append(fix)
    times = [fix.stamp.measured_at for fix in fixes]
    return vouched_for(fixes, condition), max(times, default=None)


def absence_values(found: Sequence[Absence]) -> list[dict[str, Any]]:
    """Absences as JSON values."""
    return [
        {
            "start": each.time.start.isoformat(),
            "end": each.time.end.isoformat(),
            "codes": [code.value for code in each.codes],
            "authorised": each.authorised,
        }
        for each in found
    ]
