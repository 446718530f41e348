"""Logs leave the service, so nothing in them may tell who or where."""

import ast
import io
import json
import logging
import re
from pathlib import Path

import pytest
import structlog
from case_files import INSIDE, OUTSIDE, START, battery, event, message, private_words, walk
from watch import Watch

from navigate_safer import logs, metrics
from navigate_safer.db.alerting import TextRow
from navigate_safer.db.telemetry import QuarantineRow

COORDINATE = re.compile(r"-?\d{1,3}\.\d{3,}")


@pytest.fixture
def log_stream():
    """Where the logs go during a test; the configuration of before comes back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(stream, level="debug")
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("call +447700900123", id="a number in E.164"),
        pytest.param("call 07700 900123 now", id="a number as written"),
        pytest.param("at 53.1905,-2.8918", id="coordinates"),
        pytest.param("lat=53.19", id="a coarse coordinate in a field that is not allowed"),
    ],
)
def test_private_fields_and_numbers_do_not_get_through(text: str, log_stream) -> None:
    logs.logger("test").info("planted", reason=text, wearer=text, lat=53.1905)
    line = log_stream.getvalue()
    entry = json.loads(line)
    assert entry["wearer"] == entry["lat"] == "[refused]"
    assert "900123" not in line
    assert not COORDINATE.search(entry["reason"])


def fields_of_log_lines() -> set[str]:
    """Every field that a call of ours writes, but those that come as ``**``."""
    root = Path(logs.__file__).parent
    calls = (
        node
        for path in root.rglob("*.py")
        if "node_modules" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )
    return {
        each.arg
        for call in calls
        if call.func.attr in ("debug", "info", "warning", "error")
        and "log" in ast.unparse(call.func.value)
        for each in call.keywords
        if each.arg is not None
    }


def test_whoever_reads_the_log_is_told_every_field_that_is_written_for_him() -> None:
    written = fields_of_log_lines()
    assert {"exception_type", "command_id"} <= written
    assert written | set(metrics.STEPS) <= logs.ALLOWED


def test_a_library_may_say_that_it_warns_but_not_what(log_stream) -> None:
    logging.getLogger("twilio.http_client").error("To=%s", "+447700900123")
    assert "900123" not in log_stream.getvalue()
    assert "twilio.http_client" in log_stream.getvalue()


def test_a_day_of_alerts_leaves_nothing_private_in_logs_or_texts(watch: Watch, log_stream) -> None:
    watch.receive(*walk("TAG-1", OUTSIDE, INSIDE, INSIDE, OUTSIDE))
    watch.receive(message("TAG-1", event(START, "strap_tamper", "start")))
    watch.receive(message("TAG-1", battery(START, 3)))
    watch.receive(message("TAG-SPARE", {"kind": "fix", "at": START.isoformat(), "lat": 91.5}))
    watch.judge()
    watch.deliver()
    texts = watch.database.all(TextRow)
    assert texts
    said = " ".join([each.body for each in texts] + [log_stream.getvalue()])
    for word in private_words():
        assert word not in said
    assert not COORDINATE.search(said)
    explained = [each.explanation for each in watch.database.all(QuarantineRow)]
    assert explained
    assert "91" not in " ".join(explained)
