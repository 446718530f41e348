"""Judged on arrival: a breach that goes on, and the states of the many who keep calm."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from alcohol_days import DRINKING
from case_files import INSIDE, MINUTE, OUTSIDE, START, Place, alcohol, fix, message, walk
from sqlalchemy import update

from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.telemetry import JudgementRow, PendingRow
from navigate_safer.services import arrival_groups
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.fleet import UNSAVED_US, span_of

HALF_HOUR_US = 1_800_000_000


def one_fix(watch, place):
    """The tag's next fix, a minute on; what its batch came to."""
    at = watch.clock.forward(minutes=1)
    return watch.receive(message("TAG-1", fix(at, place), received_at=at))


def the_breach(watch):
    return watch.database.one(EpisodeRow, EpisodeRow.kind == "exclusion_breach")


@pytest.fixture
def in_the_zone(watch):
    """TAG-1 went into the zone; the breach is open and told, and one more fix was taken."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    one_fix(watch, INSIDE)
    watch.judge()
    return watch


def test_that_a_wearer_is_still_in_the_zone_is_written_on_arrival_and_asks_nobody_anew(in_the_zone):
    before = the_breach(in_the_zone)
    result = one_fix(in_the_zone, INSIDE)
    after = the_breach(in_the_zone)
    assert (result.on_arrival, in_the_zone.database.count(PendingRow)) == (1, 0)
    assert after.evidence != before.evidence
    assert (after.started_at, after.ended_at) == (before.started_at, None)
    assert in_the_zone.database.count(AlertRow) == in_the_zone.database.count(TextRow) == 1


def test_the_fix_that_shows_it_over_is_left_to_the_monitor_which_ends_it(in_the_zone):
    one_fix(in_the_zone, INSIDE)
    gone = one_fix(in_the_zone, OUTSIDE)
    assert (gone.on_arrival, in_the_zone.database.count(PendingRow)) == (0, 1)
    in_the_zone.judge()
    assert the_breach(in_the_zone).ended_at is not None


def test_what_is_told_apart_of_late_data_is_the_same_as_if_the_monitor_had_seen_each_fix(
    in_the_zone,
):
    for _ in range(5):
        one_fix(in_the_zone, INSIDE)
    on_arrival = the_breach(in_the_zone).evidence
    at = in_the_zone.clock() - MINUTE / 2
    late = message("TAG-1", fix(at, INSIDE), received_at=in_the_zone.clock())
    in_the_zone.hear(late)
    again = the_breach(in_the_zone)
    assert again.ended_at is None
    assert again.evidence.keys() == on_arrival.keys()
    assert in_the_zone.database.count(AlertRow) == 1


def test_a_breach_that_is_no_longer_open_in_the_database_is_the_monitors_to_judge(in_the_zone):
    one_fix(in_the_zone, INSIDE)
    with in_the_zone.sessions.begin() as session:
        session.execute(update(EpisodeRow).values(withdrawn=True))
    assert one_fix(in_the_zone, INSIDE).on_arrival == 0
    in_the_zone.judge()
    assert the_breach(in_the_zone).withdrawn is False


def test_who_rests_for_hours_has_his_states_saved_and_his_rules_are_not_kept_at_hand(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE, OUTSIDE))
    saved_at = watch.database.one(JudgementRow, JudgementRow.through.is_not(None)).through
    for _ in range(7 * 60):
        assert one_fix(watch, OUTSIDE).on_arrival == 1
    row = watch.database.one(JudgementRow, JudgementRow.through.is_not(None))
    assert row.through > saved_at
    assert watch.clock() - row.through <= timedelta(hours=6, minutes=31)
    assert watch.arrivals.rules_at_hand == 0


@pytest.mark.parametrize("twice", [False, True], ids=["each fix once", "by two gateways"])
@pytest.mark.parametrize("restarts", [False, True], ids=["no restart", "restarts"])
def test_states_are_saved_in_time_whatever_makes_intake_read_the_device_anew(
    watch, twice, restarts
):
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE, OUTSIDE))
    longest = timedelta()
    for n in range(14 * 12):
        at = watch.clock.forward(minutes=5)
        again = message("TAG-1", fix(at, OUTSIDE), received_at=at)
        watch.receive(again)
        if twice:
            assert watch.receive(again).repeated == 1
        if restarts and n % 4 == 0:
            watch.arrivals = Arrivals()
        row = watch.database.one(JudgementRow, JudgementRow.through.is_not(None))
        longest = max(longest, watch.clock() - row.through)
    assert longest <= timedelta(hours=6, minutes=40)


def test_a_case_says_of_its_parts_what_they_say_themselves(watch):
    for n, tac_g_dl in enumerate(DRINKING[:5]):
        watch.hear(message("MON-1", alcohol(START + 30 * MINUTE * n, tac_g_dl)))
    watch.clock.at = START + 125 * MINUTE
    for place in (OUTSIDE, OUTSIDE):
        one_fix(watch, place)
        watch.judge()
    watch.clock.forward(minutes=10)
    # Up to the edge, where nobody is sure, and in.
    edge = [Place(INSIDE.lat, INSIDE.lon + off) for off in (0.0061, 0.0060, 0.0059)]
    for place in (*edge, *[INSIDE] * 6):
        one_fix(watch, place)
        watch.judge()
    (case,) = watch.database.all(EpisodeRow, EpisodeRow.kind == "compound")
    said = [
        each["probability"] for each in case.evidence["parts"] if each["what"] == "exclusion_breach"
    ]
    assert said == [the_breach(watch).evidence["probability"]]


def due(minutes: list[int], saved_in: list[int]) -> list[bool]:
    """Of devices heard so many minutes after the start of a span, which are saved."""
    device_id = np.zeros(len(minutes), dtype=np.int64)
    measured_us = UNSAVED_US * 10 + np.array(minutes, dtype=np.int64) * 60_000_000
    here = np.arange(len(minutes))
    packed = SimpleNamespace(measured_us=measured_us, device_id=device_id)
    groups = SimpleNamespace(packed=packed, slot=here, last=here)
    fleet = {"saved_in": np.array(saved_in, dtype=np.int64)}
    return arrival_groups.to_be_saved(fleet, groups).tolist()


def test_a_few_states_that_are_due_wait_for_more():
    assert due([5, 10, 20], [9, 9, 9]) == [False, False, False]


def test_twenty_that_are_due_are_saved_at_once_and_nobody_else():
    assert due([5] * 21, [9] * 20 + [10]) == [True] * 20 + [False]


def test_whoever_has_waited_for_half_an_hour_is_saved_alone():
    assert due([29, 31, 31], [9, 9, 10]) == [False, True, False]


def test_the_spans_of_neighbours_begin_at_other_times():
    at = np.full(100, UNSAVED_US * 10 + HALF_HOUR_US)
    assert len(set(span_of(at, np.arange(100)).tolist())) == 2
