"""A worker of intake that is fed from a queue in the place of a broker."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from case_files import MINUTE, OUTSIDE, START, Place, fix, message, small_case_file, walk
from databases import Database
from watch import VOICE, Clock

from devices.mqtt import Arrival
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.services import monitor, register
from navigate_safer.services.ingest import Message
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.ingest import IngestWorker


class QueuedListener:
    """Hands over what was put in; notes what was acknowledged."""

    def __init__(self) -> None:
        self.queued: list[Arrival] = []
        self.acknowledged: list[Arrival] = []
        self._number = 0

    def put(self, *messages: Message) -> None:
        """Let messages arrive."""
        for each in messages:
            self._number += 1
            arrival = Arrival(each.topic, each.payload, each.received_at, self._number, 1, 1)
            self.queued.append(arrival)

    @property
    def waiting(self) -> int:
        """Messages not yet taken."""
        return len(self.queued)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest of them was received."""
        return self.queued[0].received_at if self.queued else None

    def take(self, most: int, _wait_s: float, *, gather_s: float = 0.0) -> list[Arrival]:
        """As the listener's, without waiting."""
        taken, self.queued = self.queued[:most], self.queued[most:]
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Note them."""
        self.acknowledged += arrivals

    def start(self) -> None:
        """Nothing to connect."""

    def stop(self) -> None:
        """Nothing to disconnect."""


class QueuedService(Service):
    """A service whose broker is a queue and whose clock a test sets."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(Settings.from_env({"NAVIGATE_SAFER_DATABASE_URL": database.url}))
        self.clock = clock
        self.queue = QueuedListener()

    def listener(self, _on_change: object) -> QueuedListener:
        """The queue."""
        return self.queue


def many(count: int, *, device: str = "TAG-1", start: datetime = START) -> list[Message]:
    """So many messages of 60 fixes, all different."""
    return [
        message(
            device,
            *[
                fix(
                    start + timedelta(seconds=60 * n + k),
                    Place(OUTSIDE.lat + k * 1e-6, OUTSIDE.lon),
                )
                for k in range(60)
            ],
            received_at=start + timedelta(hours=12),
        )
        for n in range(count)
    ]


class Fed:
    """A worker fed from a queue over a database with the small case file, TAG-1 heard."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock(START)
        register.register(database.sessions, small_case_file(), START)
        self.service = QueuedService(database, self.clock)
        self.worker = IngestWorker(self.service)

    def close(self) -> None:
        """Give the connections back."""
        self.service.engine.dispose()

    def hear(self) -> None:
        """The tag's first fixes, judged, so that what follows goes by COPY."""
        self.service.queue.put(*walk("TAG-1", OUTSIDE, start=START - 5 * MINUTE))
        self.worker.turn()
        while monitor.judge_next(self.database.sessions, self.clock(), VOICE):
            pass
        self.clock.forward(hours=12)

    @property
    def acknowledged(self) -> int:
        """How many messages were."""
        return len(self.service.queue.acknowledged)

    def fault_shown(self) -> str | None:
        """What the worker's sign of life says."""
        return self.database.one(HeartbeatRow, HeartbeatRow.worker == "ingest").fault
