"""Groups: the list, one with its sessions and who came to which, and its changes."""

from datetime import date, time

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import (
    CAUTION,
    Group,
    LeaveReason,
    SessionKind,
    template,
    templates,
)
from navigate_safer.people.session_outcomes import by_code
from navigate_safer.services import group_members, group_pages, groups, menu
from navigate_safer.services.casework import NotFound
from navigate_safer.services.group_pages import GroupPage
from navigate_safer.services.groups import NoGroup
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("groups", __name__)
RECORD_PAGES = {"programme_group": ("groups.group", RECORD)}
SHORTEST_MINUTES, LONGEST_MINUTES = 15, 480


@pages.get("/groups")
@rule(Permission.SEE_CASEWORK)
def listed() -> ResponseReturnValue:
    """The groups that are running, those first whose register is next."""
    lines, over = group_pages.see_all(service().sessions, scope(), now())
    return render_template("groups.html", lines=lines, over=over, now=now())


@pages.route("/groups/new", methods=["GET", "POST"])
@rule(Permission.RUN_PROGRAMMES)
def new() -> ResponseReturnValue:
    """Plan a group with all its sessions."""
    areas = menu.areas_of(service().sessions, scope())
    if request.method == "GET":
        start = {"starts_at": "18:30", "minutes": "150", "places": "12"}
        return _form(MultiDict(start), areas)
    fields = Fields(request.form)
    area = fields.among("area", [str(each) for each in areas], "the area")
    fields.refuse_private("name")
    fields.refuse_private("place", streets=False)
    made = _read(fields)
    if not fields.errors and made is not None:
        try:
            ref = groups.make(service().sessions, scope(), int(area), made, now())
        except NoGroup as fault:
            fields.errors.update(fault.errors)
        else:
            flash("The group is planned, with a register for each session.", "success")
            return redirect(url_for("groups.group", ref=ref))
    return _form(request.form, areas, fields.errors)


@pages.get("/groups/<ref>")
@rule(Permission.SEE_CASEWORK)
def group(ref: str) -> ResponseReturnValue:
    """One group."""
    return _group(ref, MultiDict())


@pages.route("/groups/<ref>/change", methods=["GET", "POST"])
@rule(Permission.RUN_PROGRAMMES)
def change(ref: str) -> ResponseReturnValue:
    """Name, place, facilitators, places; or the end of it."""
    page = group_pages.see(service().sessions, scope(), ref, now())
    if request.method == "GET":
        return _form(_typed(page), {}, page=page)
    fields, told = Fields(request.form), None
    made = _changed(fields, page.line.record.body)
    reason = fields.text("reason", "why it is changed")
    fields.refuse_private("name", "reason")
    fields.refuse_private("place", streets=False)
    if not fields.errors:
        try:
            groups.change(
                service().sessions, scope(), ref, made, over=fields.ticked("over"),
                replaces=fields.version(), reason=reason, now=now(),
            )  # fmt: skip
        except NoGroup as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            told = conflict(stale, made)
        else:
            flash("The group is changed.", "success")
            return redirect(url_for("groups.group", ref=ref))
    return _form(request.form, {}, fields.errors, page, told)


@pages.post("/groups/<ref>/join")
@rule(Permission.RUN_PROGRAMMES)
def join(ref: str) -> ResponseReturnValue:
    """Put somebody into the group."""
    group_pages.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    wearer = fields.text("wearer", "the person's reference", longest=64)
    on = fields.day("joined_on", "the day of joining")
    if not fields.errors and on is not None:
        try:
            group_members.join(
                service().sessions, scope(), ref, wearer, on,
                replaces=fields.version(), now=now(),
            )  # fmt: skip
        except NoGroup as fault:
            fields.errors.update(fault.errors)
        except NotFound:
            fields.errors["wearer"] = "Enter the reference of a person of this area"
        except Stale as stale:
            fields.errors["wearer"] = _meanwhile(stale)
        else:
            flash("The person is in the group.", "success")
            return redirect(url_for("groups.group", ref=ref))
    return _group(ref, request.form, fields.errors)


@pages.post("/groups/<ref>/leave")
@rule(Permission.RUN_PROGRAMMES)
def leave(ref: str) -> ResponseReturnValue:
    """Somebody leaves, with the reason."""
    page = group_pages.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    present = [each.wearer_ref for each in page.line.record.body.present_members]
    wearer = fields.among("leaver", present, "who leaves")
    on = fields.day("left_on", "the last day", not_after=day_of(now()))
    why = fields.choice("why_left", LeaveReason, "why")
    if not fields.errors and on is not None and why is not None:
        try:
            group_members.leave(
                service().sessions, scope(), ref, wearer, on, why,
                replaces=fields.version(), now=now(),
            )  # fmt: skip
        except NoGroup as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            fields.errors["leaver"] = _meanwhile(stale)
        else:
            flash("Recorded. What was asked for on the menu has ended with it.", "success")
            return redirect(url_for("groups.group", ref=ref))
    return _group(ref, request.form, fields.errors)


def _meanwhile(stale: Stale) -> str:
    newest = stale.newest
    return f"{newest.made_by} has changed the group in the meantime. Look again, then choose."


def _group(ref: str, form: "MultiDict[str, str]", errors: dict[str, str] | None = None) -> Response:
    page = group_pages.see(service().sessions, scope(), ref, now())
    form = MultiDict(form)
    form["replaces"] = str(page.line.record.version)
    for name in ("joined_on", "left_on"):
        if not errors:
            form.update(day_fields(name, day_of(now())))
    shown = render_template(
        "group.html",
        page=page,
        form=form,
        errors=errors or {},
        now=now(),
        codes=by_code(),
        programme=template(page.line.record.body.template),
        reasons=list(LeaveReason),
        caution=CAUTION,
    )
    return Response(shown, 422 if errors else 200)


def _read(fields: Fields) -> Group | None:
    starts_on = fields.day("starts_on", "the first day")
    codes = [each.code for each in templates().templates]
    minutes = fields.whole("minutes", "the minutes", least=SHORTEST_MINUTES, most=LONGEST_MINUTES)
    made = Group(
        name=fields.text("name", "a name", longest=80),
        template=fields.among("template", codes, "a programme"),
        template_version="",
        place=fields.text("place", "where it meets", longest=100),
        starts_on=starts_on or date.min,
        starts_at=_time(fields),
        minutes=minutes or 0,
        intervention=fields.among("intervention", _menu_codes(), "from the menu", required=False),
        rar=fields.ticked("rar"),
        places=_places(fields),
        breaks=_breaks(fields),
        facilitators=_facilitators(fields),
    )
    return None if fields.errors else made


def _places(fields: Fields) -> int:
    most = programme_rules().largest_group.value
    return fields.whole("places", "the places", least=1, most=most) or 1


def _time(fields: Fields) -> str:
    typed = fields.text("starts_at", "when it begins", longest=5)
    try:
        return time.fromisoformat(typed).strftime("%H:%M")
    except ValueError:
        fields.errors.setdefault("starts_at", "Enter when it begins, such as 18:30")
        return "00:00"


def _breaks(fields: Fields) -> tuple[date, ...]:
    found = []
    for typed in fields.text("breaks", "the breaks", required=False).replace(",", " ").split():
        one = Fields(MultiDict({"breaks": typed}))
        day = one.day("breaks", "the days")
        if day is None:
            fields.errors["breaks"] = "Enter each day as 24/12/2026, with a comma between days"
        else:
            found.append(day)
    return tuple(sorted(found))


def _facilitators(fields: Fields) -> tuple[int, ...]:
    chosen = tuple(int(each) for each in fields.form.getlist("facilitators") if each.isdecimal())
    if not chosen:
        fields.errors["facilitators"] = "Select who facilitates it"
    return chosen


def _changed(fields: Fields, body: Group) -> Group:
    return Group(
        name=fields.text("name", "a name", longest=80),
        template=body.template,
        template_version=body.template_version,
        place=fields.text("place", "where it meets", longest=100),
        starts_on=body.starts_on,
        starts_at=body.starts_at,
        minutes=body.minutes,
        intervention=body.intervention,
        rar=body.rar,
        places=_places(fields),
        breaks=body.breaks,
        facilitators=_facilitators(fields),
        members=body.members,
    )


def _menu_codes() -> list[str]:
    page = menu.see(service().sessions, scope(), now())
    return [each.record.body.code for each in page.lines]


def _typed(page: GroupPage) -> "MultiDict[str, str]":
    record = page.line.record
    form: MultiDict[str, str] = MultiDict(
        {
            "replaces": str(record.version),
            "name": record.body.name,
            "place": record.body.place,
            "places": str(record.body.places),
        }
    )
    form.setlist("facilitators", [str(each) for each in record.body.facilitators])
    return form


def _form(
    form: "MultiDict[str, str]",
    areas: dict[int, str],
    errors: dict[str, str] | None = None,
    page: GroupPage | None = None,
    told: Conflict | None = None,
) -> Response:
    form = MultiDict(form)
    if len(areas) == 1:
        form.setdefault("area", str(next(iter(areas))))
    of_areas = list(areas) if page is None else [page.line.record.area_id]
    staff: dict[int, str] = {}
    for area in of_areas:
        staff |= groups.staff_of(service().sessions, scope(), area)
    entries = menu.see(service().sessions, scope(), now()).lines
    shown = render_template(
        "group_form.html",
        form=form,
        errors=errors or {},
        areas=areas,
        page=page,
        conflict=told,
        staff=staff,
        programmes=[x for x in templates().templates if x.of_kind(SessionKind.GROUP)],
        group_kind=SessionKind.GROUP,
        entries={each.record.body.code: each.record.body.name for each in entries},
        now=now(),
    )
    return Response(shown, 422 if errors or told else 200)
