"""Settings, parsed once from the environment, loudly: a bad value stops the start with its name.

Every variable is ``NAVIGATE_SAFER_<NAME>``; a secret may come from a file named by
``NAVIGATE_SAFER_<NAME>_FILE``. The README lists them all, and a test compares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from devices.quality import QualityLimits

PREFIX = "NAVIGATE_SAFER_"
SECRETS = frozenset(
    {
        "database_url",
        "secret_key",
        "mqtt_password",
        "twilio_auth_token",
        "twilio_auth_token_old",
        "notify_api_key",
        "notify_callback_token",
        "smtp_password",
        "metrics_token",
        "deadman_url",
        "audit_key",
        "audit_keys_old",
    }
)
# Longest address of our pages that leaves a breach text in one part, with "/a/" and a reference.
LONGEST_PUBLIC_URL = 77
SHORTEST_SECRET = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
HIGHEST_METRICS_PORT = 65_500
# Numbers for which 0 means: off, or not said.
ZERO_IS_GOOD = frozenset({"metrics_port", "database_disk_gb"})

T = TypeVar("T")


class BadSetting(Exception):
    """A setting that cannot be used; one line that names it and says what to do."""


@dataclass(frozen=True)
class Settings:
    """The whole configuration. Durations are in seconds where the name says ``_s``."""

    database_url: str = field(default="sqlite:///navigate-safer.sqlite3", repr=False)
    secret_key: str = field(default="", repr=False)
    public_url: str = "http://127.0.0.1:8000"
    web_host: str = "127.0.0.1"
    web_port: int = 8000
    session_idle_s: int = 1_800
    session_longest_s: int = 43_200
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    mqtt_protocol: str = "auto"
    mqtt_client_id: str = "navigate-safer-ingest"
    mqtt_username: str = ""
    mqtt_password: str = field(default="", repr=False)
    mqtt_ca_file: str = ""
    mqtt_cert_file: str = ""
    mqtt_key_file: str = ""
    command_lasts_s: int = 180
    commands_per_hour: int = 12
    sms_sender: str = "console"
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_auth_token_old: str = field(default="", repr=False)
    twilio_from: str = ""
    twilio_messaging_service_sid: str = ""
    twilio_voice_from: str = ""
    twilio_base_url: str = ""
    notify_api_key: str = field(default="", repr=False)
    notify_template_id: str = ""
    notify_callback_token: str = field(default="", repr=False)
    notify_base_url: str = ""
    sms_timeout_s: int = 10
    voice_sender: str = "off"
    email_sender: str = "off"
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_from: str = ""
    smtp_username: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_ca_file: str = ""
    deliver_side_by_side: int = 8
    log_level: str = "info"
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    metrics_token: str = field(default="", repr=False)
    deadman_url: str = field(default="", repr=False)
    audit_key: str = field(default="", repr=False)
    audit_keys_old: str = field(default="", repr=False)
    quarantine_kept_mb: int = 256
    database_disk_gb: int = 0
    archive_dir: str = "archive"
    partner_dir: str = ""
    partitions_ahead_days: int = 14
    close_after_days: int = 2
    archive_after_days: int = 60
    keep_readings_days: int = 2_192
    demonstration: bool = False
    clock_speed: float = 1.0
    clock_from: datetime | None = None
    clock_real_from: datetime | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the environment. Raises :class:`BadSetting` for the first value that is wrong."""
        known = {each.name for each in fields(cls)}
        values: dict[str, object] = {}
        for variable, raw in sorted(environ.items()):
            if not variable.startswith(PREFIX):
                continue
            name, text = _name_and_text(variable, raw)
            if name not in known:
                raise BadSetting(f"{variable}: there is no such setting; see the README's list")
            values[name] = _parse(variable, name, text)
        settings = cls(**values)  # type: ignore[arg-type]
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse combinations that would fail later, when somebody needs an alert."""
        _require(
            self.mqtt_protocol in ("auto", "5", "3.1.1"),
            "mqtt_protocol",
            "must be auto, 5 or 3.1.1",
        )
        _require(
            self.log_level in LOG_LEVELS, "log_level", f"must be one of {', '.join(LOG_LEVELS)}"
        )
        self._check_public_url()
        _require(
            self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")),
            "database_url",
            "must begin with sqlite:/// or postgresql+psycopg://",
        )
        _require(bool(self.mqtt_cert_file) == bool(self.mqtt_key_file), "mqtt_key_file",
                 "must be set together with mqtt_cert_file")  # fmt: skip
        # One without the other would silently be real time.
        both = (self.clock_from is None) == (self.clock_real_from is None)
        _require(both, "clock_from", "must be set together with clock_real_from")
        room = "must leave room for a port for each worker after it"
        _require(self.metrics_port <= HIGHEST_METRICS_PORT, "metrics_port", room)
        switch = self.deadman_url.startswith(("http://", "https://"))
        _require(switch or not self.deadman_url, "deadman_url", "must be an http or https address")
        few = f"must have at least {SHORTEST_SECRET} characters"
        for name in ("metrics_token", "secret_key", "audit_key"):
            long_enough = len(getattr(self, name)) >= SHORTEST_SECRET
            _require(long_enough or not getattr(self, name), name, few)
        self._check_senders()
        self._check_storage()

    def _check_storage(self) -> None:
        accepted = QualityLimits().past_days
        late = f"must be above {accepted}: readings so many days old are still accepted"
        _require(self.archive_after_days > accepted, "archive_after_days", late)
        sooner = "must be below archive_after_days"
        _require(self.close_after_days < self.archive_after_days, "close_after_days", sooner)
        longer = "must be above archive_after_days"
        _require(self.keep_readings_days > self.archive_after_days, "keep_readings_days", longer)
        _require(bool(self.archive_dir), "archive_dir", "must name a folder")

    def _check_public_url(self) -> None:
        try:
            parts = urlsplit(self.public_url)
            bare = not (parts.query or parts.fragment)
            good = parts.scheme in ("http", "https") and bool(parts.netloc) and bare
        except ValueError:
            good = False
        _require(good, "public_url", "must be an address such as https://safer.example.gov.uk")
        too_long = f"is longer than {LONGEST_PUBLIC_URL} characters: texts would not fit"
        _require(len(self.public_url) <= LONGEST_PUBLIC_URL, "public_url", too_long)
        _require(not self.public_url.endswith("/"), "public_url", "must not end with a slash")
        # A text that cannot be written would keep every alert from being opened.
        plain = all("!" <= each <= "}" and each not in "[\\]^`{|}" for each in self.public_url)
        _require(plain, "public_url", "must hold only characters that a text can: no space, no ~")

    @property
    def sms_senders(self) -> tuple[str, ...]:
        """The providers of texts in their order; at rest each has an equal share."""
        return tuple(name.strip() for name in self.sms_sender.split(","))

    def _check_senders(self) -> None:
        """What is really sent needs its account, and never stands beside what is only shown."""
        sms, voice, email = set(self.sms_senders), self.voice_sender, self.email_sender
        only = sms == {"console"} or (bool(sms) and sms <= {"twilio", "notify"})
        once = len(sms) == len(self.sms_senders)
        _require(only and once, "sms_sender", "must be console, twilio, notify or twilio,notify")
        _require(voice in ("off", "console", "twilio"), "voice_sender",
                 "must be off, console or twilio")  # fmt: skip
        _require(email in ("off", "console", "smtp"), "email_sender",
                 "must be off, console or smtp")  # fmt: skip
        if (sms | {voice, email}) - {"off", "console"}:
            # An alert that is told on a screen that nobody watches is told to nobody.
            shown = "must not be console where anything is really sent"
            for name in ("sms_sender", "voice_sender", "email_sender"):
                _require("console" not in getattr(self, name), name, shown)
            # A clock that runs fast would text real telephones about invented hours.
            _require(self.clock_speed == 1.0, "clock_speed", "must be 1 when texts are really sent")
        if "twilio" in sms or voice == "twilio":
            self._check_twilio()
        if "notify" in sms:
            self._need("notify_api_key", "notify_template_id", "notify_callback_token")
        if email == "smtp":
            self._need("smtp_host", "smtp_from")

    def _check_twilio(self) -> None:
        self._need("twilio_account_sid", "twilio_auth_token")
        if "twilio" in self.sms_senders:
            one = bool(self.twilio_from) != bool(self.twilio_messaging_service_sid)
            either = "set exactly one of twilio_from and twilio_messaging_service_sid"
            _require(one, "twilio_from", either)
        if self.voice_sender == "twilio":
            self._need("twilio_voice_from")

    def _need(self, *names: str) -> None:
        for name in names:
            _require(bool(getattr(self, name)), name, "is needed to send what is switched on")

    @property
    def audit_keys(self) -> tuple[str, ...]:
        """The keys of signed checkpoints: first the one that signs, then those that did."""
        named = (self.audit_key, *self.audit_keys_old.split(",")) if self.audit_key else ()
        return tuple(key.strip() for key in named if key.strip())

    def need_secret_key(self) -> str:
        """The key that signs cookies; only what serves pages needs it."""
        _require(bool(self.secret_key), "secret_key", "is needed to serve pages")
        return self.secret_key


def _require(holds: bool, name: str, fault: str) -> None:
    if not holds:
        raise BadSetting(f"{PREFIX}{name.upper()}: {fault}")


def _name_and_text(variable: str, raw: str) -> tuple[str, str]:
    name = variable.removeprefix(PREFIX).lower()
    if not name.endswith("_file") or name.removesuffix("_file") not in SECRETS:
        return name, raw
    try:
        return name.removesuffix("_file"), Path(raw).read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise BadSetting(f"{variable}: the file cannot be read ({fault.strerror})") from None
    except UnicodeDecodeError:
        raise BadSetting(f"{variable}: the file is not text in UTF-8") from None


def _parse(variable: str, name: str, text: str) -> object:
    default = next(each for each in fields(Settings) if each.name == name).default
    if name in ("clock_from", "clock_real_from"):
        return _as(variable, text, _instant, "an ISO 8601 time with an offset, such as Z")
    if isinstance(default, bool):
        return _as(variable, text, _boolean, "true or false")
    if isinstance(default, int):
        value = _as(variable, text, int, "a whole number")
        if name in ZERO_IS_GOOD:
            _require(value >= 0, name, "must not be below 0")
        else:
            _require(value > 0, name, "must be above 0")
        if name.endswith("_port"):
            _require(value < 65_536, name, "must be a port from 1 to 65535")
        return value
    if isinstance(default, float):
        speed = _as(variable, text, float, "a number")
        _require(0 < speed <= 1000, name, "must be above 0 and at most 1000")
        return speed
    return text


def _as(variable: str, text: str, parse: Callable[[str], T], wanted: str) -> T:
    try:
        return parse(text)
    except ValueError:
        # The value is not repeated: it might be a secret put into the wrong variable.
        raise BadSetting(f"{variable}: must be {wanted}") from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at


_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _BOOLEANS:
        raise ValueError(word)
    return _BOOLEANS[word]
