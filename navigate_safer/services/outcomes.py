"""Reports on outcomes of the cohort of somebody's areas, and the lists behind their figures."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import audit
from navigate_safer.db import offending as records
from navigate_safer.db import outcomes as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.db.reading import reading
from navigate_safer.people import outcome_framework, outcome_whole
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.observation import Design, age_on
from navigate_safer.people.offending import EntryKind, HarmTable, Population, history_of
from navigate_safer.people.outcome_comparison import Side
from navigate_safer.people.outcome_monitoring import Monitored
from navigate_safer.people.outcome_packs import in_framework
from navigate_safer.people.outcome_report import Report, public
from navigate_safer.people.outcome_whole import Gathered, Listed
from navigate_safer.services import outcome_groups
from navigate_safer.services.casework import NotFound
from navigate_safer.services.offending import FRAMEWORK, HARM_TABLE, POPULATION, entry_of
from navigate_safer.services.outcome_groups import Against

LONDON = ZoneInfo("Europe/London")
LONGEST_READING_S = 30.0
# The quarter before the as-at date: what the tags say of it.
MONITORED_DAYS = 91
COUNTED = (EntryKind.INCIDENT, EntryKind.ARREST, EntryKind.BREACH)
WINDOWS_DAYS = (90, 182, 365)
GAPS_DAYS = (0, 14, 30, 60)
AGES = ((25, "under 25"), (35, "25 to 34"), (50, "35 to 49"), (200, "50 and over"))


class Wish(msgspec.Struct, frozen=True):
    """What a report is to be about; ``area`` none for all areas of whoever asks.

    ``as_at`` is the last day whose events count, ``known`` the moment as of which the records are
    taken, now if none: with both, the same report can be made again. No day counts that was not
    over at that moment.
    """

    as_at: date
    kind: EntryKind = EntryKind.INCIDENT
    window_days: int = 365
    gap_days: int = 30
    area: str | None = None
    known: datetime | None = None
    against: Against = Against()

    @property
    def design(self) -> Design:
        """The same for the measures."""
        return Design(self.as_at, self.kind, self.window_days, self.gap_days)


class Line(msgspec.Struct, frozen=True):
    """A person in the list behind a figure."""

    ref: str
    name: str
    listed: Listed


def latest(now: datetime) -> date:
    """The newest day that can be reported: yesterday, in London."""
    return now.astimezone(LONDON).date() - timedelta(days=1)


def quarter_end(day: date) -> date:
    """The last day of a quarter that is not after ``day``."""
    tomorrow = day + timedelta(days=1)
    return date(tomorrow.year, tomorrow.month - (tomorrow.month - 1) % 3, 1) - timedelta(days=1)


def see_report(
    sessions: Sessions,
    scope: Scope,
    wish: Wish,
    now: datetime,
    names: Callable[[str], str],
    *,
    without_names: bool = False,
) -> Report:
    """The report; who may see figures only gets the public one of the last quarter's end.

    That one cannot be asked for by other windows or areas, nor as known at any moment: two reports
    that differ by little would give away the small number that each leaves out. Raises Forbidden,
    NotFound and UnknownPeople.
    """
    scope.require(Permission.SEE_OUTCOME_FIGURES)
    figures_only = without_names or not scope.may(Permission.SEE_OUTCOMES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        wish, known = settled(session, wish, now, figures_only=figures_only)
        given = gather(session, scope, wish, known)
        apart = _apart(session, scope, wish, known)
    made = outcome_whole.report_of(given, wish.design, names)
    if apart is not None:
        found = outcome_whole.compared_in(given, *apart, wish.design)
        made = outcome_whole.with_parts(made, found)
    _log(sessions, scope, "outcomes", now, {"as_at": str(wish.as_at), "people": made.people})
    return public(made) if figures_only else made


def settled(
    session: Session, wish: Wish, now: datetime, *, figures_only: bool
) -> tuple[Wish, datetime]:
    """What is reported in the end, and the moment as of which the records are taken.

    No day counts that was not over then. Who may see figures only gets all of the last quarter
    that is over, as known at a moment that nobody chooses.
    """
    known = min(now, wish.known or now)
    if figures_only:
        known = public_moment(session, known)
        return Wish(quarter_end(latest(known)), known=known), known
    last = min(wish.as_at, latest(known))
    return msgspec.structs.replace(wish, as_at=last, known=known), known


def public_moment(session: Session, known: datetime) -> datetime:
    """The moment of figures without names for ``known``: the start of its day in London.

    Two reports of moments between which one record came in would tell what it says; so all of a
    day get the same. On the day on which the first records of all came in it is the moment of
    those, as nothing was known at the day's start.
    """
    start = datetime.combine(known.astimezone(LONDON).date(), time(), LONDON).astimezone(UTC)
    first = records.first_received(session)
    return first if first is not None and start < first <= known else start


def _apart(session: Session, scope: Scope, wish: Wish, known: datetime) -> tuple[Side, Side] | None:
    """The two groups, where a second one is asked for; who may see figures only cannot."""
    if not wish.against:
        return None
    return outcome_groups.sides(session, scope, wish.area, wish.against, known)


def see_list(sessions: Sessions, scope: Scope, wish: Wish, name: str, now: datetime) -> list[Line]:
    """Who is behind a figure, logged for each of them; raises Forbidden and NotFound."""
    scope.require(Permission.SEE_OUTCOMES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        wish, known = settled(session, wish, now, figures_only=False)
        given = gather(session, scope, wish, known)
        listed = outcome_whole.behind(given, wish.design, name)
        if listed is None:
            raise NotFound
        people = {
            row.ref: row
            for row, _ in records.known_at(session, scope, _areas(session, scope, wish), known)
        }
    lines = [Line(each.ref, people[each.ref].name, each) for each in listed]
    with sessions.begin() as session:
        for line in lines:
            audit.record(
                session,
                Act.CONSULTATION,
                "offending records behind a figure",
                at=now,
                actor="staff",
                staff_id=scope.staff_id,
                subject_kind="wearer",
                subject_id=people[line.ref].id,
                detail={"figure": name, "entries": len(line.listed.entries)},
            )
    return lines


def see_framework(
    sessions: Sessions, scope: Scope, now: datetime, names: Callable[[str], str]
) -> list[outcome_framework.Line]:
    """Every measure of the joint framework, from the public report and what agencies supplied.

    Of the areas of whoever asks; by one definition, so that no agency has a figure of its own.
    """
    made = see_report(sessions, scope, Wish(latest(now)), now, names, without_names=True)
    return framework_of(sessions, made, now)


def framework_of(sessions: Sessions, made: Report, known: datetime) -> list[outcome_framework.Line]:
    """The framework of a public report, with what agencies had supplied by a moment."""
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        found = records.references(session, FRAMEWORK, known)
    supplied = [msgspec.convert(each.body, outcome_framework.Supplied) for each in found]
    computed = {part.key: in_framework(part) for part in made.parts}
    return outcome_framework.lines(supplied, computed)


def areas_of(sessions: Sessions, scope: Scope) -> list[tuple[str, str]]:
    """Reference and name of each area of whoever asks."""
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        return [(ref, name) for _, ref, name in stored.areas(session, scope)]


def gather(session: Session, scope: Scope, wish: Wish, known: datetime) -> Gathered:
    """Everything that a settled wish's report is made of, as it was known at a moment."""
    end = datetime.combine(wish.as_at + timedelta(days=1), time(), LONDON)
    found = records.known_at(session, scope, _areas(session, scope, wish), known)
    histories = tuple(
        history_of(row.ref, row.born_on, [entry_of(each, row.ref) for each in rows])
        for row, rows in found
    )
    wearers = {row.id: row for row, _ in found}
    first = wish.as_at - timedelta(days=MONITORED_DAYS - 1)
    start = datetime.combine(first, time(), LONDON)
    names = {each_id: name for each_id, _, name in stored.areas(session, scope)}
    return Gathered(
        histories=histories,
        harm_table=_harm_table(session, known),
        population=_population(session, known, wish.kind),
        times=tuple(stored.times(session, wearers, first, wish.as_at)),
        alerts=tuple(stored.alerts(session, wearers, start, end, known)),
        monitored=tuple(
            _monitored(wearers[wearer], days, model, names, wish.as_at)
            for wearer, (days, model) in stored.worn(session, wearers, start, end).items()
        ),
    )


def _areas(session: Session, scope: Scope, wish: Wish) -> set[int]:
    if wish.area is None:
        return set(scope.areas)
    named = {ref: area_id for area_id, ref, _ in stored.areas(session, scope)}
    if wish.area not in named:
        raise NotFound
    return {named[wish.area]}


def _monitored(
    row: WearerRow, days: float, model: str, areas: dict[int, str], as_at: date
) -> Monitored:
    age = age_on(row.born_on, as_at)
    groups = {
        "area": areas[row.area_id],
        "band": row.band,
        "age": next(name for below, name in AGES if age < below),
        "model": model,
    }
    return Monitored(row.ref, days, groups)


def _harm_table(session: Session, known: datetime) -> HarmTable | None:
    found = records.references(session, HARM_TABLE, known)
    return msgspec.convert(found[0].body, HarmTable) if found else None


def _population(session: Session, known: datetime, kind: EntryKind) -> Population | None:
    found = (
        msgspec.convert(each.body, Population)
        for each in records.references(session, POPULATION, known)
    )
    return next((each for each in found if each.kind is kind), None)


def _log(
    sessions: Sessions, scope: Scope, what: str, now: datetime, detail: dict[str, object]
) -> None:
    with sessions.begin() as session:
        audit.record(
            session,
            Act.CONSULTATION,
            what,
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="cohort",
            detail=detail,
        )
