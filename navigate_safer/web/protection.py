"""Alerts about a protected person's device: who has answered, what to do. Never where she is."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import protection
from navigate_safer.web import answered
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("protection", __name__)


@pages.get("/protection/<reference>")
@rule(Permission.ANSWER_PROTECTION)
def alert(reference: str) -> ResponseReturnValue:
    """The page."""
    return _page(reference)


def _page(reference: str, errors: dict[str, str] | None = None) -> Response:
    detail = protection.see(service().sessions, scope(), reference, now())
    page = render_template(
        "protection_alert.html", alert=detail, errors=errors or {}, form=request.form
    )
    return Response(page, 422 if errors else 200)


_FORMS = (pages, "/protection/<reference>", Permission.ANSWER_PROTECTION, _page)
answered.install(*_FORMS, closed="The next silence is told again.", fault=private_text.fault)
answered.install_reopening(*_FORMS, private_text.fault)
