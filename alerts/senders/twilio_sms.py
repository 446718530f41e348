"""Texts through Twilio's Messages API: one call, one outcome, and nothing personal in a log."""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText
from alerts.senders.twilio_errors import error_of, send_error

TIMEOUT_S = 10.0
"""Bounds the connecting and each wait for bytes; GOV.UK Notify uses the same for its providers.
The library's own default is to wait for ever."""

CLOCK_SKEW = timedelta(seconds=5)
"""Twilio stamps messages with its clock in whole seconds; ours may be ahead by this much. Kept
small, or an earlier reminder of the same alert would be taken for the text that was lost."""

SEARCH_LIMIT = 100
"""Newest texts to one number that are looked through; an officer gets far fewer in a minute."""

# Both write the query at INFO or DEBUG, and a query for one officer's texts holds the number.
_TALKATIVE_LOGGERS = ("twilio.http_client", "urllib3.connectionpool")

_CALLBACK_LIMIT = 4000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)

_Answer = TypeVar("_Answer")


class TwilioSms:
    """Sends through one Twilio account; implements :class:`alerts.delivery.Sender`.

    Give exactly one of ``from_number`` (E.164, two-way) and ``messaging_service_sid``.
    ``base_url`` replaces the scheme and host of every call, for a relay or a stand-in; None is
    Twilio itself. Bodies are retained at Twilio, because :meth:`find` searches in them.
    Raises ``ValueError`` for settings that cannot work.
    """

    name = "twilio"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        from_number: str | None = None,
        messaging_service_sid: str | None = None,
        base_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not account_sid or not auth_token:
            # With an empty one the library would quietly take it from the environment.
            raise ValueError("Twilio needs an account SID and an auth token; one is empty")
        if bool(from_number) == bool(messaging_service_sid):
            raise ValueError("give Twilio either a from number or a Messaging Service SID")
        if timeout_s <= 0:
            raise ValueError(f"timeout_s is {timeout_s}; give seconds above 0")
        self._origin = (
            {"from_": from_number}
            if from_number
            else {"messaging_service_sid": messaging_service_sid}
        )
        for logger_name in _TALKATIVE_LOGGERS:
            logging.getLogger(logger_name).setLevel(logging.WARNING)
        self._client = Client(
            account_sid,
            auth_token,
            http_client=_Transport(base_url, timeout_s),
            # Not an empty mapping, which is false and makes the library read os.environ: with
            # TWILIO_EDGE or TWILIO_REGION set it would rewrite the host of every call.
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
        )

    def send(self, text: OutgoingText) -> Accepted:
        """Hand one text over. Raises :class:`alerts.delivery.SendError` and nothing else."""
        extra: dict[str, str] = {}
        if text.status_callback is not None:
            if not callback_is_usable(text.status_callback):
                raise error_of(Fault.BAD_CALLBACK)
            extra["status_callback"] = text.status_callback
        return _outcome(
            lambda: _accepted(
                self._client.messages.create(
                    to=text.to,
                    body=text.body,
                    validity_period=text.validity_period_s,
                    smart_encoded=True,
                    **self._origin,
                    **extra,
                )
            )
        )

    def find(self, *, to: str, reference: str, since: datetime) -> Accepted | None:
        """The newest text to this number that holds the reference; see the port.

        Looks by date of sending, and then without a date: Twilio dates a text when it leaves,
        and the one we look for may still be queued.
        """
        earliest = (since.astimezone(UTC) - CLOCK_SKEW).replace(microsecond=0)
        return _outcome(
            lambda: (
                _newest(
                    self._client.messages.list(to=to, date_sent_after=earliest, limit=SEARCH_LIMIT),
                    reference,
                    earliest,
                )
                or _newest(
                    self._client.messages.list(to=to, limit=SEARCH_LIMIT), reference, earliest
                )
            )
        )


class _Transport(HttpClient):
    """The library's transport with a time-out, another host if wished, and fresh connections.

    A connection kept from the last text has usually been closed at the other end after a quiet
    night. The first text would then be "cut", hence ambiguous and half a minute late, which is
    dearer than a handshake. With nothing shared, threads may also send side by side.
    """

    def __init__(self, base_url: str | None, timeout_s: float) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), False, timeout_s)
        self._base = None
        if base_url is not None:
            self._base = urlsplit(base_url)
            if self._base.scheme not in ("http", "https") or not self._base.netloc:
                raise ValueError(f"base_url {base_url!r} must be http(s)://host[:port][/path]")

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make the call at the base URL."""
        once = TwilioHttpClient(timeout=self.timeout)
        try:
            return once.request(
                method, self._moved(uri), params, data, headers, auth, timeout, allow_redirects
            )
        finally:
            if once.session is not None:
                once.session.close()

    def _moved(self, url: str) -> str:
        if self._base is None:
            return url
        parts = urlsplit(url)
        path = self._base.path.rstrip("/") + parts.path
        return urlunsplit((self._base.scheme, self._base.netloc, path, parts.query, ""))


def callback_is_usable(url: str) -> bool:
    """Whether Twilio can accept the address for receipts: http(s), a host without underscore.

    Twilio documents at most 4000 characters; it refuses others with error 21609.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # Raises for a port that is not a number.
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and _HOST.fullmatch(host) is not None
        and len(url) <= _CALLBACK_LIMIT
        and not re.search(r"\s", url)
    )


def _outcome(call: Callable[[], _Answer]) -> _Answer:
    """Run one call; any failure becomes a SendError with no trace of the original.

    Raised outside the handler on purpose: ``raise ... from None`` would still keep the original,
    with the number in its text, as ``__context__`` for whoever collects errors.
    """
    try:
        return call()
    except (TwilioException, requests.exceptions.RequestException) as problem:
        error = send_error(problem)
    except (ValueError, TypeError, KeyError, AttributeError):
        # The library does not wrap an answer that is not JSON, or not of the documented shape.
        error = error_of(Fault.AMBIGUOUS)
    raise error


def _accepted(message: MessageInstance) -> Accepted:
    if not message.sid:
        raise ValueError("an answer without a message SID")
    # A status word that is new to us is still an acceptance: there is a SID.
    status = DeliveryStatus.from_word(str(message.status)) or DeliveryStatus.ACCEPTED
    return Accepted(provider_id=message.sid, status=status)


def _newest(
    messages: Iterable[MessageInstance], reference: str, earliest: datetime
) -> Accepted | None:
    for message in messages:
        # The date filter of the API is documented for whole days only, so it is applied again.
        if (
            reference in (message.body or "")
            and message.date_created is not None
            and message.date_created >= earliest
        ):
            return _accepted(message)
    return None
