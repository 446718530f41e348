"""What one measurement of intake came to."""

import msgspec

from navigate_safer.demo.intake_load import Load, Published
from navigate_safer.demo.intake_process import Done


class Run(msgspec.Struct, frozen=True):
    """One measured run. ``rate`` is per second, from the first publish to the last commit.

    CPU is microseconds per reading: of the service's own processes (``monitor_us`` of it the
    monitor's), of the database, of the broker; ``seconds`` and ``cpu_steps`` are those of the
    steps of a batch, on the clock and of the CPU. Latencies are milliseconds from publish to
    judged and committed.
    """

    name: str
    devices: int
    messages: int
    readings: int
    rate: float
    service_us: float
    database_us: float = 0.0
    broker_us: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None
    worst_ms: float | None = None
    batch: float | None = None
    on_arrival: float | None = None
    marked: int = 0
    rss_mb: float | None = None
    seconds: dict[str, float] = {}
    cpu_steps: dict[str, float] = {}
    missing: int = 0
    monitor_us: float = 0.0

    @property
    def messages_a_s(self) -> float:
        """Messages a second."""
        return self.rate * self.messages / max(self.readings, 1)


class Minute(msgspec.Struct, frozen=True):
    """A minute of a long run: messages that are safe so far, memory of intake and monitor, MB."""

    number: int
    messages: int
    intake_mb: float
    monitor_mb: float


def run_of(
    name: str,
    load: Load,
    published: Published,
    done: Done,
    judged: Done | None,
    database_s: float,
    broker_s: float,
) -> Run:
    """The figures of a run from what its processes say, and what the servers' processes cost."""
    readings = max(done.readings, 1)
    each_us = 1e6 / readings
    monitor_s = 0.0 if judged is None else judged.cpu_s
    seen = None if load.rate is None else done.latency_ms
    p50, p99, worst = (None, None, None) if seen is None else seen
    return Run(
        name,
        load.devices,
        done.messages,
        done.readings,
        done.readings / max(done.last_at - published.began, 1e-9),
        (done.cpu_s + monitor_s) * each_us,
        database_s * each_us,
        broker_s * each_us,
        p50,
        p99,
        worst,
        done.messages / done.batches if done.batches else None,
        done.on_arrival / readings if judged is not None else None,
        0 if judged is None else judged.judged,
        done.rss_mb,
        {step: spent * each_us for step, spent in done.seconds.items()},
        {step: spent * each_us for step, spent in done.cpu_seconds.items()},
        load.messages * load.readings - done.readings,
        monitor_s * each_us,
    )
