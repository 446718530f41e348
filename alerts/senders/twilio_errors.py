"""What Twilio's errors mean for us: one table of codes, and the faults of the way there.

Twilio's own words are never passed on: they repeat the recipient's number ("The 'To' number
+44... is not a valid phone number"), and so do the URLs in the exceptions of its transport.
"""

from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)

from alerts.delivery import Fault, SendError
from alerts.senders.http_faults import unanswered

# Codes and their meaning: Twilio's error dictionary (twilio.com/docs/api/errors).
FAULT_OF_CODE: dict[int, Fault] = {
    20429: Fault.RATE_LIMITED,  # too many requests: never processed
    20500: Fault.AMBIGUOUS,  # internal server error
    20503: Fault.AMBIGUOUS,  # service unavailable
    20003: Fault.PROVIDER_UNUSABLE,  # authentication failed
    20005: Fault.PROVIDER_UNUSABLE,  # account not active
    20404: Fault.PROVIDER_UNUSABLE,  # no such account or resource
    30002: Fault.PROVIDER_UNUSABLE,  # account suspended
    # A bad From fails every text alike. Flagging each officer's number for it would be wrong.
    21606: Fault.PROVIDER_UNUSABLE,
    21603: Fault.PROVIDER_UNUSABLE,  # From is missing
    21659: Fault.PROVIDER_UNUSABLE,  # From is not a Twilio number
    21660: Fault.PROVIDER_UNUSABLE,  # From belongs to another account
    21701: Fault.PROVIDER_UNUSABLE,  # no such Messaging Service
    21703: Fault.PROVIDER_UNUSABLE,  # Messaging Service without a number
    21211: Fault.NUMBER_PERMANENT,  # invalid To
    21408: Fault.NUMBER_PERMANENT,  # no permission for that region
    21612: Fault.NUMBER_PERMANENT,  # no route to that number
    21614: Fault.NUMBER_PERMANENT,  # not a mobile number
    30004: Fault.NUMBER_PERMANENT,  # blocked
    30005: Fault.NUMBER_PERMANENT,  # unknown or inactive
    30006: Fault.NUMBER_PERMANENT,  # landline or carrier not reachable
    21610: Fault.RECIPIENT_STOPPED,  # recipient replied STOP
    21609: Fault.BAD_CALLBACK,  # invalid StatusCallback
    21611: Fault.TRANSIENT,  # the sender's queue is full
    30001: Fault.TRANSIENT,  # queue overflow
    30008: Fault.TRANSIENT,  # unknown error
    30410: Fault.TRANSIENT,  # provider time-out
    30003: Fault.HANDSET_UNREACHABLE,  # off, or no signal
    21602: Fault.CONTENT_REFUSED,  # body is missing
    21617: Fault.CONTENT_REFUSED,  # body is too long
    30007: Fault.CONTENT_REFUSED,  # filtered as unwanted
}

_SMALLEST_TWILIO_CODE = 10_000
"""Below it a "code" is an HTTP status, which the library fills in for bodies without a code."""

_WORDS = {
    Fault.RATE_LIMITED: "Twilio has too many requests from us and did not take the text",
    Fault.NOT_SENT: "Twilio could not be reached; the text was not handed over",
    Fault.AMBIGUOUS: "Twilio gave no usable answer; it may have taken the text",
    Fault.PROVIDER_UNUSABLE: "Twilio refuses this account, sender or address: check the settings",
    Fault.NUMBER_PERMANENT: "Twilio cannot text this recipient's number: correct the contact",
    Fault.RECIPIENT_STOPPED: "the recipient has replied STOP and gets no texts until START",
    Fault.BAD_CALLBACK: "Twilio refuses the status callback address: check the public address",
    Fault.TRANSIENT: "Twilio or a carrier failed for a moment; the text was not delivered",
    Fault.HANDSET_UNREACHABLE: "the recipient's telephone is off or without signal",
    Fault.CONTENT_REFUSED: "Twilio or a carrier refuses this text for what it says or asks",
}


def receipt_fault(code: int | None) -> Fault:
    """The fault behind a text that was accepted and then failed, by its receipt's ErrorCode.

    A receipt is final, so nothing in it is ambiguous: an unknown or missing code is a passing
    fault, as Twilio's own "unknown error" is.
    """
    fault = FAULT_OF_CODE.get(code, Fault.TRANSIENT) if code is not None else Fault.TRANSIENT
    return Fault.TRANSIENT if fault.ambiguous else fault


def send_error(problem: Exception) -> SendError:
    """The problem of one call as a :class:`SendError` in our words."""
    match problem:
        case TwilioRestException() | TwilioServiceException():
            code = _twilio_code(problem.code)
            return error_of(_answered(problem.status, code), code)
        case TwilioException():
            # List pages raise the bare class with the response as the second argument.
            status = getattr(problem.args[1], "status_code", None) if problem.args[1:] else None
            return error_of(_answered(status, None))
        case _:
            return error_of(unanswered(problem))


def error_of(fault: Fault, code: int | None = None) -> SendError:
    """A :class:`SendError` with our words for the fault."""
    return SendError(fault, _WORDS[fault], code=code)


def _twilio_code(code: object) -> int | None:
    return code if isinstance(code, int) and code >= _SMALLEST_TWILIO_CODE else None


def _answered(status: object, code: int | None) -> Fault:
    if code in FAULT_OF_CODE:
        return FAULT_OF_CODE[code]
    if not isinstance(status, int) or status >= 500 or status in (408, 409):
        return Fault.AMBIGUOUS
    if status == 429:
        return Fault.RATE_LIMITED
    # A redirection is not followed, so it means a wrong address as surely as "not found".
    if status in (401, 403, 404, 405) or 300 <= status < 400:
        return Fault.PROVIDER_UNUSABLE
    # Not CONTENT_REFUSED below 300: a success that the library could not read was a success.
    return Fault.CONTENT_REFUSED if status >= 400 else Fault.AMBIGUOUS
