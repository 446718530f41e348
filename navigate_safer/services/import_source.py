"""The file of an import: its fingerprint, its heading, and its lines with their places."""

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from devices.quality import QualityLimits
from devices.vendor_csv import RowReader
from devices.vendor_mapping import BadMapping, Mapping, read_mapping

LONGEST_LINE_BYTES = 65_536
_MARK = b"\xef\xbb\xbf"
_PIECE_BYTES = 1 << 20


class ImportFault(Exception):
    """The import cannot begin or go on; one line that says what and where."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line: its number from 1, the byte after it, and its bytes (None: longer than allowed)."""

    number: int
    ends_at: int
    content: bytes | None


class Source(msgspec.Struct, frozen=True):
    """A file that can be imported. ``begins_at`` is where the line after the heading begins."""

    path: Path
    size_bytes: int
    fingerprint: str
    mapping: Mapping
    header: list[str]
    begins_at: int
    heading_lines: int

    def reader(self, limits: QualityLimits) -> RowReader:
        """A reader of this file's rows."""
        return RowReader(self.mapping, self.header, limits)


def open_source(
    path: Path,
    mapping_text: bytes,
    gateway: str | None,
    hashed: Callable[[int], None] = lambda _bytes: None,
) -> Source:
    """Look at the file and its mapping; raises :class:`ImportFault`.

    The fingerprint is of content, mapping and gateway: the same file under a corrected mapping is
    another import. ``hashed`` is told how many bytes have been read.
    """
    try:
        mapping = read_mapping(mapping_text)
    except BadMapping as fault:
        raise ImportFault(f"mapping: {fault}") from None
    try:
        with path.open("rb") as file:
            header, begins_at = _heading(file, mapping)
            size_bytes = path.stat().st_size
            digest = hashlib.sha256(mapping_text + b"\0" + (gateway or "").encode() + b"\0")
            file.seek(0)
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                hashed(len(piece))
    except OSError as fault:
        raise ImportFault(f"{path}: cannot be read: {fault.strerror}") from None
    source = Source(
        path,
        size_bytes,
        digest.hexdigest(),
        mapping,
        header,
        begins_at,
        mapping.file.skip_lines + 1,
    )
    try:
        source.reader(QualityLimits())
    except BadMapping as fault:
        raise ImportFault(f"{path}: {fault}") from None
    return source


def _heading(file: BinaryIO, mapping: Mapping) -> tuple[list[str], int]:
    first = file.read(len(_MARK))
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ImportFault("the file is UTF-16; save it as UTF-8")
    if first != _MARK:
        file.seek(0)
    raw = b""
    for _ in range(mapping.file.skip_lines + 1):
        raw = file.readline(LONGEST_LINE_BYTES)
    try:
        heading = raw.decode(mapping.file.encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        raise ImportFault(f"the heading is not text in {mapping.file.encoding}") from None
    if not heading.strip():
        raise ImportFault("the file has no heading line")
    try:
        names = next(csv.reader((heading,), delimiter=mapping.file.delimiter))
    except csv.Error:
        fault = "is not written as CSV; lines must end as on Windows or Linux, and not in a lone CR"
        raise ImportFault(f"the heading {fault}") from None
    return [each.strip() for each in names], file.tell()


def lines(source: Source, from_byte: int, number: int) -> Iterator[Line]:
    """Lines from a place on, the first of them with the number after ``number``."""
    try:
        with source.path.open("rb") as file:
            file.seek(from_byte)
            while content := file.readline(LONGEST_LINE_BYTES):
                number += 1
                whole = len(content) < LONGEST_LINE_BYTES or content.endswith(b"\n")
                rest = content
                while not whole and rest and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST_LINE_BYTES)
                yield Line(number, file.tell(), content if whole else None)
    except OSError as fault:
        raise ImportFault(f"{source.path}: cannot be read: {fault.strerror}") from None
