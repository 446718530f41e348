"""Texts through Twilio's Messages API: one call, one outcome, and nothing personal in a log."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from twilio.rest.api.v2010.account.message import MessageInstance

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText
from alerts.senders.twilio_client import TIMEOUT_S, make_client, outcome
from alerts.senders.twilio_errors import error_of

CLOCK_SKEW = timedelta(seconds=5)
"""Twilio stamps messages with its clock in whole seconds; ours may be ahead by this much. Kept
small, or an earlier reminder of the same alert would be taken for the text that was lost."""

SEARCH_LIMIT = 100
"""Newest texts to one number that are looked through; an officer gets far fewer in a minute."""

_CALLBACK_LIMIT = 4000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)


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
        if bool(from_number) == bool(messaging_service_sid):
            raise ValueError("give Twilio either a from number or a Messaging Service SID")
        self._origin = (
            {"from_": from_number}
            if from_number
            else {"messaging_service_sid": messaging_service_sid}
        )
        self._client = make_client(
            account_sid=account_sid, auth_token=auth_token, base_url=base_url, timeout_s=timeout_s
        )

    def send(self, text: OutgoingText) -> Accepted:
        """Hand one text over. Raises :class:`alerts.delivery.SendError` and nothing else."""
        extra: dict[str, str] = {}
        if text.status_callback is not None:
            if not callback_is_usable(text.status_callback):
                raise error_of(Fault.BAD_CALLBACK)
            extra["status_callback"] = text.status_callback
        return outcome(
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

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The newest text to this number that holds the reference; see the port.

        Looks by date of sending, and then without a date: Twilio dates a text when it leaves,
        and the one we look for may still be queued.
        """
        earliest = (since.astimezone(UTC) - CLOCK_SKEW).replace(microsecond=0)
        return outcome(
            lambda: (
                _newest(
                    self._client.messages.list(to=to, date_sent_after=earliest, limit=SEARCH_LIMIT),
                    reference,
                    earliest,
                    taken,
                )
                or _newest(
                    self._client.messages.list(to=to, limit=SEARCH_LIMIT),
                    reference,
                    earliest,
                    taken,
                )
            )
        )


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


def _accepted(message: MessageInstance) -> Accepted:
    if not message.sid:
        raise ValueError("an answer without a message SID")
    # A status word that is new to us is still an acceptance: there is a SID.
    status = DeliveryStatus.from_word(str(message.status)) or DeliveryStatus.ACCEPTED
    return Accepted(provider_id=message.sid, status=status)


def _newest(
    messages: Iterable[MessageInstance],
    reference: str,
    earliest: datetime,
    taken: Collection[str],
) -> Accepted | None:
    for message in messages:
        # The date filter of the API is documented for whole days only, so it is applied again.
        if (
            reference in (message.body or "")
            and message.sid not in taken
            and message.date_created is not None
            and message.date_created >= earliest
        ):
            return _accepted(message)
    return None
