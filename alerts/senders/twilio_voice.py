"""Telephone calls through Twilio's Calls API: the reference is spelled, a key acknowledges."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from twilio.rest.api.v2010.account.call import CallInstance
from twilio.twiml.voice_response import VoiceResponse

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText
from alerts.messages import KEY_PROMPT
from alerts.senders.twilio_client import TIMEOUT_S, make_client, outcome
from alerts.senders.twilio_errors import error_of
from alerts.senders.twilio_sms import CLOCK_SKEW, callback_is_usable

RINGS_S = 40
"""Below the minute after which a message counts as lost, so that a call that nobody answers is
known before; voicemail mostly takes over after 20 to 30 s. Project policy."""
SAID_TIMES = 3
"""A person who was asleep does not take in six letters at once. Project policy."""
KEY_WITHIN_S = 6
VOICE_LANGUAGE = "en-GB"
EVENTS = ("initiated", "ringing", "answered", "completed")
SEARCH_LIMIT = 20

# Twilio's words for a call (Call resource, "Call status values") in ours. "completed" is said of
# every call that was picked up, by a machine too: it reached the telephone, and no more is known.
_STATUSES = {
    "queued": DeliveryStatus.QUEUED,
    "initiated": DeliveryStatus.SENDING,
    "ringing": DeliveryStatus.SENDING,
    "in-progress": DeliveryStatus.SENT,
    "completed": DeliveryStatus.DELIVERED,
    "busy": DeliveryStatus.UNDELIVERED,
    "no-answer": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.CANCELED,
}


class TwilioVoice:
    """Calls through one Twilio account; implements :class:`alerts.delivery.Sender`.

    ``from_number`` is E.164. What is said goes in the call itself and is fetched from nowhere.
    Raises ``ValueError`` for settings that cannot work.
    """

    name = "twilio-voice"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        from_number: str,
        base_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not from_number:
            raise ValueError("calls need a from number; a Messaging Service cannot call")
        self._from = from_number
        self._client = make_client(
            account_sid=account_sid, auth_token=auth_token, base_url=base_url, timeout_s=timeout_s
        )

    def send(self, text: OutgoingText) -> Accepted:
        """Begin one call. Raises :class:`alerts.delivery.SendError` and nothing else."""
        extra: dict[str, object] = {}
        if text.status_callback is not None:
            if not callback_is_usable(text.status_callback):
                raise error_of(Fault.BAD_CALLBACK)
            extra = {
                "status_callback": text.status_callback,
                "status_callback_event": list(EVENTS),
            }
        return outcome(
            lambda: _accepted(
                self._client.calls.create(
                    to=text.to, from_=self._from, twiml=spoken(text), timeout=RINGS_S, **extra
                )
            )
        )

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The first call to this number at ``since`` or later that is not in ``taken``.

        A call is listed without what was said in it, so ``reference`` cannot be looked for. The
        caller names the calls that are known to be about something else; of those that are left
        the first is the one that was made first.
        """
        del reference
        earliest = (since.astimezone(UTC) - CLOCK_SKEW).replace(microsecond=0)
        return outcome(
            lambda: _first(
                self._client.calls.list(to=to, from_=self._from, limit=SEARCH_LIMIT),
                earliest,
                taken,
            )
        )


def spoken(text: OutgoingText) -> str:
    """The TwiML of a call: what it is, several times, and a key that acknowledges."""
    response = VoiceResponse()
    for _ in range(SAID_TIMES):
        said = response
        if text.answer_url is not None:
            said = response.gather(
                num_digits=1, timeout=KEY_WITHIN_S, action=text.answer_url, method="POST"
            )
        words = f"{text.body} {KEY_PROMPT}" if text.answer_url is not None else text.body
        said.say(words, language=VOICE_LANGUAGE)
    return str(response)


def call_status(word: str | None) -> DeliveryStatus | None:
    """A call's status in our words; None for a word that is new to us."""
    return _STATUSES.get((word or "").strip().lower())


def answer(words: str) -> str:
    """The TwiML that says something and hangs up."""
    response = VoiceResponse()
    response.say(words, language=VOICE_LANGUAGE)
    response.hangup()
    return str(response)


def _accepted(call: CallInstance) -> Accepted:
    if not call.sid:
        raise ValueError("an answer without a call SID")
    status = call_status(str(call.status)) or DeliveryStatus.ACCEPTED
    return Accepted(provider_id=call.sid, status=status)


def _first(
    calls: Iterable[CallInstance], earliest: datetime, taken: Collection[str]
) -> Accepted | None:
    """Twilio lists the newest first."""
    for call in reversed(list(calls)):
        late_enough = call.date_created is None or call.date_created >= earliest
        if late_enough and call.sid not in taken:
            return _accepted(call)
    return None
