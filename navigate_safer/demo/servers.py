"""Throw-away servers for benchmarks and tests: PostgreSQL and mosquitto, on free loopback ports.

Each keeps its data in a temporary folder of its own and is stopped by whoever started it; should
that process be killed, the kernel ends them with it. Nothing of the machine's own servers is
touched.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from navigate_safer.demo.server_process import (
    HOST,
    Missing,
    NotStarted,
    as_user,
    end,
    forget_pages,
    free_port,
    listens,
    postgresql_programs,
    program,
    unprivileged_user,
    until,
)

# Somebody else may take a port between finding it free and listening on it.
_TRIES_FOR_A_PORT = 3


__all__ = [
    "DURABLE",
    "FORGETFUL",
    "HOST",
    "Missing",
    "Mosquitto",
    "NotStarted",
    "PostgreSQL",
    "free_port",
    "listens",
    "mosquitto",
    "postgresql",
    "until",
]

# For tests: the server never outlives them, and a worker that is killed loses nothing by it,
# because only a crash of the server or the machine could.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Tests must not pass because the server happens to keep UTC.
    "timezone": "Asia/Kathmandu",
}
# For measuring: as a region would run it on a small machine, everything durable.
DURABLE = {
    "shared_buffers": "2GB",
    "wal_compression": "on",
    "max_wal_size": "6GB",
    "checkpoint_timeout": "15min",
    "max_locks_per_transaction": "256",
    # A server that has run for a while has segments to use again; a new one would fill each with
    # zeros first, which stops every commit for a while.
    "wal_init_zero": "off",
}


class PostgreSQL:
    """A PostgreSQL server of the newest version that is installed; tests take it forgetful."""

    def __init__(self, settings: Mapping[str, str] = FORGETFUL) -> None:
        self._settings = settings
        self._bin = postgresql_programs()
        self._user = unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="navigate-safer-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The server's first process."""
        return 0 if self._process is None else self._process.pid

    def url(self, name: str) -> str:
        """The address of a database as the settings want it."""
        return f"postgresql+psycopg://safer@{HOST}:{self.port}/{name}"

    def create(self, name: str, *, template: str = "template1") -> str:
        """Make a database as a copy of ``template``; its address."""
        statement = sql.SQL("create database {} template {}")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, also from under those still connected to it."""
        self._run(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def halt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop in good order, or with SIGQUIT at once; what it has stays on disk."""
        if self._process is not None:
            end(self._process, how)

    def resume(self) -> None:
        """Start again on the same port with what it had."""
        self._process = self._serve(self._folder / "data")
        if not until(self._answers_or_ended) or self._process.poll() is not None:
            raise NotStarted((self._folder / "log").read_text(encoding="utf-8", errors="replace"))

    def restart_cold(self) -> None:
        """Stop in good order and start again with none of the data in memory."""
        self.halt()
        forget_pages(self._folder)
        self.resume()

    def stop(self) -> None:
        """End the server and remove its data."""
        if self._process is not None:
            # Immediate shutdown: nothing of the data is wanted any more.
            end(self._process, signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        if self._user is not None:
            os.chown(self._folder, *self._user)
        data = self._folder / "data"
        made = subprocess.run(  # noqa: S603
            [
                *as_user(self._user),
                *(str(self._bin / "initdb"), "-D", str(data), "-U", "safer", "--auth=trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NotStarted(f"initdb: {made.stderr.strip()}")
        for _ in range(_TRIES_FOR_A_PORT):
            self.port = free_port()
            self._process = self._serve(data)
            if until(self._answers_or_ended) and self._process.poll() is None:
                return
            end(self._process, signal.SIGQUIT)
        raise NotStarted((self._folder / "log").read_text(encoding="utf-8", errors="replace"))

    def _serve(self, data: Path) -> "subprocess.Popen[bytes]":
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
            "max_connections": "60",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [*as_user(self._user), str(self._bin / "postgres"), "-D", str(data), *options],
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers_or_ended(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return True
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self._conninfo(), connect_timeout=2).close()
            return True
        return False

    def _conninfo(self) -> str:
        return f"host={HOST} port={self.port} user=safer dbname=postgres"

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(statement)


class Mosquitto:
    """A mosquitto broker as the README sets it up for production, but without certificates.

    Its sessions and queues are kept on disk, so that :meth:`restart` is a restart and not a new
    broker.
    """

    host = HOST

    def __init__(self, settings: Mapping[str, str] = {"autosave_on_changes": "false"}) -> None:
        self._settings = settings
        self._program = program("mosquitto", "mosquitto", "/usr/sbin/mosquitto")
        self._folder = Path(tempfile.mkdtemp(prefix="navigate-safer-mosquitto-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        try:
            for _ in range(_TRIES_FOR_A_PORT):
                self.port = free_port()
                if self.start():
                    return
            raise NotStarted((self._folder / "log").read_text(encoding="utf-8", errors="replace"))
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The broker's process."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> bool:
        """Start on the same port as before; whether it came up."""
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [*as_user(None), self._program, "-c", str(configuration)],
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        return until(lambda: listens(self.port) or process.poll() is not None) and (
            process.poll() is None
        )

    def halt(self) -> None:
        """Stop the broker in good order; what it keeps stays on disk."""
        if self._process is not None:
            end(self._process, signal.SIGTERM)
            self._process = None

    def restart(self) -> None:
        """Stop and start again with everything it had."""
        self.halt()
        if not self.start():
            raise NotStarted((self._folder / "log").read_text(encoding="utf-8", errors="replace"))

    def stop(self) -> None:
        """End the broker and remove its data."""
        self.halt()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _configuration(self) -> str:
        # Started by root, mosquitto would change to a user who may not write here.
        return "\n".join(
            (
                f"listener {self.port} {HOST}",
                "allow_anonymous true",
                f"user {pwd.getpwuid(os.getuid()).pw_name}",
                "persistence true",
                f"persistence_location {self._folder}/",
                *(f"{name} {value}" for name, value in self._settings.items()),
                "max_queued_messages 0",
                "max_inflight_messages 2000",
                "",
            )
        )


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server for the length of a ``with``; raises :class:`Missing` where there is none."""
    server = PostgreSQL()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def mosquitto() -> Iterator[Mosquitto]:
    """A broker for the length of a ``with``; raises :class:`Missing` where there is none."""
    server = Mosquitto()
    try:
        yield server
    finally:
        server.stop()
