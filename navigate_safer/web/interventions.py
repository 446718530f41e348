"""Interventions of one person: what he has, what he could have, and where each request goes."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import AlcoholNeed, EndReason, Motivation, RequestState
from navigate_safer.services import intervention_requests as asking
from navigate_safer.services import intervention_steps as steps
from navigate_safer.services.intervention_requests import Asked, PersonMenu, RequestPage
from navigate_safer.services.intervention_steps import NotAsked, Step
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("interventions", __name__)
PERSON_TABS = (Tab("Interventions", "interventions.person", Permission.SEE_CASEWORK),)
RECORD_PAGES = {"intervention_request": ("interventions.asked", RECORD)}
NOT_KNOWN = "not_known"
# What each step is called on its button, and what it does.
STEPS = {
    RequestState.ACCEPTED: "Accept: give a place",
    RequestState.WAITING: "Put on the waiting list",
    RequestState.STARTED: "First session held",
    RequestState.COMPLETED: "Completed",
    RequestState.ENDED: "Ended early, or no longer wanted",
    RequestState.DECLINED: "Decline",
}


@pages.get("/people/<ref>/interventions")
@rule(Permission.SEE_CASEWORK)
def person(ref: str) -> ResponseReturnValue:
    """What one person has and could have."""
    page = asking.of_person(service().sessions, scope(), ref, now())
    return _person(page, _typed(page))


@pages.post("/people/<ref>/interventions")
@rule(Permission.RUN_PROGRAMMES)
def ask(ref: str) -> ResponseReturnValue:
    """Ask for one."""
    page = asking.of_person(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    code = fields.among("code", [each.entry.code for each in page.offers], "an intervention")
    motivation = fields.among(
        "motivation", [NOT_KNOWN, *(each.value for each in Motivation)], "what is known"
    )
    alcohol = fields.among(
        "alcohol", [NOT_KNOWN, *(each.value for each in AlcoholNeed)], "what is known"
    )
    asked = Asked(
        code=code,
        motivation=None if motivation in ("", NOT_KNOWN) else Motivation(motivation),
        alcohol=None if alcohol in ("", NOT_KNOWN) else AlcoholNeed(alcohol),
        note=fields.long_text("note", "the note", required=False),
        went_on_because=fields.text("went_on_because", "why you go on", required=False),
    )
    fields.refuse_private("note", "went_on_because")
    if not fields.errors:
        try:
            made = asking.ask(service().sessions, scope(), ref, asked, now())
        except NotAsked as fault:
            fields.errors[fault.field] = " ".join(fault.reasons)
        else:
            flash("It is asked for. The answer is due within a working week.", "success")
            return redirect(url_for("interventions.asked", ref=made))
    return _person(page, request.form, fields.errors)


@pages.get("/menu/requests/<ref>")
@rule(Permission.SEE_CASEWORK)
def asked(ref: str) -> ResponseReturnValue:
    """One request, and where it may go."""
    page = asking.see(service().sessions, scope(), ref, now())
    form = MultiDict({"replaces": str(page.record.version), **day_fields("on", day_of(now()))})
    return _asked(page, form)


@pages.post("/menu/requests/<ref>")
@rule(Permission.RUN_PROGRAMMES)
def step(ref: str) -> ResponseReturnValue:
    """Take it one step on."""
    page = asking.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    to = fields.choice("to", RequestState, "what happens next")
    on = fields.day("on", "the day", not_after=day_of(now()))
    why = fields.choice("end_reason", EndReason, "why", required=False)
    reason = fields.text("reason", "the reason", required=False)
    fields.refuse_private("reason")
    if not fields.errors and to is not None and on is not None:
        try:
            steps.move(
                service().sessions, scope(), ref, Step(to, on, reason, why),
                replaces=fields.version(), now=now(),
            )  # fmt: skip
        except NotAsked as fault:
            fields.errors[fault.field] = " ".join(fault.reasons)
        except Stale as stale:
            newest = stale.newest
            fields.errors["to"] = (
                f"{newest.made_by} has taken it on in the meantime: it is {newest.state} now. "
                "Look again, then choose."
            )
            page = asking.see(service().sessions, scope(), ref, now())
        else:
            flash(f"The request is {to.value} now.", "success")
            return redirect(url_for("interventions.asked", ref=ref))
    form = MultiDict(request.form)
    form["replaces"] = str(page.record.version)
    return _asked(page, form, fields.errors)


def _typed(page: PersonMenu) -> "MultiDict[str, str]":
    facts = page.facts
    return MultiDict(
        {
            "code": request.args.get("code", ""),
            "motivation": facts.motivation.value if facts.motivation else NOT_KNOWN,
            "alcohol": facts.alcohol.value if facts.alcohol else NOT_KNOWN,
        }
    )


def _person(
    page: PersonMenu, form: "MultiDict[str, str]", errors: dict[str, str] | None = None
) -> Response:
    shown = render_template(
        "person_interventions.html",
        page=page,
        form=form,
        errors=errors or {},
        now=now(),
        motivations=list(Motivation),
        alcohols=list(AlcoholNeed),
        live=[each for each in page.requests if RequestState(each.state).live],
        past=[each for each in page.requests if not RequestState(each.state).live],
    )
    return Response(shown, 422 if errors else 200)


def _asked(
    page: RequestPage,
    form: "MultiDict[str, str]",
    errors: dict[str, str] | None = None,
) -> Response:
    shown = render_template(
        "intervention_request.html",
        page=page,
        form=form,
        errors=errors or {},
        steps=[(each.value, STEPS[each]) for each in page.moves],
        reasons=list(EndReason),
        now=now(),
    )
    return Response(shown, 422 if errors else 200)
