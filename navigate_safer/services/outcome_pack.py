"""The quarterly pack: a report printed as PDF, and as a spreadsheet of CSV files.

Both hold what the page holds and are made from the report alone: the same report gives the same
bytes, and its digest stands in them.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from itertools import pairwise

import msgspec
import typst

from navigate_safer.people.outcome_report import SMALL, Part, Point, Report

BOARD, TEAM = "Board pack, without names", "Team pack"
CHANCE, UNKNOWN = "Likely between (95 %)", "If all unknown was broken, or kept"
COLUMNS = ("part", "figure", "value", "between", "from", "number", "low", "high")
# A cell that starts so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# The earliest time that a zip file can have: none of its own, so that the bytes stay the same.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640.0, 240.0, 40.0, 10.0, 30.0


def digest(report: Report) -> str:
    """SHA-256 of everything that the report says."""
    return hashlib.sha256(msgspec.json.encode(report, order="deterministic")).hexdigest()


def pdf(report: Report, known: datetime) -> bytes:
    """The report as a PDF; ``known`` is the moment as of which the records were taken."""
    given = {
        "tier": BOARD if report.public else TEAM,
        "as_at": report.as_at.isoformat(),
        "known": known.isoformat(timespec="seconds"),
        "digest": digest(report),
        "people": report.people,
        "public": report.public,
        "small": SMALL,
        "policy": report.policy,
        "window_days": report.window_days,
        "gap_days": report.gap_days,
        "parts": [_part(each) for each in report.parts],
    }
    source = files("navigate_safer.services").joinpath("outcome_pack.typ").read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"report": json.dumps(given)})
    return made


def _part(part: Part) -> dict[str, object]:
    return {
        "title": part.title,
        "range": UNKNOWN if part.key == "time" else CHANCE,
        "method": part.method,
        "said": [each.text for each in part.said],
        "chart": _chart(part.curve) if part.curve else None,
        "rows": [
            {"label": row.label, "value": row.value, "interval": row.interval, "note": row.note}
            for row in part.rows
        ],
    }


def _chart(curve: tuple[Point, ...]) -> str:
    """The curve as SVG: steps, with the interval as a band."""
    last = max(point.day for point in curve) or 1.0

    def at(day: float, share: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT) * day / last
        y = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)
        return f"{x:.1f},{y:.1f}"

    def steps(values: list[tuple[float, float]]) -> list[str]:
        found = [at(*values[0])]
        for (_, before), (day, share) in pairwise(values):
            found += [at(day, before), at(day, share)]
        return found

    low = steps([(each.day, each.low if each.low is not None else each.share) for each in curve])
    high = steps([(each.day, each.high if each.high is not None else each.share) for each in curve])
    line = steps([(each.day, each.share) for each in curve])
    marks = "".join(
        f'<text x="0" y="{at(0, share).split(",")[1]}">{100 * share:.0f} %</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    days = "".join(
        f'<text x="{at(last * n / 4, 0).split(",")[0]}" y="{_HEIGHT - 8}" text-anchor="end">'
        f"{last * n / 4:.0f} days</text>"
        for n in range(1, 5)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="11">'
        f'<polygon points="{" ".join(low + high[::-1])}" fill="#b8d4ec"/>'
        f'<polyline points="{" ".join(line)}" fill="none" stroke="#1d70b8" stroke-width="2"/>'
        f"{marks}{days}</svg>"
    )


def spreadsheet(report: Report, known: datetime) -> bytes:
    """A zip of three CSV files: figures, what can be concluded, and the curve."""
    about = [
        ["", "as at", report.as_at.isoformat()],
        ["", "records as known", known.isoformat(timespec="seconds")],
        ["", "content", digest(report)],
    ]
    rows = [
        [part.title, row.label, row.value, row.interval, row.note, row.number, row.low, row.high]
        for part in report.parts
        for row in part.rows
    ]
    words = [[part.title, each.text] for part in report.parts for each in part.said]
    methods = [[part.title, f"How this is counted: {part.method}"] for part in report.parts]
    curve = [
        [point.day, point.share, point.low, point.high, point.at_risk]
        for part in report.parts
        for point in part.curve
    ]
    made = io.BytesIO()
    tables: dict[str, Sequence[Sequence[object]]] = {
        "figures.csv": [COLUMNS, *rows, *about],
        "conclusions.csv": [["part", "words"], *words, *methods],
        "curve.csv": [["day_at_risk", "share", "low", "high", "people_watched"], *curve],
    }
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), _csv(table))
    return made.getvalue()


def _csv(table: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(value) for value in row] for row in table])
    # With the mark a spreadsheet reads it as UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
