"""The orders of a person: make one, vary its end, end it, and see to its alarms."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.order_rules import kinds
from navigate_safer.services import order_views, orders
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.order_views import OrderPage
from navigate_safer.services.records import Stale
from navigate_safer.web import order_forms
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import PERSON
from navigate_safer.web.wall_time import written

pages = Blueprint("orders", __name__)
PERSON_TABS = (Tab("Orders", "orders.listed", Permission.SEE_CASEWORK),)
RECORD_PAGES = {"order": ("orders.listed", PERSON)}
_ALL = "/people/<ref>/orders"
_ONE = f"{_ALL}/<int:order>"


@pages.get(_ALL)
@rule(Permission.SEE_CASEWORK)
def listed(ref: str) -> ResponseReturnValue:
    """Every order, with what is left of it and its clauses."""
    page = order_views.see_orders(service().sessions, scope(), ref, now())
    return render_template("orders.html", page=page, now=now())


@pages.get(f"{_ALL}/new")
@rule(Permission.MANAGE_CASES)
def blank(ref: str) -> ResponseReturnValue:
    """The form of a new order."""
    return _new(ref, {}, {})


@pages.post(f"{_ALL}/new")
@rule(Permission.MANAGE_CASES)
def make(ref: str) -> ResponseReturnValue:
    """Put an order on file."""
    fields = Fields(request.form)
    draft = order_forms.read_order(fields)
    if draft is not None and not fields.errors:
        try:
            number = orders.make(service().sessions, scope(), ref, draft, now())
        except Faulty as fault:
            fields.errors.update(fault.faults)
        else:
            flash("The order is on file. Add its clauses.", "success")
            return redirect(url_for("orders.one", ref=ref, order=number))
    return _new(ref, request.form, fields.errors)


@pages.get(_ONE)
@rule(Permission.SEE_CASEWORK)
def one(ref: str, order: int) -> ResponseReturnValue:
    """One order: its clauses, what is checked of each, its clocks and its versions."""
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    return render_template("order.html", page=page, now=now())


@pages.get(f"{_ONE}/vary")
@rule(Permission.MANAGE_CASES)
def vary_form(ref: str, order: int) -> ResponseReturnValue:
    """The form that varies the end."""
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    form = {**order_forms.of_order(page.order.file), **fresh(page)}
    return change_page(page, "vary", form, {})


@pages.post(f"{_ONE}/vary")
@rule(Permission.MANAGE_CASES)
def vary(ref: str, order: int) -> ResponseReturnValue:
    """Let it end on another day."""
    fields = Fields(request.form)
    ends_on = fields.day("ends_on", "the day on which it ends", required=False)
    variation = order_forms.read_variation(fields)
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    stale = None
    if variation is not None and not fields.errors:
        try:
            orders.vary(service().sessions, scope(), ref, order, ends_on, variation, now())
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            stale = conflict(fault, replace(page.order.file, ends_on=ends_on))
        else:
            flash("The order is varied.", "success")
            return redirect(url_for("orders.one", ref=ref, order=order))
    return change_page(page, "vary", request.form, fields.errors, stale)


@pages.get(f"{_ONE}/end")
@rule(Permission.MANAGE_CASES)
def end_form(ref: str, order: int) -> ResponseReturnValue:
    """The form that ends an order."""
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    return change_page(page, "end", fresh(page), {})


@pages.post(f"{_ONE}/end")
@rule(Permission.MANAGE_CASES)
def end(ref: str, order: int) -> ResponseReturnValue:
    """End it: nothing is checked under it from then on."""
    fields = Fields(request.form)
    variation = order_forms.read_variation(fields)
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    stale = None
    if variation is not None and not fields.errors:
        try:
            orders.end_order(service().sessions, scope(), ref, order, variation, now())
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except Stale as fault:
            stale = conflict(fault, page.order.file)
        else:
            flash("The order is ended: nothing is checked under it from then on.", "success")
            return redirect(url_for("orders.one", ref=ref, order=order))
    return change_page(page, "end", request.form, fields.errors, stale)


@pages.post(f"{_ONE}/seen")
@rule(Permission.MANAGE_CASES)
def seen(ref: str, order: int) -> ResponseReturnValue:
    """Somebody has seen to what was due."""
    page = order_views.see_order(service().sessions, scope(), ref, order, now())
    alarm = request.form.get("alarm", "")
    try:
        if alarm and alarm == page.order.alarm:
            replaces = Fields(request.form).version()
            orders.see_to(service().sessions, scope(), ref, order, alarm, replaces, now())
            flash("Noted. The next reminder comes when its time comes.", "success")
        else:
            flash("Nothing was waiting under that name any more.", "information")
    except Stale:
        flash("Somebody else has changed the order: look at it, and try again.", "warning")
    return redirect(url_for("orders.one", ref=ref, order=order))


def change_page(
    page: OrderPage,
    what: str,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    stale: Conflict | None = None,
    **more: object,
) -> Response:
    """A form about an order: ``what`` is vary, end, clause, change or end_clause."""
    body = render_template(
        "order_form.html",
        page=page,
        what=what,
        form=shown(form),
        errors=errors,
        conflict=stale,
        **more,
    )
    return Response(body, 409 if stale is not None else 422 if errors else 200)


def fresh(page: OrderPage) -> dict[str, str]:
    """What every form about an order begins with."""
    return {"replaces": str(page.order.version), "varied_from": written(now())}


def _new(ref: str, form: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    page = order_views.see_orders(service().sessions, scope(), ref, now())
    body = render_template(
        "order_new.html", page=page, form=shown(form), errors=errors, kinds=kinds().values()
    )
    return Response(body, 422 if errors else 200)


def shown(form: Mapping[str, str]) -> "MultiDict[str, str]":
    """A form as the macros read it."""
    return form if isinstance(form, MultiDict) else MultiDict(form)
