"""Health, figures and pages while something is wrong with the service itself."""

import io
import json
import logging
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families as parse
from web.world import PASSWORD, World, words_of, world_at

from navigate_safer import logs
from navigate_safer.services import heartbeats
from navigate_safer.web import create_app

TOKEN = "a-token-of-the-tests-and-of-nothing-else"


def behind(world: World, **ingest: object) -> None:
    world.all_workers_well()
    up = world.clock() - timedelta(hours=1)
    heartbeats.beat(world.database.sessions, "ingest", world.clock(), connected_since=up, **ingest)


def away(world: World) -> None:
    """The database is gone: its file is no database any more."""
    world.service.engine.dispose()
    path = Path(world.database.url.removeprefix("sqlite:///"))
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    path.mkdir()


def test_health_says_how_each_part_is(world: World) -> None:
    world.all_workers_well()
    answer = world.visitor().get("/health")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found = {each["name"]: each for each in answer.json["checks"]}
    assert {"database", "feed", "intake", "judging", "texts", "worker: ingest"} <= set(found)
    assert found["worker: ingest"]["says"] == "The ingest worker is running."
    assert any(name.startswith("limit: ") for name in found)


def test_a_breach_that_might_not_arrive_is_a_503_and_a_warning_is_not(world: World) -> None:
    behind(world, waiting=2_000, oldest_waiting_s=44.0)
    answer = world.visitor().get("/health")
    assert (answer.status_code, answer.json["status"]) == (503, "fault")
    behind(world, note="the database is slow")
    answer = world.visitor().get("/health")
    assert (answer.status_code, answer.json["status"]) == (200, "warning")


def test_the_process_is_alive_whatever_else_is_wrong(world: World) -> None:
    away(world)
    assert world.visitor().get("/health/live").status_code == 200


@pytest.mark.parametrize("who", ["duty", "manager", "idva", "supervisor", "admin"])
def test_whoever_relies_on_alerts_reads_that_intake_is_behind(world: World, who: str) -> None:
    behind(world, waiting=2_000, oldest_waiting_s=44.0)
    said = words_of(world.visitor(who).get("/", follow_redirects=True))
    assert "Monitoring is degraded" in said
    assert "2,000 message(s) wait to be stored" in said
    assert "kept by the broker and nothing is lost" in said
    behind(world, waiting=10, oldest_waiting_s=0.1)
    assert "degraded" not in words_of(world.visitor(who).get("/", follow_redirects=True))


def test_without_the_database_a_page_says_so_in_words(world: World) -> None:
    visitor = world.visitor("duty")
    away(world)
    for path in ("/board", "/caseload", "/"):
        answer = visitor.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"]
        said = words_of(answer)
        assert "The service cannot reach its records" in said
        assert "nothing is lost" in said
        assert "Traceback" not in answer.text
    answer = visitor.get("/people/W-EXC/map.json")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")


def test_without_the_database_nobody_is_signed_in_and_nobody_is_told_a_wrong_password(
    world: World,
) -> None:
    visitor = world.visitor()
    visitor.get("/sign-in")
    away(world)
    answer = visitor.post("/sign-in", account="duty", password=PASSWORD)
    assert answer.status_code == 503
    assert "password is wrong" not in answer.text


def test_without_the_database_health_says_what_it_is(world: World) -> None:
    away(world)
    answer = world.visitor().get("/health")
    assert answer.status_code == 503
    [check] = answer.json["checks"]
    assert (check["name"], check["state"]) == ("database", "fault")


# Figures


@pytest.fixture
def measured(breached: Path, tmp_path: Path):
    copy = tmp_path / "measured.sqlite3"
    shutil.copyfile(breached, copy)
    with world_at(f"sqlite:///{copy}", metrics_token=TOKEN) as made:
        yield made


def test_figures_are_for_whoever_has_the_token(measured: World) -> None:
    visitor = measured.visitor()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
        answer = visitor.get("/metrics", headers=headers)
        assert answer.status_code == 401
        assert "navigate_safer" not in answer.text
    answer = visitor.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    found = {family.name: family for family in parse(answer.text)}
    alerts = found["navigate_safer_alerts_open"].samples
    assert sum(sample.value for sample in alerts) == 10
    assert found["navigate_safer_database_up"].samples[0].value == 1


def test_without_a_token_in_the_settings_there_are_no_figures(world: World) -> None:
    assert world.visitor("admin").get("/metrics").status_code == 404


def test_without_the_database_the_figures_say_so(measured: World) -> None:
    away(measured)
    answer = measured.visitor().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "navigate_safer_database_up 0.0" in answer.text
    assert "navigate_safer_alerts_open" not in answer.text


# Logs


def test_a_request_has_an_id_in_its_answer_and_in_its_line(world: World) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(stream, level="debug")
    try:
        world.app = create_app(world.service)
        visitor = world.visitor("duty")
        sent = "not-ours"
        answer = visitor.get("/caseload?search=Umbershaw", headers={"X-Request-Id": sent})
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    [line] = [line for line in lines if line["event"] == "request"]
    assert line["request_id"] == answer.headers["X-Request-Id"] != sent
    assert (line["path"], line["status"], line["method"]) == ("/caseload", 200, "GET")
    assert "Umbershaw" not in stream.getvalue()
