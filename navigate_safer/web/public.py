"""Pages for anybody: the message schema for gateway makers, and the health check."""

from flask import Blueprint, Response, json
from flask.typing import ResponseReturnValue

from devices.native import json_schema
from navigate_safer.web.auth import degraded, public

pages = Blueprint("public", __name__)


@pages.get("/schema/telemetry/v1.json")
@public
def telemetry_schema() -> ResponseReturnValue:
    """The JSON Schema of telemetry messages."""
    return Response(json.dumps(json_schema(), indent=2), mimetype="application/schema+json")


@pages.get("/health")
@public
def health() -> ResponseReturnValue:
    """200 while a breach would reach an officer, 503 otherwise; says no more than that."""
    faults = degraded()
    word = "degraded" if faults else "ok"
    return Response(word + "\n", 503 if faults else 200, mimetype="text/plain")
