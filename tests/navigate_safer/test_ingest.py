"""Intake: stored once and only once, nothing dropped, everything of a batch or nothing."""

import contextlib
import json
import threading
from datetime import datetime, timedelta

import pytest
from case_files import (
    CREWE,
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    alcohol,
    battery,
    event,
    fix,
    message,
    walk,
)
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import OperationalError
from watch import Watch

from devices.codec import decode
from devices.quality import Doubt
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.packed import unpack_quality
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.reading_rows import AlcoholRow, BatteryRow, DeviceEventRow, FixRow
from navigate_safer.db.telemetry import (
    DeviceLatestRow,
    IngestBatchRow,
    PendingRow,
    QuarantineRow,
    UnassignedRow,
)
from navigate_safer.services import collection, ingest
from navigate_safer.services.ingest import Message
from navigate_safer.services.quarantine import KEPT_PAYLOAD_BYTES

SECOND = timedelta(seconds=1)


def device_id(watch: Watch, ref: str) -> int:
    return watch.database.one(DeviceRow, DeviceRow.ref == ref).id


def refusals(watch: Watch) -> list[tuple[str, int | None, int]]:
    rows = watch.database.all(QuarantineRow)
    return sorted((row.reason, row.reading_index, row.times) for row in rows)


def measured(watch: Watch) -> dict[str, int]:
    tables = (FixRow, AlcoholRow, DeviceEventRow, BatteryRow)
    return {table.__tablename__: watch.database.count(table) for table in tables}


# What is kept


def test_every_kind_of_reading_of_one_message_is_stored_with_its_three_times(watch):
    sent_at = START + SECOND
    result = watch.receive(
        message(
            "TAG-1",
            fix(START, INSIDE, speed_kmh=4.1, heading_deg=80, satellites=9, hdop=1.1),
            alcohol(START, 0.0213),
            event(START, "strap_tamper", "start"),
            battery(START, 41.5),
            received_at=START + 3 * SECOND,
            sent_at=sent_at.isoformat(),
            seq=4711,
        )
    )
    assert (result.stored, result.repeated, result.refused, result.devices) == (4, 0, 0, 1)
    assert measured(watch) == {
        "fixes": 1, "alcohol_samples": 1, "device_events": 1, "battery_levels": 1,
    }  # fmt: skip
    row = watch.database.one(FixRow)
    assert (row.measured_at, row.sent_at, row.received_at) == (START, sent_at, START + 3 * SECOND)
    assert (row.lat_e7, row.lon_e7, row.accuracy_m) == (531905000, -28918000, 8)
    quality = unpack_quality(row.quality)
    assert (row.speed_dkmh, row.heading_ddeg) == (41, 800)
    assert (quality.satellites, quality.hdop) == (9, 1.1)
    assert watch.database.one(AlcoholRow).tac_ug_dl == 21300
    assert watch.database.one(BatteryRow).permille == 415
    assert watch.database.one(DeviceEventRow).state == "start"


def test_a_message_that_comes_again_changes_nothing(watch):
    (first,) = walk("TAG-1", INSIDE)
    watch.receive(first)
    watch.judge()
    before = watch.database.counts()
    result = watch.receive(Message(first.topic, first.payload, START + timedelta(hours=1)))
    assert (result.stored, result.repeated) == (0, 1)
    after = watch.database.counts()
    assert after.pop("ingest_batches") == before.pop("ingest_batches") + 1
    assert after == before
    assert watch.database.one(FixRow).received_at == first.received_at


def test_a_message_twice_in_one_batch_is_stored_once(watch):
    (one,) = walk("TAG-1", INSIDE)
    result = watch.receive(one, one)
    assert (result.stored, result.repeated) == (1, 1)
    assert watch.database.count(FixRow) == 1


def test_a_reading_repeated_in_another_message_with_another_number_is_a_repeat(watch):
    watch.receive(message("TAG-1", fix(START, INSIDE), seq=1))
    result = watch.receive(message("TAG-1", fix(START, INSIDE), fix(START + MINUTE, INSIDE), seq=2))
    assert (result.stored, result.repeated) == (1, 1)
    assert [row.taken_at for row in watch.database.all(FixRow)] == [START, START + MINUTE]


def test_the_same_instant_written_with_another_offset_is_the_same_reading(watch):
    in_paris = fix(START, INSIDE) | {"at": "2026-11-20T22:00:00+01:00"}
    watch.receive(message("TAG-1", fix(START, INSIDE)))
    assert watch.receive(message("TAG-1", in_paris)).repeated == 1


def test_the_same_time_with_other_content_is_kept_and_marked(watch):
    watch.receive(message("TAG-1", fix(START, INSIDE)))
    watch.receive(message("TAG-1", fix(START, OUTSIDE), fix(START, CREWE)))
    rows = watch.database.all(FixRow)
    assert [row.variant for row in rows] == [0, 1, 2]
    assert {row.lat_e7 for row in rows} == {531905000, 532270000, 530988000}
    # Each of the three, sent once more, is known.
    again = message("TAG-1", fix(START, CREWE), fix(START, INSIDE), fix(START, OUTSIDE))
    assert watch.receive(again).repeated == 3


def test_two_devices_may_measure_at_the_same_time(watch):
    result = watch.receive(
        message("TAG-1", fix(START, INSIDE)), message("TAG-LENT", fix(START, INSIDE))
    )
    assert result.stored == 2
    assert {row.variant for row in watch.database.all(FixRow)} == {0}


@pytest.mark.parametrize(
    ("reading", "received_after", "doubt"),
    [
        pytest.param(fix(START, INSIDE), 2 * SECOND, Doubt.NONE, id="nothing to remark"),
        pytest.param(fix(START, INSIDE), 11 * MINUTE, Doubt.LATE, id="eleven minutes on the way"),
        pytest.param(
            fix(START, INSIDE), -2 * MINUTE, Doubt.CLOCK_AHEAD, id="a clock two minutes ahead"
        ),
        pytest.param(
            fix(START, INSIDE, accuracy_m=400), SECOND, Doubt.INACCURATE, id="a radius of 400 m"
        ),
    ],
)
def test_a_doubtful_reading_is_stored_with_its_doubt(watch, reading, received_after, doubt):
    watch.receive(message("TAG-1", reading, received_at=START + received_after))
    assert Doubt(watch.database.one(FixRow).doubts) == doubt


def test_the_newest_of_everything_is_at_hand_and_late_data_does_not_set_it_back(watch):
    watch.receive(message("TAG-1", fix(START, INSIDE), battery(START, 40, charging=True)))
    late = START - timedelta(hours=1)
    watch.receive(
        message("TAG-1", fix(late, OUTSIDE), battery(late, 90), received_at=START + MINUTE)
    )
    row = watch.database.one(DeviceLatestRow)
    assert (row.measured_at, row.received_at, row.fix_at) == (START, START + MINUTE, START)
    assert (row.battery_percent, row.charging) == (40, True)


# What is refused


REFUSED = [
    pytest.param("telemetry/v1/gw-west/TAG-1", b"not json", "malformed", id="not JSON"),
    pytest.param("telemetry/v1/gw-west/TAG-1", b"", "malformed", id="nothing at all"),
    pytest.param("telemetry/v1/gw-west/TAG-1", b"\xff\xfe\x00", "malformed", id="not text"),
    pytest.param("telemetry/v1/gw-west/TAG-1", b"[" * 100_000, "malformed", id="nested deep"),
    pytest.param("telemetry/v1/gw-west/TAG-1", b"{}", "invalid", id="an empty object"),
    pytest.param("telemetry/v1/gw-west/TAG-1", b"x" * 20_000_000, "too_large", id="20 MB"),
    pytest.param("status/v1/gw-west", b"maybe", "invalid", id="a status that is no status"),
    pytest.param("status/v1/gw-none", b"online", "unknown_gateway", id="a stranger's status"),
]


@pytest.mark.parametrize(("topic", "payload", "reason"), REFUSED)
def test_a_bad_message_is_kept_in_quarantine_and_its_neighbours_are_stored(
    watch, topic, payload, reason
):
    before, after = walk("TAG-1", OUTSIDE, OUTSIDE)
    result = watch.receive(before, Message(topic, payload, START), after)
    assert (result.stored, result.refused) == (2, 1)
    row = watch.database.one(QuarantineRow)
    assert (row.reason, row.times, row.topic) == (reason, 1, topic)
    assert row.payload == payload[:KEPT_PAYLOAD_BYTES]
    assert row.payload_bytes == len(payload)
    assert row.explanation


BAD_READINGS = [
    pytest.param(fix(START, INSIDE) | {"lat": 91}, "out_of_range", id="latitude 91"),
    pytest.param(fix(START, INSIDE) | {"lat": "53"}, "invalid", id="a number as text"),
    pytest.param(fix(START, INSIDE) | {"lat": float("nan")}, "not_finite", id="NaN"),
    pytest.param(
        fix(START, INSIDE) | {"lat": INSIDE.lon, "lon": INSIDE.lat},
        "coordinates_swapped",
        id="coordinates exchanged",
    ),
    pytest.param(
        fix(START, INSIDE) | {"at": "1970-01-01T00:00:00Z"}, "time_too_old", id="the year 1970"
    ),
    pytest.param(
        fix(START, INSIDE) | {"at": "2027-11-20T21:00:00Z"}, "time_in_future", id="next year"
    ),
    pytest.param(fix(START, INSIDE) | {"at": "2026-11-20T21:00:00"}, "invalid", id="no offset"),
    pytest.param({"kind": "mood", "at": START.isoformat()}, "invalid", id="an unknown kind"),
    pytest.param(17, "invalid", id="a reading that is a number"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_READINGS)
def test_a_bad_reading_is_refused_and_the_good_ones_beside_it_are_stored(watch, bad, reason):
    document = {
        "v": 1, "device": "TAG-1",
        "readings": [fix(START, OUTSIDE), bad, battery(START, 80)],
    }  # fmt: skip
    payload = json.dumps(document).encode()
    result = watch.receive(Message("telemetry/v1/gw-west/TAG-1", payload, START + SECOND))
    assert (result.stored, result.refused) == (2, 1)
    assert refusals(watch) == [(reason, 1, 1)]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param(message("TAG-9", fix(START, INSIDE)), "unknown_device", id="unknown device"),
        pytest.param(
            message("TAG-1", fix(START, INSIDE), gateway="gw-none"),
            "unknown_gateway",
            id="unknown gateway",
        ),
        pytest.param(
            message("TAG-1", fix(START, INSIDE), gateway="gw-east"),
            "wrong_gateway",
            id="another gateway's device",
        ),
        pytest.param(
            Message("telemetry/v1/gw-west/TAG-2", message("TAG-1", fix(START, INSIDE)).payload,
                    START),
            "wrong_topic",
            id="another device's topic",
        ),
        pytest.param(
            message("T" * 64, fix(START, INSIDE), gateway="g" * 5_000),
            "unknown_gateway",
            id="names as long as a page",
        ),
    ],
)  # fmt: skip
def test_a_message_from_somebody_not_registered_is_quarantined(watch, sent, reason):
    result = watch.receive(sent, *walk("TAG-1", OUTSIDE))
    assert (result.stored, result.refused) == (1, 1)
    assert refusals(watch) == [(reason, None, 1)]


def test_a_device_that_belongs_to_no_gateway_may_use_any(watch):
    for gateway in ("gw-west", "gw-east"):
        watch.receive(message("TAG-LENT", fix(START, OUTSIDE), gateway=gateway))
    assert refusals(watch) == []


def test_the_same_refusal_of_the_same_message_only_counts_up(watch):
    bad = Message("telemetry/v1/gw-west/TAG-1", b"not json", START)
    watch.receive(bad, bad)
    watch.clock.forward(hours=1)
    watch.receive(bad)
    row = watch.database.one(QuarantineRow)
    assert (row.times, row.first_at, row.last_at) == (3, START, START + timedelta(hours=1))


def test_a_refused_message_is_told_apart_from_the_same_bytes_on_another_topic(watch):
    watch.receive(
        Message("telemetry/v1/gw-west/TAG-1", b"not json", START),
        Message("telemetry/v1/gw-west/TAG-2", b"not json", START),
    )
    assert refusals(watch) == [("malformed", None, 1), ("malformed", None, 1)]


def test_an_explanation_quotes_nothing_of_what_was_sent(watch):
    secret = "Fletching Row 14"
    document = {
        "v": 1, "device": "TAG-1",
        "readings": [
            {"kind": secret, "at": START.isoformat()},
            fix(START, INSIDE) | {"source": secret},
            fix(START, INSIDE) | {"lat": 1e400, secret: float("nan")},
            {"kind": "event", "at": START.isoformat(), "code": secret},
        ],
    }  # fmt: skip
    payload = json.dumps(document).encode()
    watch.receive(Message("telemetry/v1/gw-west/TAG-1", payload, START))
    rows = watch.database.all(QuarantineRow)
    assert len(rows) == 4
    assert not [row.explanation for row in rows if "Fletching" in row.explanation]


POISON = [
    pytest.param('{"v":1,"device":"TAG-1","readings":[{"kind":"fix","\\u0000":NaN}]}',
                 id="a NaN in a field named with the character zero"),
    pytest.param('{"v":1,"device":"TAG-1","readings":[{"kind":"fix","\\ud800":NaN}]}',
                 id="a NaN in a field named with half a character"),
    pytest.param('{"v":1,"device":"TAG-1","readings":[{"kind":"\\u0000\\ud800"}]}',
                 id="a kind that is no text"),
    pytest.param('{"v":1,"device":"\\u0000","readings":[{}]}', id="a device named zero"),
    pytest.param('{"v":1,"device":"TAG-1","seq":1e300,"readings":[{}]}', id="an endless number"),
    pytest.param(json.dumps({"v": 1, "device": "TAG-1",
                             "readings": [event(START, "a" * 64 + "\n", "start")]}),
                 id="an event with a line break after its longest code"),
    pytest.param(json.dumps({"v": 1, "device": "TAG-1", "sent_at": "0001-01-01T00:00:00+14:00",
                             "readings": [fix(START, INSIDE)]}),
                 id="sent before the first year"),
    pytest.param(json.dumps({"v": 1, "device": "TAG-1", "sent_at": "9999-12-31T23:59:59-14:00",
                             "readings": [fix(START, INSIDE)]}),
                 id="sent after the last year"),
]  # fmt: skip


@pytest.mark.parametrize("payload", POISON)
def test_a_message_that_no_database_would_take_does_not_stop_intake(watch, payload):
    bad = Message("telemetry/v1/gw-west/TAG-1", payload.encode(), START)
    result = watch.receive(bad, *walk("TAG-LENT", OUTSIDE))
    assert result.stored >= 1
    assert watch.database.count(FixRow, FixRow.device_id == device_id(watch, "TAG-LENT")) == 1
    assert not [row for row in watch.database.all(QuarantineRow) if row.reason == "internal_fault"]


@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_whatever_bytes_come_on_whatever_topic_a_batch_is_stored(watch):
    names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/+#"))
    values = (
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just(START.isoformat())
    )
    fields = st.sampled_from(["kind", "at", "lat", "lon", "code", "percent", "\0", "\ud800"])
    readings = st.lists(st.dictionaries(fields, values, max_size=4), min_size=1, max_size=3)
    documents = st.builds(
        lambda readings, extra: json.dumps(
            {"v": 1, "device": "TAG-1", "readings": readings} | extra
        ),
        readings,
        st.dictionaries(st.sampled_from(["seq", "sent_at", "v", "\0"]), values, max_size=2),
    ).map(str.encode)

    @given(names, documents | st.binary(max_size=20))
    def stored(name, payload):
        topic = f"telemetry/v1/gw-west/{name or 'TAG-1'}"
        watch.receive(
            Message(topic, payload, START),
            Message("telemetry/v1/gw-west/TAG-1", payload, START),
            Message(f"owntracks/{name}/TAG-1", payload, START),
        )

    stored()


def test_a_fault_of_our_own_decoder_keeps_the_message_and_stores_its_neighbours(watch):
    def faulty(topic, payload, received_at, limits):
        if payload == b"the one that breaks us":
            raise ZeroDivisionError("at 53.1905, -2.8918")
        return decode(topic, payload, received_at, limits)

    poison = Message("telemetry/v1/gw-west/TAG-1", b"the one that breaks us", START)
    messages = [poison, *walk("TAG-1", OUTSIDE)]
    result = ingest.store_batch(
        watch.sessions, messages, watch.clock(), watch.limits, decoder=faulty
    )
    assert (result.stored, result.refused) == (1, 1)
    row = watch.database.one(QuarantineRow)
    assert row.reason == "internal_fault"
    assert row.payload == poison.payload
    assert "ZeroDivisionError" in row.explanation
    assert "53.1905" not in row.explanation


def test_with_a_tenth_of_garbage_every_good_reading_is_stored(watch):
    good = walk("TAG-1", *[OUTSIDE] * 180)
    garbage = [Message("telemetry/v1/gw-west/TAG-1", bytes([n]), START) for n in range(20)]
    mixed = [each for n, one in enumerate(garbage) for each in (*good[n * 9 : n * 9 + 9], one)]
    result = watch.receive(*mixed)
    assert (result.stored, result.refused) == (180, 20)


# Whose it is


def test_readings_of_a_device_on_nobody_are_kept_and_counted(watch):
    watch.receive(*walk("TAG-SPARE", OUTSIDE, OUTSIDE))
    watch.receive(*walk("TAG-SPARE", OUTSIDE, start=START - timedelta(hours=1)))
    row = watch.database.one(UnassignedRow)
    assert row.readings == 3
    assert (row.first_at, row.last_at) == (START - timedelta(hours=1), START + MINUTE)
    assert watch.database.count(FixRow) == 3
    assert watch.judge()[0].readings == 0


@pytest.mark.parametrize(
    ("at", "unassigned"),
    [
        pytest.param(START - timedelta(days=3), 1, id="before the first fitting"),
        pytest.param(START - timedelta(days=1), 0, id="while W-1 wore it"),
        pytest.param(START - timedelta(hours=6), 1, id="at the minute it was taken off"),
        pytest.param(START - timedelta(hours=5), 1, id="between the two"),
        pytest.param(START - timedelta(hours=3), 0, id="at the minute it was fitted to W-2"),
        pytest.param(START, 0, id="while W-2 wears it"),
    ],
)
def test_a_reading_belongs_to_whoever_wore_the_device_when_it_was_measured(watch, at, unassigned):
    watch.receive(message("TAG-LENT", fix(at, OUTSIDE), received_at=START))
    assert watch.database.count(UnassignedRow) == unassigned


# Gateways


def test_a_gateway_says_when_it_goes_and_when_it_comes_back(watch):
    for number, word in enumerate((b"online", b"offline")):
        at = START + MINUTE * number
        watch.receive(Message("status/v1/gw-west", word, at))
        row = watch.database.one(GatewayRow, GatewayRow.ref == "gw-west")
        assert (row.online, row.status_at) == (word == b"online", at)
    assert watch.database.one(GatewayRow, GatewayRow.ref == "gw-east").online is None


# One transaction


def test_a_batch_says_what_it_came_to_and_when_it_was_safe(watch):
    bad = Message("telemetry/v1/gw-west/TAG-1", b"?", START)
    result = watch.receive(*walk("TAG-1", OUTSIDE, OUTSIDE), bad, *walk("TAG-1", OUTSIDE))
    ingest.note_committed(watch.sessions, [(result.batch_id, START + 5 * MINUTE)])
    row = watch.database.one(IngestBatchRow)
    assert (row.messages, row.stored, row.repeated, row.refused) == (4, 2, 1, 1)
    assert (row.received_at, row.committed_at) == (START, START + 5 * MINUTE)


def collected(watch) -> list[AuditRow]:
    """What the log says after the scheduler's next minutes."""
    watch.clock.forward(minutes=3)
    collection.log(watch.sessions, watch.clock())
    return watch.database.all(AuditRow, AuditRow.actor == "ingest")


def test_what_was_stored_is_logged_as_collection_once_with_counts_and_nothing_else(watch):
    first = watch.receive(*walk("TAG-1", INSIDE, INSIDE))
    last = watch.receive(*walk("TAG-1", INSIDE, start=START + 5 * MINUTE))
    assert watch.database.count(AuditRow, AuditRow.actor == "ingest") == 0
    for _ in range(2):
        [entry] = collected(watch)
    assert (entry.act, entry.subject_kind, entry.subject_id) == (
        "collection", "ingest_batch", last.batch_id,
    )  # fmt: skip
    detail = dict(entry.detail)
    assert datetime.fromisoformat(detail.pop("from")) < datetime.fromisoformat(detail.pop("to"))
    assert detail == {"readings": 3, "batches": 2, "first_batch": first.batch_id}
    watch.receive(*walk("TAG-1", INSIDE, start=watch.clock()))
    assert [each.detail["readings"] for each in collected(watch)] == [3, 1]


def test_a_batch_in_which_nothing_is_new_collects_nothing(watch):
    (one,) = walk("TAG-1", INSIDE)
    watch.receive(one)
    assert len(collected(watch)) == 1
    watch.receive(one)
    assert len(collected(watch)) == 1


def test_what_is_new_is_marked_to_be_judged_from_its_earliest_reading(watch):
    watch.receive(*walk("TAG-1", INSIDE, INSIDE), *walk("TAG-LENT", INSIDE))
    marks = {row.device_id: row.earliest_at for row in watch.database.all(PendingRow)}
    assert marks == {device_id(watch, "TAG-1"): START, device_id(watch, "TAG-LENT"): START}


@contextlib.contextmanager
def commits_fail(engine):
    """Every commit of a database fails, as when its disk is full."""

    def fail(_connection):
        raise OperationalError("commit", None, Exception("the disk is full"))

    sqlalchemy_event.listen(engine, "commit", fail)
    try:
        yield
    finally:
        sqlalchemy_event.remove(engine, "commit", fail)


def test_when_the_commit_fails_nothing_is_stored_and_the_batch_can_be_given_again(watch):
    batch = [
        *walk("TAG-1", INSIDE, OUTSIDE),
        *walk("TAG-SPARE", INSIDE),
        Message("status/v1/gw-west", b"online", START),
        Message("telemetry/v1/gw-west/TAG-1", b"?", START),
    ]
    before = watch.database.counts()
    with commits_fail(watch.database.engine), pytest.raises(OperationalError):
        watch.receive(*batch)
    assert watch.database.counts() == before
    assert watch.database.one(GatewayRow, GatewayRow.ref == "gw-west").online is None
    result = watch.receive(*batch)
    assert (result.stored, result.repeated, result.refused) == (3, 0, 1)


def test_two_workers_that_store_the_same_at_once_store_it_once(watch):
    batch = [
        *walk("TAG-1", *[INSIDE, OUTSIDE] * 20),
        *walk("TAG-SPARE", *[OUTSIDE] * 20),
        message("TAG-1", battery(START, 50), event(START, "strap_tamper", "start")),
    ]
    together = threading.Barrier(2)
    results, faults = [], []

    def worker():
        together.wait(10)
        try:
            results.append(ingest.store_batch(watch.sessions, batch, watch.clock(), watch.limits))
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert faults == []
    assert sum(each.stored for each in results) == 62
    assert sum(each.repeated for each in results) == 62
    assert watch.database.count(FixRow) == 60
    assert {row.variant for row in watch.database.all(FixRow)} == {0}
    assert watch.database.one(UnassignedRow).readings == 20
    assert watch.database.count(BatteryRow) == watch.database.count(DeviceEventRow) == 1


def test_two_workers_that_store_different_readings_of_one_device_lose_none(watch):
    batches = [
        [
            *walk("TAG-SPARE", *[OUTSIDE] * 15, start=START + timedelta(hours=number)),
            Message("telemetry/v1/gw-west/TAG-1", b"?", START),
        ]
        for number in range(4)
    ]
    watch.receive(*batches[0])
    together = threading.Barrier(3)
    faults = []

    def worker(batch):
        together.wait(10)
        try:
            ingest.store_batch(watch.sessions, batch, watch.clock(), watch.limits)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=worker, args=(batch,)) for batch in batches[1:]]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert faults == []
    assert watch.database.count(FixRow) == 60
    assert watch.database.one(UnassignedRow).readings == 60
    assert watch.database.one(QuarantineRow).times == 4
    latest = watch.database.one(DeviceLatestRow)
    assert latest.measured_at == START + timedelta(hours=3, minutes=14)
