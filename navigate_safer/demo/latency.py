"""Measure the way from a published fix to a text handed over, with the demonstration running.

Beside the demonstration's own traffic, devices of invented wearers publish one fix each inside an
exclusion zone, evenly over the time; every one must become an alert and a text.
"""

import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import msgspec

from alerts.finding import Severity
from alerts.terms import ConditionKind
from devices.simulator import message
from navigate_safer.db.latency import Steps
from navigate_safer.demo import example
from navigate_safer.demo.publisher import Publisher
from navigate_safer.demo.run import Demo, environment, prepare, run
from navigate_safer.people.casefile import (
    CaseFile,
    ConditionEntry,
    Device,
    Fitting,
    OrderEntry,
    Wearer,
)
from navigate_safer.services import measures, oversight, register
from navigate_safer.wiring import Service
from navigate_safer.workers.loop import Stop

PREFIX = "BENCH-"
# The demonstration has uploaded its history and settled by then.
WARM_UP_S = 45.0
SETTLE_S = 10.0


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
    spreads: list[Spread]


def measure(minutes: float, every_s: float, say: Callable[[str], None]) -> Result:
    """Run the demonstration in a temporary folder and measure; takes ``minutes`` and a little."""
    count = max(1, int(minutes * 60 / every_s))
    with tempfile.TemporaryDirectory(prefix="navigate-safer-bench-") as folder:
        demo = prepare(Path(folder), speed=1.0, port=8765, mqtt_port=18883, base=environment())
        service = Service(demo.settings)
        register.register(service.sessions, _wearers(demo, count), service.clock())
        stop = Stop()
        running = threading.Thread(target=run, args=(demo, stop, lambda _text: None))
        running.start()
        try:
            say(f"Warming up for {WARM_UP_S:.0f} s, then {count} breaches, one per {every_s:g} s.")
            stop.wait(WARM_UP_S)
            if not oversight.feed_is_connected(service.sessions, demo.state.start):
                raise RuntimeError("the feed did not come up")
            _breach(demo, service, stop, count, every_s)
            stop.wait(SETTLE_S)
        finally:
            stop.set()
            running.join()
        found = measures.alert_steps(service.sessions, PREFIX)
        service.close()
    return Result(count, count - len(found), _spreads(found))


def _breach(demo: Demo, service: Service, stop: Stop, count: int, every_s: float) -> None:
    lat, lon = example.INSIDE
    with Publisher("127.0.0.1", demo.settings.mqtt_port, "bench-latency") as publisher:
        for number in range(count):
            device, now = f"{PREFIX}{number:05d}", service.clock()
            fix: dict[str, object] = {
                "kind": "fix",
                "at": now.isoformat(),
                "lat": lat,
                "lon": lon,
                "accuracy_m": 8,
            }
            topic = f"telemetry/v1/{example.GATEWAY}/{device}"
            publisher.publish(topic, message(device, number, service.clock(), [fix]))
            if stop.wait(every_s):
                return


def _wearers(demo: Demo, count: int) -> CaseFile:
    start, area = demo.state.start, demo.case_file.areas[0].ref
    wearers = []
    for number in range(count):
        condition = ConditionEntry(
            ref=f"bench-{number}",
            clause="Licence 15",
            kind=ConditionKind.EXCLUSION_ZONE,
            severity=Severity.CRITICAL,
            from_at=start - timedelta(days=1),
            zone=example.ZONE,
        )
        order = OrderEntry(
            ref=f"bench-order-{number}",
            kind="licence",
            starts_on=(start - timedelta(days=30)).date(),
            ends_on=None,
            conditions=[condition],
        )
        wearers.append(
            Wearer(
                ref=f"bench-{number}",
                name=f"Bench {number}",
                born_on=start.date() - timedelta(days=12_000),
                area=area,
                locality="Chester City",
                band="high",
                offender_manager=None,
                orders=[order],
                fittings=[Fitting(f"{PREFIX}{number:05d}", start - timedelta(days=1))],
            )
        )
    devices = [Device(f"{PREFIX}{number:05d}", "bench") for number in range(count)]
    return CaseFile(v=1, devices=devices, wearers=wearers)


def _spreads(found: Sequence[Steps]) -> list[Spread]:
    def ms(begin: datetime, end: datetime) -> float:
        return (end - begin).total_seconds() * 1000

    steps: dict[str, Callable[[Steps], float]] = {
        "publish -> stored": lambda each: ms(each.sent_at, each.committed_at),
        "stored -> alert row": lambda each: ms(each.committed_at, each.claimed_at),
        "alert row -> text handed over": lambda each: ms(each.claimed_at, each.handed_at),
        "publish -> text handed over": lambda each: ms(each.sent_at, each.handed_at),
    }
    return [_spread(name, [step(each) for each in found]) for name, step in steps.items()]


def _spread(name: str, values: list[float]) -> Spread:
    ordered = sorted(values) or [float("nan")]

    def rank(share: float) -> float:
        return ordered[max(0, ceil(share * len(ordered)) - 1)]

    return Spread(name, rank(0.5), rank(0.99), ordered[-1])
