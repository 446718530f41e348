"""On SQLite the archive is written and looked at beside whoever writes: nobody waits."""

from datetime import UTC, datetime, timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, walk
from sqlalchemy import text

from navigate_safer.db import archive, day_rows
from navigate_safer.db.days import ONE_DAY, DayState, get
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import archiving, storage_round
from navigate_safer.services.storage import Plan

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = NOON.date()
# Where somebody waits it is for the half minute that SQLite is given.
AT_ONCE = timedelta(seconds=10)


@pytest.fixture
def kept(watch, tmp_path):
    """The service with an archive, and a day of readings in the table."""
    archive.use_folder(watch.sessions, tmp_path / "archive")
    watch.receive(*walk("TAG-1", OUTSIDE, INSIDE, start=NOON), *walk("TAG-2", OUTSIDE, start=NOON,
                  gateway="gw-east"))  # fmt: skip
    return watch


class Writing:
    """Somebody at work on the database, who has its only lock."""

    def __init__(self, watch) -> None:
        self._connection = watch.database.engine.connect()

    def __enter__(self) -> None:
        self._began = datetime.now(UTC)
        self._connection.execute(text("update devices set model = model"))

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        assert datetime.now(UTC) - self._began < AT_ONCE


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_a_day_is_written_out_while_somebody_writes(kept):
    with Writing(kept):
        exported = archiving.export_day(kept.sessions, FixRow, DAY)
    assert (exported.held.rows, exported.written is not None) == (3, True)
    with kept.sessions() as session:
        assert day_rows.count(session, FixRow, DAY) == 3


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_the_archive_is_verified_while_somebody_writes(kept):
    now = START + 61 * ONE_DAY
    storage_round.keep_house(kept.sessions, now, Plan(past_days=2), lambda _seconds: None)
    with kept.sessions() as session:
        assert get(session, FixRow, DAY).state == DayState.ARCHIVED.value
    with Writing(kept):
        found = archiving.verify(kept.sessions, lambda _number, _of: None)
    assert (found.files, found.faults) == (1, [])
