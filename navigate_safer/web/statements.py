"""Built-in help: which page serves which statement of the documents behind this service."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.seeds import PERSON, SEEDS
from navigate_safer.web.auth import rule, rule_of, scope

pages = Blueprint("statements", __name__)


@pages.get("/help/statements")
@rule(Permission.OWN_ACCOUNT)
def listed() -> ResponseReturnValue:
    """The table of statements."""
    return render_template("help_statements.html", seeds=SEEDS, person=PERSON, may_open=_may_open)


def _may_open(path: str) -> bool:
    """Whether whoever reads may open a page of the table."""
    address = current_app.url_map.bind("")
    endpoint, _ = address.match(path, method="GET")
    needed = rule_of(current_app.view_functions[endpoint])
    return isinstance(needed, Permission) and scope().may(needed)
