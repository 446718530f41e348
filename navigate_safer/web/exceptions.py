"""What is allowed to one wearer for a time: allow, take back, and see what it excused."""

from contextlib import suppress
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import exceptions
from navigate_safer.services.exceptions import CannotAllow, Wanted
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.words import LONDON
from navigate_safer.web.zone_forms import FormFault, weekly_hours, window_numbers
from zones.coordinates import geometry_from_table
from zones.fault import ZoneFault
from zones.schedule import Day

pages = Blueprint("exceptions", __name__)


@pages.get("/people/<ref>/exceptions")
@rule(Permission.SEE_PLACES)
def listed(ref: str) -> ResponseReturnValue:
    """Exceptions of a wearer, newest first, and the stays that they excused."""
    return _page(ref)


@pages.post("/people/<ref>/exceptions/allow")
@rule(Permission.EDIT_ZONES)
def allow(ref: str) -> ResponseReturnValue:
    """Allow something under a condition."""
    errors: dict[str, str] = {}
    wanted = _wanted(errors)
    if wanted is not None and not errors:
        try:
            exceptions.allow(service().sessions, scope(), ref, wanted, now())
        except CannotAllow as fault:
            errors["condition"] = str(fault)
    if errors:
        return _page(ref, errors)
    flash("The exception holds from its start, or from now if that is later.", "success")
    return redirect(url_for("exceptions.listed", ref=ref))


@pages.post("/people/<ref>/exceptions/<int:number>/revoke")
@rule(Permission.EDIT_ZONES)
def revoke(ref: str, number: int) -> ResponseReturnValue:
    """Take an exception back."""
    try:
        reason = request.form.get("reason", "")
        wrong = private_text.fault(reason)
        if wrong is not None:
            return _page(ref, {f"reason-{number}": wrong})
        done = exceptions.revoke(service().sessions, scope(), ref, number, reason, now())
    except CannotAllow as fault:
        return _page(ref, {f"reason-{number}": str(fault)})
    flash(
        "The exception is taken back." if done else "The exception is over already.",
        "success" if done else "information",
    )
    return redirect(url_for("exceptions.listed", ref=ref))


def _wanted(errors: dict[str, str]) -> Wanted | None:
    form = request.form
    times = {}
    for field, label in (("from", "start"), ("until", "end")):
        text = f"{form.get(f'{field}_date', '').strip()}T{form.get(f'{field}_time', '').strip()}"
        with suppress(ValueError):
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                # Of a time that the clocks repeat the first is meant, as everywhere in the service.
                times[field] = at.replace(tzinfo=LONDON)
        if field not in times:
            # Nor may a time say its own offset: nobody would see that it was not looked at.
            errors[f"{field}_date"] = f"Enter the {label} as a date and a time, 24 hours"
    errors.update(_wrong_words())
    corridor, width_m = None, 0.0
    if form.get("corridor", "").strip():
        try:
            corridor = geometry_from_table("LineString", form["corridor"])
            width_m = float(form.get("corridor_m", "").strip())
        except ZoneFault as fault:
            errors["corridor"] = f"{fault.where.capitalize()} {fault.what}"
        except ValueError:
            errors["corridor_m"] = "Enter the metres to each side of the way as a number"
    elif form.get("corridor_m", "").strip():
        # Taken for everywhere, who meant a way would be allowed the whole zone.
        errors["corridor"] = "Enter the way, or leave its metres empty to allow everywhere"
    hours = _hours(errors)
    if errors:
        return None
    return Wanted(
        form["condition"], times["from"], times["until"], form["why"], corridor, width_m, hours
    )


def _wrong_words() -> dict[str, str]:
    asked = {"condition": "Select a condition", "why": "Enter why it is allowed"}
    missing = {
        field: what for field, what in asked.items() if not request.form.get(field, "").strip()
    }
    private = private_text.fault(request.form.get("why", ""))
    return missing if private is None else {**missing, "why": private}


def _hours(errors: dict[str, str]) -> list[dict[str, object]] | None:
    try:
        return weekly_hours(request.form, _ticked()) or None
    except FormFault as fault:
        errors[fault.field] = fault.what
        return None


def _ticked() -> dict[int, list[str]]:
    """The days that are ticked in each row of hours."""
    days = {n: request.form.getlist(f"days_{n}") for n in window_numbers(request.form)}
    return {n: names for n, names in days.items() if names}


def _page(ref: str, errors: dict[str, str] | None = None) -> Response:
    page = exceptions.see(service().sessions, scope(), ref, now())
    body = render_template(
        "exceptions.html",
        page=page,
        errors=errors or {},
        form=request.form,
        now=now(),
        windows=window_numbers(request.form),
        ticked=_ticked(),
        day_names=[day.value for day in Day],
    )
    return Response(body, 422 if errors else 200)
