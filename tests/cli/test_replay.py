"""replay and archive verify: what is printed, what is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case_files import INSIDE, OUTSIDE, walk
from cli.commands import check_refused, run
from databases import Database, migrate, opened
from watch import Watch

from devices.codec import decode
from devices.quality import QualityLimits
from navigate_safer.db import archive
from navigate_safer.db.audit import AuditRow
from navigate_safer.services import storage_round
from navigate_safer.services.storage import Plan

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SPAN = ("--from", "2026-11-20T00:00:00Z", "--to", "2026-11-21T00:00:00+00:00")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A database with a breach, whose day is in the archive."""
    url = f"sqlite:///{tmp_path / 'replay.sqlite3'}"
    migrate(url)
    with opened("sqlite", url) as database:
        filled(database, tmp_path)
    return {"NAVIGATE_SAFER_DATABASE_URL": url, "NAVIGATE_SAFER_LOG_LEVEL": "error"}


def filled(database: Database, folder: Path) -> None:
    watch = Watch(database)
    archive.use_folder(watch.sessions, folder / "archive")
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, INSIDE, OUTSIDE, start=NOON))
    later = NOON + timedelta(days=61)
    done = storage_round.keep_house(watch.sessions, later, Plan(), lambda _s: None)
    assert done.archived == 1


def test_replay_prints_messages_that_intake_would_take(environ: dict[str, str]) -> None:
    result = run("replay", "--device", "TAG-1", *SPAN, env=environ)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    found = [
        decode("telemetry/v1/gw/TAG-1", line.encode(), NOON, QualityLimits()) for line in lines
    ]
    assert [len(each.readings) for each in found] == [1, 1, 1, 1]
    assert found[1].readings[0].lat == INSIDE.lat


def test_replay_judges_anew_and_prints_the_findings(environ: dict[str, str]) -> None:
    result = run("replay", "--device", "TAG-1", *SPAN, "--judge", env=environ)
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    (breach,) = [each for each in found if each["finding"]["kind"] == "exclusion_breach"]
    assert breach["finding"]["clause"] == "Licence 12"
    assert breach["finding"]["started_at"] <= "2026-11-20T12:01:00Z"


def test_replay_is_in_the_audit_log(environ: dict[str, str]) -> None:
    run("replay", "--device", "TAG-1", *SPAN, env=environ)
    with opened("sqlite", environ["NAVIGATE_SAFER_DATABASE_URL"]) as database:
        entry = database.one(AuditRow, AuditRow.what == "readings replayed")
    assert (entry.act, entry.actor) == ("consultation", "command line")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--device", "TAG-9", *SPAN), ["TAG-9", "registered"], id="no such device"),
        pytest.param(("--device", "TAG-1", "--from", "yesterday"), ["--from", "ISO 8601"],
                     id="a time in words"),
        pytest.param(("--device", "TAG-1", "--from", "2026-11-20T12:00:00"), ["--from", "offset"],
                     id="a time without an offset"),
        pytest.param(("--device", "TAG-1", "--from", "2026-11-20T12:00:00Z",
                      "--to", "2026-11-20T11:00:00Z"), ["before"], id="backwards"),
    ],
)  # fmt: skip
def test_replay_refuses_in_one_line(
    environ: dict[str, str], arguments: tuple[str, ...], words: list[str]
) -> None:
    check_refused(run("replay", *arguments, env=environ), *words)


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "archive").rglob("*.parquet"))


def test_replay_of_a_day_whose_file_is_gone_says_so(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (file,) = files(tmp_path)
    file.unlink()
    refused = check_refused(run("replay", "--device", "TAG-1", *SPAN, env=environ), file.name)
    assert "put it back" in refused


def test_verify_says_that_all_is_well(environ: dict[str, str]) -> None:
    result = run("archive", "verify", env=environ)
    assert (result.exit_code, result.stdout) == (
        0, "1 days and kinds in the archive, 0 faults.\n",
    )  # fmt: skip


def test_verify_names_a_file_that_was_altered(environ: dict[str, str], tmp_path: Path) -> None:
    (file,) = files(tmp_path)
    file.write_bytes(b"PAR1" + file.read_bytes())
    result = run("archive", "verify", env=environ)
    assert result.exit_code == 1
    assert f"{file.name}: the file was altered" in result.stdout
