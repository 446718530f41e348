"""A pack as a PDF and as a spreadsheet.

Both hold what the page holds and are made from the pack alone: the same pack gives the same bytes,
and its digest stands in them.
"""

import hashlib
import io
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files

import msgspec
import typst
import xlsxwriter

from navigate_safer.people import outcome_pictures
from navigate_safer.people.outcome_packs import Pack
from navigate_safer.people.outcome_report import SMALL, Part
from navigate_safer.people.outcome_table import MINUS, POUND, Cell, Number, Table, words

CHANCE, UNKNOWN = "Likely between (95 %)", "If all unknown was broken, or kept"
CURVE_WORDS = "Share of people without one, by days at risk since selection; shaded: likely range."
COLUMNS = ("Part", "Figure", "Value", "Between", "From", "Number", "Low", "High")
# What a sheet's name may not hold, and how long it may be.
_FORBIDDEN, _LONGEST_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " ")), 31
# A printed column is at least as wide as one whose longest cell has so many letters, squared.
_NARROWEST = 3.0
_WIDTHS = (30, 30, 24, 30, 40, 12, 12, 12)


def digest(pack: Pack) -> str:
    """SHA-256 of everything that the pack says."""
    return hashlib.sha256(msgspec.json.encode(pack, order="deterministic")).hexdigest()


def pdf(pack: Pack, known: datetime) -> bytes:
    """The pack as a PDF; ``known`` is the moment as of which the records were taken."""
    report = pack.report
    given = {
        "tier": pack.tier.label,
        "as_at": report.as_at.isoformat(),
        "known": known.isoformat(timespec="seconds"),
        "digest": digest(pack),
        "people": report.people,
        "public": report.public,
        "small": SMALL,
        "policy": report.policy,
        "window_days": report.window_days,
        "gap_days": report.gap_days,
        "reach": [each.words for each in report.reach],
        "first": [_table(each) for each in pack.first],
        "parts": [_part(each) for each in report.parts],
        "last": [_table(each) for each in pack.last],
    }
    source = files("navigate_safer.services").joinpath("outcome_pack.typ").read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"report": json.dumps(given)})
    return made


def _part(part: Part) -> dict[str, object]:
    drawn = part.curves or (((part.title, part.curve),) if part.curve else ())
    return {
        "title": part.title,
        "range": UNKNOWN if part.key == "time" else CHANCE,
        "method": part.method,
        "said": [each.text for each in part.said],
        "chart": outcome_pictures.curves(drawn, part.title) or None,
        "under": CURVE_WORDS,
        "rows": [
            {"label": row.label, "value": row.value, "interval": row.interval, "note": row.note}
            for row in part.rows
        ],
    }


def _table(table: Table) -> dict[str, object]:
    return {
        "title": table.title,
        "columns": table.columns,
        "widths": _shares(table),
        "rows": [[words(cell) for cell in row] for row in table.rows],
        "said": table.said,
        "method": table.method,
        "chart": table.picture or None,
    }


def _shares(table: Table) -> list[float]:
    """How wide each column is against the others: by its longest cell, and none too narrow."""
    lengths = [
        max([len(name), *(len(words(row[place])) for row in table.rows)])
        for place, name in enumerate(table.columns)
    ]
    return [max(math.sqrt(length), _NARROWEST) for length in lengths]


def spreadsheet(pack: Pack, known: datetime) -> bytes:
    """The pack as a workbook: what it is, figures, what can be concluded, a sheet for each table.

    Words are written as words: no cell is ever a formula.
    """
    made = io.BytesIO()
    # Zone and time of making are those of the records, so that the bytes stay the same.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options) as book:
        book.set_properties(
            {"title": pack.tier.label, "created": known.astimezone(UTC).replace(tzinfo=None)}
        )
        sheets = _Sheets(book)
        report = pack.report
        sheets.add("About", ("", ""), _about(pack, known))
        for table in pack.first:
            sheets.add(table.title, table.columns, table.rows, table.said, table.method)
        sheets.add("Figures", COLUMNS, _figures(report.parts))
        sheets.add("What it can say", ("Part", "Words"), _conclusions(report.parts))
        sheets.add("Curves", ("Group", "Day at risk", "Share", "Low", "High", "People watched"),
                   _curves(report.parts))  # fmt: skip
        for table in pack.last:
            sheets.add(table.title, table.columns, table.rows, table.said, table.method)
    return made.getvalue()


class _Sheets:
    def __init__(self, book: "xlsxwriter.Workbook") -> None:
        self.book = book
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})
        money = f"{POUND}#,##0.00;-{POUND}#,##0.00"
        formats = {"pounds": money, "share": "0.0##%", "": "#,##0.###"}
        self.numbers = {
            name: book.add_format({"num_format": written, "valign": "top"})
            for name, written in formats.items()
        }

    def add(
        self,
        title: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell | float | None]],
        said: Sequence[str] = (),
        method: str = "",
    ) -> None:
        """A sheet: the columns, the rows, and under them what can be concluded."""
        sheet = self.book.add_worksheet(title.translate(_FORBIDDEN)[:_LONGEST_NAME].strip())
        for column, width in zip(range(len(columns)), _WIDTHS, strict=False):
            sheet.set_column(column, column, width)
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, self.bold)
        sheet.freeze_panes(1, 0)
        line = 1
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                self._write(sheet, line, column, cell)
        for offset, text in enumerate(filter(None, (*said, method)), start=2):
            sheet.write_string(line + offset, 0, text)

    def _write(
        self,
        sheet: "xlsxwriter.worksheet.Worksheet",
        line: int,
        column: int,
        cell: Cell | float | None,
    ) -> None:
        if isinstance(cell, Number):
            sheet.write_number(line, column, cell.value, self.numbers[_kind(cell.text)])
        elif isinstance(cell, str):
            sheet.write_string(line, column, cell, self.plain)
        elif cell is not None:
            sheet.write_number(line, column, cell, self.numbers[""])


def _kind(text: str) -> str:
    if text.lstrip(MINUS).startswith(POUND):
        return "pounds"
    return "share" if text.endswith("%") else ""


def _about(pack: Pack, known: datetime) -> list[tuple[str, str]]:
    report = pack.report
    left_out = f"What rests on fewer than {SMALL} people or events, or gives it away, is left out."
    return [
        ("Pack", pack.tier.label),
        ("Events up to", report.as_at.isoformat()),
        ("Records as known", known.isoformat(timespec="seconds")),
        *(("Records", each.words) for each in report.reach),
        ("People", str(report.people)),
        ("Windows", f"{report.window_days} days each side of selection"),
        ("Left out about selection", f"{report.gap_days} days"),
        ("Thresholds", f"version {report.policy}"),
        ("Content", digest(pack)),
        ("Small numbers", left_out if report.public else "shown"),
        ("To know", "None of these figures shows that somebody is safe."),
    ]


def _figures(parts: Sequence[Part]) -> Iterable[Sequence[Cell | float | None]]:
    for part in parts:
        for row in part.rows:
            yield (part.title, row.label, row.value, row.interval, row.note, row.number, row.low,
                   row.high)  # fmt: skip


def _conclusions(parts: Sequence[Part]) -> Iterable[tuple[str, str]]:
    for part in parts:
        yield from ((part.title, each.text) for each in part.said)
        yield part.title, f"How this is counted: {part.method}"


def _curves(parts: Sequence[Part]) -> Iterable[Sequence[Cell | float | None]]:
    for part in parts:
        for name, curve in ((part.title, part.curve), *part.curves):
            for point in curve:
                yield name, point.day, point.share, point.low, point.high, point.at_risk
