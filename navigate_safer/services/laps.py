"""Where the time of a batch goes, step by step."""

import time


class Laps:
    """Seconds by step since it was made: on the clock, and of this thread's CPU.

    Not the same where a step waits, for the database or for its turn among the threads.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self._clock, self._cpu = time.perf_counter(), time.thread_time()

    def lap(self, step: str) -> None:
        """What has passed since the last lap was ``step``."""
        clock, cpu = time.perf_counter(), time.thread_time()
        self.seconds[step] = self.seconds.get(step, 0.0) + clock - self._clock
        self.cpu_seconds[step] = self.cpu_seconds.get(step, 0.0) + cpu - self._cpu
        self._clock, self._cpu = clock, cpu
