"""Many rows to SQLite in few statements, past the ORM: ten times as fast.

The transaction has the write lock from its beginning, so what is read here stays true until it
is written.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from devices.columns import Ints
from navigate_safer.db.arrivals import (
    REPORTING,
    Latest,
    Marks,
    Noted,
    Reporting,
    Saved,
    Settled,
)
from navigate_safer.db.packed import micros_of
from navigate_safer.db.packed_fixes import PackedFixes


def insert_fixes(connection: sqlite3.Connection, rows: PackedFixes) -> None:
    """Insert fixes; sqlite3's IntegrityError where one is there already."""
    values = zip(*(column.tolist() for column in msgspec.structs.astuple(rows)), strict=True)
    connection.executemany(
        "insert into fixes (device_id, measured_at, lat_e7, lon_e7, received_cs, quality, "
        "accuracy, speed_dkmh, heading_ddeg, sent_s) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


_SETTLE = (
    "update device_latest set measured_at = max(measured_at, ?), "
    "received_at = max(received_at, ?), fix_at = max(coalesce(fix_at, ''), ?), "
    "position_at = ?, lat_e7 = ?, lon_e7 = ?, accuracy = ?, fix_quality = ?, "
    "calm = case when ? then calm else ? end where device_id = ? and turn = ? and position_at = ?"
)


def settle(connection: sqlite3.Connection, latest: Latest, saved: Sequence[Saved] = ()) -> Settled:
    """Write what is newest of each device whose turn is still the one given, and its states."""
    asked = latest.device_id.tolist()
    rows = zip(
        *_newest(latest), latest.kept.tolist(), latest.calm, asked, latest.turn.tolist(),
        _texts(latest.seen_us), strict=True,
    )  # fmt: skip
    count = connection.executemany(_SETTLE, rows).rowcount
    devices = set(asked if count == len(asked) else _written(connection, latest))
    return Settled(
        devices, _save(connection, [each for each in saved if each.device_id in devices])
    )


def _newest(latest: Latest) -> list[Sequence[object]]:
    received, position = _texts(latest.received_us), _texts(latest.position_us)
    believed = [min(pair) for pair in zip(received, position, strict=True)]
    numbers = (latest.lat_e7, latest.lon_e7, latest.accuracy, latest.fix_quality)
    return [believed, received, believed, position, *(column.tolist() for column in numbers)]


def _written(connection: sqlite3.Connection, latest: Latest) -> list[int]:
    """The devices that have the given position and turn: nobody else can have written it, because
    the fix itself was new.
    """
    asked = msgspec.json.encode(latest.device_id.tolist()).decode()
    query = (
        "select device_id, turn, position_at from device_latest "
        "where device_id in (select value from json_each(?))"
    )
    stored = {key: (turn, at) for key, turn, at in connection.execute(query, (asked,))}
    return [
        device_id
        for device_id, turn, at in zip(
            latest.device_id.tolist(), latest.turn.tolist(), _texts(latest.position_us), strict=True
        )
        if stored.get(device_id) == (turn, at)
    ]


_POSITION = ("position_at", "lat_e7", "lon_e7", "accuracy", "fix_quality")
_TURN_ON = (
    "insert into device_latest (measured_at, received_at, fix_at, position_at, lat_e7, lon_e7, "  # noqa: S608 - our own names
    "accuracy, fix_quality, device_id, turn) values (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) "
    "on conflict (device_id) do update set measured_at = max(measured_at, excluded.measured_at), "
    "received_at = max(received_at, excluded.received_at), "
    "fix_at = max(coalesce(fix_at, ''), excluded.fix_at), "
    + ", ".join(
        f"{name} = case when coalesce(position_at, '') < excluded.position_at "
        f"then excluded.{name} else {name} end"
        for name in _POSITION
    )
    + ", calm = null, turn = turn + 1"
)


def turn_on(connection: sqlite3.Connection, latest: Latest) -> None:
    """Write what is newest of devices in any case; what is known of their judgement is not so."""
    rows = zip(*_newest(latest), latest.device_id.tolist(), strict=True)
    connection.executemany(_TURN_ON, rows)


def _save(connection: sqlite3.Connection, saved: Sequence[Saved]) -> set[int]:
    done = set()
    for each in saved:
        cursor = connection.execute(
            "update judgements set states = ?, through = ?, check_after = ?, quiet_s = ?, "
            "ends_at = ?, version = version + 1 where fitting_id = ? and version = ?",
            (
                each.states,
                _texts([each.through_us])[0],
                _text(each.check_after),
                each.quiet_s,
                _text(each.ends_at),
                each.fitting_id,
                each.version,
            ),
        )
        if cursor.rowcount == 1:
            done.add(each.fitting_id)
    return done


def note_batch(connection: sqlite3.Connection, noted: Noted) -> int:
    """Write the figures of a batch; its id. The log of what was collected is made from them."""
    counts = (noted.messages, noted.stored, noted.repeated, noted.refused)
    batch_id = connection.execute(
        "insert into ingest_batches (received_at, messages, stored, repeated, refused) "
        "values (?, ?, ?, ?, ?)",
        (_text(noted.received_at), *counts),
    ).lastrowid
    return int(batch_id or 0)


def mark(connection: sqlite3.Connection, marks: Marks) -> None:
    """Leave pending marks."""
    connection.executemany(
        "insert into pending_judgements (device_id, earliest_at, marked_at, failures) "
        "values (?, ?, ?, 0)",
        zip(
            marks.device_id.tolist(),
            _texts(marks.earliest_us),
            _texts(marks.marked_us),
            strict=True,
        ),
    )


def _texts(times_us: Ints | Iterable[int]) -> list[str]:
    """Instants as SQLAlchemy writes them for SQLite: UTC without an offset."""
    stamps = np.asarray(times_us, dtype=np.int64).astype("datetime64[us]")
    return [text.replace("T", " ") for text in np.datetime_as_string(stamps, unit="us").tolist()]


def _text(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_AS_TEXT = {
    "fitted_us": "f.fitted_at",
    "position_us": "l.position_at",
    "received_us": "l.received_at",
    "now": "?",
}
_REPORTING = REPORTING.format(which="d.ref in (select value from json_each(?))", **_AS_TEXT)
_REPORTING_FROM = REPORTING.format(which="d.id > ? and d.id <= ?", **_AS_TEXT)


def reporting(
    connection: sqlite3.Connection, devices: Sequence[str], now: datetime
) -> list[Reporting]:
    """The registered ones of some devices, a row for each open fitting."""
    asked = msgspec.json.encode(list(devices)).decode()
    return [_reporting(row) for row in connection.execute(_REPORTING, (_text(now), asked))]


def reporting_from(
    connection: sqlite3.Connection, after: int, through: int, now: datetime
) -> list[Reporting]:
    """The same of devices by their ids."""
    rows = connection.execute(_REPORTING_FROM, (_text(now), after, through))
    return [_reporting(row) for row in rows]


def _reporting(row: tuple[Any, ...]) -> Reporting:
    each = Reporting(*row)
    return each._replace(
        fitted_us=_micros(each.fitted_us),
        position_us=_micros(each.position_us),
        received_us=_micros(each.received_us),
    )


def _micros(stored: object) -> int:
    # The column is text here, whatever its place in the row is called.
    if stored is None:
        return 0
    return micros_of(datetime.fromisoformat(str(stored)).replace(tzinfo=UTC))
