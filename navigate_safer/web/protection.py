"""Alerts about a protected person's device: who has answered, what to do. Never where she is."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from alerts.lifecycle import Outcome
from navigate_safer.people.access import Permission
from navigate_safer.services import casework, protection
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("protection", __name__)
HERE = "protection.alert"


@pages.get("/protection/<reference>")
@rule(Permission.ANSWER_PROTECTION)
def alert(reference: str) -> ResponseReturnValue:
    """The page."""
    return _page(reference)


@pages.post("/protection/<reference>/acknowledge")
@rule(Permission.ANSWER_PROTECTION)
def acknowledge(reference: str) -> ResponseReturnValue:
    """Take it on: no further person is told for a while."""
    if casework.acknowledge(service().sessions, scope(), reference, now()):
        flash("You have acknowledged this alert. Record what you did within 15 minutes.", "success")
    else:
        flash("This alert was acknowledged or resolved before you.", "information")
    return redirect(url_for(HERE, reference=reference))


@pages.post("/protection/<reference>/note")
@rule(Permission.ANSWER_PROTECTION)
def add_note(reference: str) -> ResponseReturnValue:
    """Add a note."""
    text = request.form.get("note", "")
    if not text.strip():
        return _page(reference, {"note": "Enter a note"})
    casework.add_note(service().sessions, scope(), reference, text, now())
    flash("Your note is saved.", "success")
    return redirect(url_for(HERE, reference=reference))


@pages.post("/protection/<reference>/resolve")
@rule(Permission.ANSWER_PROTECTION)
def resolve(reference: str) -> ResponseReturnValue:
    """Close it by hand; this silence is then not told again."""
    text = request.form.get("explanation", "")
    if not text.strip():
        return _page(reference, {"explanation": "Say what you did"})
    done = casework.resolve(service().sessions, scope(), reference, Outcome.OTHER, text, now())
    if done:
        flash("The alert is resolved. The next silence is told again.", "success")
    else:
        flash("This alert was resolved before you.", "information")
    return redirect(url_for(HERE, reference=reference))


def _page(reference: str, errors: dict[str, str] | None = None) -> Response:
    detail = protection.see(service().sessions, scope(), reference, now())
    page = render_template(
        "protection_alert.html", alert=detail, errors=errors or {}, form=request.form
    )
    return Response(page, 422 if errors else 200)
