"""E-mail by SMTP with STARTTLS: a reference and a link, and nothing of the case."""

import smtplib
import ssl
from collections.abc import Callable, Collection
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import formatdate, make_msgid

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText, SendError

TIMEOUT_S = 10.0
_WORDS = {
    Fault.NOT_SENT: "the mail server could not be reached; the e-mail was not handed over",
    Fault.AMBIGUOUS: "the mail server gave no usable answer; it may have taken the e-mail",
    Fault.PROVIDER_UNUSABLE: "the mail server refuses us or has no STARTTLS: check the settings",
    Fault.NUMBER_PERMANENT: "the mail server refuses this recipient: correct the contact",
    Fault.TRANSIENT: "the mail server cannot take the e-mail for the moment",
}


class SmtpEmail:
    """Sends through one mail server; implements :class:`alerts.delivery.Sender`.

    Never without TLS, and only to a server whose certificate is for ``host``; ``ca_file`` names
    authorities other than the machine's. Raises ``ValueError`` for settings that cannot work.
    """

    name = "smtp"

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        username: str = "",
        password: str = "",
        ca_file: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not host or "@" not in sender:
            raise ValueError("e-mail needs a host and a sender's address")
        self._host, self._port, self._from = host, port, sender
        self._username, self._password = username, password
        self._tls = ssl.create_default_context(cafile=ca_file or None)
        self._timeout_s = timeout_s

    def send(self, text: OutgoingText) -> Accepted:
        """Hand one e-mail over. Raises :class:`alerts.delivery.SendError` and nothing else."""
        message = self._written(text)
        fault = self._hand_over(message, text.to)
        if fault is not None:
            raise SendError(fault, _WORDS[fault])
        # A relay has it. There will be no receipt: who reads it acknowledges.
        return Accepted(str(message["Message-ID"]).strip("<>")[:64], DeliveryStatus.SENT)

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """Never: a mail server cannot be asked, so a second e-mail is accepted, and marked."""
        del to, reference, since, taken
        return None

    def _written(self, text: OutgoingText) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = f"Navigate Safer alert {text.reference}"
        message["From"], message["To"] = self._from, text.to
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(text.attempt_id[:12], domain=self._from.split("@")[1])
        # Read by no robot as a request for a holiday note.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.body)
        return message

    def _hand_over(self, message: EmailMessage, to: str) -> Fault | None:
        try:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
        except (OSError, smtplib.SMTPException):
            return Fault.NOT_SENT
        try:
            return self._greet(server) or _deliver(server, self._from, to, message)
        finally:
            server.close()

    def _greet(self, server: smtplib.SMTP) -> Fault | None:
        """Up to the first word about the message: whatever fails, nothing has been sent."""
        try:
            server.starttls(context=self._tls)
            server.ehlo()
            if self._username:
                server.login(self._username, self._password)
        except (ssl.SSLCertVerificationError, smtplib.SMTPAuthenticationError):
            return Fault.PROVIDER_UNUSABLE
        except smtplib.SMTPNotSupportedError:
            return Fault.PROVIDER_UNUSABLE
        except (OSError, smtplib.SMTPException):
            return Fault.NOT_SENT
        return None


def _deliver(server: smtplib.SMTP, sender: str, to: str, message: EmailMessage) -> Fault | None:
    try:
        for call, value, permanent in (
            (server.mail, sender, Fault.PROVIDER_UNUSABLE),
            (server.rcpt, to, Fault.NUMBER_PERMANENT),
        ):
            code = _code(call, value)
            if code >= 400:
                return permanent if code >= 500 else Fault.TRANSIENT
    except (OSError, smtplib.SMTPException):
        return Fault.NOT_SENT
    try:
        code, _ = server.data(message.as_bytes(policy=SMTP_LINES))
    except smtplib.SMTPDataError as refused:
        code = refused.smtp_code
    except (OSError, smtplib.SMTPException):
        return Fault.AMBIGUOUS
    if code >= 500:
        return Fault.PROVIDER_UNUSABLE
    return None if code < 400 else Fault.TRANSIENT


def _code(call: Callable[[str], tuple[int, bytes]], value: str) -> int:
    return call(value)[0]
