"""Read a partner's extract, CSV or JSON, row by row; what is wrong with a file is one sentence."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import PurePath

import msgspec

MOST_ROWS = 1_000_000
MOST_BYTES = 64 * 1024 * 1024


class BadFile(ValueError):
    """A file that cannot be read at all; the message says what and what to do."""


class Rows(msgspec.Struct, frozen=True):
    """The header and the rows of a file, each with the line on which it stands.

    ``other_encoding``: lines that were not UTF-8 and were read as Windows-1252 instead.
    """

    header: list[str]
    rows: list[tuple[int, dict[str, str]]]
    other_encoding: int


def read(content: bytes, name: str) -> Rows:
    """The rows of a file; raises :class:`BadFile`."""
    if len(content) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES >> 20} MB: send it in parts")
    if content[:2] == b"PK":
        raise BadFile("This is an Excel workbook: save the sheet as CSV UTF-8 and send that")
    try:
        made = _json(content) if PurePath(name).suffix.lower() == ".json" else _csv(content)
    except RecursionError:
        raise BadFile("The file is nested too deeply: send a list of rows") from None
    if len(made.rows) > MOST_ROWS:
        raise BadFile(f"The file has more than {MOST_ROWS:,} rows: send it in parts")
    return made


def _csv(content: bytes) -> Rows:
    text, others = _text(content)
    first = text.split("\n", 1)[0]
    divider = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [column.strip() for column in next(reader, [])]
        if not any(header):
            raise BadFile("The file is empty: its first line has to name the columns")
        for row in reader:
            if any(cell.strip() for cell in row):
                # A row that is too short or too long would put each cell under another's name.
                cells = dict(zip(header, row, strict=True)) if len(row) == len(header) else {}
                rows.append((reader.line_num, cells))
    except csv.Error as fault:
        raise BadFile(f"Line {reader.line_num} is not CSV: {fault}") from None
    return Rows(header, rows, others)


def _text(content: bytes) -> tuple[str, int]:
    """Line by line: a file put together from two systems has two encodings."""
    if content[:3] == b"\xef\xbb\xbf":
        content = content[3:]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), 0
        except UnicodeDecodeError:
            raise BadFile("The file is broken UTF-16: save it as CSV UTF-8") from None
    lines, others = [], 0
    for line in content.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", errors="replace"))
            others += 1
    return "\n".join(lines), others


def _json(content: bytes) -> Rows:
    try:
        given = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise BadFile(f"The file is not JSON: {fault}") from None
    if isinstance(given, Mapping):
        lists = [value for value in given.values() if isinstance(value, list)]
        given = lists[0] if len(lists) == 1 else None
    if not isinstance(given, list):
        raise BadFile("The JSON is not a list of rows")
    return Rows(sorted(_names(given)), list(_objects(given)), 0)


def _names(given: list[object]) -> set[str]:
    return {str(name) for row in given if isinstance(row, Mapping) for name in row}


def _objects(given: list[object]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in enumerate(given, start=1):
        if isinstance(row, Mapping):
            cells = {str(name): "" if value is None else str(value) for name, value in row.items()}
            yield number, cells
        else:
            yield number, {}
