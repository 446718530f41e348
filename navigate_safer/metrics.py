"""What a process of the service has done and is doing, for Prometheus. The only door to its client.

Every worker serves its own figures; what lies in the database is served by the pages (see
:mod:`navigate_safer.services.figures`). No label names a person, a device or a place: labels are
registered gateways, reasons, steps, partitions and workers, so their number is bounded.

Durations are in seconds. The functions are called once a batch, after its commit: a batch that is
rolled back and done again is counted once.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    exposition,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

# When a counter was made is of no use here and doubles the number of series.
disable_created_metrics()
# Figures of one name, for those who make them from the database.
Family = Metric
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

CONTENT_TYPE = exposition.CONTENT_TYPE_PLAIN_0_0_4
# Whoever is not registered shares this label; so does a name past MOST_LABELS.
UNKNOWN = "unknown"
MOST_LABELS = 1_000
# The steps of one batch, in their order.
STEPS = ("decode", "store", "judge", "commit")

# Around the bars of the project: 100 ms from publish to judgement at 4,000 messages a second, and
# an officer told within a second.
LATENCY_BUCKETS_S = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0, 3600.0,
)  # fmt: skip
STEP_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
BATCH_BUCKETS = (1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 50_000)


class ManyHistogram:
    """A histogram that takes the values of a whole batch at once.

    The client's own takes one value with one lock each, which at 12,000 messages a second is a
    noticeable part of the time of intake.
    """

    def __init__(self, name: str, help_: str, bounds: Sequence[float]) -> None:
        self._name, self._help, self._bounds = name, help_, tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()
        REGISTRY.register(self)

    def observe(self, values: npt.ArrayLike) -> None:
        """Add every value; below nothing counts as nothing (two clocks are never quite equal)."""
        ordered = np.sort(np.asarray(values, dtype=np.float64))
        # To the right of equal values: a value equal to a bound belongs under it.
        ends = [*np.searchsorted(ordered, self._bounds, side="right").tolist(), len(ordered)]
        total = float(ordered.clip(min=0).sum())
        with self._lock:
            before = 0
            for place, end in enumerate(ends):
                self._counts[place] += end - before
                before = end
            self._sum += total

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants it: counts up to each bound."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        family = HistogramMetricFamily(self._name, self._help)
        running, buckets = 0, []
        for bound, count in zip([*map(str, map(float, self._bounds)), "+Inf"], counts, strict=True):
            running += count
            buckets.append((bound, running))
        family.add_metric([], buckets, total)
        yield family

    def describe(self) -> Iterator[Metric]:
        """Its name without its values."""
        yield HistogramMetricFamily(self._name, self._help)


_P = "navigate_safer_"
messages_taken = Counter(
    _P + "messages", "Messages taken from the broker", ["gateway"], registry=REGISTRY
)
readings_taken = Counter(
    _P + "readings", "Readings in the messages taken", ["gateway"], registry=REGISTRY
)
readings_stored = Counter(_P + "readings_stored", "Readings that were new", registry=REGISTRY)
readings_repeated = Counter(
    _P + "readings_repeated", "Readings that were there already", registry=REGISTRY
)
refusals = Counter(
    _P + "refusals", "Messages and readings put into quarantine", ["reason"], registry=REGISTRY
)
doubts = Counter(
    _P + "doubts", "Readings stored with a doubt, by kind", ["doubt"], registry=REGISTRY
)
devices_judged = Counter(
    _P + "devices_judged", "Devices judged: on arrival, or by the monitor", ["by"],
    registry=REGISTRY,
)  # fmt: skip
judgements_failed = Counter(
    _P + "judgements_failed", "Devices whose judgement failed and is tried again", registry=REGISTRY
)
batch_messages = Histogram(
    _P + "batch_messages", "Messages in a batch", buckets=BATCH_BUCKETS, registry=REGISTRY
)
batch_step_seconds = Histogram(
    _P + "batch_step_seconds", "Time of each step of a batch", ["step"], buckets=STEP_BUCKETS_S,
    registry=REGISTRY,
)  # fmt: skip
publish_to_receipt_seconds = ManyHistogram(
    _P + "publish_to_receipt_seconds", "From sent, by the device's clock, to received",
    LATENCY_BUCKETS_S,
)  # fmt: skip
receipt_to_judged_seconds = ManyHistogram(
    _P + "receipt_to_judged_seconds",
    "From received to judged and committed, of fixes judged on arrival",
    LATENCY_BUCKETS_S,
)
waiting_messages = Gauge(
    _P + "waiting_messages", "Messages received and not yet acknowledged", ["partition"],
    registry=REGISTRY,
)  # fmt: skip
oldest_waiting_seconds = Gauge(
    _P + "oldest_waiting_seconds", "Age of the oldest message not yet acknowledged", ["partition"],
    registry=REGISTRY,
)  # fmt: skip
last_commit_at = Gauge(
    _P + "last_commit_timestamp_seconds", "When a batch was last committed", ["partition"],
    registry=REGISTRY,
)  # fmt: skip
gateway_last_message_at = Gauge(
    _P + "gateway_last_message_timestamp_seconds", "When a gateway was last heard", ["gateway"],
    registry=REGISTRY,
)  # fmt: skip
gateway_delay_seconds = Gauge(
    _P + "gateway_delay_seconds", "From sent to received, newest message of a gateway", ["gateway"],
    registry=REGISTRY,
)  # fmt: skip
texts_sent = Counter(
    _P + "texts", "Tries to hand a text to the provider", ["result"], registry=REGISTRY
)
wearer_texts_sent = Counter(
    _P + "wearer_texts", "Tries to hand a text to a wearer to the provider", ["result"],
    registry=REGISTRY,
)  # fmt: skip
pages_served = Counter(
    _P + "pages", "Requests answered", ["method", "status"], registry=REGISTRY
)  # fmt: skip


class GatewayBatch:
    """What one batch brought from one gateway. Times are POSIX seconds; 0 when not known."""

    __slots__ = ("last_received_at", "last_sent_at", "messages", "readings")

    def __init__(self) -> None:
        self.messages = self.readings = 0
        self.last_received_at = self.last_sent_at = 0.0


def taken(by_gateway: Mapping[str | None, GatewayBatch]) -> None:
    """Count what a batch brought. The key is a registered gateway's reference, else None."""
    for gateway, batch in by_gateway.items():
        label = _bounded(gateway)
        messages_taken.labels(label).inc(batch.messages)
        readings_taken.labels(label).inc(batch.readings)
        if batch.last_received_at:
            gateway_last_message_at.labels(label).set(batch.last_received_at)
        if batch.last_received_at and batch.last_sent_at:
            gateway_delay_seconds.labels(label).set(batch.last_received_at - batch.last_sent_at)


def stored(partition: str, messages: int, new: int, repeated: int, committed_at: float) -> None:
    """Count a committed batch; ``committed_at`` is POSIX seconds."""
    batch_messages.observe(messages)
    readings_stored.inc(new)
    readings_repeated.inc(repeated)
    last_commit_at.labels(partition).set(committed_at)


def steps(seconds: Mapping[str, float]) -> None:
    """Note how long each step of a batch took, by the names of :data:`STEPS`."""
    for step, spent in seconds.items():
        batch_step_seconds.labels(step).observe(spent)


def refused(by_reason: Mapping[str, int]) -> None:
    """Count refusals, by the values of :class:`devices.rejection.Reason`."""
    for reason, count in by_reason.items():
        refusals.labels(reason).inc(count)


def doubted(by_kind: Mapping[str, int]) -> None:
    """Count doubts, by the names of :class:`devices.quality.Doubt` in lower case."""
    for kind, count in by_kind.items():
        doubts.labels(kind).inc(count)


def waiting(partition: str, messages: int, oldest_s: float | None) -> None:
    """Say what a partition of intake holds unacknowledged; ``oldest_s`` is None for nothing."""
    waiting_messages.labels(partition).set(messages)
    oldest_waiting_seconds.labels(partition).set(oldest_s or 0.0)


def judged(*, on_arrival: int = 0, by_monitor: int = 0, failed: int = 0) -> None:
    """Count judged devices."""
    devices_judged.labels("arrival").inc(on_arrival)
    devices_judged.labels("monitor").inc(by_monitor)
    judgements_failed.inc(failed)


# A method is whatever a caller writes; these are the ones that have a label of their own.
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


def page_served(method: str, status: int) -> None:
    """Count an answered request."""
    pages_served.labels(method if method in _METHODS else "other", str(status)).inc()


def text_tried(result: str) -> None:
    """Count a try to hand a text over, by the state it left the text in."""
    texts_sent.labels(result).inc()


def wearer_text_tried(result: str) -> None:
    """Count a try to hand a text to a wearer over, apart from officers' texts."""
    wearer_texts_sent.labels(result).inc()


def serve(host: str, port: int) -> Any:  # noqa: ANN401 - the client's server, for whoever ends it
    """Serve the process's figures at ``/metrics`` from a thread; port 0 is off: None.

    Raises OSError when the port is taken.
    """
    if port == 0:
        return None
    server, _thread = start_http_server(port, addr=host, registry=REGISTRY)
    return server


def exposed(families: Iterable[Metric] = ()) -> bytes:
    """The process's figures, and more families, in the text format of Prometheus."""

    class _More:
        def collect(self) -> Iterable[Metric]:
            yield from REGISTRY.collect()
            yield from families

    return exposition.generate_latest(_More())


def gauge(
    name: str, help_: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """A gauge with the values it has now."""
    family = GaugeMetricFamily(_P + name, help_, labels=labels)
    for each, value in values:
        family.add_metric(each, value)
    return family


_gateways: set[str] = set()


def _bounded(gateway: str | None) -> str:
    if gateway is None:
        return UNKNOWN
    if gateway not in _gateways:
        if len(_gateways) >= MOST_LABELS:
            return UNKNOWN
        _gateways.add(gateway)
    return gateway
