"""The fast writes of intake leave what the general form leaves."""

import json
from datetime import timedelta

import msgspec
import psycopg
import pytest
from case_files import INSIDE, MINUTE, OUTSIDE, START, fix, message, walk
from faulty_days import breaches_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError
from watch import Watch

from devices import columns
from devices.codec import decode
from devices.quality import QualityLimits, doubts
from navigate_safer.db import bulk, packed, reading_values
from navigate_safer.db import postgresql_arrays as arrays
from navigate_safer.db.bulk import AlreadyThere
from navigate_safer.db.packed_fixes import PackedFixes, fits, pack
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import DeviceLatestRow, PendingRow, UnassignedRow
from navigate_safer.services.ingest import Message

LIMITS = QualityLimits()

# What a tag may send, up to the edges of what a row has room for.
latitudes = st.floats(49.9, 60.8) | st.decimals(50, 60, places=8).map(float)
longitudes = st.floats(-8.6, 1.7) | st.decimals(-8, 1, places=8).map(float)
radii = st.floats(0, 200_000) | st.sampled_from([0.0, 0.05, 3_276.7, 3_276.76, 3_281.6, 199_999])
delays = st.timedeltas(timedelta(hours=-20), timedelta(days=44))
sent_before = st.none() | st.timedeltas(timedelta(hours=-6), timedelta(hours=6))


@st.composite
def sent(draw) -> Message:
    """A message of one fix, received at any time that is believed."""
    at = START + draw(st.timedeltas(timedelta(0), timedelta(days=1)))
    extras = {
        "source": draw(st.sampled_from(["gps", "rf", "wifi", "lbs"])),
        "speed_kmh": draw(st.none() | st.floats(0, 2_000)),
        "heading_deg": draw(st.none() | st.floats(0, 360)),
        "satellites": draw(st.none() | st.integers(0, 200)),
        "hdop": draw(st.none() | st.floats(0, 500)),
    }
    reading = fix(at, OUTSIDE, **extras)
    reading |= {"lat": draw(latitudes), "lon": draw(longitudes), "accuracy_m": draw(radii)}
    received_at = at + draw(delays)
    ago = draw(sent_before)
    envelope = {} if ago is None else {"sent_at": (received_at - ago).isoformat()}
    return message("TAG-1", reading, received_at=received_at, **envelope)


@settings(max_examples=settings.default.max_examples * 3)
@given(sent())
def test_columns_are_packed_as_single_readings_are(one):
    split = columns.split([one], LIMITS)
    [reading] = decode(one.topic, one.payload, one.received_at, LIMITS).readings
    if split.left or not fits(split.fixes).all():
        return
    rows = pack(split.fixes, split.fixes.message + 7)
    row = {name: getattr(rows, name).tolist()[0] for name in rows.__struct_fields__}
    row["measured_at"] = packed.instant_of(row.pop("measured_us"))
    expected = reading_values.columns_of(7, reading, doubts(reading, LIMITS), 0)
    assert row == expected


def device_id(watch: Watch, ref: str = "TAG-1") -> int:
    return watch.database.one(DeviceRow, DeviceRow.ref == ref).id


def rows_of(watch: Watch, ref: str) -> list[tuple[object, ...]]:
    """Everything of a device's fixes but whose they are."""
    query = select(FixRow.__table__).where(FixRow.device_id == device_id(watch, ref))
    with watch.sessions() as session:
        rows = session.execute(query.order_by(FixRow.measured_at)).all()
    return [
        tuple(row._mapping[name] for name in row._fields if name != "device_id") for row in rows
    ]


@settings(
    max_examples=settings.default.max_examples // 8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(messages=st.lists(sent(), min_size=1, max_size=6))
def check_rows(watch: Watch, messages: list[Message]) -> None:
    # Two contents of one time are for the general form, which tells them apart.
    by_time = {json.loads(each.payload)["readings"][0]["at"][:23]: each for each in messages}
    split = columns.split(list(by_time.values()), LIMITS)
    split = msgspec.structs.replace(split, fixes=split.fixes.take(fits(split.fixes)))
    taken = [list(by_time.values())[place] for place in split.fixes.message.tolist()]
    own = split.fixes.message * 0 + device_id(watch, "TAG-LENT")
    with watch.sessions.begin() as session:
        session.query(FixRow).delete()
        bulk.insert_fixes(session, pack(split.fixes, own))
    watch.arrivals = None
    if taken:
        watch.receive(*taken)
    assert rows_of(watch, "TAG-LENT") == rows_of(watch, "TAG-1")


def test_a_fix_copied_is_the_row_of_a_fix_stored(watch):
    check_rows(watch)


def packed_walk(watch: Watch, *messages: Message):
    fixes = columns.split(messages, LIMITS).fixes
    return pack(fixes, fixes.message * 0 + device_id(watch))


def test_a_fix_that_is_there_already_is_said_to_be_and_nothing_of_the_batch_stays(watch):
    first, second = walk("TAG-1", OUTSIDE, INSIDE)
    watch.receive(second)
    rows = packed_walk(watch, first, second)
    with pytest.raises(AlreadyThere), watch.sessions.begin() as session:
        bulk.insert_fixes(session, rows)
    assert watch.database.count(FixRow) == 1


def test_what_the_driver_says_of_a_database_that_is_away_is_a_fault_of_the_database(watch):
    """Else it would pass for a fault of the messages, and these go to quarantine."""
    rows = packed_walk(watch, *walk("TAG-1", OUTSIDE))
    with pytest.raises(OperationalError):
        insert_while_it_is_away(watch, rows)
    if watch.database.kind == "sqlite":
        watch.database.engine.dispose()
    assert watch.database.count(FixRow) == 0


def insert_while_it_is_away(watch: Watch, rows: PackedFixes) -> None:
    with watch.sessions.begin() as session:
        driver = session.connection().connection.driver_connection
        if watch.database.kind == "postgresql":
            with psycopg.connect(watch.database.url.replace("+psycopg", "")) as other:
                other.execute("select pg_terminate_backend(%s)", (driver.info.backend_pid,))
        else:
            driver.execute("pragma query_only = on")
        bulk.insert_fixes(session, rows)


# What is newest of a device


@pytest.fixture
def heard(watch):
    """TAG-1 has been heard and judged."""
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE))
    return watch


def latest(watch: Watch) -> dict[str, object]:
    row = watch.database.one(DeviceLatestRow, DeviceLatestRow.device_id == device_id(watch))
    names = [column.name for column in DeviceLatestRow.__table__.columns]
    return {name: getattr(row, name) for name in names if name not in ("calm", "turn")}


def test_the_newest_of_a_device_is_the_same_either_way(heard):
    one = message("TAG-1", fix(START + 3 * MINUTE, OUTSIDE, satellites=7, hdop=1.2))
    general = message("TAG-1", fix(START + 3 * MINUTE, OUTSIDE, satellites=7, hdop=1.2))
    result = heard.receive(one)
    assert (result.on_arrival, result.general) == (1, 0)
    on_arrival = latest(heard)
    tag = device_id(heard)
    with heard.sessions.begin() as session:
        session.query(FixRow).filter(FixRow.measured_at > START + 2 * MINUTE).delete()
        row = session.get_one(DeviceLatestRow, tag)
        row.position_at = row.fix_at = row.measured_at = START + MINUTE
    heard.arrivals = None
    heard.receive(general)
    assert latest(heard) == on_arrival


def test_a_device_that_another_worker_has_marked_is_marked_again_and_not_passed_by(heard):
    """Its batch was prepared before: the turn has gone on, and the database says so."""
    heard.receive(*walk("TAG-1", OUTSIDE, start=START + 2 * MINUTE))
    assert heard.database.count(PendingRow) == 0
    ours, heard.arrivals = heard.arrivals, None
    heard.receive(*walk("TAG-1", INSIDE, start=START + 3 * MINUTE))
    heard.arrivals = ours
    result = heard.receive(*walk("TAG-1", OUTSIDE, start=START + 4 * MINUTE))
    assert (result.stored, result.on_arrival) == (1, 0)
    assert heard.database.count(PendingRow) == 2


def test_a_device_that_was_never_heard_is_stored_at_once_and_left_to_the_monitor(watch):
    result = watch.receive(*walk("TAG-1", OUTSIDE, INSIDE))
    assert (result.stored, result.general, result.on_arrival) == (2, 0, 0)
    assert watch.database.count(PendingRow) == 1
    by_columns = latest(watch)
    watch.judge()
    assert breaches_of(watch.database, "TAG-1")
    assert by_columns == latest_when_stored_by_the_general_form(watch)


def latest_when_stored_by_the_general_form(watch: Watch) -> dict[str, object]:
    with watch.sessions.begin() as session:
        session.execute(delete(FixRow))
        session.execute(delete(DeviceLatestRow))
    watch.arrivals = None
    watch.receive(*walk("TAG-1", OUTSIDE, INSIDE))
    return latest(watch)


def test_readings_from_before_the_device_was_fitted_are_nobodys(watch):
    """The fast way would not note them."""
    fitted_at = watch.database.one(FittingRow, FittingRow.device_id == device_id(watch)).fitted_at
    at = fitted_at - timedelta(hours=1)
    result = watch.receive(message("TAG-1", fix(at, OUTSIDE), received_at=at + MINUTE))
    assert (result.stored, result.general) == (1, 1)
    assert watch.database.count(UnassignedRow) == 1


# Arrays


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(arrays.Texts(["a", None, "ü{}\\,"]), ["a", None, "ü{}\\,"], id="texts"),
        pytest.param(arrays.Times([START, None]), [START, None], id="times"),
        pytest.param(arrays.Counts([None, -1, 2**31 - 1]), [None, -1, 2**31 - 1], id="counts"),
        pytest.param(arrays.Booleans([True, False]), [True, False], id="booleans"),
        pytest.param(arrays.BigInts([2**40, -1]), [2**40, -1], id="big integers"),
        pytest.param(arrays.Texts([]), [], id="none at all"),
    ],
)
def test_an_array_arrives_as_it_was(watch, array, expected):
    if watch.database.kind != "postgresql":
        return
    with psycopg.connect(watch.database.url.replace("+psycopg", "")) as connection:
        assert connection.execute("select %s", (array,)).fetchone() == (expected,)
