"""The published JSON Schema says what the decoder does, and where it cannot, that is named here."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from devices import native
from devices.codec import decode
from devices.native import json_schema
from devices.quality import QualityLimits
from devices.readings import kind_of

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
TAG = "TAG-00017"
TOPIC = f"telemetry/v1/gw-chester/{TAG}"
AT = "2026-11-21T22:39:55Z"
FIX = {"kind": "fix", "at": AT, "lat": 53.19312, "lon": -2.88911, "accuracy_m": 12}


def message(*readings, **changes):
    return {"v": 1, "device": TAG, "readings": list(readings), **changes}


def read(document):
    return decode(TOPIC, json.dumps(document).encode(), NOW, QualityLimits())


def accepted(document):
    """Whether the decoder keeps every reading."""
    return not read(document).rejected


def test_it_is_itself_valid():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"].endswith("telemetry:v1")


def test_it_names_every_field_of_every_kind_of_reading():
    definitions = SCHEMA["$defs"]
    for wire in (native.WireFix, native.WireAlcohol, native.WireEvent, native.WireBattery):
        properties = set(definitions[wire.__name__]["properties"])
        assert properties == {"kind", *wire.__struct_fields__}
    assert set(definitions["Envelope"]["properties"]) == set(native.Envelope.__struct_fields__)


def test_its_patterns_are_of_the_dialect_that_both_languages_share():
    # No \Z, \A or named groups: ECMA-262 does not know them.
    patterns = re.findall(r'"pattern": (".*?[^\\]")', json.dumps(SCHEMA))
    assert len(patterns) == 2
    for pattern in patterns:
        assert not re.search(r"\\[AZz]|\(\?P", json.loads(pattern))


@pytest.mark.parametrize(
    "name", ["native-v1-location-tag.jsonl", "native-v1-alcohol-monitor.jsonl"]
)
def test_captured_messages_validate_where_every_reading_is_kept(name):
    path = Path(__file__).parent.parent / "data" / name
    seen = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        captured = json.loads(line)
        if "payload" not in captured:
            continue
        seen += 1
        in_schema = VALIDATOR.is_valid(captured["payload"])
        if not captured["expected"]["rejected"]:
            assert in_schema, captured["situation"]
    assert seen >= 3


def finite(low, high):
    return st.floats(low, high) | st.integers(int(low), int(high))


def optional(**fields):
    return st.fixed_dictionaries(
        {}, optional={name: st.none() | values for name, values in fields.items()}
    )


offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
times = st.builds(
    lambda seconds, offset: (NOW - timedelta(seconds=seconds)).astimezone(offset).isoformat(),
    st.floats(0, 40 * 86_400),
    offsets,
)


def reading(kind, required, more):
    return st.builds(
        lambda parts, extra: {"kind": kind, **parts, **extra},
        st.fixed_dictionaries({"at": times, **required}),
        more,
    )


readings = st.one_of(
    reading(
        "fix",
        {"lat": finite(-90, 90), "lon": finite(-180, 180), "accuracy_m": finite(0, 200_000)},
        optional(
            speed_kmh=finite(0, 2000),
            heading_deg=finite(0, 360),
            satellites=st.integers(0, 200),
            hdop=finite(0, 500),
        ),
    ),
    reading(
        "alcohol",
        {"tac_g_dl": st.floats(-0.05, 2)},
        optional(ir_v=finite(0, 20), skin_temp_c=finite(-60, 90)),
    ),
    reading(
        "event",
        {"code": st.from_regex(r"[A-Za-z0-9_]{1,64}", fullmatch=True)},
        st.fixed_dictionaries({}, optional={"state": st.sampled_from(["start", "end", "none"])}),
    ),
    reading("battery", {"percent": finite(0, 100)}, optional(charging=st.booleans())),
)
messages = st.builds(
    lambda readings, more, extra: {**extra, **message(*readings), **more},
    st.lists(readings, min_size=1, max_size=4),
    optional(seq=st.integers(0, 2**63 - 1), sent_at=times),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers(), max_size=2),
)


@settings(max_examples=150, deadline=None)
@given(document=messages)
def test_what_is_written_by_the_rules_validates_and_decodes(document):
    VALIDATOR.validate(document)
    decoded = read(document)
    # A fix that is at home in Britain only with its coordinates exchanged is the decoder's to tell.
    assert {each.reason.value for each in decoded.rejected} <= {"coordinates_swapped"}
    written = [each["kind"] for each in document["readings"]]
    refused = {each.index for each in decoded.rejected}
    kept = [kind for place, kind in enumerate(written) if place not in refused]
    assert [kind_of(each) for each in decoded.readings] == kept


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    # The schema takes 9.0 for an integer and the decoder does not; see the gaps below.
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number % 1 != 0),
    st.sampled_from(["", "gps", "fix", "start", "none", "a b", "strap_cut", "x" * 65, "GPS"]),
    st.just([]),
    st.just({}),
    st.sampled_from([-90, -90.5, 90.5, 180.5, 181, 200_001, 2001, 361, 201, 501, 2.5, -0.06, 101]),
)


@st.composite
def nearly_valid(draw):
    """A good message with a field of it, or of a reading of it, changed or left out."""
    document = draw(messages)
    target = draw(st.sampled_from([document, *document["readings"]]))
    # Times stay times: the schema says "date-time" and does not look inside.
    names = [name for name in target if name not in ("at", "sent_at")]
    name = draw(st.sampled_from(names))
    if draw(st.booleans()):
        target[name] = draw(values)
    else:
        del target[name]
    return document


@settings(max_examples=300, deadline=None)
@given(document=nearly_valid())
def test_what_does_not_decode_does_not_validate_and_the_reverse(document):
    decoded = read(document)
    beyond = {"coordinates_swapped", "wrong_topic"}
    refused = {each.reason.value for each in decoded.rejected} - beyond
    assert VALIDATOR.is_valid(document) == (not refused)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(message({**FIX, "at": "yesterday"}), id="a time that is none"),
        pytest.param(message({**FIX, "at": "2026-11-21T22:39:55"}), id="a time without offset"),
        pytest.param(message({**FIX, "at": "1970-01-01T00:00:00Z"}), id="1970"),
        pytest.param(message({**FIX, "lat": -2.9, "lon": 53.2}), id="swapped coordinates"),
        pytest.param(message({**FIX, "satellites": 9.0}), id="a whole number written 9.0"),
        pytest.param(message(FIX, v=1.0), id="version 1.0"),
        pytest.param(message(FIX, device="TAG-00018"), id="a device that its topic does not name"),
    ],
)
def test_a_known_gap_the_schema_allows_what_the_decoder_refuses(document):
    assert VALIDATOR.is_valid(document)
    assert not accepted(document)


def test_a_known_gap_the_decoder_takes_what_no_schema_can_see():
    # NaN and Infinity are no JSON; the decoder reads round them to keep the good neighbours.
    raw = json.dumps(message(FIX, {**FIX, "lat": float("nan")})).encode()
    assert len(decode(TOPIC, raw, NOW, QualityLimits()).readings) == 1
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw)


def test_the_limits_of_the_schema_are_those_of_the_decoder_to_the_last_value():
    for name, low, high in (("lat", -90, 90), ("lon", -180, 180), ("accuracy_m", 0, 200_000)):
        for value, inside in ((low, True), (high, True), (low - 1e-6, False), (high + 1e-6, False)):
            document = message({**FIX, name: value})
            assert VALIDATOR.is_valid(document) is accepted(document) is inside
