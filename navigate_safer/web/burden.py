"""The burden of alerts: how many, how fast answered, at night, and where they come from."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from alerts.burden import MOST_A_DAY_PER_RULE
from navigate_safer.people.access import Permission
from navigate_safer.services import burden as figures
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("burden", __name__)
USUAL_DAYS = 28


@pages.get("/burden")
@rule(Permission.RUN_ALERTING)
def burden() -> ResponseReturnValue:
    """The page."""
    typed = request.args.get("days", "")
    asked = {str(each): each for each in figures.SPANS_DAYS}
    days = asked.get(typed, USUAL_DAYS)
    return render_template(
        "burden.html",
        page=figures.see(service().sessions, scope(), days, now()),
        days=days,
        spans=figures.SPANS_DAYS,
        budget=MOST_A_DAY_PER_RULE,
    )
