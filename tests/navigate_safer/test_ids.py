"""Every id goes past 2^31, at which a vendor's service stopped in 49 states for twelve hours.

The database is set just below it, and then does what it does every day.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from case_files import INSIDE, MINUTE, OUTSIDE, START, battery, message, walk
from sqlalchemy import JSON, Boolean, Date, LargeBinary, String, text

from navigate_safer.db import audit, schema
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import UTCDateTime
from navigate_safer.db.people import DeviceRow, FittingRow, WearerRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import IngestBatchRow, PendingRow, QuarantineRow
from navigate_safer.people.account import Act
from navigate_safer.services.ingest import Message

EDGE = 2**31
DAY = timedelta(days=1)
# So few below, that the first things that happen go past it.
BELOW = 2
# And so many, that it is what grows all the time that goes past it, in the course of its work.
FAR_BELOW = 1_000


def numbered() -> list[Any]:
    return [
        table
        for table in schema.METADATA.sorted_tables
        if list(table.primary_key.columns.keys()) == ["id"]
    ]


def stand_below_the_edge(database: Any, below: int) -> None:
    """The ids of every table have come so near to what fits in 32 bits with a sign."""
    if database.kind == "postgresql":
        with database.engine.begin() as connection:
            for name in connection.scalars(text("select sequencename from pg_sequences")).all():
                connection.execute(text(f"select setval('{name}', {EDGE - below})"))
        return
    raw = database.engine.raw_connection()
    try:
        raw.execute("pragma foreign_keys = off")
        for table in numbered():
            row = {column.name: _anything(column) for column in table.columns}
            row["id"] = EDGE - below
            # Quoted, as the service's own statements are: a column may be named by a word of SQL.
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
            raw.execute(f"insert into {table.name} ({names}) values ({marks})", list(row.values()))
        raw.commit()
    finally:
        # A new connection checks foreign keys again.
        raw.invalidate()


def _anything(column: Any) -> object:
    """A value that the column takes, of a row that nothing looks at."""
    if column.nullable:
        return None
    for kind, value in (
        (JSON, "{}"), (Boolean, 0), (UTCDateTime, "2020-01-01 00:00:00.000000"),
        (Date, "2020-01-01"), (LargeBinary, b""), (String, f"edge-{column.table.name}"),
    ):  # fmt: skip
        if isinstance(column.type, kind):
            return value[: column.type.length] if isinstance(column.type, String) else value
    return 0


@pytest.fixture
def edge(database, request):
    from watch import Watch

    stand_below_the_edge(database, getattr(request, "param", BELOW))
    yield Watch(database)
    if database.kind == "postgresql":
        with database.engine.begin() as connection:
            for name in connection.scalars(text("select sequencename from pg_sequences")).all():
                connection.execute(text(f"alter sequence {name} restart"))


def ids(watch: Any, table: Any) -> Iterable[int]:
    return [row.id for row in watch.database.all(table) if row.id != EDGE - BELOW]


def test_people_readings_alerts_and_texts_go_past_the_edge(edge):
    tag, lent = (
        edge.database.one(DeviceRow, DeviceRow.ref == ref).id for ref in ("TAG-1", "TAG-LENT")
    )
    assert lent > EDGE > tag
    for number in range(4):
        edge.receive(Message("telemetry/v1/gw-west/TAG-1", b"?%d" % number, START))
    edge.hear(*walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE, INSIDE))
    edge.hear(*walk("TAG-LENT", OUTSIDE))
    assert edge.database.count(FixRow, FixRow.device_id == lent) == 1
    for table in (DeviceRow, WearerRow, FittingRow, IngestBatchRow, QuarantineRow, AuditRow):
        found = ids(edge, table)
        assert max(found) > EDGE - BELOW, table
    assert max(ids(edge, FittingRow)) > EDGE
    assert max(ids(edge, IngestBatchRow)) > EDGE
    assert max(ids(edge, QuarantineRow)) > EDGE
    assert max(ids(edge, AuditRow)) > EDGE
    assert max(ids(edge, EpisodeRow)) > EDGE - BELOW
    (alert,) = [row for row in edge.database.all(AlertRow) if row.wearer_id][:1]
    assert alert.id > EDGE - BELOW
    assert alert.episode_id in ids(edge, EpisodeRow)
    assert edge.deliver()
    assert {row.state for row in edge.database.all(TextRow) if row.id in ids(edge, TextRow)} == {
        "accepted"
    }
    assert ids(edge, PendingRow) == []


def test_a_second_day_of_breaches_is_past_the_edge_altogether(edge):
    edge.hear(*walk("TAG-1", *[OUTSIDE, INSIDE] * 4))
    edge.hear(message("TAG-LENT", {"kind": "battery", "at": START.isoformat(), "percent": 3}))
    past = [row for row in edge.database.all(EpisodeRow) if row.id > EDGE]
    assert past
    assert {row.fitting_id in ids(edge, FittingRow) for row in past} == {True}
    edge.escalate()
    assert max(ids(edge, TextRow)) > EDGE - BELOW


@pytest.mark.parametrize("edge", [FAR_BELOW], indirect=True, ids=["a thousand below"])
def test_what_grows_with_every_message_goes_from_a_thousand_below_past_the_edge(edge):
    some = FAR_BELOW + 50
    for number in range(some):
        refused = Message("telemetry/v1/gw-west/TAG-1", b"?%d" % number, START)
        good = message("TAG-1", battery(START + number * MINUTE, 50), received_at=START + DAY)
        assert edge.receive(refused, good).stored == 1
    with edge.sessions.begin() as session:
        for number in range(some):
            audit.record(
                    session, Act.CONSULTATION, "edge", at=START, actor=f"{number}",
                    subject_kind="edge", subject_id=None,
                )  # fmt: skip
    for table in (IngestBatchRow, QuarantineRow, PendingRow, AuditRow):
        found = [row.id for row in edge.database.all(table) if row.id != EDGE - FAR_BELOW]
        assert min(found) == EDGE - FAR_BELOW + 1, table
        assert max(found) > EDGE, table
        assert len(found) == len(set(found)) >= some
    edge.judge()
    assert edge.database.count(PendingRow, PendingRow.id != EDGE - FAR_BELOW) == 0
    edge.hear(*walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE, start=START + DAY))
    assert edge.deliver()
