"""Compliance by day: worked out from stored readings and episodes, kept, and shown.

A day is worked out when it is over, or looked at while it lasts; late data makes it be worked out
again. Conditions about places and alcohol have such an account. The distance to a protected person
has none: its coverage would say when her device is silent.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import compliance as reckoning
from alerts.abstinence import DayState, Progress, Tally, progress, state_of
from alerts.compliance import Absence, AbsenceCode, Account, day_of, day_span
from alerts.terms import Condition
from navigate_safer.db import audit, caseload, terms
from navigate_safer.db import compliance as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import WearerRow
from navigate_safer.db.reading import reading
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import abstinence_days
from navigate_safer.services.casework import NotFound
from navigate_safer.services.compliance_days import BREACHES, settled, work_out
from zones.interval import Interval

# What the person page shows, and the caseload sums up.
DAYS_OF_PERSON, DAYS_OF_CASELOAD = 14, 7
LONGEST_READING_S = 20.0


class DayLine(msgspec.Struct, frozen=True):
    """One day of one condition."""

    day: date
    account: Account
    absences: tuple[Absence, ...]

    @property
    def state(self) -> DayState | None:
        """What is said of the whole day."""
        return state_of(self.account)


class ConditionDays(msgspec.Struct, frozen=True):
    """The days of one condition, oldest first, and all of them together.

    One about alcohol has its full days counted since it began (``tally``), and which of its days
    today is.
    """

    condition_id: int
    kind: str
    clause: str
    days: list[DayLine]
    total: Account
    late_start: timedelta
    early_end: timedelta
    cumulative: timedelta
    tally: Tally | None = None
    progress: Progress | None = None


def see_days(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> list[ConditionDays]:
    """The last fortnight of a wearer, today as far as it has come; raises NotFound."""
    scope.require(Permission.SEE_CASELOAD)
    today = day_of(now)
    first = today - timedelta(days=DAYS_OF_PERSON - 1)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        person = caseload.person(session, scope, ref)
        if person is None:
            raise NotFound
        heard = stored.heard_so_far(session, person.wearer_id, now)
        rows = {
            (row.condition_id, row.day): row
            for row in stored.stored(session, [person.wearer_id], first, today - timedelta(days=1))
        }
        fresh = []
        shown = []
        for condition in _conditions(session, person.wearer_id):
            days = []
            for day in _days(condition, first, today, now):
                row = rows.get((condition.condition_id, day))
                if row is None:
                    row = work_out(session, person.wearer_id, condition, day, now)
                    fresh += [row] if settled(condition, day, now) else []
                days.append(_line(row))
            if days:
                counted = _counted(session, condition, fresh, now)
                shown.append(_together(condition, days, *counted))
    with sessions.begin() as session:
        _keep(session, person.wearer_id, fresh, heard, now)
        audit.record(
            session,
            Act.CONSULTATION,
            "compliance",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="wearer",
            subject_id=person.wearer_id,
        )
    return shown


def sums_of(
    sessions: Sessions, scope: Scope, wearer_ids: Collection[int], now: datetime
) -> dict[int, Account]:
    """Each wearer's last seven full days, all conditions together, so far worked out."""
    scope.require(Permission.SEE_CASELOAD)
    last = day_of(now) - timedelta(days=1)
    first = last - timedelta(days=DAYS_OF_CASELOAD - 1)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        found = stored.sums(session, wearer_ids, first, last)
    return {
        wearer: Account(*(timedelta(seconds=part) for part in (*parts[:4], 0, parts[4])))
        for wearer, parts in found.items()
    }


def alcohol_days_of(
    sessions: Sessions, scope: Scope, wearer_ids: Collection[int], now: datetime
) -> dict[int, Tally]:
    """The same week in days, of each wearer who has a condition about alcohol."""
    scope.require(Permission.SEE_CASELOAD)
    last = day_of(now) - timedelta(days=1)
    first = last - timedelta(days=DAYS_OF_CASELOAD - 1)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        return abstinence_days.tallies(session, wearer_ids, first, last)


def work_out_next(sessions: Sessions, now: datetime, after: int = 0) -> int | None:
    """Work out what is missing of the next wearer after an id; that wearer's id, None: no more."""
    last = day_of(now) - timedelta(days=1)
    first = last - timedelta(days=DAYS_OF_PERSON - 1)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        wearer_id = session.scalar(
            select(WearerRow.id).where(WearerRow.id > after).order_by(WearerRow.id).limit(1)
        )
        if wearer_id is None:
            return None
        heard = stored.heard_so_far(session, wearer_id, now)
        known = stored.stored(session, [wearer_id], first, last)
        there = {(row.condition_id, row.day) for row in known}
        rows = [
            work_out(session, wearer_id, condition, day, now)
            for condition in _conditions(session, wearer_id)
            for day in _days(condition, first, last, now)
            if (condition.condition_id, day) not in there and settled(condition, day, now)
        ]
    if rows:
        with sessions.begin() as session:
            _keep(session, wearer_id, rows, heard, now)
    return wearer_id


def _keep(
    session: Session,
    wearer_id: int,
    rows: list[ComplianceDayRow],
    heard: list[tuple[Any, ...]] | None,
    now: datetime,
) -> None:
    """Keep days that were worked out from what was ``heard``, unless more has come meanwhile.

    What comes late takes back the days that are kept: one that is kept after it and does not know
    of it would stay. It is worked out again when it is asked for next.
    """
    if not rows or heard is None:
        return
    if stored.heard_so_far(session, wearer_id, now, hold=True) == heard:
        stored.keep(session, rows)


def _conditions(session: Session, wearer_id: int) -> list[Condition]:
    found = terms.conditions_of_wearer(session, wearer_id)
    return [each for each in found if each.kind in BREACHES]


def _days(condition: Condition, first: date, last: date, now: datetime) -> list[date]:
    """The days on which the condition was in force at some time."""
    ends = now if condition.until_at is None else min(condition.until_at, now)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        day for day in days if day_span(day).start < ends and condition.from_at < day_span(day).end
    ]


def _absences(values: Sequence[dict[str, Any]]) -> tuple[Absence, ...]:
    return tuple(
        Absence(
            Interval(datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])),
            tuple(AbsenceCode(code) for code in each["codes"]),
            each["authorised"],
        )
        for each in values
    )


def _line(row: ComplianceDayRow) -> DayLine:
    return DayLine(row.day, abstinence_days.account_of_row(row), _absences(row.absences))


def _counted(
    session: Session, condition: Condition, fresh: list[ComplianceDayRow], now: datetime
) -> tuple[Tally | None, Progress | None]:
    if condition.kind not in abstinence_days.ALCOHOL:
        return None, None
    mine = [row for row in fresh if row.condition_id == condition.condition_id]
    return abstinence_days.tally_of_condition(session, condition, mine, now), progress(
        condition, now
    )


def _together(
    condition: Condition,
    days: list[DayLine],
    counted: Tally | None = None,
    stands: Progress | None = None,
) -> ConditionDays:
    total = reckoning.NOTHING
    for line in days:
        total = total.plus(line.account)
    found = [each for line in days for each in line.absences]
    return ConditionDays(
        condition.condition_id,
        condition.kind.value,
        condition.clause,
        days,
        total,
        reckoning.late_start(found),
        reckoning.early_end(found),
        total.breach,
        counted,
        stands,
    )


def forget(session: Session, wearer_ids: Collection[int], earliest_at: datetime) -> None:
    """Earlier readings have come: the days from the one before them on are worked out anew.

    That one has the start of their window, where a curfew goes past midnight.
    """
    stored.forget_from(session, wearer_ids, _anew_from(earliest_at))


def forget_devices(session: Session, device_ids: Collection[int], earliest_at: datetime) -> None:
    """The same by device."""
    stored.forget_devices_from(session, device_ids, _anew_from(earliest_at))


def _anew_from(earliest_at: datetime) -> date:
    return day_of(earliest_at) - timedelta(days=1)


def note_late(session: Session, wearer_id: int, earliest_at: datetime, now: datetime) -> None:
    """The same of one wearer, if the readings are of a day before today."""
    if earliest_at < day_span(day_of(now)).start:
        forget(session, [wearer_id], earliest_at)
