"""The import command: one line and exit code 2 for bad input, counts for good."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import case_files
import pytest
from case_files import OUTSIDE, small_case_file
from cli.commands import check_refused, run
from databases import Database
from exports import MAPPING, export, row
from servers import until

from navigate_safer.db.imports import ImportRow
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services import register


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A migrated database with the small case file."""
    made = {
        "NAVIGATE_SAFER_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.sqlite3'}",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
    }
    assert run("migrate", env=made).exit_code == 0
    case_file = tmp_path / "case-file.json"
    case_file.write_bytes(case_files.msgspec.json.encode(small_case_file()))
    assert run("register", case_file, env=made).exit_code == 0
    return made


def rows(count: int) -> list[str]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
    return [row("TAG-1", start + timedelta(minutes=n), OUTSIDE) for n in range(count)]


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    path = tmp_path / "vendor.toml"
    path.write_bytes(MAPPING.replace(b'"Europe/London"', b'"Europe/London"\nambiguous = "first"'))
    return path


def test_an_export_is_imported_once_and_the_counts_are_said(
    environ: dict[str, str], tmp_path: Path, columns: Path
) -> None:
    file = export(tmp_path / "export.csv", [*rows(40), "TAG-9,x", *rows(40)])
    result = run("import", "readings", file, "--columns", columns, env=environ)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "82 lines, 40 readings stored, 40 were there already, 1 lines refused "
        "(1 malformed; see quarantine, each with its line).\n"
    )
    again = run("import", "readings", file, "--columns", columns, env=environ)
    assert again.exit_code == 0
    assert again.stdout.startswith("Imported before, at ")


def test_a_dry_run_says_what_would_be(
    environ: dict[str, str], tmp_path: Path, columns: Path
) -> None:
    file = export(tmp_path / "export.csv", [*rows(40), "TAG-9,x"])
    result = run("import", "readings", file, "--columns", columns, "--dry-run", env=environ)
    assert result.stdout == (
        "Dry run: 42 lines, 40 readings would be taken, 1 lines refused (1 malformed).\n"
    )


def test_a_file_of_which_nothing_is_taken_is_no_success(
    environ: dict[str, str], tmp_path: Path, columns: Path
) -> None:
    file = export(tmp_path / "export.csv", ["TAG-9,x"])
    result = run("import", "readings", file, "--columns", columns, env=environ)
    assert result.exit_code == 1
    assert "0 readings stored" in result.stdout


def test_bad_input_is_one_line_that_says_what_to_do(
    environ: dict[str, str], tmp_path: Path, columns: Path
) -> None:
    file = export(tmp_path / "export.csv", rows(3))

    def refused(*arguments: object, words: tuple[str, ...]) -> None:
        check_refused(run("import", "readings", *arguments, env=environ), *words)

    refused(file, words=("exactly one of --columns FILE and --preset NAME",))
    refused(file, "--preset", "acme", words=("there is no preset 'acme'", "mdss-positions"))
    refused(file, "--columns", tmp_path / "none.toml", words=("none.toml", "cannot be read"))
    refused(tmp_path / "none.csv", "--columns", columns, words=("none.csv", "cannot be read"))
    refused(tmp_path, "--columns", columns, words=("cannot be read",))
    refused(file, "--preset", "mdss-positions", words=("columns.at", "is not among"))
    refused(file, "--columns", columns, "--gateway", "gw-9", words=("no gateway gw-9",))
    refused(file, "--columns", columns, "--oldest", "last year", words=("such as 2026-10-08",))
    refused(file, "--columns", columns, "--oldest", "2999-01-01", words=("in the future",))
    bad = tmp_path / "bad.toml"
    bad.write_text("[columns]\n")
    refused(file, "--columns", bad, words=("mapping: columns: missing at",))


DEVICES, ROWS_EACH = 20, 1_500


def test_an_import_killed_again_and_again_ends_with_every_row_once(
    database: Database, tmp_path: Path, columns: Path
) -> None:
    """kill -9 of the real command, at whatever it is doing, three times."""
    register.register(database.sessions, small_case_file(), datetime.now(UTC))
    with database.sessions.begin() as session:
        for number in range(DEVICES):
            session.add(DeviceRow(ref=f"TAG-I{number}", model="tag", kind="location_tag"))
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
    lines = [
        row(f"TAG-I{number}", start + timedelta(minutes=minute), OUTSIDE)
        for minute in reversed(range(ROWS_EACH))
        for number in range(DEVICES)
    ]
    file = export(tmp_path / "export.csv", lines)
    arguments = [
        *(sys.executable, "-m", "navigate_safer", "import", "readings", str(file)),
        *("--columns", str(columns), "--gateway", "gw-west"),
    ]
    environ = {**os.environ, "NAVIGATE_SAFER_DATABASE_URL": database.url}

    def place() -> int:
        found = database.all(ImportRow)
        return found[0].lines if found else 0

    for _ in range(3):
        before = place()
        running = subprocess.Popen(arguments, env=environ, stdout=subprocess.DEVNULL)
        moved = until(lambda before=before: place() > before + 1, within_s=90)
        running.kill()
        assert moved or running.wait() == 0, "it gets on, or had come to the end"
        running.wait()
    last = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=True)
    assert "Going on after line" in last.stdout or "Imported before" in last.stdout
    assert database.count(FixRow) == DEVICES * ROWS_EACH
    assert database.one(ImportRow).finished_at is not None
