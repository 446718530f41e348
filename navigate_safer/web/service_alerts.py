"""Alerts about the service itself: who has answered, and what to do."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import oversight
from navigate_safer.web import answered
from navigate_safer.web.auth import rule, scope, service

pages = Blueprint("service_alerts", __name__)


@pages.get("/service/alerts/<reference>")
@rule(Permission.MEND_SERVICE)
def alert(reference: str) -> ResponseReturnValue:
    """The page."""
    return _page(reference)


def _page(reference: str, errors: dict[str, str] | None = None) -> Response:
    detail = oversight.see_service_alert(service().sessions, scope(), reference)
    page = render_template(
        "service_alert.html", alert=detail, errors=errors or {}, form=request.form
    )
    return Response(page, 422 if errors else 200)


answered.install(
    pages,
    "/service/alerts/<reference>",
    Permission.MEND_SERVICE,
    _page,
    closed="It opens again if the part still fails.",
)
