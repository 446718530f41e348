"""Stored readings given out again: the same readings, the same findings, and nothing changed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from case_files import CREWE, INSIDE, OUTSIDE, alcohol, battery, event, fix, message, walk

from devices.codec import decode
from devices.quality import QualityLimits
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.services import replay

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = QualityLimits(past_days=10_000)


def replayed(watch, device, from_at, to_at):
    device_id = replay.begin(watch.sessions, device, from_at, to_at, watch.clock())
    return [
        each
        for begins, ends in replay.steps(from_at, to_at)
        for each in replay.stored(watch.sessions, device_id, device, begins, ends)
    ]


def heard(watch):
    watch.hear(
        message(
            "TAG-1",
            fix(NOON, OUTSIDE, speed_kmh=4.1, heading_deg=80, satellites=9, hdop=1.1),
            fix(NOON + timedelta(minutes=1), INSIDE, accuracy_m=5_000, source="lbs"),
            event(NOON, "strap_tamper", "start"),
            battery(NOON, 41.5, charging=True),
            alcohol(NOON, -0.002) | {"skin_temp_c": -3.25},
            sent_at=(NOON + timedelta(minutes=1)).isoformat(),
        ),
        *walk("TAG-1", INSIDE, INSIDE, OUTSIDE, start=NOON + timedelta(minutes=2)),
        message("TAG-1", fix(NOON, CREWE), received_at=NOON + timedelta(hours=1)),
    )


def test_a_message_that_is_printed_decodes_to_the_reading_that_was_stored(watch):
    heard(watch)
    found = replayed(watch, "TAG-1", NOON - DAY, NOON + DAY)
    assert len(found) == 9
    for reading in found:
        line = replay.message_of(reading)
        again = decode("telemetry/v1/gw-west/TAG-1", line, reading.stamp.received_at, LIMITS)
        assert again.rejected == []
        assert again.readings == [reading]


def test_the_end_of_the_span_is_not_in_it_and_its_begin_is(watch):
    heard(watch)
    minute = timedelta(minutes=1)
    times = {each.stamp.measured_at for each in replayed(watch, "TAG-1", NOON, NOON + minute)}
    assert times == {NOON}
    spans = list(replay.steps(NOON, NOON + DAY + minute))
    assert spans == [(NOON, NOON + DAY), (NOON + DAY, NOON + DAY + minute)]


def test_judging_anew_finds_what_was_found_and_changes_nothing(watch):
    heard(watch)
    before = watch.database.counts()
    episodes = {
        (row.condition_id, row.kind, row.started_at, row.ended_at)
        for row in watch.database.all(EpisodeRow)
    }
    assert episodes
    found = replayed(watch, "TAG-1", NOON - DAY, NOON + DAY)
    device_id = replay.begin(watch.sessions, "TAG-1", NOON - DAY, NOON + DAY, watch.clock())
    judgement = replay.judgement(watch.sessions, device_id)
    judgement.take(found)
    again = {
        (each.finding.condition_id, each.finding.kind.value, each.finding.started_at,
         each.finding.ended_at)
        for each in judgement.findings()
    }  # fmt: skip
    assert again == episodes
    after = watch.database.counts()
    assert after.pop("audit_entries") == before.pop("audit_entries") + 2
    assert after == before


def test_who_replays_is_logged(watch):
    heard(watch)
    replayed(watch, "TAG-1", NOON, NOON + DAY)
    entry = watch.database.one(AuditRow, AuditRow.what == "readings replayed")
    assert (entry.act, entry.subject_kind) == ("consultation", "device")
    assert entry.detail == {"from": NOON.isoformat(), "to": (NOON + DAY).isoformat()}


def test_a_device_that_nobody_registered_is_refused(watch):
    with pytest.raises(replay.UnknownDevice):
        replay.begin(watch.sessions, "TAG-NONE", NOON, NOON + DAY, NOON)
    assert watch.database.count(AuditRow, AuditRow.what == "readings replayed") == 0


def test_a_line_is_json_on_one_line(watch):
    heard(watch)
    (reading, *_) = replayed(watch, "TAG-1", NOON, NOON + DAY)
    line = replay.message_of(reading)
    assert b"\n" not in line
    assert json.loads(line)["device"] == "TAG-1"
