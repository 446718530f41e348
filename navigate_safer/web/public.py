"""For anybody: the message schema for gateway makers, health, and Prometheus with its token."""

import hmac

from flask import Blueprint, Response, abort, json, request
from flask.typing import ResponseReturnValue

from devices.native import json_schema
from navigate_safer import metrics
from navigate_safer.services import figures, health
from navigate_safer.services.health import State
from navigate_safer.web.auth import now, public, service

pages = Blueprint("public", __name__)


@pages.get("/schema/telemetry/v1.json")
@public
def telemetry_schema() -> ResponseReturnValue:
    """The JSON Schema of telemetry messages."""
    return Response(json.dumps(json_schema(), indent=2), mimetype="application/schema+json")


@pages.get("/health", endpoint="health")
@public
def check() -> ResponseReturnValue:
    """200 while a breach would reach an officer, 503 otherwise, with a sentence on each part."""
    made = service()
    checks = made.recent_health.look(
        lambda: health.look(made.sessions, now(), made.wall_clock(), slow=made.slow_checks)
    )
    states = {each.state for each in checks}
    worst = next(each for each in (State.FAULT, State.WARNING, State.OK) if each in states)
    body = {
        "status": worst.value,
        "checks": [{"name": c.name, "state": c.state.value, "says": c.text} for c in checks],
    }
    status = 503 if worst is State.FAULT else 200
    return Response(json.dumps(body, indent=2) + "\n", status, mimetype="application/json")


@pages.get("/health/live")
@public
def live() -> ResponseReturnValue:
    """200 while this process answers, whatever else is wrong: not a reason to restart it."""
    return Response("alive\n", mimetype="text/plain")


@pages.get("/metrics", endpoint="metrics")
@public
def figures_of_service() -> ResponseReturnValue:
    """What lies in the database, and this process; only with the token of the settings."""
    made = service()
    token = made.settings.metrics_token
    if not token:
        abort(404)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        answer = Response("a bearer token is needed\n", 401, mimetype="text/plain")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    families = figures.of_database(
        made.sessions, now(), made.wall_clock(), made.settings.database_disk_gb
    )
    return Response(metrics.exposed(families), content_type=metrics.CONTENT_TYPE)
