"""Which ticks fail or hang: what the scheduler's sign of life says of its own jobs.

A job that raises leaves the scheduler running, and one that hangs leaves its thread behind: either
way the process is alive and nobody is told any more.
"""

import threading
import time
from collections.abc import Callable, Collection

Job = Callable[[], None]
# A tick between a breach and an officer takes milliseconds. Policy of this project, version 1: one
# that takes so long is told with the sign of life after it, within the minute that is the bar.
HANGS_S = 30.0


class Ticks:
    """Remembers how the last run of each watched job ended; ``clock`` gives growing seconds."""

    def __init__(
        self, watched: Collection[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched, self._clock = frozenset(watched), clock
        self._lock = threading.Lock()
        self._begun: dict[str, float] = {}
        self._failed: dict[str, str] = {}

    def watch(self, name: str, job: Job) -> Job:
        """The job, with its runs remembered; one that is not watched as it is."""
        if name not in self._watched:
            return job

        def run() -> None:
            with self._lock:
                self._begun[name] = self._clock()
            failed = None
            try:
                job()
            except BaseException as fault:
                failed = type(fault).__name__
                raise
            finally:
                self._ended(name, failed)

        return run

    def _ended(self, name: str, failed: str | None) -> None:
        with self._lock:
            self._begun.pop(name, None)
            self._failed.pop(name, None)
            if failed is not None:
                self._failed[name] = failed

    def fault(self) -> str | None:
        """What is wrong with the watched jobs in a few words; None while nothing is."""
        with self._lock:
            now = self._clock()
            wrong = [
                f"{name} has not ended for {int(now - began)} s"
                for name, began in self._begun.items()
                if now - began > HANGS_S
            ]
            wrong += [f"{name}: {kind}" for name, kind in self._failed.items()]
        return "; ".join(sorted(wrong))[:200] or None
