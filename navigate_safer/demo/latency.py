"""Measure the way from a published fix to a text at the provider, with the demonstration running.

Beside the demonstration's own traffic, devices of invented wearers publish one fix each inside an
exclusion zone, evenly over the time; every one must become an alert and a text.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from math import ceil
from pathlib import Path

import msgspec

from navigate_safer.db.latency import Steps
from navigate_safer.demo import breachers
from navigate_safer.demo.publisher import Publisher
from navigate_safer.demo.run import Demo, environment, prepare, run
from navigate_safer.demo.telephones import Receipts, Telephones
from navigate_safer.demo.text_provider import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, TextProvider
from navigate_safer.services import measures, oversight, register
from navigate_safer.settings import PREFIX, Settings
from navigate_safer.wiring import Service, make_clock
from navigate_safer.workers.loop import Stop

# The demonstration has uploaded its history and settled by then.
WARM_UP_S = 45.0
# A text that comes later than this after the last breach counts as missing.
SETTLE_S = 60.0
_LOOK_EVERY_S = 2.0


class Spread(msgspec.Struct, frozen=True):
    """Percentiles of one step, milliseconds, by nearest rank."""

    step: str
    p50_ms: float
    p99_ms: float
    worst_ms: float


class Result(msgspec.Struct, frozen=True):
    """The whole measurement; ``missing`` counts breaches without a text, which must be none."""

    published: int
    missing: int
    seconds: float
    spreads: list[Spread]


def measure(breaches: int, rate: float, say: Callable[[str], None]) -> Result:
    """Run the demonstration in a temporary folder; ``rate`` is breaches a second.

    Texts go to a stand-in of the provider over HTTP, which sends receipts; officers answer them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="navigate-safer-bench-") as folder,
        ExitStack() as stack,
    ):
        demo, provider = _demo(Path(folder), stack)
        service = Service(demo.settings)
        stack.callback(service.close)
        area = demo.case_file.areas[0].ref
        case_file = breachers.wearers(breaches, demo.state.start, area)
        register.register(service.sessions, case_file, service.clock())
        stop = Stop()
        running = threading.Thread(target=run, args=(demo, stop, lambda _text: None))
        running.start()
        try:
            say(f"Warming up for {WARM_UP_S:.0f} s, then {breaches:,} breaches, {rate:g} a second.")
            stop.wait(WARM_UP_S)
            if not oversight.feed_is_connected(service.sessions, demo.state.start):
                raise RuntimeError("the feed did not come up")
            began = time.monotonic()
            _breach(demo, service, stop, breaches, rate)
            seconds = time.monotonic() - began
            _settle(service, stop, breaches)
        finally:
            stop.set()
            running.join()
        found = measures.alert_steps(service.sessions, breachers.PREFIX)
        taken = {each.body for each in provider.taken}
    told = [each for each in found if each.body in taken]
    return Result(breaches, breaches - len(told), seconds, _spreads(told))


def _settle(service: Service, stop: Stop, breaches: int) -> None:
    """Wait until every breach has its text, so that a late one counts as late."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and not stop.wait(_LOOK_EVERY_S):
        if len(measures.alert_steps(service.sessions, breachers.PREFIX)) >= breaches:
            return


def _demo(folder: Path, stack: ExitStack) -> tuple[Demo, TextProvider]:
    """The demonstration, with real texts to a provider of its own."""
    demo = prepare(folder, speed=1.0, port=8765, mqtt_port=18883, base=environment())
    phones = Telephones(demo.settings.public_url, [Receipts.NORMAL])
    stack.callback(phones.end)
    # It does nothing but answer, as well as it can.
    provider = stack.enter_context(
        TextProvider(make_clock(demo.settings), slow_s=0.0, hangs_s=0.0, took=phones.take)
    )
    environ = demo.environ | {
        f"{PREFIX}SMS_SENDER": "twilio",
        f"{PREFIX}TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        f"{PREFIX}TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        f"{PREFIX}TWILIO_FROM": FROM_NUMBER,
        f"{PREFIX}TWILIO_BASE_URL": provider.url,
    }
    settings = Settings.from_env(environ)
    return msgspec.structs.replace(demo, environ=environ, settings=settings), provider


def _breach(demo: Demo, service: Service, stop: Stop, count: int, rate: float) -> None:
    """Publish one breach after the other at an even pace, whatever each takes to be accepted."""
    began = time.monotonic()
    with Publisher("127.0.0.1", demo.settings.mqtt_port, "bench-latency") as publisher:
        for number in range(count):
            if stop.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            publisher.publish(*breachers.breach(number, service.clock()))


def _spreads(found: Sequence[Steps]) -> list[Spread]:
    def ms(begin: datetime, end: datetime) -> float:
        return (end - begin).total_seconds() * 1000

    steps: dict[str, Callable[[Steps], float]] = {
        "published -> stored": lambda each: ms(each.sent_at, each.committed_at),
        "stored -> text claimed": lambda each: ms(each.committed_at, each.claimed_at),
        "text claimed -> accepted": lambda each: ms(each.claimed_at, each.handed_at),
        "received -> accepted": lambda each: ms(each.received_at, each.handed_at),
        "published -> accepted": lambda each: ms(each.sent_at, each.handed_at),
    }
    return [_spread(name, [step(each) for each in found]) for name, step in steps.items()]


def _spread(name: str, values: list[float]) -> Spread:
    ordered = sorted(values) or [float("nan")]

    def rank(share: float) -> float:
        return ordered[max(0, ceil(share * len(ordered)) - 1)]

    return Spread(name, rank(0.5), rank(0.99), ordered[-1])
