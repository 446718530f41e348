"""What stands between a breach and an officer, and the sentence that says so."""

import threading
from datetime import timedelta

import msgspec
import pytest
from case_files import OUTSIDE, START, walk

from navigate_safer.db.base import make_engine, make_sessions
from navigate_safer.db.figures import Facts
from navigate_safer.db.operations import WorkerLine
from navigate_safer.db.telemetry import PendingRow
from navigate_safer.services import health, heartbeats, sweep
from navigate_safer.services.health import State

SECOND = timedelta(seconds=1)


def line(worker, **fields):
    well = WorkerLine(worker, START, START - timedelta(hours=1), None, stale=False)
    return msgspec.structs.replace(well, **fields)


def facts(*, ingest=None, extra=(), **fields):
    workers = [ingest or line("ingest"), line("monitor"), line("deliver"), line("schedule")]
    well = Facts(
        workers=[*workers, *extra],
        last_received_at=START - SECOND,
        tags_fitted=True,
        pending_devices=0,
        failing_devices=0,
        pending_since=None,
        texts_waiting=0,
        texts_overdue=0,
        texts_refused=0,
    )
    return msgspec.structs.replace(well, **fields)


def said(found):
    """State and sentence of everything that is not well."""
    return [(c.state, c.text) for c in health.judge(found, START) if c.state is not State.OK]


def test_of_a_service_that_is_well_nothing_is_said():
    assert said(facts()) == []


BAD = [
    pytest.param(
        facts(ingest=line("ingest", stale=True)), "ingest worker gives no sign", id="worker dead"
    ),
    pytest.param(
        facts(ingest=line("ingest", fault="DiskFull")), "a fault (DiskFull)", id="worker's fault"
    ),
    pytest.param(
        facts(ingest=line("ingest", connected_since=None)), "no connection to the broker",
        id="no broker",
    ),
    pytest.param(
        facts(ingest=line("ingest", waiting=2_000, oldest_waiting_s=95.0)),
        "2,000 message(s) wait to be stored, the oldest since 20:58:25 UTC (1 minute)",
        id="intake behind",
    ),
    pytest.param(
        facts(last_received_at=START - timedelta(minutes=16)), "come for 16 minutes",
        id="connected and nothing comes",
    ),
    pytest.param(
        facts(last_received_at=START - timedelta(minutes=24_488)), "come for 17 days.",
        id="nothing comes for weeks",
    ),
    pytest.param(
        facts(pending_devices=3, pending_since=START - timedelta(hours=30)),
        "of 3 device(s) wait, the oldest for 1 day.",
        id="judging behind for long",
    ),
    pytest.param(
        facts(ingest=line("ingest", waiting=2_000, oldest_waiting_s=7_260.0)), "UTC (2 hours).",
        id="intake behind for long",
    ),
    pytest.param(
        facts(pending_devices=3, pending_since=START - 61 * SECOND), "of 3 device(s) wait",
        id="judging behind",
    ),
    pytest.param(facts(failing_devices=1), "1 device(s) cannot be judged", id="judging fails"),
    pytest.param(facts(texts_overdue=2), "2 text(s) have been waiting", id="texts overdue"),
    pytest.param(facts(texts_refused=1), "did not reach an officer", id="a text failed"),
    pytest.param(facts(alerts_untold=2), "2 open alert(s) can be told to nobody", id="untold"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "text"), BAD)
def test_each_thing_that_keeps_a_breach_from_an_officer_is_a_fault_in_words(found, text):
    [(state, sentence)] = said(found)
    assert state is State.FAULT
    assert text in sentence


def test_intake_behind_says_that_messages_are_kept_and_nothing_is_lost():
    [(_, sentence)] = said(facts(ingest=line("ingest", waiting=9, oldest_waiting_s=31.0)))
    assert "kept by the broker and nothing is lost" in sentence


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(facts(ingest=line("ingest", waiting=900, oldest_waiting_s=29.0)), id="29 s"),
        pytest.param(facts(pending_devices=9, pending_since=START - 44 * SECOND), id="44 s"),
        pytest.param(
            facts(last_received_at=START - timedelta(hours=9), tags_fitted=False),
            id="no tag fitted",
        ),
        pytest.param(facts(last_received_at=None), id="nothing received yet"),
        pytest.param(facts(texts_waiting=50), id="texts that are not overdue"),
    ],
)
def test_what_is_within_its_bounds_is_not_complained_about(found):
    assert said(found) == []


def test_a_worker_that_no_breach_passes_is_a_warning():
    [(state, sentence)] = said(facts(extra=[line("commands", stale=True)]))
    assert state is State.WARNING
    assert "commands" in sentence


def test_a_note_of_intake_is_repeated():
    [(state, sentence)] = said(facts(ingest=line("ingest", note="the database is slow")))
    assert (state, sentence) == (State.WARNING, "Intake says: the database is slow")


def all_beat(watch, **ingest):
    up = watch.clock() - timedelta(hours=1)
    for worker in ("monitor", "deliver", "schedule"):
        heartbeats.beat(watch.sessions, worker, watch.clock())
    heartbeats.beat(watch.sessions, "ingest", watch.clock(), connected_since=up, **ingest)


def states(watch):
    checks = health.look(watch.sessions, watch.clock(), watch.clock(), slow=health.SlowChecks())
    return {each.name: each.state for each in checks}


def test_what_workers_write_is_what_health_reads(watch):
    watch.receive(*walk("TAG-1", OUTSIDE))
    watch.judge()
    all_beat(watch)
    found = states(watch)
    assert State.FAULT not in found.values()
    assert {"database", "feed", "intake", "judging", "texts", "worker: deliver"} <= set(found)
    assert any(name.startswith("limit: ") for name in found)

    all_beat(watch, waiting=1_999, oldest_waiting_s=40.0, note="the database is slow")
    assert states(watch)["intake"] is State.FAULT
    assert states(watch)["intake note"] is State.WARNING


def test_a_feed_that_is_silent_for_longer_than_figures_are_kept_is_still_a_fault(watch):
    watch.receive(*walk("TAG-1", OUTSIDE, OUTSIDE))
    now = watch.clock.forward(days=8)
    for worker in ("ingest", "monitor", "deliver", "schedule"):
        heartbeats.beat(watch.sessions, worker, now, connected_since=now - timedelta(days=8))
    sweep.prune_batches(watch.sessions, now)
    feed = next(c for c in health.look(watch.sessions, now, now) if c.name == "feed")
    assert (feed.state, feed.text) == (State.FAULT, "No message of any device has come for 8 days.")


def test_readings_that_wait_too_long_to_be_judged_are_a_fault(watch):
    watch.receive(*walk("TAG-1", OUTSIDE))
    all_beat(watch)
    with watch.sessions.begin() as session:
        for row in session.query(PendingRow):
            row.marked_at = watch.clock()
    assert states(watch)["judging"] is State.OK
    watch.clock.forward(seconds=61)
    assert states(watch)["judging"] is State.FAULT


def test_a_database_that_is_away_is_said_with_what_to_do(tmp_path):
    sessions = make_sessions(make_engine(f"sqlite:///{tmp_path}/nowhere/none.sqlite3"))
    [check] = health.look(sessions, START, START, slow=health.SlowChecks())
    assert (check.name, check.state) == ("database", State.FAULT)
    assert "does not answer" in check.text
    assert "reply code in your text" in check.text
    assert health.degraded(sessions, START, START) == [check.text]


def test_a_flood_of_questions_looks_once_a_second():
    seconds, looks = [100.0], []

    def find():
        looks.append(seconds[0])
        return [health.Check("database", State.OK, f"look {len(looks)}")]

    recent = health.Recent(clock=lambda: seconds[0])
    said = {recent.look(find)[0].text for _ in range(1_000)}
    assert said == {"look 1"}
    seconds[0] += 1.0
    assert recent.look(find)[0].text == "look 2"
    assert looks == [100.0, 101.0]


def test_who_asks_while_somebody_looks_waits_for_that_answer():
    """A database that hangs is asked once, and not once for each who waits."""
    looks, begun, answer = [], threading.Event(), threading.Event()

    def find():
        looks.append(1)
        begun.set()
        assert answer.wait(20)
        return []

    recent = health.Recent()
    threads = [threading.Thread(target=recent.look, args=(find,)) for _ in range(20)]
    for each in threads:
        each.start()
    assert begun.wait(20)
    answer.set()
    for each in threads:
        each.join(20)
    assert len(looks) == 1
