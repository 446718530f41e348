"""A monitor that is silent: other devices and its battery are considered before blame."""

from datetime import timedelta

import pytest
from case_files import MINUTE, OUTSIDE, START, alcohol, battery, fix, message, one_more_wearer
from databases import Database
from watch import Watch

from alerts.alcohol.considered import Surroundings, hours_to_empty, in_words
from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, EpisodeRow

MISSED = FindingKind.UPLOAD_MISSED
KNOWN = Surroundings(4, 0, False, 62, False, 20.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({}, ["0 of 4 other devices", "heard since", "no proof"], id="it alone"),
        pytest.param({"others_silent": 2}, ["fault of the network"], id="half of the others too"),
        pytest.param({"others_silent": 1}, ["nothing of this explains"], id="one of the others"),
        pytest.param({"others": 0}, ["no other device of its gateway"], id="nobody else there"),
        pytest.param({"battery_percent": 9}, ["9 %", "flat battery is likely"], id="battery low"),
        pytest.param(
            {"battery_percent": 9, "charging": True}, ["charging", "nothing"], id="low, on charge"
        ),
        pytest.param({"battery_percent": None}, ["never told"], id="battery never told"),
        pytest.param(
            {"empty_after_h": 20.0, "unheard_h": 48.0},
            ["empty 20 hours later", "flat battery is likely"],
            id="it would be empty by now",
        ),
        pytest.param(
            {"empty_after_h": 60.0, "unheard_h": 48.0},
            ["empty 60 hours later", "nothing of this explains"],
            id="it would not be empty yet",
        ),
        pytest.param({"own_silent": True}, ["silent too"], id="his tag is silent too"),
        pytest.param({"own_silent": None}, ["has no other device"], id="he has no tag"),
    ],
)
def test_what_was_considered_is_said(changed, words):
    about = Surroundings(**({f: getattr(KNOWN, f) for f in KNOWN.__struct_fields__} | changed))
    said = in_words(about)
    for each in words:
        assert each in said, said


@pytest.mark.parametrize(
    ("levels", "hours"),
    [
        pytest.param([(0, 80.0), (10, 40.0)], 10.0, id="half gone in ten hours"),
        pytest.param([(0, 20.0), (2, 100.0), (12, 75.0)], 30.0, id="charged on the way"),
        pytest.param([(0, 80.0)], None, id="told once"),
        pytest.param([(0, 40.0), (5, 80.0)], None, id="on its way up"),
        pytest.param([(0, 50.0), (5, 50.0)], None, id="not moving"),
        pytest.param([], None, id="never told"),
    ],
)
def test_how_long_a_battery_would_have_lasted(levels, hours):
    told = [(START + timedelta(hours=at), percent) for at, percent in levels]
    assert hours_to_empty(told) == (None if hours is None else pytest.approx(hours))


def test_a_battery_that_fell_fast_is_named_before_the_wearer(database: Database) -> None:
    watch = Watch(database)
    watch.hear(message("MON-1", alcohol(START, 0.0), battery(START, 90)))
    later = START + timedelta(hours=10)
    watch.clock.not_before(later)
    watch.hear(message("MON-1", alcohol(later, 0.0), battery(later, 45), received_at=later))
    watch.clock.forward(hours=49)
    watch.look_for_silence()
    said = [
        row.reason
        for row in watch.database.all(AlertHistoryRow, AlertHistoryRow.move == "considered")
    ]
    assert any("empty 10 hours later" in each and "flat battery is likely" in each for each in said)


@pytest.mark.parametrize(
    ("others_go_on", "expected"),
    [
        pytest.param(True, "0 of 1 other devices of its gateway silent since", id="it alone"),
        pytest.param(False, "a fault of the network or gateway is likely", id="all are silent"),
    ],
)
def test_an_upload_missed_for_two_days_is_told_with_what_was_considered(
    database: Database, others_go_on: bool, expected: str
) -> None:
    watch = Watch(database)
    other = one_more_wearer(1)
    other.devices[0] = type(other.devices[0])("TAG-X1", "tag", gateway="gw-west")
    watch.register(other)
    watch.hear(message("MON-1", alcohol(START, 0.0), battery(START, 71)))
    watch.hear(message("TAG-1", fix(START - MINUTE, OUTSIDE)))
    watch.hear(message("TAG-X1", fix(START - MINUTE, OUTSIDE)))
    if others_go_on:
        later = START + timedelta(hours=48)
        watch.hear(message("TAG-X1", fix(later, OUTSIDE)), message("TAG-1", fix(later, OUTSIDE)))
    watch.clock.not_before(START + timedelta(hours=49))
    watch.look_for_silence()
    episode = watch.database.one(EpisodeRow, EpisodeRow.kind == MISSED.value)
    alert = watch.database.one(AlertRow, AlertRow.episode_id == episode.id)
    mine = (AlertHistoryRow.alert_id == alert.id, AlertHistoryRow.move == "considered")
    said = watch.database.one(AlertHistoryRow, *mine).reason
    assert expected in said
    assert "its battery at 71 % when last heard" in said
