"""Many rows to SQLite in few statements, past the ORM: ten times as fast.

The transaction has the write lock from its beginning, so what is read here stays true until it
is written.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from devices.columns import Ints
from navigate_safer.db.arrivals import REPORTING, Latest, Marks, Reporting, Saved
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


_POSITION = ("position_at", "lat_e7", "lon_e7", "accuracy", "fix_quality")
_SETTLE = (
    "update device_latest set measured_at = max(measured_at, ?), "  # noqa: S608 - our own names
    "received_at = max(received_at, ?), fix_at = max(coalesce(fix_at, ''), ?), "
    + ", ".join(
        f"{name} = case when coalesce(position_at, '') < ? then ? else {name} end"
        for name in _POSITION
    )
    + ", calm = case when ? then calm else ? end, turn = turn + ? where device_id = ?"
)


def settle(connection: sqlite3.Connection, latest: Latest) -> set[int]:
    """Write what is newest of each device whose turn is still the one given; those that were."""
    asked = msgspec.json.encode(latest.device_id.tolist()).decode()
    query = (
        "select device_id, turn, position_at from device_latest "
        "where device_id in (select value from json_each(?))"
    )
    stored = {key: (turn, at) for key, turn, at in connection.execute(query, (asked,))}
    believed, received = _texts(latest.believed_us), _texts(latest.received_us)
    position, seen = _texts(latest.position_us), _texts(latest.seen_us)
    rows = []
    for n, device_id in enumerate(latest.device_id.tolist()):
        step = int(latest.step[n])
        known = stored.get(device_id)
        if known is None or (not step and known != (latest.turn[n], seen[n])):
            continue
        newer = (position[n], int(latest.lat_e7[n]), int(latest.lon_e7[n]),
                 int(latest.accuracy[n]), int(latest.fix_quality[n]))  # fmt: skip
        pairs = [value for each in newer for value in (position[n], each)]
        rows.append(
            (believed[n], received[n], believed[n], *pairs, latest.kept[n], latest.calm[n], step,
             device_id)
        )  # fmt: skip
    connection.executemany(_SETTLE, rows)
    return {row[-1] for row in rows}


def save(connection: sqlite3.Connection, saved: Sequence[Saved]) -> set[int]:
    """Save the states of fittings whose version is still the one given; those that were."""
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


_REPORTING = REPORTING.format(
    fitted_us="f.fitted_at",
    position_us="l.position_at",
    received_us="l.received_at",
    devices="in (select value from json_each(?))",
    now="?",
)


def reporting(
    connection: sqlite3.Connection, devices: Sequence[str], now: datetime
) -> list[Reporting]:
    """The registered ones of some devices, a row for each open fitting."""
    asked = msgspec.json.encode(list(devices)).decode()
    rows = [Reporting(*row) for row in connection.execute(_REPORTING, (_text(now), asked))]
    return [
        row._replace(
            fitted_us=_micros(row.fitted_us),
            position_us=_micros(row.position_us),
            received_us=_micros(row.received_us),
        )
        for row in rows
    ]


def _micros(stored: object) -> int:
    # The column is text here, whatever its place in the row is called.
    if stored is None:
        return 0
    return micros_of(datetime.fromisoformat(str(stored)).replace(tzinfo=UTC))
