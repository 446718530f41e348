"""Cost and benefit: the result with every assumption beside it, and the forms that change one."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people import cost_ledger, cost_report
from navigate_safer.people.access import Permission
from navigate_safer.people.cost_book import Kind
from navigate_safer.people.cost_checks import BadEntry
from navigate_safer.people.outcome_table import words
from navigate_safer.services import costs
from navigate_safer.services.casework import NotFound
from navigate_safer.services.outcomes import LONDON
from navigate_safer.web import cost_forms
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.cost_fields import FIELDS
from navigate_safer.web.outcome_wish import known_at

pages = Blueprint("costs", __name__)
# What can be added to, and in which words.
ADDED = {
    Kind.BENEFIT: "Add a benefit",
    Kind.COST: "Add a schedule of costs",
    Kind.UNIT_COST: "Add a unit cost",
    Kind.LEDGER: "Add to the ledger",
    Kind.CONTRIBUTION: "Add a contribution",
    Kind.FUNDING: "Add a stream of money",
}


@pages.get("/outcomes/cost")
@rule(Permission.SEE_OUTCOMES)
def cost() -> ResponseReturnValue:
    """The result, the assumptions, the ledger and the money, as of a moment or now."""
    errors: dict[str, str] = {}
    known = known_at(errors) or now()
    book = costs.see_book(service().sessions, scope(), known)
    today = known.astimezone(LONDON).date()
    page = render_template(
        "outcomes_cost.html",
        results=cost_report.result_tables(book),
        assumptions=cost_ledger.assumptions_table(book),
        ledger=cost_ledger.ledger_table(book),
        money=cost_ledger.money_table(book, today),
        published=cost_ledger.published_table(),
        ending=cost_ledger.ending(book, today),
        book=book,
        kinds=ADDED,
        Kind=Kind,
        words=words,
        known=known,
        words_of_unit=cost_ledger.unit_words,
        name_of_entry=cost_ledger.name_of_entry,
        errors=errors,
    )
    return Response(page, 422 if errors else 200)


@pages.get("/outcomes/cost/<kind>/<entry>")
@rule(Permission.SEE_OUTCOMES)
def entry(kind: str, entry: str) -> ResponseReturnValue:
    """One entry with its versions; to those who may change it, its form."""
    return _form(_kind(kind), _ref(entry), None, {})


@pages.post("/outcomes/cost/<kind>/<entry>")
@rule(Permission.EDIT_OUTCOME_BASIS)
def change(kind: str, entry: str) -> ResponseReturnValue:
    """Keep a new version of an entry, or a new entry."""
    of, ref, form, errors = _kind(kind), _ref(entry), request.form, dict[str, str]()
    made = cost_forms.entry_of_form(form, of, errors)
    replaces = _replaces() if ref is not None else None
    if not form.get("reason", "").strip():
        errors["reason"] = "Enter why: it is kept with your name"
    if made is None or errors:
        return _form(of, ref, form, errors)
    key = form.get("ref", "").strip() if ref is None else ref
    try:
        costs.save(service().sessions, scope(), of, key, made, form["reason"], replaces, now())
    except BadEntry as fault:
        return _form(of, ref, form, {fault.field: fault.what})
    flash("A new version is in force. The one before is kept.", "success")
    return redirect(url_for("costs.cost"))


@pages.post("/outcomes/cost/<kind>/<entry>/remove")
@rule(Permission.EDIT_OUTCOME_BASIS)
def remove(kind: str, entry: str) -> ResponseReturnValue:
    """Take an entry out of force; its versions stay."""
    of, reason = _kind(kind), request.form.get("why_not", "")
    try:
        costs.remove(service().sessions, scope(), of, entry, reason, _replaces(), now())
    except BadEntry as fault:
        return _form(of, entry, None, {"why_not": fault.what})
    flash("It is out of force. Its versions are kept.", "success")
    return redirect(url_for("costs.cost"))


def _kind(kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise NotFound from None


def _ref(entry: str) -> str | None:
    return None if entry == costs.NEW else entry


def _replaces() -> int:
    given = request.form.get("replaces", "")
    # No version has this number, so that a form without one is never taken for the newest.
    return int(given) if given.isdecimal() and len(given) < 10 else -1


def _form(kind: Kind, ref: str | None, form: object, errors: dict[str, str]) -> ResponseReturnValue:
    seen = costs.see_entry(service().sessions, scope(), kind, ref, now())
    if form is None:
        known = seen.entry or (seen.versions[0].entry if seen.versions else None)
        form = cost_forms.new_form(kind) if known is None else cost_forms.form_of_entry(known, kind)
    page = render_template(
        "outcomes_cost_entry.html",
        seen=seen,
        kind=kind,
        new=ref is None,
        fields=FIELDS[kind],
        options_of=cost_forms.options_of,
        form_of=cost_forms.form_of_entry,
        form=form,
        errors=errors,
        replaces=seen.versions[0].number if seen.versions else 0,
        title=ADDED[kind] if ref is None else cost_ledger.name_of_entry(seen.entry, ref, kind),
    )
    return Response(page, 422 if errors else 200)
