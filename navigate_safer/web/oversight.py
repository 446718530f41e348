"""Pages about the service itself, and the log of who saw and did what."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.account import Act
from navigate_safer.services import oversight
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("oversight", __name__)
LARGEST_ID = 2**63


@pages.get("/service")
@rule(Permission.SEE_OPERATIONS)
def operations() -> ResponseReturnValue:
    """Workers, gateways, refused readings, readings that belong to nobody."""
    made = service()
    state = oversight.see_operations(
        made.sessions, scope(), now(), made.wall_clock(), made.settings.database_disk_gb
    )
    return render_template("service.html", state=state)


@pages.get("/audit")
@rule(Permission.SEE_AUDIT)
def audit() -> ResponseReturnValue:
    """The log, newest first."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < LARGEST_ID:
        before = None
    chosen = request.args.get("act")
    act = Act(chosen) if chosen in [each.value for each in Act] else None
    lines = oversight.see_audit(service().sessions, scope(), before, now(), act)
    return render_template("audit.html", lines=lines, act=act, acts=list(Act))
