"""Messages in, readings and refusals out: captured payloads, bad input by name, and fuzzing."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.codec import SUBSCRIPTIONS, Decoded, decode
from devices.quality import QualityLimits
from devices.readings import BatteryLevel, Fix, kind_of
from devices.rejection import Reason, Rejected

LIMITS = QualityLimits()
NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
AT = "2026-11-21T22:39:55Z"
TAG = "TAG-00017"
TOPIC = f"telemetry/v1/gw-chester/{TAG}"
PHONE = "owntracks/gw-chester/PHONE-1"
FIX = {"kind": "fix", "at": AT, "lat": 53.19312, "lon": -2.88911, "accuracy_m": 12}
BATTERY = {"kind": "battery", "at": AT, "percent": 41}
LOCATION = {"_type": "location", "lat": 53.19312, "lon": -2.88911, "tst": 1795300795, "acc": 9}

DATA = Path(__file__).parent.parent / "data"
CAPTURED = [
    pytest.param(json.loads(line), id=f"{path.stem}: {json.loads(line)['situation']}")
    for path in sorted(DATA.glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def message(*readings, **changes):
    return {"v": 1, "device": TAG, "readings": list(readings), **changes}


def read(payload, topic=TOPIC, received_at=NOW):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decode(topic, raw, received_at, LIMITS)


def faults(decoded):
    return [(each.reason, each.index) for each in decoded.rejected]


@pytest.mark.parametrize("captured", CAPTURED)
def test_a_captured_payload(captured):
    raw = captured["text"] if "text" in captured else json.dumps(captured["payload"])
    received_at = datetime.fromisoformat(captured["received_at"])
    decoded = decode(captured["topic"], raw.encode(), received_at, LIMITS)
    expected = {"online": None, **captured["expected"]}
    assert {
        "gateway": decoded.gateway,
        "device": decoded.device,
        "readings": [[kind_of(each), as_written(each)] for each in decoded.readings],
        "rejected": in_order(decoded.rejected),
        "online": decoded.online,
    } == expected


def in_order(rejected):
    ordered = sorted(rejected, key=lambda each: -1 if each.index is None else each.index)
    return [[each.reason.value, each.index] for each in ordered]


def as_written(reading):
    return json.loads(json.dumps(msgspec.to_builtins(reading)))


def test_every_format_has_captured_payloads():
    topics = {param.values[0]["topic"].split("/")[0] for param in CAPTURED}
    assert topics == {subscription.split("/")[0] for subscription in SUBSCRIPTIONS}


@pytest.mark.parametrize(
    ("change", "reason", "says"),
    [
        pytest.param({"lat": 91}, Reason.OUT_OF_RANGE, "lat", id="latitude 91"),
        pytest.param({"lon": -180.1}, Reason.OUT_OF_RANGE, "lon", id="longitude -180.1"),
        pytest.param({"accuracy_m": -1}, Reason.OUT_OF_RANGE, "accuracy_m", id="accuracy -1"),
        pytest.param({"lat": math.nan}, Reason.NOT_FINITE, "lat is NaN", id="NaN"),
        pytest.param({"lon": math.inf}, Reason.NOT_FINITE, "lon is Infinity", id="infinite"),
        pytest.param({"hdop": -math.inf}, Reason.NOT_FINITE, "hdop is -Inf", id="minus infinite"),
        pytest.param({"lat": "53.19"}, Reason.INVALID, "lat: expected number", id="text for lat"),
        pytest.param({"lat": True}, Reason.INVALID, "got bool", id="true for lat"),
        pytest.param({"lat": None}, Reason.INVALID, "got null", id="null for lat"),
        pytest.param({"lat": [53.19]}, Reason.INVALID, "got array", id="a list for lat"),
        pytest.param({"lat": 10**400}, Reason.INVALID, "lat", id="an integer of 400 digits"),
        pytest.param({"satellites": 4.5}, Reason.INVALID, "satellites", id="half a satellite"),
        pytest.param({"satellites": 2**70}, Reason.OUT_OF_RANGE, "satellites", id="2**70"),
        pytest.param({"source": "sonar"}, Reason.INVALID, "source: not a known", id="source"),
        pytest.param({"kind": "smell"}, Reason.INVALID, "kind: not a known", id="unknown kind"),
        pytest.param({"kind": 3}, Reason.INVALID, "kind", id="a number for a kind"),
        pytest.param({"at": "yesterday"}, Reason.INVALID, "at: ", id="a word for a time"),
        pytest.param({"at": "2026-11-21T22:40:00"}, Reason.INVALID, "timezone", id="no offset"),
        pytest.param({"at": 1795300795}, Reason.INVALID, "at: expected datetime", id="seconds"),
        pytest.param({"at": "2026-02-30T00:00:00Z"}, Reason.INVALID, "at: ", id="30 February"),
        pytest.param({"at": "1970-01-01T00:00:00Z"}, Reason.TIME_TOO_OLD, "clock", id="1970"),
        pytest.param(
            {"at": "2027-11-21T22:40:00Z"}, Reason.TIME_IN_FUTURE, "365 days", id="next year"
        ),
        pytest.param(
            {"at": "9999-12-31T23:59:59-23:59"},
            Reason.TIME_IN_FUTURE,
            "clock",
            id="year 10000, UTC",
        ),
        pytest.param(
            {"at": "0001-01-01T00:00:00+23:59"}, Reason.TIME_TOO_OLD, "clock", id="year 0"
        ),
        pytest.param(
            {"lat": -2.88911, "lon": 53.19312},
            Reason.COORDINATES_SWAPPED,
            "exchanged",
            id="swapped coordinates",
        ),
    ],
)
def test_a_bad_reading_is_refused_with_its_reason_and_its_neighbours_are_kept(change, reason, says):
    decoded = read(message(BATTERY, {**FIX, **change}, FIX))
    assert faults(decoded) == [(reason, 1)]
    assert says in decoded.rejected[0].text
    assert [type(each) for each in decoded.readings] == [BatteryLevel, Fix]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(None, id="null"),
        pytest.param(5, id="a number"),
        pytest.param("fix", id="a word"),
        pytest.param([], id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({"kind": "fix"}, id="nothing but a kind"),
        pytest.param({"kind": "event", "at": AT, "code": ""}, id="an event without a code"),
        pytest.param({"kind": "event", "at": AT, "code": "x" * 65}, id="a code of 65 letters"),
        pytest.param(
            {"kind": "event", "at": AT, "code": "strap_cut\n"}, id="a code and a line end"
        ),
        pytest.param({"kind": "event", "at": AT, "code": "a", "state": "over"}, id="event state"),
        pytest.param({"kind": "battery", "at": AT, "percent": 101}, id="101 percent"),
        pytest.param({"kind": "battery", "at": AT, "percent": 5, "charging": 1}, id="charging 1"),
        pytest.param({"kind": "alcohol", "at": AT, "tac_g_dl": 2.01}, id="more alcohol than blood"),
        pytest.param({"kind": "alcohol", "at": AT}, id="a sample without a value"),
    ],
)
def test_a_reading_that_is_none_is_refused_alone(raw):
    decoded = read(message(raw, FIX))
    assert [each.index for each in decoded.rejected] == [0]
    assert len(decoded.readings) == 1


@pytest.mark.parametrize(
    ("payload", "reason", "says"),
    [
        pytest.param(b"", Reason.MALFORMED, "not JSON at byte 0", id="nothing"),
        pytest.param(b'{"v":1,', Reason.MALFORMED, "not JSON at byte 7", id="cut off"),
        pytest.param(b"\x00\xff\xfe\x01", Reason.MALFORMED, "not JSON", id="binary"),
        pytest.param(b'{"v":1,"device":"\xe9"}', Reason.MALFORMED, "not JSON", id="not UTF-8"),
        pytest.param(b"[1, 2]", Reason.MALFORMED, "not an object", id="a list"),
        pytest.param(b"null", Reason.MALFORMED, "not an object", id="null"),
        pytest.param(b"{}", Reason.INVALID, "missing", id="an empty object"),
        pytest.param(message(FIX, v=7), Reason.INVALID, "v: not a known", id="version 7"),
        pytest.param(message(FIX, v="1"), Reason.INVALID, "v: ", id="a word for the version"),
        pytest.param(message(FIX, device=None), Reason.INVALID, "device", id="no device"),
        pytest.param(message(FIX, device="TAG 17"), Reason.INVALID, "device", id="a blank in it"),
        pytest.param(message(FIX, device=TAG + "\n"), Reason.INVALID, "device", id="a line end"),
        pytest.param(
            message(FIX, device="\ud800"), Reason.INVALID, "device", id="half a character"
        ),
        pytest.param(
            message(FIX, device="TAG-00018"), Reason.WRONG_TOPIC, "another", id="another device"
        ),
        pytest.param(message(FIX, seq=-1), Reason.INVALID, "seq", id="a number below 0"),
        pytest.param(message(FIX, seq=2**63), Reason.INVALID, "seq", id="a number too large"),
        pytest.param(message(FIX, seq=10**400), Reason.INVALID, "seq", id="400 digits"),
        pytest.param(message(FIX, sent_at="noon"), Reason.INVALID, "sent_at", id="no time"),
        pytest.param(
            message(FIX, sent_at="0001-01-01T00:00:00+23:59"),
            Reason.OUT_OF_RANGE,
            "sent_at",
            id="sent before the year 1",
        ),
        pytest.param(
            message(FIX, sent_at="9999-12-31T23:59:59-23:59"),
            Reason.OUT_OF_RANGE,
            "sent_at",
            id="sent after the year 9999",
        ),
        pytest.param(message(), Reason.INVALID, "readings", id="no reading"),
        pytest.param(message(*[{}] * 100_001), Reason.INVALID, "readings", id="too many readings"),
        pytest.param(message(FIX, readings={}), Reason.INVALID, "readings", id="no list"),
        pytest.param(b" " * 20_000_000, Reason.TOO_LARGE, "20,000,000 bytes", id="20 MB"),
        pytest.param(b"[" * 400_000, Reason.MALFORMED, "not JSON", id="400,000 deep and cut off"),
        pytest.param(
            b'{"readings":' + b"[" * 9999 + b"]" * 9999 + b"}",
            Reason.MALFORMED,
            "",
            id="9,999 deep",
        ),
        pytest.param(
            json.dumps(message(FIX)).replace("53.19312", "9" * 5000).encode(),
            Reason.MALFORMED,
            "not JSON",
            id="an integer of 5,000 digits",
        ),
    ],
)
def test_a_message_of_which_nothing_can_be_kept(payload, reason, says):
    decoded = read(payload)
    assert (faults(decoded), decoded.readings) == ([(reason, None)], [])
    assert says in decoded.rejected[0].text


@pytest.mark.parametrize("depth", [1, 50, 500, *range(900, 1100, 7), 2000, 50_000])
def test_deep_nesting_ends_in_a_refusal_and_not_in_a_fault(depth):
    nest = b"[" * depth + b"]" * depth
    for topic, payload in (
        (TOPIC, b'{"v":1,"device":"TAG-00017","readings":[' + nest + b"]}"),
        (TOPIC, json.dumps(message({**FIX, "lat": 91})).encode()[:-1] + b',"x":' + nest + b"}"),
        (PHONE, b'{"_type":"location","tst":' + nest + b"}"),
        (PHONE, b'{"_type":' + nest + b"}"),
    ):
        decoded = decode(topic, payload, NOW, LIMITS)
        assert decoded.readings == []
        assert len(decoded.rejected) == 1


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "telemetry",
        "telemetry/v1/gw-chester",
        "telemetry/v2/gw-chester/TAG-00017",
        "telemetry/v1/gw-chester/TAG-00017/extra",
        "Telemetry/v1/gw-chester/TAG-00017",
        "status/v1",
        "status/v1/gw-chester/more",
        "owntracks/gw-chester",
        "owntracks/gw-chester/PHONE-1/event",
        "command/v1/gw-chester/TAG-00017",
        "(topic is not UTF-8)",
        "telemetry/v1\x00/gw-chester/TAG-00017",
    ],
)
def test_an_unknown_topic_is_refused_whatever_it_carries(topic):
    assert faults(read(message(FIX), topic)) == [(Reason.UNKNOWN_TOPIC, None)]


@pytest.mark.parametrize("word", [b"", b"on", b"online now, or is it", b"\xff", b"{}"])
def test_a_status_that_is_neither_word_is_refused(word):
    decoded = decode("status/v1/gw-chester", word, NOW, LIMITS)
    assert (faults(decoded), decoded.online) == ([(Reason.INVALID, None)], None)


def test_the_largest_message_that_is_allowed_and_one_byte_more():
    raw = json.dumps(message(FIX)).encode()
    assert len(read(raw.ljust(LIMITS.max_payload_bytes)).readings) == 1
    assert faults(read(raw.ljust(LIMITS.max_payload_bytes + 1))) == [(Reason.TOO_LARGE, None)]


def test_a_full_message_of_five_thousand_readings_is_kept_whole():
    assert len(read(message(*[BATTERY] * 5000)).readings) == 5000


@pytest.mark.parametrize(
    ("beside", "kept"),
    [
        pytest.param({"mood": math.nan}, 1, id="a field that nobody reads may hold anything"),
        pytest.param({"mood": math.nan, "lat": "x"}, 0, id="and is not blamed for another"),
    ],
)
def test_not_a_number_in_a_field_that_nobody_reads(beside, kept):
    decoded = read(message({**FIX, **beside}))
    assert len(decoded.readings) == kept
    assert [each.text for each in decoded.rejected] == [
        "reading 0: lat: expected number, got text"
    ] * (1 - kept)


def test_one_reading_in_ten_is_garbage_and_the_other_nine_are_kept():
    rng = random.Random(17)
    spoil = [
        lambda raw: {**raw, "lat": 91},
        lambda raw: {**raw, "lat": raw["lon"], "lon": raw["lat"]},
        lambda raw: {**raw, "at": "1970-01-01T00:00:00Z"},
        lambda raw: {**raw, "accuracy_m": "near"},
        lambda raw: {**raw, "lon": math.inf},
        list,
        lambda raw: None,
    ]
    sent, good = [], []
    for second in range(500):
        at = NOW - timedelta(seconds=500 - second)
        raw = {**FIX, "at": at.isoformat(), "lat": 53 + second / 10_000}
        bad = rng.random() < 0.1
        sent.append(rng.choice(spoil)(raw) if bad else raw)
        if not bad:
            good.append((at, raw["lat"]))
    decoded = read(message(*sent))
    assert [(each.stamp.measured_at, each.lat) for each in decoded.readings] == good
    assert len(decoded.rejected) == 500 - len(good) > 25
    bad_places = [each.index for each in decoded.rejected]
    assert len(set(bad_places)) == len(bad_places)


def test_good_messages_among_garbage_are_read_as_if_alone():
    rng = random.Random(4)
    good = json.dumps(message(FIX, BATTERY)).encode()
    for _ in range(300):
        garbage = rng.randbytes(rng.randrange(200))
        assert decode(TOPIC, garbage, NOW, LIMITS).readings == []
        assert len(read(good).readings) == 2


def test_the_gateway_and_device_of_a_refused_message_are_those_of_its_topic():
    assert read(b"not json") == Decoded(
        "gw-chester",
        TAG,
        [],
        [Rejected(Reason.MALFORMED, "the payload is not JSON at byte 0", None)],
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["fix", "location", "<NaN>", AT, "0001-01-01T00:00:00+23:59", TAG]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*FIX, *LOCATION, "v", "device", "readings", "bs", "batt"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
topics = (
    st.sampled_from([TOPIC, PHONE, "status/v1/gw-chester"])
    | st.text(max_size=40)
    | st.text(max_size=6).map(lambda name: f"telemetry/v1/gw/{name}")
    | st.text(max_size=6).map(lambda name: f"owntracks/gw/{name}")
)


def spoiled(document, value, path):
    """The document with ``value`` where the path of numbers leads."""
    if not path or not isinstance(document, dict | list) or not document:
        return value
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = keys[path[0] % len(keys)]
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = spoiled(document[key], value, path[1:])
    return copy


near_misses = st.builds(
    spoiled,
    st.sampled_from(
        [
            message(FIX, BATTERY, seq=1, sent_at=AT),
            message({"kind": "event", "at": AT, "code": "strap_cut", "state": "start"}),
            {**LOCATION, "batt": 40, "bs": 2, "vel": 3, "cog": 4, "created_at": 1795300799},
        ]
    ),
    json_values,
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
)
as_json = (near_misses | json_values).map(lambda value: json.dumps(value).encode())
broken = st.builds(
    lambda raw, cut, put: raw[: cut % (len(raw) + 1)] + put + raw[cut % (len(raw) + 1) + 1 :],
    as_json,
    st.integers(0, 500),
    st.binary(max_size=3),
)
payloads = st.binary(max_size=200) | as_json | broken


@settings(max_examples=500, deadline=None)
@example(topic=PHONE, payload=b'{"_type":["location"]}')
@example(topic=PHONE, payload=json.dumps({**LOCATION, "tst": 10**400}).encode())
@example(topic=TOPIC, payload=json.dumps(message(sent_at="0001-01-01T00:00:00+23:59")).encode())
@given(topic=topics, payload=payloads)
def test_nothing_that_is_sent_raises(topic, payload):
    decoded = decode(topic, payload, NOW, LIMITS)
    for each in decoded.rejected:
        assert each.text.strip()
        assert "Traceback" not in each.text
        each.text.encode()  # half a character would not fit the database
    # Whatever is kept can be kept: it goes through JSON and its times are UTC.
    for reading in decoded.readings:
        assert msgspec.convert(msgspec.to_builtins(reading), type(reading)) == reading
        assert reading.stamp.measured_at.tzinfo is not None
        assert reading.stamp.measured_at.utcoffset() == timedelta(0)


# Nobody is there: distinct enough to be found again wherever it is repeated.
LAT, LON = 54.98765, -1.23456
SECRETS = ("54.98", "1.2345", "98765", "23456", "Acacia", "900123")
private_values = st.sampled_from(
    [LAT, LON, str(LAT), f"{LAT},{LON}", [LAT, LON], {"lat": LAT}, "9 Acacia Avenue", "07700900123",
     {f"{LAT}": math.nan}, f"x - at `{LAT}", f"`{LAT}`", f"'\n{LAT}", LAT * 1e6, -LON * 1e9]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@example(  # a field's name is the sender's too
    document=message({**FIX, f"{LAT}": math.nan, "lat": "x"}), value=None, path=[0]
)
@example(document=message({**FIX, "kind": f"x - at `{LAT}"}), value=1, path=[2, 0, 5])
@given(
    document=st.sampled_from(
        [
            message(FIX, {**FIX, "lat": LAT, "lon": LON}, BATTERY, seq=1, sent_at=AT),
            message({**FIX, "lat": LON, "lon": LAT}, {**FIX, "lat": LAT, "lon": LON, "at": "1970"}),
            {**LOCATION, "lat": LAT, "lon": LON, "batt": 40, "bs": 2, "vel": 3, "cog": 4},
            {**LOCATION, "lat": LON, "lon": LAT},
        ]
    ),
    value=private_values | json_values,
    path=st.lists(st.integers(0, 9), min_size=1, max_size=3),
)
def test_a_reason_never_repeats_what_was_sent(document, value, path):
    for sent in (document, spoiled(document, value, path)):
        raw = json.dumps(sent).encode()
        for topic, payload in ((TOPIC, raw), (PHONE, raw), (TOPIC, raw[:-3])):
            for each in decode(topic, payload, NOW, LIMITS).rejected:
                assert not [secret for secret in SECRETS if secret in each.text]


@given(document=near_misses)
def test_a_message_taken_apart_keeps_what_the_whole_would_have_kept(document):
    """A NaN beside a good message sends it the slow way round; the readings are the same."""
    whole = read(document)
    if isinstance(document, dict) and "readings" in document:
        slow = read({**document, "nobody_reads_this": math.nan})
        assert (slow.readings, slow.rejected) == (whole.readings, whole.rejected)
