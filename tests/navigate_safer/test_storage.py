"""The life of a day of readings: hot, closed, archived, erased; nothing lost, nothing twice."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from case_files import CREWE, INSIDE, MINUTE, OUTSIDE, alcohol, battery, event, fix, message, walk
from databases import drop_days
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from navigate_safer.db import archive, days, partitions, readings
from navigate_safer.db.archive import ArchiveUnreadable
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.days import ONE_DAY, DayState
from navigate_safer.db.people import DeviceRow, OrderRow
from navigate_safer.db.reading_rows import READING_TABLES, FixRow, ReadingDayRow
from navigate_safer.services import (
    archiving,
    figures,
    health,
    holding,
    ingest,
    retention,
    storage,
    storage_round,
)
from navigate_safer.services.health import State
from navigate_safer.services.storage import Plan
from navigate_safer.services.storage_trouble import StorageFault, Trouble

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
# A few days instead of two months, so that a round is short.
PLAN = Plan(ahead_days=1, past_days=2)
ON_POSTGRESQL = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
SECOND = timedelta(seconds=1)


def no_wait(_seconds):
    pass


@pytest.fixture
def kept(watch, tmp_path):
    """The service with an archive, and partitions that go with the test."""
    archive.use_folder(watch.sessions, tmp_path / "archive")
    yield watch
    drop_days(watch.database)


def a_day(day=NOON):
    """Readings of every kind, a contradiction among them, of two devices."""
    return [
        *walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE, start=day),
        message("TAG-1", fix(day, CREWE), received_at=day + 5 * MINUTE),
        *walk("TAG-LENT", CREWE, CREWE, start=day + SECOND),
        message("TAG-1", battery(day, 41.5, charging=True), event(day, "strap_tamper", "start")),
        message("MON-1", alcohol(day, 0.021), battery(day, 90)),
    ]


def everything(watch):
    """Every reading of every device, as judgement reads them."""
    with watch.sessions() as session:
        found = [
            (device.ref, reading)
            for device in session.scalars(select(DeviceRow).order_by(DeviceRow.ref))
            for reading in readings.between(session, device.id, device.ref, None, None)
        ]
    return sorted(found, key=repr)


def house(watch, days_later, plan=PLAN):
    return storage_round.keep_house(watch.sessions, NOON + ONE_DAY * days_later, plan, no_wait)


def state(watch, table=FixRow, day=DAY):
    with watch.sessions() as session:
        row = days.get(session, table, day)
        return None if row is None else row.state


def indexes(watch, name):
    query = text("select indexdef from pg_indexes where schemaname = 'days' and tablename = :t")
    with watch.database.engine.connect() as connection:
        return list(connection.scalars(query, {"t": name}))


def partition_of(watch, table=FixRow):
    """The days that hold readings of a kind, whole or in pieces, or the rest."""
    query = text(f"select distinct tableoid::regclass::text from {table.__tablename__}")
    with watch.database.engine.connect() as connection:
        return {name[: len("days.fixes_20261120")] for name in connection.scalars(query)}


# Partitions


@ON_POSTGRESQL
def test_partitions_reach_from_the_oldest_reading_that_is_accepted_to_two_weeks_ahead(kept):
    made = storage.make_days(kept.sessions, NOON, Plan())
    with kept.sessions() as session:
        for table in READING_TABLES:
            there = partitions.made_days(session, table)
            assert (min(there), max(there)) == (DAY - 46 * ONE_DAY, DAY + 14 * ONE_DAY)
            assert len(there) == 61
    assert made == 4 * 61
    assert storage.make_days(kept.sessions, NOON, Plan()) == 0


@ON_POSTGRESQL
def test_a_reading_finds_its_day_and_the_day_its_indexes(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    assert partition_of(kept) == {"days.fixes_20261120"}
    key, at = sorted(indexes(kept, "fixes_20261120_12"), key=lambda each: "brin" in each)
    assert "UNIQUE" in key
    assert "(device_id, measured_at)" in key
    assert "brin (measured_at)" in at


@ON_POSTGRESQL
def test_a_reading_of_a_day_without_a_partition_is_kept_and_gets_one(kept):
    kept.receive(*a_day())
    before = everything(kept)
    assert partition_of(kept) == {"days.fixes_rest"}
    with kept.sessions() as session:
        assert partitions.days_in_rest(session, FixRow) == {DAY: 6}
    storage.make_days(kept.sessions, NOON, PLAN)
    assert partition_of(kept) == {"days.fixes_20261120"}
    assert everything(kept) == before


@ON_POSTGRESQL
def test_partitions_are_made_next_time_where_the_tables_are_in_use(kept):
    with kept.sessions() as reader:
        reader.execute(text("lock table days.fixes_rest in access share mode"))
        assert storage.make_days(kept.sessions, NOON, Plan(ahead_days=0, past_days=0)) == 3 * 2
    assert storage.make_days(kept.sessions, NOON, Plan(ahead_days=0, past_days=0)) == 2


@ON_POSTGRESQL
def test_a_message_across_midnight_goes_to_both_days(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    last = midnight - timedelta(milliseconds=1)
    kept.receive(message("TAG-1", fix(last, INSIDE), fix(midnight, INSIDE)))
    kept.receive(message("TAG-1", fix(last, OUTSIDE), received_at=midnight + MINUTE))
    assert partition_of(kept) == {"days.fixes_20261120", "days.fixes_20261121"}
    assert kept.database.count(FixRow, FixRow.measured_at < midnight) == 2


@ON_POSTGRESQL
def test_a_half_empty_index_is_packed_and_what_a_killed_packing_left_is_dropped(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    # Yesterday is whole: today is in pieces, which are packed when they are sorted.
    kept.receive(*walk("TAG-1", *[OUTSIDE] * 400, start=NOON - ONE_DAY))
    before = everything(kept)
    with kept.database.engine.begin() as connection:
        # As reindex leaves it when it is killed: there, and not valid.
        on = "days.fixes_20261119 (device_id, measured_at)"
        connection.execute(text(f"create unique index fixes_left on {on}"))
        which = "indexrelid = 'days.fixes_left'::regclass"
        connection.execute(text(f"update pg_index set indisvalid = false where {which}"))
    assert storage.pack(kept.sessions) == 0, "a small table is not worth it"
    assert not [each for each in indexes(kept, "fixes_20261119") if "fixes_left" in each]
    assert storage.pack(kept.sessions, least_bytes=0) == 1
    assert sorted("UNIQUE" in each for each in indexes(kept, "fixes_20261119")) == [False, True]
    assert everything(kept) == before


# Closing


@ON_POSTGRESQL
def test_a_day_that_is_over_is_sorted_and_loses_its_key_and_no_reading(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    before = everything(kept)
    assert house(kept, 2).closed > 0
    assert state(kept) is None, "two days after, the day may still be waited for"
    house(kept, 3)
    assert state(kept) == "closed"
    assert everything(kept) == before
    defined = indexes(kept, "fixes_20261120")
    assert len(defined) == 2
    assert all("brin" in each for each in defined)
    with kept.database.engine.connect() as connection:
        order = connection.execute(
            text("select device_id, measured_at from days.fixes_20261120 order by ctid")
        ).all()
    assert order == sorted(order)
    assert house(kept, 3).closed == 0
    with kept.sessions() as session:
        past = {DAY - ONE_DAY * number for number in range(4)}
        assert days.closed_days(session, "fixes") == days.closed_days(session) == past


def closed(watch):
    storage.make_days(watch.sessions, NOON, PLAN)
    watch.receive(*a_day())
    house(watch, 3)
    assert state(watch) == "closed"


@ON_POSTGRESQL
def test_a_late_reading_of_a_closed_day_is_stored_once_and_the_day_sorted_again(kept):
    closed(kept)
    before = everything(kept)
    late = message("TAG-1", fix(NOON + 7 * MINUTE, CREWE), received_at=NOON + 4 * ONE_DAY)
    assert kept.receive(late).stored == 1
    assert kept.receive(late).repeated == 1
    assert kept.receive(*a_day()).stored == 0
    after = everything(kept)
    assert len(after) == len(before) + 1
    assert kept.database.one(ReadingDayRow, ReadingDayRow.kind == "fixes",
                             ReadingDayRow.day == DAY).late_rows == 1  # fmt: skip
    house(kept, 4)
    row = kept.database.one(ReadingDayRow, ReadingDayRow.kind == "fixes", ReadingDayRow.day == DAY)
    assert (row.state, row.late_rows, row.rows) == ("closed", 0, 7)
    assert everything(kept) == after


@ON_POSTGRESQL
def test_other_content_for_a_time_in_a_closed_day_is_the_next_variant(kept):
    closed(kept)
    kept.receive(message("TAG-1", fix(NOON, INSIDE), received_at=NOON + 4 * ONE_DAY))
    assert [row.variant for row in kept.database.all(FixRow) if row.taken_at == NOON] == [0, 1, 2]


@ON_POSTGRESQL
def test_two_workers_that_bring_the_same_late_readings_to_a_closed_day_store_them_once(kept):
    closed(kept)
    at = NOON + 4 * ONE_DAY
    batch = [
        message("TAG-1", *(fix(NOON + (9 + n) * MINUTE, CREWE) for n in range(20)), received_at=at),
        message("TAG-LENT", battery(NOON, 12), fix(NOON + MINUTE, CREWE), received_at=at),
    ]
    kept.clock.not_before(at)
    together, results = threading.Barrier(2), []

    def worker(messages):
        together.wait(10)
        results.append(ingest.store_batch(kept.sessions, messages, kept.clock(), kept.limits))

    threads = [
        threading.Thread(target=worker, args=(part,)) for part in (batch, list(reversed(batch)))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sum(each.stored for each in results) == 22
    assert sum(each.repeated for each in results) == 22
    assert kept.database.count(FixRow) == 6 + 21


@ON_POSTGRESQL
def test_nothing_gets_into_a_closed_day_that_was_not_looked_for(kept):
    closed(kept)
    (row,) = kept.database.all(FixRow)[:1]
    columns = {each.name: getattr(row, each.name) for each in FixRow.__table__.columns}
    with pytest.raises(IntegrityError, match="closed day"), kept.sessions.begin() as session:
        session.execute(insert(FixRow), [columns])


@ON_POSTGRESQL
def test_a_reading_that_comes_while_a_day_is_sorted_is_not_lost(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    late = message("TAG-1", fix(NOON + 7 * MINUTE, CREWE), received_at=NOON + 3 * ONE_DAY)

    class Busy:
        """The first try of the exchange meets somebody at work; then a late reading comes."""

        def __init__(self):
            self.reader = kept.sessions()
            self.reader.execute(select(FixRow).limit(1))

        def wait(self, _seconds):
            self.reader.close()
            kept.receive(late)

    busy = Busy()
    done = storage.close_day(kept.sessions, FixRow, DAY, NOON + 3 * ONE_DAY, busy.wait)
    assert done
    assert state(kept) == "closed"
    assert kept.database.count(FixRow) == 7
    assert kept.receive(late).repeated == 1


@ON_POSTGRESQL
def test_a_long_reader_is_not_waited_for_and_the_day_is_closed_next_time(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    with kept.sessions() as reader:
        reader.execute(select(FixRow).limit(1))
        assert not storage.close_day(kept.sessions, FixRow, DAY, NOON + 3 * ONE_DAY, no_wait)
        assert state(kept) == "closing"
        # Intake goes on beside it, into the day itself too.
        later = walk("TAG-1", OUTSIDE, start=NOON + 30 * MINUTE)
        assert kept.receive(*later).stored == 1
    house(kept, 3)
    assert state(kept) == "closed"
    assert kept.database.count(FixRow) == 7


@ON_POSTGRESQL
@pytest.mark.parametrize("steps", ["guarded", "sorted"])
def test_a_closing_that_was_cut_off_is_finished_by_the_next_round(kept, steps):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    before = everything(kept)
    with kept.sessions.begin() as session:
        partitions.guard(session, FixRow, DAY)
        days.put(session, FixRow, DAY, DayState.CLOSING, NOON)
    if steps == "sorted":
        storage.sort_day(kept.sessions, FixRow, DAY)
    assert everything(kept) == before
    house(kept, 3)
    assert state(kept) == "closed"
    assert everything(kept) == before
    with kept.database.engine.connect() as connection:
        copies = text("select count(*) from pg_tables where tablename like '%\\_sorted'")
        assert connection.scalar(copies) == 0


@ON_POSTGRESQL
def test_a_copy_that_is_not_the_same_is_not_put_into_place(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    with kept.sessions() as session:
        held, copied = partitions.sort_copy(session, FixRow, DAY)
        assert held == copied
        copy = "days.fixes_20261120_sorted"
        one = f"(select min(ctid) from {copy})"
        session.execute(text(f"update {copy} set lat_e7 = lat_e7 + 1 where ctid = {one}"))
        assert partitions.sum_of(session, "days.fixes_20261120_sorted") != held


# The archive


def test_an_old_day_moves_to_a_file_and_is_read_as_before(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day(), *a_day(NOON + ONE_DAY))
    before = everything(kept)
    house(kept, 60)
    assert state(kept) in (None, "closed")
    assert house(kept, 61).archived == 4
    assert state(kept) == "archived"
    assert everything(kept) == before
    assert kept.database.count(FixRow) == 6, "only the other day is left in the table"
    assert house(kept, 61) == storage_round.Round(True)
    with kept.sessions() as session:
        assert archive.verify(session).faults == []


def archived(watch):
    storage.make_days(watch.sessions, NOON, PLAN)
    watch.receive(*a_day())
    house(watch, 61)
    assert state(watch) == "archived"
    with watch.sessions() as session:
        row = days.get(session, FixRow, DAY)
        return archive.file_of(session, row)


def test_the_manifest_beside_a_file_says_what_is_in_it(kept):
    file = archived(kept)
    manifest = json.loads(file.with_suffix(".json").read_text())
    row = kept.database.one(ReadingDayRow, ReadingDayRow.sha256 == manifest["sha256"])
    assert manifest["file"] == file.name
    assert (manifest["kind"], manifest["day"], manifest["rows"]) == ("fixes", "2026-11-20", 6)
    assert (row.kind, row.day) == ("fixes", DAY)
    assert manifest["bytes"] == file.stat().st_size == row.bytes
    assert manifest["columns"]["measured_at"] == "BIGINT"


def test_the_archive_can_be_read_by_nobody_else_on_the_machine(kept):
    file = archived(kept)
    assert [path.stat().st_mode & 0o077 for path in list(file.parents)[:3]] == [0, 0, 0]


def test_an_altered_file_is_named(kept):
    file = archived(kept)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with kept.sessions() as session:
        (fault,) = archive.verify(session).faults
    assert fault.path.endswith(file.name)
    assert "altered" in fault.what


def test_a_missing_file_is_named_and_its_readings_are_not_passed_over(kept):
    file = archived(kept)
    file.unlink()
    with kept.sessions() as session:
        (fault,) = archive.verify(session).faults
    assert "missing" in fault.what
    with pytest.raises(ArchiveUnreadable, match=f"{file.name} is missing"):
        everything(kept)
    with kept.sessions() as session:
        later = readings.between(session, 1, "", NOON + ONE_DAY, None)
    assert later == [], "days that are not in it are read without it"


def test_a_file_that_no_day_names_is_named(kept):
    file = archived(kept)
    stray = file.with_name("fixes-2026-01-01-000000000000.parquet")
    stray.write_bytes(file.read_bytes())
    with kept.sessions() as session:
        (fault,) = archive.verify(session).faults
    assert fault.path.endswith(stray.name)


def test_a_reading_of_an_archived_day_is_still_stored_once_and_joins_the_others(kept):
    file = archived(kept)
    before = everything(kept)
    late = fix(NOON + 7 * MINUTE, CREWE)
    # Intake refuses what is so old; an import would not.
    kept.limits = type(kept.limits)(past_days=1_000)
    at = NOON + 62 * ONE_DAY
    assert kept.receive(message("TAG-1", late, received_at=at)).stored == 1
    assert kept.receive(message("TAG-1", late, fix(NOON, OUTSIDE), received_at=at)).repeated == 2
    after = everything(kept)
    assert len(after) == len(before) + 1
    house(kept, 62)
    assert kept.database.count(FixRow) == 0
    assert everything(kept) == after
    assert not file.exists(), "the file that lacks the reading is gone"
    with kept.sessions() as session:
        assert archive.verify(session).faults == []


def test_an_archiving_that_was_cut_off_before_its_commit_is_done_again(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    before = everything(kept)
    house(kept, 3)
    exported = archiving.export_day(kept.sessions, FixRow, DAY)
    assert exported.written is not None
    assert state(kept) != "archived"
    (archive_folder(kept) / archiving.WORK / "left-behind.csv").write_text("1,2,3\n")
    assert everything(kept) == before
    house(kept, 61)
    assert state(kept) == "archived"
    assert everything(kept) == before
    assert list((archive_folder(kept) / archiving.WORK).iterdir()) == []
    with kept.sessions() as session:
        assert archive.verify(session).faults == []


def test_a_reading_that_comes_while_a_day_is_written_out_is_not_lost(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    house(kept, 3)
    exported = archiving.export_day(kept.sessions, FixRow, DAY)
    late = message("TAG-1", fix(NOON + 7 * MINUTE, CREWE), received_at=NOON + 4 * ONE_DAY)
    assert kept.receive(late).stored == 1
    before = everything(kept)
    with pytest.raises(archiving.Changed), kept.sessions.begin() as session:
        archiving.settle(session, FixRow, DAY, NOON, exported)
    assert everything(kept) == before
    house(kept, 61)
    assert state(kept) == "archived"
    assert everything(kept) == before


def archive_folder(watch):
    with watch.sessions() as session:
        return archive.folder_of(session)


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_on_sqlite_rows_whose_deletion_was_cut_off_are_read_once_and_deleted_later(kept):
    kept.receive(*a_day())
    before = everything(kept)
    with kept.sessions() as session:
        copies = [
            {each.name: getattr(row, each.name) for each in FixRow.__table__.columns}
            for row in session.scalars(select(FixRow))
        ]
    house(kept, 61)
    with kept.sessions.begin() as session:
        days.put(session, FixRow, DAY, DayState.EMPTYING, NOON)
        session.execute(insert(FixRow), copies[:4])
    assert everything(kept) == before
    late = message("TAG-1", fix(NOON + 7 * MINUTE, CREWE), received_at=NOON + 40 * ONE_DAY)
    assert kept.receive(late).stored == 1
    house(kept, 61)
    assert state(kept) == "archived"
    assert kept.database.count(FixRow) == 0
    assert len(everything(kept)) == len(before) + 1


@ON_POSTGRESQL
def test_a_day_without_a_reading_leaves_nothing_behind(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    house(kept, 61)
    assert kept.database.count(ReadingDayRow, ReadingDayRow.day == DAY) == 0
    assert indexes(kept, "fixes_20261120") == []


def test_two_schedulers_do_not_keep_house_at_once(kept):
    with storage.alone(kept.sessions) as first:
        assert first
        assert not house(kept, 61).kept_house
    assert house(kept, 61).kept_house


def test_an_archive_that_cannot_be_written_costs_no_reading_and_is_told(kept, tmp_path):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day())
    before = everything(kept)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    archive.use_folder(kept.sessions, blocked)
    done = house(kept, 61)
    assert done.faults >= 1
    assert "folder" in done.last_fault
    assert str(tmp_path) not in done.last_fault
    assert everything(kept) == before
    archive.use_folder(kept.sessions, tmp_path / "archive")
    assert house(kept, 61).faults == 0
    assert state(kept) == "archived"
    assert everything(kept) == before


@ON_POSTGRESQL
def test_partitions_are_made_although_the_archive_cannot_be_tidied(kept):
    first, _ = two_archived_days(kept)
    first.with_name(f"fixes-{DAY}-000000000000.parquet").mkdir()
    done = house(kept, 70)
    assert done.made > 0
    assert (done.faults, done.last_fault) == (1, "the archive's folder: Is a directory")


@ON_POSTGRESQL
def test_a_day_that_cannot_be_sorted_does_not_keep_the_others_hot(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day(), *a_day(NOON + ONE_DAY))
    trouble, now = Trouble(), NOON + 5 * ONE_DAY
    with trouble.of_day(FixRow, DAY):
        raise StorageFault("the sorted copy is not the same")
    while storage.close_next(kept.sessions, now, PLAN, no_wait, trouble) is not None:
        pass
    assert (state(kept), state(kept, day=DAY + ONE_DAY)) == (None, "closed")
    assert trouble.last == "fixes of 2026-11-20: the sorted copy is not the same"
    assert house(kept, 5).faults == 0
    assert state(kept) == "closed", "the next round tries it again"


def two_archived_days(watch):
    storage.make_days(watch.sessions, NOON, PLAN)
    watch.receive(*a_day(), *a_day(NOON + ONE_DAY))
    house(watch, 62)
    files = []
    for day in (DAY, DAY + ONE_DAY):
        assert state(watch, day=day) == "archived"
        with watch.sessions() as session:
            files.append(archive.file_of(session, days.get(session, FixRow, day)))
    return files


def damage(file):
    """A bit of the disk turns over in the middle of the data."""
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)


def late_by_both_days(watch):
    """A reading of each archived day, from long ago, as an import brings it."""
    watch.limits = type(watch.limits)(past_days=1_000)
    for day in (NOON, NOON + ONE_DAY):
        late = fix(day + 7 * MINUTE, CREWE)
        watch.receive(message("TAG-1", late, received_at=NOON + 63 * ONE_DAY))


def test_a_damaged_file_is_not_copied_into_a_new_one_and_the_day_after_it_is_archived(kept):
    first, second = two_archived_days(kept)
    late_by_both_days(kept)
    damage(first)
    done = house(kept, 63)
    assert (done.archived, done.faults) == (1, 1)
    assert first.name in done.last_fault
    assert "backup" in done.last_fault
    assert first.exists(), "what is left of it is not replaced"
    assert not second.exists()
    assert kept.database.count(FixRow) == 1, "the late reading of the damaged day waits"
    with kept.sessions() as session:
        assert [fault.path for fault in archive.verify(session).faults] == [
            str(first.relative_to(archive_folder(kept)))
        ]


def test_a_missing_file_does_not_keep_the_other_days_from_being_erased(kept):
    first, second = two_archived_days(kept)
    end_orders(kept, DAY)
    first.unlink()
    done = house(kept, 6 * 366 + 10)
    assert state(kept) == "archived"
    assert state(kept, day=DAY + ONE_DAY) == "erased"
    assert not second.exists()
    assert (done.faults, done.erased) == (1, 7)


def test_part_of_a_damaged_file_is_not_erased(kept):
    first, _ = two_archived_days(kept)
    with kept.sessions.begin() as session:
        session.execute(update(OrderRow).where(OrderRow.ref == "O-1").values(ends_on=DAY))
    damage(first)
    before = first.read_bytes()
    assert house(kept, 6 * 366 + 10).faults == 1
    assert first.read_bytes() == before
    assert state(kept) == "archived"


def test_what_fails_is_on_the_health_page_and_in_the_figures_until_it_is_mended(kept):
    first, _ = two_archived_days(kept)
    late_by_both_days(kept)
    damage(first)
    now = NOON + 63 * ONE_DAY
    storage_round.keep_house_and_tell(kept.sessions, now, now, PLAN, no_wait)
    check = storage_check(kept, now)
    assert check.state is State.WARNING
    assert first.name in check.text
    assert figure(kept, now, "storage_faults") == 1
    damage(first)
    storage_round.keep_house_and_tell(kept.sessions, now, now, PLAN, no_wait)
    assert storage_check(kept, now).state is State.OK
    assert figure(kept, now, "storage_faults") == 0


def test_keeping_house_is_no_worker_that_could_fall_silent(kept):
    storage_round.keep_house_and_tell(kept.sessions, NOON, NOON, PLAN, no_wait)
    checks = health.look(kept.sessions, NOON + ONE_DAY, NOON + ONE_DAY)
    assert "worker: storage" not in {each.name for each in checks}


def storage_check(watch, now):
    [check] = [each for each in health.look(watch.sessions, now, now) if each.name == "storage"]
    return check


def figure(watch, now, name):
    found = figures.of_database(watch.sessions, now, now)
    [family] = [each for each in found if each.name == f"navigate_safer_{name}"]
    return family.samples[0].value


# Retention


def end_orders(watch, on):
    with watch.sessions.begin() as session:
        session.execute(update(OrderRow).values(ends_on=on))


def test_readings_are_kept_while_an_order_is_open_and_six_years_after_its_end(kept):
    archived(kept)
    before = everything(kept)
    assert house(kept, 3_000).erased == 0, "the order has no end"
    end_orders(kept, date(2027, 3, 1))
    assert house(kept, 101 + 2_190).erased == 0, "not yet six years"
    assert everything(kept) == before
    assert house(kept, 101 + 2_193).erased == 4
    assert everything(kept) == []
    assert state(kept) == "erased"
    assert list(archive_folder(kept).rglob("*.parquet")) == []
    entries = kept.database.all(AuditRow, AuditRow.act == "erasure")
    assert {entry.detail["kind"]: entry.detail["erased"] for entry in entries} == {
        "fixes": 6, "alcohol_samples": 1, "device_events": 1, "battery_levels": 2,
    }  # fmt: skip
    assert house(kept, 101 + 2_193).erased == 0


def test_what_one_wearer_s_order_keeps_does_not_keep_another_s_readings(kept):
    storage.make_days(kept.sessions, NOON, PLAN)
    kept.receive(*a_day(), *walk("TAG-2", CREWE, CREWE, gateway="gw-east", start=NOON))
    house(kept, 61)
    with kept.sessions.begin() as session:
        session.execute(
            update(OrderRow).where(OrderRow.ref == "O-1").values(ends_on=date(2027, 3, 1))
        )
    house(kept, 101 + 2_193)
    left = {(device, type(reading).__name__) for device, reading in everything(kept)}
    # TAG-LENT went from the one to the other that day, and a device's day is kept whole.
    assert left == {("TAG-2", "Fix"), ("TAG-LENT", "Fix")}
    with kept.sessions() as session:
        assert archive.verify(session).faults == []


def held(watch, wearer, days, why="Chester Crown Court, T20267001"):
    return holding.place(watch.sessions, wearer, days, why, NOON)


HOLDS = {
    "a wearer": ("W-1", (None, None), {"TAG-1", "MON-1", "TAG-LENT"}),
    "a wearer on that day": ("W-1", (DAY, DAY), {"TAG-1", "MON-1", "TAG-LENT"}),
    "a wearer on later days": ("W-1", (DAY + ONE_DAY, None), set()),
    "everybody that day": (None, (DAY, DAY), {"TAG-1", "MON-1", "TAG-LENT"}),
    "everybody on earlier days": (None, (None, DAY - ONE_DAY), set()),
}


@pytest.mark.parametrize("what", HOLDS)
def test_what_a_hold_is_on_is_not_erased_until_it_is_lifted(kept, what):
    wearer, span, stays = HOLDS[what]
    archived(kept)
    end_orders(kept, date(2020, 1, 1))
    number = held(kept, wearer, span)
    house(kept, 3_000)
    assert {device for device, _ in everything(kept)} == stays
    holding.lift(kept.sessions, number, "the appeal is over", NOON)
    house(kept, 3_001)
    assert everything(kept) == []
    logged = kept.database.all(AuditRow, AuditRow.what.startswith("hold on readings"))
    assert [entry.what for entry in logged] == [
        "hold on readings placed",
        "hold on readings lifted",
    ]


class Interrupted:
    """Sessions during which something happens just before one of the transactions."""

    def __init__(self, sessions, number, what):
        self.sessions, self.number, self.what = sessions, number, what
        self.begun = 0

    def begin(self):
        self.begun += 1
        if self.begun == self.number:
            self.what()
        return self.sessions.begin()


def test_a_hold_placed_while_a_day_is_being_erased_keeps_it(kept):
    file = archived(kept)
    before = everything(kept)
    end_orders(kept, date(2020, 1, 1))
    # One transaction lists the old days, one asks who keeps the day, the third lets it go.
    third = Interrupted(kept.sessions, 3, lambda: held(kept, "W-1", (None, None)))
    assert retention.erase(third, NOON + ONE_DAY * 3_000, PLAN, Trouble()) == 0
    assert third.begun >= 3
    assert file.exists()
    assert everything(kept) == before
    with kept.sessions() as session:
        assert archive.verify(session).faults == []


@pytest.mark.parametrize(
    ("wearer", "span", "why", "said"),
    [
        pytest.param("W-9", (None, None), "court", "no wearer W-9", id="nobody of this name"),
        pytest.param(None, (None, None), "court", "name a wearer or a day", id="everything"),
        pytest.param("W-1", (DAY, DAY - ONE_DAY), "court", "before the first", id="backwards"),
        pytest.param("W-1", (None, None), "  ", "say why", id="without a reason"),
    ],
)
def test_a_hold_that_says_nothing_is_refused(kept, wearer, span, why, said):
    with pytest.raises(holding.CannotHold, match=said):
        held(kept, wearer, span, why)


def test_a_hold_is_lifted_once(kept):
    number = held(kept, "W-1", (None, None))
    holding.lift(kept.sessions, number, "over", NOON)
    with pytest.raises(holding.CannotHold, match="no hold"):
        holding.lift(kept.sessions, number, "over", NOON)


def test_the_first_reading_of_a_device_is_found_in_archived_days_too(kept):
    archived(kept)
    with kept.sessions() as session:
        tag = session.scalars(select(DeviceRow.id).where(DeviceRow.ref == "TAG-1")).one()
        assert readings.first_from(session, tag, NOON - ONE_DAY) == NOON
        assert readings.first_from(session, tag, NOON + MINUTE) == NOON + MINUTE
        assert readings.first_from(session, tag, NOON + ONE_DAY) is None


def test_an_erasure_that_was_cut_off_leaves_no_file(kept):
    file = archived(kept)
    end_orders(kept, date(2020, 1, 1))
    with kept.sessions.begin() as session:
        row = days.put(session, FixRow, DAY, DayState.ERASED, NOON)
        row.path = None
    assert file.exists()
    house(kept, 61)
    assert not file.exists()


def test_a_lock_that_is_not_to_be_had_is_told_from_a_fault():
    class Orig(Exception):
        sqlstate = "55P03"

    assert partitions.was_locked(OperationalError("", {}, Orig()))
    assert not partitions.was_locked(OperationalError("", {}, Exception()))
