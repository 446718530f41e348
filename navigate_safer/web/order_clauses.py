"""The clauses of an order: choose one, fill it in, vary it, end it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from alerts.finding import Severity
from navigate_safer.people.access import Permission
from navigate_safer.people.clause_catalogue import by_category
from navigate_safer.people.days import start_of
from navigate_safer.people.orders import Clause
from navigate_safer.services import order_clauses, order_views
from navigate_safer.services.casework import NotFound
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.order_views import OrderPage
from navigate_safer.services.records import Stale
from navigate_safer.web import order_forms
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.orders import change_page, fresh
from navigate_safer.web.record_forms import conflict
from navigate_safer.web.wall_time import written

pages = Blueprint("order_clauses", __name__)
_ALL = "/people/<ref>/orders/<int:order>/clauses"
_ONE = f"{_ALL}/<int:key>"


@pages.get(f"{_ALL}/new")
@rule(Permission.MANAGE_CASES)
def blank(ref: str, order: int) -> ResponseReturnValue:
    """The catalogue; with ``code`` the form of that condition."""
    page = _page(ref, order)
    template = order_forms.template_named(request.args.get("code", ""))
    if template is None:
        return render_template("clause_catalogue.html", page=page, categories=by_category())
    begins = max(start_of(page.order.file.starts_on), now())
    form = {**fresh(page), "from_at": written(begins), "severity": template.severity.value}
    form["monitored"] = "yes" if template.monitors is not None else ""
    form["varied_by"] = page.order.file.made_by
    return change_page(page, "clause", form, {}, template=template, severities=Severity)


@pages.post(f"{_ALL}/new")
@rule(Permission.MANAGE_CASES)
def add(ref: str, order: int) -> ResponseReturnValue:
    """Add a clause and what is checked of it."""
    page, fields = _page(ref, order), Fields(request.form)
    template = order_forms.template_named(request.form.get("code", ""))
    if template is None:
        errors = {"code": "Select a condition"}
        body = render_template(
            "clause_catalogue.html", page=page, categories=by_category(), errors=errors
        )
        return body, 422
    read, stale = order_forms.read_clause(fields, template), None
    if read is not None:
        clause, variation = read
        try:
            order_clauses.add_clause(
                service().sessions, scope(), ref, order, clause, variation, now()
            )
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            file = page.order.file
            stale = conflict(fault, replace(file, clauses=(*file.clauses, clause)))
        else:
            flash(f"Clause {clause.number} is added.", "success")
            return redirect(url_for("orders.one", ref=ref, order=order))
    return change_page(
        page, "clause", request.form, fields.errors, stale, template=template, severities=Severity
    )


@pages.get(_ONE)
@rule(Permission.MANAGE_CASES)
def vary_form(ref: str, order: int, key: int) -> ResponseReturnValue:
    """The form that varies a clause."""
    page = _page(ref, order)
    clause = _clause(page, key)
    form = {**order_forms.of_clause(clause), **fresh(page)}
    return change_page(page, "change", form, {}, clause=clause, severities=Severity)


@pages.post(_ONE)
@rule(Permission.MANAGE_CASES)
def vary(ref: str, order: int, key: int) -> ResponseReturnValue:
    """Let a clause say something else."""
    page, fields = _page(ref, order), Fields(request.form)
    old = _clause(page, key)
    read, stale = order_forms.read_change(fields, old), None
    if read is not None:
        clause, variation = read
        try:
            order_clauses.vary_clause(
                service().sessions, scope(), ref, order, clause, variation, now()
            )
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            file = page.order.file
            clauses = tuple(clause if each.key == key else each for each in file.clauses)
            stale = conflict(fault, replace(file, clauses=clauses))
        else:
            flash(f"Clause {clause.number} is varied.", "success")
            return redirect(url_for("orders.one", ref=ref, order=order))
    return change_page(
        page, "change", request.form, fields.errors, stale, clause=old, severities=Severity
    )


@pages.get(f"{_ONE}/end")
@rule(Permission.MANAGE_CASES)
def end_form(ref: str, order: int, key: int) -> ResponseReturnValue:
    """The form that ends a clause."""
    page = _page(ref, order)
    return change_page(page, "end_clause", fresh(page), {}, clause=_clause(page, key))


@pages.post(f"{_ONE}/end")
@rule(Permission.MANAGE_CASES)
def end(ref: str, order: int, key: int) -> ResponseReturnValue:
    """End a clause, and what is checked of it."""
    page, fields = _page(ref, order), Fields(request.form)
    clause, stale = _clause(page, key), None
    variation = order_forms.read_variation(fields)
    if variation is not None and not fields.errors:
        try:
            order_clauses.end_clause(service().sessions, scope(), ref, order, key, variation, now())
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            stale = conflict(fault, page.order.file)
        else:
            flash(f"Clause {clause.number} ends then; nothing is checked of it after.", "success")
            return redirect(url_for("orders.one", ref=ref, order=order))
    return change_page(page, "end_clause", request.form, fields.errors, stale, clause=clause)


def _page(ref: str, order: int) -> OrderPage:
    return order_views.see_order(service().sessions, scope(), ref, order, now())


def _clause(page: OrderPage, key: int) -> Clause:
    found = page.order.file.clause(key)
    if found is None:
        raise NotFound
    return found
