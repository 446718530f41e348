"""No position that can tell, from the tag's messages to the officer's text and back."""

from datetime import timedelta

import pytest
from case_files import (
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    battery,
    box,
    condition,
    fix,
    message,
    one_more_wearer,
    private_words,
)
from sqlalchemy import select
from watch import Watch

from alerts.finding import FindingKind, Severity
from alerts.lifecycle import Outcome
from alerts.messages import fits_one_part
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow, TextRow
from navigate_safer.db.people import AreaRow, ConditionRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Window, ZoneEntry
from navigate_safer.services import casework

UNKNOWN = FindingKind.POSITION_UNKNOWN.value
# Four kilometres from the zone of the Cross, and too near for a cell of three kilometres.
STREET = OUTSIDE
HOME = Place(53.2101, -2.8743)
TAG = "TAG-X1"


def cell(minutes: int, place: Place = STREET):
    at = START + minutes * MINUTE
    return message(TAG, fix(at, place, accuracy_m=3_000, source="lbs"))


def good(minutes: int, place: Place = STREET, *, delay: timedelta = timedelta(seconds=2)):
    at = START + minutes * MINUTE
    return message(TAG, fix(at, place), received_at=at + delay)


def cells(first: int, last: int):
    return [cell(n) for n in range(first, last + 1, 5)]


def one_zone(watch: Watch) -> Watch:
    watch.register(one_more_wearer(1))
    return watch


def episodes(watch: Watch) -> list[EpisodeRow]:
    rows = watch.database.all(EpisodeRow, EpisodeRow.kind == UNKNOWN)
    return [row for row in rows if not row.withdrawn]


def alerts(watch: Watch) -> list[AlertRow]:
    ids = {row.id for row in watch.database.all(EpisodeRow, EpisodeRow.kind == UNKNOWN)}
    return [row for row in watch.database.all(AlertRow) if row.episode_id in ids]


def conditions(watch: Watch) -> list[str]:
    """Of which conditions there are alerts."""
    query = (
        select(ConditionRow.ref)
        .join(EpisodeRow, EpisodeRow.condition_id == ConditionRow.id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(EpisodeRow.kind == UNKNOWN)
    )
    with watch.sessions() as session:
        return sorted(session.scalars(query))


def resolve(watch: Watch, alert: AlertRow) -> None:
    west = frozenset({watch.database.one(AreaRow, AreaRow.ref == "west").id})
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    scope = Scope(officer, Role.DUTY_OFFICER, west)
    assert casework.resolve(
        watch.sessions, scope, alert.reference, Outcome.FALSE_ALARM, "", watch.clock()
    )


def test_an_hour_of_cells_about_a_zone_texts_an_officer_and_names_nobody(watch):
    one_zone(watch)
    watch.hear(good(0), *cells(5, 60))
    assert alerts(watch) == []
    watch.hear(cell(65))
    (alert,), (episode,) = alerts(watch), episodes(watch)
    assert (episode.severity, episode.started_at) == ("high", START)
    assert not watch.database.all(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    watch.deliver()
    (sent,) = watch.sender.sent
    assert f"HIGH alert {alert.reference}" in sent.body
    assert fits_one_part(sent.body)
    assert not [each for each in private_words() if each in sent.body]


def test_a_good_fix_ends_it(watch):
    one_zone(watch)
    watch.hear(good(0), *cells(5, 80), good(85))
    (episode,), (alert,) = episodes(watch), alerts(watch)
    assert episode.ended_at == START + 85 * MINUTE
    rows = watch.database.all(AlertHistoryRow, AlertHistoryRow.alert_id == alert.id)
    said = {row.move: row.reason for row in rows}
    # It says neither that a condition was broken nor that it was kept.
    assert said["opened"] == "nobody can tell where the wearer is"
    assert said["end"] == "it can be told again where the wearer is, or nobody asks"


def test_a_good_fix_that_comes_late_withdraws_it(watch):
    one_zone(watch)
    watch.hear(good(0), *cells(5, 70), good(40, delay=35 * MINUTE))
    assert episodes(watch) == []


def test_a_tag_that_sends_its_battery_alone_is_told_of_in_the_curfew(watch):
    night = [Window(["fri"], "21:00", "23:30")]
    watch.register(
        CaseFile(
            v=1,
            zones=[
                ZoneEntry("Z-H", "Home", "inclusion", box(HOME, half_deg=0.001), schedule=night)
            ],
        )
    )
    own = condition("C-HOME", ConditionKind.CURFEW, Severity.HIGH, zone="Z-H")
    watch.register(one_more_wearer(1, conditions=[own]))
    watch.hear(*[message(TAG, battery(START + n * MINUTE, 80)) for n in range(0, 40, 5)])
    (episode,) = episodes(watch)
    assert (episode.severity, episode.started_at) == ("medium", START)
    assert len(watch.database.all(TextRow)) == 1


@pytest.fixture
def three_zones(watch: Watch) -> Watch:
    """W-X1 must keep out of the Cross and of Chester, and be at home at night."""
    night = [Window(["fri"], "21:00", "23:30")]
    zones = [
        ZoneEntry("Z-WIDE", "Chester", "exclusion", box(INSIDE, half_deg=0.008)),
        ZoneEntry("Z-H", "Home", "inclusion", box(HOME, half_deg=0.001), schedule=night),
    ]
    watch.register(CaseFile(v=1, zones=zones))
    kind = ConditionKind.EXCLUSION_ZONE
    own = [
        condition("C-CROSS", kind, Severity.HIGH, zone="Z-1"),
        condition("C-WIDE", kind, Severity.HIGH, zone="Z-WIDE"),
        condition("C-HOME", ConditionKind.CURFEW, Severity.HIGH, zone="Z-H"),
    ]
    watch.register(one_more_wearer(1, conditions=own))
    return watch


def test_of_several_zones_the_most_urgent_is_told_for_all(three_zones):
    three_zones.hear(good(0, HOME), *cells(5, 40))
    # Of the curfew after half an hour; an hour after, of the tighter zone to keep out of.
    assert conditions(three_zones) == ["C-HOME"]
    three_zones.hear(*cells(45, 90))
    assert conditions(three_zones) == ["C-CROSS", "C-HOME"]
    assert len(episodes(three_zones)) == 3


def test_who_has_answered_for_one_zone_is_not_asked_again_for_each_of_the_others(three_zones):
    three_zones.hear(good(0, HOME), *cells(5, 70))
    for alert in alerts(three_zones):
        resolve(three_zones, alert)
    three_zones.hear(*cells(75, 90))
    three_zones.escalate()
    assert conditions(three_zones) == ["C-CROSS", "C-HOME"]
    # A new time of it is told again.
    three_zones.hear(good(95, HOME), *cells(100, 175))
    assert len(alerts(three_zones)) == 4


def test_good_fixes_are_passed_by_in_calm_and_no_rule_is_fetched(watch):
    one_zone(watch)
    watch.hear(good(0), good(1), good(2))
    for n in range(3, 60):
        assert watch.receive(good(n)).on_arrival == 1
    assert watch.arrivals.rules_at_hand <= 1
    assert watch.judge() == []
