"""The processes that the intake benchmark measures: the service's own, and three simpler ones.

Each runs in a process of its own and says at the end what it did: how many messages, when the last
was safe, how long each took, and what it cost.
"""

import resource
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from devices import columns
from devices.columns import NO_TIME_US
from devices.mqtt import Arrival, Listener
from devices.mqtt_broker import Broker
from devices.quality import QualityLimits
from navigate_safer.demo.intake_process import Course, Done
from navigate_safer.services import bare_intake, monitor
from navigate_safer.services.ingest import BatchResult
from navigate_safer.services.laps import Laps
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.batches import BATCH_MESSAGES, WAIT_S, Batch, Batches
from navigate_safer.workers.ingest import GATHER_S, THICK_MESSAGES, IngestWorker
from navigate_safer.workers.loop import Stop

_TOPIC = "telemetry/v1/+/+"
# Latencies are counted in steps of this, up to a minute; the last step holds what took longer.
BIN_S, LATENCY_BINS = 0.0005, 120_000


def latencies_ms(
    counts: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> tuple[float, float, float] | None:
    """The median, the 99th percentile and the worst of what was counted, milliseconds."""
    total = int(counts.sum())
    if not total:
        return None
    ranks = [max(1, round(share * total)) for share in (0.5, 0.99, 1.0)]
    p50, p99, worst = (np.searchsorted(np.cumsum(counts), ranks) + 0.5) * BIN_S * 1000
    return float(p50), float(p99), float(worst)


def _cost(began: float) -> tuple[float, float]:
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return time.process_time() - began, peak_kb / 1024


class _TimedBatches(Batches):
    """Of which is known what taking costs the thread that stores."""

    def __init__(self, listener: Listener, limits: QualityLimits, laps: Laps) -> None:
        super().__init__(listener, limits)
        self._laps = laps

    def take(self, *, gather_s: float) -> Batch | None:
        """As of any."""
        self._laps.lap("rest")
        batch = super().take(gather_s=gather_s)
        self._laps.lap("take")
        return batch


class _Timed:
    """A listener of which is known what acknowledging costs."""

    def __init__(self, inner: Listener, laps: Laps) -> None:
        self._inner = inner
        self._laps = laps

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the listener has
        return getattr(self._inner, name)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """As the listener's."""
        self._laps.lap("rest")
        self._inner.acknowledge(arrivals)
        self._laps.lap("acknowledge")


class _Measured(IngestWorker):
    """The service's worker, which also remembers."""

    def __init__(self, service: Service, course: Course) -> None:
        super().__init__(service)
        self._course = course
        self._subscribed = threading.Event()
        self._laps = Laps()
        self._listener = cast(Listener, _Timed(self._listener, self._laps))
        self._batches = _TimedBatches(self._listener, service.limits, self._laps)
        self._begin()

    def _begin(self) -> None:
        self.began_cpu = time.process_time()
        self._laps.forget()
        # What was decoded before the batch was given, of all that was decoded.
        self._waited_s = self._waited_cpu_s = 0.0
        self._network_began = self._listener.cpu_s
        self._network_s = 0.0
        self.cpu_seconds: dict[str, float] = {}
        self.messages = self.readings = self.batches = self.on_arrival = 0
        self.last_at = 0.0
        # Counted and not kept: in an hour what is measured would look like what it grows by.
        self.latencies = np.zeros(LATENCY_BINS, dtype=np.int64)
        self.seconds: dict[str, float] = {}

    def _connection_changed(self, connected: bool, fault: str | None) -> None:
        super()._connection_changed(connected, fault)
        if connected:
            self._subscribed.set()

    def _read_fleet(self, stop: Stop) -> None:
        super()._read_fleet(stop)
        self._subscribed.wait()
        self._course.ready()

    def _report(self, batch: Batch, results: list[BatchResult], committed_at: datetime) -> None:
        super()._report(batch, results, committed_at)
        if self._course.warm.is_set():
            self._course.warm.clear()
            self._begin()
        self.last_at = committed_at.timestamp()
        self.messages += len(batch.held)
        self._decoded(batch)
        self._course.took(self.messages)
        for result in results:
            self.readings += result.stored
            self.batches += 1
            self.on_arrival += result.on_arrival
            for step, spent in result.seconds.items():
                self.seconds[step] = self.seconds.get(step, 0.0) + spent
            for step, spent in result.cpu_seconds.items():
                self.cpu_seconds[step] = self.cpu_seconds.get(step, 0.0) + spent
            fixes = result.fixes
            if fixes is not None:
                sent_us = fixes.sent_us[fixes.sent_us != NO_TIME_US]
                bins = ((self.last_at - sent_us / 1e6) / BIN_S).astype(np.int64)
                np.add.at(self.latencies, np.clip(bins, 0, LATENCY_BINS - 1), 1)
        self._network_s = self._listener.cpu_s - self._network_began

    def _decoded(self, batch: Batch) -> None:
        if batch.ahead:  # it is among the steps of the batch before
            return
        for steps, spent in ((self.seconds, batch.seconds), (self.cpu_seconds, batch.cpu_seconds)):
            steps["decode"] = steps.get("decode", 0.0) + spent
        self._waited_s += batch.seconds
        self._waited_cpu_s += batch.cpu_seconds

    def spent(self) -> tuple[dict[str, float], dict[str, float]]:
        """Seconds by step, on the clock and of the CPU."""
        clock, cpu = dict(self._laps.seconds), dict(self._laps.cpu_seconds)
        waited = self._waited_s, self._waited_cpu_s
        for steps, own, inside in zip(
            (clock, cpu), (self.seconds, self.cpu_seconds), waited, strict=True
        ):
            # What is between taking and acknowledging is the batch and the rest.
            within = sum(own.values()) - inside
            steps["rest"] = max(0.0, steps.get("rest", 0.0) - within)
            steps["take"] = max(0.0, steps.get("take", 0.0) - inside)
            steps.update(own)
        return clock, {"network": self._network_s, **cpu}


def ours(course: Course, settings: Settings) -> Done:
    """The ``ingest`` command, everything on."""
    service = Service(settings)
    worker = _Measured(service, course)
    worker.run(course.stop)
    cpu_s, rss_mb = _cost(worker.began_cpu)
    service.close()
    seconds, cpu_seconds = worker.spent()
    return Done(
        worker.messages,
        worker.readings,
        worker.last_at,
        cpu_s,
        rss_mb,
        worker.batches,
        worker.on_arrival,
        latencies_ms(worker.latencies),
        seconds,
        cpu_seconds,
        fleet_mb=worker._arrivals.fleet.bytes_held / 1e6,
    )


def judge(course: Course, settings: Settings) -> Done:
    """The ``monitor`` command, which also counts."""
    service = Service(settings)
    course.ready()
    began, judged, last_at = time.process_time(), 0, 0.0
    while not course.stop.is_set():
        if course.warm.is_set():
            course.warm.clear()
            began, judged = time.process_time(), 0
        found = monitor.judge_next(service.sessions, service.clock(), service.voice)
        if found is None:
            course.stop.wait(WAIT_S)
        else:
            judged, last_at = judged + 1, time.time()
    cpu_s, rss_mb = _cost(began)
    service.close()
    return Done(0, 0, last_at, cpu_s, rss_mb, judged=judged)


def raw(course: Course, port: int) -> Done:
    """Subscribe and acknowledge, nothing else."""
    listener = _listener(port)
    course.ready()
    began, messages, last_at = time.process_time(), 0, 0.0
    held: list[Arrival] = []
    while not course.stop.is_set():
        held = _next(listener, held)
        if held:
            listener.acknowledge(held)
            messages, last_at = messages + len(held), time.time()
            course.took(messages)
    listener.stop()
    return Done(messages, messages, last_at, *_cost(began))


def bare(course: Course, port: int, database_url: str) -> Done:
    """Subscribe, decode, COPY, acknowledge: no registry, no judgement, no state."""
    listener = _listener(port)
    store = bare_intake.BareStore(database_url)
    limits = QualityLimits()
    course.ready()
    began, messages, readings, batches, last_at = time.process_time(), 0, 0, 0, 0.0
    held: list[Arrival] = []
    while not course.stop.is_set():
        held = _next(listener, held)
        if not held:
            continue
        fixes = columns.split(held, limits).fixes
        device_id = np.array([int(each.topic[-7:]) for each in held], dtype=np.int64)
        store.copy(fixes, device_id[fixes.message])
        listener.acknowledge(held)
        messages, readings, last_at = messages + len(held), readings + len(fixes), time.time()
        batches += 1
        course.took(messages)
    listener.stop()
    store.close()
    return Done(messages, readings, last_at, *_cost(began), batches)


def _next(listener: Listener, last: Sequence[Arrival]) -> list[Arrival]:
    """The next batch, given time to fill as the service gives it: small ones cost as much."""
    gather_s = GATHER_S if len(last) >= THICK_MESSAGES else 0.0
    return listener.take(BATCH_MESSAGES, WAIT_S, gather_s=gather_s)


def _listener(port: int) -> Listener:
    broker = Broker("127.0.0.1", port, "bench-intake")
    listener = Listener(broker, [_TOPIC], lambda: datetime.now(UTC))
    listener.start()
    while listener.connected_since is None:
        time.sleep(WAIT_S)
    return listener
