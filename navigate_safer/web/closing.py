"""Close the case of a person, with the reason, and open it again."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from navigate_safer.people.access import Permission
from navigate_safer.people.closing import CASE, CaseState, ClosedWhy
from navigate_safer.services import closing
from navigate_safer.services.casework import NotFound
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_forms import attempt, filled, shown
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("closing", __name__)
RECORD_PAGES = {CASE.name: ("cases.person", PERSON)}
BOTH = ["GET", "POST"]


def _done(ref: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("cases.person", ref=ref))


@pages.route("/people/<ref>/close", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def close(ref: str) -> ResponseReturnValue:
    """Close a case: it asks for nobody until it is opened again."""
    stands = closing.see(service().sessions, scope(), ref, now())
    more: dict[str, object] = {"stands": stands, "reasons": list(ClosedWhy)}
    title = "Close the case"
    if request.method == "GET":
        form = filled({"replaces": str(stands.version)})
        return shown("case_close.html", title, ref, stands.name, form, more=more)
    fields = Fields(request.form)
    why = fields.choice("why", ClosedWhy, "why the case is closed")
    words = fields.long_text("words", "the reason", required=why is ClosedWhy.OTHER)
    body = CaseState(why or ClosedWhy.OTHER, words)
    outcome = attempt(
        fields,
        lambda: closing.close(service().sessions, scope(), ref, body, fields.version(), now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The case is closed.")
    return shown(
        "case_close.html", title, ref, stands.name, request.form, fields, outcome.clash, more=more
    )


@pages.route("/people/<ref>/reopen", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def reopen(ref: str) -> ResponseReturnValue:
    """Open a closed case again."""
    stands = closing.see(service().sessions, scope(), ref, now())
    if not stands.closed:
        raise NotFound
    title, more = "Open the case again", dict[str, object](stands=stands)
    if request.method == "GET":
        form = filled({"replaces": str(stands.version)})
        return shown("case_reopen.html", title, ref, stands.name, form, more=more)
    fields = Fields(request.form)
    words = fields.long_text("words", "why it is opened again")
    outcome = attempt(
        fields,
        lambda: closing.reopen(service().sessions, scope(), ref, words, fields.version(), now()),
        lambda _stale: CaseState(None, words),
    )
    if outcome.kept:
        return _done(ref, "The case is open.")
    return shown(
        "case_reopen.html", title, ref, stands.name, request.form, fields, outcome.clash, more=more
    )
