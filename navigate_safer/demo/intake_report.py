"""The figures of several measurements of intake as one, and what they were measured on."""

import platform
import statistics
from collections.abc import Sequence
from typing import Any

import msgspec

from navigate_safer.demo.intake_run import Run
from navigate_safer.demo.server_process import version_of

# The steps in their order, and what each is.
STEPS = {
    "network": "network's thread: receive, take apart, queue",
    "take": "take a batch from the queue",
    "decode": "decode and validate",
    "store": "look up devices, write fixes and last positions",
    "judge": "judge",
    "commit": "commit",
    "acknowledge": "acknowledge",
    "rest": "figures, and the rest",
}


def median(runs: Sequence[Run]) -> Run:
    """Each figure's median, of runs of one kind."""
    figures: dict[str, Any] = {}
    for name in _NUMBERS:
        figures[name] = _middle([getattr(run, name) for run in runs])
    for name in ("seconds", "cpu_steps"):
        steps = getattr(runs[0], name)
        figures[name] = {
            step: statistics.median(getattr(run, name).get(step, 0.0) for run in runs)
            for step in steps
        }
    return msgspec.structs.replace(runs[0], **figures)


_NUMBERS = (
    "rate", "service_us", "monitor_us", "database_us", "broker_us", "p50_ms", "p99_ms", "worst_ms",
    "batch", "on_arrival", "rss_mb",
)  # fmt: skip


def _middle(values: Sequence[float | None]) -> float | None:
    stated = [value for value in values if value is not None]
    return statistics.median(stated) if stated else None


def shares(runs: Sequence[Sequence[Run]]) -> list[float]:
    """Of each measurement: the service's rate as a share of the bare path's, in that same one."""
    found = []
    for measured in runs:
        by_name = {run.name: run.rate for run in reversed(measured)}
        found.append(by_name["service"] / by_name["bare path"])
    return found


def versions(database: str) -> str:
    """What is measured: Python, the database and the broker, with their versions."""
    return f"Python {platform.python_version()}, {version_of(database)}, {version_of('mosquitto')}"
