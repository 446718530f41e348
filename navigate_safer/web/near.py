"""Who was near a place: the question, its answer as a table and a map."""

import math
from datetime import datetime

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from shapely.geometry import mapping

from alerts.terms import Limits
from alerts.vicinity import RULED_IN, RULED_OUT, Circle, Verdict
from navigate_safer.people.access import Permission
from navigate_safer.people.place_question import BadQuestion, PlaceQuestion, Purpose
from navigate_safer.services import near
from navigate_safer.web import wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.words import SOURCES, clock_time

pages = Blueprint("near", __name__)
NUMBERS = {"lat": "latitude", "lon": "longitude", "radius_m": "radius in metres"}
TIMES = {"from_at": False, "to_at": True}


@pages.get("/near")
@rule(Permission.SEE_PLACES)
def question() -> ResponseReturnValue:
    """The form."""
    return _form({})


@pages.post("/near/ask")
@rule(Permission.SEE_PLACES)
def ask() -> ResponseReturnValue:
    """Keep the question, and go to its answer: no place is ever in an address or a log."""
    try:
        asked = _read()
        name = near.ask(service().sessions, scope(), asked, now())
    except BadQuestion as fault:
        return _form(fault.faults)
    return redirect(url_for("near.answer", name=name), 303)


@pages.get("/near/answers/<name>")
@rule(Permission.SEE_PLACES)
def answer(name: str) -> ResponseReturnValue:
    """Who was there, who was not, and of whom nobody can tell."""
    made = near.answer(service().sessions, scope(), name, now())
    return render_template(
        "near_answer.html",
        answer=made,
        verdicts=Verdict,
        ruled_in=RULED_IN,
        ruled_out=RULED_OUT,
    )


@pages.get("/near/answers/<name>/map.json")
@rule(Permission.SEE_PLACES)
def answer_map(name: str) -> ResponseReturnValue:
    """The circle and the fixes about it of all who were not ruled out."""
    made = near.answer(service().sessions, scope(), name, now())
    asked = made.question
    circle = Circle(asked.lon, asked.lat, asked.radius_m, Limits().max_gap_s)
    fixes = [
        {
            "lat": fix.lat,
            "lon": fix.lon,
            "accuracy_m": fix.accuracy_m,
            "at": fix.stamp.measured_at.isoformat(),
            "source": SOURCES.get(int(fix.source), "unknown"),
            "speed_kmh": fix.speed_kmh,
            "label": f"{line.ref} {clock_time(fix.stamp.measured_at)}",
            "who": line.ref,
        }
        for line in made.lines
        for fix in line.shown
    ]
    shape = {"name": "", "kind": "place", "geometry": mapping(circle.zone.shape)}
    return jsonify(
        {
            "bounds": None,
            "fixes": fixes,
            "lines": False,
            "zones": [shape],
            "wards": url_for("maps.wards"),
            "highlight": None,
        }
    )


def _form(errors: dict[str, str]) -> Response:
    page = render_template(
        "near.html",
        errors=errors,
        form=request.form,
        purposes=list(Purpose),
        latest=wall_time.written(now()),
    )
    return Response(page, 422 if errors else 200)


def _read() -> PlaceQuestion:
    """The question of the form; raises BadQuestion with every field that cannot be read."""
    faults: dict[str, str] = {}
    numbers: dict[str, float] = {}
    times: dict[str, datetime] = {}
    for field, called in NUMBERS.items():
        try:
            numbers[field] = float(request.form.get(field, "").strip())
        except ValueError:
            numbers[field] = math.nan
        if not math.isfinite(numbers[field]):
            faults[field] = f"Enter the {called} as a number"
    for field, later in TIMES.items():
        try:
            times[field] = wall_time.read(request.form.get(field, ""), later=later)
        except wall_time.BadWallTime as fault:
            faults[field] = str(fault)
    try:
        purpose = Purpose(request.form.get("purpose", ""))
    except ValueError:
        faults["purpose"] = "Select why you ask"
    reference = request.form.get("reference", "")
    if not reference.strip():
        faults["reference"] = "Enter the reference of the crime, case or complaint"
    if faults:
        raise BadQuestion(faults)
    return PlaceQuestion(
        numbers["lat"],
        numbers["lon"],
        numbers["radius_m"],
        times["from_at"],
        times["to_at"],
        purpose,
        reference,
    )
