"""The command line: good input prints one document, bad input one line and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest
from case_files import INSIDE, OUTSIDE, START, box, fix, small_case_file
from click.testing import CliRunner, Result
from msgspec.json import encode

from navigate_safer.cli import main

WORKERS = ("ingest", "monitor", "deliver", "schedule", "web", "run")
TRACK = "device,at,lat,lon,accuracy_m\n" + "".join(
    f"TAG-1,2026-11-20T21:0{minute}:00Z,{place.lat},{place.lon},8\n"
    for minute, place in enumerate((OUTSIDE, INSIDE, INSIDE, OUTSIDE))
)


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=env)


def check_refused(result: Result, *words: str) -> str:
    """One line on standard error that holds the words, nothing on standard output, exit code 2."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in lines[0]
    return lines[0]


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    feature = {
        "type": "Feature",
        "properties": {"id": "cross", "kind": "exclusion"},
        "geometry": box(INSIDE),
    }
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.fixture
def track(tmp_path: Path) -> Path:
    path = tmp_path / "track.csv"
    path.write_text(TRACK)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A place for a database that is not there yet."""
    return {
        "NAVIGATE_SAFER_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.sqlite3'}",
        "NAVIGATE_SAFER_SECRET_KEY": "a-key-of-the-tests-and-of-nothing-else",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
    }


# judge place


def test_a_track_is_judged_against_zones(zones: Path, track: Path) -> None:
    result = run("judge", "place", "--zones", zones, "--track", track, "--rule", "geometric")
    assert result.exit_code == 0, result.output
    judged = json.loads(result.stdout)["zones"]["cross"]
    (violation,) = judged["violations"]
    assert violation["device"] == "TAG-1"
    assert "2026-11-20T21:00:00Z" < violation["start"] < "2026-11-20T21:01:00Z"
    assert "2026-11-20T21:02:00Z" < violation["end"] < "2026-11-20T21:03:00Z"
    minutes = judged["minutes"]
    assert sum(minutes.values()) == pytest.approx(3)
    assert minutes["unknown"] == 0


def test_what_lies_between_two_fixes_too_far_apart_is_unknown(zones: Path, track: Path) -> None:
    result = run("judge", "place", "--zones", zones, "--track", track, "--max-gap", "59")
    minutes = json.loads(result.stdout)["zones"]["cross"]["minutes"]
    assert minutes == {"compliant": 0.0, "breach": 0.0, "unknown": 3.0}


PLACE = ["judge", "place", "--zones", "ZONES", "--track", "TRACK"]
BAD_PLACE = [
    pytest.param(["--zones", "nowhere.geojson"], ["nowhere.geojson", "cannot be read"],
                 id="zones file that is not there"),
    pytest.param(["--track", "FOLDER"], ["cannot be read", "directory"], id="folder for a track"),
    pytest.param(["--track", "LATIN1"], ["line 2", "not UTF-8"], id="track that is not UTF-8"),
    pytest.param(["--track", "BINARY"], ["binary.csv"], id="track that is no text at all"),
    pytest.param(["--track", "EMPTY"], ["empty.csv, line 1", "no column 'device'"],
                 id="empty track"),
    pytest.param(["--track", "ZONES"], ["no column 'device'"], id="zones given as a track"),
    pytest.param(["--zones", "TRACK"], ["track.csv, line 1", "not JSON"],
                 id="track given as zones"),
    pytest.param(["--max-gap", "nan"], ["max-gap nan", "above 0"], id="gap that is no number"),
    pytest.param(["--max-gap", "inf"], ["max-gap inf", "above 0"], id="gap without an end"),
    pytest.param(["--max-gap", "0"], ["max-gap 0", "above 0"], id="gap of nothing"),
    pytest.param(["--rule", "probability"], ["not available yet", "--rule geometric"],
                 id="rule that is to come"),
    pytest.param(["--rule", "astrology"], ["'astrology' is not known", "geometric"],
                 id="rule that is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "words"), BAD_PLACE)
def test_bad_input_of_judge_place_is_one_line(
    tmp_path: Path, zones: Path, track: Path, changed: list[str], words: list[str]
) -> None:
    (tmp_path / "latin1.csv").write_bytes(TRACK.replace("TAG-1", "TÄG-1").encode("latin-1"))
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "empty.csv").touch()
    paths = {
        "ZONES": zones,
        "TRACK": track,
        "FOLDER": tmp_path,
        "LATIN1": tmp_path / "latin1.csv",
        "BINARY": tmp_path / "binary.csv",
        "EMPTY": tmp_path / "empty.csv",
    }
    # The last of an option given twice is the one that counts.
    check_refused(run(*[paths.get(each, each) for each in PLACE + changed]), *words)


def test_a_fault_of_a_zone_is_told_with_its_place(zones: Path, track: Path) -> None:
    document = json.loads(zones.read_text())
    ring = document["features"][0]["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    zones.write_text(json.dumps(document))
    line = check_refused(run("judge", "place", "--zones", zones, "--track", track), "feature 1")
    assert "crosses itself" in line


# schema telemetry


def test_the_schema_is_one_and_a_good_message_fits_it() -> None:
    result = run("schema", "telemetry")
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    check = validator(schema)
    message = {"v": 1, "device": "TAG-00017", "readings": [fix(START, INSIDE)]}
    assert list(check.iter_errors(message)) == []
    too_far_north = {**message, "readings": [{**fix(START, INSIDE), "lat": 91}]}
    assert list(check.iter_errors(too_far_north)) != []
    assert list(check.iter_errors({**message, "readings": []})) != []


# Settings and the database


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        pytest.param("MQTT_PORT", "eighteen", "must be a whole number", id="a number in words"),
        pytest.param("PUBLIC_URL", "somewhere", "must be an address", id="no address"),
        pytest.param("SMS_SENDER", "pigeon", "must be console or twilio", id="another sender"),
        pytest.param("SECRET_KEYS", "x", "there is no such setting", id="a setting misspelt"),
    ],
)
def test_a_bad_setting_stops_every_worker_with_its_name(
    environ: dict[str, str], worker: str, name: str, value: str, fault: str
) -> None:
    result = run(worker, env={**environ, f"NAVIGATE_SAFER_{name}": value})
    line = check_refused(result, f"NAVIGATE_SAFER_{name}", fault)
    assert value not in line or name == "SECRET_KEYS", "it might be a secret"


@pytest.mark.parametrize("worker", WORKERS)
def test_a_database_that_was_not_migrated_stops_every_worker_with_advice(
    environ: dict[str, str], worker: str
) -> None:
    check_refused(run(worker, env=environ), "run: navigate-safer migrate")


@pytest.mark.parametrize("command", [*WORKERS, "set-password duty", "migrate"])
def test_a_database_that_does_not_answer_is_named_and_its_password_is_not(command: str) -> None:
    url = "postgresql+psycopg://safer:hidden-word@127.0.0.1:1/safer"
    env = {"NAVIGATE_SAFER_DATABASE_URL": url, "NAVIGATE_SAFER_SECRET_KEY": "k" * 40}
    line = check_refused(run(*command.split(), env=env), "database")
    assert "hidden-word" not in line


@pytest.mark.parametrize("command", ["web", "run"])
def test_pages_are_not_served_without_a_secret_key(environ: dict[str, str], command: str) -> None:
    assert run("migrate", env=environ).exit_code == 0
    del environ["NAVIGATE_SAFER_SECRET_KEY"]
    check_refused(run(command, env=environ), "NAVIGATE_SAFER_SECRET_KEY", "needed to serve pages")


def test_migrating_twice_is_once(environ: dict[str, str]) -> None:
    for _ in range(2):
        result = run("migrate", env=environ)
        assert (result.exit_code, result.stdout) == (
            0,
            "The database is at the newest schema.\n",
        )


# register, set-password, reply


@pytest.fixture
def migrated(environ: dict[str, str]) -> dict[str, str]:
    assert run("migrate", env=environ).exit_code == 0
    return environ


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    path = tmp_path / "case-file.json"
    path.write_bytes(encode(small_case_file()))
    return path


def test_a_case_file_is_registered_once(migrated: dict[str, str], case_file: Path) -> None:
    result = run("register", case_file, env=migrated)
    assert result.exit_code == 0, result.output
    assert "2 areas, 5 staff, 2 gateways, 5 devices, 2 zones, 2 wearers, 1 victims" in result.stdout
    again = run("register", case_file, env=migrated)
    check_refused(again, "case-file.json", "is registered already", "nothing was registered")


def with_change(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


BAD_FILES = [
    pytest.param(lambda content: b"", ["nothing was registered"], id="empty"),
    pytest.param(lambda content: content[: len(content) // 2], ["case-file.json"], id="cut short"),
    pytest.param(lambda content: b"\xff\xfe" + content, ["case-file.json"], id="not UTF-8"),
    pytest.param(lambda content: with_change(content, b'"v":1', b'"v":2'), ["version 1"],
                 id="of a later version"),
    pytest.param(lambda content: with_change(content, b'"role":"duty_officer"', b'"role":"chief"'),
                 ["chief", "role"], id="a role that does not exist"),
    pytest.param(lambda content: with_change(content, b'"phone":', b'"telephone":'),
                 ["telephone"], id="a field that does not exist"),
    pytest.param(lambda content: with_change(content, b"07700 900101", b"no telephone"),
                 ["staff off-1", "not a telephone number"], id="a number that is none"),
    pytest.param(lambda content: with_change(content, b'"zone":"Z-1"', b'"zone":"Z-9"'),
                 ["Z-9", "W-1"], id="a zone that is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), BAD_FILES)
def test_a_bad_case_file_registers_nothing_and_says_where(
    migrated: dict[str, str], case_file: Path, spoil, words: list[str]
) -> None:
    good = case_file.read_bytes()
    case_file.write_bytes(spoil(good))
    check_refused(run("register", case_file, env=migrated), *words, "nothing was registered")

    case_file.write_bytes(good)
    assert run("register", case_file, env=migrated).exit_code == 0, "nothing was left behind"


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_case_file_that_cannot_be_read_is_one_line(
    migrated: dict[str, str], tmp_path: Path, name: str
) -> None:
    check_refused(run("register", tmp_path / name, env=migrated), "cannot be read")


def test_a_password_is_made_for_an_account_and_for_no_other(
    migrated: dict[str, str], case_file: Path
) -> None:
    run("register", case_file, env=migrated)
    result = run("set-password", "off-1", "--generate", env=migrated)
    assert result.exit_code == 0
    assert result.stdout.startswith("Password of off-1: ")
    check_refused(run("set-password", "nobody", "--generate", env=migrated), "no account nobody")
    typed = CliRunner().invoke(
        main, ["set-password", "off-1"], input="too short\ntoo short\n", env=migrated
    )
    assert typed.exit_code == 2
    assert "at least 12 characters" in typed.stderr


def test_a_reply_by_hand_is_for_the_console_sender_only(
    migrated: dict[str, str], case_file: Path
) -> None:
    run("register", case_file, env=migrated)
    result = run("reply", "--as", "off-1", "123456", env=migrated)
    assert (result.exit_code, result.stdout) == (0, "wrong code\n")
    check_refused(run("reply", "--as", "adm-1", "123456", env=migrated), "no account adm-1")
    twilio = {
        **migrated,
        "NAVIGATE_SAFER_SMS_SENDER": "twilio",
        "NAVIGATE_SAFER_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "NAVIGATE_SAFER_TWILIO_AUTH_TOKEN": "invented-token",
        "NAVIGATE_SAFER_TWILIO_FROM": "+441632960999",
    }
    check_refused(run("reply", "--as", "off-1", "1", env=twilio), "console sender only")


# Every command


def commands() -> list[list[str]]:
    """Every command and group, by its words."""

    context = click.Context(main)

    def below(command: click.Command, words: list[str]) -> list[list[str]]:
        found = [words]
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found += below(command.get_command(context, name), [*words, name])
        return found

    return below(main, [])


@pytest.mark.parametrize("words", [pytest.param(each, id=" ".join(each)) for each in commands()])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(words: list[str], option: str) -> None:
    result = run(*words, option)
    assert result.exit_code == 0
    usage, _, rest = result.stdout.partition("\n\n")
    assert usage.startswith("Usage:")
    assert rest.strip().splitlines()[0].strip(), "a line that says what it is for"
    # Nothing of Python shows through.
    assert "None" not in result.stdout
    assert "pathlib" not in result.stdout


def test_as_a_program_it_prints_no_traceback_either(tmp_path: Path) -> None:
    """Once for real, since the runner above would hide what happens at the exit."""
    done = subprocess.run(
        [sys.executable, "-m", "navigate_safer", *PLACE[:2], "--zones", "a", "--track", "b"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "navigate-safer: a: cannot be read: No such file or directory\n"
