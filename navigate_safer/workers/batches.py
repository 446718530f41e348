"""Batches of messages: taken from the broker and decoded, the next one while this one is stored."""

import time
from collections.abc import Callable, Sequence

import msgspec

from devices import columns
from devices.columns import Arrived, Split
from devices.mqtt import Arrival, Listener
from devices.quality import QualityLimits
from navigate_safer import logs

# One transaction takes up to so many messages.
BATCH_MESSAGES = 500
WAIT_S = 0.05

Splitter = Callable[[Sequence[Arrived], QualityLimits], Split]


class Batch(msgspec.Struct, frozen=True):
    """What was taken, in order, and the simple fixes in it.

    ``seconds`` on the clock and ``cpu_seconds`` are what decoding it took; ``ahead``: that was
    while the database was busy with the batch before.
    """

    held: Sequence[Arrival]
    split: Split
    seconds: float
    cpu_seconds: float
    ahead: bool


class Batches:
    """Takes batches for one thread."""

    def __init__(
        self, listener: Listener, limits: QualityLimits, split: Splitter = columns.split
    ) -> None:
        self._listener = listener
        self._limits = limits
        self._split = split
        self._next: Batch | None = None
        self._log = logs.logger("ingest")

    @property
    def made_ready(self) -> Sequence[Arrival]:
        """What has been taken for the next batch: not acknowledged, like all that waits."""
        return () if self._next is None else self._next.held

    def take(self, *, gather_s: float) -> Batch | None:
        """The next batch: the one made ready, or else what there is; None when nothing comes."""
        if self._next is not None:
            ready, self._next = self._next, None
            return ready
        held = self._listener.take(BATCH_MESSAGES, WAIT_S, gather_s=gather_s)
        return self._decoded(held, ahead=False) if held else None

    def look_ahead(self) -> None:
        """Make the next batch ready where a whole one is waiting; never waits for one to fill."""
        if self._next is None and self._listener.waiting >= BATCH_MESSAGES:
            held = self._listener.take(BATCH_MESSAGES, 0.0)
            if held:
                self._next = self._decoded(held, ahead=True)

    def _decoded(self, held: Sequence[Arrival], *, ahead: bool) -> Batch:
        clock, cpu = time.perf_counter(), time.thread_time()
        try:
            split = self._split(held, self._limits)
        except Exception as fault:  # a fault of ours: the general form finds the message
            self._log.error("decoding failed", exception_type=type(fault).__name__)
            split = Split(self._split([], self._limits).fixes, list(range(len(held))))
        spent_s, spent_cpu_s = time.perf_counter() - clock, time.thread_time() - cpu
        return Batch(held, split, spent_s, spent_cpu_s, ahead)
