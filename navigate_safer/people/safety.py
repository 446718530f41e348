"""Those who are protected: contact through the IDVA, safety checks, disclosures.

Nothing here names the place where somebody lives. A safety check is asked about a wearer and is
answered with a word that tells the officer what he may do and nothing of why.
"""

import re
from datetime import date
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind


class Reached(Enum):
    """How a try to be in contact ended."""

    SPOKE = "spoke"
    MESSAGE_LEFT = "message_left"
    NOT_REACHED = "not_reached"
    DECLINED = "declined"
    UNSAFE = "unsafe_to_call"


class Feels(Enum):
    """What she says of her own safety; a reason is given when she was not asked."""

    SAFER = "safer"
    THE_SAME = "the_same"
    LESS_SAFE = "less_safe"
    NOT_ASKED = "not_asked"


class Contact(msgspec.Struct, frozen=True):
    """One try to be in contact; ``safe_times`` is when she may be called."""

    reached: Reached
    feels: Feels
    why_not_asked: str
    note: str
    safe_times: str
    next_on: date | None = None


class Basis(Enum):
    """Under what she is told (Domestic Violence Disclosure Scheme, or the day's events)."""

    RIGHT_TO_ASK = "right_to_ask"
    RIGHT_TO_KNOW = "right_to_know"
    RELEASE = "release"
    BREACH = "breach"
    ORDER = "order"
    OTHER = "other"


class Disclosure(msgspec.Struct, frozen=True):
    """What somebody was told about a wearer, who told it and who was with her."""

    basis: Basis
    told_on: date
    told_by: str
    what: str
    wearer: str


class Answer(Enum):
    """What the IDVA says to a contact with the perpetrator that an officer plans."""

    GO_AHEAD = "go_ahead"
    WAIT = "wait"
    DO_NOT = "do_not"

    @property
    def words(self) -> str:
        """What the officer reads."""
        return {
            "go_ahead": "Go ahead",
            "wait": "Wait until the IDVA has answered again",
            "do_not": "Do not do this",
        }[self.value]


class SafetyCheck(msgspec.Struct, frozen=True):
    """A contact with the perpetrator that is planned, before which her safety is looked at."""

    planned_on: date
    what: str
    # By whom and until when the answer holds; nothing of why, which stays with the IDVA.
    answer: Answer | None = None
    holds_until: date | None = None


CONTACT = RecordKind(
    "victim_contact",
    "Contact with a protected person",
    "VC",
    Contact,
    Permission.SEE_VICTIMS,
    Permission.CONTACT_VICTIMS,
    True,
)
DISCLOSURE = RecordKind(
    "disclosure",
    "Disclosure",
    "VD",
    Disclosure,
    Permission.SEE_VICTIMS,
    Permission.CONTACT_VICTIMS,
    True,
)
# Who asks and who answers differ; the service asks each for the permission of the step.
SAFETY_CHECK = RecordKind(
    "safety_check",
    "Safety check before contact",
    "SC",
    SafetyCheck,
    Permission.SEE_CASEWORK,
    Permission.SEE_CASEWORK,
)

# Words by which the address of a place of refuge gives itself away.
_REFUGE = re.compile(
    r"\brefuge\b|\bsafe\s*house\b|\bwomen'?s\s+aid\b|\bsanctuary\s+scheme\b", re.IGNORECASE
)


class RefusedAddress(ValueError):
    """An address that is never stored; says what to do."""


def address_to_keep(typed: str, *, in_refuge: bool) -> str | None:
    """The address as it may be stored; None when there is none.

    Of somebody in a refuge there is none: what is not stored cannot leak. Raises
    :class:`RefusedAddress` for an address that reads like that of a refuge.
    """
    kept = " ".join(typed.split())
    if in_refuge and kept:
        raise RefusedAddress("Leave the address empty: that of a refuge is never stored")
    if _REFUGE.search(kept):
        raise RefusedAddress(
            "This reads like the address of a refuge, which is never stored: leave it empty and "
            "tick that she is in a refuge"
        )
    return kept or None
