"""Every kind of case record, for what goes over all of them: what is due, and the timeline."""

from typing import Any

from navigate_safer.people import (
    assessments,
    breaches,
    caseloads,
    closing,
    cohort,
    failures,
    menu,
    notices,
    orders,
    panels,
    partners,
    plan_log,
    programmes,
    referrals,
    safety,
)
from navigate_safer.people.access import Scope
from navigate_safer.people.records import RecordKind

# One line a subject; a kind that is missing here would be due and on no page.
ALL: tuple[RecordKind[Any], ...] = (
    *cohort.KINDS,
    *closing.KINDS,
    *plan_log.KINDS,
    *programmes.KINDS,
    *menu.KINDS,
    *caseloads.KINDS,
    *(orders.ORDER, failures.FAILURE, breaches.BREACH, notices.NOTICE),
    *referrals.KINDS,
    *assessments.KINDS,
    *(partners.MAPPED, partners.LOOK_UP),
    *(safety.CONTACT, safety.DISCLOSURE, safety.SAFETY_CHECK),
    *(panels.PANEL, panels.ITEM, panels.ACTION),
)
BY_NAME = {each.name: each for each in ALL}


def seen_by(scope: Scope) -> list[str]:
    """Names of the kinds that somebody may see."""
    return [each.name for each in ALL if scope.may(each.see)]


def on_timeline(scope: Scope) -> list[str]:
    """Names of the kinds that somebody may see among the others about a person."""
    return [each.name for each in ALL if scope.may(each.see) and not each.confidential]
