"""What GOV.UK Notify posts to us: proof that it is Notify, receipts, and officers' replies."""

import hmac
from typing import TypeVar

import msgspec

from alerts.delivery import DeliveryStatus, Fault
from alerts.senders.notify_sms import text_fault, text_status

_BEARER = "Bearer "
_Document = TypeVar("_Document")


class WebhookError(ValueError):
    """A posted document is not what Notify documents; names the field and never its value."""


class Receipt(msgspec.Struct, frozen=True):
    """A delivery receipt; ``reference`` is the mark that we gave the text."""

    id: str
    status: str
    reference: str | None = None

    @property
    def meaning(self) -> DeliveryStatus | None:
        """The status in our words; None for a word that is new to us."""
        return text_status(self.status)

    @property
    def fault(self) -> Fault | None:
        """Why the text failed; None while it has not."""
        return text_fault(self.status)


class Reply(msgspec.Struct, frozen=True):
    """An inbound text; ``source_number`` is without a plus, as Notify gives it."""

    id: str
    source_number: str
    message: str

    @property
    def sender(self) -> str:
        """The number as E.164."""
        return "+" + self.source_number.lstrip("+")

    def __repr__(self) -> str:
        return f"Reply(id={self.id!r})"


def token_is_valid(header: str | None, token: str) -> bool:
    """Whether the call carries the bearer token that we gave Notify; never without a token."""
    if not token or not header or not header.startswith(_BEARER):
        return False
    return hmac.compare_digest(header.removeprefix(_BEARER).encode(), token.encode())


def read_receipt(body: bytes) -> Receipt:
    """The receipt in a delivery callback. Raises :class:`WebhookError`."""
    return _read(body, Receipt)


def read_reply(body: bytes) -> Reply:
    """The officer's reply in an inbound callback. Raises :class:`WebhookError`."""
    return _read(body, Reply)


def _read(body: bytes, kind: type[_Document]) -> _Document:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WebhookError(f"the document is no {kind.__name__.lower()} of Notify") from None
