"""Those who are protected: the IDVA's pages, and the safety check that an officer asks for."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.safety import (
    Answer,
    Basis,
    Contact,
    Disclosure,
    Feels,
    Reached,
    RefusedAddress,
)
from navigate_safer.services import safety, safety_checks
from navigate_safer.services.records import Stale
from navigate_safer.services.safety import BadNumber, ChangedMeanwhile, Details, VictimPage
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("victims", __name__)
LONGEST_SEARCH = 100
PERSON_TABS = (Tab("Safety checks", "victims.checks", Permission.SEE_CASEWORK),)
RECORD_PAGES = {"safety_check": ("victims.checks", PERSON)}


@pages.get("/victims")
@rule(Permission.SEE_VICTIMS)
def listed() -> ResponseReturnValue:
    """Those protected, and the safety checks that wait."""
    return _list()


@pages.get("/victims/<ref>")
@rule(Permission.SEE_VICTIMS)
def victim(ref: str) -> ResponseReturnValue:
    """One who is protected."""
    return shown(safety.see(service().sessions, scope(), ref, now()))


@pages.post("/victims/<ref>/contact")
@rule(Permission.CONTACT_VICTIMS)
def contact(ref: str) -> ResponseReturnValue:
    """Record a try to be in contact."""
    page = safety.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    reached = fields.choice("reached", Reached, "how it ended")
    feels = fields.choice("feels", Feels, "what she says of her safety")
    not_asked = fields.text(
        "why_not_asked", "why she was not asked", required=feels is Feels.NOT_ASKED
    )
    note = fields.long_text("note", "a note", required=False)
    times = fields.text("safe_times", "when it is safe to call", required=False)
    fields.refuse_private("note", "safe_times", "why_not_asked", streets=True)
    next_on = fields.day(
        "next_on", "the day of the next try", required=False, not_before=day_of(now())
    )
    if fields.errors or reached is None or feels is None:
        return shown(page, fields.errors)
    made = Contact(reached, feels, not_asked, note, times, next_on)
    safety.write_contact(service().sessions, scope(), ref, made, now())
    flash("The contact is recorded.", "success")
    return redirect(url_for("victims.victim", ref=ref))


@pages.post("/victims/<ref>/disclosure")
@rule(Permission.CONTACT_VICTIMS)
def disclosure(ref: str) -> ResponseReturnValue:
    """Record what she was told."""
    page = safety.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    basis = fields.choice("basis", Basis, "under what she was told")
    told_on = fields.day("told_on", "the day on which she was told", not_after=day_of(now()))
    told_by = fields.text("told_by", "who told her")
    what = fields.long_text("what", "what she was told")
    wearer = fields.among("wearer", page.victim.line.wearers, "about whom")
    fields.refuse_private("what", "told_by", streets=True)
    if fields.errors or basis is None or told_on is None:
        return shown(page, fields.errors)
    made = Disclosure(basis, told_on, told_by, what, wearer)
    safety.disclose(service().sessions, scope(), ref, made, now())
    flash("The disclosure is recorded.", "success")
    return redirect(url_for("victims.victim", ref=ref))


@pages.post("/victims/<ref>/details")
@rule(Permission.CONTACT_VICTIMS)
def details(ref: str) -> ResponseReturnValue:
    """Change how she can be reached."""
    page = safety.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    made = Details(
        fields.text("name", "her name"),
        fields.text("address", "the address", required=False, longest=300),
        fields.text("phone", "the telephone number", required=False, longest=20),
        fields.ticked("in_refuge"),
    )
    if not fields.errors:
        try:
            safety.change_details(
                service().sessions, scope(), ref, made, replaces=fields.version(), now=now()
            )
        except RefusedAddress as fault:
            fields.errors["address"] = str(fault)
        except BadNumber:
            fields.errors["phone"] = "Enter a telephone number, such as 07700 900123"
        except ChangedMeanwhile:
            page = safety.see(service().sessions, scope(), ref, now())
            fields.errors["name"] = (
                "Somebody else has changed her details since you opened this page. What you typed "
                "is below; what they saved is above. Save again to keep yours"
            )
    if fields.errors:
        return shown(page, fields.errors)
    flash("Her details are kept.", "success")
    return redirect(url_for("victims.victim", ref=ref))


@pages.get("/people/<ref>/safety-checks")
@rule(Permission.SEE_CASEWORK)
def checks(ref: str) -> ResponseReturnValue:
    """The safety checks about a wearer."""
    return _checks(ref)


@pages.post("/people/<ref>/safety-checks")
@rule(Permission.MANAGE_CASES)
def ask(ref: str) -> ResponseReturnValue:
    """Ask the IDVA before a contact with the perpetrator."""
    fields = Fields(request.form)
    planned_on = fields.day(
        "planned_on", "the day of the contact that is planned", not_before=day_of(now())
    )
    what = fields.long_text("what", "what you plan to do")
    fields.refuse_private("what", streets=True)
    if fields.errors or planned_on is None:
        return _checks(ref, fields.errors)
    safety_checks.ask(service().sessions, scope(), ref, planned_on, what, now())
    flash("The IDVA is asked. Wait for the answer before the contact.", "success")
    return redirect(url_for("victims.checks", ref=ref))


@pages.post("/victims/checks/<ref>/answer")
@rule(Permission.CONTACT_VICTIMS)
def answer(ref: str) -> ResponseReturnValue:
    """Answer a safety check."""
    fields = Fields(request.form)
    said = fields.choice(f"answer_{ref}", Answer, "an answer")
    until = fields.day(f"until_{ref}", "until when the answer holds", not_before=day_of(now()))
    if fields.errors or said is None or until is None:
        return _list(fields.errors)
    try:
        safety_checks.answer(
            service().sessions, scope(), ref, said, until, replaces=fields.version(), now=now()
        )
    except Stale as stale:
        flash(f"{stale.newest.made_by} has answered this in between: look again.", "warning")
    else:
        flash("The answer is given.", "success")
    return redirect(url_for("victims.listed"))


def _list(errors: dict[str, str] | None = None) -> Response:
    search = request.args.get("search", "")[:LONGEST_SEARCH]
    page = render_template(
        "victims.html",
        shown=safety.see_all(service().sessions, scope(), search, now()),
        search=search,
        form=request.form,
        errors=errors or {},
        answers=list(Answer),
        feels=list(Feels),
        now=now(),
    )
    return Response(page, 422 if errors else 200)


def shown(page: VictimPage, errors: dict[str, str] | None = None) -> Response:
    """Her page: with what was typed and its errors where a form on it was refused."""
    form = MultiDict(request.form)
    if not errors or "name" not in form:
        known = page.victim
        form["name"], form["address"] = known.line.name, known.address or ""
        form["phone"], form["in_refuge"] = known.phone or "", "yes" if known.in_refuge else ""
    form.setlist("replaces", [str(page.victim.version)])
    text = render_template(
        "victim.html",
        page=page,
        form=form,
        errors=errors or {},
        reached=list(Reached),
        feels=list(Feels),
        bases=list(Basis),
    )
    return Response(text, 422 if errors else 200)


def _checks(ref: str, errors: dict[str, str] | None = None) -> Response:
    found = safety_checks.see_checks(service().sessions, scope(), ref, now())
    page = render_template(
        "safety_checks.html", shown=found, form=request.form, errors=errors or {}, now=now()
    )
    return Response(page, 422 if errors else 200)
