"""Start and end a server's process: free ports, another user than root, an end with its parent."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
# How long a server may take to start or to end on a busy machine.
PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.02
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


def program(server: str, name: str, usual: str) -> str:
    """Where a server's program is; raises :class:`Missing`."""
    found = shutil.which(name) or (usual if Path(usual).exists() else None)
    if found is None:
        raise Missing(server)
    return found


def unprivileged_user() -> tuple[int, int] | None:
    """Who must run PostgreSQL, which refuses root; None when the tests are not run by root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise Missing("PostgreSQL (it cannot be run by root, and there is no other user)")


def as_user(user: tuple[int, int] | None) -> list[str]:
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


def end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Ask it to end, and after a while insist."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def forget_pages(folder: Path) -> None:
    """Let the kernel forget what it holds in memory of the files below a folder."""
    os.sync()
    for file in folder.rglob("*"):
        # A server may remove a file of its own meanwhile.
        with contextlib.suppress(OSError):
            if file.is_file():
                handle = os.open(file, os.O_RDONLY)
                try:
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(handle)


def version_of(server: str) -> str:
    """Name and version of ``postgresql``, ``mosquitto`` or ``sqlite``, as it says itself."""
    if server == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    if server == "postgresql":
        said = _said(str(postgresql_programs() / "postgres"), "--version")
        return f"PostgreSQL {said.split()[2]}"
    # It says its version above its usage, and counts being asked as a fault.
    said = _said(program("mosquitto", "mosquitto", "/usr/sbin/mosquitto"), "-h")
    return f"mosquitto {said.split()[2]}"


def _said(*command: str) -> str:
    return subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False
    ).stdout


def postgresql_programs() -> Path:
    """Where PostgreSQL's programs are, the newest version's; raises :class:`Missing`."""
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
