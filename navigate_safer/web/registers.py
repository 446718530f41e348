"""The register of a group's session: everybody on one page, one submit."""

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import LONDON
from navigate_safer.people.programmes import Line
from navigate_safer.people.session_outcomes import (
    RESCHEDULED_BY_SERVICE,
    by_code,
    common,
    others,
)
from navigate_safer.services import group_registers, groups
from navigate_safer.services.group_registers import (
    NO_LINE,
    NeedsReason,
    NotYet,
    RegisterPage,
    Unfilled,
    Wanted,
)
from navigate_safer.services.groups import NoGroup
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("registers", __name__)
RECORD_PAGES = {"group_session": ("registers.by_record", RECORD)}


@pages.get("/groups/sessions/<ref>")
@rule(Permission.SEE_CASEWORK)
def by_record(ref: str) -> ResponseReturnValue:
    """The register by its own reference, as what is due names it."""
    group, number = group_registers.place_of(service().sessions, scope(), ref)
    return redirect(url_for("registers.register", ref=group, number=number))


@pages.get("/groups/<ref>/sessions/<int:number>/register")
@rule(Permission.SEE_CASEWORK)
def register(ref: str, number: int) -> ResponseReturnValue:
    """Who came, and how it went."""
    page = group_registers.see(service().sessions, scope(), ref, number, now())
    return _page(page, _typed(page))


@pages.post("/groups/<ref>/sessions/<int:number>/register")
@rule(Permission.RUN_PROGRAMMES)
def save(ref: str, number: int) -> ResponseReturnValue:
    """Keep the whole register."""
    page = group_registers.see(service().sessions, scope(), ref, number, now())
    fields, told = Fields(request.form), None
    lines = _lines(fields, page)
    wanted = Wanted(
        lines=lines,
        replaces=fields.version(),
        later=fields.ticked("later"),
        reason=fields.text("reason", "why it is changed", required=False),
    )
    form = request.form
    if not fields.errors:
        try:
            group_registers.save(
                service().sessions, scope(), ref, number, wanted, now(), service().voice
            )
        except Unfilled as fault:
            for each in fault.refs:
                name = page.names.get(each, each)
                fields.errors[f"outcome-{each}"] = f"Select how it went for {name}"
        except NotYet:
            fields.errors["later"] = "The session has not begun: fill in the register when it has"
        except NeedsReason:
            fields.errors["reason"] = "Enter why the register is changed"
        except Stale as stale:
            typed = group_registers.typed(page.record, page.members, wanted)
            told = _by_name(conflict(stale, typed), page)
            page = group_registers.see(service().sessions, scope(), ref, number, now())
        else:
            flash(_said(lines), "success")
            return redirect(url_for("groups.group", ref=ref))
    return _page(page, form, fields.errors, told)


@pages.post("/groups/<ref>/sessions/<int:number>/move")
@rule(Permission.RUN_PROGRAMMES)
def move(ref: str, number: int) -> ResponseReturnValue:
    """Put the session on another day, and perhaps those after it."""
    page = group_registers.see(service().sessions, scope(), ref, number, now())
    fields = Fields(request.form)
    to = fields.instant("to", "the new day and time")
    reason = fields.text("move_reason", "why it is moved")
    if not fields.errors and to is not None:
        try:
            groups.move(
                service().sessions, scope(), ref, number, to, later_too=fields.ticked("later_too"),
                replaces=fields.version(), reason=reason, now=now(),
            )  # fmt: skip
        except NoGroup as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            fields.errors["to"] = f"{stale.newest.made_by} has changed the session in the meantime"
        else:
            flash("The session is moved.", "success")
            return redirect(url_for("groups.group", ref=ref))
    form = _typed(page)
    for name in ("to", "move_reason", "later_too"):
        form[name] = request.form.get(name, "")
    return _page(page, form, fields.errors)


def _lines(fields: Fields, page: RegisterPage) -> dict[str, Line]:
    """A line for each member; with the box for all, everybody is put off by the service."""
    if fields.ticked("not_held"):
        return {each.wearer_ref: Line(RESCHEDULED_BY_SERVICE) for each in page.members}
    return {each.wearer_ref: _line(fields, each.wearer_ref) for each in page.members}


def _line(fields: Fields, ref: str) -> Line:
    first, other = fields.form.get(f"outcome-{ref}", ""), fields.form.get(f"other-{ref}", "")
    outcome = first or other
    if first and other and first != other:
        fields.errors[f"outcome-{ref}"] = "Select one outcome: here are two"
    elif outcome and outcome not in by_code():
        fields.errors[f"outcome-{ref}"] = "Select an outcome from the list"
    return Line(
        outcome=outcome,
        behaviour=fields.long_text(f"behaviour-{ref}", "the note", required=False),
        concern=fields.long_text(f"concern-{ref}", "the concern", required=False),
        notify=fields.ticked(f"notify-{ref}"),
    )


def _by_name(told: Conflict, page: RegisterPage) -> Conflict:
    """The lines that differ by the name of the person and not by the reference."""
    named = []
    for each in told.differences:
        _, _, place = each.place.partition("lines, ")
        ref, _, what = place.rpartition(", ")
        known = f"{page.names[ref]}, {what}" if ref in page.names else each.place
        named.append(msgspec.structs.replace(each, place=known))
    return Conflict(told.newest, named)


def _said(lines: dict[str, Line]) -> str:
    known = [by_code()[each.outcome] for each in lines.values() if each.outcome]
    there = sum(each.attended for each in known)
    left = len(lines) - len(known)
    said = f"The register is saved: {there} of {len(lines)} attended."
    return said if not left else f"{said} {left} still to be filled in."


def _typed(page: RegisterPage) -> "MultiDict[str, str]":
    form: MultiDict[str, str] = MultiDict({"replaces": str(page.record.version)})
    first = {each.code for each in common()}
    for member in page.members:
        ref = member.wearer_ref
        line = page.record.body.lines.get(ref, NO_LINE)
        form["outcome-" + ref if line.outcome in first else "other-" + ref] = line.outcome
        form[f"behaviour-{ref}"], form[f"concern-{ref}"] = line.behaviour, line.concern
        form[f"notify-{ref}"] = "yes" if line.notify else ""
    form["to"] = page.record.body.starts_at.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M")
    return form


def _page(
    page: RegisterPage,
    form: "MultiDict[str, str]",
    errors: dict[str, str] | None = None,
    told: Conflict | None = None,
) -> Response:
    form = MultiDict(form)
    form.setdefault("replaces", str(page.record.version))
    shown = render_template(
        "register.html",
        page=page,
        form=form,
        errors=errors or {},
        conflict=told,
        now=now(),
        common=common(),
        others=others(),
        codes=by_code(),
        may_write=scope().may(Permission.RUN_PROGRAMMES) and page.begun,
        may_move=scope().may(Permission.RUN_PROGRAMMES) and page.record.state == groups.PLANNED,
    )
    return Response(shown, 422 if errors or told else 200)
