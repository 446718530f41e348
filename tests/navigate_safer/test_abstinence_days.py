"""Days without alcohol from what is stored: by verdict and coverage, by the rule set in force."""

from datetime import date, timedelta

import msgspec
import pytest
from alcohol_days import DRINKING, SPILL
from case_files import MINUTE, alcohol, message, order
from databases import Database
from sqlalchemy import select
from watch import Watch

from alerts.abstinence import DayState, Progress, Tally
from alerts.compliance import day_span
from alerts.finding import FindingKind, Severity
from alerts.terms import ConditionKind, DeviceKind, Limits
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, ConditionEntry, Device, Fitting, Wearer
from navigate_safer.services import compliance

DAY = date(2026, 11, 10)
MIDNIGHT = day_span(DAY).start
HALF_HOUR = 30 * MINUTE
ONE = timedelta(days=1)
# Up by 0.07 g/dl in an hour: no body of the standard rules, one of the loose.
FAST = (0.0, 0.0, 0.035, 0.075, 0.068, 0.058, 0.048, 0.038, 0.028, 0.019, 0.01, 0.004, 0.0, 0.0)


def no_alcohol(ref, from_at, until_at=None, **limits) -> ConditionEntry:
    kind, severity = ConditionKind.ALCOHOL_ABSTINENCE, Severity.HIGH
    terms = Limits(**limits)
    return ConditionEntry(ref, "Licence 14D", kind, severity, from_at, until_at, None, terms)


def registered(database: Database, *conditions: ConditionEntry) -> Watch:
    watch = Watch(database)
    watch.clock.at = MIDNIGHT - ONE
    fitted = [Fitting("MON-9", MIDNIGHT - ONE)]
    who = Wearer("W-9", "Hilda Quennell", date(1980, 1, 1), "west", "Hoole", "high", None,
                 [order("O-9", *conditions)], fitted)  # fmt: skip
    monitor = Device("MON-9", "monitor", DeviceKind.ALCOHOL_MONITOR)
    watch.register(CaseFile(v=1, devices=[monitor], wearers=[who]))
    return watch


@pytest.fixture
def watch(database: Database) -> Watch:
    """W-9 must not drink for ten days from :data:`DAY` on."""
    return registered(database, no_alcohol("C-9", MIDNIGHT, MIDNIGHT + 10 * ONE))


def measure(watch: Watch, start, levels) -> None:
    """One upload of half-hourly readings, received as it ends."""
    samples = [alcohol(start + HALF_HOUR * n, tac) for n, tac in enumerate(levels)]
    watch.receive(message("MON-9", *samples))
    watch.judge()


def a_day(*drunk, at: int = 0) -> list[float]:
    """Half-hourly levels from midnight to midnight and one more, with something in between."""
    return ([0.0] * at + list(drunk) + [0.0] * 49)[:49]


def shown(watch: Watch):
    with watch.sessions() as session:
        areas = session.scalars(select(WearerRow.area_id))
        staff = session.scalar(select(StaffRow.id).where(StaffRow.ref == "sup-1"))
        scope = Scope(staff, Role.SUPERVISOR, frozenset(areas))
        wearer = session.scalar(select(WearerRow.id).where(WearerRow.ref == "W-9"))
    (found,) = compliance.see_days(watch.sessions, scope, "W-9", watch.clock())
    week = compliance.alcohol_days_of(watch.sessions, scope, [wearer], watch.clock())
    return found, week.get(wearer)


def test_days_are_counted_by_what_was_confirmed_and_what_is_known(watch: Watch) -> None:
    measure(watch, MIDNIGHT, a_day())
    measure(watch, MIDNIGHT + ONE, a_day(*DRINKING, at=20))
    measure(watch, MIDNIGHT + 2 * ONE, a_day(*SPILL, at=20))
    measure(watch, MIDNIGHT + 3 * ONE, a_day()[:30])
    watch.clock.not_before(MIDNIGHT + 5 * ONE + timedelta(hours=9))
    found, week = shown(watch)
    by_day = {line.day: line.state for line in found.days}
    expected = [DayState.COMPLIANT, DayState.BREACH, DayState.REVIEW]
    expected += [DayState.UNKNOWN, DayState.UNKNOWN]
    assert [by_day[DAY + n * ONE] for n in range(5)] == expected
    assert found.tally == Tally(compliant=1, breach=1, review=1, unknown=2)
    assert found.progress == Progress(6, 10)
    assert week == found.tally
    for line in found.days:
        part = line.account
        assert part.compliant + part.breach + part.review + part.unknown == part.scheduled
    first = found.days[0].account
    assert (first.coverage, first.compliant) == (1.0, ONE)
    assert found.days[3].account.coverage == pytest.approx(14.5 / 24)


def test_a_verdict_that_comes_the_morning_after_changes_the_day_before(watch: Watch) -> None:
    """He drinks before midnight; the readings that complete the rule are of the next day."""
    evening = a_day(*DRINKING, at=38)
    measure(watch, MIDNIGHT, evening[:49])
    watch.clock.not_before(MIDNIGHT + ONE + timedelta(hours=1, minutes=30))
    assert shown(watch)[0].days[0].state is not DayState.BREACH
    assert watch.database.count(ComplianceDayRow, ComplianceDayRow.day == DAY) == 1
    rest = list(DRINKING[11:]) + [0.0] * 10
    measure(watch, MIDNIGHT + ONE + HALF_HOUR, rest)
    assert shown(watch)[0].days[0].state is DayState.BREACH


def test_a_changed_rule_set_does_not_change_an_old_verdict(database: Database) -> None:
    """The order asks for the loose rules from the second day on; late readings are of the first."""
    change = MIDNIGHT + ONE
    watch = registered(
        database,
        no_alcohol("C-8", MIDNIGHT, change),
        no_alcohol("C-9", change, alcohol_rules="loose 1"),
    )
    measure(watch, change, a_day(*FAST, at=20))
    late = [alcohol(MIDNIGHT + HALF_HOUR * n, tac) for n, tac in enumerate(a_day(*FAST, at=20))]
    watch.receive(message("MON-9", *late[:48], received_at=change + ONE))
    watch.judge()
    early = EpisodeRow.kind == FindingKind.ALCOHOL_THRESHOLD.value
    found = sorted(watch.database.all(EpisodeRow, early), key=lambda row: row.started_at)
    judged = [(row.evidence["rules"], row.evidence["verdict"]) for row in found]
    assert judged == [("standard 1", "review"), ("loose 1", "confirmed")]


def test_a_rule_set_that_nobody_has_written_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(msgspec.ValidationError, match=r'rule set "standard 9".*loose 1'):
        msgspec.convert({"alcohol_rules": "standard 9"}, Limits)
