"""Arrays for PostgreSQL in its own binary form, laid out by numpy or in one pass.

Psycopg makes a Python object and an escaped text of each element: for the states of a few devices
alone that was a tenth of a batch's time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from psycopg import adapters
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from navigate_safer.db.packed import micros_of

# PostgreSQL counts microseconds from the year 2000.
EPOCH_US = 946_684_800_000_000
_NULL = (-1).to_bytes(4, signed=True)


class Array:
    """A one-dimensional array in binary form; subclasses say of what."""

    element: ClassVar[int]
    data: bytes

    def head(self, length: int, *, nulls: bool = False) -> bytes:
        """What goes before the elements."""
        shape = [1, int(nulls), self.element, length, 1] if length else [0, 0, self.element]
        return np.array(shape, dtype=">i4").tobytes()


class _Even(Array):
    """Numbers of one width, none of them null."""

    form: ClassVar[str]

    def __init__(self, values: npt.ArrayLike) -> None:
        array = np.asarray(values)
        laid = np.empty(len(array), dtype=[("width", ">i4"), ("value", self.form)])
        laid["width"] = laid.dtype["value"].itemsize
        laid["value"] = array
        self.data = self.head(len(array)) + laid.tobytes()


class BigInts(_Even):
    """``bigint[]``."""

    element, form = 20, ">i8"


class Integers(_Even):
    """``integer[]``."""

    element, form = 23, ">i4"


class SmallInts(_Even):
    """``smallint[]``."""

    element, form = 21, ">i2"


class Booleans(_Even):
    """``boolean[]``."""

    element, form = 16, "?"


class Instants(_Even):
    """``timestamptz[]`` of microseconds since 1970."""

    element, form = 1184, ">i8"

    def __init__(self, values: npt.ArrayLike) -> None:
        super().__init__(np.asarray(values) - EPOCH_US)


class _Varied(Array):
    """Values of any width, some of them null."""

    def __init__(self, values: Sequence[bytes | None]) -> None:
        self.data = self.head(len(values), nulls=True) + b"".join(
            _NULL if each is None else len(each).to_bytes(4) + each for each in values
        )


class Texts(_Varied):
    """``text[]``."""

    element = 25

    def __init__(self, values: Iterable[str | None]) -> None:
        super().__init__([None if each is None else each.encode() for each in values])


class Times(_Varied):
    """``timestamptz[]`` of aware times."""

    element = 1184

    def __init__(self, values: Iterable[datetime | None]) -> None:
        super().__init__(
            [
                None if at is None else (micros_of(at) - EPOCH_US).to_bytes(8, signed=True)
                for at in values
            ]
        )


class Counts(_Varied):
    """``integer[]`` in which some may be null."""

    element = 23

    def __init__(self, values: Iterable[int | None]) -> None:
        super().__init__(
            [None if each is None else each.to_bytes(4, signed=True) for each in values]
        )


def _register(kind: type[Array], array_oid: int) -> None:
    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = array_oid

        def dump(self, obj: Array) -> Buffer:
            return obj.data

    adapters.register_dumper(kind, ArrayDumper)


for _kind, _oid in (
    (BigInts, 1016), (Integers, 1007), (SmallInts, 1005), (Booleans, 1000), (Instants, 1185),
    (Texts, 1009), (Times, 1185), (Counts, 1007),
):  # fmt: skip
    _register(_kind, _oid)
