"""Built-in help: which page serves which statement of the documents behind this service."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.seeds import PERSON, SEEDS
from navigate_safer.web.auth import rule

pages = Blueprint("statements", __name__)


@pages.get("/help/statements")
@rule(Permission.OWN_ACCOUNT)
def listed() -> ResponseReturnValue:
    """The table of statements."""
    return render_template("help_statements.html", seeds=SEEDS, person=PERSON)
