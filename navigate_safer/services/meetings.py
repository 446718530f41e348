"""Wearers who were together: information for whoever manages them, not a breach.

Looked for once an hour over the hours since, and again where readings came late, among wearers of
one area who wear a location tag. A coarse sieve leaves the pairs that shared a square of the map
for some time; only these are reckoned, by the same mathematics as the distance to a protected
person.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind, Limits
from devices.readings import Fix
from navigate_safer.db import audit, caseload, meetings, packed, readings
from navigate_safer.db.base import Sessions
from navigate_safer.db.meetings import MeetingLine, MeetingRow
from navigate_safer.db.people import DeviceRow, FittingRow, WearerRow
from navigate_safer.db.reading import reading
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.reading_values import reading_of
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import meeting_marks
from navigate_safer.services.casework import NotFound
from navigate_safer.services.meeting_marks import SHOWN, STRETCH
from zones import apart, encounters
from zones.apart import Path, Together
from zones.interval import Interval
from zones.whereabouts import Spot, says_nothing, spot

# Together: within so many metres, for so long, begun at this probability and ended at that. The
# project's own: a table in a public house, half an hour; nobody is called out for it, so that a
# false one costs little and a missed one not much more.
WITHIN_M = 30.0
LEAST = timedelta(minutes=15)
BEGINS, ENDS = 0.5, 0.15
LONGEST_READING_S = 60.0
_LEAST_SLOTS = 2


class Found(msgspec.Struct, frozen=True):
    """Two wearers together."""

    first_id: int
    second_id: int
    together: Together


def look(sessions: Sessions, now: datetime) -> int:
    """Look for meetings of the last hours, and of earlier ones of which readings came late.

    How many were found; one in two of the stretches that were looked at counts twice.
    """
    with sessions.begin() as session:
        due = meeting_marks.due(session, now)
    newest = Interval(now - STRETCH, now)
    found = sum(_look_at(sessions, each, now) for each in (*due.stretches, newest))
    with sessions.begin() as session:
        meeting_marks.looked(session, due, now)
    return found


def _look_at(sessions: Sessions, span: Interval, now: datetime) -> int:
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        found = [
            each for spots in _by_area(session, span).values() for each in meetings_of(spots, span)
        ]
    with sessions.begin() as session:
        going = _going_on(session, span.start)
        meetings.forget_between(session, span.start, span.end)
        for each in found:
            _write(session, each, going, span.start, now)
    return len(found)


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> list[MeetingLine]:
    """With whom a wearer was together in the last fortnight; raises NotFound."""
    scope.require(Permission.SEE_PLACES)
    with sessions.begin() as session:
        person = caseload.person(session, scope, ref)
        if person is None:
            raise NotFound
        found = meetings.of_wearer(session, scope, person.wearer_id, now - SHOWN)
        audit.record(
            session,
            Act.CONSULTATION,
            "meetings",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="wearer",
            subject_id=person.wearer_id,
            detail={"shown": len(found)},
        )
        return found


def meetings_of(spots: dict[int, list[Spot]], span: Interval) -> list[Found]:
    """Every meeting among these wearers that lasted long enough."""
    max_gap = timedelta(seconds=Limits().max_gap_s)
    where = {wearer: _squares(each, max_gap) for wearer, each in spots.items()}
    paths: dict[int, Path] = {}
    found = []
    for (first, second), slots in encounters.candidates(where, _LEAST_SLOTS).items():
        for wearer in (first, second):
            if wearer not in paths:
                paths[wearer] = Path(spots[wearer], max_gap)
        near = _near(slots, span)
        seen = apart.moments(paths[first], paths[second], near, WITHIN_M)
        for each in apart.stretches(seen, BEGINS, ENDS, max_gap):
            if (each.end or each.seen_at) - each.start >= LEAST:
                found.append(Found(first, second, each))
    return found


def _near(slots: tuple[int, int], span: Interval) -> Interval:
    """The part of the span about the slots in which the sieve saw two near each other."""
    first, last = (datetime.fromtimestamp(slot * encounters.SLOT_S, UTC) for slot in slots)
    around = timedelta(seconds=2 * encounters.SLOT_S)
    return Interval(max(span.start, first - around), min(span.end, last + around))


def _squares(spots: list[Spot], max_gap: timedelta) -> set[encounters.Key]:
    at = np.array([int(each.at.timestamp()) for each in spots], dtype=np.int64)
    lon = np.array([each.lon for each in spots])
    lat = np.array([each.lat for each in spots])
    # One latitude for everybody, or their squares would not be the same.
    return encounters.squares(at, lon, lat, 54.0, max_gap.total_seconds())


def _by_area(session: Session, span: Interval) -> dict[int, dict[int, list[Spot]]]:
    """The fixes of each area's wearers within the span."""
    rows = session.execute(
        select(WearerRow.area_id, FittingRow, DeviceRow.ref)
        .join(FittingRow, FittingRow.wearer_id == WearerRow.id)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(
            DeviceRow.kind == DeviceKind.LOCATION_TAG.value,
            FittingRow.fitted_at < span.end,
            FittingRow.removed_at.is_(None) | (FittingRow.removed_at > span.start),
        )
    )
    found: dict[int, dict[int, list[Spot]]] = defaultdict(dict)
    for area_id, fitting, device in rows:
        worn = max(span.start, fitting.fitted_at), min(span.end, fitting.removed_at or span.end)
        spots = _spots(session, fitting.device_id, device, Interval(*worn))
        if spots:
            found[area_id].setdefault(fitting.wearer_id, []).extend(spots)
    return found


def _spots(session: Session, device_id: int, device: str, worn: Interval) -> list[Spot]:
    bounds = packed.from_bound(worn.start), packed.after_bound(worn.end)
    spots = []
    for row in readings.rows_between(session, (FixRow,), device_id, *bounds)[FixRow]:
        fix = reading_of(FixRow, device, row)
        assert isinstance(fix, Fix)
        if not says_nothing(fix):
            spots.append(spot(fix))
    return spots


def _going_on(session: Session, at: datetime) -> dict[tuple[int, int], MeetingRow]:
    """Meetings that had begun before the stretch and lasted into it."""
    row = MeetingRow
    query = select(row).where(row.started_at < at, row.ended_at >= at - LEAST)
    return {(each.first_id, each.second_id): each for each in session.scalars(query)}


def _write(
    session: Session,
    each: Found,
    going: dict[tuple[int, int], MeetingRow],
    begins: datetime,
    now: datetime,
) -> None:
    ended_at = each.together.end or each.together.seen_at
    before = going.get((each.first_id, each.second_id))
    if before is not None and each.together.start <= max(before.ended_at, begins) + LEAST:
        # The stretch cut it in two: it is one meeting.
        before.ended_at = max(before.ended_at, ended_at)
        before.probability = max(before.probability, each.together.probability)
        return
    session.add(
        MeetingRow(
            first_id=each.first_id,
            second_id=each.second_id,
            started_at=each.together.start,
            ended_at=ended_at,
            probability=min(each.together.probability, 1.0),
            found_at=now,
        )
    )
