"""Measure intake: what the parts can do alone, and what the whole does with everything on."""

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import msgspec
import numpy as np

from devices.columns import FixColumns
from navigate_safer.db import packed, schema
from navigate_safer.demo import intake_fleet, intake_workers, servers
from navigate_safer.demo.disk_flush import flush_ms, percentiles_ms
from navigate_safer.demo.intake_load import Load, Publisher
from navigate_safer.demo.intake_process import Worker
from navigate_safer.demo.intake_run import Minute, Run, run_of
from navigate_safer.demo.process_cost import cpu_s, memory_mb
from navigate_safer.services import measures, stocking
from navigate_safer.services.bare_intake import BareStore
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service

HOMES = 100
MINUTE = timedelta(minutes=1)
# Of the devices' time, in a flood of single readings: seven rounds of the middle fleet.
LONGEST_S = 420.0
MOST_ROUNDS = 300
BATCH_ROWS = 500
# Until every mark has been judged.
PATIENCE_S = 120.0
# As the shipped configuration, but without certificates.
BROKER = {"autosave_on_changes": "false", "autosave_interval": "1", "set_tcp_nodelay": "true"}


class Bench(AbstractContextManager["Bench"]):
    """One broker, and one database server where it is PostgreSQL."""

    def __init__(self, database: str, say: Callable[[str], None]) -> None:
        self._stack = ExitStack()
        self._say = say
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="navigate-safer-bench-"))
        )
        self.broker = servers.Mosquitto(BROKER)
        self._stack.callback(self._stop_broker)
        self._server: servers.PostgreSQL | None = None
        if database == "postgresql":
            self._server = servers.PostgreSQL(servers.DURABLE)
            self._stack.callback(self._server.stop)
        self._made = 0

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _stop_broker(self) -> None:
        self.broker.stop()

    def _new_broker(self) -> None:
        """One that keeps no session of an earlier run, which would get every message too."""
        self._stop_broker()
        self.broker = servers.Mosquitto(BROKER)

    def raw(self, messages: int) -> Run:
        """Subscribe and acknowledge."""
        self._new_broker()
        worker = Worker(intake_workers.raw, self.broker.port)
        return self._flood("raw subscriber", worker, self._load(messages, 30_000), None)

    def raw_copy(self, rows: int) -> Run:
        """Write batches of rows that are ready in memory."""
        store = BareStore(self._database())
        batches = [_rows(first) for first in range(0, rows, BATCH_ROWS)]
        before, began, cpu = self._database_s(), time.perf_counter(), time.process_time()
        for number, (fixes, device_id) in enumerate(batches):
            store.copy(fixes, device_id + number * BATCH_ROWS)
        spent, cpu = time.perf_counter() - began, time.process_time() - cpu
        store.close()
        each = 1e6 / (len(batches) * BATCH_ROWS)
        database_us = (self._database_s() - before) * each
        count = len(batches) * BATCH_ROWS
        return Run("raw write", 0, 0, count, count / spent, cpu * each, database_us)

    def flush(self) -> Run:
        """Only flush the disk, as often as commits do: what of the latencies is the disk's."""
        p50, p99, worst = percentiles_ms(flush_ms(self._folder))
        return Run("flush of the disk", 0, 0, 0, 0.0, 0.0, p50_ms=p50, p99_ms=p99, worst_ms=worst)

    def bare(self, messages: int) -> Run:
        """Subscribe, decode, write, acknowledge."""
        self._new_broker()
        worker = Worker(intake_workers.bare, self.broker.port, self._database())
        return self._flood("bare path", worker, self._load(messages, 30_000), None)

    def ours(
        self,
        name: str,
        messages: int,
        devices: int,
        *,
        readings: int = 1,
        rate: float | None = None,
    ) -> Run:
        """The service with everything on."""
        self._new_broker()
        settings, service, load = self._set_up(messages, devices, readings=readings, rate=rate)
        monitor = Worker(intake_workers.judge, settings)
        worker = Worker(intake_workers.ours, settings)
        self._warm(worker, service, load)
        monitor.warmed()
        run = self._flood(name, worker, load, service, monitor)
        service.close()
        return run

    def soak(self, seconds: int, rate: float, devices: int, tell: Callable[[Minute], None]) -> Run:
        """The service at a rate for long; ``tell`` hears after each minute what it holds."""
        self._new_broker()
        settings, service, load = self._set_up(int(rate * seconds), devices, rate=rate)
        monitor = Worker(intake_workers.judge, settings)
        worker = Worker(intake_workers.ours, settings)
        self._warm(worker, service, load)
        ended = threading.Event()

        def watch() -> None:
            number = 0
            while not ended.wait(MINUTE.total_seconds()):
                number += 1
                held = (memory_mb(worker.pid), memory_mb(monitor.pid))
                tell(Minute(number, worker.taken, *held))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        run = self._flood("soak", worker, load, service, monitor)
        ended.set()
        watcher.join()
        service.close()
        return run

    def _set_up(
        self, messages: int, devices: int, *, readings: int = 1, rate: float | None = None
    ) -> tuple[Settings, Service, Load]:
        """A database with a fleet in it, and what is to be published."""
        settings = Settings(
            database_url=self._database(),
            mqtt_port=self.broker.port,
            mqtt_client_id=f"bench-{self._made}",
        )
        service = Service(settings)
        load = self._load(messages, devices, readings=readings, rate=rate)
        self._say(f"registering {devices:,} devices")
        stock(service, _warm_from(load), devices)
        return settings, service, load

    def _warm(self, worker: Worker, service: Service, load: Load) -> None:
        """One round of everybody: zones have been built then, and who goes about near one is known.

        As some minutes after a start: what the first reading of a device costs is said apart.
        """
        count = load.devices
        rate = None if load.rate is None else load.rate / 2
        publisher = Publisher(
            msgspec.structs.replace(
                load, messages=count, start=_warm_from(load), step=1, readings=1, rate=rate
            )
        )
        publisher.begin()
        began = publisher.result().began
        worker.wait_for(count)
        took_s = time.time() - began
        self._say(
            f"the first message of each of {count:,}: {count / took_s:,.0f} messages a second"
        )
        measures.wait_until_judged(service.sessions, PATIENCE_S)
        worker.warmed()

    def _load(
        self, messages: int, devices: int, *, readings: int = 1, rate: float | None = None
    ) -> Load:
        if rate is None:
            messages = min(messages, devices * MOST_ROUNDS)
        rounds = ceil(messages / devices)
        now = datetime.now(UTC).replace(microsecond=0)
        # As much of everybody's time passes with few devices as with many: hours bring curfews.
        round_s = min(60.0, LONGEST_S / rounds) if rate is None and readings == 1 else 60.0
        # One round to warm up, and the last a little while ago.
        lasts = timedelta(seconds=rounds * round_s) * readings + MINUTE * (2 * readings + 2)
        start = now - lasts if rate is None else now - MINUTE
        return Load(
            self.broker.port, messages, devices, HOMES, start, 2, readings, rate, round_s=round_s
        )

    def _flood(
        self,
        name: str,
        worker: Worker,
        load: Load,
        service: Service | None,
        monitor: Worker | None = None,
    ) -> Run:
        publisher = Publisher(load)
        self._say(f"{name}: {load.messages:,} messages of {load.readings}")
        database_s, broker_s = self._database_s(), cpu_s(self.broker.pid)
        publisher.begin()
        published = publisher.result()
        worker.wait_for(load.messages)
        if service is not None:
            measures.wait_until_judged(service.sessions, PATIENCE_S)
        database_s = self._database_s() - database_s
        broker_s = cpu_s(self.broker.pid) - broker_s
        done = worker.result()
        judged = None if monitor is None else monitor.result()
        return run_of(name, load, published, done, judged, database_s, broker_s)

    def _database(self) -> str:
        self._made += 1
        name = f"bench_{self._made}"
        url = f"sqlite:///{self._folder / name}.sqlite3"
        if self._server is not None:
            url = self._server.create(name)
        service = Service(Settings(database_url=url))
        schema.upgrade(service.engine)
        service.close()
        return url

    def _database_s(self) -> float:
        return 0.0 if self._server is None else cpu_s(self._server.pid)


def _warm_from(load: Load) -> datetime:
    """The round to warm up is a minute after this, and a minute before the first of the rest."""
    return load.start + MINUTE * (load.readings - 1)


def stock(service: Service, at: datetime, devices: int) -> None:
    """Everybody's last fix was at ``at``, at home."""
    quality = packed.Quality(intake_fleet.SOURCE, intake_fleet.NO_DOUBT, 9, 1.1)
    begin = stocking.Stocked(
        at=at,
        accuracy=packed.pack_accuracy(intake_fleet.ACCURACY_M),
        quality=packed.pack_quality(quality),
        quiet_s=900,
        fitted_at=at - timedelta(days=1),
    )
    stocking.stock(service.sessions, devices, intake_fleet.templates(HOMES, at), begin)
    stocking.analyse(service.sessions)


def _rows(first: int) -> tuple[FixColumns, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    n = np.arange(BATCH_ROWS, dtype=np.int64)
    at = np.full(BATCH_ROWS, packed.micros_of(datetime.now(UTC).replace(microsecond=0)))
    same = np.zeros(BATCH_ROWS, dtype=np.int64)
    fixes = FixColumns(
        n, at, at, at, same + 531_931_200 + n, same - 28_891_100 - n, np.full(BATCH_ROWS, 8.0),
        same + 1, same + 41, same + 800, same + 9, same + 11, same,
    )  # fmt: skip
    return fixes, n + 1 + first
