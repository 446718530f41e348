"""The project's own message format, version 1: wire types, JSON Schema and decoding.

The wire types are the contract for gateway makers (``navigate-safer schema telemetry``). A
message that fits them decodes in one pass; any other is taken apart so that the good readings in
it are kept and each bad one gets a reason.

CBOR as a second encoding was measured and is not there. By cbor2 6.3 on CPython 3.11 a message of
one fix is 209 bytes instead of 248, and costs 3.6 µs of CPU to decode and validate instead of 1.1;
one of sixty is 8,588 bytes instead of 9,853, and costs 92 µs instead of 19.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta

from devices.rejection import Reason, Rejected

Aware = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset, such as Z")]
# Without the look-ahead Python lets a line end follow the name; JSON Schema's `$` does not.
DeviceRef = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)", description="the device's name")
]


# A device that was away for a month and kept a fix a minute sends 44,640 of them; a gateway may put
# all of them into one message.
MOST_READINGS = 100_000


class WireReading(msgspec.Struct, frozen=True, tag_field="kind", gc=False):
    """Base of the four kinds of reading."""


class WireFix(WireReading, frozen=True, tag="fix", gc=False):
    """A position."""

    at: Aware
    lat: Annotated[float, Meta(ge=-90, le=90, description="degrees north, WGS 84")]
    lon: Annotated[float, Meta(ge=-180, le=180, description="degrees east, WGS 84")]
    accuracy_m: Annotated[
        float, Meta(ge=0, le=200_000, description="radius that holds the truth 95 % of the time")
    ]
    source: Literal["gps", "rf", "wifi", "lbs"] = "gps"
    speed_kmh: Annotated[float, Meta(ge=0, le=2_000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    satellites: Annotated[int, Meta(ge=0, le=200)] | None = None
    hdop: Annotated[float, Meta(ge=0, le=500)] | None = None


class WireAlcohol(WireReading, frozen=True, tag="alcohol", gc=False):
    """A transdermal alcohol sample."""

    at: Aware
    tac_g_dl: Annotated[float, Meta(ge=-0.05, le=2, description="grams per decilitre")]
    ir_v: Annotated[float, Meta(ge=0, le=20)] | None = None
    skin_temp_c: Annotated[float, Meta(ge=-60, le=90)] | None = None


class WireEvent(WireReading, frozen=True, tag="event", gc=False):
    """Something the device noticed, such as ``strap_tamper``."""

    at: Aware
    code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,64}$(?!\n)")]
    state: Literal["start", "end", "none"] = "none"


class WireBattery(WireReading, frozen=True, tag="battery", gc=False):
    """Charge of the battery."""

    at: Aware
    percent: Annotated[float, Meta(ge=0, le=100)]
    charging: bool | None = None


Wire = WireFix | WireAlcohol | WireEvent | WireBattery


class Envelope(msgspec.Struct, frozen=True):
    """One message: one device, one to many readings."""

    v: Literal[1]
    device: DeviceRef
    readings: Annotated[list[Wire], Meta(min_length=1, max_length=MOST_READINGS)]
    seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    sent_at: Aware | None = None


class _Loose(msgspec.Struct, frozen=True):
    """The envelope with its readings still unread."""

    v: Literal[1]
    device: DeviceRef
    readings: Annotated[list[Any], Meta(min_length=1, max_length=MOST_READINGS)]
    seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    sent_at: Aware | None = None


class Unpacked(msgspec.Struct, frozen=True):
    """A message taken apart; ``readings`` keeps each good reading with its place in the message."""

    device: str
    seq: int | None
    sent_at: datetime | None
    readings: list[tuple[int, Wire]]
    rejected: list[Rejected]


class MessageRefused(Exception):
    """The whole message is refused, for the reason inside."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.text)
        self.rejected = rejected


def refuse(reason: Reason, text: str) -> NoReturn:
    """Raise :class:`MessageRefused`."""
    raise MessageRefused(Rejected(reason, text))


_strict = msgspec.json.Decoder(Envelope)
# A message that fits the wire types; raises msgspec's errors for any other.
decode_strictly: Callable[[bytes], Envelope] = _strict.decode


def unpack(payload: bytes) -> Unpacked:
    """Decode a message. Raises :class:`MessageRefused` where nothing in it can be kept."""
    try:
        envelope = decode_strictly(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _salvage(payload)
    kept = list(enumerate(envelope.readings))
    return Unpacked(envelope.device, envelope.seq, envelope.sent_at, kept, [])


def load_leniently(payload: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """JSON that may hold NaN or Infinity, which JSON forbids and senders write all the same.

    They come back as the marker strings of :data:`_NOT_FINITE`, so that only the reading that
    holds one is refused.
    """
    try:
        return json.loads(payload, parse_constant=lambda word: f"<{word}>")
    except (ValueError, RecursionError) as fault:
        where = f" at byte {fault.pos}" if isinstance(fault, json.JSONDecodeError) else ""
        refuse(Reason.MALFORMED, f"the payload is not JSON{where}")


def _salvage(payload: bytes) -> Unpacked:
    document = load_leniently(payload)
    if not isinstance(document, dict):
        refuse(Reason.MALFORMED, "the payload is JSON but not an object")
    try:
        loose = msgspec.convert(document, _Loose)
    except msgspec.ValidationError as fault:
        refuse(Reason.INVALID, say(str(fault)))
    except UnicodeEncodeError:
        refuse(Reason.MALFORMED, _HALF_A_CHARACTER)
    kept: list[tuple[int, Wire]] = []
    rejected: list[Rejected] = []
    for index, raw in enumerate(loose.readings):
        try:
            kept.append((index, msgspec.convert(raw, Wire)))
        except msgspec.ValidationError as fault:
            rejected.append(_reading_fault(index, raw, str(fault)))
        except UnicodeEncodeError:
            text = f"reading {index}: {_HALF_A_CHARACTER}"
            rejected.append(Rejected(Reason.MALFORMED, text, index))
    return Unpacked(loose.device, loose.seq, loose.sent_at, kept, rejected)


# JSON can escape one half of a surrogate pair; no encoding can write it.
_HALF_A_CHARACTER = "a text in it holds half a character"
_NOT_FINITE = ("<NaN>", "<Infinity>", "<-Infinity>")
_FIELDS = frozenset(
    name
    for kind in (WireFix, WireAlcohol, WireEvent, WireBattery)
    for name in kind.__struct_fields__
)


def _reading_fault(index: int, raw: object, fault: str) -> Rejected:
    # A field of no kind of reading is not read, so it is at fault in nothing, and its name may
    # hold anything.
    values = raw.items() if isinstance(raw, dict) else ()
    for name, value in values:
        if name not in _FIELDS:
            continue
        if value in _NOT_FINITE or value in (float("inf"), float("-inf")):
            shown = str(value).strip("<>")
            text = f"reading {index}: {name} is {shown}, not a finite number"
            return Rejected(Reason.NOT_FINITE, text, index)
    reason = Reason.OUT_OF_RANGE if re.search("[<>]=", fault) else Reason.INVALID
    return Rejected(reason, f"reading {index}: {say(fault)}", index)


def say(fault: str) -> str:
    """Msgspec's message in plain words: field first, no back-ticks, no dollar path."""
    # The last one: a value that was sent may hold the same words.
    what, found, path = fault.rpartition(" - at `")
    if not found:
        what, path = path, ""
    field = path.strip("`").removeprefix("$.").removeprefix("$")
    # A value somebody sent is not repeated: it may hold what a reader here must not see.
    what = re.sub(r"[Ii]nvalid (enum )?value .*", "not a known value", what, flags=re.DOTALL)
    what = re.sub(r" matching regex .*", " of the form that the schema gives", what)
    what = what.replace("`", "").replace("Object missing required field", "missing")
    what = what.replace("Expected", "expected").replace("float", "number").replace("str", "text")
    return f"{field}: {what}" if field else what


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a message."""
    schema = msgspec.json.schema(Envelope)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:navigate-safer:telemetry:v1",
        "title": "Navigate Safer telemetry, version 1",
        **schema,
    }
