"""Run the whole service on one machine over the invented cohort, from one command.

An embedded broker and the simulated gateways live in this process; intake, judgement, delivery,
ticks and pages are the real commands in processes of their own, on SQLite.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from navigate_safer import logs
from navigate_safer.db import schema
from navigate_safer.demo import allowance, casework, example
from navigate_safer.demo.broker import EmbeddedBroker
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.demo.gateways import run_gateways
from navigate_safer.demo.scripts import Plan, build_plan
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import oversight, register
from navigate_safer.settings import PREFIX, Settings
from navigate_safer.wiring import Service
from navigate_safer.workers import supervisor
from navigate_safer.workers.loop import Stop

SEED = 20_131_001  # Navigate Safer was fully launched in October 2013.
DATABASE = "navigate-safer.sqlite3"
STATE = "demonstration.json"
STORY_LASTS = timedelta(hours=24)
LONGEST_STORY = 14.0  # days of it; planning longer ones would delay the start
_ANY_PORT = 0
LOOK_EVERY_S, LONGEST_WAIT_S = 0.2, 30.0


class DemoFault(Exception):
    """The demonstration cannot start; the message says what to do."""


class State(msgspec.Struct):
    """What a second start must know of the first."""

    start: datetime
    password: str
    secret_key: str
    seed: int = SEED
    # Of a demonstration begun before there was one: none, its logs are not signed.
    audit_key: str = ""


class Demo(msgspec.Struct, frozen=True):
    """A demonstration that is ready to run."""

    directory: Path
    state: State
    settings: Settings
    environ: dict[str, str]
    case_file: CaseFile
    plan: Plan
    speed: float


def prepare(
    directory: Path, *, speed: float, port: int, mqtt_port: int, base: Mapping[str, str]
) -> Demo:
    """Make or find the data in ``directory`` and choose free ports."""
    directory.mkdir(parents=True, exist_ok=True)
    real_now = datetime.now(UTC)
    state = _state(directory, real_now)
    environ = _environment(directory, state, base, _free(port), _free(mqtt_port))
    case_file = example.with_example(build_cohort(seed=state.seed, start=state.start), state.start)
    newest, is_new = _fill(Settings.from_env(environ), case_file, state)
    # Time never runs back: after a fast demonstration the next one goes on from where it was.
    begins = max(real_now, state.start, newest or real_now)
    if speed != 1.0 or begins > real_now:
        environ |= {
            f"{PREFIX}CLOCK_FROM": begins.isoformat(),
            f"{PREFIX}CLOCK_REAL_FROM": datetime.now(UTC).isoformat(),
            f"{PREFIX}CLOCK_SPEED": str(speed),
        }
    # The story lasts a day of the reader's time, however fast it is told.
    lasts = begins - state.start + STORY_LASTS * max(1.0, min(speed, LONGEST_STORY))
    plan = build_plan(case_file, seed=state.seed, start=state.start, lasts=lasts)
    settings = Settings.from_env(environ)
    if is_new:
        allowance.allow_the_visit(settings, case_file, plan)
    return Demo(directory, state, settings, environ, case_file, plan, speed)


def _environment(
    directory: Path, state: State, base: Mapping[str, str], web_port: int, mqtt_port: int
) -> dict[str, str]:
    environ = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
    return environ | {
        f"{PREFIX}DATABASE_URL": f"sqlite:///{(directory / DATABASE).resolve()}",
        f"{PREFIX}SECRET_KEY": state.secret_key,
        f"{PREFIX}AUDIT_KEY": state.audit_key,
        f"{PREFIX}PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        f"{PREFIX}WEB_PORT": str(web_port),
        f"{PREFIX}MQTT_PORT": str(mqtt_port),
        f"{PREFIX}MQTT_PROTOCOL": "3.1.1",
        f"{PREFIX}DEMONSTRATION": "true",
        # The console is for the texts; set NAVIGATE_SAFER_LOG_LEVEL to see more.
        f"{PREFIX}LOG_LEVEL": base.get(f"{PREFIX}LOG_LEVEL", "warning"),
    }


def _fill(settings: Settings, case_file: CaseFile, state: State) -> tuple[datetime | None, bool]:
    """Make the tables, register the cohort at the first start; the newest reading's time.

    And whether this is the first start.
    """
    service = Service(settings)
    try:
        schema.upgrade(service.engine)
        is_new = oversight.is_empty(service.sessions)
        if is_new:
            register.register(service.sessions, _with_passwords(case_file, state), state.start)
            casework.sprinkle(service.sessions, state.start)
        return oversight.newest_reading(service.sessions), is_new
    finally:
        service.close()


def run(demo: Demo, stop: Stop, say: Callable[[str], None]) -> None:
    """Start everything, print how to get in, and end everything together."""
    broker = EmbeddedBroker("127.0.0.1", demo.settings.mqtt_port)
    broker.start()
    service = Service(demo.settings)
    ended = threading.Event()
    gateways = threading.Thread(
        target=_gateways, args=(demo, service, ended), name="gateways", daemon=True
    )
    workers = threading.Thread(
        target=supervisor.run, args=(supervisor.EVERYTHING, stop, demo.environ), name="workers"
    )
    try:
        workers.start()
        gateways.start()
        say(welcome(demo))
        while not stop.wait(0.5):
            pass
    finally:
        stop.set()
        ended.set()
        gateways.join(timeout=15)
        workers.join()
        broker.stop()
        service.close()


def _gateways(demo: Demo, service: Service, ended: threading.Event) -> None:
    # A broker keeps messages only for a session that it knows: what is published before intake
    # has subscribed for the first time would be gone.
    waited, since = 0.0, service.wall_clock()
    while not oversight.feed_is_connected(service.sessions, since) and waited < LONGEST_WAIT_S:
        if ended.wait(LOOK_EVERY_S):
            return
        waited += LOOK_EVERY_S
    try:
        run_gateways(
            "127.0.0.1",
            demo.settings.mqtt_port,
            demo.case_file,
            demo.plan,
            service.clock,
            demo.speed,
            ended,
            resume_from=oversight.newest_by_device(service.sessions),
        )
    except Exception as fault:
        logs.logger("gateways").error("stopped", exception_type=type(fault).__name__)


def welcome(demo: Demo) -> str:
    """Where to go and as whom."""
    settings = demo.settings
    lines = ["", f"  Navigate Safer is running: {settings.public_url}", ""]
    first: dict[Role, str] = {}
    for member in demo.case_file.staff:
        first.setdefault(member.role, member.ref)
    for role in Role:
        if role in first:
            lines.append(f"    {role.label:<24} account {first[role]:<24}")
    lines += [
        "",
        f"  Password of every account: {demo.state.password}",
        f"  MQTT for your own telemetry: 127.0.0.1:{settings.mqtt_port}",
        f"    gateway {example.GATEWAY}, device {example.DEVICE}: see the README",
        f"  Data: {demo.directory}   Stop: Ctrl-C   Clear: make demo-reset",
        "",
        "  Texts to officers appear below as they are sent.",
        "",
    ]
    return "\n".join(lines)


def reset(directory: Path) -> bool:
    """Remove what the demonstration keeps, and nothing else; False when there was nothing."""
    found = False
    for name in (STATE, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        path = directory / name
        if path.exists():
            path.unlink()
            found = True
    return found


def _state(directory: Path, now: datetime) -> State:
    path = directory / STATE
    if path.exists():
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except msgspec.DecodeError:
            raise DemoFault(f"{path} is damaged; clear it with: make demo-reset") from None
    password, secret_key = f"demo-{secrets.token_hex(5)}", secrets.token_urlsafe(48)
    state = State(now, password, secret_key, audit_key=secrets.token_urlsafe(48))
    # The keys of the invented service are nobody else's to read either.
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(state))
    return state


def _with_passwords(case_file: CaseFile, state: State) -> CaseFile:
    staff = [msgspec.structs.replace(each, password=state.password) for each in case_file.staff]
    return msgspec.structs.replace(case_file, staff=staff)


def _free(port: int) -> int:
    """The port, or where it is taken another that is free."""
    for wanted in (port, _ANY_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise DemoFault("no free port on 127.0.0.1")


def environment() -> dict[str, str]:
    """The environment that children start from."""
    return dict(os.environ)
