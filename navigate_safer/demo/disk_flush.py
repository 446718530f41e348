"""How long the disk takes to flush: no commit of a benchmark can be faster."""

import os
import time
from pathlib import Path

import numpy as np

FLUSHES = 400
# As often as intake commits at its pace, and as much as it writes then.
PAUSE_S = 0.04
BYTES = 64 * 1024
FILE_BYTES = 16 * 1024 * 1024


def flush_ms(folder: Path, flushes: int = FLUSHES, pause_s: float = PAUSE_S) -> list[float]:
    """The milliseconds that each flush took, of a file like a segment of a database's log."""
    path = folder / "flushed"
    spent_ms = []
    with path.open("wb") as file:
        file.write(bytes(FILE_BYTES))
        os.fsync(file.fileno())
        for number in range(flushes):
            file.seek(number * BYTES % FILE_BYTES)
            file.write(os.urandom(BYTES))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            spent_ms.append((time.perf_counter() - began) * 1000)
            time.sleep(pause_s)
    path.unlink()
    return spent_ms


def percentiles_ms(spent_ms: list[float]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the worst."""
    p50, p99, worst = (float(each) for each in np.percentile(spent_ms, (50, 99, 100)))
    return p50, p99, worst
