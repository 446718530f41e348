"""Who needs me today, and the timeline of one person."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission, Role
from navigate_safer.services import timeline as timelines
from navigate_safer.services import today as mornings
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.person_tabs import Tab

pages = Blueprint("today", __name__)
PERSON_TABS = (Tab("Timeline", "today.timeline", Permission.SEE_CASEWORK),)
# Who has cases of their own sees those first; the others see the area.
OWN_CASES = {Role.OFFENDER_MANAGER, Role.PROGRAMME_FACILITATOR, Role.IDVA}


@pages.get("/today")
@rule(Permission.SEE_CASEWORK)
def today() -> ResponseReturnValue:
    """Open alerts and what is due, by person."""
    usual = "mine" if scope().role in OWN_CASES else "all"
    mine = request.args.get("whose", usual) == "mine"
    return render_template(
        "today.html", shown=mornings.see(service().sessions, scope(), now(), mine=mine)
    )


@pages.get("/people/<ref>/timeline")
@rule(Permission.SEE_CASEWORK)
def timeline(ref: str) -> ResponseReturnValue:
    """What happened, across agencies, the newest first."""
    shown = timelines.see(service().sessions, scope(), ref, now())
    return render_template("timeline.html", shown=shown)
