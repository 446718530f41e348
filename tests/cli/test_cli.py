"""Commands of an installation, and every command's help."""

from pathlib import Path

import click
import pytest
from case_files import small_case_file
from cli.commands import check_refused, run
from click.testing import CliRunner
from msgspec.json import encode

from navigate_safer.cli import main

WORKERS = ("ingest", "monitor", "deliver", "schedule", "commands", "web", "run")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A place for a database that is not there yet."""
    return {
        "NAVIGATE_SAFER_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.sqlite3'}",
        "NAVIGATE_SAFER_SECRET_KEY": "a-key-of-the-tests-and-of-nothing-else",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
    }


# Settings and the database


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        pytest.param("MQTT_PORT", "eighteen", "must be a whole number", id="a number in words"),
        pytest.param("PUBLIC_URL", "somewhere", "must be an address", id="no address"),
        pytest.param("SMS_SENDER", "pigeon", "must be console, twilio", id="another sender"),
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
