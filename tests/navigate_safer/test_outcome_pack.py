"""The pack: the same report gives the same bytes, and no cell is a formula."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from navigate_safer.people.observation import Design
from navigate_safer.people.offending import EntryKind, IncidentRole, OffendingEntry, history_of
from navigate_safer.people.outcome_report import Report, Row
from navigate_safer.people.outcome_whole import Gathered, report_of
from navigate_safer.services import outcome_pack

PICKED, KNOWN = date(2025, 1, 1), datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def report() -> Report:
    histories = []
    for number in range(12):
        ref = f"W-{number}"
        days = [PICKED - timedelta(days=60 + n) for n in range(3)]
        days += [PICKED + timedelta(days=40 + 9 * number)]
        entries = [OffendingEntry("S", ref, EntryKind.SELECTION, PICKED, "s", date(2026, 1, 1))]
        entries += [
            OffendingEntry(
                f"I-{n}", ref, EntryKind.INCIDENT, day, "s", date(2026, 1, 1), IncidentRole.SUSPECT
            )
            for n, day in enumerate(days)
        ]
        histories.append(history_of(ref, date(1990, 1, 1), entries))
    design = Design(date(2026, 1, 1), EntryKind.INCIDENT, 182, 30)
    return report_of(Gathered(tuple(histories), None, None, (), (), ()), design, str)


def tables(content: bytes) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
        }


def test_the_same_report_prints_the_same_bytes(report: Report) -> None:
    first = outcome_pack.pdf(report, KNOWN)
    assert first.startswith(b"%PDF-")
    assert outcome_pack.pdf(report, KNOWN) == first
    assert outcome_pack.spreadsheet(report, KNOWN) == outcome_pack.spreadsheet(report, KNOWN)


def test_another_figure_is_another_digest(report: Report) -> None:
    other = msgspec.structs.replace(report, people=report.people + 1)
    assert outcome_pack.digest(other) != outcome_pack.digest(report)


def test_the_spreadsheet_has_every_row_and_sentence_of_the_report(report: Report) -> None:
    found = tables(outcome_pack.spreadsheet(report, KNOWN))
    labels = {(row[0], row[1]) for row in found["figures.csv"]}
    for part in report.parts:
        assert {(part.title, row.label) for row in part.rows} <= labels
        for each in part.said:
            assert [part.title, each.text] in found["conclusions.csv"]
    assert ["", "content", outcome_pack.digest(report)] in found["figures.csv"]
    assert len(found["curve.csv"]) == 1 + len(report.part("survival").curve)


def test_words_that_a_spreadsheet_would_run_are_kept_as_words(report: Report) -> None:
    rows = (Row("=cmd|' /C calc'!A0", "-1+1"),)
    part = msgspec.structs.replace(report.parts[0], rows=rows)
    found = tables(outcome_pack.spreadsheet(msgspec.structs.replace(report, parts=(part,)), KNOWN))
    assert found["figures.csv"][1][1:3] == ["'=cmd|' /C calc'!A0", "'-1+1"]


def test_words_that_typst_would_run_are_printed_as_words(report: Report) -> None:
    part = msgspec.structs.replace(report.parts[0], title='#panic("read as code") $x')
    made = outcome_pack.pdf(msgspec.structs.replace(report, parts=(part,)), KNOWN)
    assert made.startswith(b"%PDF-")
