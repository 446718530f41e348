"""That the work with somebody is over: why the case was closed, and that it was opened again."""

from collections.abc import Sequence
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind

CLOSED, OPEN_AGAIN = "closed", "open_again"


class ClosedWhy(Enum):
    """Why a case is closed."""

    WORK_DONE = "work_done"
    DECLINED = "declined"
    MOVED = "moved"
    SENTENCED = "sentenced"
    DIED = "died"
    OTHER = "other"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "work_done": "The work is done",
            "declined": "No order is in force and help was declined",
            "moved": "Moved to another area",
            "sentenced": "In custody for a long time",
        }.get(self.value, self.value.capitalize())


class CaseState(msgspec.Struct, frozen=True):
    """A case that was closed, for ``why``, or opened again, where it is None; who is the author."""

    why: ClosedWhy | None
    words: str


# A referral opens a case again, whoever decides on it: the service asks for what each step needs.
CASE = RecordKind(
    "case_state", "Case closed or opened again", "CS", CaseState, Permission.SEE_CASEWORK,
    Permission.SEE_CASEWORK,
)  # fmt: skip
KINDS = (CASE,)


def why_not_close(*, in_cohort: bool, orders: Sequence[str], alerts: Sequence[str]) -> list[str]:
    """What stands against closing a case; ``orders`` and ``alerts`` name the live and open ones."""
    found = []
    if in_cohort:
        found.append("this person is in the cohort: a panel decides first")
    found += [f"an order is in force or to come: {each}" for each in orders]
    found += [f"alert {each} is open" for each in alerts]
    return found
