"""The columns say of a message what the codec says of it, or leave it to the codec."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import columns
from devices.codec import decode
from devices.columns import NO_TIME_US, NONE, FixColumns
from devices.quality import Doubt, QualityLimits, doubts
from devices.readings import Fix, FixSource, Reading, Stamp

LIMITS = QualityLimits()
RECEIVED = datetime(2026, 11, 22, 0, 30, 0, 123_457, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOPIC = "telemetry/v1/gw-west/TAG-1"


class Arrived(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    received_at: datetime


# Times about the receipt, about the limits of what is believed, and anywhere at all.
near = st.timedeltas(timedelta(days=-46), timedelta(days=2))
edges = st.sampled_from(
    [timedelta(0), timedelta(seconds=60), timedelta(days=1), timedelta(days=-45),
     timedelta(minutes=-10), timedelta(microseconds=1), timedelta(days=-3_000)]
)  # fmt: skip
offsets = st.sampled_from(["+00:00", "Z", "+01:00", "-11:30", "+14:00"])
tenths = st.floats(0, 360) | st.integers(0, 3_600).map(lambda n: n / 20)


@st.composite
def times(draw) -> str:
    at = RECEIVED + draw(near) + draw(edges) * draw(st.sampled_from([0, 1, 1]))
    text = at.replace(tzinfo=None).isoformat()
    return draw(st.just(text + draw(offsets)) | st.sampled_from(
        ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-22T00:00:00", "soon"]
    )) if draw(st.integers(0, 19)) == 0 else text + draw(offsets)  # fmt: skip


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 500)
degrees = st.floats(49, 61) | st.floats(-9, 2) | st.decimals(-90, 90, places=9).map(float)
accuracies = st.floats(0, 400) | st.floats(0, 200_000) | st.sampled_from(
    [0, 0.05, 0.15, 3_276.7, 3_276.75, 3_281.65, 149.95, 150.05, 200_000, 200_001]
)  # fmt: skip


@st.composite
def fixes(draw) -> dict[str, object]:
    reading: dict[str, object] = {
        "kind": "fix", "at": draw(times()), "lat": draw(degrees), "lon": draw(degrees),
        "accuracy_m": draw(accuracies),
    }  # fmt: skip
    for name, values in (
        ("source", st.sampled_from(["gps", "rf", "wifi", "lbs"])),
        ("speed_kmh", tenths), ("heading_deg", tenths),
        ("satellites", st.integers(0, 200)), ("hdop", st.floats(0, 500)),
    ):  # fmt: skip
        if draw(st.booleans()):
            reading[name] = draw(values | st.none())
    if draw(st.integers(0, 15)) == 0:
        reading[draw(st.sampled_from(sorted(reading)))] = draw(numbers | st.text(max_size=3))
    return reading


others = st.sampled_from(
    [{"kind": "battery", "at": RECEIVED.isoformat(), "percent": 41},
     {"kind": "event", "at": RECEIVED.isoformat(), "code": "strap_tamper"}, {"kind": "fix"}, 7]
)  # fmt: skip


@st.composite
def messages(draw) -> Arrived:
    readings: list[object] = draw(st.lists(fixes(), min_size=1, max_size=4))
    if draw(st.integers(0, 7)) == 0:
        readings.append(draw(others))
    document: dict[str, object] = {"v": 1, "device": "TAG-1", "readings": readings}
    if draw(st.booleans()):
        document["sent_at"] = draw(times())
    if draw(st.booleans()):
        document["seq"] = draw(st.integers(0, 2**63 - 1))
    topic = draw(st.sampled_from([TOPIC] * 6 + [
        "telemetry/v1/gw-west/TAG-2", "telemetry/v1/a/b/TAG-1", "owntracks/gw-west/TAG-1",
        "telemetry/v1//TAG-1", "telemetry/v1/TAG-1",
    ]))  # fmt: skip
    payload = json.dumps(document).encode()
    if draw(st.integers(0, 15)) == 0:
        payload = payload[: draw(st.integers(0, len(payload)))]
    return Arrived(topic, payload, RECEIVED + draw(st.timedeltas(timedelta(0), timedelta(1))))


def taken_apart(fixes: FixColumns) -> list[tuple[int, Reading, Doubt]]:
    """The columns as the readings of the codec, each with its message's place and its doubts."""

    def at(us: int) -> datetime:
        return EPOCH + timedelta(microseconds=int(us))

    def tenth(value: int) -> float | None:
        return None if value == NONE else value / 10

    names = FixColumns.__struct_fields__
    rows = zip(*(getattr(fixes, name).tolist() for name in names), strict=True)
    found = []
    for values in rows:
        row = dict(zip(names, values, strict=True))
        sent_at = None if row["sent_us"] == NO_TIME_US else at(row["sent_us"])
        stamp = Stamp("TAG-1", at(row["measured_us"]), sent_at, at(row["received_us"]))
        fix = Fix(
            stamp, row["lat_e7"] / 1e7, row["lon_e7"] / 1e7, row["accuracy_m"],
            FixSource(row["source"]), tenth(row["speed_dkmh"]), tenth(row["heading_ddeg"]),
            None if row["satellites"] == NONE else row["satellites"], tenth(row["hdop_tenths"]),
        )  # fmt: skip
        found.append((row["message"], fix, Doubt(row["doubts"])))
    return found


def by_the_codec(batch: list[Arrived], places: list[int]) -> list[tuple[int, Reading, Doubt]]:
    found = []
    for place in places:
        each = batch[place]
        decoded = decode(each.topic, each.payload, each.received_at, LIMITS)
        assert decoded.rejected == [], "what is refused is for the codec to say"
        for reading in decoded.readings:
            # The sender's number of a message is kept by neither.
            stamp = msgspec.structs.replace(reading.stamp, seq=None)
            told = msgspec.structs.replace(reading, stamp=stamp)
            found.append((place, told, doubts(reading, LIMITS)))
    return found


@settings(max_examples=settings.default.max_examples * 3)
@given(st.lists(messages(), max_size=6))
def test_what_the_columns_take_is_what_the_codec_reads(batch):
    split = columns.split(batch, LIMITS)
    taken = sorted(set(range(len(batch))) - set(split.left))
    assert sorted({*split.fixes.message.tolist()}) == taken, "each message is taken or left"
    assert taken_apart(split.fixes) == by_the_codec(batch, taken)


def plain(*readings: dict[str, object], topic: str = TOPIC, **more: object) -> Arrived:
    document = {"v": 1, "device": "TAG-1", "readings": list(readings), **more}
    return Arrived(topic, json.dumps(document).encode(), RECEIVED)


FIX = {"kind": "fix", "at": "2026-11-22T00:29:58Z", "lat": 53.19, "lon": -2.89, "accuracy_m": 8}


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(plain(FIX, {**FIX, "lat": 91}), id="a reading that is refused"),
        pytest.param(plain({**FIX, "lat": -2.89, "lon": 53.19}), id="exchanged coordinates"),
        pytest.param(plain({**FIX, "at": "2026-11-24T00:00:00Z"}), id="two days ahead"),
        pytest.param(plain({**FIX, "at": "2026-09-22T00:00:00Z"}), id="two months old"),
        pytest.param(plain(FIX, topic="telemetry/v1/gw-west/TAG-2"), id="another's topic"),
        pytest.param(plain(FIX, sent_at="0001-01-01T00:00:00+14:00"), id="before all time"),
        pytest.param(plain(FIX, device="TAG\n1"), id="a name that is none"),
        pytest.param(Arrived(TOPIC, b"[" * 100_000, RECEIVED), id="nested deep"),
        pytest.param(Arrived(TOPIC, b" " * 20_000_000, RECEIVED), id="20 MB"),
        pytest.param(plain({"kind": "battery", "at": FIX["at"], "percent": 4}), id="no fix"),
    ],
)
def test_an_odd_message_is_left_and_its_neighbours_are_read_either_way(odd):
    batch = [plain(FIX), odd, plain({**FIX, "at": "2026-11-22T00:29:59Z"})]
    split = columns.split(batch, LIMITS)
    assert 1 in split.left
    assert len(split.fixes) + sum(
        len(decode(batch[n].topic, batch[n].payload, RECEIVED, LIMITS).readings)
        for n in split.left if n != 1
    ) == 2  # fmt: skip


def test_nothing_at_all_is_split_into_nothing():
    split = columns.split([], LIMITS)
    assert (len(split.fixes), split.left) == (0, [])
