"""Texts through GOV.UK Notify: one call, one outcome, and nothing personal in a log."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
from notifications_python_client.errors import APIError, HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText, SendError
from alerts.senders.http_faults import unanswered

TIMEOUT_S = 10.0
PRODUCTION_URL = "https://api.notifications.service.gov.uk"
PERSONALISATION = "text"
"""The template at Notify must be just ((text)): what is said is made here, in one part."""

# Notify's words (docs.notifications.service.gov.uk, "Text message statuses") in ours. The carriers
# gave up in all three failures, so nobody waits: temporary, permanent and technical.
_STATUSES = {
    "created": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.SENDING,
    "pending": DeliveryStatus.SENT,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "temporary-failure": DeliveryStatus.UNDELIVERED,
    "permanent-failure": DeliveryStatus.UNDELIVERED,
    "technical-failure": DeliveryStatus.FAILED,
}
_FAULTS = {
    "temporary-failure": Fault.HANDSET_UNREACHABLE,
    "permanent-failure": Fault.NUMBER_PERMANENT,
    "technical-failure": Fault.TRANSIENT,
}
_WORDS = {
    Fault.RATE_LIMITED: "Notify has too many requests from us and did not take the text",
    Fault.NOT_SENT: "Notify could not be reached; the text was not handed over",
    Fault.AMBIGUOUS: "Notify gave no usable answer; it may have taken the text",
    Fault.PROVIDER_UNUSABLE: "Notify refuses this key, template or service: check the settings",
    Fault.NUMBER_PERMANENT: "Notify cannot text this recipient's number: correct the contact",
}
_KEY_LENGTH = 73  # a service id, a hyphen and a secret, each of 36 characters

_Answer = TypeVar("_Answer")


class NotifySms:
    """Sends through one service of Notify; implements :class:`alerts.delivery.Sender`.

    ``template_id`` names a text template that is just ``((text))``. Raises ``ValueError`` for
    settings that cannot work.
    """

    name = "notify"

    def __init__(
        self,
        *,
        api_key: str,
        template_id: str,
        base_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if len(api_key) < _KEY_LENGTH or not template_id:
            raise ValueError("Notify needs an API key, whole as it was shown, and a template")
        if timeout_s <= 0:
            raise ValueError(f"timeout_s is {timeout_s}; give seconds above 0")
        self._key, self._template = api_key, template_id
        self._url, self._timeout_s = base_url or PRODUCTION_URL, timeout_s
        # They write what Notify answers, and a refused number may be in it.
        for name in ("notifications_python_client.base", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def send(self, text: OutgoingText) -> Accepted:
        """Hand one text over. Raises :class:`alerts.delivery.SendError` and nothing else."""
        return self._outcome(
            lambda client: _accepted(
                client.send_sms_notification(
                    phone_number=text.to,
                    template_id=self._template,
                    personalisation={PERSONALISATION: text.body},
                    reference=text.mark,
                ),
                DeliveryStatus.ACCEPTED,
            )
        )

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The newest text to this number under the reference; see the port."""
        return self._outcome(
            lambda client: _newest(
                client.get_all_notifications(template_type="sms", reference=reference)[
                    "notifications"
                ],
                to,
                since,
                taken,
            )
        )

    def _outcome(self, call: Callable[[NotificationsAPIClient], _Answer]) -> _Answer:
        """Run one call with a client of its own: theirs is not made for threads, and a connection
        that was kept over a quiet night would be cut, hence an unknown.
        """
        client = NotificationsAPIClient(self._key, base_url=self._url, timeout=self._timeout_s)
        try:
            return call(client)
        except APIError as problem:
            fault = _fault_of(problem)
        except (ValueError, TypeError, KeyError, AttributeError):
            fault = Fault.AMBIGUOUS
        finally:
            client.request_session.close()
        # Outside the handler, so that no trace of the original with its number is kept.
        raise SendError(fault, _WORDS[fault])


def text_status(word: str | None) -> DeliveryStatus | None:
    """A text's status in our words; None for a word that is new to us."""
    return _STATUSES.get((word or "").strip().lower())


def text_fault(word: str) -> Fault | None:
    """Why a text failed; None while it has not."""
    return _FAULTS.get(word)


def _fault_of(problem: APIError) -> Fault:
    if problem.response is None:
        cause = problem.__cause__
        lost = isinstance(problem, HTTPError) and isinstance(cause, requests.RequestException)
        return unanswered(cause) if lost and isinstance(cause, Exception) else Fault.AMBIGUOUS
    match problem.status_code:
        case 429:
            return Fault.RATE_LIMITED
        case 401 | 403 | 404:
            return Fault.PROVIDER_UNUSABLE
        case 400:
            # Notify says "phone_number ..." of a bad number; else the template or a limit is wrong.
            about_number = "phone_number" in str(problem.message)
            return Fault.NUMBER_PERMANENT if about_number else Fault.PROVIDER_UNUSABLE
        case _:
            return Fault.AMBIGUOUS


def _accepted(answer: Mapping[str, Any], otherwise: DeliveryStatus) -> Accepted:
    status = text_status(answer.get("status")) or otherwise
    return Accepted(provider_id=str(answer["id"]), status=status)


def _newest(
    found: Iterable[Mapping[str, Any]], to: str, since: datetime, taken: Collection[str]
) -> Accepted | None:
    for each in found:
        if each.get("id") in taken:
            continue
        created_at = datetime.fromisoformat(each["created_at"])
        if created_at.tzinfo is None:
            created_at = created_at.replace(tzinfo=UTC)
        if each.get("phone_number") == to and created_at >= since:
            return _accepted(each, DeliveryStatus.ACCEPTED)
    return None
