"""How the demonstration's devices answer: as real ones would, or not at all."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import json

from devices.codec import decode
from devices.command import CommandKind, StandingText, command, decode_ack
from devices.quality import QualityLimits
from devices.readings import Fix
from navigate_safer.demo.answers import DONE_AFTER, RECEIVED_AFTER, Answers
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.demo.scripts import build_plan

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
# Tags report each minute from the start on.
NOW = START + timedelta(minutes=5)
SEED = 1
NAME = "ab" * 16


@pytest.fixture(scope="module")
def plan():
    casefile = build_cohort(seed=SEED, start=START)
    return build_plan(casefile, seed=SEED, start=START, lasts=timedelta(hours=1))


@pytest.fixture(scope="module")
def by_gateway():
    devices = {}
    for each in build_cohort(seed=SEED, start=START).devices:
        devices.setdefault(each.gateway, []).append(each.ref)
    return devices


def ordinary(plan, devices):
    """A tag of which nothing is told in the story."""
    troubled = {each.device for each in plan.breaches}
    withheld = {name for name, each in plan.deliveries.items() if each.withheld}
    return next(
        each for each in devices
        if each not in troubled | withheld and each.startswith("TAG") and "EXAMPLE" not in each
    )  # fmt: skip


def asked(kind=CommandKind.LOCATE, now=NOW, name=NAME, text=None):
    return command(name, kind, now, now + timedelta(minutes=3), text)


def answers_of(plan, by_gateway, now, device=None, payload=None):
    gateway, devices = next(iter(by_gateway.items()))
    device = device or ordinary(plan, devices)
    made = Answers(plan, gateway, tuple(devices))
    made.take(f"command/v1/{gateway}/{device}", payload or asked(now=now), now)
    return made, gateway, device


def test_a_tag_confirms_and_then_sends_where_it_is(plan, by_gateway):
    now = NOW + timedelta(milliseconds=250)
    made, gateway, device = answers_of(plan, by_gateway, now)
    assert made.due(now) == []
    (received,) = made.due(now + RECEIVED_AFTER)
    heard = decode_ack(received.topic, received.payload)
    assert (heard.gateway, heard.device) == (gateway, device)
    assert (heard.ack.id, heard.ack.status) == (NAME, "received")
    then = now + DONE_AFTER
    (sent,) = made.due(then)
    (fix,) = decode(sent.topic, sent.payload, then, QualityLimits()).readings
    assert isinstance(fix, Fix)
    assert fix.stamp.measured_at == then
    truth = plan.simulator.position(device, then)
    off_m = math.hypot((fix.lon - truth[0]) * 66_700, (fix.lat - truth[1]) * 111_320)
    assert 0 < off_m < 3 * fix.accuracy_m
    assert made.due(then + timedelta(minutes=1)) == []


def test_a_command_that_comes_twice_is_done_once(plan, by_gateway):
    made, gateway, device = answers_of(plan, by_gateway, NOW)
    made.take(f"command/v1/{gateway}/{device}", asked(), NOW)
    assert len(made.due(NOW + timedelta(minutes=1))) == 2


def test_a_text_is_shown_and_said_to_be(plan, by_gateway):
    payload = asked(CommandKind.MESSAGE, text=StandingText.CHARGE)
    made, _, _ = answers_of(plan, by_gateway, NOW, payload=payload)
    words = [json.decode(each.payload)["status"] for each in made.due(NOW + DONE_AFTER)]
    assert words == ["received", "done"]


@pytest.mark.parametrize(
    ("payload", "device"),
    [
        pytest.param(asked(now=START), None, id="a command that is over"),
        pytest.param(b"locate!", None, id="no command"),
        pytest.param(asked(), "TAG-OF-ANOTHER", id="a device of another gateway"),
    ],
)
def test_what_is_not_for_it_or_over_is_ignored(plan, by_gateway, payload, device):
    made, _, _ = answers_of(plan, by_gateway, NOW, device, payload)
    assert made.due(NOW + timedelta(minutes=1)) == []


def test_a_silent_tag_does_not_answer(plan, by_gateway):
    silent = next(each for each in plan.breaches if each.kind == "silence")
    gateway, devices = next(
        (name, refs) for name, refs in by_gateway.items() if silent.device in refs
    )
    made = Answers(plan, gateway, tuple(devices))
    now = silent.span.from_at + timedelta(minutes=12)
    made.take(f"command/v1/{gateway}/{silent.device}", asked(now=now), now)
    assert made.due(now + timedelta(minutes=1)) == []


def test_an_alcohol_monitor_refuses_to_say_where_it_is(plan, by_gateway):
    gateway, monitor = next(
        (name, each) for name, refs in by_gateway.items() for each in refs if each.startswith("ALC")
    )
    made = Answers(plan, gateway, (monitor,))
    made.take(f"command/v1/{gateway}/{monitor}", asked(), NOW)
    last = json.decode(made.due(NOW + DONE_AFTER)[-1].payload)
    assert (last["status"], last["reason"]) == ("refused", "no_position")
