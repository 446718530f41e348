"""Prove delivery: every fault run on a database of its own, several runs side by side."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from navigate_safer.db import schema
from navigate_safer.db.base import make_engine
from navigate_safer.demo.delivery_faults import Fault
from navigate_safer.demo.delivery_run import SPREAD_S, Outcome, Run
from navigate_safer.demo.servers import FORGETFUL, PostgreSQL

# It is stopped at once and must have kept what it said was committed; the machine itself stays up.
_KEEPS = {**FORGETFUL, "synchronous_commit": "on"}
# A run has up to six processes, the sender's with nine threads.
_CONNECTIONS = {"max_connections": "240"}
_MIGRATED = "migrated"


class Ground(AbstractContextManager["Ground"]):
    """Makes a migrated database for each run; ``kind`` is sqlite or postgresql.

    A run raises :class:`navigate_safer.demo.servers.Missing` where PostgreSQL is not installed.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._stack = ExitStack()
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="navigate-safer-bench-"))
        )
        self._server: PostgreSQL | None = None
        # Alembic keeps what it is at in one place for the whole process.
        self._migrating = threading.Lock()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def _template(self) -> Path:
        return self._folder / f"{_MIGRATED}.sqlite3"

    def can(self, fault: Fault) -> bool:
        """Whether this kind of database can have the fault: a file cannot be stopped."""
        return fault.database_stop is None or self.kind == "postgresql"

    def run(self, number: int, fault: Fault, breaches: int, seed: int, spread_s: float) -> Outcome:
        """One run in a folder and a database of its own."""
        folder = self._folder / f"run{number}"
        folder.mkdir()
        # Nobody else's database may go away.
        server = self._new_server() if fault.database_stop is not None else None
        if server is not None:
            url = server.create(_MIGRATED)
            with self._migrating:
                _migrate(url)
        else:
            url = self._copy(f"run{number}", folder)
        with Run(
            fault, url, folder, breaches=breaches, seed=seed, spread_s=spread_s, server=server
        ) as run:
            return run.outcome()

    def _copy(self, name: str, folder: Path) -> str:
        """A copy of the one that was migrated, which is made when it is first wanted."""
        if self.kind == "postgresql":
            with self._migrating:
                if self._server is None:
                    self._server = self._new_server()
                    _migrate(self._server.create(_MIGRATED))
                return self._server.create(name, template=_MIGRATED)
        with self._migrating:
            if not self._template.exists():
                _migrate(f"sqlite:///{self._template}")
        file = folder / f"{name}.sqlite3"
        shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"

    def _new_server(self) -> PostgreSQL:
        server = PostgreSQL({**_KEEPS, **_CONNECTIONS})
        self._stack.callback(server.stop)
        return server


def prove(
    ground: Ground,
    faults: Sequence[Fault],
    *,
    breaches: int,
    seed: int,
    side_by_side: int,
    spread_s: float = SPREAD_S,
    say: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Run every fault that the database can have; ``say`` hears of each when it is over."""

    def one(numbered: tuple[int, Fault]) -> Outcome:
        outcome = ground.run(*numbered, breaches, seed, spread_s)
        say(outcome)
        return outcome

    wanted = [each for each in faults if ground.can(each)]
    with ThreadPoolExecutor(max_workers=side_by_side) as pool:
        return list(pool.map(one, enumerate(wanted)))


def _migrate(url: str) -> None:
    engine = make_engine(url)
    schema.upgrade(engine)
    # A copy of it is whole only when nobody has it open.
    engine.dispose()
