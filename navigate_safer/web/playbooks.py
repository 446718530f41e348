"""Tick a step of an alert's playbook; the steps are shown on the alert's page."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import playbook
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("playbooks", __name__)


@pages.post("/alerts/<reference>/step")
@rule(Permission.SEE_BOARD)
def tick(reference: str) -> ResponseReturnValue:
    """Record that a step is done: officers theirs, the IDVA hers."""
    key, said = request.form.get("key", ""), request.form.get("said", "")
    if playbook.tick(service().sessions, scope(), reference, key, said, now()):
        flash("The step is recorded with your name and the time.", "success")
    else:
        flash("The step was recorded before you.", "information")
    return redirect(url_for("alerts.alert", reference=reference, _anchor="playbook"))
