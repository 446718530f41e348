"""Case alerts: alcohol and the zone, or a missed session, are one alert with its parts."""

from datetime import timedelta

import pytest
from alcohol_days import DRINKING, SPILL
from case_files import INSIDE, MINUTE, OUTSIDE, START, alcohol, message, walk
from databases import Database
from sqlalchemy import update
from watch import VOICE, Watch

from alerts.compound import MissedSession
from alerts.finding import FindingKind
from navigate_safer.db.alerting import (
    AlertHistoryRow,
    AlertRow,
    EpisodeHistoryRow,
    EpisodeRow,
    TextRow,
)
from navigate_safer.db.people import StaffRow
from navigate_safer.services import compound
from navigate_safer.services.casework import NotFound

EARLY, CONFIRMED, INTO = (
    FindingKind.ALCOHOL_THRESHOLD,
    FindingKind.ALCOHOL_CONFIRMED,
    FindingKind.EXCLUSION_BREACH,
)
CASE = FindingKind.COMPOUND


@pytest.fixture
def watch(database: Database) -> Watch:
    return Watch(database)


def evening(levels, start=START):
    """What the monitor of W-1 measures each half hour."""
    half_hour = 30 * MINUTE
    return [message("MON-1", alcohol(start + half_hour * n, tac)) for n, tac in enumerate(levels)]


def into_the_zone(start):
    """In for two minutes and out again."""
    places = (OUTSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE, OUTSIDE)
    return walk("TAG-1", *places, start=start)


def in_order(*groups):
    return sorted((each for group in groups for each in group), key=lambda each: each.received_at)


def episode(watch: Watch, kind: FindingKind) -> EpisodeRow:
    return watch.database.one(EpisodeRow, EpisodeRow.kind == kind.value)


def alert(watch: Watch, kind: FindingKind) -> AlertRow:
    return watch.database.one(AlertRow, AlertRow.episode_id == episode(watch, kind).id)


def parts(watch: Watch) -> list[str]:
    return [each["what"] for each in episode(watch, CASE).evidence["parts"]]


def history(watch: Watch, kind: FindingKind) -> list[str]:
    mine = AlertHistoryRow.alert_id == alert(watch, kind).id
    return [each.move for each in watch.database.all(AlertHistoryRow, mine)]


def test_alcohol_and_the_zone_are_one_case_that_names_its_parts(watch: Watch) -> None:
    watch.hear(*in_order(evening(DRINKING[:5]), into_the_zone(START + 125 * MINUTE)))
    assert parts(watch) == [EARLY.value, INTO.value]
    said = episode(watch, CASE).evidence["parts"][0]
    assert said["sure"] == episode(watch, EARLY).evidence["verdict"]
    assert alert(watch, CASE).severity == "critical"
    # It is confirmed later: the case is amended, and no second one is opened.
    for each in evening(DRINKING)[5:]:
        watch.hear(each)
    assert sorted(parts(watch)) == sorted([EARLY.value, CONFIRMED.value, INTO.value])
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == CASE.value) == 1
    whys = watch.database.all(
        EpisodeHistoryRow, EpisodeHistoryRow.episode_id == episode(watch, CASE).id
    )
    assert "its parts have changed" in [each.why for each in whys]


def test_what_is_told_by_the_case_is_not_told_beside_it(watch: Watch) -> None:
    watch.hear(*in_order(evening(DRINKING[:5]), into_the_zone(START + 125 * MINUTE)))
    assert history(watch, EARLY)[-1] == "joined"
    assert alert(watch, EARLY).next_step_at is None
    # The breach was found in the same breath: one text, that of the case.
    assert [each.state for each in watch.database.all(
        TextRow, TextRow.alert_id == alert(watch, INTO).id)] == ["cancelled"]  # fmt: skip
    assert alert(watch, CASE).next_step_at is not None
    assert watch.database.count(TextRow, TextRow.alert_id == alert(watch, CASE).id) == 1


def test_a_case_that_nobody_can_be_told_of_does_not_speak_for_its_parts(watch: Watch) -> None:
    for each in evening(DRINKING[:5]):
        watch.hear(each)
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).values(active=False))
    watch.hear(*into_the_zone(START + 125 * MINUTE))
    assert parts(watch) == [EARLY.value, INTO.value]
    assert "joined" not in history(watch, EARLY)
    assert alert(watch, EARLY).next_step_at is not None


def test_a_monitor_that_uploads_the_next_day_makes_the_same_case(watch: Watch) -> None:
    watch.hear(*into_the_zone(START + 125 * MINUTE))
    watch.clock.forward(hours=12)
    samples = [alcohol(START + 30 * MINUTE * n, tac) for n, tac in enumerate(DRINKING)]
    watch.hear(message("MON-1", *samples, received_at=watch.clock()))
    assert parts(watch) == [EARLY.value, CONFIRMED.value, INTO.value] or parts(watch) == [
        CONFIRMED.value, EARLY.value, INTO.value]  # fmt: skip
    assert alert(watch, CASE).late_data


def test_alcohol_that_proves_to_be_a_spill_takes_the_case_back_and_the_breach_is_told(
    watch: Watch,
) -> None:
    watch.hear(*in_order(evening(SPILL[:3]), into_the_zone(START + 65 * MINUTE)))
    assert not episode(watch, CASE).withdrawn
    watch.hear(*evening([*SPILL, 0.0])[3:])
    assert episode(watch, EARLY).evidence["verdict"] == "not_confirmed"
    assert episode(watch, CASE).withdrawn
    assert alert(watch, CASE).next_step_at is None
    assert history(watch, INTO)[-1] == "parted"
    assert alert(watch, INTO).next_step_at is not None


def test_alcohol_alone_or_long_before_the_zone_is_no_case(watch: Watch) -> None:
    watch.hear(*evening(DRINKING), *into_the_zone(START + timedelta(hours=14)))
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == CASE.value) == 0


def test_a_missed_session_the_morning_after_and_that_it_was_not_missed(watch: Watch) -> None:
    watch.hear(*evening(DRINKING))
    ten = START + timedelta(hours=13)
    watch.clock.not_before(ten + timedelta(hours=2))
    missed = MissedSession("S-7", ten, ten + timedelta(hours=1))
    for _ in range(2):
        compound.session_missed(watch.sessions, "W-1", missed, watch.clock(), VOICE)
    assert parts(watch)[-1] == "missed_session"
    compound.session_not_missed(watch.sessions, "W-1", "S-7", watch.clock(), VOICE)
    assert episode(watch, CASE).withdrawn
    compound.session_missed(watch.sessions, "W-1", missed, watch.clock(), VOICE)
    assert not episode(watch, CASE).withdrawn
    with pytest.raises(NotFound):
        compound.session_not_missed(watch.sessions, "W-1", "S-8", watch.clock(), VOICE)
    with pytest.raises(NotFound):
        compound.session_missed(watch.sessions, "W-0", missed, watch.clock(), VOICE)


def test_judging_everything_again_leaves_the_case_as_it_is(watch: Watch) -> None:
    readings = in_order(evening(DRINKING), into_the_zone(START + 125 * MINUTE))
    watch.hear(*readings)
    before = episode(watch, CASE).evidence["parts"]
    # A sample that was lost on the way comes hours later, and all after it is judged again.
    late = message("MON-1", alcohol(START + 15 * MINUTE, 0.004), received_at=watch.clock())
    watch.hear(late)
    assert not episode(watch, CASE).withdrawn
    assert episode(watch, CASE).evidence["parts"] == before
