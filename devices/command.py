"""Commands to a device and its acknowledgements: the wire format, version 1, and a command's life.

Down: ``command/v1/<gateway>/<device>``, QoS 1, one command a message, with MQTT 5's message
expiry where the broker has it. Up: ``ack/v1/<gateway>/<device>``, QoS 1. A device does a command
once however often it arrives (``id``), and none after ``expires_at``. A locate is answered by an
ordinary fix on the telemetry topic, measured after the command was issued.

Texts to a device are a fixed list. A free text would be a letter to the wearer that nobody else
has read, on a screen that others see; and a text about a place could tell where a victim lives.
"""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from devices.native import Aware, MessageRefused, refuse, say
from devices.rejection import Reason, Rejected

COMMAND = "command/v1"
ACK = "ack/v1"
ACK_SUBSCRIPTIONS = (f"{ACK}/+/+",)
MOST_ACK_BYTES = 4_096
# Texts are English; the field tells a device with several languages which one it was given.
LANGUAGE = "en"


class CommandKind(Enum):
    """What a device can be asked to do."""

    LOCATE = "locate"
    VIBRATE = "vibrate"
    MESSAGE = "message"

    @property
    def acts_on_wearer(self) -> bool:
        """Whether the wearer feels or reads it."""
        return self is not CommandKind.LOCATE


class StandingText(Enum):
    """The texts a device may show; none names a person, a place, an order or an offence."""

    CHARGE = "charge"
    CALL_OFFICER = "call_officer"
    OPEN_SKY = "open_sky"
    CHECK_STRAP = "check_strap"

    @property
    def words(self) -> str:
        """What the screen shows."""
        return _WORDS[self]


_WORDS = {
    StandingText.CHARGE: "Charge this device now.",
    StandingText.CALL_OFFICER: "Call your officer now.",
    StandingText.OPEN_SKY: "No signal. Go outside or to a window.",
    StandingText.CHECK_STRAP: "Check the strap, then call your officer.",
}

_Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="the command's name")]


class WireCommand(msgspec.Struct, frozen=True, omit_defaults=True):
    """One command. ``message`` and ``text`` only with kind ``message``: the list's name, words."""

    v: Literal[1]
    id: _Id
    kind: Literal["locate", "vibrate", "message"]
    issued_at: Aware
    expires_at: Aware
    message: str | None = None
    text: str | None = None
    language: str | None = None


class WireAck(msgspec.Struct, frozen=True):
    """A device's word on a command.

    ``received``: it has it. ``done``: the wearer has felt or been shown it. ``refused`` and
    ``failed`` end it, with a reason in a word or two, such as ``battery_low``.
    """

    v: Literal[1]
    id: _Id
    status: Literal["received", "done", "refused", "failed"]
    at: Aware | None = None
    reason: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_ -]{1,40}$(?!\n)")] | None = None


class CommandState(Enum):
    """Where a command stands."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    EXPIRED = "expired"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def live(self) -> bool:
        """Whether something is still waited for."""
        return self in (CommandState.QUEUED, CommandState.SENT, CommandState.DELIVERED)


class CommandMove(Enum):
    """What can happen to a command."""

    SEND = "send"
    DELIVER = "deliver"
    ANSWER = "answer"
    EXPIRE = "expire"
    REFUSE = "refuse"
    FAIL = "fail"


ACK_MOVES = {
    "received": CommandMove.DELIVER,
    "done": CommandMove.ANSWER,
    "refused": CommandMove.REFUSE,
    "failed": CommandMove.FAIL,
}
_ENDS = {
    CommandMove.ANSWER: CommandState.ANSWERED,
    CommandMove.EXPIRE: CommandState.EXPIRED,
    CommandMove.REFUSE: CommandState.REFUSED,
    CommandMove.FAIL: CommandState.FAILED,
}


def after(state: CommandState, move: CommandMove) -> CommandState | None:
    """The state after a move, or None where it is refused: it is over, or was so far already.

    A device may answer before the broker's acknowledgement is written down, so every live state
    takes every later move.
    """
    if not state.live:
        return None
    if move is CommandMove.SEND:
        return CommandState.SENT if state is CommandState.QUEUED else None
    if move is CommandMove.DELIVER:
        return None if state is CommandState.DELIVERED else CommandState.DELIVERED
    return _ENDS[move]


class Acknowledgement(msgspec.Struct, frozen=True):
    """An acknowledgement as it came; ``rejected`` where it could not be read."""

    gateway: str
    device: str | None
    ack: WireAck | None
    rejected: Rejected | None = None


def topic(gateway: str, device: str) -> str:
    """Where a command for a device behind a gateway goes."""
    return f"{COMMAND}/{gateway}/{device}"


def command(
    name: str,
    kind: CommandKind,
    issued_at: datetime,
    expires_at: datetime,
    text: StandingText | None = None,
) -> bytes:
    """One command as JSON. ``text`` belongs to kind message; raises ValueError otherwise."""
    if (text is not None) != (kind is CommandKind.MESSAGE):
        raise ValueError("a text goes with kind message, and with no other")
    return msgspec.json.encode(
        WireCommand(
            v=1,
            id=name,
            kind=kind.value,
            issued_at=issued_at.astimezone(UTC),
            expires_at=expires_at.astimezone(UTC),
            message=None if text is None else text.value,
            text=None if text is None else text.words,
            language=None if text is None else LANGUAGE,
        )
    )


_acks = msgspec.json.Decoder(WireAck)


def decode_ack(topic: str, payload: bytes) -> Acknowledgement:
    """Decode one acknowledgement. Never raises for anything a sender can do."""
    gateway, device = "", None
    try:
        parts = topic.split("/")
        if not topic.startswith(ACK + "/") or len(parts) != 4:
            refuse(Reason.UNKNOWN_TOPIC, "no message format belongs to this topic")
        gateway, device = parts[2], parts[3]
        if len(payload) > MOST_ACK_BYTES:
            text = f"{len(payload):,} bytes; the limit is {MOST_ACK_BYTES:,}"
            refuse(Reason.TOO_LARGE, text)
        return Acknowledgement(gateway, device, _acks.decode(payload))
    except MessageRefused as fault:
        return Acknowledgement(gateway, device, None, fault.rejected)
    except msgspec.ValidationError as fault:
        return Acknowledgement(gateway, device, None, Rejected(Reason.INVALID, say(str(fault))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rejected = Rejected(Reason.MALFORMED, "the acknowledgement is not JSON")
        return Acknowledgement(gateway, device, None, rejected)


def json_schemas() -> dict[str, Any]:
    """JSON Schema (2020-12) of a command and of an acknowledgement."""
    (command_ref, ack_ref), parts = msgspec.json.schema_components(
        [WireCommand, WireAck], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:navigate-safer:command:v1",
        "title": "Navigate Safer commands and acknowledgements, version 1",
        "oneOf": [command_ref, ack_ref],
        "$defs": parts,
    }
