"""Figures for Prometheus: they add up, they name nobody, and their number is bounded."""

import json
import math
import re
import urllib.request
from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, private_words, walk
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse
from yaml import safe_load

from devices.quality import Doubt
from devices.rejection import Reason
from navigate_safer import metrics
from navigate_safer.deployment import writing
from navigate_safer.metrics import GatewayBatch, ManyHistogram
from navigate_safer.services import figures, health, heartbeats
from navigate_safer.services.ingest import Message


def values(families=()):
    """Every sample by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(metrics.exposed(families).decode())
        for sample in family.samples
    }


def value(name, families=(), **labels):
    return values(families).get((f"navigate_safer_{name}", tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
def many():
    made = ManyHistogram("navigate_safer_test_seconds", "Of a test", (0.1, 1.0, 10.0))
    yield made
    metrics.REGISTRY.unregister(made)


@given(lists=st.lists(st.lists(st.floats(-1, 100) | st.sampled_from([0.1, 1.0, 10.0]))))
def test_a_histogram_of_a_batch_counts_as_one_of_single_values_would(lists):
    made = ManyHistogram("navigate_safer_test_seconds", "Of a test", (0.1, 1.0, 10.0))
    try:
        for each in lists:
            made.observe(each)
        every = [seconds for each in lists for seconds in each]
        found = values()
        for bound in (0.1, 1.0, 10.0, math.inf):
            label = "+Inf" if bound == math.inf else str(bound)
            key = ("navigate_safer_test_seconds_bucket", (("le", label),))
            assert found[key] == sum(seconds <= bound for seconds in every)
        assert found["navigate_safer_test_seconds_count", ()] == len(every)
        total = sum(seconds for seconds in every if seconds > 0)
        assert found["navigate_safer_test_seconds_sum", ()] == pytest.approx(total)
    finally:
        metrics.REGISTRY.unregister(made)


def test_a_batch_is_counted_by_gateway_and_a_stranger_is_unknown():
    before = value("messages_total", gateway="unknown")
    ours, stranger = GatewayBatch(), GatewayBatch()
    ours.messages, ours.readings = 5, 300
    ours.last_received_at, ours.last_sent_at = 1_000.0, 997.5
    stranger.messages = 2
    metrics.taken({"gw-metrics": ours, None: stranger})
    assert value("messages_total", gateway="gw-metrics") == 5
    assert value("readings_total", gateway="gw-metrics") == 300
    assert value("gateway_delay_seconds", gateway="gw-metrics") == 2.5
    assert value("gateway_last_message_timestamp_seconds", gateway="gw-metrics") == 1_000
    assert value("messages_total", gateway="unknown") == before + 2


def test_however_many_gateways_there_are_labels_are_bounded():
    for number in range(metrics.MOST_LABELS + 50):
        batch = GatewayBatch()
        batch.messages = 1
        metrics.taken({f"gw-many-{number}": batch})
    labels = {labels for name, labels in values() if name == "navigate_safer_messages_total"}
    assert len(labels) <= metrics.MOST_LABELS + 1


def test_what_a_batch_came_to_is_counted():
    before = {name: value(name) for name in ("readings_stored_total", "readings_repeated_total")}
    metrics.stored("0", messages=500, new=480, repeated=20, committed_at=12.0)
    metrics.steps(dict.fromkeys(metrics.STEPS, 0.004))
    metrics.refused({Reason.MALFORMED.value: 3})
    metrics.doubted({Doubt.LATE.name.lower(): 4})
    metrics.judged(on_arrival=7, by_monitor=1, failed=1)
    metrics.waiting("0", 1_500, 31.5)
    assert value("readings_stored_total") == before["readings_stored_total"] + 480
    assert value("readings_repeated_total") == before["readings_repeated_total"] + 20
    assert value("oldest_waiting_seconds", partition="0") == 31.5
    assert value("last_commit_timestamp_seconds", partition="0") == 12.0
    assert value("batch_step_seconds_count", step="judge") >= 1
    assert value("refusals_total", reason="malformed") >= 3
    assert value("doubts_total", doubt="late") >= 4
    assert value("devices_judged_total", by="arrival") >= 7
    metrics.waiting("0", 0, None)
    assert value("oldest_waiting_seconds", partition="0") == 0


def test_a_worker_serves_its_figures_and_no_port_is_off():
    assert metrics.serve("127.0.0.1", 0) is None
    with pytest.raises(OSError, match="in use"):
        _serve_twice()


def _serve_twice():
    from navigate_safer.demo.servers import free_port

    port = free_port()
    server = metrics.serve("127.0.0.1", port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert b"navigate_safer_readings_stored_total" in answer.read()
        metrics.serve("127.0.0.1", port)
    finally:
        server.shutdown()
        server.server_close()


# What lies in the database


def of_database(watch):
    return figures.of_database(watch.sessions, watch.clock(), watch.clock())


def test_a_breach_waits_is_judged_and_is_an_open_alert(watch):
    watch.receive(*walk("TAG-1", OUTSIDE, INSIDE))
    assert value("pending_devices", of_database(watch)) == 1
    watch.judge()
    found = of_database(watch)
    assert value("pending_devices", found) == 0
    assert value("alerts_open", found, severity="critical") == 1
    assert value("texts_waiting", found) == 1
    watch.clock.forward(minutes=2)
    assert value("texts_overdue", of_database(watch)) == 1
    watch.deliver()
    assert value("texts_waiting", of_database(watch)) == 0


def test_signs_of_life_refusals_and_limits_are_there(watch):
    heartbeats.beat(watch.sessions, "ingest", watch.clock(), connected_since=START)
    watch.receive(*[Message("telemetry/v1/gw-west/TAG-1", b"?", START)] * 3)
    watch.clock.forward(seconds=12)
    found = of_database(watch)
    assert value("database_up", found) == 1
    assert value("heartbeat_age_seconds", found, worker="ingest") == pytest.approx(12, abs=3)
    assert value("feed_connected", found) == 1
    assert value("quarantine_refusals", found, reason="malformed") == 3
    assert value("quarantine_waiting", found, reason="malformed") == 1
    assert value("database_bytes", found) > 0
    assert value("limit_used_ratio", found, limit="quarantine_id_seq") > 0
    assert value("gateway_online", found, gateway="gw-west") == 0


def test_a_look_at_the_figures_takes_no_lock_and_waits_for_none(watch):
    watch.receive(*walk("TAG-1", OUTSIDE))
    with watch.sessions.begin() as writer:
        from navigate_safer.db.telemetry import HeartbeatRow

        writer.add(HeartbeatRow(worker="ingest", at=START))
        writer.flush()
        found = of_database(watch)
        assert value("database_up", found) == 1
        # And the health of it, while somebody writes.
        assert "database" in [each.name for each in health.look(watch.sessions, START, START)]


def test_of_a_database_that_is_away_only_that_is_said(tmp_path):
    from navigate_safer.db.base import make_engine, make_sessions

    sessions = make_sessions(make_engine(f"sqlite:///{tmp_path}/nowhere/none.sqlite3"))
    found = figures.of_database(sessions, START, START)
    assert [family.name for family in found] == ["navigate_safer_database_up"]
    assert value("database_up", found) == 0


def test_no_figure_names_anybody(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.receive(Message("telemetry/v1/gw-west/TAG-1", b"?", START))
    said = metrics.exposed(of_database(watch)).decode()
    for word in private_words() | {"TAG-1", "W-1"}:
        assert word not in said
    labels = re.sub(r'le="[^"]*"', "", said)
    assert not re.search(r'"-?\d{1,3}\.\d{3,}"', labels)


# What is shipped names what there is


def every_name(watch) -> set[str]:
    watch.receive(*walk("TAG-1", OUTSIDE), Message("telemetry/v1/gw-west/TAG-1", b"?", START))
    found = parse(metrics.exposed(of_database(watch)).decode())
    declared = {family.name for family in found} | {
        sample.name for family in parse(metrics.exposed().decode()) for sample in family.samples
    }
    for family in metrics.REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        declared |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    return declared


def named_in(text: str) -> set[str]:
    return set(re.findall(r"\b(?:navigate_safer|process)_\w+", text))


def dashboard():
    return json.loads(writing.content("grafana-dashboard.json"))


def test_the_dashboard_asks_for_figures_that_there_are(watch):
    asked = {
        name
        for panel in dashboard()["panels"]
        for target in panel["targets"]
        for name in named_in(target["expr"])
    }
    assert len(asked) > 30
    assert asked - every_name(watch) == set()


def test_the_dashboard_shows_every_figure_of_ours(watch):
    asked = named_in(writing.content("grafana-dashboard.json"))
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    found = parse(metrics.exposed(of_database(watch)).decode())
    ours = {family.name for family in found if family.name.startswith("navigate_safer_")}
    assert ours - shown == set()


def test_panels_of_the_dashboard_have_ids_of_their_own_and_do_not_lie_on_each_other():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for each in (panel["gridPos"] for panel in panels)
        for x in range(each["x"], each["x"] + each["w"])
        for y in range(each["y"], each["y"] + each["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


def rules():
    [group] = safe_load(writing.content("alert-rules.yml"))["groups"]
    return group["rules"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_rule_asks_for_figures_that_there_are(watch, rule):
    asked = named_in(rule["expr"])
    assert asked or "up{" in rule["expr"]
    assert asked - every_name(watch) == set()
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]


def test_alert_rules_and_pages_judge_by_the_same_thresholds():
    said = " ".join(rule["expr"] for rule in rules())
    assert f"oldest_waiting_seconds) > {health.INTAKE_BEHIND_S:.0f}" in said
    assert f"pending_oldest_seconds > {health.UNJUDGED_STALE / timedelta(seconds=1):.0f}" in said
    assert f"feed_age_seconds > {health.FEED_SILENT / timedelta(seconds=1):.0f}" in said
    assert f'limit!~"partitions.*"}} < {health.DAYS_WARNING:.0f}' in said


def test_prometheus_reads_every_worker_that_is_run():
    from navigate_safer.workers.supervisor import EVERYTHING

    jobs = {
        job["job_name"]: job
        for job in safe_load(writing.content("prometheus.yml"))["scrape_configs"]
    }
    workers = [
        each["labels"]["worker"] for each in jobs["navigate-safer-workers"]["static_configs"]
    ]
    assert workers == [name for name in EVERYTHING if name != "web"]
    ports = [
        int(each["targets"][0].rsplit(":")[-1])
        for each in jobs["navigate-safer-workers"]["static_configs"]
    ]
    assert ports == [9600 + EVERYTHING.index(name) for name in workers]
