"""Many rows to PostgreSQL in few statements, in the server's own binary form.

Row by row through the ORM, 500 fixes cost 25 ms; as one binary COPY they cost 2 (measured, see
the benchmark). The arrays are laid out by numpy, so that no Python object is made for a value.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from psycopg import Connection

from navigate_safer.db.arrivals import (
    REPORTING,
    Latest,
    Marks,
    Noted,
    Reporting,
    Saved,
    Settled,
)
from navigate_safer.db.packed_fixes import PackedFixes
from navigate_safer.db.postgresql_arrays import (
    EPOCH_US,
    BigInts,
    Booleans,
    Counts,
    Instants,
    Integers,
    SmallInts,
    Texts,
    Times,
)

_COPY_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TAIL = b"\xff\xff"
_WIDTHS = (8, 8, 4, 4, 4, 4, 2, 2, 2, 2)
_ROW = np.dtype(
    [("fields", ">i2")]
    + [part for n, w in enumerate(_WIDTHS) for part in ((f"w{n}", ">i4"), (f"v{n}", f">i{w}"))]
)


def copy_fixes(connection: Connection[Any], rows: PackedFixes) -> None:
    """Insert fixes; psycopg's UniqueViolation where one is there already."""
    laid = np.empty(len(rows), dtype=_ROW)
    laid["fields"] = len(_WIDTHS)
    columns = list(msgspec.structs.astuple(rows))
    columns[1] = columns[1] - EPOCH_US
    for number, (width, column) in enumerate(zip(_WIDTHS, columns, strict=True)):
        laid[f"w{number}"] = width
        laid[f"v{number}"] = column
    statement = (
        "copy fixes (device_id, measured_at, lat_e7, lon_e7, received_cs, quality, accuracy, "
        "speed_dkmh, heading_ddeg, sent_s) from stdin (format binary)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_COPY_HEAD + laid.tobytes() + _COPY_TAIL)


_SETTLED = """
settled as (
  update device_latest as d
     set measured_at = greatest(d.measured_at, least(u.position_at, u.received_at)),
         received_at = greatest(d.received_at, u.received_at),
         fix_at = greatest(d.fix_at, least(u.position_at, u.received_at)),
         position_at = u.position_at, lat_e7 = u.lat_e7, lon_e7 = u.lon_e7,
         accuracy = u.accuracy, fix_quality = u.fix_quality,
         calm = case when u.kept then d.calm else u.calm end
    from unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
      as u(device_id, turn, seen_at, received_at, position_at, lat_e7, lon_e7, accuracy,
           fix_quality, kept, calm)
   where d.device_id = u.device_id and d.turn = u.turn and d.position_at = u.seen_at
  returning d.device_id
)"""
_SAVED = """
saved as (
  update judgements as j
     set states = u.states::json, through = u.through, check_after = u.check_after,
         quiet_s = u.quiet_s, ends_at = u.ends_at, version = j.version + 1
    from unnest(%s, %s, %s, %s, %s, %s, %s, %s)
      as u(device_id, fitting_id, version, through, states, check_after, quiet_s, ends_at)
   where j.fitting_id = u.fitting_id and j.version = u.version
     and u.device_id in (select device_id from settled)
     -- Said twice, so that no plan reads the whole table for a handful.
     and j.fitting_id = any(%s)
  returning j.fitting_id
)"""
# Which devices is said only where not all were written: it is nearly always all.
_ANSWER = "count(*), case when count(*) < %s then array_agg(device_id) end"
_SETTLE = f"with {_SETTLED} select {_ANSWER}, null from settled"  # noqa: S608 - our own text
_SETTLE_AND_SAVE = (
    f"with {_SETTLED}, {_SAVED} "  # noqa: S608 - our own text
    f"select {_ANSWER}, (select array_agg(fitting_id) from saved) from settled"
)


def settle(connection: Connection[Any], latest: Latest, saved: Sequence[Saved]) -> Settled:
    """Write what is newest of each device whose turn is still the one given, and its states."""
    asked = len(latest.device_id)
    parameters: list[object] = [
        BigInts(latest.device_id),
        BigInts(latest.turn),
        Instants(latest.seen_us),
        *_newest(latest),
        Booleans(latest.kept),
        Texts(latest.calm),
    ]
    if saved:
        parameters += _states(saved)
    statement = _SETTLE_AND_SAVE if saved else _SETTLE
    [(count, devices, fittings)] = connection.execute(statement, (*parameters, asked))
    written = latest.device_id.tolist() if count == asked else devices
    return Settled(set(written or ()), set(fittings or ()))


def _newest(latest: Latest) -> list[object]:
    return [
        Instants(latest.received_us),
        Instants(latest.position_us),
        Integers(latest.lat_e7),
        Integers(latest.lon_e7),
        SmallInts(latest.accuracy),
        Integers(latest.fix_quality),
    ]


def _states(saved: Sequence[Saved]) -> list[object]:
    fittings = BigInts([each.fitting_id for each in saved])
    return [
        BigInts([each.device_id for each in saved]),
        fittings,
        BigInts([each.version for each in saved]),
        Instants([each.through_us for each in saved]),
        Texts(each.states for each in saved),
        Times(each.check_after for each in saved),
        Counts(each.quiet_s for each in saved),
        Times(each.ends_at for each in saved),
        fittings,
    ]


_TURN_ON = """
insert into device_latest as d (device_id, received_at, position_at, lat_e7, lon_e7, accuracy,
                                fix_quality, measured_at, fix_at, turn)
select *, least(position_at, received_at), least(position_at, received_at), 1
  from unnest(%s, %s, %s, %s, %s, %s, %s)
    as u(device_id, received_at, position_at, lat_e7, lon_e7, accuracy, fix_quality)
on conflict (device_id) do update
   set measured_at = greatest(d.measured_at, excluded.measured_at),
       received_at = greatest(d.received_at, excluded.received_at),
       fix_at = greatest(d.fix_at, excluded.fix_at),
       position_at = case when {newer} then excluded.position_at else d.position_at end,
       lat_e7 = case when {newer} then excluded.lat_e7 else d.lat_e7 end,
       lon_e7 = case when {newer} then excluded.lon_e7 else d.lon_e7 end,
       accuracy = case when {newer} then excluded.accuracy else d.accuracy end,
       fix_quality = case when {newer} then excluded.fix_quality else d.fix_quality end,
       calm = null, turn = d.turn + 1
""".format(newer="d.position_at is null or d.position_at < excluded.position_at")


def turn_on(connection: Connection[Any], latest: Latest) -> None:
    """Write what is newest of devices in any case; what is known of their judgement is not so."""
    connection.execute(_TURN_ON, (BigInts(latest.device_id), *_newest(latest)))


_NOTE = (
    "insert into ingest_batches (received_at, messages, stored, repeated, refused) "
    "values (%s, %s, %s, %s, %s) returning id"
)


def note_batch(connection: Connection[Any], noted: Noted) -> int:
    """Write the figures of a batch; its id. The log of what was collected is made from them."""
    counts = (noted.received_at, noted.messages, noted.stored, noted.repeated, noted.refused)
    [(batch_id,)] = connection.execute(_NOTE, counts)
    return int(batch_id)


def mark(connection: Connection[Any], marks: Marks) -> None:
    """Leave pending marks."""
    connection.execute(
        "insert into pending_judgements (device_id, earliest_at, marked_at, failures) "
        "select device_id, earliest_at, marked_at, 0 "
        "from unnest(%s, %s, %s) as u(device_id, earliest_at, marked_at)",
        (BigInts(marks.device_id), Instants(marks.earliest_us), Instants(marks.marked_us)),
    )


def _micros(column: str) -> str:
    return f"coalesce((extract(epoch from {column}) * 1000000)::bigint, 0)"


_IN_MICROS = {
    "fitted_us": _micros("f.fitted_at"),
    "position_us": _micros("l.position_at"),
    "received_us": _micros("l.received_at"),
    "now": "%s",
}
_REPORTING = REPORTING.format(which="d.ref = any(%s)", **_IN_MICROS)
_REPORTING_FROM = REPORTING.format(which="d.id > %s and d.id <= %s", **_IN_MICROS)


def reporting(
    connection: Connection[Any], devices: Sequence[str], now: datetime
) -> list[Reporting]:
    """The registered ones of some devices, a row for each open fitting."""
    return [Reporting(*row) for row in connection.execute(_REPORTING, (now, Texts(devices)))]


def reporting_from(
    connection: Connection[Any], after: int, through: int, now: datetime
) -> list[Reporting]:
    """The same of devices by their ids."""
    rows = connection.execute(_REPORTING_FROM, (now, after, through), binary=True)
    return [Reporting(*row) for row in rows]
