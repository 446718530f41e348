"""Settings are parsed once, loudly: one line that names the bad one and never its value."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.finding import Severity
from alerts.messages import breach_text
from navigate_safer.settings import LONGEST_PUBLIC_URL, PREFIX, SECRETS, BadSetting, Settings

TWILIO = {
    "SMS_SENDER": "twilio",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "t" * 32,
    "TWILIO_FROM": "+447700900001",
}


def settings(**values: str) -> Settings:
    return Settings.from_env({PREFIX + name: value for name, value in values.items()})


def test_nothing_set_gives_the_defaults() -> None:
    found = settings()
    assert found.database_url == "sqlite:///navigate-safer.sqlite3"
    assert found.sms_sender == "console"


def test_variables_of_others_are_left_alone() -> None:
    assert Settings.from_env({"PATH": "/bin", "HOME": "/root"}) == Settings()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("WEB_PORT", {"WEB_PORT": "eighty"}, id="a port in words"),
        pytest.param("WEB_PORT", {"WEB_PORT": "70000"}, id="a port past the last"),
        pytest.param("MQTT_PORT", {"MQTT_PORT": "0"}, id="port nought"),
        pytest.param("SESSION_IDLE_S", {"SESSION_IDLE_S": "-5"}, id="a negative duration"),
        pytest.param("CLOCK_SPEED", {"CLOCK_SPEED": "nan"}, id="a speed that is no number"),
        pytest.param("CLOCK_FROM", {"CLOCK_FROM": "yesterday"}, id="a time in words"),
        pytest.param("CLOCK_FROM", {"CLOCK_FROM": "2026-11-20T12:00:00"}, id="no offset"),
        pytest.param("CLOCK_FROM", {"CLOCK_FROM": "2026-11-20T12:00:00Z"}, id="half a fast clock"),
        pytest.param("DEMONSTRATION", {"DEMONSTRATION": "perhaps"}, id="neither yes nor no"),
        pytest.param("LOG_LEVEL", {"LOG_LEVEL": "loud"}, id="an unknown level"),
        pytest.param("ARCHIVE_DIR", {"ARCHIVE_DIR": ""}, id="an archive nowhere"),
        pytest.param(
            "ARCHIVE_AFTER_DAYS",
            {"ARCHIVE_AFTER_DAYS": "45"},
            id="archived while readings of the day are still accepted",
        ),
        pytest.param("CLOSE_AFTER_DAYS", {"CLOSE_AFTER_DAYS": "60"}, id="closed when archived"),
        pytest.param("KEEP_READINGS_DAYS", {"KEEP_READINGS_DAYS": "60"}, id="erased when archived"),
        pytest.param("PARTITIONS_AHEAD_DAYS", {"PARTITIONS_AHEAD_DAYS": "0"}, id="no day ahead"),
        pytest.param("SMS_SENDER", {"SMS_SENDER": "pigeon"}, id="an unknown sender"),
        pytest.param("MQTT_PROTOCOL", {"MQTT_PROTOCOL": "4"}, id="an unknown protocol"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "safer.example"}, id="an address without http"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://x.org/"}, id="a slash at the end"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://" + "x" * 80}, id="too long to text"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://[::1"}, id="half an address"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://x.org?a=1"}, id="a query behind it"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://x y.org"}, id="a space in it"),
        pytest.param("PUBLIC_URL", {"PUBLIC_URL": "https://caf\u00e9.org"}, id="an accent in it"),
        pytest.param("DATABASE_URL", {"DATABASE_URL": "mysql://x"}, id="another database"),
        pytest.param("SECRET_KEY", {"SECRET_KEY": "short"}, id="a key that can be guessed"),
        pytest.param("AUDIT_KEY", {"AUDIT_KEY": "short"}, id="a key that can be guessed too"),
        pytest.param("MQTT_KEY_FILE", {"MQTT_CERT_FILE": "/x"}, id="certificate without a key"),
        pytest.param("TWILIO_AUTH_TOKEN", {**TWILIO, "TWILIO_AUTH_TOKEN": ""}, id="no token"),
        pytest.param("TWILIO_ACCOUNT_SID", {**TWILIO, "TWILIO_ACCOUNT_SID": ""}, id="no account"),
        pytest.param("TWILIO_FROM", {**TWILIO, "TWILIO_FROM": ""}, id="no sending number"),
        pytest.param(
            "TWILIO_FROM",
            {**TWILIO, "TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32},
            id="two sending numbers",
        ),
        pytest.param("CLOCK_SPEED", {**TWILIO, "CLOCK_SPEED": "20"}, id="real texts, fast clock"),
        pytest.param("DATABSE_URL", {"DATABSE_URL": "sqlite:///x"}, id="a slip of the pen"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(name: str, values: dict[str, str]) -> None:
    with pytest.raises(BadSetting) as caught:
        settings(**values)
    line = str(caught.value)
    assert line.startswith(PREFIX + name + ":")
    assert "\n" not in line


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_can_come_from_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    forms = {"database_url": "postgresql+psycopg://u:p@h/n", "deadman_url": "https://switch/s"}
    value = forms.get(name, "s" * 40)
    file.write_text(value + "\n", encoding="utf-8")
    found = settings(**{f"{name.upper()}_FILE": str(file)})
    assert getattr(found, name) == value


def test_a_secret_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadSetting, match="SECRET_KEY_FILE: the file cannot be read"):
        settings(SECRET_KEY_FILE="/nowhere/secret")


def test_a_secret_file_that_is_not_text_is_named_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe" + b"s3cr3t" * 8)
    with pytest.raises(BadSetting, match="SECRET_KEY_FILE: the file is not text") as caught:
        settings(SECRET_KEY_FILE=str(file))
    assert "s3cr3t" not in str(caught.value)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=70))
def test_every_address_that_is_accepted_fits_into_a_text(rest: str) -> None:
    try:
        address = settings(PUBLIC_URL=f"https://{rest}").public_url
    except BadSetting:
        return
    for severity in Severity:
        link = f"{address}/a/CCCCCC"
        breach_text(reference="CCCCCC", word=severity.word, code="000000", link=link)


def test_the_longest_address_that_is_accepted_fits_into_a_text() -> None:
    longest = settings(PUBLIC_URL="https://" + "x" * (LONGEST_PUBLIC_URL - len("https://")))
    link = f"{longest.public_url}/a/CCCCCC"
    for severity in Severity:
        breach_text(reference="CCCCCC", word=severity.word, code="000000", link=link)


def test_the_paths_of_certificates_are_paths() -> None:
    found = settings(MQTT_CA_FILE="/a/ca.pem", MQTT_CERT_FILE="/a/c.pem", MQTT_KEY_FILE="/a/k.pem")
    assert found.mqtt_ca_file == "/a/ca.pem"


def test_no_secret_shows_when_settings_are_printed() -> None:
    hidden = "z3cr3t-z3cr3t-z3cr3t-z3cr3t-z3cr3t"
    found = settings(SECRET_KEY=hidden, MQTT_PASSWORD=hidden, TWILIO_AUTH_TOKEN=hidden)
    assert hidden not in repr(found)


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as caught:
        settings(WEB_PORT="hunter2-hunter2")
    assert "hunter2" not in str(caught.value)


def test_pages_need_a_key() -> None:
    with pytest.raises(BadSetting, match="SECRET_KEY: is needed to serve pages"):
        settings().need_secret_key()


def test_the_key_that_signs_logs_comes_before_those_that_did():
    new, older, oldest = (f"{name} key of the tests and of nothing else" for name in "abc")
    assert settings(AUDIT_KEY=new, AUDIT_KEYS_OLD=f"{older}, {oldest},").audit_keys == (
        new, older, oldest,
    )  # fmt: skip
    assert settings(AUDIT_KEY=new).audit_keys == (new,)
    assert settings(AUDIT_KEYS_OLD=older).audit_keys == (), "an old key signs nothing"
