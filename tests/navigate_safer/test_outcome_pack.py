"""The pack: the same report gives the same bytes, and no cell is a formula."""

import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import msgspec
import pytest

from navigate_safer.people import cost_ledger
from navigate_safer.people.cost_seeds import SHIPPED
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import EntryKind, IncidentRole, OffendingEntry, history_of
from navigate_safer.people.outcome_packs import Facts, Pack, Tier, Waiting, pack_of
from navigate_safer.people.outcome_report import Report, Row, public
from navigate_safer.people.outcome_table import Table
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


@pytest.fixture(scope="module")
def pack(report: Report) -> Pack:
    return Pack(Tier.TEAM, report, (), (cost_ledger.published_table(),))


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(content: bytes) -> dict[str, list[list[str | float]]]:
    """The cells of each sheet of a workbook; refuses one that holds a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    shared = [
        "".join(each.itertext())
        for each in ElementTree.fromstring(files["xl/sharedStrings.xml"]).iter(f"{SHEET}si")
    ]
    names = re.findall(r'<sheet name="([^"]*)"', files["xl/workbook.xml"])
    found = {}
    for number, name in enumerate(names, start=1):
        rows = []
        sheet = ElementTree.fromstring(files[f"xl/worksheets/sheet{number}.xml"])
        for row in sheet.iter(f"{SHEET}row"):
            cells: list[str | float] = []
            for cell in row.iter(f"{SHEET}c"):
                assert cell.find(f"{SHEET}f") is None, "a formula"
                value = cell.find(f"{SHEET}v")
                if value is None or value.text is None:
                    continue
                cells.append(shared[int(value.text)] if cell.get("t") == "s" else float(value.text))
            rows.append(cells)
        found[name] = rows
    return found


def test_the_same_pack_prints_the_same_bytes(pack: Pack) -> None:
    first = outcome_pack.pdf(pack, KNOWN)
    assert first.startswith(b"%PDF-")
    assert outcome_pack.pdf(pack, KNOWN) == first
    assert outcome_pack.spreadsheet(pack, KNOWN) == outcome_pack.spreadsheet(pack, KNOWN)


def test_another_figure_is_another_digest(pack: Pack) -> None:
    other = msgspec.structs.replace(pack.report, people=pack.report.people + 1)
    changed = msgspec.structs.replace(pack, report=other)
    assert outcome_pack.digest(changed) != outcome_pack.digest(pack)


def test_the_workbook_has_every_row_sentence_and_table_of_the_pack(pack: Pack) -> None:
    found = sheets(outcome_pack.spreadsheet(pack, KNOWN))
    labels = {tuple(row[:2]) for row in found["Figures"]}
    for part in pack.report.parts:
        assert {(part.title, row.label) for row in part.rows} <= labels
        for each in part.said:
            assert [part.title, each.text] in found["What it can say"]
    assert ["Content", outcome_pack.digest(pack)] in found["About"]
    assert len(found["Curves"]) == 1 + len(pack.report.part("survival").curve)
    assert found["What was published"][3][:2] == ["Of these cashable", 4_600_000.0]


def test_words_that_a_spreadsheet_would_run_are_kept_as_words(pack: Pack) -> None:
    rows = (Row("=cmd|' /C calc'!A0", "-1+1"),)
    part = msgspec.structs.replace(pack.report.parts[0], rows=rows)
    report = msgspec.structs.replace(pack.report, parts=(part,))
    table = Table("t", "=T[1]:2", ("=A1",), (("@SUM(A1)",),), ("=said",))
    made = outcome_pack.spreadsheet(Pack(Tier.BOARD, report, (table,), ()), KNOWN)
    found = sheets(made)
    assert found["Figures"][1][1:3] == ["=cmd|' /C calc'!A0", "-1+1"]
    assert found["=T 1  2"][1] == ["@SUM(A1)"]


def test_words_that_typst_would_run_are_printed_as_words(pack: Pack) -> None:
    title = '#panic("read as code") $x'
    part = msgspec.structs.replace(pack.report.parts[0], title=title)
    report = msgspec.structs.replace(pack.report, parts=(part,))
    table = Table("t", title, (title,), ((title,),), (title,), title)
    made = outcome_pack.pdf(Pack(Tier.BOARD, report, (table,), ()), KNOWN)
    assert made.startswith(b"%PDF-")


def test_each_tier_gets_what_it_decides_about(report: Report) -> None:
    facts = Facts(SHIPPED, (), (), Waiting(0, 0), date(2026, 11, 1))
    shown = public(report)
    board, steering = (pack_of(tier, shown, facts) for tier in (Tier.BOARD, Tier.STEERING))
    team = pack_of(Tier.TEAM, report, facts)

    def keys(pack: Pack) -> list[str]:
        return [each.key for each in (*pack.first, *pack.last)]

    assert keys(board) == ["headlines", "money", "ledger", "framework"]
    assert {"late", "capacity", "framework", "funding", "schedules"} <= set(keys(steering))
    assert len(board.report.parts) < len(steering.report.parts) == len(team.report.parts)
    assert any(row.behind for part in team.report.parts for row in part.rows)
    assert not any(row.behind for part in board.report.parts for row in part.rows)
