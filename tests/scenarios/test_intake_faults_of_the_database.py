"""The database fails in the middle of a batch: it is kept, tried again and stored once.

The worker of intake is the real one, fed from a queue; the faults are those of real servers: a
disk without room, a connection that is cut, a message that is refused for good.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from absent import absent
from case_files import MINUTE, START, Place, fix, message
from databases import Database, migrate
from fed_worker import Fed, many
from servers import Missing, PostgreSQL
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import (
    DeviceLatestRow,
    IngestBatchRow,
    PendingRow,
    QuarantineRow,
)
from navigate_safer.services import ingest


@pytest.fixture
def fed(database: Database) -> Iterator[Fed]:
    made = Fed(database)
    yield made
    made.close()


def test_a_commit_that_could_not_be_noted_is_noted_later(fed: Fed) -> None:
    """When a batch was safe is measured after its commit, and written in another transaction."""
    faults = []

    def fail_once(_connection, _cursor, statement, *_: object) -> None:
        if not faults and statement.startswith("UPDATE ingest_batches"):
            faults.append(OperationalError(statement, None, Exception("gone")))
            raise faults[0]

    sqlalchemy_event.listen(fed.service.engine, "before_cursor_execute", fail_once)
    fed.service.queue.put(*many(1))
    fed.worker.turn()
    with pytest.raises(OperationalError):
        fed.worker.turn()
    fed.worker.turn()
    [batch] = fed.database.all(IngestBatchRow)
    assert batch.committed_at is not None


# A connection that is cut


class CutAt:
    """Ends whatever connection writes to a table, until it is taken away."""

    def __init__(self, database: Database, table: str) -> None:
        self._url = database.url.replace("+psycopg", "")
        self._run(
            "create function cut() returns trigger language plpgsql as "
            "$$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$"
        )
        self._run(f"create trigger cut before insert on {table} execute function cut()")

    def take_away(self) -> None:
        """Connections live again."""
        self._run("drop function cut cascade")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("table", "general"),
    [
        pytest.param("fixes", False, id="at the COPY"),
        pytest.param("ingest_batches", False, id="after the COPY"),
        pytest.param("fixes", True, id="at an INSERT"),
    ],
)
@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_a_connection_cut_inside_the_transaction_costs_nothing(factory, table, general):
    with factory.fresh() as database:
        fed = Fed(database)
        try:
            if not general:
                fed.hear()
            fed.clock.not_before(START + timedelta(hours=12))
            # A tag on nobody goes by the general form.
            batch = many(5, device="TAG-LENT" if general else "TAG-1")
            fed.service.queue.put(*batch)
            cut = CutAt(database, table)
            with pytest.raises(OperationalError):
                fed.worker.turn()
            cut.take_away()
            at_first = 0 if general else 1
            assert (fed.acknowledged, database.count(FixRow)) == (at_first, at_first)
            assert fed.worker.turn()
            assert fed.acknowledged == at_first + len(batch)
            assert database.count(FixRow) == at_first + 300
            assert {row.variant for row in database.all(FixRow)} == {0}
            assert database.count(QuarantineRow) == 0
        finally:
            fed.close()


# A disk without room


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_a_full_sqlite_file_keeps_the_batch_until_there_is_room(factory):
    with factory.fresh() as database:
        fed = Fed(database)
        try:
            fed.hear()
            fed.service.queue.put(*many(100))
            pages = _limit_pages(fed, None)
            _limit_pages(fed, pages + 5)
            for _ in range(3):
                with pytest.raises(OperationalError, match="full"):
                    fed.worker.turn()
                fed.worker.beat("OperationalError")
            assert (fed.acknowledged, database.count(FixRow)) == (1, 1)
            assert fed.fault_shown() == "OperationalError"
            _limit_pages(fed, 10**9)
            assert fed.worker.turn()
            fed.worker.beat(None)
            assert fed.acknowledged == 101
            assert database.count(FixRow) == 6_001
            assert database.count(QuarantineRow) == 0
            assert fed.fault_shown() is None
        finally:
            fed.close()


def _limit_pages(fed: Fed, most: int | None) -> int:
    """Set how many pages the file may have, on the worker's connection; how many it has."""
    with fed.service.engine.connect() as connection:
        if most is not None:
            connection.execute(text(f"pragma max_page_count = {most}"))
        return connection.scalar(text("pragma page_count"))


class SmallDisk:
    """A file system of a few megabytes in memory; raises where the machine does not allow it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        options = f"size={megabytes}m,mode=0777"
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing("the right to mount a small file system")

    def fill(self) -> None:
        """Leave not one byte."""
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65_536))
            except OSError:
                return

    def empty(self) -> None:
        (self.folder / "ballast").unlink()

    def end(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    try:
        own = PostgreSQL()
    except Missing as missing:
        absent(missing)
    yield own
    own.stop()


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    # Not in the folder of the tests: the server's user must come to it.
    folder = Path(tempfile.mkdtemp(prefix="navigate-safer-disk-"))
    folder.chmod(0o755)
    try:
        small = SmallDisk(folder, 48)
    except (Missing, OSError) as missing:
        folder.rmdir()
        absent(missing)
    yield small
    small.end()
    folder.rmdir()


def test_a_disk_that_fills_during_copy_keeps_the_batch_until_there_is_room(server, disk):
    """The database in a tablespace on a file system of its own, filled up to the last byte."""
    space = disk.folder / "space"
    space.mkdir(mode=0o777)
    space.chmod(0o777)
    owner = _owner_of_the_server(server)
    os.chown(space, *owner)
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as own:
        own.execute(f"create tablespace small location '{space}'")
        own.execute("create database small tablespace small")
    url = server.url("small")
    migrate(url)
    database = Database("postgresql", url)
    fed = Fed(database)
    try:
        fed.hear()
        fed.worker.beat(None)
        disk.fill()
        fed.service.queue.put(*many(400))
        with pytest.raises(OperationalError, match="No space left"):
            fed.worker.turn()
        fed.worker.beat("OperationalError")
        assert (fed.acknowledged, database.count(FixRow)) == (1, 1)
        assert fed.fault_shown() == "OperationalError"
        disk.empty()
        assert fed.worker.turn()
        assert fed.acknowledged == 401
        assert database.count(FixRow) == 24_001
        assert database.count(QuarantineRow) == 0
    finally:
        fed.close()
        database.engine.dispose()


def _owner_of_the_server(server: PostgreSQL) -> tuple[int, int]:
    status = Path(f"/proc/{server.pid}").stat()
    return status.st_uid, status.st_gid


# A message that the database refuses for good


class Refusing:
    """Refuses every insert of fixes that holds a certain latitude, as a constraint would."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        statements = {
            "postgresql": f"alter table fixes add constraint no_poison check (lat_e7 <> {LAT_E7})",
            "sqlite": f"create trigger no_poison before insert on fixes when new.lat_e7 = {LAT_E7}"
            " begin select raise(abort, 'poison'); end",
        }
        self._run(statements[self._database.kind])

    def __exit__(self, *_: object) -> None:
        statements = {
            "postgresql": "alter table fixes drop constraint no_poison",
            "sqlite": "drop trigger no_poison",
        }
        self._run(statements[self._database.kind])

    def _run(self, statement: str) -> None:
        with self._database.engine.begin() as connection:
            connection.execute(text(statement))


LAT_E7 = 537_777_777
POISON = Place(53.7777777, -2.89)


@pytest.mark.parametrize("heard", [True, False], ids=["by COPY", "in the general form"])
def test_a_message_that_is_refused_for_good_is_kept_and_its_neighbours_are_stored(fed, heard):
    if heard:
        fed.hear()
    fed.clock.not_before(START + timedelta(hours=12))
    good = many(20)
    poison = message("TAG-1", fix(START + 40 * MINUTE, POISON), received_at=fed.clock())
    before = fed.database.count(FixRow)
    with Refusing(fed.database):
        fed.service.queue.put(*good[:13], poison, *good[13:])
        assert fed.worker.turn()
    assert fed.acknowledged == 21 + before
    assert fed.database.count(FixRow) == 1_200 + before
    kept = fed.database.one(QuarantineRow)
    assert (kept.reason, kept.payload) == ("internal_fault", poison.payload)
    assert "53.77" not in kept.explanation
    newest = fed.database.one(DeviceLatestRow)
    assert newest.position_at == START + timedelta(seconds=60 * 19 + 59)
    assert fed.database.count(PendingRow) > 0
    again = ingest.store_batch(fed.database.sessions, [poison], fed.clock(), fed.service.limits)
    assert again.stored == 1
