"""How far away every limit is: ids, transaction ids, the disk, partitions."""

import shutil
from datetime import timedelta

import pytest
from case_files import OUTSIDE, START, walk
from databases import drop_days
from sqlalchemy import text

from navigate_safer.db import archive, days, limits
from navigate_safer.db.days import DayState
from navigate_safer.db.limits import ARCHIVE_DISK, GrowthRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import figures, health, storage
from navigate_safer.services.health import State
from navigate_safer.services.storage import Plan

DAY = timedelta(days=1)
ON_POSTGRESQL = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)


def near(watch, now=START, disk_bytes=0):
    with watch.sessions() as session:
        return {each.name: each for each in limits.limits(session, now, disk_bytes)}


def grown(watch, name, *values, step=DAY):
    """Samples of one figure, a day apart, the last at the start."""
    with watch.sessions.begin() as session:
        for age, value in enumerate(reversed(values)):
            session.add(GrowthRow(name=name, at=START - age * step, value=value))


def test_an_id_is_as_far_away_as_its_pace_makes_it(watch):
    grown(watch, "audit_entries_id_seq", 0, 1_000_000, 2_000_000)
    found = near(watch)["audit_entries_id_seq"]
    assert found.most == 2**63 - 1
    assert found.days == pytest.approx((2**63 - 1) / 1_000_000, rel=1e-6)


def test_without_two_samples_apart_there_is_no_forecast_rather_than_a_wrong_one(watch):
    assert near(watch)["audit_entries_id_seq"].days is None
    grown(watch, "audit_entries_id_seq", 5, 500, step=timedelta(minutes=1))
    assert near(watch)["audit_entries_id_seq"].days is None


def test_what_does_not_grow_never_arrives(watch):
    grown(watch, "audit_entries_id_seq", 7, 7)
    assert near(watch)["audit_entries_id_seq"].days == float("inf")


def test_a_disk_of_a_stated_size_fills_at_the_pace_of_the_database(watch):
    with watch.sessions() as session:
        size = limits.size_bytes(session)
    grown(watch, "disk", size - 2_000, size - 1_000, size)
    assert near(watch, disk_bytes=size + 5_000)["disk"].days == pytest.approx(5.0)
    assert near(watch, disk_bytes=size)["disk"].days == 0.0


def test_samples_are_taken_of_everything_and_old_ones_forgotten(watch):
    figures.sample_growth(watch.sessions, START - 9 * DAY)
    figures.sample_growth(watch.sessions, START - DAY)
    watch.receive(*walk("TAG-1", OUTSIDE))
    figures.sample_growth(watch.sessions, START)
    rows = watch.database.all(GrowthRow)
    assert {row.at for row in rows} == {START - DAY, START}
    grew = [row.value for row in rows if row.name == "ingest_batches_id_seq"]
    assert len(grew) == 2
    assert grew[1] > grew[0]
    assert {"disk", "audit_entries_id_seq"} <= {row.name for row in rows}


@ON_POSTGRESQL
def test_transaction_ids_are_counted_towards_the_point_where_the_server_would_stop(watch):
    with watch.sessions.begin() as session:
        handed_out = session.scalar(text("select pg_current_xact_id()::text::bigint"))
    grown(watch, "transaction_ids", handed_out - 2_000_000, handed_out)
    found = near(watch)["transaction_ids"]
    assert found.most == 2**31 - 3_000_000
    assert found.days == pytest.approx((found.most - found.used) / 2_000_000)


@ON_POSTGRESQL
def test_an_id_is_no_wider_than_the_narrowest_column_that_holds_it(watch):
    with watch.sessions() as session:
        session.execute(
            text("create table wide (id bigint generated always as identity primary key)")
        )
        session.execute(text("create table narrow (id serial primary key)"))
        session.execute(text("create table refers (wide_id integer references wide (id))"))
        used = limits.used(session)
        session.rollback()
    assert used["wide_id_seq"][1] == 2**31 - 1, "its own column is wide, a link to it is not"
    assert used["narrow_id_seq"][1] == 2**31 - 1
    assert used["alerts_id_seq"][1] == 2**63 - 1


@ON_POSTGRESQL
def test_partitions_made_ahead_and_rows_without_one_are_seen(watch):
    with watch.sessions() as session:
        session.execute(text("create table parts (at timestamptz) partition by range (at)"))
        for day in ("20", "21", "22"):
            session.execute(
                text(
                    f"create table parts_{day} partition of parts for values "
                    f"from ('2026-11-{day} 00:00+00') to ('2026-11-{day} 24:00+00')"
                )
            )
        session.execute(text("create table parts_rest partition of parts default"))
        session.execute(text("insert into parts values ('2026-11-20 21:00+00'), ('2031-01-01')"))
        found = {each.table: each for each in limits.partitions(session, START)}
        session.rollback()
    ours = found["parts"]
    assert ours.days_ahead == pytest.approx(2 + 3 / 24)
    assert ours.in_default == 1


@ON_POSTGRESQL
def test_the_partitioned_tables_of_the_service_are_found(watch):
    watch.receive(*walk("TAG-1", OUTSIDE))
    with watch.sessions() as session:
        found = {each.table for each in limits.partitions(session, START)}
    assert {"fixes", "alcohol_samples"} <= found


@pytest.mark.parametrize(
    ("days", "state"),
    [
        pytest.param(400.0, State.OK, id="more than a year"),
        pytest.param(13.0, State.WARNING, id="under a fortnight"),
        pytest.param(0.5, State.FAULT, id="half a day"),
        pytest.param(None, State.OK, id="not known yet"),
        pytest.param(float("inf"), State.OK, id="never"),
    ],
)
def test_a_limit_is_judged_by_its_days(days, state):
    [check] = health.judge_limits([limits.Limit("disk", 1, 2, days)], [])
    assert check.state is state
    assert "disk" in check.text


def test_a_day_without_its_partition_is_a_warning_and_no_fault():
    [late, rows] = health.judge_limits(
        [limits.Limit("partitions of fixes", 0, 0.2, 0.2)],
        [limits.Partitions("fixes", 0.2, 12)],
    )
    assert late.state is rows.state is State.WARNING
    assert "12 row(s) of fixes" in rows.text


def test_what_changes_slowly_is_read_once_a_minute_and_says_how_old_it_is(watch):
    at_s = [1_000.0]
    slow = health.SlowChecks(clock=lambda: at_s[0])

    def said() -> str:
        checks = health.look(watch.sessions, START, START, slow=slow)
        [found] = [each for each in checks if each.name == "limit: audit_entries_id_seq"]
        return found.text

    assert said() == "How long the limit of audit_entries_id_seq is away is not known yet."
    grown(watch, "audit_entries_id_seq", 7, 7)
    at_s[0] += 45
    assert said().endswith("is not known yet. Read 45 seconds ago.")
    at_s[0] += 5
    assert said() == "The limit of audit_entries_id_seq is not coming nearer."


@pytest.fixture
def archive_folder(watch, tmp_path):
    folder = tmp_path / "archive"
    archive.use_folder(watch.sessions, folder)
    archive.make_private(folder)
    return folder


def archived(watch, size_bytes):
    """A day of fixes whose file takes so many bytes."""
    with watch.sessions.begin() as session:
        row = days.put(session, FixRow, START.date(), DayState.ARCHIVED, START)
        row.bytes = size_bytes


def days_until_limit(watch):
    found = figures.of_database(watch.sessions, START, START)
    [family] = [each for each in found if each.name == "navigate_safer_days_until_limit"]
    return family.samples[0].value


def test_the_disk_of_the_archive_fills_at_the_pace_of_its_files(watch, archive_folder):
    archived(watch, 4_000)
    figures.sample_growth(watch.sessions, START)
    assert near(watch)[ARCHIVE_DISK].days is None, "a pace needs two samples"
    archived(watch, 1_000_000)
    figures.sample_growth(watch.sessions, START + DAY)
    found = near(watch, START + DAY)[ARCHIVE_DISK]
    free = shutil.disk_usage(archive_folder).free
    assert found.most - found.used == pytest.approx(free, rel=0.01)
    assert found.days == pytest.approx(free / 996_000, rel=0.01)


def test_without_a_folder_yet_nothing_is_said_of_the_archive_s_disk(watch, tmp_path):
    archive.use_folder(watch.sessions, tmp_path / "not made yet")
    assert ARCHIVE_DISK not in near(watch)


def test_a_disk_with_three_weeks_left_is_the_nearest_limit(watch, archive_folder):
    """Partitions are always made a fortnight ahead: they are no end that anything comes to."""
    storage.make_days(watch.sessions, START, Plan(ahead_days=14, past_days=0))
    grown(watch, ARCHIVE_DISK, 0, shutil.disk_usage(archive_folder).free // 21)
    try:
        assert days_until_limit(watch) == pytest.approx(21, abs=1)
    finally:
        drop_days(watch.database)


def test_partitions_alone_are_no_limit_of_the_headline(watch):
    storage.make_days(watch.sessions, START, Plan(ahead_days=14, past_days=0))
    try:
        assert days_until_limit(watch) == float("inf")
    finally:
        drop_days(watch.database)
