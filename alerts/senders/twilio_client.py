"""Twilio's client as we use it: a time-out, fresh connections, nothing personal in a log."""

import logging
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from alerts.delivery import Fault
from alerts.senders.twilio_errors import error_of, send_error

TIMEOUT_S = 10.0
"""Bounds the connecting and each wait for bytes; GOV.UK Notify uses the same for its providers.
The library's own default is to wait for ever."""

# Both write the query at INFO or DEBUG, and a query for one officer's texts holds the number.
_TALKATIVE_LOGGERS = ("twilio.http_client", "urllib3.connectionpool")

_Answer = TypeVar("_Answer")


def make_client(
    *, account_sid: str, auth_token: str, base_url: str | None, timeout_s: float
) -> Client:
    """A client of one account; ``base_url`` replaces the scheme and host of every call.

    Raises ``ValueError`` for settings that cannot work.
    """
    if not account_sid or not auth_token:
        # With an empty one the library would quietly take it from the environment.
        raise ValueError("Twilio needs an account SID and an auth token; one is empty")
    if timeout_s <= 0:
        raise ValueError(f"timeout_s is {timeout_s}; give seconds above 0")
    for logger_name in _TALKATIVE_LOGGERS:
        logging.getLogger(logger_name).setLevel(logging.WARNING)
    return Client(
        account_sid,
        auth_token,
        http_client=_Transport(base_url, timeout_s),
        # Not an empty mapping, which is false and makes the library read os.environ: with
        # TWILIO_EDGE or TWILIO_REGION set it would rewrite the host of every call.
        environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
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


def outcome(call: Callable[[], _Answer]) -> _Answer:
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
