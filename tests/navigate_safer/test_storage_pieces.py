"""Pieces of a hot day on PostgreSQL: sorted when they are over, nothing lost, nothing twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from case_files import CREWE, INSIDE, MINUTE, OUTSIDE, fix, message, walk
from databases import drop_days
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from navigate_safer.db import archive, partitions, pieces, readings
from navigate_safer.db.days import ONE_DAY
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import sorting, storage, storage_round
from navigate_safer.services.storage import Plan

pytestmark = pytest.mark.parametrize("factory", ["postgresql"], indirect=True)

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The piece from noon to three is over, and a quarter of an hour more.
OVER = NOON + 3 * HOUR + pieces.SORT_AFTER
PLAN = Plan(ahead_days=1, past_days=2)
(PIECE,) = [each for each in pieces.of_day(FixRow, DAY) if each.begins == NOON]


def no_wait(_seconds):
    pass


@pytest.fixture
def kept(watch, tmp_path):
    archive.use_folder(watch.sessions, tmp_path / "archive")
    storage.make_days(watch.sessions, NOON, PLAN)
    # Two people in turn, so that the order of arrival is not that of the key.
    for number in range(4):
        watch.receive(
            *walk("TAG-1", OUTSIDE, INSIDE, start=NOON + 2 * number * MINUTE),
            *walk("TAG-LENT", CREWE, start=NOON + 2 * number * MINUTE),
        )
    yield watch
    drop_days(watch.database)


def everything(watch):
    with watch.sessions() as session:
        found = [
            (device.ref, reading)
            for device in session.scalars(select(DeviceRow).order_by(DeviceRow.ref))
            for reading in readings.between(session, device.id, device.ref, None, None)
        ]
    return sorted(found, key=repr)


def sort_due(watch, now=OVER, wait=no_wait, most_meanwhile=pieces.MOST_MEANWHILE):
    return sorting.sort_pieces(watch.sessions, now, wait, 0, most_meanwhile)


def as_they_lie(watch):
    with watch.database.engine.connect() as connection:
        query = text(f"select device_id, measured_at from {PIECE.name} order by ctid")
        return connection.execute(query).all()


def asked(watch, query):
    with watch.database.engine.connect() as connection:
        return connection.scalars(text(query)).all()


LEFT_BEHIND = (
    "select tablename from pg_tables where tablename like '%\\_sorted' union all "
    "select tgname::text from pg_trigger where tgname = 'noted' union all "
    "select 'came meanwhile' from days.came_meanwhile"
)


def test_today_and_tomorrow_are_in_pieces_and_the_other_days_whole(kept):
    kinds = {
        day: asked(kept, f"select relkind from pg_class where relname = 'fixes_{day:%Y%m%d}'")
        for day in (DAY - ONE_DAY, DAY, DAY + ONE_DAY)
    }
    assert kinds == {DAY - ONE_DAY: ["r"], DAY: ["p"], DAY + ONE_DAY: ["p"]}
    spans = [(each.begins, each.ends) for each in pieces.of_day(FixRow, DAY)]
    assert spans[0][0] == datetime(2026, 11, 20, tzinfo=UTC)
    assert spans[-1][1] == datetime(2026, 11, 21, tzinfo=UTC)
    assert all(one[1] == other[0] for one, other in pairwise(spans))


def test_a_day_made_long_ahead_is_cut_when_it_is_near_and_only_while_it_is_empty(kept):
    with kept.sessions.begin() as session:
        for number in (2, 3):
            partitions.make_day(session, FixRow, DAY + number * ONE_DAY)
    early = fix(NOON + 3 * ONE_DAY, INSIDE)
    kept.receive(message("TAG-1", early, received_at=NOON + 3 * ONE_DAY))
    storage.make_days(kept.sessions, NOON + 2 * ONE_DAY, PLAN)
    query = "select relkind from pg_class where relname in ('fixes_20261122', 'fixes_20261123')"
    assert asked(kept, f"{query} order by relname") == ["p", "r"]


def test_a_piece_that_is_over_is_sorted_and_keeps_its_key_and_every_reading(kept):
    before, arrived = everything(kept), as_they_lie(kept)
    assert arrived != sorted(arrived)
    assert sort_due(kept, OVER - MINUTE) == 0, "most of what is late is still to come"
    assert sort_due(kept) == 1
    assert as_they_lie(kept) == sorted(arrived)
    assert everything(kept) == before
    kept.receive(message("TAG-1", fix(NOON, OUTSIDE), received_at=OVER))
    assert everything(kept) == before, "what was sent again is not stored again"
    (row,) = kept.database.all(FixRow)[:1]
    columns = {each.name: getattr(row, each.name) for each in FixRow.__table__.columns}
    with pytest.raises(IntegrityError), kept.sessions.begin() as session:
        session.execute(insert(FixRow), [columns])
    assert sort_due(kept) == 0
    assert asked(kept, LEFT_BEHIND) == []


def test_a_small_piece_is_left_as_it_is(kept):
    assert sorting.sort_pieces(kept.sessions, OVER, no_wait) == 0


def test_a_piece_is_sorted_again_when_much_came_late(kept):
    sort_due(kept)
    late = [fix(NOON + (30 + number / 10) * MINUTE, CREWE) for number in range(200)]
    assert kept.receive(message("TAG-1", *late, received_at=OVER)).stored == 200
    before = everything(kept)
    assert sort_due(kept) == 1
    assert everything(kept) == before
    assert sort_due(kept) == 0


class Busy:
    """Somebody reads the piece; after the first try he is gone, and late readings come."""

    def __init__(self, watch, *late):
        self.watch, self.late = watch, late
        self.reader = watch.sessions()
        self.reader.execute(select(FixRow).limit(1))

    def wait(self, _seconds):
        self.reader.close()
        self.watch.receive(*self.late)


def test_readings_that_come_while_a_piece_is_sorted_are_not_lost(kept):
    late = [
        message("TAG-1", fix(NOON + 40 * MINUTE, CREWE), received_at=OVER),
        # Other content for a time that is there, and one that is there already.
        message("TAG-1", fix(NOON, CREWE), received_at=OVER),
        message("TAG-LENT", fix(NOON, CREWE), received_at=OVER),
    ]
    rows = kept.database.count(FixRow)
    assert sort_due(kept, wait=Busy(kept, *late).wait) == 1
    assert kept.database.count(FixRow) == rows + 2
    after = everything(kept)
    kept.receive(*late)
    assert everything(kept) == after
    assert asked(kept, LEFT_BEHIND) == []


def test_when_very_much_comes_meanwhile_the_piece_is_left_for_the_next_round(kept):
    late = [fix(NOON + (40 + number) * MINUTE, CREWE) for number in range(2)]
    busy = Busy(kept, message("TAG-1", *late, received_at=OVER))
    assert sort_due(kept, wait=busy.wait, most_meanwhile=1) == 0
    assert asked(kept, LEFT_BEHIND) == []
    assert sort_due(kept) == 1
    assert kept.database.count(FixRow) == 12 + 2


def test_a_long_reader_is_not_waited_for(kept):
    before = everything(kept)
    with kept.sessions() as reader:
        reader.execute(select(FixRow).limit(1))
        assert sort_due(kept) == 0
        later = walk("TAG-1", OUTSIDE, start=NOON + 30 * MINUTE)
        assert kept.receive(*later).stored == 1
    assert sort_due(kept) == 1
    assert len(everything(kept)) == len(before) + 1


@pytest.mark.parametrize("cut_off_after", ["watching", "copying"])
def test_a_sorting_that_was_cut_off_is_done_again(kept, cut_off_after):
    with kept.sessions.begin() as session:
        pieces.watch(session, PIECE)
    if cut_off_after == "copying":
        sorting.write_copy(kept.sessions, PIECE)
    kept.receive(message("TAG-1", fix(NOON + 40 * MINUTE, CREWE), received_at=OVER))
    before = everything(kept)
    assert asked(kept, LEFT_BEHIND)
    assert sort_due(kept) == 1
    assert everything(kept) == before
    assert asked(kept, LEFT_BEHIND) == []


def test_a_day_whose_sorting_was_cut_off_is_closed_and_nothing_is_left(kept):
    with kept.sessions.begin() as session:
        pieces.watch(session, PIECE)
    sorting.write_copy(kept.sessions, PIECE)
    kept.receive(message("TAG-1", fix(NOON + 40 * MINUTE, CREWE), received_at=OVER))
    before = everything(kept)
    done = storage_round.keep_house(kept.sessions, NOON + 3 * ONE_DAY, PLAN, no_wait)
    assert done.closed
    assert everything(kept) == before
    storage_round.keep_house(kept.sessions, NOON + 3 * ONE_DAY, PLAN, no_wait)
    assert asked(kept, LEFT_BEHIND) == []
    assert asked(kept, "select relkind from pg_class where relname = 'fixes_20261120'") == ["r"]


def test_a_copy_that_is_not_the_same_is_not_put_into_place(kept):
    sorting.write_copy(kept.sessions, PIECE)
    with kept.sessions.begin() as session:
        one = f"(select min(ctid) from {PIECE.copy})"
        session.execute(text(f"update {PIECE.copy} set lat_e7 = 1 where ctid = {one}"))
        assert partitions.sum_of(session, PIECE.copy) != partitions.sum_of(session, PIECE.name)


def test_the_bytes_of_a_day_are_those_of_its_pieces(kept):
    with kept.sessions() as session:
        parts = [
            session.scalar(text(f"select pg_total_relation_size('{each.name}')"))
            for each in pieces.of_day(FixRow, DAY)
        ]
        assert partitions.bytes_of(session, FixRow, DAY) == sum(parts) > 0
