"""Whatever happens in whatever order, every reading is there once."""

from datetime import UTC, datetime, timedelta

import pytest
from case_files import CREWE, INSIDE, OUTSIDE, fix, message
from databases import drop_days
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from watch import Watch

from devices.quality import QualityLimits
from navigate_safer.db import archive, readings
from navigate_safer.db.days import ONE_DAY
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import READING_TABLES, ReadingDayRow
from navigate_safer.services import storage_round
from navigate_safer.services.storage import Plan

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
PLACES = (INSIDE, OUTSIDE, CREWE)
PLAN = Plan(ahead_days=0, past_days=0, close_after_days=1, archive_after_days=3, keep_days=9_999)

# A reading: device, day, minute of the day, place. So few of each that they meet often.
a_reading = st.tuples(
    st.sampled_from(["TAG-1", "TAG-LENT"]),
    st.integers(0, 3),
    st.sampled_from([0, 700, 1_439]),
    st.integers(0, 2),
)
a_batch = st.lists(a_reading, min_size=1, max_size=4)
# Or a round of keeping house so many days later.
steps = st.lists(st.one_of(a_batch, st.integers(2, 9)), min_size=1, max_size=7)


def at(day: int, minute: int) -> datetime:
    return FIRST + ONE_DAY * day + timedelta(minutes=minute)


def stored(watch: Watch) -> list[tuple[str, datetime, float]]:
    with watch.sessions() as session:
        return sorted(
            (device.ref, each.stamp.measured_at, each.lat)
            for device in session.scalars(select(DeviceRow))
            for each in readings.between(session, device.id, device.ref, None, None)
        )


def clear(watch: Watch) -> None:
    with watch.sessions.begin() as session:
        for table in (*READING_TABLES, ReadingDayRow):
            session.execute(delete(table))
    drop_days(watch.database)


@pytest.fixture
def watch(database):
    made = Watch(database)
    made.limits = QualityLimits(past_days=1_000)
    yield made
    clear(made)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_readings_and_rounds_in_any_order_lose_nothing_and_double_nothing(
    watch, tmp_path_factory, done
):
    clear(watch)
    archive.use_folder(watch.sessions, tmp_path_factory.mktemp("archive"))
    expected: set[tuple[str, datetime, float]] = set()
    for step in done:
        if isinstance(step, int):
            now = FIRST + ONE_DAY * step
            storage_round.keep_house(watch.sessions, now, PLAN, lambda _seconds: None)
        else:
            batch = [
                message(
                    device, fix(at(day, minute), PLACES[place]), received_at=FIRST + 9 * ONE_DAY
                )
                for device, day, minute, place in step
            ]
            result = watch.receive(*batch)
            new = {
                (device, at(day, minute), PLACES[place].lat) for device, day, minute, place in step
            }
            assert result.stored == len(new - expected)
            expected |= new
        assert stored(watch) == sorted(expected)
    with watch.sessions() as session:
        assert archive.verify(session).faults == []
