"""Plans: the one of a person with everything beside it, and those of an area at a glance."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.plan_log import (
    AGREEMENT,
    CONTACT,
    OFFER,
    SCHEDULED,
    TRIGGERED,
    UNMANAGED,
)
from navigate_safer.people.plans import INCOMPLETE, PLAN, Strand
from navigate_safer.services import agreement_paper, plans
from navigate_safer.services.casework import NotFound
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("plans", __name__)
PERSON_TABS = (
    Tab(
        "Plan", "plans.person", Permission.SEE_CASEWORK,
        also=("plan_forms", "plan_log", "plan_agreement"),
    ),
)  # fmt: skip
RECORD_PAGES = {
    each.name: ("plans.person", PERSON)
    for each in (PLAN, OFFER, CONTACT, SCHEDULED, TRIGGERED, AGREEMENT, UNMANAGED)
}


@pages.get("/plans")
@rule(Permission.SEE_CASEWORK)
def listed() -> ResponseReturnValue:
    """Plans of the areas: without one, incomplete, done twice, unmanaged risk."""
    return render_template(
        "plans.html",
        shown=plans.see_all(service().sessions, scope(), now()),
        incomplete=INCOMPLETE,
        now=now(),
    )


@pages.get("/people/<ref>/plan")
@rule(Permission.SEE_CASEWORK)
def person(ref: str) -> ResponseReturnValue:
    """One person's plan."""
    return render_template(
        "plan.html",
        shown=plans.see_person(service().sessions, scope(), ref, now()),
        strands=list(Strand),
        incomplete=INCOMPLETE,
        now=now(),
    )


@pages.get("/people/<ref>/plan/agreement.pdf")
@rule(Permission.SEE_CASEWORK)
def paper(ref: str) -> ResponseReturnValue:
    """The engagement agreement to be signed, as PDF."""
    shown = plans.see_person(service().sessions, scope(), ref, now())
    if shown.agreement is None:
        raise NotFound
    content = agreement_paper.pdf(shown.agreement, shown.name, shown.key_worker or "")
    name = f"agreement-{shown.ref}-{shown.agreement.version}.pdf"
    return Response(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
