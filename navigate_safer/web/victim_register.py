"""Forms by which an IDVA registers somebody protected, and says from whom."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.safety import RefusedAddress
from navigate_safer.services import records, safety, victim_register
from navigate_safer.services.safety import BadNumber, Details
from navigate_safer.services.victim_register import (
    KnownAlready,
    NewVictim,
    StillNeeded,
    Unknown,
)
from navigate_safer.web import victims
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields

pages = Blueprint("victim_register", __name__)
NOBODY = "There is nobody of this reference in your areas: look at the caseload"


@pages.get("/victims/new")
@rule(Permission.CONTACT_VICTIMS)
def new() -> ResponseReturnValue:
    """The form; ``wearer`` of the address is filled in."""
    return _form(MultiDict({"wearer": request.args.get("wearer", "")}), {})


@pages.post("/victims/new")
@rule(Permission.CONTACT_VICTIMS)
def register() -> ResponseReturnValue:
    """Register somebody protected."""
    fields = Fields(request.form)
    details = Details(
        fields.text("name", "her name"),
        fields.text("address", "the address", required=False, longest=300),
        fields.text("phone", "the telephone number", required=False, longest=20),
        fields.ticked("in_refuge"),
    )
    area = fields.among("area", {str(each): each for each in _areas()}, "the area")
    wearer = fields.text("wearer", "the reference of whom she is protected from", longest=64)
    ref = ""
    if not fields.errors:
        ref = _register(fields, NewVictim(int(area), wearer, details, fields.ticked("another")))
    if fields.errors:
        return _form(request.form, fields.errors)
    flash("She is registered.", "success")
    return redirect(url_for("victims.victim", ref=ref))


def _register(fields: Fields, made: NewVictim) -> str:
    """Her reference; what is refused goes into ``fields``."""
    try:
        return victim_register.register(service().sessions, scope(), made, now())
    except Unknown:
        fields.errors["wearer"] = NOBODY
    except KnownAlready as fault:
        fields.errors["another"] = (
            f"{', '.join(fault.refs)} has this name. If it is the same person, add the perpetrator "
            "on her page; if not, tick that she is another"
        )
    except RefusedAddress as fault:
        fields.errors["address"] = str(fault)
    except BadNumber:
        fields.errors["phone"] = "Enter a telephone number, such as 07700 900123"
    return ""


def _areas() -> dict[int, str]:
    return records.areas(service().sessions, scope())


def _form(form: "MultiDict[str, str]", errors: dict[str, str]) -> Response:
    page = render_template("victim_new.html", form=form, errors=errors, areas=_areas())
    return Response(page, 422 if errors else 200)


@pages.post("/victims/<ref>/link")
@rule(Permission.CONTACT_VICTIMS)
def link(ref: str) -> ResponseReturnValue:
    """She is protected from one more."""
    called = "the reference of whom she is protected from"
    return _changed(
        ref, "link_wearer", called, victim_register.link, NOBODY, "She is protected from"
    )


@pages.post("/victims/<ref>/unlink")
@rule(Permission.CONTACT_VICTIMS)
def unlink(ref: str) -> ResponseReturnValue:
    """She is not protected from somebody any more."""
    called = "from whom she is no longer protected"
    unknown = "Select one of those from whom she is protected"
    words = "She is no longer protected from"
    return _changed(ref, "unlink_wearer", called, victim_register.unlink, unknown, words)


def _changed(
    ref: str,
    field: str,
    called: str,
    change: Callable[[Sessions, Scope, str, str, datetime], None],
    unknown: str,
    words: str,
) -> ResponseReturnValue:
    """Change from whom she is protected by the reference in ``field``, and say so by ``words``."""
    fields = Fields(request.form)
    wearer = fields.text(field, called, longest=64)
    if not fields.errors:
        try:
            change(service().sessions, scope(), ref, wearer, now())
        except Unknown:
            fields.errors[field] = unknown
        except StillNeeded as fault:
            fields.errors[field] = str(fault)
    if fields.errors:
        page = safety.see(service().sessions, scope(), ref, now())
        return victims.shown(page, fields.errors)
    flash(f"{words} {wearer}.", "success")
    return redirect(url_for("victims.victim", ref=ref))
