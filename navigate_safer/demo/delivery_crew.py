"""The service's own workers as processes that can be killed, and are started again when they end.

They are forked from a server that has loaded everything once, so that a start takes a tenth of a
second instead of three: a run of faults starts a hundred.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from navigate_safer import logs
from navigate_safer.db import crash_points
from navigate_safer.db.crash_points import CrashPoint
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers import deliver, monitor, schedule, serve
from navigate_safer.workers.loop import Stop

_LOOK_EVERY_S = 0.05
_TIME_TO_END_S = 5.0
_WEB_THREADS = 4


_context = multiprocessing.get_context("forkserver")


class HandedClock:
    """The clock of a run, the same in all of its processes; it stands still until :meth:`go`.

    Aware UTC, ``speed`` times as fast as real time.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed = start, speed
        self._began_s = _context.Value("d", 0.0)

    def __call__(self) -> datetime:
        """The time now."""
        began_s = self._began_s.value
        passed_s = time.monotonic() - began_s if began_s else 0.0
        return self._start + timedelta(seconds=passed_s * self._speed)

    def go(self) -> None:
        """Let the time run."""
        self._began_s.value = time.monotonic()


class Dying(msgspec.Struct, frozen=True):
    """A worker that ends at a point of the outbox when it comes there for the ``nth`` time."""

    point: CrashPoint
    nth: int


def _end_with_the_bench() -> None:
    """Nobody else would end a worker whose benchmark was killed."""
    bench = multiprocessing.parent_process()
    if bench is not None:
        bench.join()
        os._exit(1)


def _web(service: Service, _stop: Stop) -> None:
    serve.main(service, threads=_WEB_THREADS)


_WORKERS: dict[str, Callable[[Service, Stop], None]] = {
    "monitor": monitor.main,
    "deliver": deliver.main,
    "schedule": schedule.main,
    "web": _web,
}


def work(
    command: str, settings: Settings, clock: HandedClock, log: str, dying: Dying | None
) -> None:
    """What the command of this name does, in a process of its own."""
    threading.Thread(target=_end_with_the_bench, daemon=True).start()
    with Path(log).open("a", buffering=1, encoding="utf-8") as stream:
        logs.configure(stream, level="error")
        service = Service(settings)
        service.clock = clock
        if dying is not None:
            crash_points.arm(service.engine, service.sessions, dying.point, dying.nth)
        _WORKERS[command](service, Stop().listen())


class _Member:
    def __init__(self, command: str) -> None:
        self.command = command
        self.process: BaseProcess | None = None
        self.dying: Dying | None = None


class Crew:
    """The workers of one run. ``deaths`` counts those that were killed, ``ended`` names others.

    ``dying`` is taken by the next start of its worker, as often as there are any left.
    """

    def __init__(
        self,
        settings: Settings,
        clock: HandedClock,
        log: Path,
        commands: Sequence[str],
        dying: Sequence[Dying] = (),
    ) -> None:
        self._settings, self._clock, self._log = settings, clock, str(log)
        self._dying = list(dying)
        _context.set_forkserver_preload([__name__])
        self._members = [_Member(command) for command in commands]
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.deaths = 0
        self.ended: list[str] = []
        self._thread = threading.Thread(target=self._look, name="crew", daemon=True)

    def start(self) -> None:
        """Start everybody, and look after them from now on."""
        with self._lock:
            for member in self._members:
                self._start(member)
        self._thread.start()

    def kill(self, command: str) -> bool:
        """Kill -9 of the first process of a command that runs, if any does.

        The point at which it was to end is left to the next.
        """
        with self._lock:
            for member in self._members:
                process = member.process
                if member.command == command and process is not None and process.is_alive():
                    process.kill()
                    process.join()
                    if member.dying is not None:
                        self._dying.insert(0, member.dying)
                    return True
        return False

    def end(self) -> None:
        """End everybody: the pages at once, the others in order. Again, it does nothing."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        running = [
            (member.command, member.process)
            for member in self._members
            if member.process is not None
        ]
        for command, process in running:
            # gunicorn waits for requests after SIGTERM; nobody asks any more.
            number = signal.SIGQUIT if command == "web" else signal.SIGTERM
            # It is a child of the server that forks, and may be gone between two looks.
            with contextlib.suppress(ProcessLookupError):
                if process.pid is not None and process.is_alive():
                    os.kill(process.pid, number)
        for _, process in running:
            process.join(_TIME_TO_END_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _start(self, member: _Member) -> None:
        dying = next((each for each in self._dying if each.point.worker == member.command), None)
        if dying is not None:
            self._dying.remove(dying)
        member.dying = dying
        arguments = (member.command, self._settings, self._clock, self._log, dying)
        member.process = _context.Process(target=work, args=arguments, daemon=True)
        member.process.start()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            with self._lock:
                for member in self._members:
                    self._look_at(member)

    def _look_at(self, member: _Member) -> None:
        process = member.process
        if process is None or process.is_alive():
            return
        if process.exitcode == -signal.SIGKILL:
            self.deaths += 1
        else:
            self.ended.append(f"{member.command} ended by itself ({process.exitcode})")
        process.close()
        self._start(member)
