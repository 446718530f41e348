"""A monitor that is silent: other devices and its battery are considered before blame."""

from datetime import timedelta

import pytest
from case_files import MINUTE, OUTSIDE, START, alcohol, battery, fix, message, one_more_wearer
from databases import Database
from watch import Watch

from alerts.alcohol.considered import Surroundings, in_words
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
