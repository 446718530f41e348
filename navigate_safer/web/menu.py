"""The menu of interventions: what there is, how full it is, and its changes."""

import re

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.menu import (
    AlcoholRule,
    Band,
    Intervention,
    Motivation,
    Need,
    Strand,
    Timing,
    shipped,
)
from navigate_safer.services import menu
from navigate_safer.services.menu import EntryPage, NotKept
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("menu", __name__)
RECORD_PAGES = {"intervention": ("menu.entry", RECORD)}
LONGEST_NAME = 80
MOST_PLACES, LONGEST_WAIT_DAYS = 10_000, 365


@pages.get("/menu")
@rule(Permission.SEE_CASEWORK)
def listed() -> ResponseReturnValue:
    """What there is, for whom, and how full it is."""
    return render_template("menu.html", page=menu.see(service().sessions, scope(), now()))


@pages.route("/menu/new", methods=["GET", "POST"])
@rule(Permission.SET_CASEWORK)
def new() -> ResponseReturnValue:
    """Put something on the menu."""
    areas = menu.areas_of(service().sessions, scope())
    if request.method == "GET":
        return _form(MultiDict({"first_session_days": "28"}), areas)
    fields = Fields(request.form)
    area = fields.among("area", [str(each) for each in areas], "the area")
    made, reason = _read(fields), fields.text("reason", "why it is put on the menu")
    if not fields.errors:
        try:
            ref = menu.add(service().sessions, scope(), int(area), made, reason, now())
        except NotKept as fault:
            fields.errors.update(fault.errors)
        else:
            flash(f"{made.name} is on the menu.", "success")
            return redirect(url_for("menu.entry", ref=ref))
    return _form(request.form, areas, fields.errors)


@pages.post("/menu/shipped/take")
@rule(Permission.SET_CASEWORK)
def take_shipped() -> ResponseReturnValue:
    """Begin with the menu that the service ships."""
    areas = menu.areas_of(service().sessions, scope())
    fields = Fields(request.form)
    area = fields.among("area", [str(each) for each in areas], "the area")
    if fields.errors:
        page = menu.see(service().sessions, scope(), now())
        return Response(render_template("menu.html", page=page, errors=fields.errors), 422)
    count = menu.take_shipped(service().sessions, scope(), int(area), now())
    flash(f"{count} interventions of the shipped menu were added. Set their places.", "success")
    return redirect(url_for("menu.listed"))


@pages.get("/menu/<ref>")
@rule(Permission.SEE_CASEWORK)
def entry(ref: str) -> ResponseReturnValue:
    """One intervention: for whom, who has a place, who waits."""
    page = menu.entry(service().sessions, scope(), ref, now())
    return render_template("menu_entry.html", page=page, now=now())


@pages.route("/menu/<ref>/change", methods=["GET", "POST"])
@rule(Permission.SET_CASEWORK)
def change(ref: str) -> ResponseReturnValue:
    """Change it, or take it off the menu."""
    page = menu.entry(service().sessions, scope(), ref, now())
    if request.method == "GET":
        return _form(_typed(page), {}, page=page)
    fields, told = Fields(request.form), None
    made = _read(fields, page.line.record.body.code)
    reason = fields.text("reason", "why it is changed")
    if not fields.errors:
        try:
            menu.change(
                service().sessions, scope(), ref, made, offered=not fields.ticked("withdrawn"),
                replaces=fields.version(), reason=reason, now=now(),
            )  # fmt: skip
        except NotKept as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            told = conflict(stale, made)
        else:
            flash("The menu is changed.", "success")
            return redirect(url_for("menu.entry", ref=ref))
    return _form(request.form, {}, fields.errors, page, told)


def _read(fields: Fields, code: str = "") -> Intervention:
    name = fields.text("name", "what it is called", longest=LONGEST_NAME)
    bands = fields.several("bands", Band)
    if not bands:
        fields.errors["bands"] = "Select the bands of risk that it is for"
    wanted = fields.among("motivation", ["any", *(each.value for each in Motivation)], "for whom")
    fields.refuse_private("name", "reason")
    # Where a service is may be said of it.
    fields.refuse_private("about", "route", streets=False)
    ours = fields.whole("places_perpetrators", "places of perpetrators", most=MOST_PLACES)
    theirs = fields.whole("places_victims", "places of victims", most=MOST_PLACES)
    days = fields.whole("first_session_days", "the days", least=1, most=LONGEST_WAIT_DAYS)
    return Intervention(
        code=code or slug(name),
        name=name,
        about=fields.long_text("about", "what it is"),
        need=fields.choice("need", Need, "what it is about") or Need.ABUSE,
        strand=fields.choice("strand", Strand, "the strand") or Strand.PREVENTION,
        timing=fields.choice("timing", Timing, "reactive or preventive") or Timing.REACTIVE,
        route=fields.text("route", "the one commissioning route", longest=LONGEST_NAME),
        bands=tuple(bands),
        motivation=tuple(each for each in Motivation if each.value == wanted),
        alcohol=fields.choice("alcohol", AlcoholRule, "for whom, as to alcohol") or AlcoholRule.ANY,
        localities=_names(fields.text("localities", "the localities", required=False)),
        places_perpetrators=ours or 0,
        places_victims=theirs or 0,
        after=tuple(sorted(set(fields.form.getlist("after")))),
        beside=tuple(sorted(set(fields.form.getlist("beside")))),
        first_session_days=days or 1,
    )


def slug(name: str) -> str:
    """A name as a code: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "intervention"


def _names(typed: str) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in typed.split(",") if each.strip())


def _typed(page: EntryPage) -> "MultiDict[str, str]":
    body, version = page.line.record.body, page.line.record.version
    form: MultiDict[str, str] = MultiDict(
        {
            "replaces": str(version),
            "name": body.name,
            "about": body.about,
            "need": body.need.value,
            "strand": body.strand.value,
            "timing": body.timing.value,
            "route": body.route,
            "motivation": body.motivation[0].value if body.motivation else "any",
            "alcohol": body.alcohol.value,
            "localities": ", ".join(body.localities),
            "places_perpetrators": str(body.places_perpetrators),
            "places_victims": str(body.places_victims),
            "first_session_days": str(body.first_session_days),
        }
    )
    form.setlist("bands", [each.value for each in body.bands])
    form.setlist("after", list(body.after))
    form.setlist("beside", list(body.beside))
    return form


def _form(
    form: "MultiDict[str, str]",
    areas: dict[int, str],
    errors: dict[str, str] | None = None,
    page: EntryPage | None = None,
    told: Conflict | None = None,
) -> Response:
    if page is None:
        whole = menu.see(service().sessions, scope(), now())
        names = {each.record.body.code: each.record.body.name for each in whole.lines}
    else:
        names = {code: name for code, name in page.names.items() if code != _code(page)}
    if len(areas) == 1:
        form = MultiDict(form)
        form.setdefault("area", str(next(iter(areas))))
    shown = render_template(
        "menu_form.html",
        form=form,
        errors=errors or {},
        areas=areas,
        page=page,
        conflict=told,
        names=names,
        needs=list(Need),
        strands=list(Strand),
        timings=list(Timing),
        bands=list(Band),
        shipped_version=shipped().version,
    )
    return Response(shown, 422 if errors or told else 200)


def _code(page: EntryPage) -> str:
    return page.line.record.body.code
