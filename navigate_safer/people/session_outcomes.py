"""How a session went, in NDelius contact outcome codes: whether he attended, and complied.

The codes are a data file with its version and source, ``data/session_outcomes.json``.
"""

from enum import Enum
from functools import lru_cache
from importlib.resources import files

import msgspec


class Counts(Enum):
    """How an outcome counts for attendance."""

    ATTENDED = "attended"
    MISSED = "missed"
    EXCUSED = "excused"
    # Offered anew on another day, and counted there.
    RESCHEDULED = "rescheduled"


class Outcome(msgspec.Struct, frozen=True):
    """One code. ``common`` ones come first on a register."""

    code: str
    words: str
    attended: bool
    complied: bool
    counts: Counts
    common: bool = False

    @property
    def state(self) -> str:
        """The word by which a session of this outcome is listed."""
        if self.attended and not self.complied:
            return "attended_without_complying"
        return self.counts.value


class Catalogue(msgspec.Struct, frozen=True):
    """The data file."""

    version: str
    source: str
    provenance: str
    outcomes: tuple[Outcome, ...]


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The codes as shipped."""
    content = files("navigate_safer.people").joinpath("data", "session_outcomes.json").read_bytes()
    return msgspec.json.decode(content, type=Catalogue)


@lru_cache(maxsize=1)
def by_code() -> dict[str, Outcome]:
    """Every code with what it means, the common ones first."""
    return {each.code: each for each in catalogue().outcomes}


def common() -> list[Outcome]:
    """The codes that most lines of a register need."""
    return [each for each in catalogue().outcomes if each.common]


def others() -> list[Outcome]:
    """The rest of them."""
    return [each for each in catalogue().outcomes if not each.common]


# Codes that the service itself writes or looks for.
UNACCEPTABLE_ABSENCE = "UAAB"
RESCHEDULED_BY_SERVICE = "RSSR"
