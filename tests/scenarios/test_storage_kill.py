"""kill -9 of whoever keeps house over the readings, while late readings come in.

A process of its own closes, archives and empties days, and is killed at a random moment again and
again; in the end every reading is there once.
"""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from case_files import CREWE, INSIDE, OUTSIDE, battery, fix, message
from databases import Database, drop_days
from sqlalchemy import select, text
from watch import Watch

from devices.codec import decode
from devices.quality import QualityLimits
from devices.readings import content
from navigate_safer.db import archive, readings
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import ReadingDayRow
from navigate_safer.services import sorting, storage, storage_round
from navigate_safer.services.ingest import Message
from navigate_safer.services.storage import Plan

ROOT = Path(__file__).parent.parent.parent
FIRST = datetime(2026, 9, 1, tzinfo=UTC)
DAYS, FIXES_A_DAY = 6, 150
NOW = FIRST + timedelta(days=80)
# Half of the days are old enough for the archive, the other half only to be closed.
PLAN = Plan(
    ahead_days=0,
    past_days=0,
    close_after_days=2,
    archive_after_days=80 - DAYS // 2,
    keep_days=9_999,
)
KILLS = 8
PATIENCE_S = 60.0

HOUSEKEEPER = """
import sys, time
from datetime import datetime
from pathlib import Path
import msgspec
from navigate_safer.db import archive
from navigate_safer.db.base import make_engine, make_sessions
from navigate_safer.services.storage import Plan
from navigate_safer.db import pieces
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import sorting
from navigate_safer.services.storage_round import keep_house

url, folder, now, plan, work = sys.argv[1:]
now, plan = datetime.fromisoformat(now), msgspec.json.decode(plan, type=Plan)
sessions = make_sessions(make_engine(url))
archive.use_folder(sessions, Path(folder))
print("ready", flush=True)
while work == "keep house":
    keep_house(sessions, now, plan, time.sleep)
while work == "sort pieces":
    sorting.sort_pieces(sessions, now, time.sleep, least_bytes=0)
    # Whether there is need or not, so that each kill meets it at work.
    for piece in pieces.of_day(FixRow, now.date()):
        sorting.sort_piece(sessions, piece, time.sleep)
"""


def day(number: int) -> date:
    return (FIRST + timedelta(days=number)).date()


def history(seed: int) -> list[Message]:
    """Some fixes and a charge of two devices on every day, received days later."""
    draw = random.Random(seed)
    found = []
    for number in range(DAYS):
        for device in ("TAG-1", "TAG-LENT"):
            ats = sorted(draw.sample(range(86_400), FIXES_A_DAY // 2))
            times = [FIRST + timedelta(days=number, seconds=at) for at in ats]
            parts = [fix(at, draw.choice([INSIDE, OUTSIDE, CREWE])) for at in times]
            parts.append(battery(times[0], draw.randint(5, 100)))
            found.append(message(device, *parts, received_at=FIRST + timedelta(days=40)))
    return found


def stored(watch: Watch) -> list[tuple[str, datetime, tuple[object, ...]]]:
    with watch.sessions() as session:
        return sorted(
            (device.ref, each.stamp.measured_at, content(each))
            for device in session.scalars(select(DeviceRow))
            for each in readings.between(session, device.id, device.ref, None, None)
        )


class Housekeeper:
    """The process that is killed."""

    def __init__(self, database: Database, folder: Path, work: str = "keep house") -> None:
        plan = msgspec.json.encode(PLAN).decode()
        arguments = [database.url, str(folder), NOW.isoformat(), plan, work]
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOUSEKEEPER, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill_after(self, seconds: float) -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def kept(database, tmp_path):
    watch = Watch(database)
    archive.use_folder(watch.sessions, tmp_path / "archive")
    watch.limits = type(watch.limits)(past_days=1_000)
    yield watch
    drop_days(watch.database)


def test_a_killed_housekeeper_loses_no_reading_and_doubles_none(kept, tmp_path):
    first, late = history(1), history(2)
    kept.receive(*first)
    storage.make_days(kept.sessions, NOW, PLAN)
    kill_beside_intake(kept, first, late, lambda: Housekeeper(kept.database, tmp_path / "archive"))
    for _ in range(3):
        storage_round.keep_house(kept.sessions, NOW, PLAN, lambda _seconds: None)
    assert stored(kept) == expected([*first, *late])
    with kept.sessions() as session:
        assert archive.verify(session).faults == []
    states = {row.day: row.state for row in kept.database.all(ReadingDayRow)}
    assert [states.get(day(number)) for number in range(DAYS // 2)] == ["archived"] * (DAYS // 2)


@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_a_killed_sorting_of_pieces_loses_no_reading_and_doubles_none(kept, tmp_path):
    first, late = of_today(1), of_today(2)
    storage.make_days(kept.sessions, NOW, PLAN)
    kept.receive(*first)
    folder = tmp_path / "archive"
    kill_beside_intake(kept, first, late, lambda: Housekeeper(kept.database, folder, "sort pieces"))
    sorting.sort_pieces(kept.sessions, NOW + timedelta(days=1), lambda _seconds: None, 0)
    assert stored(kept) == expected([*first, *late])
    left = "select count(*) from pg_tables where tablename ~ '_sorted$'"
    with kept.sessions() as session:
        assert session.scalar(text(left)) == 0


def of_today(seed: int) -> list[Message]:
    """Fixes of two devices all over the day that is in pieces, a few in each message."""
    draw = random.Random(seed)
    found = []
    for device in ("TAG-1", "TAG-LENT"):
        for _ in range(FIXES_A_DAY):
            ats = sorted(draw.sample(range(86_400), 3))
            parts = [fix(NOW + timedelta(seconds=at), draw.choice([INSIDE, CREWE])) for at in ats]
            found.append(message(device, *parts, received_at=NOW + timedelta(days=1)))
    return found


def kill_beside_intake(
    kept: Watch,
    first: list[Message],
    late: list[Message],
    start: Callable[[], Housekeeper],
) -> None:
    """Start and kill it again and again, while late readings and repeats come in."""
    done, faults = threading.Event(), []

    def intake() -> None:
        draw = random.Random(3)
        left = list(late)
        while not done.is_set():
            batch = [left.pop()] if left else []
            try:
                kept.receive(*batch, draw.choice(first))
            except Exception as fault:
                left += batch
                faults.append(fault)
                if len(faults) > 200:
                    return
            done.wait(0.05)
        if left:
            kept.receive(*left)

    worker = threading.Thread(target=intake)
    worker.start()
    draw = random.Random(4)
    try:
        for _ in range(KILLS):
            start().kill_after(draw.uniform(0.05, 1.5))
    finally:
        done.set()
        worker.join(PATIENCE_S)
    assert not worker.is_alive()
    assert len(faults) <= 200, f"intake never came through: {faults[-1]!r}"


def expected(messages: list[Message]) -> list[tuple[str, datetime, tuple[object, ...]]]:
    return sorted(
        {
            (each.device, reading.stamp.measured_at, content(reading))
            for each in map(decoded, messages)
            for reading in each.readings
        }
    )


def decoded(each: Message):
    return decode(each.topic, each.payload, each.received_at, QualityLimits(past_days=1_000))
