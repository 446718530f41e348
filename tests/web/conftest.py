"""The small office on a database of its own for each test; copied, since hashing takes its time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_files import START
from databases import Database, SqliteFactory, opened
from watch import Watch
from web import world as office
from web.world import World

from navigate_safer.services import register


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the office registered and nothing received."""
    folder = tmp_path_factory.mktemp("office")
    with SqliteFactory(folder).migrated(folder) as url, opened("sqlite", url) as database:
        register.register(database.sessions, office.case_file(), START)
    return folder / "test.sqlite3"


@pytest.fixture(scope="session")
def breached(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a breach of every kind."""
    path = tmp_path_factory.mktemp("breached") / "test.sqlite3"
    shutil.copyfile(registered, path)
    with opened("sqlite", f"sqlite:///{path}") as database:
        office.breach_everything(_watch(database))
    return path


@pytest.fixture
def world(breached: Path, tmp_path: Path) -> Iterator[World]:
    """The office with an open alert of every kind."""
    yield from _copied(breached, tmp_path)


@pytest.fixture
def quiet_world(registered: Path, tmp_path: Path) -> Iterator[World]:
    """The office before anything has been received."""
    yield from _copied(registered, tmp_path)


@pytest.fixture(scope="module")
def shared_world(breached: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for the tests of a module that leave it as they find it."""
    yield from _copied(breached, tmp_path_factory.mktemp("shared"))


def _copied(source: Path, folder: Path) -> Iterator[World]:
    copy = folder / "world.sqlite3"
    shutil.copyfile(source, copy)
    with office.world_at(f"sqlite:///{copy}") as made:
        yield made


def _watch(database: Database) -> Watch:
    return Watch(database, office.CaseFile(v=1))
