"""The loop of a worker: finish the item, beat, back off on faults, stop on SIGTERM."""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from navigate_safer import logs

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
BEAT_EVERY_S = 5.0


class Stop:
    """Set by SIGTERM and SIGINT; everything that waits waits on it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> "Stop":
        """Take the two signals; only in a process's main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)
        return self

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def set(self) -> None:
        """Ask everything to end."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake at once when it is time to end; True then."""
        return self._event.wait(seconds)


def run(
    worker: str,
    turn: Callable[[], bool],
    beat: Callable[[str | None], None],
    stop: Stop,
    *,
    idle_s: float,
) -> None:
    """Call ``turn`` until stopped: at once again when it did something, else after ``idle_s``.

    A turn that raises is logged and tried again with growing pauses: the database may be away.
    ``beat(fault)`` writes a sign of life every few seconds and may itself fail for that reason.
    """
    log = logs.logger(worker)
    pause_s, fault, beaten_at = FIRST_PAUSE_S, None, float("-inf")
    while not stop.is_set():
        try:
            worked = turn()
            pause_s, fault = FIRST_PAUSE_S, None
        except Exception as error:
            worked, fault = False, type(error).__name__
            log.error("turn failed", exception_type=fault, where=_where(error))
        if time.monotonic() - beaten_at >= BEAT_EVERY_S:
            beaten_at = time.monotonic()
            try:
                beat(fault)
            except Exception as error:
                log.error("no heartbeat", exception_type=type(error).__name__)
        if fault is not None:
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        elif not worked:
            stop.wait(idle_s)


def _where(error: BaseException) -> str:
    """File and line of a fault: its message could quote data."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return ""
    return f"{last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno}"
