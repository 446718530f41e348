"""A wheel built from a clean copy serves every page with no network and no node at run time.

The wheel is installed into an environment of its own, which sees this one's third-party packages
and not this checkout. There a guard refuses every connection that leaves the machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_files import message, walk
from msgspec.json import encode
from web.reader import Reader
from web.world import AWAY, CROSS, case_file

import hatch_build
from navigate_safer.demo.servers import free_port
from navigate_safer.services.ingest import Message

ROOT = Path(hatch_build.__file__).parent
PATIENCE_S = 60.0
# A name that no server has and an address that no route leads to: the guard must stop them first.
GUARD = """
import socket

_connect = socket.socket.connect


def connect(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"no network here: {address[0]}")
    return _connect(self, address)


socket.socket.connect = connect
"""
# What the workers do, by hand: take in a walk into a zone and an alcohol sample, and judge them.
BREACH = """
import json, os, sys
from datetime import datetime
from navigate_safer.services import ingest, monitor
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service

service = Service(Settings.from_env(os.environ))
messages = [
    ingest.Message(topic, payload.encode(), datetime.fromisoformat(at))
    for topic, payload, at in json.load(sys.stdin)
]
for message in messages:
    ingest.store_batch(service.sessions, [message], message.received_at, service.limits)
    while monitor.judge_next(service.sessions, message.received_at, service.voice):
        pass
service.close()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git has or would have, and nothing that was built or installed."""
    folder = tmp_path_factory.mktemp("clean")
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.split(b"\0")
    for name in (Path(os.fsdecode(each)) for each in names if each):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    assert not (folder / hatch_build.STATIC).exists()
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel; its front end is built by the hook, from the npm lock file."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", folder, source],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, in which nothing reaches another machine."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet",
         "--no-deps", "--no-index", "--disable-pip-version-check", wheel],
        check=True,
    )  # fmt: skip
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # A folder named in a .pth file is searched, but the .pth files in it, one of which leads to
    # this checkout, are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "sitecustomize.py").write_text(GUARD)
    return folder


class Installed:
    """The command of the installed wheel, run from a folder of its own with no node on PATH."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.python = folder / "bin/python"
        self.command = folder / "bin/navigate-safer"
        self.home = home
        self.port = free_port()
        self.environ = {
            "PATH": str(folder / "bin"),
            "HOME": str(home),
            "NAVIGATE_SAFER_DATABASE_URL": f"sqlite:///{home / 'wheel.sqlite3'}",
            "NAVIGATE_SAFER_SECRET_KEY": "a-key-of-the-tests-and-of-nothing-else",
            "NAVIGATE_SAFER_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "NAVIGATE_SAFER_WEB_PORT": str(self.port),
            "NAVIGATE_SAFER_LOG_LEVEL": "warning",
        }

    def run(self, *command: str | Path, stdin: str = "") -> str:
        done = subprocess.run(
            [str(each) for each in command],
            cwd=self.home,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def program(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The installed command over a registered office in which a zone was entered."""
    home = tmp_path_factory.mktemp("home")
    made = Installed(installed, home)
    (home / "case-file.json").write_bytes(encode(case_file()))
    made.run(made.command, "migrate")
    made.run(made.command, "register", "case-file.json")
    entered = walk("TAG-W-EXC", AWAY, CROSS, CROSS)
    drank = message("MON-1", {"kind": "alcohol", "at": "2026-11-20T21:05:00Z", "tac_g_dl": 0.08})
    stdin = json.dumps([_plain(each) for each in (*entered, drank)])
    made.run(made.python, "-c", BREACH, stdin=stdin)
    return made


def _plain(each: Message) -> tuple[str, str, str]:
    return each.topic, each.payload.decode(), each.received_at.isoformat()


@pytest.fixture(scope="module")
def address(program: Installed) -> Iterator[str]:
    """The pages, served by the installed command."""
    server = subprocess.Popen(
        [program.command, "web"],
        cwd=program.home,
        env=program.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{program.port}"
    try:
        _wait_until_served(url, server)
        yield url
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE_S)


def _wait_until_served(url: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.poll() is None, server.communicate()[0]
        try:
            urllib.request.urlopen(f"{url}/sign-in", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the pages were not served in time")


def test_the_wheel_has_the_whole_program_and_no_part_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if not name.startswith("navigate_safer-")}
    assert tops == {"navigate_safer", "alerts", "zones", "devices", "migrations"}
    static = "navigate_safer/web/static/"
    assert {f"{static}{name}" for name in ("app.css", "app.js", "map.js", "chart.js")} <= set(names)
    assert any(name.startswith("migrations/versions/0001") for name in names)
    assert any(name.endswith(".geojson") for name in names)
    assert [name for name in names if "node_modules" in name or "/frontend/" in name] == []


def test_the_installed_program_is_the_wheels_and_has_no_node(program: Installed) -> None:
    code = """
import devices, migrations, navigate_safer, shutil
print(navigate_safer.__file__, devices.__file__, migrations.__file__)
print(shutil.which("node"), shutil.which("npm"))
"""
    *files, node, npm = program.run(program.python, "-c", code).split()
    environment = str(program.python.parent.parent)
    assert [each for each in files if not each.startswith(environment)] == []
    assert (node, npm) == ("None", "None")


def test_the_guard_of_this_test_holds(program: Installed) -> None:
    code = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as fault:
    print(fault)
"""
    assert program.run(program.python, "-c", code) == "no network here: 192.0.2.1\n"


@pytest.mark.parametrize("account", ["supervisor", "admin", "facilitator"])
def test_every_page_and_everything_that_a_page_names_is_served(address: str, account: str) -> None:
    reader = Reader(address)
    reader.sign_in(account)
    found = reader.read_everything()
    assert {path: status for path, status in found.items() if status != 200} == {}
    paths = " ".join(found)
    assert "/assets/app.css?v=" in paths
    assert "/assets/LICENSES.txt" in paths
    if account == "supervisor":
        for part in ("/board", "/board/fragment", "/alerts/", "/people/W-EXC", "/map/wards.geojson",
                     "/people/W-ALC/alcohol.json", "/service", "/audit", "/assets/map.js",
                     "/assets/chart.js"):  # fmt: skip
            assert part in paths, part
        assert re.search(r"/alerts/\w+/map\.json", paths)


def test_nothing_but_the_sign_in_is_served_to_a_stranger(address: str) -> None:
    reader = Reader(address)
    status, page = reader.open("/people/W-EXC")
    assert status == 200
    assert "<h1" in page
    assert "Umbershaw" not in page
    assert reader.open("/people/W-EXC/map.json")[0] == 401


def test_a_source_distribution_carries_the_built_pages(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    """So that a wheel made from it needs no node: the hook finds its work done."""
    # The wheel was built from the same folder first, so that the pages are built already.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (each for each in tmp_path.iterdir() if each.is_dir())
    assert hatch_build.is_built(unpacked)
