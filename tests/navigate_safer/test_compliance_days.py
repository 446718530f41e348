"""Days of compliance from stored readings: worked out, kept, and done again for late data."""

from datetime import date, datetime, timedelta

import pytest
from case_files import MINUTE, Place, box, condition, fix, message, order, walk
from databases import Database
from sqlalchemy import select
from watch import Watch

from alerts.compliance import AbsenceCode, day_span
from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.exceptions import ExceptionRow
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Device, Fitting, Wearer, Window, ZoneEntry
from navigate_safer.services import compliance
from navigate_safer.services.ingest import Message

HOME, AWAY = Place(53.2101, -2.8743), Place(53.2270, -2.8840)
DAY = date(2026, 11, 20)
MIDNIGHT = day_span(DAY).start
NINE = MIDNIGHT + timedelta(hours=21)
HOURS = [Window(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "21:00", "23:00")]


@pytest.fixture
def curfew(database: Database) -> Watch:
    """W-9 must be at home from 21:00 to 23:00."""
    watch = Watch(database)
    entry = condition("C-9", ConditionKind.CURFEW, Severity.MEDIUM, zone="Z-9",
                      from_at=MIDNIGHT - timedelta(days=3))  # fmt: skip
    fitted = [Fitting("TAG-9", MIDNIGHT - timedelta(days=3))]
    who = Wearer("W-9", "Hilda Quennell", date(1980, 1, 1), "west", "Hoole", "high", None,
                 [order("O-9", entry)], fitted)  # fmt: skip
    watch.register(
        CaseFile(
            v=1,
            devices=[Device("TAG-9", "tag")],
            zones=[ZoneEntry("Z-9", "Home", "inclusion", box(HOME), schedule=HOURS)],
            wearers=[who],
        )
    )
    return watch


def scope_of(watch: Watch) -> Scope:
    with watch.sessions() as session:
        areas = session.scalars(select(WearerRow.area_id))
        staff = session.scalar(select(StaffRow.id).where(StaffRow.ref == "sup-1"))
        return Scope(staff, Role.SUPERVISOR, frozenset(areas))


def hear(watch: Watch, first: int, last: int, place: Place) -> None:
    """A fix a minute, both minutes of the curfew included."""
    messages = walk("TAG-9", *[place] * (last - first + 1), start=NINE + first * MINUTE)
    watch.receive(*messages)
    watch.judge()


def day_seen(watch: Watch, day: date = DAY):
    (shown,) = compliance.see_days(watch.sessions, scope_of(watch), "W-9", watch.clock())
    return next(line for line in shown.days if line.day == day)


def minutes(account) -> tuple[int, int, int, int]:
    parts = (account.scheduled, account.compliant, account.breach, account.unknown)
    return tuple(round(part / MINUTE) for part in parts)


def test_an_evening_at_home_is_kept(curfew: Watch) -> None:
    hear(curfew, -30, 150, HOME)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    line = day_seen(curfew)
    assert minutes(line.account) == (120, 120, 0, 0)
    assert line.absences == ()


def test_a_late_return_and_a_gap(curfew: Watch) -> None:
    hear(curfew, -30, 20, AWAY)
    hear(curfew, 24, 60, HOME)
    hear(curfew, 90, 150, HOME)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    line = day_seen(curfew)
    scheduled, kept, breach, unknown = minutes(line.account)
    assert (scheduled, unknown) == (120, 30)
    assert 20 <= breach <= 24
    assert kept + breach == 90
    (absence,) = line.absences
    assert absence.codes == (AbsenceCode.OUT_AT_START, AbsenceCode.RETURNED_LATE)


def test_on_the_way_home_and_out_again_every_minute_is_kept_or_broken(curfew: Watch) -> None:
    # Ten minutes from one fix to the next: on such a leg he came home, and on another he left.
    for minute in range(-30, 160, 10):
        away = 30 <= minute < 80
        curfew.receive(*walk("TAG-9", AWAY if away else HOME, start=NINE + minute * MINUTE))
        curfew.judge()
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    line = day_seen(curfew)
    scheduled, kept, breach, unknown = minutes(line.account)
    assert (scheduled, unknown) == (120, 0)
    assert 45 <= breach <= 60
    assert kept == 120 - breach


def test_an_evening_away_that_was_allowed_is_kept_and_its_absence_is_authorised(
    curfew: Watch,
) -> None:
    with curfew.sessions.begin() as session:
        session.add(
            ExceptionRow(
                condition_ref="C-9",
                wearer_id=session.scalars(select(WearerRow.id).where(WearerRow.ref == "W-9")).one(),
                from_at=NINE,
                until_at=NINE + timedelta(hours=1),
                reason="a night shift",
                staff_id=session.scalars(select(StaffRow.id)).first(),
                made_at=MIDNIGHT,
            )
        )
    hear(curfew, -30, 40, AWAY)
    hear(curfew, 44, 150, HOME)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    line = day_seen(curfew)
    scheduled, kept, breach, unknown = minutes(line.account)
    assert (scheduled, breach) == (120, 0)
    assert kept + unknown == 120
    assert kept >= 110
    assert [absence.authorised for absence in line.absences] == [True]


def test_a_day_without_a_reading_is_unknown(curfew: Watch) -> None:
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    assert minutes(day_seen(curfew).account) == (120, 0, 0, 120)


def test_while_it_lasts_only_what_has_come_is_scheduled(curfew: Watch) -> None:
    hear(curfew, -30, 40, HOME)
    curfew.clock.forward(minutes=1)
    assert minutes(day_seen(curfew).account) == (40, 40, 0, 0)
    curfew.clock.forward(minutes=29)
    # The tag has fallen silent.
    assert minutes(day_seen(curfew).account)[0] == 70
    assert minutes(day_seen(curfew).account)[3] == 30


def test_days_are_stored_once_they_are_over_and_worked_out_again_for_late_data(
    curfew: Watch,
) -> None:
    hear(curfew, -30, 20, AWAY)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    day_seen(curfew)
    row = curfew.database.one(ComplianceDayRow, ComplianceDayRow.day == DAY)
    assert row.unknown_s == 6_000
    # The tag reports in the morning what it measured in the evening.
    late = walk("TAG-9", *[HOME] * 126, start=NINE + 24 * MINUTE)
    curfew.receive(*late)
    curfew.judge()
    assert curfew.database.all(ComplianceDayRow, ComplianceDayRow.day == DAY) == []
    assert minutes(day_seen(curfew).account)[3] == 0


def one_round(watch: Watch) -> None:
    reached: int | None = 0
    while reached is not None:
        reached = compliance.work_out_next(watch.sessions, watch.clock(), reached)


def test_the_schedule_works_out_what_is_missing_and_writes_nothing_twice(curfew: Watch) -> None:
    hear(curfew, -30, 150, HOME)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, minutes=30))
    one_round(curfew)
    days = {row.day for row in curfew.database.all(ComplianceDayRow)}
    assert DAY not in days, "tags that were out of coverage may still report"
    curfew.clock.forward(hours=1)
    one_round(curfew)
    assert DAY in {row.day for row in curfew.database.all(ComplianceDayRow)}
    before = curfew.database.all(ComplianceDayRow)
    one_round(curfew)
    assert len(curfew.database.all(ComplianceDayRow)) == len(before)
    wearer = curfew.database.one(WearerRow, WearerRow.ref == "W-9")
    sums = compliance.sums_of(curfew.sessions, scope_of(curfew), [wearer.id], curfew.clock())
    assert sums[wearer.id].compliant == timedelta(hours=2)


def of_cells(count: int, every: timedelta, place: Place, start: datetime) -> list[Message]:
    """Fixes of the network, wider than any zone here."""
    return [
        message("TAG-9", fix(start + n * every, place, accuracy_m=3_000, source="lbs"))
        for n in range(count)
    ]


def test_an_evening_of_wide_cells_about_the_home_is_unknown_and_nobody_is_told(
    curfew: Watch,
) -> None:
    curfew.receive(*of_cells(181, MINUTE, HOME, NINE - 30 * MINUTE))
    curfew.judge()
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    assert minutes(day_seen(curfew).account) == (120, 0, 0, 120)
    assert curfew.database.all(EpisodeRow, EpisodeRow.kind == "curfew_breach") == []


def test_a_cell_after_a_silence_at_home_is_unknown_and_nobody_is_told(curfew: Watch) -> None:
    hear(curfew, -30, 60, HOME)
    curfew.hear(*of_cells(1, MINUTE, HOME, NINE + 80 * MINUTE))
    hear(curfew, 100, 150, HOME)
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    line = day_seen(curfew)
    assert minutes(line.account) == (120, 80, 0, 40)
    assert line.absences == ()
    assert curfew.database.all(EpisodeRow, EpisodeRow.kind == "curfew_breach") == []


@pytest.mark.parametrize(
    ("of_network", "expected"),
    [
        pytest.param(True, (1440, 0, 0, 1440), id="cells of three kilometres vouch for nothing"),
        pytest.param(False, (1440, 1440, 0, 0), id="good fixes as often vouch for the day"),
    ],
)
def test_a_day_beside_an_exclusion_zone(
    curfew: Watch, of_network: bool, expected: tuple[int, int, int, int]
) -> None:
    since = MIDNIGHT - timedelta(days=3)
    entry = condition("C-8", ConditionKind.EXCLUSION_ZONE, Severity.MEDIUM, zone="Z-8",
                      from_at=since)  # fmt: skip
    person = Wearer("W-8", "Mabel Orpington", date(1980, 1, 1), "west", "Hoole", "high", None,
                    [order("O-8", entry)], [Fitting("TAG-8", since)])  # fmt: skip
    zone = ZoneEntry("Z-8", "A street", "exclusion", box(AWAY, half_deg=0.001))
    curfew.register(CaseFile(v=1, devices=[Device("TAG-8", "tag")], zones=[zone], wearers=[person]))
    field = {"accuracy_m": 3_000, "source": "lbs"} if of_network else {}
    every = timedelta(minutes=5)
    sent = [fix(MIDNIGHT + n * every, HOME, **field) for n in range(-6, 295)]
    curfew.receive(*[message("TAG-8", each) for each in sent])
    curfew.judge()
    curfew.clock.not_before(MIDNIGHT + timedelta(days=1, hours=9))
    (shown,) = compliance.see_days(curfew.sessions, scope_of(curfew), "W-8", curfew.clock())
    (line,) = [each for each in shown.days if each.day == DAY]
    assert minutes(line.account) == expected
    assert curfew.database.all(EpisodeRow, EpisodeRow.kind == "exclusion_breach") == []
