"""The caseload, and the page of one wearer."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from alerts.terms import DeviceKind
from navigate_safer.db.meetings import MeetingLine
from navigate_safer.db.tracks import Point
from navigate_safer.people.access import Permission
from navigate_safer.services import compliance, consult, meetings
from navigate_safer.services.alcohol_picture import Picture
from navigate_safer.web import commands
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("cases", __name__)
LONGEST_SEARCH = 100


@pages.get("/caseload")
@rule(Permission.SEE_CASELOAD)
def caseload() -> ResponseReturnValue:
    """Everybody in the areas of whoever asks; closed cases where they are asked for."""
    search = request.args.get("search", "")[:LONGEST_SEARCH]
    closed = request.args.get("closed") == "yes"
    lines = consult.see_caseload(service().sessions, scope(), search, now(), closed=closed)
    ids = [line.wearer_id for line in lines]
    return render_template(
        "caseload.html",
        lines=lines,
        search=search,
        closed=closed,
        kept=compliance.sums_of(service().sessions, scope(), ids, now()),
        alcohol_days=compliance.alcohol_days_of(service().sessions, scope(), ids, now()),
    )


@pages.get("/people/<ref>")
@rule(Permission.SEE_CASELOAD)
def person(ref: str) -> ResponseReturnValue:
    """One wearer."""
    page = consult.see_person(service().sessions, scope(), ref, now())
    points: list[Point] = []
    picture: Picture | None = None
    met: list[MeetingLine] | None = None
    if scope().may(Permission.SEE_PLACES):
        points = consult.see_person_map(service().sessions, scope(), ref, now()).points
    if scope().may(Permission.SEE_PLACES):
        met = meetings.see(service().sessions, scope(), ref, now())
    # Without a monitor there is nothing to look at, and nothing to write into the log.
    monitored = any(each.kind == DeviceKind.ALCOHOL_MONITOR.value for each in page.person.devices)
    if monitored and scope().may(Permission.SEE_ALCOHOL):
        _, picture = consult.see_person_alcohol(service().sessions, scope(), ref, now())
    return render_template(
        "person.html",
        page=page,
        person=page.person,
        points=points[-30:],
        samples=[] if picture is None else picture.samples[-24:],
        picture=picture,
        meetings=met,
        compliance=compliance.see_days(service().sessions, scope(), ref, now()),
        panel=commands.panel(ref) if scope().may(Permission.COMMAND_DEVICES) else None,
    )
