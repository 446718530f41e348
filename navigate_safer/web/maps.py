"""What maps draw: trails, accuracy, zones and ward outlines, as JSON for the signed in."""

from functools import cache
from importlib.resources import files

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import consult
from navigate_safer.services.consult import MapData
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.reasons import doubts_of
from navigate_safer.web.words import SOURCES, clock_time

pages = Blueprint("maps", __name__)
# A longer gap between points is drawn dashed: missing data, as on the Ministry's map.
GAP_S = 300


@pages.get("/alerts/<reference>/map.json")
@rule(Permission.SEE_PLACES)
def alert_map(reference: str) -> ResponseReturnValue:
    """The trail about an alert, and its zone."""
    return _answer(consult.see_alert_map(service().sessions, scope(), reference, now()))


@pages.get("/people/<ref>/map.json")
@rule(Permission.SEE_PLACES)
def person_map(ref: str) -> ResponseReturnValue:
    """The last day of a wearer, and the zones in force."""
    return _answer(consult.see_person_map(service().sessions, scope(), ref, now()))


@pages.get("/map/style.json")
@rule(Permission.SEE_PLACES)
def style() -> ResponseReturnValue:
    """The base map: none. The map component starts only with a style that names a source."""
    tiles = url_for("maps.tile", z=0, x=0, y=0).replace("/0/0/0", "/{z}/{x}/{y}")
    source = {"type": "vector", "tiles": [tiles], "minzoom": 0, "maxzoom": 14}
    layer = {
        "id": "none",
        "type": "line",
        "source": "base",
        "source-layer": "none",
        "paint": {"line-color": "#b1b4b6"},
    }
    return jsonify(
        {"version": 8, "name": "No base map", "sources": {"base": source}, "layers": [layer]}
    )


@pages.get("/map/tiles/<int:z>/<int:x>/<int:y>")
@rule(Permission.SEE_PLACES)
def tile(z: int, x: int, y: int) -> ResponseReturnValue:  # noqa: ARG001 - the address names them
    """No base map is configured, so every tile is empty."""
    return Response(status=204)


@pages.get("/map/wards.geojson")
@rule(Permission.SEE_PLACES)
def wards() -> ResponseReturnValue:
    """Outlines of the wards; see their attribution beside the file."""
    return Response(_wards(), mimetype="application/geo+json")


@cache
def _wards() -> bytes:
    data = files("navigate_safer.demo") / "data" / "wards-cheshire-west-and-chester.geojson"
    return data.read_bytes()


def _answer(data: MapData) -> Response:
    highlight = None
    if data.highlight is not None:
        highlight = {"from": data.highlight[0].isoformat(), "to": data.highlight[1].isoformat()}
    fixes = [
        {
            "lat": point.lat,
            "lon": point.lon,
            "accuracy_m": point.accuracy_m,
            "at": point.at.isoformat(),
            "source": SOURCES.get(point.source, "unknown"),
            "speed_kmh": point.speed_kmh,
            "doubts": doubts_of(point.doubts),
            "label": clock_time(point.at),
        }
        for point in data.points
    ]
    zones = [{"name": z.name, "kind": z.kind, "geometry": z.geometry} for z in data.zones]
    return jsonify(
        {
            "bounds": None,
            "fixes": fixes,
            "gaps_s": GAP_S,
            "zones": zones,
            "wards": url_for("maps.wards"),
            "highlight": highlight,
        }
    )
