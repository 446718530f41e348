"""The wire format of commands and acknowledgements, and the life of a command."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.command import (
    ACK_MOVES,
    CommandKind,
    CommandMove,
    CommandState,
    StandingText,
    after,
    command,
    decode_ack,
    json_schemas,
    topic,
)
from devices.rejection import Reason

NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)
NAME = "0123456789abcdef" * 2
S, M = CommandState, CommandMove


def ack(**changes):
    return json.dumps({"v": 1, "id": NAME, "status": "received", **changes}).encode()


def test_a_locate_says_what_until_when_and_nothing_of_anybody():
    sent = json.loads(command(NAME, CommandKind.LOCATE, NOW, LATER))
    assert sent == {
        "v": 1, "id": NAME, "kind": "locate",
        "issued_at": "2026-11-21T22:40:00Z", "expires_at": "2026-11-21T22:43:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("text", StandingText)
def test_each_text_of_the_list_fits_a_small_screen_and_says_no_place_and_no_offence(text):
    assert len(text.words) <= 48
    assert not {"zone", "order", "police", "probation", "offend"} & set(text.words.lower().split())
    sent = json.loads(command(NAME, CommandKind.MESSAGE, NOW, LATER, text))
    assert (sent["message"], sent["text"], sent["language"]) == (text.value, text.words, "en")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param(CommandKind.MESSAGE, None, id="a message without its text"),
        pytest.param(CommandKind.LOCATE, StandingText.CHARGE, id="a locate with one"),
    ],
)
def test_a_text_goes_with_a_message_and_nothing_else(kind, text):
    with pytest.raises(ValueError, match="kind message"):
        command(NAME, kind, NOW, LATER, text)


def test_the_published_schema_takes_what_is_sent_and_what_is_decoded():
    schema = jsonschema.Draft202012Validator(json_schemas())
    for kind in (CommandKind.LOCATE, CommandKind.VIBRATE):
        schema.validate(json.loads(command(NAME, kind, NOW, LATER)))
    schema.validate(json.loads(command(NAME, CommandKind.MESSAGE, NOW, LATER, StandingText.CHARGE)))
    for status in ACK_MOVES:
        schema.validate(json.loads(ack(status=status)))
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(json.loads(ack(status="fine")))


def test_topics():
    assert topic("gw-1", "TAG-1") == "command/v1/gw-1/TAG-1"
    heard = decode_ack("ack/v1/gw-1/TAG-1", ack(reason="battery_low", at="2026-11-21T22:40:02Z"))
    assert (heard.gateway, heard.device, heard.ack.reason) == ("gw-1", "TAG-1", "battery_low")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(ack(id="x"), Reason.INVALID, id="an id of another form"),
        pytest.param(ack(id=NAME + "\n"), Reason.INVALID, id="an id and a line end"),
        pytest.param(ack(status="ok"), Reason.INVALID, id="an unknown status"),
        pytest.param(ack(v=2), Reason.INVALID, id="another version"),
        pytest.param(ack(at="2026-11-21T22:40:02"), Reason.INVALID, id="a time without an offset"),
        pytest.param(ack(reason="see 12 High St; 01244 496"), Reason.INVALID, id="a free text"),
        pytest.param(b"{", Reason.MALFORMED, id="no JSON"),
        pytest.param(b"\xff", Reason.MALFORMED, id="not UTF-8"),
        pytest.param(ack(note="x" * 5_000), Reason.TOO_LARGE, id="too large"),
    ],
)
def test_a_bad_acknowledgement_has_a_reason(payload, reason):
    heard = decode_ack("ack/v1/gw-1/TAG-1", payload)
    assert heard.ack is None
    assert heard.rejected.reason is reason


@given(st.text(), st.binary(max_size=200))
def test_nothing_that_can_be_sent_raises(where, payload):
    heard = decode_ack(where, payload)
    assert (heard.ack is None) == (heard.rejected is not None)


@pytest.mark.parametrize("state", [each for each in S if not each.live])
@pytest.mark.parametrize("move", M)
def test_what_is_over_stays_over(state, move):
    assert after(state, move) is None


@pytest.mark.parametrize(
    ("state", "move", "then"),
    [
        pytest.param(S.QUEUED, M.SEND, S.SENT, id="the broker has it"),
        pytest.param(S.SENT, M.SEND, None, id="sent twice"),
        pytest.param(S.DELIVERED, M.SEND, None, id="the record of sending comes late"),
        pytest.param(S.QUEUED, M.DELIVER, S.DELIVERED, id="the device was quicker"),
        pytest.param(S.SENT, M.DELIVER, S.DELIVERED, id="the device has it"),
        pytest.param(S.DELIVERED, M.DELIVER, None, id="it says so twice"),
        pytest.param(S.SENT, M.ANSWER, S.ANSWERED, id="an answer without a word before"),
        pytest.param(S.DELIVERED, M.EXPIRE, S.EXPIRED, id="no answer"),
    ],
)
def test_transitions(state, move, then):
    assert after(state, move) is then


@given(st.lists(st.sampled_from(M), max_size=12))
def test_a_command_only_ever_goes_forward(moves):
    order = [S.QUEUED, S.SENT, S.DELIVERED]
    state = S.QUEUED
    for move in moves:
        then = after(state, move)
        if then is None:
            continue
        assert state.live
        assert not then.live or order.index(then) > order.index(state)
        state = then
