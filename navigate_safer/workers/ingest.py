"""Take messages from the broker, store them, acknowledge them: in this order."""

from datetime import datetime

from devices.mqtt import Arrival, Listener
from navigate_safer import logs
from navigate_safer.services import ingest, sweep
from navigate_safer.services.ingest import BatchResult, Message
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

# One transaction takes up to so many messages; what has arrived is not kept waiting for more.
BATCH_MESSAGES = 500
WAIT_S = 0.05


class IngestWorker:
    """One listener and its batches. A batch that cannot be stored is kept and tried again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = logs.logger("ingest")
        self._connected_since: datetime | None = None
        self._listener: Listener = service.listener(self._connection_changed)
        self._held: list[Arrival] = []

    def run(self, stop: Stop) -> None:
        """Run until stopped."""
        self._listener.start()
        try:
            loop.run("ingest", self.turn, self.beat, stop, idle_s=0.0)
        finally:
            self._listener.stop()

    def turn(self) -> bool:
        """Store one batch; False when nothing has arrived."""
        if not self._held:
            self._held = self._listener.take(BATCH_MESSAGES, WAIT_S)
        if not self._held:
            return False
        messages = [Message(each.topic, each.payload, each.received_at) for each in self._held]
        clock = self._service.clock
        result = ingest.store_batch(self._service.sessions, messages, clock(), self._service.limits)
        committed_at = clock()
        self._listener.acknowledge(self._held)
        self._held = []
        ingest.note_committed(self._service.sessions, result.batch_id, committed_at)
        self._report(result)
        return True

    def beat(self, fault: str | None) -> None:
        """A sign of life, with how long the feed has been up."""
        sweep.beat(
            self._service.sessions,
            "ingest",
            self._service.wall_clock(),
            connected_since=self._connected_since,
            fault=fault,
        )

    def _report(self, result: BatchResult) -> None:
        if result.refused:
            self._log.warning("readings refused", refused=result.refused, batch_id=result.batch_id)

    def _connection_changed(self, connected: bool, fault: str | None) -> None:
        self._connected_since = self._service.wall_clock() if connected else None
        if connected:
            self._log.info("subscribed")
        else:
            self._log.warning("not connected", reason=fault or "")
        # The board must not wait for the next regular beat to learn that the feed is down.
        try:
            self.beat(None)
        except Exception as error:
            self._log.error("no heartbeat", exception_type=type(error).__name__)


def main(service: Service, stop: Stop) -> None:
    """The ``ingest`` command."""
    IngestWorker(service).run(stop)
