"""The database's disk has no room for a sorted copy: old days leave it all the same."""

from datetime import UTC, datetime

import psycopg.errors
import pytest
from case_files import INSIDE, OUTSIDE, walk
from databases import drop_days
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from navigate_safer.db import archive, days
from navigate_safer.db.days import ONE_DAY
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.readings import between
from navigate_safer.services import storage, storage_round
from navigate_safer.services.storage import Plan

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLAN = Plan(ahead_days=1, past_days=2)
ON_POSTGRESQL = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)


@pytest.fixture
def kept(watch, tmp_path):
    """The service with an archive, and partitions that go with the test."""
    archive.use_folder(watch.sessions, tmp_path / "archive")
    yield watch
    drop_days(watch.database)


def house(watch, days_later):
    now = NOON + ONE_DAY * days_later
    return storage_round.keep_house(watch.sessions, now, PLAN, lambda _seconds: None)


def state(watch, days_later=0):
    with watch.sessions() as session:
        row = days.get(session, FixRow, (NOON + ONE_DAY * days_later).date())
        return None if row is None else row.state


def fixes(watch):
    device = watch.database.one(DeviceRow, DeviceRow.ref == "TAG-1")
    with watch.sessions() as session:
        return len(between(session, device.id, device.ref, None, None))


class NoRoom:
    """Each new table that is to hold a sorted day fails, as it does on a disk that is full."""

    def __init__(self, watch) -> None:
        self._engine = watch.database.engine

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._fail)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._fail)

    def _fail(self, _connection, _cursor, statement, *_: object) -> None:
        if statement.startswith("create table") and " order by " in statement:
            raise OperationalError(statement, None, psycopg.errors.DiskFull("no room"))


@ON_POSTGRESQL
def test_what_makes_room_is_done_although_nothing_can_be_sorted(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*walk("TAG-1", OUTSIDE, INSIDE, start=NOON))
    assert (house(kept, 10).faults, state(kept)) == (0, "closed")
    kept.receive(*walk("TAG-1", OUTSIDE, OUTSIDE, start=NOON + 50 * ONE_DAY))
    with NoRoom(kept):
        done = house(kept, 61)
    assert (state(kept), state(kept, 50)) == ("archived", None)
    assert done.faults > 0
    assert "no room" in done.last_fault
    assert fixes(kept) == 4
    assert (house(kept, 61).faults, state(kept, 50)) == (0, "closed")
    assert fixes(kept) == 4


@ON_POSTGRESQL
def test_a_database_that_cannot_be_used_is_still_a_fault_of_the_round(kept):
    def away(_connection, _cursor, _statement, *_: object) -> None:
        raise OperationalError("select", None, psycopg.errors.AdminShutdown("going down"))

    engine = kept.database.engine
    event.listen(engine, "before_cursor_execute", away)
    try:
        with pytest.raises(OperationalError):
            house(kept, 61)
    finally:
        event.remove(engine, "before_cursor_execute", away)
