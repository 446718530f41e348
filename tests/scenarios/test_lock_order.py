"""Intake, judge and silence sweep meet on one device: nobody waits for who waits for him.

Intake takes a device's last position first and its judgement second, the others begin with the
judgement. On PostgreSQL, where rows are locked one by one.
"""

import threading
from collections.abc import Iterator
from datetime import timedelta

import psycopg.errors
import pytest
from case_files import MINUTE, OUTSIDE, START, Place, fix, message
from faulty_days import device_id, heard
from sqlalchemy import event, update
from watch import VOICE, Watch

from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.people import FittingRow
from navigate_safer.db.telemetry import DeviceLatestRow, JudgementRow, PendingRow
from navigate_safer.services import monitor, sweep

pytestmark = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
TAG = "TAG-X0"
PATIENCE_S = 20.0
ROUNDS = 60


@pytest.fixture
def deadlocks(watch: Watch) -> Iterator[list[object]]:
    """Every transaction that the server ended because of another."""
    found: list[object] = []

    def note(context) -> None:
        if isinstance(context.original_exception, psycopg.errors.DeadlockDetected):
            found.append(context.original_exception)

    event.listen(watch.database.engine, "handle_error", note)
    yield found
    event.remove(watch.database.engine, "handle_error", note)


def in_a_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def meets_intake(watch: Watch, work) -> None:
    """``work`` runs while intake has written the last position and not yet the judgement."""
    tag = device_id(watch.database, TAG)
    fitting = watch.database.one(FittingRow, FittingRow.device_id == tag).id
    with watch.sessions.begin() as intake:
        intake.execute(
            update(DeviceLatestRow)
            .where(DeviceLatestRow.device_id == tag)
            .values(turn=DeviceLatestRow.turn + 1)
        )
        thread = in_a_thread(work)
        # Done at once where it does not wait; where it does, it has what intake takes next.
        thread.join(1.0)
        intake.execute(
            update(JudgementRow)
            .where(JudgementRow.fitting_id == fitting)
            .values(version=JudgementRow.version + 1)
        )
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_silence_sweep_does_not_wait_for_intake_and_calls_nobody_silent_who_is_heard(
    watch: Watch, deadlocks
):
    heard(watch, TAG)
    tag = device_id(watch.database, TAG)
    worn = watch.database.one(FittingRow, FittingRow.device_id == tag).id
    with watch.sessions.begin() as session:
        others = update(JudgementRow).where(JudgementRow.fitting_id != worn)
        session.execute(others.values(check_after=None))

    def silences() -> int:
        lately = EpisodeRow.started_at > START - 10 * MINUTE
        return watch.database.count(EpisodeRow, EpisodeRow.fitting_id == worn, lately)

    watch.clock.at = START + 30 * MINUTE
    meets_intake(watch, lambda: sweep.look_for_silence(watch.sessions, watch.clock(), VOICE))
    assert deadlocks == []
    assert silences() == 0
    watch.clock.forward(minutes=5)
    watch.look_for_silence()
    assert silences() == 1, "it is silent, after all"


def test_a_look_that_failed_is_no_version_of_the_states_that_intake_may_be_saving(watch: Watch):
    heard(watch, TAG)
    worn = watch.database.one(FittingRow, FittingRow.device_id == device_id(watch.database, TAG)).id
    with watch.sessions.begin() as session:
        others = update(JudgementRow).where(JudgementRow.fitting_id != worn)
        session.execute(others.values(check_after=None))
        spoilt = update(JudgementRow).where(JudgementRow.fitting_id == worn)
        session.execute(spoilt.values(states={"by_rule": 7}))
    before = watch.database.one(JudgementRow, JudgementRow.fitting_id == worn).version
    watch.clock.at = START + 30 * MINUTE
    assert sweep.look_for_silence(watch.sessions, watch.clock(), VOICE) == 0
    after = watch.database.one(JudgementRow, JudgementRow.fitting_id == worn)
    assert (after.version, after.check_after) == (before, watch.clock() + sweep.TRY_AGAIN)


def test_the_judge_does_not_wait_for_intake(watch: Watch, deadlocks):
    heard(watch, TAG)
    tag = device_id(watch.database, TAG)
    with watch.sessions.begin() as session:
        session.add(PendingRow(device_id=tag, earliest_at=START))
    meets_intake(watch, lambda: monitor.judge_next(watch.sessions, watch.clock(), VOICE))
    assert deadlocks == []


def test_intake_judge_and_sweep_at_full_pace_on_one_device_end_none_of_each_other(
    watch: Watch, deadlocks
):
    heard(watch, TAG)
    done = threading.Event()
    faults: list[BaseException] = []

    def turns(work) -> None:
        try:
            while not done.is_set():
                work()
        except BaseException as fault:
            faults.append(fault)

    def sweep_it() -> None:
        with watch.sessions.begin() as session:
            session.execute(update(JudgementRow).values(check_after=START))
        sweep.put_off(watch.sessions, START + timedelta(hours=3))
        sweep.look_for_silence(watch.sessions, START + timedelta(hours=3), VOICE)

    def judge() -> None:
        monitor.judge_next(watch.sessions, START + timedelta(hours=3), VOICE)

    threads = [in_a_thread(lambda work=work: turns(work)) for work in (sweep_it, judge)]
    stored = 0
    for n in range(ROUNDS):
        at = START + n * MINUTE
        place = Place(OUTSIDE.lat + (n % 30) * 0.0004, OUTSIDE.lon)
        stored += watch.receive(message(TAG, fix(at, place))).stored
    done.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert stored == ROUNDS
    assert deadlocks == []
    assert faults == []
