"""Forms of the cohort about one person: colour, panel, leads, what moves up, safety check."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from navigate_safer.people import cohort as subject
from navigate_safer.people import plan_catalogue
from navigate_safer.people.access import Permission
from navigate_safer.people.cohort import (
    BY_HAND,
    CheckResult,
    Decision,
    IomCohort,
    Leads,
    Membership,
    SafetyCheck,
    UpwardEvent,
)
from navigate_safer.people.days import day_of
from navigate_safer.people.rag import Colour, RagStatus, TriggerKind
from navigate_safer.services import cohort, cohort_changes, cohort_settings
from navigate_safer.services.cohort import PersonCohort
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_forms import Form, attempt, filled, shown

pages = Blueprint("cohort_forms", __name__)
BOTH = ["GET", "POST"]


def _person(ref: str) -> PersonCohort:
    return cohort.see_person(service().sessions, scope(), ref, now())


def _done(ref: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("cohort.person", ref=ref))


@pages.route("/people/<ref>/cohort/rag", methods=BOTH)
@rule(Permission.SELECT_COHORT)
def rag(ref: str) -> ResponseReturnValue:
    """Decide on the colour, with the causes that nobody has looked at yet."""
    person = _person(ref)
    more: dict[str, object] = {"person": person, "colours": list(Colour)}
    title = "Decide on the colour"
    if request.method == "GET":
        return shown("cohort_rag.html", title, ref, person.name, _rag_filled(person), more=more)
    fields, today = Fields(request.form), day_of(now())
    colour = fields.choice("colour", Colour, "a colour")
    cause = fields.long_text("cause", "why")
    release_on = fields.day("release_on", "the day of release", required=False)
    review_on = fields.day("review_on", "the day of the review", required=False)
    usual = person.policy.review_on(colour or Colour.RED, today, release_on)
    body = RagStatus(colour or Colour.RED, cause, review_on or usual, release_on=release_on)
    outcome = attempt(
        fields,
        lambda: cohort_changes.decide_colour(
            service().sessions, scope(), ref, body, request.form.getlist("seen"),
            fields.version(), now(),
        ),
        lambda _stale: body,
    )  # fmt: skip
    if outcome.kept:
        return _done(ref, f"The colour is {body.colour.label.lower()}.")
    return shown(
        "cohort_rag.html", title, ref, person.name, request.form, fields, outcome.clash, more=more
    )


def _rag_filled(person: PersonCohort) -> Form:
    known, stands = person.colour, person.standing.colour
    return filled(
        {
            "colour": "" if stands is None else stands.value,
            "replaces": "0" if known is None else str(known.version),
            **day_fields("release_on", None if known is None else known.body.release_on),
        }
    )


@pages.route("/people/<ref>/cohort/panel", methods=BOTH)
@rule(Permission.SELECT_COHORT)
def panel(ref: str) -> ResponseReturnValue:
    """Record what a selection panel decided."""
    person = _person(ref)
    title = "Selection panel"
    more: dict[str, object] = {
        "person": person, "decisions": list(Decision), "cohorts": list(IomCohort)
    }  # fmt: skip
    if request.method == "GET":
        form = _panel_filled(person)
        return shown("cohort_panel.html", title, ref, person.name, form, more=more)
    fields = Fields(request.form)
    body = _membership(fields)
    outcome = attempt(
        fields,
        lambda: cohort_changes.decide_panel(
            service().sessions, scope(), ref, body, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, f"The panel's decision is kept: {body.decision.label.lower()}.")
    return shown(
        "cohort_panel.html", title, ref, person.name, request.form, fields, outcome.clash, more=more
    )


def _membership(fields: Fields) -> Membership:
    decision = fields.choice("decision", Decision, "what the panel decided")
    on = fields.day("on", "the day of the panel", not_after=day_of(now()))
    people, bad = subject.seats(fields.long_text("people", "who sat at the panel"))
    if bad:
        fields.errors["people"] = (
            f"Enter name and agency, one person a line: “{bad[0]}” has no comma"
        )
    return Membership(
        decision=decision or Decision.DECLINED,
        on=on or day_of(now()),
        people=tuple(people),
        reasons=fields.long_text("reasons", "the reasons"),
        cohort=fields.choice("cohort", IomCohort, "the cohort", required=False),
        statutory=fields.ticked("statutory"),
        legal_basis=fields.text("legal_basis", "the legal basis", required=False),
        next_panel_on=fields.day(
            "next_panel_on", "the day of the next panel", required=False, not_before=on
        ),
    )


def _panel_filled(person: PersonCohort) -> Form:
    known = person.membership
    if known is None:
        return filled({"replaces": "0", **day_fields("on", day_of(now()))})
    body = known.body
    return filled(
        {
            "replaces": str(known.version),
            "cohort": "" if body.cohort is None else body.cohort.value,
            "statutory": "yes" if body.statutory else "",
            "legal_basis": body.legal_basis,
            "people": "\n".join(f"{each.name}, {each.agency}" for each in body.people),
            **day_fields("on", day_of(now())),
        }
    )


@pages.route("/people/<ref>/cohort/leads", methods=BOTH)
@rule(Permission.SELECT_COHORT)
def leads(ref: str) -> ResponseReturnValue:
    """Name the one key worker, the two leads and the team."""
    person = _person(ref)
    with_teams = cohort_settings.teams_of(service().sessions, scope(), ref)
    more: dict[str, object] = {"person": person, "teams": [each.name for each in with_teams]}
    title = "Key worker and leads"
    if request.method == "GET":
        return shown("cohort_leads.html", title, ref, person.name, _leads_filled(person), more=more)
    fields = Fields(request.form)
    able = {str(each.staff_id): each.name for each in person.staff}
    chosen = fields.among("key_worker", able, "the key worker")
    reason = fields.text("reason", "why")
    body = Leads(
        key_worker=int(chosen) if chosen else None,
        police_lead=fields.text("police_lead", "the police lead", required=False),
        probation_lead=fields.text("probation_lead", "the probation lead", required=False),
        team=fields.text("team", "the team", required=False),
        childrens_services_on=fields.day(
            "childrens_services_on", "when children's services were told", required=False,
            not_after=day_of(now()),
        ),
    )  # fmt: skip
    outcome = attempt(
        fields,
        lambda: cohort_changes.set_leads(
            service().sessions, scope(), ref, body, reason, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, f"The key worker is {able[chosen]}.")
    return shown(
        "cohort_leads.html", title, ref, person.name, request.form, fields, outcome.clash, more=more
    )


def _leads_filled(person: PersonCohort) -> Form:
    known = person.leads
    body = Leads(person.key_worker_id) if known is None else known.body
    proposed = "" if person.team is None else person.team.name
    return filled(
        {
            "replaces": "0" if known is None else str(known.version),
            "key_worker": str(person.key_worker_id or ""),
            "police_lead": body.police_lead,
            "probation_lead": body.probation_lead,
            "team": body.team or proposed,
            **day_fields("childrens_services_on", body.childrens_services_on),
        }
    )


@pages.route("/people/<ref>/cohort/event", methods=BOTH)
@rule(Permission.ASSESS)
def event(ref: str) -> ResponseReturnValue:
    """Record something that moves somebody up at once."""
    person = _person(ref)
    agencies = plan_catalogue.shipped().agencies
    more: dict[str, object] = {"person": person, "kinds": BY_HAND, "agencies": agencies}
    title = "Record a reason to move up"
    if request.method == "GET":
        form = filled(day_fields("on", day_of(now())))
        return shown("cohort_event.html", title, ref, person.name, form, more=more)
    fields = Fields(request.form)
    kind = fields.choice("kind", TriggerKind, "what became known")
    on = fields.day("on", "the day", not_after=day_of(now()))
    agency = fields.among("agency", agencies, "the agency that said it")
    body = UpwardEvent(kind or TriggerKind.INCIDENT, on or day_of(now()), agency)
    outcome = attempt(
        fields,
        lambda: cohort_changes.add_event(service().sessions, scope(), ref, body, now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "It is recorded, and counts at once.")
    return shown("cohort_event.html", title, ref, person.name, request.form, fields, more=more)


@pages.route("/people/<ref>/cohort/safety-check", methods=BOTH)
@rule(Permission.CONTACT_VICTIMS)
def safety_check(ref: str) -> ResponseReturnValue:
    """The IDVA records that those who are protected were asked."""
    person = _person(ref)
    more: dict[str, object] = {"person": person, "results": list(CheckResult)}
    title = "Safety check before leaving the cohort"
    if request.method == "GET":
        form = filled(day_fields("on", day_of(now())))
        return shown("cohort_safety.html", title, ref, person.name, form, more=more)
    fields = Fields(request.form)
    result = fields.choice("result", CheckResult, "what the check showed")
    on = fields.day("on", "the day of the check", not_after=day_of(now()))
    body = SafetyCheck(on or day_of(now()), result or CheckResult.NOT_ALL_REACHED)
    outcome = attempt(
        fields,
        lambda: cohort_changes.add_check(service().sessions, scope(), ref, body, now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The safety check is recorded.")
    return shown("cohort_safety.html", title, ref, person.name, request.form, fields, more=more)
