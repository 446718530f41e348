"""One breach: its failures, the clock of its pack, who signed, and what came of it."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from navigate_safer.people.access import Permission
from navigate_safer.people.breaches import pack_by
from navigate_safer.services import breach_pack, breaches, enforcement
from navigate_safer.services.enforcement import BreachPage
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import Stale
from navigate_safer.web.alert_words import explain
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.failures import pdf
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.orders import shown
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("breaches", __name__)
RECORD_PAGES = {"breach": ("breaches.one", RECORD)}


@pages.get("/breaches/<ref>")
@rule(Permission.SEE_CASEWORK)
def one(ref: str) -> ResponseReturnValue:
    """One breach: its failures, the clock of its pack, and who signed."""
    return _page(ref, {}, {})


@pages.post("/breaches/<ref>/sign")
@rule(Permission.MANAGE_CASES)
def sign(ref: str) -> ResponseReturnValue:
    """Sign the statement."""
    fields = Fields(request.form)
    statement = fields.long_text("statement", "your statement")
    if not fields.ticked("true"):
        fields.errors["true"] = "Confirm that the statement is true and yours"
    fields.refuse_private("statement")
    if not fields.errors:
        try:
            breaches.sign(
                service().sessions, scope(), ref, statement, replaces=fields.version(), now=now()
            )
        except Stale as fault:
            typed = replace(_see(ref).breach.body, statement=statement)
            return _page(ref, request.form, {}, conflict(fault, typed))
        flash("The statement is signed. Print the pack and sign the page by hand.", "success")
        return redirect(url_for("breaches.one", ref=ref))
    return _page(ref, request.form, fields.errors)


@pages.post("/breaches/<ref>/outcome")
@rule(Permission.MANAGE_CASES)
def conclude(ref: str) -> ResponseReturnValue:
    """What came of it, by which it is closed."""
    fields = Fields(request.form)
    outcome = fields.text("outcome", "what the court or the service decided", longest=1_000)
    fields.refuse_private("outcome")
    if not fields.errors:
        try:
            breaches.conclude(
                service().sessions, scope(), ref, outcome, replaces=fields.version(), now=now()
            )
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            typed = replace(_see(ref).breach.body, outcome=outcome)
            return _page(ref, request.form, {}, conflict(fault, typed))
        else:
            flash("The breach is closed.", "success")
            return redirect(url_for("breaches.one", ref=ref))
    return _page(ref, request.form, fields.errors)


@pages.get("/breaches/<ref>/pack.pdf")
@rule(Permission.MANAGE_CASES)
def pack(ref: str) -> ResponseReturnValue:
    """The breach pack."""
    return pdf(breach_pack.pdf(service().sessions, scope(), ref, explain, now()), f"breach-{ref}")


def _page(
    ref: str,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    stale: Conflict | None = None,
) -> Response:
    page = _see(ref)
    if not form:
        body = page.breach.body
        form = {"statement": body.statement, "replaces": str(page.breach.version)}
    text = render_template(
        "breach.html",
        page=page,
        form=shown(form),
        errors=errors,
        conflict=stale,
        pack_by=pack_by(page.breach.body),
        now=now(),
    )
    return Response(text, 409 if stale is not None else 422 if errors else 200)


def _see(ref: str) -> BreachPage:
    return enforcement.see_breach(service().sessions, scope(), ref, now())
