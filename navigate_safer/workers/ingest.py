"""Take messages from the broker, store them, acknowledge them: in this order."""

import gc
import os
import socket
import sys
import threading
import time
from datetime import datetime

from devices.mqtt import IN_FLIGHT, Listener
from navigate_safer import logs, metrics
from navigate_safer.db.patience import FIRST_S, Patience
from navigate_safer.services import heartbeats, ingest, intake_figures
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.gateway_minutes import Minutes
from navigate_safer.services.ingest import BatchResult
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.batches import BATCH_MESSAGES, Batch, Batches
from navigate_safer.workers.loop import Stop

# When messages come thick, a batch is given until its first is so old to fill: a transaction costs
# as much for one message as for fifty. A message that comes alone is not kept waiting.
GATHER_S = 0.03
THICK_MESSAGES = 10
# A noted commit may wait for so many others, or until nothing comes.
NOTES_AT_ONCE = 50
BYTES_IN_MB = 1024 * 1024
# What is at hand of the devices lives long and holds no circles; at Python's own thresholds
# looking through all of it stopped a batch for tenths of a second, several times a minute.
GARBAGE_THRESHOLDS = (50_000, 50, 100)
# The thread of the batches waits for the database several times in each, and then for its turn
# behind the network's thread: at Python's own 5 ms that was a third of a batch's time.
TURN_OF_A_THREAD_S = 0.0005
CATCHING_UP = "catching up with what the broker kept"


class IngestWorker:
    """One listener and its batches. A batch that cannot be stored is kept and tried again."""

    def __init__(self, service: Service, *, hangs_after_s: float = FIRST_S) -> None:
        self._service = service
        self._log = logs.logger("ingest")
        self._connected_since: datetime | None = None
        self._caught_up_since: datetime | None = None
        self._news = threading.Event()
        self._arrivals = Arrivals()
        self._listener: Listener = service.listener(self._connection_changed)
        self._batches = Batches(self._listener, service.limits)
        self._batch: Batch | None = None
        self._thick = False
        self._committed: list[tuple[int, datetime]] = []
        self._partition = service.settings.mqtt_client_id
        # Which broker session, and which process: two of one session take it from each other.
        process = f"{self._partition} on {socket.gethostname()}/{os.getpid()}"
        self._instance = process[-heartbeats.LONGEST_INSTANCE :]
        self._minutes = Minutes(self._instance)
        # A database that hangs must not hold what has arrived for longer than one that is away.
        self._patience = Patience(service.engine, first_s=hangs_after_s)

    def run(self, stop: Stop) -> None:
        """Run until stopped."""
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        sys.setswitchinterval(TURN_OF_A_THREAD_S)
        self._listener.start()
        patience = self._patience
        with patience.watching():
            try:
                self._read_fleet(stop)
                loop.run(
                    "ingest",
                    lambda: patience.turn(self.turn),
                    lambda fault: patience.turn(lambda: self.beat(fault)),
                    stop,
                    idle_s=0.0,
                )
            finally:
                self._listener.stop()
                patience.turn(self._note_committed)

    def _read_fleet(self, stop: Stop) -> None:
        """Know every device before the first batch; one that is not read is when it reports."""
        began = time.monotonic()
        fleet, service = self._arrivals.fleet, self._service
        try:
            parts = fleet.read_all(service.sessions, service.clock())
            # Each by itself: all devices of a large fleet may take longer than a call is given.
            while self._patience.turn(lambda: next(parts, None)) is not None:
                if stop.is_set():
                    return
        except Exception as fault:  # the database is away: the loop meets it too, and waits
            self._log.error("fleet not read", exception_type=type(fault).__name__)
            return
        spent_s = round(time.monotonic() - began, 1)
        self._log.info("fleet read", count=len(fleet), seconds=spent_s, bytes=fleet.bytes_held)

    def turn(self) -> bool:
        """Store one batch; False when nothing has arrived."""
        if self._news.is_set():
            # The board must not wait for the next regular beat to learn that the feed is down.
            # Not in the network's thread, which answers the broker while the database hangs.
            self._news.clear()
            self.beat(None)
        if self._batch is None:
            self._batch = self._batches.take(gather_s=GATHER_S if self._thick else 0.0)
        if self._batch is None:
            self._thick = False
            self._keep_up()
            self._note_committed()
            return False
        batch, service, clock = self._batch, self._service, self._service.clock
        results = ingest.store_or_part(
            service.sessions,
            batch.held,
            clock(),
            service.limits,
            self._arrivals,
            service.settings.quarantine_kept_mb * BYTES_IN_MB,
            split=batch.split,
            meanwhile=self._batches.look_ahead,
        )
        committed_at = clock()
        self._listener.acknowledge(batch.held)
        self._thick = len(batch.held) >= THICK_MESSAGES
        self._batch = None
        self._committed += [(result.batch_id, committed_at) for result in results]
        if len(self._committed) >= NOTES_AT_ONCE:
            self._note_committed()
        self._keep_up()
        self._report(batch, results, committed_at)
        return True

    def _keep_up(self) -> None:
        """Know since when nothing has waited at the broker: it sends no more than IN_FLIGHT."""
        made_ready = len(self._batches.made_ready)
        if self._listener.waiting + made_ready + BATCH_MESSAGES >= IN_FLIGHT:
            self._caught_up_since = None
        elif self._caught_up_since is None and self._connected_since is not None:
            self._caught_up_since = self._service.wall_clock()

    def beat(self, fault: str | None) -> None:
        """A sign of life, with how long the feed has been up and what waits."""
        held = [*([] if self._batch is None else self._batch.held), *self._batches.made_ready]
        waiting = self._listener.waiting + len(held)
        oldest_at = held[0].received_at if held else self._listener.oldest_at
        oldest_s = None
        if oldest_at is not None:
            oldest_s = max(0.0, (self._service.clock() - oldest_at).total_seconds())
        if fault is not None:
            self._caught_up_since = None
        behind = self._caught_up_since is None
        metrics.waiting(self._partition, waiting, oldest_s)
        heartbeats.beat(
            self._service.sessions,
            "ingest",
            self._service.wall_clock(),
            instance=self._instance,
            connected_since=self._connected_since,
            caught_up_since=self._caught_up_since,
            behind=behind,
            fault=fault,
            note=CATCHING_UP if behind else None,
            waiting=waiting,
            oldest_waiting_s=oldest_s,
        )
        self._minutes.write(self._service.sessions)

    def _note_committed(self) -> None:
        ingest.note_committed(self._service.sessions, self._committed)
        # Not before: where it could not be written it is written with the next.
        self._committed = []

    def _report(self, batch: Batch, results: list[BatchResult], committed_at: datetime) -> None:
        begin = 0
        if not batch.ahead:  # else it is among the steps of the batch before
            metrics.steps({"decode": batch.seconds})
        for result in results:
            part = batch.held[begin : begin + result.messages]
            begin += result.messages
            fleet = self._arrivals.fleet
            self._minutes.take(
                intake_figures.note(self._partition, part, result, fleet, committed_at)
            )
            if result.refused:
                self._log.warning(
                    "readings refused", refused=result.refused, batch_id=result.batch_id
                )
            self._log.debug("batch stored", batch_id=result.batch_id, **result.seconds)

    def _connection_changed(self, connected: bool, fault: str | None) -> None:
        self._connected_since = self._service.wall_clock() if connected else None
        self._caught_up_since = None
        if connected:
            self._log.info("subscribed")
        else:
            self._log.warning("not connected", reason=fault or "")
        self._news.set()


def main(service: Service, stop: Stop) -> None:
    """The ``ingest`` command."""
    IngestWorker(service).run(stop)
