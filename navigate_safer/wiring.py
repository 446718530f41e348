"""Settings to real things: the only place that chooses a database, a sender, a broker, a clock."""

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TextIO

import msgspec
from sqlalchemy import Engine

from alerts.delivery import Fault, OutgoingText, Sender, SendError
from alerts.messages import NOT_ACKNOWLEDGED, NOT_ACKNOWLEDGED_BY_CODE
from alerts.policy import Channel
from alerts.senders.console import ConsoleSender
from alerts.senders.notify_sms import NotifySms
from alerts.senders.smtp_email import SmtpEmail
from alerts.senders.twilio_sms import TwilioSms
from alerts.senders.twilio_voice import TwilioVoice
from devices.codec import SUBSCRIPTIONS
from devices.command import ACK_SUBSCRIPTIONS
from devices.mqtt import Listener
from devices.mqtt_broker import Broker
from devices.mqtt_publish import Publisher
from devices.quality import QualityLimits
from navigate_safer.db import archive
from navigate_safer.db.base import Sessions, make_engine, make_sessions
from navigate_safer.db.limits import GIGABYTE
from navigate_safer.services.claiming import Ways
from navigate_safer.services.contacts import CODE_LASTS, ContactKind
from navigate_safer.services.health import Recent, SlowChecks
from navigate_safer.services.storage import Plan
from navigate_safer.services.telling import Voice
from navigate_safer.settings import Settings

Clock = Callable[[], datetime]


def make_clock(settings: Settings) -> Clock:
    """The service's clock: real time, or for a demonstration a faster one from a given instant."""
    if settings.clock_from is None or settings.clock_real_from is None:
        return lambda: datetime.now(UTC)
    start, real_start, speed = settings.clock_from, settings.clock_real_from, settings.clock_speed

    def simulated() -> datetime:
        elapsed = (datetime.now(UTC) - real_start).total_seconds()
        return start + timedelta(seconds=elapsed * speed)

    return simulated


def wall_clock() -> datetime:
    """Real time: signs of life of processes are real even where the service's clock is not."""
    return datetime.now(UTC)


class Service:
    """Everything a worker or the web needs, made once per process."""

    def __init__(self, settings: Settings, *, console: TextIO | None = None) -> None:
        self.settings = settings
        self.clock = make_clock(settings)
        self.wall_clock: Clock = wall_clock
        self.engine: Engine = make_engine(settings.database_url)
        self.sessions: Sessions = make_sessions(self.engine)
        archive.use_folder(
            self.sessions, archive.folder_for(settings.database_url, settings.archive_dir)
        )
        self.recent_health = Recent()
        self.slow_checks = SlowChecks(settings.database_disk_gb * GIGABYTE)
        self.voice = Voice(settings.public_url)
        self.limits = QualityLimits()
        self.storage_plan = Plan(
            ahead_days=settings.partitions_ahead_days,
            past_days=self.limits.past_days,
            close_after_days=settings.close_after_days,
            archive_after_days=settings.archive_after_days,
            keep_days=settings.keep_readings_days,
        )
        self._console = console or sys.stdout

    def ways(self) -> Ways:
        """The senders of each channel."""
        settings = self.settings
        made: dict[Channel, list[Sender]] = {
            Channel.SMS: [self.text_sender(name) for name in settings.sms_senders]
        }
        if settings.voice_sender == "twilio":
            made[Channel.VOICE] = [
                TwilioVoice(
                    account_sid=settings.twilio_account_sid,
                    auth_token=settings.twilio_auth_token,
                    from_number=settings.twilio_voice_from,
                    base_url=settings.twilio_base_url or None,
                    timeout_s=settings.sms_timeout_s,
                )
            ]
        elif settings.voice_sender == "console":
            made[Channel.VOICE] = [ConsoleSender(self._console, self.clock)]
        if settings.email_sender == "smtp":
            made[Channel.EMAIL] = [self._smtp()]
        elif settings.email_sender == "console":
            made[Channel.EMAIL] = [ConsoleSender(self._console, self.clock)]
        return made

    def text_sender(self, name: str) -> Sender:
        """The sender of texts of that name; raises ValueError where its account is not set."""
        settings = self.settings
        if name == "console":
            return ConsoleSender(self._console, self.clock)
        if name == "notify":
            return NotifySms(
                api_key=settings.notify_api_key,
                template_id=settings.notify_template_id,
                base_url=settings.notify_base_url or None,
                timeout_s=settings.sms_timeout_s,
            )
        return TwilioSms(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            from_number=settings.twilio_from or None,
            messaging_service_sid=settings.twilio_messaging_service_sid or None,
            base_url=settings.twilio_base_url or None,
            timeout_s=settings.sms_timeout_s,
        )

    def _smtp(self) -> SmtpEmail:
        settings = self.settings
        return SmtpEmail(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.smtp_from,
            username=settings.smtp_username,
            password=settings.smtp_password,
            ca_file=settings.smtp_ca_file,
            timeout_s=settings.sms_timeout_s,
        )

    def send_code(self, kind: ContactKind, address: str, body: str, reference: str) -> None:
        """Send a code to an address that somebody says is theirs; raises SendError."""
        channel = Channel.EMAIL if kind is ContactKind.EMAIL else Channel.SMS
        senders = list(self.ways().get(channel, []))
        if not senders and self.settings.sms_senders == ("console",):
            # A demonstration sends nothing, and shows every code.
            senders = [ConsoleSender(self._console, self.clock)]
        if not senders:
            raise SendError(Fault.NOT_SENT, f"no sender of {channel.label}s is set up")
        attempt = secrets.token_hex(16)
        lasts_s = int(CODE_LASTS.total_seconds())
        text = OutgoingText(attempt, address, body, reference, lasts_s, channel=channel)
        for place, sender in enumerate(senders, start=1):
            try:
                sender.send(text)
            except SendError:
                # A code that comes twice does no harm, one that never comes does.
                if place == len(senders):
                    raise
            else:
                return

    def text_back(self, provider: str, number: str) -> None:
        """Tell who replied with a code that no longer counts, by the provider that brought it.

        For a provider that takes no answer to its call. Nothing of the case is in it. Raises
        SendError; nothing is sent where texts no longer go by that provider.
        """
        if provider not in self.settings.sms_senders:
            return
        words, lasts_s = NOT_ACKNOWLEDGED_BY_CODE, int(CODE_LASTS.total_seconds())
        text = OutgoingText(secrets.token_hex(16), number, words, NOT_ACKNOWLEDGED, lasts_s)
        self.text_sender(provider).send(text)

    def listener(self, on_change: Callable[[bool, str | None], None]) -> Listener:
        """The subscription of intake."""
        return Listener(self._broker(), SUBSCRIPTIONS, self.clock, on_change)

    def ack_listener(self, on_change: Callable[[bool, str | None], None]) -> Listener:
        """The subscription to devices' acknowledgements of commands."""
        return Listener(self._broker("-acks"), ACK_SUBSCRIPTIONS, self.clock, on_change)

    def command_publisher(self) -> Publisher:
        """The way of commands to devices: MQTT 5 where the broker has it, whatever intake speaks.

        Only there a command expires in the broker too, and is known when nobody listens.
        """
        broker = msgspec.structs.replace(self._broker("-commands"), protocol="auto")
        return Publisher(broker)

    def _broker(self, part: str = "") -> Broker:
        settings = self.settings
        return Broker(
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            client_id=settings.mqtt_client_id + part,
            protocol=settings.mqtt_protocol,
            username=settings.mqtt_username,
            password=settings.mqtt_password,
            ca_file=settings.mqtt_ca_file,
            cert_file=settings.mqtt_cert_file,
            key_file=settings.mqtt_key_file,
        )

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()
