"""Meetings: the list with what is overdue, one meeting with its agenda, minutes and actions."""

from datetime import date

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.panels import (
    RULES,
    Action,
    Attendee,
    Heard,
    Item,
    Panel,
    PanelKind,
    next_on,
)
from navigate_safer.services import panels, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.panels import AlreadyListed, PanelPage
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("panels", __name__)
RECORD_PAGES = {
    "panel": ("panels.panel", RECORD),
    "panel_item": ("panels.of_item", RECORD),
    "panel_action": ("panels.of_action", RECORD),
}
MOST_PEOPLE = 12


@pages.get("/meetings")
@rule(Permission.RUN_MEETINGS)
def listed() -> ResponseReturnValue:
    """The meetings of the areas."""
    shown = panels.see_all(service().sessions, scope(), now())
    return render_template(
        "panels.html", shown=shown, kinds=list(PanelKind), rules=RULES, today=day_of(now())
    )


@pages.get("/meetings/new")
@rule(Permission.RUN_MEETINGS)
def new() -> ResponseReturnValue:
    """The form for a meeting; with the day on which the next regular one is."""
    form: MultiDict[str, str] = MultiDict({"starts": "10:00"})
    kind = Fields(request.args).choice("kind", PanelKind, "a meeting", required=False)
    if kind is not None:
        form["kind"] = kind.value
        held = panels.see_all(service().sessions, scope(), now()).held
        last = max((each.body.held_on for each in held if each.body.kind is kind), default=None)
        if last is not None:
            form.update(day_fields("held_on", next_on(kind, last, RULES)))
    return _new(form)


@pages.post("/meetings/new")
@rule(Permission.RUN_MEETINGS)
def plan() -> ResponseReturnValue:
    """Set a meeting."""
    fields = Fields(request.form)
    known = records.areas(service().sessions, scope())
    area = fields.among("area", [str(each) for each in known], "an area")
    kind = fields.choice("kind", PanelKind, "which meeting it is")
    held_on = fields.day("held_on", "the day of the meeting")
    starts, chair = _starts(fields), fields.text("chair", "who chairs it")
    if fields.errors or kind is None or held_on is None:
        return _new(request.form, fields.errors)
    kept = panels.plan(
        service().sessions, scope(), int(area), Panel(kind, held_on, starts, chair), now()
    )
    flash("The meeting is set. Put people on its agenda.", "success")
    return redirect(url_for("panels.panel", ref=kept.ref))


@pages.get("/meetings/<ref>")
@rule(Permission.RUN_MEETINGS)
def panel(ref: str) -> ResponseReturnValue:
    """One meeting."""
    return _page(panels.see(service().sessions, scope(), ref, now()))


@pages.get("/meetings/items/<ref>")
@rule(Permission.RUN_MEETINGS)
def of_item(ref: str) -> ResponseReturnValue:
    """The meeting that an item is of."""
    return redirect(url_for("panels.panel", ref=panels.of_item(service().sessions, scope(), ref)))


@pages.get("/meetings/actions/<ref>")
@rule(Permission.RUN_MEETINGS)
def of_action(ref: str) -> ResponseReturnValue:
    """The meeting that an action is of."""
    found = panels.of_action(service().sessions, scope(), ref)
    return redirect(url_for("panels.panel", ref=found) + f"#{ref}")


@pages.post("/meetings/<ref>/agenda")
@rule(Permission.RUN_MEETINGS)
def list_person(ref: str) -> ResponseReturnValue:
    """Put a person on the agenda."""
    page = panels.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    person = fields.text("person", "the reference of the person, such as W-0001", longest=64)
    referred_on = fields.day(
        "referred_on", "the day of the referral", not_after=page.panel.body.held_on
    )
    agency = fields.text("referred_by", "the agency that refers")
    why = fields.long_text("why", "why the person is to be heard")
    fields.refuse_private("referred_by", "why", streets=True)
    if not fields.errors and referred_on is not None:
        try:
            panels.list_person(
                service().sessions, scope(), ref, person, referred_on, agency, why, now()
            )
        except NotFound:
            fields.errors["person"] = "Enter the reference of a person of your areas"
        except AlreadyListed:
            fields.errors["person"] = "This person is on the agenda already"
    if fields.errors:
        return _page(page, fields.errors)
    flash(f"{person} is on the agenda.", "success")
    return redirect(url_for("panels.panel", ref=ref))


@pages.post("/meetings/<ref>/minutes")
@rule(Permission.RUN_MEETINGS)
def minutes(ref: str) -> ResponseReturnValue:
    """Keep who was there and what was said."""
    page = panels.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    body, items = _minutes(fields, page)
    if body is None:
        return _page(page, fields.errors)
    try:
        panels.write_minutes(
            service().sessions, scope(), ref, body, items, replaces=fields.version(), now=now()
        )
    except Stale as stale:
        page = panels.see(service().sessions, scope(), ref, now())
        return _page(page, {}, conflict(stale, _typed(stale, body, items)))
    flash("The minutes are kept.", "success")
    return redirect(url_for("panels.panel", ref=ref))


@pages.post("/meetings/<ref>/actions")
@rule(Permission.RUN_MEETINGS)
def ask(ref: str) -> ResponseReturnValue:
    """Give somebody something to do."""
    page = panels.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    on_agenda = [each.wearer_ref or "" for each in page.items]
    person = fields.among("about", on_agenda, "whom it is about")
    what = fields.long_text("what", "what is to be done")
    agency, owner = fields.text("agency", "the agency"), fields.text("owner", "who does it")
    due_on = fields.day("due_on", "the day by which it is done", not_before=_held_on(page))
    fields.refuse_private("what", "agency", "owner", streets=True)
    if fields.errors or due_on is None:
        return _page(page, fields.errors)
    panels.ask(
        service().sessions, scope(), ref, person, Action(ref, what, agency, owner, due_on), now()
    )
    flash("The action is kept, and is on the morning view when it falls due.", "success")
    return redirect(url_for("panels.panel", ref=ref))


@pages.post("/meetings/actions/<ref>/done")
@rule(Permission.RUN_MEETINGS)
def done(ref: str) -> ResponseReturnValue:
    """An action is done."""
    of = panels.of_action(service().sessions, scope(), ref)
    fields = Fields(request.form)
    field = f"result_{ref}"
    result = fields.text(field, "what came of it")
    fields.refuse_private(field, streets=True)
    if fields.errors:
        return _page(panels.see(service().sessions, scope(), of, now()), fields.errors)
    try:
        panels.done(service().sessions, scope(), ref, result, replaces=fields.version(), now=now())
    except Stale as stale:
        flash(f"{stale.newest.made_by} has changed this action in between: look again.", "warning")
    else:
        flash("The action is done.", "success")
    return redirect(url_for("panels.panel", ref=of))


def _minutes(
    fields: Fields, page: PanelPage
) -> tuple[Panel | None, dict[str, tuple[int, Heard, str]]]:
    held_on = fields.day("held_on", "the day of the meeting", not_after=day_of(now()))
    starts, chair = _starts(fields), fields.text("chair", "who chairs it")
    text = fields.long_text("minutes", "the minutes", required=False)
    fields.refuse_private("minutes", *(f"minutes_{each.ref}" for each in page.items), streets=True)
    people = []
    for number in range(1, MOST_PEOPLE + 1):
        agency = fields.text(f"agency_{number}", "the agency", required=False)
        name = fields.text(f"name_{number}", "the name", required=False)
        if name and not agency:
            fields.errors[f"agency_{number}"] = f"Enter the agency of {name}"
        elif agency:
            people.append(Attendee(agency, name))
    items = {}
    for each in page.items:
        heard = fields.choice(f"heard_{each.ref}", Heard, f"whether {each.wearer_ref} was heard")
        said = fields.long_text(f"minutes_{each.ref}", "the minutes", required=False)
        if heard is not None:
            items[each.ref] = (_version_of(fields, each.ref), heard, said)
    if fields.errors or held_on is None:
        return None, {}
    return Panel(page.panel.body.kind, held_on, starts, chair, people, text), items


def _typed(stale: Stale, body: Panel, items: dict[str, tuple[int, Heard, str]]) -> msgspec.Struct:
    """What was typed of the record that somebody else has changed: the meeting, or one person."""
    newest = stale.newest
    if not isinstance(newest.body, Item):
        return body
    return msgspec.structs.replace(newest.body, minutes=items[newest.ref][2])


def _version_of(fields: Fields, ref: str) -> int:
    typed = fields.form.get(f"version_{ref}", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0


def _starts(fields: Fields) -> str:
    typed = fields.text("starts", "when it begins")
    try:
        hour, minute = (int(part) for part in typed.split(":"))
    except ValueError:
        hour = minute = -1
    if typed and not (0 <= hour < 24 and 0 <= minute < 60):
        fields.errors["starts"] = "Enter when it begins, such as 10:00"
    return f"{hour:02d}:{minute:02d}"


def _held_on(page: PanelPage) -> date:
    return page.panel.body.held_on


def _new(form: "MultiDict[str, str]", errors: dict[str, str] | None = None) -> Response:
    page = render_template(
        "panel_new.html",
        form=form,
        errors=errors or {},
        kinds=list(PanelKind),
        areas=records.areas(service().sessions, scope()),
    )
    return Response(page, 422 if errors else 200)


def _page(
    page: PanelPage,
    errors: dict[str, str] | None = None,
    found: Conflict | None = None,
) -> Response:
    typed = request.form if errors is not None else _filled(page)
    shown = render_template(
        "panel.html",
        page=page,
        form=typed,
        errors=errors or {},
        conflict=found,
        heard=list(Heard),
        most_people=MOST_PEOPLE,
        today=day_of(now()),
        now=now(),
    )
    return Response(shown, 422 if errors or found else 200)


def _filled(page: PanelPage) -> "MultiDict[str, str]":
    body = page.panel.body
    form: MultiDict[str, str] = MultiDict(day_fields("held_on", body.held_on))
    form.update({"starts": body.starts, "chair": body.chair, "minutes": body.minutes})
    form["replaces"] = str(page.panel.version)
    for number, person in enumerate(body.people, start=1):
        form[f"agency_{number}"], form[f"name_{number}"] = person.agency, person.name
    for each in page.items:
        form[f"heard_{each.ref}"] = each.state
        form[f"minutes_{each.ref}"] = each.body.minutes
    return form
