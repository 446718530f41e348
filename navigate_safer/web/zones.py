"""Zones: the list, one zone on its map, drawing and changing, files in and out."""

import json

from flask import (
    Blueprint,
    Flask,
    Response,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from navigate_safer.csv_input import BadInput as BadPlaceInput
from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import zone_views
from navigate_safer.services import zones as drawing
from navigate_safer.services.partner_files import MOST_BYTES
from navigate_safer.services.zones import By, CannotSave, Saved
from navigate_safer.web import zone_forms
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.zone_forms import FormFault
from navigate_safer.zone_files import zones_in_file
from zones.coordinates import table_of
from zones.kml import kml_of
from zones.schedule import Day

pages = Blueprint("zones", __name__)
# A file of zones may hold a hundred thousand vertices; nothing else that is sent is as long.
LONGEST_FILE = 12 * 1024 * 1024
_LONG = ("zones.upload", "zones.save")
# Beside the file of an extract, its form: the source, the area, the day, the token.
_EXTRACT = MOST_BYTES + 64 * 1024
NOT_TOUCHED = " Nothing was saved."


def install(app: Flask) -> None:
    """Let forms that carry shapes or extracts be longer than others; before any form is read."""

    def allow() -> None:
        if request.endpoint in _LONG:
            request.max_content_length = LONGEST_FILE
            request.max_form_memory_size = LONGEST_FILE
        elif request.endpoint == "hub.send" and "token" in session:
            # A file of it goes to disk. Whoever has no session sends nothing as large.
            request.max_content_length = _EXTRACT

    app.before_request(allow)


@pages.get("/zones")
@rule(Permission.SEE_PLACES)
def listed() -> ResponseReturnValue:
    """Every zone that whoever asks may know of."""
    return _list_page()


@pages.get("/zones/download.<form>")
@rule(Permission.SEE_PLACES)
def download(form: str) -> ResponseReturnValue:
    """All of them as a file."""
    if form not in ("geojson", "kml"):
        return render_template("error.html", status=404), 404
    features = zone_views.features(service().sessions, scope(), now())
    if form == "kml":
        answer = Response(kml_of(features), mimetype="application/vnd.google-earth.kml+xml")
    else:
        text = json.dumps({"type": "FeatureCollection", "features": features})
        answer = Response(text, mimetype="application/geo+json")
    answer.headers["Content-Disposition"] = f'attachment; filename="zones.{form}"'
    return answer


@pages.post("/zones/files/take-in")
@rule(Permission.EDIT_ZONES)
def upload() -> ResponseReturnValue:
    """Take in a file of zones."""
    sent = request.files.get("file")
    reason = request.form.get("reason", "")
    if sent is None or not sent.filename:
        return _list_page({"file": "Select a GeoJSON or KML file"})
    if not reason.strip():
        return _list_page({"reason": "Enter why these zones are taken in"})
    wrong = private_text.fault(reason)
    if wrong is not None:
        return _list_page({"reason": wrong})
    try:
        saved = _save(sent.read(), "The file", reason)
    except (BadPlaceInput, CannotSave) as fault:
        return _list_page({"file": f"{fault}.{NOT_TOUCHED}"})
    counts = (len(saved.added), len(saved.changed), len(saved.unchanged))
    flash("Zones: {} added, {} changed, {} unchanged.".format(*counts), "success")
    return redirect(url_for("zones.listed"))


@pages.get("/zones/draw")
@rule(Permission.EDIT_ZONES)
def draw() -> ResponseReturnValue:
    """The form of a new zone."""
    return _form_page(None, {"shape": "Polygon"}, {}, {})


@pages.get("/zones/<ref>/change")
@rule(Permission.EDIT_ZONES)
def change(ref: str) -> ResponseReturnValue:
    """The form of a zone that there is."""
    page = zone_views.see_zone(service().sessions, scope(), ref, now())
    form, days = zone_forms.form_of_zone(page.ref, page.name, page.properties, page.geometry)
    form["version"] = str(page.version)
    return _form_page(ref, form, days, {})


@pages.post("/zones/draw/save")
@rule(Permission.EDIT_ZONES)
def save() -> ResponseReturnValue:
    """Save a new zone, or a new version."""
    form = request.form
    ref = form.get("ref") or None
    days = {n: form.getlist(f"days_{n}") for n in zone_forms.window_numbers(form)}
    errors: dict[str, str] = {}
    try:
        feature = zone_forms.feature_of_form(form, days)
        if ref is not None:
            feature["properties"]["id"] = ref
        if not form.get("reason", "").strip():
            raise FormFault("reason", "Enter why the zone is drawn or changed")
        wrong = private_text.fault(form["reason"])
        if wrong is not None:
            raise FormFault("reason", wrong)
        seen = None if ref is None else _number_of(form.get("version", ""))
        saved = _save(zone_forms.collection_of(feature), "The zone", form["reason"], seen)
    except FormFault as fault:
        errors = {fault.field: fault.what}
    except (BadPlaceInput, CannotSave) as fault:
        errors = {"coordinates": f"{fault}.{NOT_TOUCHED}"}
    if errors:
        return _form_page(ref, dict(form.items()), days, errors)
    flash("Nothing was changed." if saved.unchanged else "The zone is saved.", "success")
    return redirect(url_for("zones.zone", ref=feature["properties"]["id"]))


@pages.get("/zones/<ref>")
@rule(Permission.SEE_PLACES)
def zone(ref: str) -> ResponseReturnValue:
    """One zone, on its map."""
    page = zone_views.see_zone(service().sessions, scope(), ref, now(), _version())
    shape, table = table_of(page.geometry)
    long = page.vertices > zone_forms.MOST_LISTED
    return render_template("zone.html", page=page, shape=shape, table="" if long else table)


@pages.get("/zones/<ref>/map.json")
@rule(Permission.SEE_PLACES)
def zone_map(ref: str) -> ResponseReturnValue:
    """The shapes of a zone and of its rings."""
    shapes = zone_views.see_drawing(service().sessions, scope(), ref, now(), _version())
    zones = [{"name": each.name, "kind": each.kind, "geometry": each.geometry} for each in shapes]
    return jsonify({"bounds": None, "zones": zones, "wards": url_for("maps.wards")})


def _version() -> int | None:
    return _number_of(request.args.get("version", ""))


def _number_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _save(content: bytes, name: str, reason: str, seen: int | None = None) -> Saved:
    areas = scope().areas
    # Staff of one area draw for it; those of several leave it to the wearers it is given to.
    by = By(reason, scope(), min(areas, default=None), seen)
    return drawing.save(service().sessions, zones_in_file(content, name), by, now())


def _list_page(errors: dict[str, str] | None = None) -> Response:
    lines = zone_views.see_zones(service().sessions, scope(), now())
    page = render_template("zones.html", lines=lines, errors=errors or {}, form=request.form)
    return Response(page, 422 if errors else 200)


def _form_page(
    ref: str | None, form: dict[str, str], days: dict[int, list[str]], errors: dict[str, str]
) -> Response:
    page = render_template(
        "zone_form.html",
        ref=ref,
        form=form,
        ticked=days,
        errors=errors,
        windows=zone_forms.window_numbers(form),
        rings=range(zone_forms.MOST_RINGS),
        day_names=[day.value for day in Day],
        suggested=zone_forms.SUGGESTED_TOLERANCE_M,
    )
    return Response(page, 422 if errors else 200)
