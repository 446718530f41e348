"""Who is told, in what order, and by when they must answer.

The plan is made and stored when the alert opens, so that a later change of staff or policy cannot
change what was promised for an alert that is already out.
"""

from collections.abc import Sequence

import msgspec

from alerts.finding import Severity

POLICY_VERSION = "1"


class Contact(msgspec.Struct, frozen=True):
    """Somebody who can be texted; ``role`` as in the access policy."""

    staff_id: int
    role: str
    call_order: int
    has_phone: bool


class PlannedStep(msgspec.Struct, frozen=True):
    """Tell this person, and wait this long for an acknowledgement."""

    staff_id: int
    answer_within_s: int


class Plan(msgspec.Struct, frozen=True):
    """The steps of one alert; the last one repeats until somebody acknowledges."""

    policy_version: str
    steps: tuple[PlannedStep, ...]

    def step(self, number: int) -> PlannedStep | None:
        """Step ``number`` from 0; past the end the last one; None for an empty plan."""
        return self.steps[min(number, len(self.steps) - 1)] if self.steps else None


# How long each person has. Policy of this project until a supervisor edits it: NIJ 1004.00 asks
# that an active breach reach the agency within four minutes, so two people fit into it.
ANSWER_WITHIN_S = {Severity.CRITICAL: 120, Severity.HIGH: 300, Severity.MEDIUM: 900}
# Duty officers first, then whoever supervises them.
ROLES_IN_ORDER = ("duty_officer", "supervisor")


def plan(severity: Severity, contacts: Sequence[Contact]) -> Plan:
    """Order the people of the wearer's area who can be texted.

    An empty plan for a severity that texts is itself a fault: the caller must raise it on the
    board, because nobody would be told.
    """
    if not severity.texts_an_officer:
        return Plan(POLICY_VERSION, ())
    reachable = [each for each in contacts if each.has_phone and each.role in ROLES_IN_ORDER]
    reachable.sort(key=lambda each: (ROLES_IN_ORDER.index(each.role), each.call_order))
    wait_s = ANSWER_WITHIN_S[severity]
    return Plan(POLICY_VERSION, tuple(PlannedStep(each.staff_id, wait_s) for each in reachable))
