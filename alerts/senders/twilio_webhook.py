"""What Twilio posts to us: proof that it is Twilio, receipts for texts, and officers' replies."""

import re
from collections.abc import Mapping, Sequence

import msgspec
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from alerts.delivery import DeliveryStatus, Fault
from alerts.senders.twilio_errors import receipt_fault
from alerts.senders.twilio_voice import call_status

EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""Answer to an inbound text that sends nothing back; serve as ``text/xml``."""

SIGNATURE_HEADER = "X-Twilio-Signature"

# Words by which Twilio, not we, stops all texts to a number ("Twilio support for opt-out
# keywords"). It still posts them to us, and nothing else tells that an officer is muted.
_OPT_OUT_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
)
_OPT_IN_WORDS = frozenset({"START", "UNSTOP", "YES"})
_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_KEYS = re.compile(r"[0-9*#]{1,8}")
_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


class WebhookError(ValueError):
    """A posted form is not what Twilio documents; names the field and never its value."""


def signature_is_valid(
    *, url: str, params: Mapping[str, str], signature: str | None, auth_tokens: Sequence[str]
) -> bool:
    """Whether the form was signed with one of the account's auth tokens.

    ``url`` is the public address that Twilio called, made from configuration and never from the
    Host header; scheme, path and query must be exact. Give both tokens during a rotation. A
    missing signature is False. No token at all is False too: nothing could be proven.
    """
    if not signature:
        return False
    # An empty token would be a key that everybody knows.
    return any(_signed_with(token, url, params, signature) for token in auth_tokens if token)


def _signed_with(token: str, url: str, params: Mapping[str, str], signature: str) -> bool:
    validator = RequestValidator(token)
    return bool(validator.validate(url, params, signature))


def text_back(words: str) -> str:
    """Answer to an inbound text that texts its sender; serve as ``text/xml``."""
    response = MessagingResponse()
    response.message(words)
    return str(response)


class Receipt(msgspec.Struct, frozen=True):
    """A status callback. ``status`` is None where Twilio's ``word`` is new to us."""

    provider_id: str
    status: DeliveryStatus | None
    word: str
    error_code: int | None

    @property
    def fault(self) -> Fault | None:
        """Why the text failed; None while it has not."""
        failed = self.status is not None and self.status.failed
        return receipt_fault(self.error_code) if failed else None


class Reply(msgspec.Struct, frozen=True):
    """An inbound text: ``sender`` and ``recipient`` as Twilio gives them, usually E.164.

    The sender's number can be forged: a reply may stop an escalation and disclose nothing.
    """

    provider_id: str
    sender: str
    recipient: str
    body: str
    opt_out_type: str | None = None

    @property
    def is_opt_out(self) -> bool:
        """Whether it muted every further text to its sender: a supervisor must hear of it."""
        if self.opt_out_type is not None:
            return self.opt_out_type == "STOP"
        return self.body.strip().upper() in _OPT_OUT_WORDS

    @property
    def is_opt_in(self) -> bool:
        """Whether it lets texts to its sender through again."""
        if self.opt_out_type is not None:
            return self.opt_out_type == "START"
        return self.body.strip().upper() in _OPT_IN_WORDS

    def __repr__(self) -> str:
        return f"Reply(provider_id={self.provider_id!r})"


def read_receipt(form: Mapping[str, str]) -> Receipt:
    """The receipt in a status callback's form. Raises :class:`WebhookError`."""
    code = form.get("ErrorCode") or None
    if code is not None and not re.fullmatch(r"[0-9]{1,9}", code):
        raise WebhookError("the status callback's ErrorCode is not a number")
    word = _required(form, "MessageStatus", "status callback")
    return Receipt(
        provider_id=_message_sid(form, "status callback"),
        status=DeliveryStatus.from_word(word),
        word=word,
        error_code=int(code) if code is not None else None,
    )


def read_reply(form: Mapping[str, str]) -> Reply:
    """The officer's reply in an inbound text's form. Raises :class:`WebhookError`."""
    if "Body" not in form:
        raise WebhookError("the inbound text has no Body")
    return Reply(
        provider_id=_message_sid(form, "inbound text"),
        sender=_required(form, "From", "inbound text"),
        recipient=_required(form, "To", "inbound text"),
        # May be empty: a picture without words is a text too, and acknowledges nothing.
        body=form["Body"],
        opt_out_type=form.get("OptOutType") or None,
    )


def read_call_receipt(form: Mapping[str, str]) -> Receipt:
    """How far a call has come, in a call's status callback. Raises :class:`WebhookError`."""
    word = _required(form, "CallStatus", "call's status callback")
    return Receipt(
        provider_id=_call_sid(form),
        status=call_status(word),
        word=word,
        error_code=None,
    )


def read_key(form: Mapping[str, str]) -> tuple[str, str]:
    """The call and the keys that were pressed in it. Raises :class:`WebhookError`."""
    keys = _required(form, "Digits", "key press")
    if not _KEYS.fullmatch(keys):
        raise WebhookError("the key press's Digits are not keys of a telephone")
    return _call_sid(form), keys


def _call_sid(form: Mapping[str, str]) -> str:
    sid = _required(form, "CallSid", "call")
    if not _CALL_SID.fullmatch(sid):
        raise WebhookError("the call's CallSid is not CA and 32 hexadecimal digits")
    return sid


def _required(form: Mapping[str, str], field: str, what: str) -> str:
    value = form.get(field, "")
    if not value:
        raise WebhookError(f"the {what} has no {field}")
    return value


def _message_sid(form: Mapping[str, str], what: str) -> str:
    sid = _required(form, "MessageSid", what)
    if not _MESSAGE_SID.fullmatch(sid):
        raise WebhookError(f"the {what}'s MessageSid is not SM or MM and 32 hexadecimal digits")
    return sid
