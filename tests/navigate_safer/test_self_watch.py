"""The monitoring watches itself: what fails is told, what works again resolves by itself."""

from datetime import timedelta

import pytest
import requests
from case_files import INSIDE, OUTSIDE, START, walk
from sqlalchemy import select, update
from watch import VOICE, Watch

from alerts.finding import Severity
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.base import make_engine, make_sessions
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.telemetry import PendingRow
from navigate_safer.services import alerting, heartbeats, self_watch
from navigate_safer.services.health import Check, State
from navigate_safer.services.self_watch import STARTING, STEADY, WARNING_STAYS, SelfWatch

WORKERS = ("ingest", "monitor", "deliver", "schedule")


def beat(watch: Watch, *workers: str) -> None:
    for worker in workers or WORKERS:
        up = watch.clock() - timedelta(hours=1)
        heartbeats.beat(watch.sessions, worker, watch.clock(), connected_since=up)


def look(watch: Watch, own: SelfWatch):
    return own.look(watch.clock(), watch.clock())


@pytest.fixture
def well(watch):
    """Every part works, and a message has just come."""
    watch.hear(*walk("TAG-1", OUTSIDE))
    beat(watch)
    return watch


@pytest.fixture
def own(well):
    made = SelfWatch(well.sessions, VOICE)
    look(well, made)
    return made


def parts(watch: Watch) -> dict[str, str]:
    return {row.part: row.state for row in watch.database.all(AlertRow) if row.part}


def test_of_a_service_that_is_well_nobody_is_told(well, own):
    assert look(well, own).opened == ()
    assert parts(well) == {}


def test_a_worker_without_a_sign_of_life_is_an_alert_within_the_minute(well, own):
    well.clock.forward(seconds=40)
    beat(well, "ingest", "deliver", "schedule")
    assert look(well, own).opened == ("worker: monitor",)
    alert = well.database.one(AlertRow)
    assert (alert.severity, alert.wearer_id) == ("high", None)
    assert [row.channel for row in well.database.all(TextRow)] == ["sms"]


def test_who_has_just_started_with_the_others_does_not_call_them_missing(watch):
    just_started = SelfWatch(watch.sessions, VOICE)
    assert look(watch, just_started).opened == ()
    watch.clock.forward(seconds=STARTING.total_seconds())
    opened = look(watch, just_started).opened
    assert {f"worker: {worker}" for worker in WORKERS} <= set(opened)


def test_looking_again_or_from_another_process_opens_no_second_alert(well, own):
    well.clock.forward(seconds=40)
    beat(well, "ingest", "deliver", "schedule")
    look(well, own)
    well.clock.forward(seconds=5)
    beat(well, "ingest", "deliver", "schedule")
    assert look(well, SelfWatch(well.sessions, VOICE)).opened == ()
    assert len(well.database.all(AlertRow)) == 1


def test_what_works_again_for_a_minute_resolves_by_itself(well, own):
    well.clock.forward(seconds=40)
    beat(well, "ingest", "deliver", "schedule")
    look(well, own)
    well.deliver()
    beat(well)
    assert look(well, own).ended == ()
    well.clock.forward(seconds=STEADY.total_seconds())
    beat(well)
    assert look(well, own).ended == ("worker: monitor",)
    assert parts(well) == {"worker: monitor": "resolved"}


def test_what_works_only_for_a_moment_between_failures_stays_open(well, own):
    for _ in range(4):
        well.clock.forward(seconds=40)
        beat(well, "ingest", "deliver", "schedule")
        look(well, own)
        well.deliver()
        beat(well)
        look(well, own)
    assert parts(well) == {"worker: monitor": "open"}


def test_a_gateway_that_says_it_is_away_is_an_alert(well, own):
    with well.sessions.begin() as session:
        session.execute(update(GatewayRow).where(GatewayRow.ref == "gw-west").values(online=False))
    (opened,) = look(well, own).opened
    assert opened.startswith("gateway:")


def test_no_connection_to_the_broker_is_as_urgent_as_anything(well, own):
    heartbeats.beat(well.sessions, "ingest", well.clock(), connected_since=None)
    look(well, own)
    assert well.database.one(AlertRow).severity == "critical"


def test_a_limit_that_comes_near_is_for_working_hours():
    part = self_watch.part_of(Check("limit: disk", State.WARNING, "12 days away"))
    assert part.severity is Severity.LOW


def test_a_warning_is_an_alert_once_it_has_stayed(well, own):
    heartbeats.beat(well.sessions, "commands", well.clock())
    well.clock.forward(seconds=40)
    beat(well)
    assert look(well, own).opened == ()
    well.clock.forward(seconds=WARNING_STAYS.total_seconds())
    beat(well)
    assert "worker: commands" in look(well, own).opened
    row = well.database.one(AlertRow, AlertRow.part == "worker: commands")
    assert (row.severity, well.database.all(TextRow, TextRow.alert_id == row.id)) == ("low", [])


def test_a_database_that_is_away_is_said_and_stops_no_worker(tmp_path):
    folder = tmp_path / "away.sqlite3"
    folder.mkdir()
    own = SelfWatch(make_sessions(make_engine(f"sqlite:///{folder}")), VOICE)
    assert own.look(START, START).failing == (self_watch.AWAY,)


# The switch outside is asked only while everything holds


def wrong(watch: Watch) -> list[str]:
    return self_watch.not_holding(watch.sessions, watch.clock(), watch.clock())


def test_while_everything_holds_there_is_nothing_to_say(well):
    assert wrong(well) == []


def test_an_alert_whose_next_step_is_overdue_stops_the_switch(well):
    well.hear(*walk("TAG-1", INSIDE, start=well.clock() + timedelta(minutes=1)))
    beat(well)
    well.deliver()
    well.clock.forward(seconds=127)
    beat(well)
    well.escalate()
    well.deliver()
    assert wrong(well) == []
    well.clock.forward(seconds=127)
    beat(well)
    assert any("overdue step" in each for each in wrong(well))


def test_an_open_alert_that_nobody_was_told_of_stops_the_switch(well):
    well.hear(*walk("TAG-1", INSIDE, start=well.clock() + timedelta(minutes=1)))
    beat(well)
    with well.sessions.begin() as session:
        session.execute(update(AlertRow).values(next_step_at=None))
        session.execute(TextRow.__table__.delete())
        assert "an open alert was never told and nothing holds it" in invariants.broken(
            session, well.clock()
        )
    said, counted = wrong(well)
    assert said.startswith("1 open alert(s) can be told to nobody")
    assert counted == "an open alert was never told and nothing holds it (1)"


def test_readings_that_wait_to_be_judged_stop_the_switch(well):
    with well.sessions.begin() as session:
        device_id = session.scalars(select(DeviceRow.id).where(DeviceRow.ref == "TAG-1")).one()
        session.add(
            PendingRow(device_id=device_id, earliest_at=well.clock(), marked_at=well.clock())
        )
    well.clock.forward(seconds=50)
    beat(well)
    assert any("Judging is behind" in each for each in wrong(well))


class Switch:
    """A dead-man switch that answers, refuses or cannot be reached."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.asked = []

    def __call__(self, url, **options):
        self.asked.append((url, options))
        if self.status is None:
            raise requests.ConnectionError("no route")
        answer = requests.Response()
        answer.status_code = self.status
        return answer


@pytest.mark.parametrize(("status", "told"), [(200, True), (503, False), (None, False)])
def test_asking_the_switch(status, told):
    switch = Switch(status)
    assert self_watch.ping("https://switch.example/secret", switch) is told
    ((url, options),) = switch.asked
    assert url == "https://switch.example/secret"
    assert options["timeout"]
    assert options["allow_redirects"] is False


def test_a_rota_with_a_gap_ahead_is_not_resolved_because_the_service_works(well, own):
    with well.sessions.begin() as session:
        alerting.open_service_alert(
            session, "rota:1", Severity.LOW, well.clock(), VOICE, "Rota nights: a gap."
        )
    for _ in range(2):
        look(well, own)
        well.clock.forward(seconds=STEADY.total_seconds() + 1)
        beat(well)
    assert parts(well)["rota:1"] == "open"
