"""The intelligence hub: coverage and age of sources, extracts, and the look-up of one person."""

from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.partners import (
    BY_REF,
    FIELDS,
    NEEDED,
    SOURCES,
    BadMapping,
    Handling,
    Mapped,
    Purpose,
    Reliability,
    check_columns,
)
from navigate_safer.services import hub, partner_import, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.partner_files import MOST_BYTES, BadFile
from navigate_safer.services.partner_import import NotAgreed
from navigate_safer.services.records import SlotTaken, Stale
from navigate_safer.web import auth
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.errors import answer as fault_page
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("hub", __name__)
PERSON_TABS = (Tab("Partners", "hub.person", Permission.USE_PARTNER_DATA),)
RECORD_PAGES = {"look_up": ("hub.person", PERSON)}


@pages.get("/hub")
@rule(Permission.USE_PARTNER_DATA)
def listed() -> ResponseReturnValue:
    """The sources, how old they are, and the newest extracts."""
    return _page()


@pages.get("/hub/imports/<int:number>")
@rule(Permission.USE_PARTNER_DATA)
def bad_rows(number: int) -> ResponseReturnValue:
    """The rows of an extract that were kept out."""
    page = hub.see(service().sessions, scope(), now())
    shown = next((each for each in page.imports if each.import_id == number), None)
    if shown is None:
        raise NotFound
    rows = hub.see_bad_rows(service().sessions, scope(), number)
    return render_template("hub_import.html", shown=shown, rows=rows, sources=BY_REF)


@pages.post("/hub/extracts")
@rule(Permission.LOAD_PARTNER_DATA)
def send() -> ResponseReturnValue:
    """Take an extract up; it is read in the background."""
    fields = Fields(request.form)
    source = fields.among("source", list(BY_REF), "a source")
    area = _area(fields)
    as_at = fields.day("as_at", "the day of the extract", not_after=day_of(now()))
    file = request.files.get("file")
    if file is None or not file.filename:
        fields.errors["file"] = "Select a file"
    elif not fields.errors and as_at is not None and area is not None:
        try:
            made = partner_import.take(
                service().sessions, scope(), source, area, file.filename, file.read(), as_at, now()
            )
        except (BadFile, NotAgreed) as fault:
            fields.errors["file"] = str(fault)
        else:
            flash(
                "The extract is taken up, and is read in the background."
                if made[1]
                else "This file was sent before: nothing has changed.",
                "success" if made[1] else "information",
            )
            return redirect(url_for("hub.listed"))
    return _page(fields.errors)


@pages.errorhandler(RequestEntityTooLarge)
def too_large(_fault: RequestEntityTooLarge) -> Response:
    """An extract that is too large is a fault of its field; of any other form it is the usual page.

    Nothing of the form was read, so that the door was not reached either.
    """
    if request.endpoint != f"{pages.name}.{send.__name__}" or not auth.may_have_route():
        return fault_page(413)
    told = {"file": f"The file is larger than {MOST_BYTES >> 20} MB: send it in parts"}
    return _page(told, 413, _today())


@pages.get("/hub/sources/<ref>")
@rule(Permission.USE_PARTNER_DATA)
def source(ref: str) -> ResponseReturnValue:
    """How a source is read in an area."""
    return _source(ref)


@pages.post("/hub/sources/<ref>")
@rule(Permission.LOAD_PARTNER_DATA)
def keep(ref: str) -> ResponseReturnValue:
    """Say how a source is read in an area."""
    if ref not in BY_REF:
        raise NotFound
    fields = Fields(request.form)
    area = _area(fields)
    agreement = fields.text("agreement", "the sharing agreement and its lawful basis")
    until = fields.day("agreed_until", "until when it is agreed", required=False)
    columns = {name: fields.text(f"column_{name}", name, required=False) for name in FIELDS}
    try:
        check_columns({name: column for name, column in columns.items() if column})
    except BadMapping as fault:
        fields.errors["column_entry"] = str(fault)
    if fields.errors or area is None:
        return _source(ref, fields.errors)
    mapped = Mapped(ref, {name: each for name, each in columns.items() if each}, agreement, until)
    try:
        partner_import.keep_setting(
            service().sessions, scope(), area, mapped, replaces=fields.version(), now=now()
        )
    except Stale as stale:
        return _source(ref, {}, conflict(stale, mapped))
    except SlotTaken:
        return _source(ref, {"agreement": "Somebody else has just said this: load the page again"})
    flash("The setting is kept, for extracts that come from now on.", "success")
    return redirect(url_for("hub.listed"))


@pages.get("/people/<ref>/partners")
@rule(Permission.USE_PARTNER_DATA)
def person(ref: str) -> ResponseReturnValue:
    """Ask for a purpose; nothing of what partners hold is shown before."""
    return _person(hub.see_before(service().sessions, scope(), ref))


@pages.post("/people/<ref>/partners")
@rule(Permission.USE_PARTNER_DATA)
def look_up(ref: str) -> ResponseReturnValue:
    """What every source has about a person."""
    fields = Fields(request.form)
    purpose = fields.choice("purpose", Purpose, "why you look this person up")
    note = fields.text("note", "what it is about", longest=500)
    fields.refuse_private("note")
    if fields.errors or purpose is None:
        return _person(hub.see_before(service().sessions, scope(), ref), fields.errors)
    return _person(hub.look_up(service().sessions, scope(), ref, purpose, note, now()))


def _area(fields: Fields) -> int | None:
    known = records.areas(service().sessions, scope())
    typed = fields.among("area", [str(each) for each in known], "an area")
    return int(typed) if typed else None


def _today() -> "MultiDict[str, str]":
    return MultiDict(day_fields("as_at", day_of(now())))


def _page(
    errors: dict[str, str] | None = None,
    status: int = 422,
    form: "MultiDict[str, str] | None" = None,
) -> Response:
    if form is None:
        form = request.form if errors else _today()
    shown = hub.see(service().sessions, scope(), now())
    page = render_template(
        "hub.html", shown=shown, form=form, errors=errors or {}, table=SOURCES, sources=BY_REF
    )
    return Response(page, status if errors else 200)


def _source(
    ref: str, errors: dict[str, str] | None = None, found: Conflict | None = None
) -> Response:
    slot = BY_REF.get(ref)
    if slot is None:
        raise NotFound
    shown = hub.see(service().sessions, scope(), now())
    area = request.values.get("area", "")
    area_id = int(area) if area.isdecimal() and int(area) in shown.areas else min(shown.areas)
    known = shown.settings.get((area_id, ref))
    form: MultiDict[str, str] = MultiDict(request.form)
    if errors is None:
        body = known.body if known else Mapped(ref, slot.columns, "")
        form = MultiDict({f"column_{name}": each for name, each in body.columns.items()})
        form["agreement"], form["replaces"] = body.agreement, str(known.version if known else 0)
        form.update(_until(body.agreed_until))
    form.setlist("area", [str(area_id)])
    page = render_template(
        "hub_source.html",
        slot=slot,
        form=form,
        errors=errors or {},
        conflict=found,
        areas=shown.areas,
        fields=FIELDS,
        needed=NEEDED,
        known=known,
    )
    return Response(page, 422 if errors or found else 200)


def _until(day: date | None) -> dict[str, str]:
    return day_fields("agreed_until", day)


def _person(shown: hub.PersonAnswers, errors: dict[str, str] | None = None) -> Response:
    page = render_template(
        "hub_person.html",
        shown=shown,
        form=request.form,
        errors=errors or {},
        purposes=list(Purpose),
        reliability={each.value: each for each in Reliability},
        handling={each.value: each for each in Handling},
    )
    return Response(page, 422 if errors else 200)
