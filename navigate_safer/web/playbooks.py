"""Tick a step of an alert's playbook, or take it back; the steps are on the alert's page."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import playbook
from navigate_safer.services.playbook import NoReason
from navigate_safer.web import alerts
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("playbooks", __name__)


@pages.post("/alerts/<reference>/step")
@rule(Permission.SEE_BOARD)
def tick(reference: str) -> ResponseReturnValue:
    """Record that a step is done: officers theirs, the IDVA hers."""
    key, said = request.form.get("key", ""), request.form.get("said", "")
    wrong = private_text.fault(said)
    if wrong is not None:
        return alerts.page(reference, {f"said-{key}": wrong})
    if playbook.tick(service().sessions, scope(), reference, key, said, now()):
        flash("The step is recorded with your name and the time.", "success")
    else:
        flash("The step was recorded before you.", "information")
    return redirect(url_for("alerts.alert", reference=reference, _anchor="playbook"))


@pages.post("/alerts/<reference>/step/undo")
@rule(Permission.SEE_BOARD)
def undo(reference: str) -> ResponseReturnValue:
    """Take a tick back with a reason; the tick stays in the record."""
    key, why = request.form.get("key", ""), request.form.get("why", "")
    wrong = private_text.fault(why)
    if wrong is not None:
        return alerts.page(reference, {f"why-{key}": wrong})
    try:
        undone = playbook.undo(service().sessions, scope(), reference, key, why, now())
    except NoReason as fault:
        return alerts.page(reference, {f"why-{key}": str(fault)})
    if undone:
        flash("The step is taken back, with your name and the reason.", "success")
    else:
        flash("The step was not done, or was taken back before you.", "information")
    return redirect(url_for("alerts.alert", reference=reference, _anchor="playbook"))
