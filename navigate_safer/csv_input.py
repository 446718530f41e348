"""CSV files as the commands read them: every fault is one line that says where and what."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

# Tags are younger than GPS; a time outside these years is a clock that was never set.
YEARS = range(1980, 2200)


class BadInput(ValueError):
    """Input that cannot be judged; the message is one line for the user."""


def read(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read: {fault.strerror}") from None


def text(content: bytes, name: str) -> str:
    """The content as text; ``name`` is for messages."""
    try:
        # Spreadsheets put a byte order mark in front; "utf-8-sig" takes it off.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise BadInput(f"{name}, line {line}: not UTF-8; save the file as UTF-8") from None


def rows(
    content: bytes,
    name: str,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
    *,
    key: str = "device",
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row as (where it stands, its fields by column); empty lines are passed over.

    Columns that are not named are kept and not looked at; one that is named may come only once.
    The column ``key`` is never empty.
    """
    reader = csv.reader(io.StringIO(text(content, name), newline=""), strict=True)
    try:
        columns = _columns(next(reader, []), name, required, optional)
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            where = f"{name}, line {reader.line_num}"
            if len(row) != len(columns):
                raise BadInput(f"{where}: has {len(row)} fields, the header {len(columns)}")
            fields = {column: field.strip() for column, field in zip(columns, row, strict=True)}
            if not fields[key]:
                raise BadInput(f"{where}: {key} is empty")
            yield where, fields
    except csv.Error as fault:
        raise BadInput(f"{name}, line {reader.line_num}: not CSV: {fault}") from None


def _columns(
    header: list[str], name: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> list[str]:
    columns = [column.strip() for column in header]
    for column in required:
        if column not in columns:
            wanted = ",".join(required)
            raise BadInput(f"{name}, line 1: no column {column!r}; the header is {wanted}")
    for column in (*required, *optional):
        if columns.count(column) > 1:
            raise BadInput(f"{name}, line 1: column {column!r} is given twice")
    return columns


def time(fields: Mapping[str, str], where: str) -> datetime:
    """The column ``at``: ISO 8601 with an offset, as UTC."""
    given = fields["at"]
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        example = "2026-11-21T22:40:00Z"
        raise BadInput(f"{where}: at {given!r} is not an ISO 8601 time such as {example}") from None
    if at.tzinfo is None:
        raise BadInput(f"{where}: at {given!r} has no offset; add Z or +01:00")
    if at.year not in YEARS:
        raise BadInput(f"{where}: at {given!r} is not of this age; check the device's clock")
    return at.astimezone(UTC)


def number(fields: Mapping[str, str], column: str, low: float, high: float, where: str) -> float:
    """A column's finite number within the bounds, both included."""
    given = fields[column]
    try:
        # Python would read 1_000 as a number; no other program does.
        value = math.nan if "_" in given else float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"{where}: {column} {given!r} is not a number")
    if not low <= value <= high:
        bounds = f"between {low} and {high}" if math.isfinite(high) else f"at least {low}"
        raise BadInput(f"{where}: {column} {given} is not {bounds}")
    return value
