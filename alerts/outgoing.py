"""One message to one person, as a sender gets it: a text, a call or an e-mail."""

import re

import msgspec

from alerts.messages import CODE_DIGITS
from alerts.policy import Channel

MIN_VALIDITY_S = 6
"""Twilio advises more than 5 s: a text may spend that long in its own queue."""
MAX_VALIDITY_S = 36_000
"""Twilio's upper bound, and its default: ten hours, at which a breach is no news."""
LONGEST_ADDRESS = 254
"""Of an e-mail address (RFC 5321, by erratum 1690)."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Neither space nor line end: a header could be begun with it.
_EMAIL = re.compile(r"[^@\s\x00-\x1f<>]+@[^@\s\x00-\x1f<>]+")


class OutgoingText(msgspec.Struct, frozen=True):
    """One message to one telephone or mailbox.

    ``attempt_id`` is ours and names this try in callbacks; ``to`` is E.164, or for e-mail an
    address; ``reference`` is the alert's and occurs in a ``body`` that is read, which is how an
    unanswered call is found again; ``validity_period_s`` is how long a provider may hold the text.
    ``answer_url`` takes the key that is pressed in a call. Raises ``ValueError`` without repeating
    the number or the address.
    """

    attempt_id: str
    to: str
    body: str
    reference: str
    validity_period_s: int
    status_callback: str | None = None
    channel: Channel = Channel.SMS
    answer_url: str | None = None

    def __post_init__(self) -> None:
        self._check_recipient()
        if not MIN_VALIDITY_S <= self.validity_period_s <= MAX_VALIDITY_S:
            raise ValueError(
                f"attempt {self.attempt_id}: validity_period_s is {self.validity_period_s}; "
                f"it must be {MIN_VALIDITY_S} to {MAX_VALIDITY_S}"
            )
        # A call is not looked for by what was said in it, and spells the reference.
        read = self.channel is not Channel.VOICE
        if not self.reference or (read and self.reference not in self.body):
            raise ValueError(
                f"attempt {self.attempt_id}: the body does not hold the reference "
                f"{self.reference!r}, so a lost answer could never be reconciled"
            )

    def _check_recipient(self) -> None:
        if self.channel is Channel.EMAIL:
            if len(self.to) > LONGEST_ADDRESS or not _EMAIL.fullmatch(self.to):
                raise ValueError(
                    f"attempt {self.attempt_id}: the recipient is not an e-mail address; "
                    "correct the contact"
                )
        elif not _E164.fullmatch(self.to):
            raise ValueError(
                f"attempt {self.attempt_id}: the recipient is not an E.164 number; "
                "store numbers as + and digits, with the country code"
            )

    @property
    def mark(self) -> str:
        """What tells this message from an earlier one of the same alert to the same person: its
        code (of several the first), not only the alert's reference.
        """
        words = (word.strip(".,") for word in self.body.split())
        codes = (word for word in words if len(word) == CODE_DIGITS and word.isdecimal())
        return next(codes, self.reference)

    def without_callback(self) -> "OutgoingText":
        """The same message asking for no receipts, for use after a refused callback address."""
        return msgspec.structs.replace(self, status_callback=None)

    def __repr__(self) -> str:
        # The number, the code and the link are secrets, and a repr ends up in logs and reports.
        return f"OutgoingText(attempt_id={self.attempt_id!r}, reference={self.reference!r})"
