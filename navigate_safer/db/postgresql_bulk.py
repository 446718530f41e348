"""Many rows to PostgreSQL in few statements, in the server's own binary form.

Row by row through the ORM, 500 fixes cost 25 ms; as one binary COPY they cost 2 (measured, see
the benchmark). The arrays are laid out by numpy, so that no Python object is made for a value.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt
from psycopg import Connection, adapters
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from navigate_safer.db.arrivals import REPORTING, Latest, Marks, Reporting, Saved
from navigate_safer.db.packed_fixes import PackedFixes

# PostgreSQL counts microseconds from the year 2000.
_EPOCH_US = 946_684_800_000_000
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
    columns[1] = columns[1] - _EPOCH_US
    for number, (width, column) in enumerate(zip(_WIDTHS, columns, strict=True)):
        laid[f"w{number}"] = width
        laid[f"v{number}"] = column
    statement = (
        "copy fixes (device_id, measured_at, lat_e7, lon_e7, received_cs, quality, accuracy, "
        "speed_dkmh, heading_ddeg, sent_s) from stdin (format binary)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_COPY_HEAD + laid.tobytes() + _COPY_TAIL)


class _Array:
    """A one-dimensional array in binary form; subclasses say of what."""

    element: ClassVar[int]
    form: ClassVar[str]

    def __init__(self, values: npt.ArrayLike) -> None:
        array = np.asarray(values)
        laid = np.empty(len(array), dtype=[("width", ">i4"), ("value", self.form)])
        laid["width"] = laid.dtype["value"].itemsize
        laid["value"] = array
        head = np.array([1 if len(array) else 0, 0, self.element], dtype=">i4").tobytes()
        if len(array):
            head += np.array([len(array), 1], dtype=">i4").tobytes()
        self.data = head + laid.tobytes()


class BigInts(_Array):
    """``bigint[]``."""

    element, form = 20, ">i8"


class Integers(_Array):
    """``integer[]``."""

    element, form = 23, ">i4"


class SmallInts(_Array):
    """``smallint[]``."""

    element, form = 21, ">i2"


class Instants(_Array):
    """``timestamptz[]`` of microseconds since 1970."""

    element, form = 1184, ">i8"

    def __init__(self, values: npt.ArrayLike) -> None:
        super().__init__(np.asarray(values) - _EPOCH_US)


def _register(kind: type[_Array], array_oid: int) -> None:
    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = array_oid

        def dump(self, obj: _Array) -> Buffer:
            return obj.data

    adapters.register_dumper(kind, ArrayDumper)


for _kind, _oid in ((BigInts, 1016), (Integers, 1007), (SmallInts, 1005), (Instants, 1185)):
    _register(_kind, _oid)


_SETTLE = """
update device_latest as d
   set measured_at = greatest(d.measured_at, u.believed_at),
       received_at = greatest(d.received_at, u.received_at),
       fix_at = greatest(d.fix_at, u.believed_at),
       position_at = case when {newer} then u.position_at else d.position_at end,
       lat_e7 = case when {newer} then u.lat_e7 else d.lat_e7 end,
       lon_e7 = case when {newer} then u.lon_e7 else d.lon_e7 end,
       accuracy = case when {newer} then u.accuracy else d.accuracy end,
       fix_quality = case when {newer} then u.fix_quality else d.fix_quality end,
       calm = case when u.kept then d.calm else u.calm end, turn = d.turn + u.step
  from unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::boolean[], %s::text[])
    as u(device_id, turn, step, seen_at, believed_at, received_at, position_at, lat_e7, lon_e7,
         accuracy, fix_quality, kept, calm)
 where d.device_id = u.device_id
   and (u.step > 0 or (d.turn = u.turn and d.position_at = u.seen_at))
returning d.device_id
""".format(newer="d.position_at is null or d.position_at < u.position_at")


def settle(connection: Connection[Any], latest: Latest) -> set[int]:
    """Write what is newest of each device whose turn is still the one given; those that were."""
    parameters = (
        BigInts(latest.device_id),
        BigInts(latest.turn),
        BigInts(latest.step),
        Instants(latest.seen_us),
        Instants(latest.believed_us),
        Instants(latest.received_us),
        Instants(latest.position_us),
        Integers(latest.lat_e7),
        Integers(latest.lon_e7),
        SmallInts(latest.accuracy),
        Integers(latest.fix_quality),
        latest.kept,
        latest.calm,
    )
    rows = connection.execute(_SETTLE, parameters)
    return {device_id for (device_id,) in rows}


_SAVE = """
update judgements as j
   set states = u.states::json, through = u.through, check_after = u.check_after,
       quiet_s = u.quiet_s, ends_at = u.ends_at, version = j.version + 1
  from unnest(%s, %s, %s, %s::text[], %s::timestamptz[], %s::integer[], %s::timestamptz[])
    as u(fitting_id, version, through, states, check_after, quiet_s, ends_at)
 where j.fitting_id = u.fitting_id and j.version = u.version
   -- Said twice, so that no plan reads the whole table for a handful.
   and j.fitting_id = any(%s)
returning j.fitting_id
"""


def save(connection: Connection[Any], saved: Sequence[Saved]) -> set[int]:
    """Save the states of fittings whose version is still the one given; those that were."""
    rows = connection.execute(
        _SAVE,
        (
            BigInts([each.fitting_id for each in saved]),
            BigInts([each.version for each in saved]),
            Instants([each.through_us for each in saved]),
            [each.states for each in saved],
            [each.check_after for each in saved],
            [each.quiet_s for each in saved],
            [each.ends_at for each in saved],
            BigInts([each.fitting_id for each in saved]),
        ),
    )
    return {fitting_id for (fitting_id,) in rows}


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


_REPORTING = REPORTING.format(
    fitted_us=_micros("f.fitted_at"),
    position_us=_micros("l.position_at"),
    received_us=_micros("l.received_at"),
    devices="= any(%s)",
    now="%s",
)


def reporting(
    connection: Connection[Any], devices: Sequence[str], now: datetime
) -> list[Reporting]:
    """The registered ones of some devices, a row for each open fitting."""
    return [Reporting(*row) for row in connection.execute(_REPORTING, (now, list(devices)))]
