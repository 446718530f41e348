"""Who was near a place: the question is kept with its purpose, and every answer is logged.

The answer is worked out from the stored trail each time it is looked at, because readings may
still come in; nobody outside the areas of whoever asks is read at all.
"""

import math
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind, Limits
from alerts.vicinity import Circle, Verdict, Vicinity, pad
from devices.readings import Fix
from navigate_safer.db import audit, packed, place_questions, readings
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, DeviceRow, FittingRow, StaffRow, WearerRow
from navigate_safer.db.place_questions import PlaceQuestionRow
from navigate_safer.db.reading import reading
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.reading_values import reading_of
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.place_question import PlaceQuestion, Purpose, check
from navigate_safer.services import accounts
from navigate_safer.services.casework import NotFound
from zones.geometry import metres_per_degree
from zones.interval import Interval

# Half a day of a region's wearers; a database that takes longer is asked again later.
LONGEST_READING_S = 60.0
# On the map: fixes this near beyond the circle, and so many of each wearer at most.
SHOWN_BEYOND_M = 400.0
MOST_SHOWN = 150
_ORDER = {Verdict.IN: 0, Verdict.CANNOT_TELL: 1, Verdict.OUT: 2}
_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)


class NearLine(msgspec.Struct, frozen=True):
    """One wearer's device and its answer; ``shown`` are the fixes that the map draws."""

    wearer_id: int
    ref: str
    name: str
    area: str
    device: str
    found: Vicinity
    shown: tuple[Fix, ...]


class NearAnswer(msgspec.Struct, frozen=True):
    """The answer: those ruled in first, then those of whom nobody can tell, the likeliest first.

    ``untagged``: wearers of the areas who wore no location tag in the window.
    """

    name: str
    question: PlaceQuestion
    asked_at: datetime
    lines: list[NearLine]
    untagged: int

    def of(self, verdict: Verdict) -> list[NearLine]:
        """The lines with a verdict."""
        return [line for line in self.lines if line.found.verdict is verdict]


def ask(
    sessions: Sessions,
    scope: Scope,
    question: PlaceQuestion,
    now: datetime,
    *,
    actor: str = "staff",
) -> str:
    """Keep a question and give its name; raises BadQuestion.

    The log holds purpose and reference, and neither the place nor anybody's name.
    """
    scope.require(Permission.SEE_PLACES)
    check(question, now)
    name = secrets.token_urlsafe(12)
    with sessions.begin() as session:
        row = PlaceQuestionRow(
            name=name,
            staff_id=scope.staff_id,
            asked_at=now,
            purpose=question.purpose.value,
            reference=question.reference.strip(),
            lat=question.lat,
            lon=question.lon,
            radius_m=question.radius_m,
            from_at=question.from_at,
            to_at=question.to_at,
        )
        session.add(row)
        session.flush()
        detail: dict[str, object] = {"purpose": row.purpose, "reference": row.reference}
        _log(session, scope, "near a place asked", row.id, now, detail, actor)
    return name


def answer(
    sessions: Sessions, scope: Scope, name: str, now: datetime, *, actor: str = "staff"
) -> NearAnswer:
    """The answer as the stored readings have it now; raises NotFound, ArchiveUnreadable."""
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        row = place_questions.own(session, scope, name)
        if row is None:
            raise NotFound
        question = _question(row)
        lines, untagged = _lines(session, scope, question)
        made = NearAnswer(name, question, row.asked_at, lines, untagged)
        row_id = row.id
    # Nothing is handed out before the log has it.
    with sessions.begin() as session:
        found: dict[str, object] = {
            verdict.value: [line.wearer_id for line in made.of(verdict)]
            for verdict in (Verdict.IN, Verdict.CANNOT_TELL)
        }
        found["looked at"] = len(made.lines)
        _log(session, scope, "near a place answered", row_id, now, found, actor)
    return made


def scope_of_account(sessions: Sessions, account: str) -> Scope | None:
    """What an account may reach, for the command line; None for one that is not there."""
    with sessions.begin() as session:
        query = select(StaffRow).where(StaffRow.ref == account, StaffRow.active)
        staff = session.scalar(query)
        return None if staff is None else accounts.scope_of(session, staff)


def _question(row: PlaceQuestionRow) -> PlaceQuestion:
    return PlaceQuestion(
        row.lat,
        row.lon,
        row.radius_m,
        row.from_at,
        row.to_at,
        Purpose(row.purpose),
        row.reference,
    )


def _lines(session: Session, scope: Scope, question: PlaceQuestion) -> tuple[list[NearLine], int]:
    circle = Circle(question.lon, question.lat, question.radius_m, Limits().max_gap_s)
    window = Interval(question.from_at, question.to_at)
    lines = []
    tagged: set[int] = set()
    rows = session.execute(_worn(scope, window)).all()
    spans = [(row.id, wearer.id, _span(row)) for row, _, wearer, _ in rows]
    for fitting, device, wearer, area in rows:
        worn = _span(fitting)
        fixes = list(_fixes(session, fitting.device_id, device, worn, pad(window)))
        others = tuple(
            span for row_id, of, span in spans if of == wearer.id and row_id != fitting.id
        )
        found = circle.judge(fixes, window, worn, others)
        shown = () if found.verdict is Verdict.OUT else _shown(fixes, question)
        tagged.add(wearer.id)
        lines.append(NearLine(wearer.id, wearer.ref, wearer.name, area, device, found, shown))
    lines.sort(key=lambda each: (_ORDER[each.found.verdict], -each.found.probability, each.ref))
    everybody = select(WearerRow.id).where(WearerRow.area_id.in_(scope.areas))
    return lines, len(set(session.scalars(everybody)) - tagged)


def _span(fitting: FittingRow) -> Interval:
    return Interval(fitting.fitted_at, fitting.removed_at or _FAR_OFF)


def _worn(scope: Scope, window: Interval) -> Select[FittingRow, str, WearerRow, str]:
    """Location tags that were on wearers of the scope's areas at some time of the window."""
    return (
        select(FittingRow, DeviceRow.ref, WearerRow, AreaRow.name)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .join(WearerRow, WearerRow.id == FittingRow.wearer_id)
        .join(AreaRow, AreaRow.id == WearerRow.area_id)
        .where(
            WearerRow.area_id.in_(scope.areas),
            DeviceRow.kind == DeviceKind.LOCATION_TAG.value,
            FittingRow.fitted_at < window.end,
            FittingRow.removed_at.is_(None) | (FittingRow.removed_at > window.start),
        )
        .order_by(FittingRow.id)
    )


def _fixes(
    session: Session, device_id: int, device: str, worn: Interval, span: Interval
) -> Iterator[Fix]:
    begins, ends = max(span.start, worn.start), min(span.end, worn.end)
    if begins >= ends:
        return
    bounds = packed.from_bound(begins), packed.from_bound(ends)
    for row in readings.rows_between(session, (FixRow,), device_id, *bounds)[FixRow]:
        fix = reading_of(FixRow, device, row)
        assert isinstance(fix, Fix)
        yield fix


def _shown(fixes: list[Fix], question: PlaceQuestion) -> tuple[Fix, ...]:
    """Fixes of the window near the circle, in order of time."""
    east_m, north_m = metres_per_degree(question.lat)

    def near(fix: Fix) -> bool:
        east, north = (fix.lon - question.lon) * east_m, (fix.lat - question.lat) * north_m
        far = math.hypot(east, north) - fix.accuracy_m
        return far <= question.radius_m + SHOWN_BEYOND_M

    window = Interval(question.from_at, question.to_at + timedelta(microseconds=1))
    found = [fix for fix in fixes if window.holds(fix.stamp.measured_at) and near(fix)]
    found.sort(key=lambda fix: fix.stamp.measured_at)
    step = -(-len(found) // MOST_SHOWN) if found else 1
    return tuple(found[::step])


def _log(
    session: Session,
    scope: Scope,
    what: str,
    subject_id: int,
    now: datetime,
    detail: dict[str, object],
    actor: str,
) -> None:
    audit.record(
        session,
        Act.COMBINATION,
        what,
        at=now,
        actor=actor,
        staff_id=scope.staff_id,
        subject_kind="place question",
        subject_id=subject_id,
        detail=detail,
    )
