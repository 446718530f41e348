"""A process that is measured: it says when it is ready, what it has done so far, and its cost."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized

import msgspec

from navigate_safer import logs
from navigate_safer.workers.batches import WAIT_S
from navigate_safer.workers.loop import Stop

# The last message was stored this long ago: nothing more comes.
QUIET_S = 10.0


class Done(msgspec.Struct, frozen=True):
    """What a process did. Times are POSIX seconds.

    ``latency_ms`` is from sent to safe: the median, the 99th percentile and the worst.

    ``marked`` are the devices left to the monitor, with when that was committed and when the
    newest of the messages was sent; ``judged`` is when the monitor had judged each. ``seconds``
    and ``cpu_seconds`` are of the steps of a batch, on the clock and of the CPU.
    """

    messages: int
    readings: int
    last_at: float
    cpu_s: float
    rss_mb: float
    batches: int = 0
    on_arrival: int = 0
    latency_ms: tuple[float, float, float] | None = None
    seconds: dict[str, float] = {}
    cpu_seconds: dict[str, float] = {}
    judged: int = 0
    fleet_mb: float = 0.0


class Course:
    """What a measured process and whoever measures it say to each other while it runs."""

    def __init__(self, pipe: Connection, taken: "Synchronized[int]") -> None:
        self._pipe = pipe
        self._taken = taken
        self.stop = Stop()
        self.warm = threading.Event()

    def ready(self) -> None:
        """It can begin."""
        self._pipe.send("ready")

    def took(self, messages: int) -> None:
        """So many messages in all are safe."""
        self._taken.value = messages


class Worker:
    """A measured process: ``Worker(function, …)`` runs ``function(course, …)`` in it."""

    def __init__(self, target: Callable[..., Done], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._taken = context.Value("q", 0)
        self._process: BaseProcess = context.Process(
            target=_run, args=(theirs, self._taken, target, arguments), daemon=True
        )
        self._process.start()
        said = self._pipe.recv()
        if said != "ready":
            raise RuntimeError(said)

    @property
    def taken(self) -> int:
        """Messages that are safe so far."""
        return int(self._taken.value)

    def warmed(self) -> None:
        """What it did so far was to warm up, and is not counted."""
        self._pipe.send("warmed")
        time.sleep(WAIT_S)

    def wait_for(self, messages: int) -> None:
        """Wait until so many are safe, or nothing has come for some seconds."""
        last, since = -1, time.monotonic()
        while self.taken < messages and time.monotonic() - since < QUIET_S:
            if self.taken != last:
                last, since = self.taken, time.monotonic()
            time.sleep(WAIT_S)

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self._process.pid or 0)

    def result(self) -> Done:
        """Stop it and hear what it did."""
        self._pipe.send("stop")
        found = self._pipe.recv()
        self._process.join()
        if not isinstance(found, Done):
            raise RuntimeError(found)
        return found


def _run(
    pipe: Connection,
    taken: "Synchronized[int]",
    target: Callable[..., Done],
    arguments: tuple[object, ...],
) -> None:
    logs.configure(level="error")
    course = Course(pipe, taken)

    def watch() -> None:
        while pipe.recv() == "warmed":
            course.warm.set()
        course.stop.set()

    threading.Thread(target=watch, daemon=True).start()
    try:
        pipe.send(target(course, *arguments))
    except Exception as fault:
        pipe.send(f"{type(fault).__name__}: {fault}")
        raise
