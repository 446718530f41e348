"""The near command: what it prints, whom it may look at, what it refuses."""

import json
from collections.abc import Iterator

import pytest
from case_files import INSIDE, MINUTE, OUTSIDE, START, walk
from cli.commands import check_refused, run
from databases import SqliteFactory, opened
from watch import Watch

from navigate_safer.db.audit import AuditRow

GIVEN = {
    "--lat": str(INSIDE.lat),
    "--lon": str(INSIDE.lon),
    "--radius-m": "150",
    "--from": "2026-11-20T21:00:00Z",
    "--to": "2026-11-20T21:05:00Z",
    "--as": "sup-1",
    "--purpose": "crime",
    "--reference": "CC/2026/004711",
}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("near")
    with SqliteFactory(folder).migrated(folder) as url:
        with opened("sqlite", url) as database:
            watch = Watch(database)
            watch.hear(*walk("TAG-1", *[INSIDE] * 20, start=START - 5 * MINUTE))
            watch.hear(*walk("TAG-2", *[OUTSIDE] * 20, start=START - 5 * MINUTE, gateway="gw-east"))
        yield {"NAVIGATE_SAFER_DATABASE_URL": url, "NAVIGATE_SAFER_LOG_LEVEL": "error"}


def asked(environ: dict[str, str], **changed: str):
    given = GIVEN | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return run("near", *[part for pair in given.items() for part in pair], env=environ)


def test_near_prints_a_verdict_of_every_tag_of_the_accounts_areas(environ) -> None:
    result = asked(environ)
    assert result.exit_code == 0, result.output
    people = {each["wearer"]: each for each in json.loads(result.stdout)["people"]}
    assert people["W-1"]["verdict"] == "in"
    assert people["W-1"]["probability"] > 0.99
    assert people["W-1"]["stays"]
    assert people["W-2"]["verdict"] in ("out", "cannot tell")
    assert "Umbershaw" not in result.stdout


def test_near_keeps_to_the_areas_of_the_account(environ) -> None:
    result = asked(environ, **{"as": "off-3"})
    assert {each["wearer"] for each in json.loads(result.stdout)["people"]} == {"W-2"}


def test_near_is_in_the_audit_log_under_the_account(environ) -> None:
    asked(environ, reference="CC/1")
    with opened("sqlite", environ["NAVIGATE_SAFER_DATABASE_URL"]) as database:
        entries = database.all(AuditRow, AuditRow.what == "near a place asked")
    assert entries[-1].actor == "command line"
    assert entries[-1].staff_id is not None
    assert entries[-1].detail == {"purpose": "crime", "reference": "CC/1"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"lat": "91"}, ("--lat", "between -85 and 85"), id="latitude"),
        pytest.param({"radius_m": "-1"}, ("--radius-m", "above 0"), id="radius"),
        pytest.param({"from": "2026-11-20"}, ("--from", "offset"), id="time without an offset"),
        pytest.param({"to": "tomorrow"}, ("--to", "ISO 8601"), id="no time"),
        pytest.param({"to": "2026-11-21T21:00:00Z"}, ("--to", "12 hours"), id="too long"),
        pytest.param(
            {"from": "0001-01-01T00:00:00Z", "to": "0001-01-01T01:00:00Z"},
            ("--from", "not of this age", "1980 to 2199"),
            id="the year 1",
        ),
        pytest.param({"reference": " "}, ("--reference", "Enter"), id="no reference"),
        pytest.param({"as": "nobody"}, ("--as", "no account nobody"), id="no account"),
        pytest.param({"as": "adm-1"}, ("--as", "may not see positions"), id="no right"),
    ],
)
def test_near_refuses_in_one_line(environ, changed: dict[str, str], words: tuple[str, ...]) -> None:
    check_refused(asked(environ, **changed), *words)


def test_near_refuses_a_purpose_that_is_none(environ) -> None:
    result = asked(environ, purpose="curiosity")
    assert result.exit_code == 2
    assert "curiosity" in result.stderr
    assert result.stdout == ""
