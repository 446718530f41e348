"""Alerts about the service itself: who has answered, and what to do."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from alerts.lifecycle import Outcome
from navigate_safer.people.access import Permission
from navigate_safer.services import casework, oversight
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("service_alerts", __name__)
HERE = "service_alerts.alert"


@pages.get("/service/alerts/<reference>")
@rule(Permission.MEND_SERVICE)
def alert(reference: str) -> ResponseReturnValue:
    """The page."""
    return _page(reference)


@pages.post("/service/alerts/<reference>/acknowledge")
@rule(Permission.MEND_SERVICE)
def acknowledge(reference: str) -> ResponseReturnValue:
    """Take it on: no further person is told for a while."""
    if casework.acknowledge(service().sessions, scope(), reference, now()):
        flash("You have acknowledged this alert. Record what you did within 15 minutes.", "success")
    else:
        flash("This alert was acknowledged or resolved before you.", "information")
    return redirect(url_for(HERE, reference=reference))


@pages.post("/service/alerts/<reference>/note")
@rule(Permission.MEND_SERVICE)
def add_note(reference: str) -> ResponseReturnValue:
    """Add a note."""
    text = request.form.get("note", "")
    if not text.strip():
        return _page(reference, {"note": "Enter a note"})
    casework.add_note(service().sessions, scope(), reference, text, now())
    flash("Your note is saved.", "success")
    return redirect(url_for(HERE, reference=reference))


@pages.post("/service/alerts/<reference>/resolve")
@rule(Permission.MEND_SERVICE)
def resolve(reference: str) -> ResponseReturnValue:
    """Close it by hand; it opens again while the part still fails."""
    text = request.form.get("explanation", "")
    if not text.strip():
        return _page(reference, {"explanation": "Say what you did"})
    done = casework.resolve(service().sessions, scope(), reference, Outcome.OTHER, text, now())
    if done:
        flash("The alert is resolved. It opens again if the part still fails.", "success")
    else:
        flash("This alert was resolved before you.", "information")
    return redirect(url_for(HERE, reference=reference))


def _page(reference: str, errors: dict[str, str] | None = None) -> Response:
    detail = oversight.see_service_alert(service().sessions, scope(), reference)
    page = render_template(
        "service_alert.html", alert=detail, errors=errors or {}, form=request.form
    )
    return Response(page, 422 if errors else 200)
