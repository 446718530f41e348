"""Servers and databases that any test may ask for.

A test that needs a server which is not installed is skipped and the server is named at the end;
where ``CI=true`` says that everything must be tested, it fails instead.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import databases
import pytest
from absent import absent
from databases import Database, Factory, PostgresqlFactory, SqliteFactory
from hypothesis import settings
from sqlalchemy import event

from navigate_safer.demo import servers
from navigate_safer.demo.servers import Mosquitto, PostgreSQL

ServerT = TypeVar("ServerT", PostgreSQL, Mosquitto)
MISSING: pytest.StashKey[dict[str, int]] = pytest.StashKey()

# A deadline for one example would measure the machine and not the code.
settings.register_profile("tests", deadline=None)
# A long search, by hand: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", deadline=None, max_examples=4_000)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = {}
    config.pluginmanager.register(_FromWorkers())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of a process among several: tell the one that prints what was missing."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["missing"] = session.config.stash[MISSING]


class _FromWorkers:
    """Takes in what was missing in the processes between which the tests are divided."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        found = node.config.stash[MISSING]
        for name, tests in getattr(node, "workeroutput", {}).get("missing", {}).items():
            found[name] = found.get(name, 0) + tests


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    missing = config.stash[MISSING]
    if missing:
        terminalreporter.section("servers that are not installed")
        for name, tests in sorted(missing.items()):
            terminalreporter.line(f"{name}: {tests} test(s) skipped; install its package")


@pytest.fixture(scope="session")
def _postgresql_or_missing() -> Iterator[PostgreSQL | servers.Missing]:
    yield from _started(PostgreSQL)


@pytest.fixture(scope="session")
def _mosquitto_or_missing() -> Iterator[Mosquitto | servers.Missing]:
    yield from _started(Mosquitto)


def _started(start: Callable[[], ServerT]) -> Iterator[ServerT | servers.Missing]:
    try:
        server = start()
    except servers.Missing as missing:
        yield missing
        return
    try:
        yield server
    finally:
        server.stop()


def _or_skip(found: ServerT | servers.Missing, config: pytest.Config) -> ServerT:
    if isinstance(found, servers.Missing):
        name = str(found)
        config.stash[MISSING][name] = config.stash[MISSING].get(name, 0) + 1
        absent(name)
    return found


@pytest.fixture
def postgresql(
    _postgresql_or_missing: PostgreSQL | servers.Missing, pytestconfig: pytest.Config
) -> PostgreSQL:
    """The session's PostgreSQL server."""
    return _or_skip(_postgresql_or_missing, pytestconfig)


@pytest.fixture
def mosquitto(
    _mosquitto_or_missing: Mosquitto | servers.Missing, pytestconfig: pytest.Config
) -> Mosquitto:
    """The session's broker; a test that stops it must start it again."""
    return _or_skip(_mosquitto_or_missing, pytestconfig)


@pytest.fixture(scope="session")
def _factories() -> Iterator[dict[str, Factory]]:
    made: dict[str, Factory] = {}
    yield made
    for factory in made.values():
        factory.close()


@pytest.fixture(params=databases.KINDS)
def factory(
    request: pytest.FixtureRequest,
    _factories: dict[str, Factory],
    tmp_path_factory: pytest.TempPathFactory,
) -> Factory:
    """Makes databases of one kind; tests that ask for it run once for each kind."""
    kind = request.param
    if kind == "postgresql":
        server = request.getfixturevalue("postgresql")
        if kind not in _factories:
            _factories[kind] = PostgresqlFactory(server)
    elif kind not in _factories:
        _factories[kind] = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    return _factories[kind]


@pytest.fixture
def database(factory: Factory) -> Iterator[Database]:
    """A migrated database without a row, on SQLite and on PostgreSQL."""
    with factory.fresh() as made:
        yield made


@pytest.fixture
def writes(database: Database) -> Iterator[list[str]]:
    """Statements on the database that write, or take SQLite's write lock; none before its use."""
    found: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE")):
            found.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)
