"""Logs as one JSON object a line; fields that could identify somebody are refused.

A log leaves the service: it is shipped, searched and kept by people who may see no case. So
the fields that may be logged are listed, and everything else is replaced.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "worker", "gateway", "count", "stored", "repeated",
        "refused",
        "batch_id", "device_id", "alert_id", "text_id", "staff_id", "episode_id", "fault", "reason",
        "seconds", "readings", "opened", "attempt", "code", "host", "port", "protocol",
        "generation", "exception_type", "where", "state", "path", "status", "method", "pid", "part",
        "revision", "request_id", "partition", "step", "messages", "waiting", "oldest_s", "head",
        "command_id", "message_id", "bytes", "source",
        "decode", "store", "judge", "commit",
    }
)  # fmt: skip
_HIDDEN = "[refused]"
# Telephone numbers, and coordinates with three or more decimals.
_PRIVATE = re.compile(r"\+?\d[\d ]{8,}\d|-?\d{1,3}\.\d{3,}")


def scrub(text: str) -> str:
    """Replace what looks like a telephone number or a coordinate."""
    return _PRIVATE.sub(_HIDDEN, text)


def refuse_private(  # the signature of a structlog processor
    _logger: Any,  # noqa: ANN401
    _method: str,
    event: MutableMapping[str, Any],
) -> dict[str, Any]:
    """Processor: unknown fields lose their value, known ones are scrubbed of numbers."""
    kept: dict[str, Any] = {}
    for name, value in event.items():
        if name == "timestamp":
            kept[name] = value
        elif name not in ALLOWED:
            kept[name] = _HIDDEN
        elif isinstance(value, str):
            kept[name] = scrub(value)
        else:
            kept[name] = value if isinstance(value, int | float | bool) else scrub(str(value))
    return kept


def configure(stream: TextIO | None = None, *, level: str = "info") -> None:
    """Send our logs from ``level`` up, and libraries' warnings, to ``stream`` (stderr)."""
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            refuse_private,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_LibraryFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # A tick that is still running when the next is due is no fault: deadlines are columns, and
    # ticks that fail or are missed are reported by our own listener.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _LibraryFormatter(logging.Formatter):
    """A library's message can quote anything, so only its logger, level and fault's type go out."""

    def format(self, record: logging.LogRecord) -> str:
        exception = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log = structlog.processors.JSONRenderer()
        fields = {"event": "library message", "logger": record.name, "level": record.levelname}
        if exception:
            fields["exception_type"] = exception
        return str(log(None, "", fields))


def logger(worker: str) -> Any:  # noqa: ANN401 - structlog's bound logger
    """A logger bound to the worker's name."""
    return structlog.get_logger().bind(worker=worker)
