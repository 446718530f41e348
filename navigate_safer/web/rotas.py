"""Rotas: list, picture of the next weeks, layers, overrides, swaps, calendars in and out."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.services import rota_changes, rotas
from navigate_safer.services.rotas import CannotKeep
from navigate_safer.web import rota_picture, wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.rota_forms import LAYERS, draft_of, filled
from navigate_safer.web.wall_time import BadWallTime
from zones.schedule import DEFAULT_TIMEZONE

pages = Blueprint("rotas", __name__)
WEEKS = 4
HERE = "rotas.rota"


@pages.get("/rotas")
@rule(Permission.ACT_ON_ALERTS)
def listed() -> ResponseReturnValue:
    """Every rota of the areas."""
    lines = rotas.see_all(service().sessions, scope(), now())
    return render_template("rotas.html", lines=lines)


@pages.get("/rotas/<ref>")
@rule(Permission.ACT_ON_ALERTS)
def rota(ref: str) -> ResponseReturnValue:
    """One rota."""
    return _page(ref)


@pages.get("/rotas/<ref>.ics")
@rule(Permission.ACT_ON_ALERTS)
def calendar(ref: str) -> ResponseReturnValue:
    """The next weeks as a calendar file."""
    text = rota_changes.calendar(service().sessions, scope(), ref, now())
    headers = {"Content-Disposition": "attachment; filename=rota.ics"}
    return Response(text, mimetype="text/calendar", headers=headers)


@pages.post("/rotas/<ref>/calendar")
@rule(Permission.RUN_ALERTING)
def take_calendar(ref: str) -> ResponseReturnValue:
    """Take dated duties in."""
    sent = request.files.get("calendar")
    text = b"" if sent is None else sent.read()
    if not text:
        return _page(ref, {"calendar": "Select a calendar file (.ics)"})
    try:
        added, known = rota_changes.take_calendar(service().sessions, scope(), ref, text, now())
    except CannotKeep as fault:
        return _page(ref, {"calendar": str(fault)})
    flash(f"{added} duties taken in, {known} known already.", "success")
    return redirect(url_for(HERE, ref=ref))


@pages.post("/rotas/<ref>/override")
@rule(Permission.RUN_ALERTING)
def override(ref: str) -> ResponseReturnValue:
    """Put somebody else, or nobody, on duty for a stretch."""
    form, errors = request.form, dict[str, str]()
    stretch = _stretch("over", errors)
    who = form.get("over_who", "")
    if who != "nobody" and not who.isdecimal():
        errors["over_who"] = "Select who is on duty"
    if stretch is not None and not errors:
        try:
            rota_changes.override(
                service().sessions, scope(), ref, None if who == "nobody" else int(who),
                stretch, form.get("over_reason", ""), now(),
            )  # fmt: skip
        except CannotKeep as fault:
            errors["over_reason"] = str(fault)
    if errors:
        return _page(ref, errors)
    flash("The override counts.", "success")
    return redirect(url_for(HERE, ref=ref))


@pages.post("/rotas/<ref>/swap")
@rule(Permission.ACT_ON_ALERTS)
def swap(ref: str) -> ResponseReturnValue:
    """Ask a colleague to take one's own duties of a stretch."""
    form, errors = request.form, dict[str, str]()
    stretch = _stretch("swap", errors)
    if not form.get("swap_who", "").isdecimal():
        errors["swap_who"] = "Select a colleague"
    if stretch is not None and not errors:
        try:
            rota_changes.ask_swap(
                service().sessions, scope(), ref, int(form["swap_who"]), stretch,
                form.get("swap_reason", ""), now(),
            )  # fmt: skip
        except CannotKeep as fault:
            errors["swap_reason"] = str(fault)
    if errors:
        return _page(ref, errors)
    flash("You have asked for the swap. It counts once your colleague agrees.", "success")
    return redirect(url_for(HERE, ref=ref))


@pages.post("/rotas/<ref>/changes/<int:number>/agree")
@rule(Permission.ACT_ON_ALERTS)
def agree(ref: str, number: int) -> ResponseReturnValue:
    """Take the other's duties."""
    return _change(
        ref, number, rota_changes.agree, "You have agreed. The duty is yours.",
        otherwise="It is settled, or over.",
    )  # fmt: skip


@pages.post("/rotas/<ref>/changes/<int:number>/cancel")
@rule(Permission.ACT_ON_ALERTS)
def cancel(ref: str, number: int) -> ResponseReturnValue:
    """Take a change back."""
    return _change(
        ref, number, rota_changes.cancel, "The change is taken back.",
        otherwise="It was taken back, or is over.",
    )  # fmt: skip


def _change(
    ref: str,
    number: int,
    change: Callable[[Sessions, Scope, str, int, datetime], bool],
    words: str,
    *,
    otherwise: str,
) -> ResponseReturnValue:
    """Agree to a change or take it back; ``otherwise`` is said where that came too late."""
    try:
        done = change(service().sessions, scope(), ref, number, now())
    except CannotKeep as fault:
        flash(str(fault), "error")
    else:
        flash(words if done else otherwise, "success" if done else "information")
    return redirect(url_for(HERE, ref=ref))


def _stretch(prefix: str, errors: dict[str, str]) -> tuple[datetime, datetime] | None:
    found: dict[str, datetime] = {}
    for end in ("from", "until"):
        field = f"{prefix}_{end}"
        try:
            found[end] = wall_time.read(request.form.get(field, ""), later=end == "until")
        except BadWallTime as fault:
            errors[field] = str(fault)
    return (found["from"], found["until"]) if len(found) == 2 else None


def _page(ref: str, errors: dict[str, str] | None = None) -> Response:
    start = rota_picture.week_start(now(), DEFAULT_TIMEZONE)
    end = rota_picture.weeks_after(start, DEFAULT_TIMEZONE, WEEKS)
    page = rotas.see(service().sessions, scope(), ref, now(), start, end)
    body = render_template(
        "rota.html",
        page=page,
        weeks=rota_picture.weeks(page.duties, page.names, start, page.timezone, WEEKS, now()),
        key=rota_picture.key(page.duties, page.names),
        errors=errors or {},
        form=request.form,
        now=now(),
        me=scope().staff_id,
    )
    return Response(body, 422 if errors else 200)


@pages.get("/rotas/new")
@rule(Permission.RUN_ALERTING)
def new() -> ResponseReturnValue:
    """The form for a new rota."""
    return _form(None)


@pages.post("/rotas/new")
@rule(Permission.RUN_ALERTING)
def add() -> ResponseReturnValue:
    """Keep a new rota."""
    return _save(None)


@pages.get("/rotas/<ref>/layers")
@rule(Permission.RUN_ALERTING)
def layers(ref: str) -> ResponseReturnValue:
    """The form for the layers of a rota."""
    return _form(ref)


@pages.post("/rotas/<ref>/layers")
@rule(Permission.RUN_ALERTING)
def change(ref: str) -> ResponseReturnValue:
    """Keep new layers."""
    return _save(ref)


def _save(ref: str | None) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    sessions, form = service().sessions, request.form
    known = None if ref is None else _known(ref)
    area = str(known.area_id) if known else form.get("area", "")
    if not area.isdecimal() or int(area) not in scope().areas:
        return _form(ref, {"area": "Select one of your areas"})
    accounts = rotas.staff_by_account(sessions, scope(), int(area))
    draft = draft_of(form, int(area), ref, accounts, errors)
    if draft is not None:
        try:
            rotas.save(sessions, scope(), draft, now(), new=ref is None)
        except CannotKeep as fault:
            errors["reason"] = str(fault)
        else:
            flash("The rota counts from now on.", "success")
            return redirect(url_for(HERE, ref=draft.ref))
    return _form(ref, errors)


def _known(ref: str) -> rotas.RotaPage:
    later = rota_picture.weeks_after(now(), DEFAULT_TIMEZONE, WEEKS)
    return rotas.see(service().sessions, scope(), ref, now(), now(), later)


def _form(ref: str | None, errors: dict[str, str] | None = None) -> Response:
    sessions = service().sessions
    areas = rotas.areas(sessions, scope())
    known = None if ref is None else _known(ref)
    form = request.form if request.method == "POST" else filled(known)
    ids = [known.area_id] if known else list(areas)
    accounts = {areas[each]: list(rotas.staff_by_account(sessions, scope(), each)) for each in ids}
    body = render_template(
        "rota_form.html",
        page=known,
        areas=areas,
        accounts=accounts,
        form=form,
        errors=errors or {},
        layers=range(1, LAYERS + 1),
    )
    return Response(body, 422 if errors else 200)
