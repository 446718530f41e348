"""A tick that fails or hangs is in the scheduler's sign of life, and a fault of the service."""

import threading
from datetime import timedelta

import pytest
from watch import Watch

from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.services import heartbeats, self_watch
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers import schedule
from navigate_safer.workers.ticks import HANGS_S, Ticks


class Seconds:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_tick_that_raises_is_a_fault_until_it_runs_through():
    broken = [ValueError("quotes data")]

    def job() -> None:
        if broken:
            raise broken[0]

    ticks = Ticks({"escalation"})
    run = ticks.watch("escalation", job)
    with pytest.raises(ValueError, match="quotes"):
        run()
    assert ticks.fault() == "escalation: ValueError"
    broken.clear()
    run()
    assert ticks.fault() is None


def test_a_tick_that_hangs_is_a_fault_while_it_does():
    clock, release, begun = Seconds(), threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        assert release.wait(20)

    ticks = Ticks({"escalation"}, clock=clock)
    thread = threading.Thread(target=ticks.watch("escalation", job))
    thread.start()
    assert begun.wait(20)
    clock.now_s += HANGS_S
    assert ticks.fault() is None
    clock.now_s += 1
    assert ticks.fault() == "escalation has not ended for 31 s"
    release.set()
    thread.join(20)
    assert ticks.fault() is None


def test_a_job_that_is_not_watched_is_left_as_it_is():
    def job() -> None:
        raise ValueError

    assert Ticks({"escalation"}).watch("storage", job) is job


def test_the_scheduler_s_sign_of_life_says_which_tick_fails(watch: Watch):
    service = Service(Settings(database_url=watch.database.url))
    ticks = Ticks(schedule.WATCHED)
    jobs = {name: job for name, _, job in schedule._jobs(service, ticks)}
    assert set(schedule.WATCHED) <= set(jobs)

    def failing() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        ticks.watch("escalation", failing)()
    jobs["heartbeat"]()
    row = watch.database.one(HeartbeatRow, HeartbeatRow.worker == "schedule")
    assert row.fault == "escalation: LookupError"
    up = row.at - timedelta(hours=1)
    for worker in ("ingest", "monitor", "deliver"):
        heartbeats.beat(watch.sessions, worker, row.at, connected_since=up)
    wrong = self_watch.not_holding(watch.sessions, row.at, row.at)
    assert "The schedule worker reports a fault (escalation: LookupError)." in wrong
    ticks.watch("escalation", jobs["escalation"])()
    jobs["heartbeat"]()
    assert watch.database.one(HeartbeatRow, HeartbeatRow.worker == "schedule").fault is None
    service.close()
