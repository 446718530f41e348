"""Alcohol judged before an obstruction over it was confirmed: amended, with its history."""

import pytest
from case_files import MINUTE, START, alcohol, message
from databases import Database
from watch import Watch

from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertHistoryRow, EpisodeHistoryRow, EpisodeRow

EARLY, LOST = FindingKind.ALCOHOL_THRESHOLD, FindingKind.CONTACT_LOST
# Up faster than a body, three readings at the threshold, gone in one step as contact changes.
LEVELS = [0.0] * 4 + [0.0, 0.09, 0.08, 0.07] + [0.0] * 24
COVERED_FROM = 8


def upload(watch: Watch, first: int, last: int, *, ir_v=2.2) -> None:
    for n in range(first, last):
        volts = ir_v if n >= COVERED_FROM else 1.5
        reading = {**alcohol(START + 30 * MINUTE * n, LEVELS[n]), "ir_v": volts, "skin_temp_c": 33}
        watch.hear(message("MON-1", reading))


def early(watch: Watch) -> EpisodeRow:
    return watch.database.one(EpisodeRow, EpisodeRow.kind == EARLY.value)


def whys(watch: Watch) -> list[str]:
    mine = EpisodeHistoryRow.episode_id == early(watch).id
    return [each.why for each in watch.database.all(EpisodeHistoryRow, mine)]


@pytest.fixture
def watch(database: Database) -> Watch:
    return Watch(database)


def test_a_verdict_is_amended_when_the_obstruction_over_it_is_confirmed(watch: Watch) -> None:
    upload(watch, 0, 12)
    assert (early(watch).ended_at is not None, early(watch).evidence["verdict"]) == (True, "review")
    upload(watch, 12, 32)
    assert watch.database.count(EpisodeRow, EpisodeRow.kind == LOST.value) == 1
    evidence = early(watch).evidence
    assert (evidence["verdict"], evidence["verdict_of_rule"]) == ("undetermined", "review")
    assert [each for each in whys(watch) if "obstruction" in each] == [
        "an obstruction over it was confirmed: its verdict is undetermined"
    ]
    moves = [each.reason for each in watch.database.all(AlertHistoryRow)]
    assert any("its verdict is undetermined" in each for each in moves)


def test_judged_again_it_stays_amended_and_is_told_once(watch: Watch) -> None:
    upload(watch, 0, 32)
    late = {**alcohol(START + 15 * MINUTE, 0.0), "ir_v": 1.5, "skin_temp_c": 33}
    watch.hear(message("MON-1", late, received_at=watch.clock()))
    assert early(watch).evidence["verdict"] == "undetermined"
    assert len([each for each in whys(watch) if "obstruction" in each]) == 1


def test_without_an_obstruction_it_stays_what_the_rule_said(watch: Watch) -> None:
    upload(watch, 0, 32, ir_v=1.5)
    assert early(watch).evidence["verdict"] == "review"
    assert "verdict_of_rule" not in early(watch).evidence
