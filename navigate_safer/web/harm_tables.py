"""Tables of harm: which is in use and where it comes from, and a new one from a file."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.csv_input import BadInput
from navigate_safer.people.access import Permission
from navigate_safer.services import harm_tables
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("harm_tables", __name__)


@pages.get("/outcomes/harm")
@rule(Permission.SEE_OUTCOMES)
def listed() -> ResponseReturnValue:
    """Every table that was loaded, the one in use first."""
    return _page({})


@pages.post("/outcomes/harm")
@rule(Permission.EDIT_OUTCOME_BASIS)
def upload() -> ResponseReturnValue:
    """Put a table from a CSV file in use."""
    sent, errors = request.files.get("file"), dict[str, str]()
    for field, what in (
        ("version", "Enter the version that the table's maker gives it"),
        ("source", "Enter where the table comes from"),
    ):
        if not request.form.get(field, "").strip():
            errors[field] = what
    if sent is None or not sent.filename:
        errors["file"] = "Select a CSV file with the columns code and days"
    if errors or sent is None:
        return _page(errors)
    try:
        table = harm_tables.read_table(sent.read(), request.form["version"], request.form["source"])
        harm_tables.load(service().sessions, scope(), table, now())
    except BadInput as fault:
        return _page({"file": f"{fault}. Nothing was saved."})
    flash(f"The table {table.version} with {len(table.weights_days)} codes is in use.", "success")
    return redirect(url_for("harm_tables.listed"))


def _page(errors: dict[str, str]) -> Response:
    page = render_template(
        "outcomes_harm.html",
        tables=harm_tables.see(service().sessions, scope(), now()),
        form=request.form,
        errors=errors,
    )
    return Response(page, 422 if errors else 200)
