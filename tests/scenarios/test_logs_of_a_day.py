"""A day of the whole invented cohort, everything logged: nothing in it tells who or where."""

import io
import json
import logging
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import structlog
from case_files import PASSWORD
from databases import Database
from watch import Watch
from web.world import SECRET_KEY

from devices.simulated_draws import Span
from navigate_safer import logs
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.audit import WebSessionRow
from navigate_safer.db.people import StaffRow
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.demo.scripts import build_plan
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import accounts
from navigate_safer.services.ingest import Message
from navigate_safer.settings import Settings
from navigate_safer.web import create_app
from navigate_safer.wiring import Service

SEED = 5
START = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
DAY = timedelta(hours=24)
# Of a fix a minute every twentieth, and some of every other reading: each kind of breach opens.
EVERY_FIX = 20
# The tag that the demonstration leaves to its user sends nothing by itself.
EXAMPLE_GATEWAY = "gw-example"
COORDINATE = re.compile(r"-?\d{1,3}\.\d{4,}")
# Words of names that are also words of logs or of English.
ORDINARY = {"web", "will", "may", "mark", "page", "grant", "young", "long", "day", "west", "hall"}


@pytest.fixture
def log_stream():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(stream, level="debug")
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def identifying(cohort: CaseFile) -> set[str]:
    """Every name, telephone number, address and place of everybody."""
    people = [
        each.name for group in (cohort.staff, cohort.wearers, cohort.victims) for each in group
    ]
    words = {part for name in people for part in name.split()}
    words |= {each.locality for each in cohort.wearers}
    words |= {each.name for each in cohort.zones}
    words |= {each.address for each in cohort.victims if each.address}
    phones = [each.phone for group in (cohort.staff, cohort.victims) for each in group]
    words |= {re.sub(r"\D", "", phone)[-9:] for phone in phones if phone}
    return {word for word in words if len(word) > 3 and word.lower() not in ORDINARY}


def messages_of(plan, device: str, gateway: str):
    readings = plan.simulator.readings_between(device, START, START + DAY)
    fixes = [each for each in readings if each["kind"] == "fix"][::EVERY_FIX]
    kept = fixes + [each for each in readings if each["kind"] != "fix"][:60]
    for begin in range(0, len(kept), 60):
        part = kept[begin : begin + 60]
        newest = max(datetime.fromisoformat(each["at"]) for each in part)
        payload = msgspec.json.encode({"v": 1, "device": device, "readings": part})
        yield Message(f"telemetry/v1/{gateway}/{device}", payload, newest + timedelta(seconds=2))


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_a_day_of_everybody_leaves_nobody_in_the_logs(database: Database, log_stream) -> None:
    cohort = build_cohort(seed=SEED, start=START)
    plan = build_plan(cohort, seed=SEED, start=START)
    watch = Watch(database, cohort)
    sent = []
    for each in cohort.devices:
        if each.gateway != EXAMPLE_GATEWAY:
            sent += messages_of(plan, each.ref, each.gateway)
    sent.sort(key=lambda each: each.received_at)
    for begin in range(0, len(sent), 100):
        watch.receive(*sent[begin : begin + 100])
        # A faulty sender too, with a coordinate in what is refused.
        watch.receive(Message("telemetry/v1/gw-chester/x", sent[begin].payload[:-9], START))
    watch.judge()
    watch.deliver()
    assert database.count(AlertRow) > 20
    open_every_page(database, cohort)
    said = log_stream.getvalue() + " ".join(each.body for each in database.all(TextRow))
    lines = [json.loads(line) for line in log_stream.getvalue().splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) >= 30
    assert not COORDINATE.search(re.sub(r'"timestamp": ?"[^"]*"', "", said))
    spoken = set(re.findall(r"[A-Za-z][A-Za-z'’-]+|\d{9,}", said))
    found = {
        word for word in identifying(cohort) if word in spoken or (" " in word and word in said)
    }
    assert found == set()


def open_every_page(database: Database, cohort: CaseFile) -> None:
    """As an officer who looks at everybody, and searches by name."""
    settings = Settings(database_url=database.url, secret_key=SECRET_KEY)
    service = Service(settings)
    service.clock = service.wall_clock = lambda: START + DAY
    client = create_app(service).test_client()
    officer = database.all(StaffRow, StaffRow.role == Role.SUPERVISOR.value)[0]
    with database.sessions.begin() as session:
        session.add(
            WebSessionRow(
                token_hash=accounts.hash_token("token"),
                staff_id=officer.id,
                created_at=START + DAY,
                seen_at=START + DAY,
            )
        )
    with client.session_transaction() as cookie:
        cookie["token"] = "token"
    for wearer in cohort.wearers[:15]:
        assert client.get(f"/people/{wearer.ref}").status_code == 200
        client.get("/caseload", query_string={"search": wearer.name})
    client.post("/sign-in", data={"account": cohort.staff[0].name, "password": PASSWORD})
    client.get(f"/{cohort.victims[0].name}")
    service.close()


def test_the_words_looked_for_are_those_of_everybody() -> None:
    cohort = build_cohort(seed=SEED, start=START)
    words = identifying(cohort)
    assert len(words) > 500
    assert {part for each in cohort.wearers for part in each.name.split() if len(part) > 6} <= words
    assert Span(START, START + DAY)
