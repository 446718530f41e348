"""Who is told where no supervisor has made a policy: everybody who can be reached, in order.

Duty officers first, then whoever supervises them, one after the other.
"""

from collections.abc import Sequence

from alerts.finding import FindingKind, Severity
from alerts.policy import POLICY_VERSION, Channel, Person, Plan, Step

# How long each person has. Policy of this project until a supervisor edits it: NIJ 1004.00 asks
# that an active breach reach the agency within four minutes, so two people fit into it.
ANSWER_WITHIN_S = {Severity.CRITICAL: 120, Severity.HIGH: 300, Severity.MEDIUM: 900}
# Duty officers first, then whoever supervises them.
ROLES_IN_ORDER = ("duty_officer", "supervisor")
# What is wrong with the service itself is told to who can mend it first; it names no case.
ROLES_FOR_THE_SERVICE = ("system_administrator", "supervisor")
# A protected person's device that is silent: who looks after her, then who answers for them, then
# whoever is awake.
ROLES_FOR_PROTECTION = ("idva", "supervisor", "duty_officer")
# A gap in a rota, or a telephone that takes no texts, is mended by who runs the area.
ROLES_FOR_STAFF = ("supervisor",)


def roles_for(kind: FindingKind | None) -> tuple[str, ...]:
    """Who is told of a kind of alert where nobody else is named; None: of the service itself."""
    if kind is None:
        return ROLES_FOR_THE_SERVICE
    return ROLES_FOR_PROTECTION if kind is FindingKind.PROTECTED_SILENCE else ROLES_IN_ORDER


def plan(
    severity: Severity, people: Sequence[Person], roles: Sequence[str] = ROLES_IN_ORDER
) -> Plan:
    """Order the people of the wearer's area who can be texted.

    An empty plan for a severity that texts is itself a fault: the caller must raise it on the
    board, because nobody would be told.
    """
    if not severity.texts_an_officer:
        return Plan(POLICY_VERSION, ())
    reachable = [each for each in people if Channel.SMS in each.channels and each.role in roles]
    reachable.sort(key=lambda each: (roles.index(each.role), each.call_order, each.staff_id))
    wait_s = ANSWER_WITHIN_S[severity]
    steps = (Step(staff_id=each.staff_id, answer_within_s=wait_s) for each in reachable)
    return Plan(POLICY_VERSION, tuple(steps))


def plan_about_staff(severity: Severity, here: Sequence[Person], all_: Sequence[Person]) -> Plan:
    """The supervisors of an area, then who comes first for the service.

    ``here`` are people of the area, of several areas perhaps more than once.
    """
    own = {each.staff_id: each for each in here}
    first = plan(severity, list(own.values()), ROLES_FOR_STAFF)
    told = {step.staff_id for step in first.steps}
    others = [each for each in all_ if each.staff_id not in told]
    after = plan(severity, others, ROLES_FOR_THE_SERVICE)
    return Plan(POLICY_VERSION, (*first.steps, *after.steps))
