"""Real servers for tests: PostgreSQL and mosquitto from their packages, on free loopback ports.

Each keeps its data in a temporary folder of its own and is stopped by whoever started it; should
the tests themselves be killed, the kernel ends it with them. Nothing of the machine's own servers
is touched.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

HOST = "127.0.0.1"
# How long a server may take to start or to end on a busy machine.
PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.02
# Somebody else may take a port between finding it free and listening on it.
_TRIES_FOR_A_PORT = 3
_POSTGRESQL_FOLDERS = "/usr/lib/postgresql"


class Missing(Exception):
    """The server's programs are not on this machine; the message is the server's name."""


class NotStarted(Exception):
    """The server's programs are here and it did not start; the message is what it said."""


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> bool:
    """Look again and again until something holds; False when it does not within the time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def listens(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


class PostgreSQL:
    """A PostgreSQL server of the newest version that is installed.

    Durability is off: the server never outlives the tests, and a worker that is killed loses
    nothing by it, because only a crash of the server or the machine could.
    """

    def __init__(self) -> None:
        self._bin = _postgresql_programs()
        self._user = _unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="navigate-safer-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

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

    def stop(self) -> None:
        """End the server and remove its data."""
        if self._process is not None:
            # Immediate shutdown: nothing of the data is wanted any more.
            _end(self._process, signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        if self._user is not None:
            os.chown(self._folder, *self._user)
        data = self._folder / "data"
        made = subprocess.run(
            [
                *_as_user(self._user),
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
            _end(self._process, signal.SIGQUIT)
        raise NotStarted((self._folder / "log").read_text(encoding="utf-8", errors="replace"))

    def _serve(self, data: Path) -> "subprocess.Popen[bytes]":
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
            "max_connections": "60",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            # Tests must not pass because the server happens to keep UTC.
            "timezone": "Asia/Kathmandu",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            return subprocess.Popen(
                [*_as_user(self._user), str(self._bin / "postgres"), "-D", str(data), *options],
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

    def __init__(self) -> None:
        self._program = _program("mosquitto", "mosquitto", "/usr/sbin/mosquitto")
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

    def start(self) -> bool:
        """Start on the same port as before; whether it came up."""
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*_as_user(None), self._program, "-c", str(configuration)],
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
            _end(self._process, signal.SIGTERM)
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
                "autosave_on_changes false",
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


def _postgresql_programs() -> Path:
    folders = Path(_POSTGRESQL_FOLDERS).glob("*/bin")
    # initdb is not on the search path of Debian; newest version last.
    found = sorted(
        (each for each in folders if (each / "initdb").exists()),
        key=lambda each: [int(part) for part in each.parent.name.split(".") if part.isdigit()],
    )
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    if on_path is None:
        raise Missing("PostgreSQL")
    return Path(on_path).resolve().parent


def _program(server: str, name: str, usual: str) -> str:
    found = shutil.which(name) or (usual if Path(usual).exists() else None)
    if found is None:
        raise Missing(server)
    return found


def _unprivileged_user() -> tuple[int, int] | None:
    """Who must run PostgreSQL, which refuses root; None when the tests are not run by root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise Missing("PostgreSQL (it cannot be run by root, and there is no other user)")


def _as_user(user: tuple[int, int] | None) -> list[str]:
    """What goes before a command: another user, and an end with whoever started it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise Missing("PostgreSQL (to start it as another user than root needs setpriv)")
        return []
    other = []
    if user is not None:
        other = [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"]
    return [setpriv, *other, "--pdeathsig", "TERM", "--"]


def _end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
