"""The port through which texts leave: what is sent, what can go wrong, and when to try again.

A sender makes one call and says how it ended. It never retries by itself, because a text has no
idempotency key at a provider: only the caller, who holds the outbox row, knows whether another
call could text an officer twice. All times are aware, UTC, and arguments.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

import msgspec

from alerts.outgoing import OutgoingText as OutgoingText  # noqa: PLC0414 - part of the port

RETRY_BUDGET_S = 20.0
"""Past this an officer is better told by the next channel than by this one. Project policy,
between Twilio's own advice to back off and the 60 s after which a silent text counts as lost."""
BACKOFF_BASE_S = 1.0
"""First pause after "too many requests"; doubled at each try (Twilio advises exponential)."""
TRANSIENT_RETRY_S = 5.0
TRANSIENT_TRIES = 2
"""One retry for a fault inside the provider or a carrier, then the next channel."""
UNREACHABLE_RETRY_S = 60.0
UNREACHABLE_TRIES = 5
"""A telephone that is off is tried again in the background while the next person is told."""
PROVIDER_DOWN_RETRY_S = 10.0
"""While every provider of a channel refuses us, the text waits and is tried at this pace; whoever
comes next by the same channel could not be told either. Project policy."""
CHASE_AFTER_S = 60.0
"""Sent and not delivered for so long counts as lost (alerting reference, section 1): the next
channel or person is due."""
RECONCILE_AFTER_S = 30.0
"""How long an unanswered call is left alone. Twilio may itself work on one for about 26 s
(twilio-ruby issue 519), and looking earlier could miss a text that is still being accepted."""


class DeliveryStatus(Enum):
    """How far a text has come, in the providers' words; some networks never say delivered."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    READ = "read"

    @property
    def rank(self) -> int:
        """Progress; a receipt of a lower or equal rank is late or repeated."""
        if self is DeliveryStatus.READ:
            return 7
        if self.terminal:
            return 6
        return list(DeliveryStatus).index(self)

    @property
    def terminal(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.reached_phone or self.failed

    @property
    def reached_phone(self) -> bool:
        """Whether the telephone has the text; nobody need have looked at it."""
        return self in (DeliveryStatus.DELIVERED, DeliveryStatus.READ)

    @property
    def failed(self) -> bool:
        """Whether the text will not come: the next contact is due now."""
        return self.value in ("undelivered", "failed", "canceled")

    @classmethod
    def from_word(cls, word: str | None) -> "DeliveryStatus | None":
        """The status a provider's word means; None for a word we do not know."""
        try:
            return cls((word or "").strip().lower())
        except ValueError:
            return None


def advance(current: DeliveryStatus, incoming: DeliveryStatus | None) -> DeliveryStatus:
    """The status after a receipt: only forward.

    Receipts come repeated, late and out of order, and in words that are new (None); none of
    these changes anything. A terminal status stays, except that a delivered text may be read.
    """
    if incoming is None:
        return current
    if current.terminal:
        read = current is DeliveryStatus.DELIVERED and incoming is DeliveryStatus.READ
        return incoming if read else current
    return incoming if incoming.rank > current.rank else current


class Accepted(msgspec.Struct, frozen=True):
    """A provider took the text over, under its own id."""

    provider_id: str
    status: DeliveryStatus


class Fault(Enum):
    """How a call, or an accepted text, went wrong; carries its consequences.

    No fault closes an alert. "Permanent" is said of a number, a provider or a wording.
    """

    RATE_LIMITED = "rate_limited"
    NOT_SENT = "not_sent"
    AMBIGUOUS = "ambiguous"
    PROVIDER_UNUSABLE = "provider_unusable"
    NUMBER_PERMANENT = "number_permanent"
    RECIPIENT_STOPPED = "recipient_stopped"
    BAD_CALLBACK = "bad_callback"
    TRANSIENT = "transient"
    HANDSET_UNREACHABLE = "handset_unreachable"
    CONTENT_REFUSED = "content_refused"

    @property
    def retry_same_provider(self) -> bool:
        """Whether the same call may succeed later (:func:`next_try` says when)."""
        return self in (
            Fault.RATE_LIMITED,
            Fault.NOT_SENT,
            Fault.BAD_CALLBACK,
            Fault.TRANSIENT,
            Fault.HANDSET_UNREACHABLE,
        )

    @property
    def retry_is_safe(self) -> bool:
        """Whether the provider is known not to have delivered, so no officer is texted twice."""
        return not self.ambiguous

    @property
    def ambiguous(self) -> bool:
        """Whether the provider may have taken it: look with :meth:`Sender.find` before more."""
        return self is Fault.AMBIGUOUS

    @property
    def try_next_contact_now(self) -> bool:
        """Whether waiting for this person would lose time."""
        return self in (
            Fault.NUMBER_PERMANENT,
            Fault.RECIPIENT_STOPPED,
            Fault.HANDSET_UNREACHABLE,
            Fault.CONTENT_REFUSED,
        )

    @property
    def number_is_bad(self) -> bool:
        """Whether the contact record needs a person's attention.

        Not after STOP: the number is right, and works again as soon as its owner sends START.
        """
        return self is Fault.NUMBER_PERMANENT

    @property
    def provider_is_down(self) -> bool:
        """Whether every text through this provider would fail likewise."""
        return self is Fault.PROVIDER_UNUSABLE

    @property
    def lies_with_provider(self) -> bool:
        """Whether another provider may well bring the same text to the same person now."""
        return self in (
            Fault.RATE_LIMITED,
            Fault.NOT_SENT,
            Fault.TRANSIENT,
            Fault.PROVIDER_UNUSABLE,
            Fault.CONTENT_REFUSED,
        )

    @property
    def tell_supervisor(self) -> bool:
        """Whether breaches now go unseen beyond this one text.

        An officer who sent STOP has muted every breach text; a provider that refuses us, or a
        carrier that filters our wording, mutes them for everybody.
        """
        return self in (Fault.RECIPIENT_STOPPED, Fault.PROVIDER_UNUSABLE, Fault.CONTENT_REFUSED)

    @property
    def is_our_fault(self) -> bool:
        """Whether whoever runs the service must mend a setting, a credential or the wording."""
        return self in (Fault.PROVIDER_UNUSABLE, Fault.BAD_CALLBACK, Fault.CONTENT_REFUSED)


class SendError(Exception):
    """A sender could not do what was asked; the only exception that leaves a sender.

    ``code`` is the provider's own error number. The message is in our words: providers repeat
    the recipient's number in theirs.
    """

    def __init__(self, fault: Fault, message: str, *, code: int | None = None) -> None:
        super().__init__(message if code is None else f"{message} (provider code {code})")
        self.fault = fault
        self.code = code


class Sender(Protocol):
    """A way to send a text: a real provider, the console, or a recording for tests."""

    @property
    def name(self) -> str:
        """Short name for logs and the attempt row."""

    def send(self, text: OutgoingText) -> Accepted:
        """Make one call. Raises :class:`SendError` and nothing else."""

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The text with this reference handed over to this number at ``since`` or later.

        Never one whose id is in ``taken``: it is known to be of another.

        Reconciles a call whose answer was lost; None means that the provider does not have it.
        Raises :class:`SendError` when the provider cannot say: then nothing is known yet, and
        asking again is always safe.
        """


def reconcile_at(called_at: datetime) -> datetime:
    """When to look for a call whose answer was lost."""
    return called_at + timedelta(seconds=RECONCILE_AFTER_S)


def next_try(
    fault: Fault, *, tries: int, first_tried_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """When to call the same provider again for this text; None: not again, go on elsewhere.

    ``tries`` counts the calls made, this failure included (1 or more). ``jitter`` is a random
    value in [0, 1) that spreads workers which were refused together. None for an ambiguous
    call means: reconcile first (:func:`reconcile_at`), never repeat blindly. After
    ``BAD_CALLBACK`` repeat :meth:`OutgoingText.without_callback`.
    """
    if tries < 1 or not 0.0 <= jitter < 1.0:
        raise ValueError(f"tries={tries}, jitter={jitter}: give tries >= 1 and 0 <= jitter < 1")
    pause_s = _pause_s(fault, tries, jitter)
    if pause_s is None:
        return None
    due = now + timedelta(seconds=pause_s)
    budgeted = fault in (Fault.RATE_LIMITED, Fault.NOT_SENT, Fault.BAD_CALLBACK)
    if budgeted and due - first_tried_at > timedelta(seconds=RETRY_BUDGET_S):
        return None
    return due


def _pause_s(fault: Fault, tries: int, jitter: float) -> float | None:
    # Half of the pause is fixed, so that jitter never turns a back-off into an instant repeat.
    # Beyond ten doublings every pause is past the budget; the cap keeps the number finite.
    backoff_s = BACKOFF_BASE_S * 2.0 ** min(tries - 1, 10) * (0.5 + jitter / 2)
    match fault:
        case Fault.RATE_LIMITED:
            return backoff_s
        case Fault.NOT_SENT:
            return 0.0 if tries == 1 else backoff_s
        case Fault.BAD_CALLBACK:
            return 0.0
        case Fault.TRANSIENT if tries < TRANSIENT_TRIES:
            return TRANSIENT_RETRY_S
        case Fault.HANDSET_UNREACHABLE if tries < UNREACHABLE_TRIES:
            return UNREACHABLE_RETRY_S
        case _:
            return None
