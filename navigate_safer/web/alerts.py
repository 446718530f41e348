"""One alert: what, when, why, where, who was told, and what was done about it."""

from itertools import groupby

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from alerts.lifecycle import Outcome
from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import (
    casework,
    consult,
    explaining,
    oversight,
    playbook,
    protection,
)
from navigate_safer.web import reasons
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("alerts", __name__)
# Points listed under the map; the map itself shows more.
MOST_LISTED = 60


@pages.get("/a/<reference>")
@rule(Permission.OWN_ACCOUNT)
def short(reference: str) -> ResponseReturnValue:
    """The link of a text, kept short so that the text fits into one part."""
    if oversight.is_about_service(service().sessions, reference):
        return redirect(url_for("service_alerts.alert", reference=reference))
    if protection.is_about_protection(service().sessions, reference):
        return redirect(url_for("protection.alert", reference=reference))
    return redirect(url_for("alerts.alert", reference=reference))


@pages.get("/alerts/<reference>")
@rule(Permission.SEE_BOARD)
def alert(reference: str) -> ResponseReturnValue:
    """The page."""
    return page(reference)


@pages.post("/alerts/<reference>/acknowledge")
@rule(Permission.ACT_ON_ALERTS)
def acknowledge(reference: str) -> ResponseReturnValue:
    """Take the alert on: no further person is told."""
    if casework.acknowledge(service().sessions, scope(), reference, now()):
        flash("You have acknowledged this alert. Record what you did within 15 minutes.", "success")
    else:
        flash("This alert was acknowledged or resolved before you.", "information")
    return redirect(url_for("alerts.alert", reference=reference))


@pages.post("/alerts/<reference>/note")
@rule(Permission.ACT_ON_ALERTS)
def add_note(reference: str) -> ResponseReturnValue:
    """Add a note."""
    text = request.form.get("note", "")
    wrong = private_text.fault(text) if text.strip() else "Enter a note"
    if wrong is not None:
        return page(reference, {"note": wrong})
    casework.add_note(service().sessions, scope(), reference, text, now())
    flash("Your note is saved.", "success")
    return redirect(url_for("alerts.alert", reference=reference))


@pages.post("/alerts/<reference>/resolve")
@rule(Permission.ACT_ON_ALERTS)
def resolve(reference: str) -> ResponseReturnValue:
    """Close the alert with an outcome."""
    chosen, text = request.form.get("outcome", ""), request.form.get("explanation", "")
    if chosen not in [each.value for each in Outcome]:
        return page(reference, {"outcome": "Select what you found"})
    outcome = Outcome(chosen)
    if outcome.needs_text and not text.strip():
        return page(reference, {"explanation": "Say what happened when you select Other"})
    wrong = private_text.fault(text)
    if wrong is not None:
        return page(reference, {"explanation": wrong})
    if casework.resolve(service().sessions, scope(), reference, outcome, text, now()):
        flash("The alert is resolved.", "success")
    else:
        flash("This alert was resolved before you.", "information")
    return redirect(url_for("alerts.alert", reference=reference))


@pages.post("/alerts/<reference>/reopen")
@rule(Permission.ACT_ON_ALERTS)
def reopen(reference: str) -> ResponseReturnValue:
    """Open a resolved alert again."""
    try:
        done = casework.reopen(
            service().sessions, scope(), reference, request.form.get("reopening", ""), now()
        )
    except casework.NoReason as fault:
        return page(reference, {"reopening": str(fault)})
    if done:
        flash("The alert is open again and is told from the first step.", "success")
    else:
        flash("This alert is not resolved.", "information")
    return redirect(url_for("alerts.alert", reference=reference))


def page(reference: str, errors: dict[str, str] | None = None) -> Response:
    """One alert's page, with what is wrong with a form on it by the form's field."""
    detail, picture, points = consult.see_alert(service().sessions, scope(), reference, now())
    shown = None
    if scope().may(Permission.SEE_PLACES) and explaining.explained(detail.line.kind):
        shown = explaining.see_explanation(service().sessions, scope(), reference, now())
    rendered = render_template(
        "alert.html",
        alert=detail,
        samples=[] if picture is None else picture.samples,
        picture=picture,
        reasons=None if shown is None else reasons.reasons(shown),
        judged=[] if shown is None else shown.explanation.fixes,
        points=points,
        most_listed=MOST_LISTED,
        # The last person of a plan is told again and again: one entry, however often.
        told=[list(texts) for _, texts in groupby(detail.texts, key=lambda each: each.who)],
        steps=playbook.see(service().sessions, scope(), reference),
        outcomes=list(Outcome),
        now=now(),
        errors=errors or {},
        form=request.form,
    )
    return Response(rendered, 422 if errors else 200)
