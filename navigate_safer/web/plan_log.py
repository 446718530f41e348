"""Forms beside the plan: an offer, a contact or check, a trigger and the action, unmanaged risk."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.plan_log import (
    Contact,
    ContactHow,
    Notice,
    Offer,
    OfferAnswer,
    Triggered,
    Unmanaged,
)
from navigate_safer.people.plans import Clock
from navigate_safer.people.records import Record
from navigate_safer.services import plan_changes, plan_log, plans
from navigate_safer.services.casework import NotFound
from navigate_safer.services.plans import PersonPlan
from navigate_safer.web import wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_forms import Form, attempt, filled, shown

pages = Blueprint("plan_log", __name__)
BOTH = ["GET", "POST"]
MOST_NOTICES = 6


def _seen(ref: str) -> PersonPlan:
    return plans.see_person(service().sessions, scope(), ref, now())


def _done(ref: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("plans.person", ref=ref))


@pages.route("/people/<ref>/plan/offer", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def offer(ref: str) -> ResponseReturnValue:
    """Log an offer of help and what was answered."""
    seen, today = _seen(ref), day_of(now())
    more: dict[str, object] = {
        "answers": list(OfferAnswer),
        "days": seen.catalogue.offer_again_days,
    }
    title = "Offer of help"
    if request.method == "GET":
        return shown(
            "plan_offer.html", title, ref, seen.name, filled(day_fields("on", today)), more=more
        )
    fields = Fields(request.form)
    body = Offer(
        on=fields.day("on", "the day of the offer", not_after=today) or today,
        what=fields.text("what", "what was offered"),
        by=fields.text("by", "who offered it"),
        answer=fields.choice("answer", OfferAnswer, "what was answered") or OfferAnswer.NOT_REACHED,
        again_on=fields.day("again_on", "when it is offered again", required=False),
    )
    outcome = attempt(
        fields,
        lambda: plan_log.add_offer(service().sessions, scope(), ref, body, now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The offer is logged.")
    return shown("plan_offer.html", title, ref, seen.name, request.form, fields, more=more)


@pages.route("/people/<ref>/plan/contact", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def contact(ref: str) -> ResponseReturnValue:
    """Log a contact, or a check of the schedule."""
    seen, today = _seen(ref), day_of(now())
    checks = [each.what for each in seen.plan.body.checks] if seen.plan is not None else []
    agencies = seen.catalogue.agencies
    more: dict[str, object] = {"ways": list(ContactHow), "agencies": agencies, "checks": checks}
    title = "Contact or check"
    if request.method == "GET":
        form = filled(day_fields("on", today))
        return shown("plan_contact.html", title, ref, seen.name, form, more=more)
    fields = Fields(request.form)
    body = Contact(
        on=fields.day("on", "the day", not_after=today) or today,
        how=fields.choice("how", ContactHow, "how") or ContactHow.CHECK,
        agency=fields.among("agency", agencies, "the agency"),
        made=fields.among("made", ("yes", "no"), "whether it came about") == "yes",
        check=fields.among("check", checks, "a check of the plan", required=False),
        concern=fields.ticked("concern"),
        note=fields.long_text("note", "the note", required=False),
    )
    outcome = attempt(
        fields,
        lambda: plan_log.add_contact(service().sessions, scope(), ref, body, now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The contact is logged.")
    return shown("plan_contact.html", title, ref, seen.name, request.form, fields, more=more)


@pages.route("/people/<ref>/plan/trigger", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def trigger(ref: str) -> ResponseReturnValue:
    """Start the clock of a trigger."""
    seen = _seen(ref)
    clocks = seen.plan.body.clocks if seen.plan is not None else ()
    known = {each.what: each for each in clocks or seen.catalogue.clocks}
    more: dict[str, object] = {"clocks": list(known.values())}
    title = "A trigger has happened"
    if request.method == "GET":
        form = filled({"seen_at": wall_time.written(now())})
        return shown("plan_trigger.html", title, ref, seen.name, form, more=more)
    fields = Fields(request.form)
    what = fields.among("what", known, "what happened")
    seen_at = fields.instant("seen_at", "when it became known")
    clock = known.get(what, Clock(what, 0))
    outcome = attempt(
        fields,
        lambda: plan_log.start_clock(
            service().sessions, scope(), ref, clock, seen_at or now(), now()
        ),
        lambda _stale: clock,
    )
    if outcome.kept:
        return _done(ref, f"The clock runs: act within {clock.act_within_hours} hours.")
    return shown("plan_trigger.html", title, ref, seen.name, request.form, fields, more=more)


@pages.route("/people/<ref>/plan/triggers/<record>", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def action(ref: str, record: str) -> ResponseReturnValue:
    """Say what was done about a trigger."""
    seen = _seen(ref)
    found = _triggered(seen, record)
    more: dict[str, object] = {"found": found}
    title = "What was done"
    if request.method == "GET":
        values = {"replaces": str(found.version), "acted_at": wall_time.written(now())}
        return shown("plan_action.html", title, ref, seen.name, filled(values), more=more)
    fields = Fields(request.form)
    done = fields.long_text("done", "what was done")
    acted_at = fields.instant("acted_at", "when it was done")
    outcome = attempt(
        fields,
        lambda: plan_log.act(
            service().sessions, scope(), ref, record, done, acted_at or now(), fields.version(),
            now(),
        ),
        lambda _stale: Triggered(
            found.body.what, found.body.seen_at, found.body.act_by, done, acted_at
        ),
    )  # fmt: skip
    if outcome.kept:
        return _done(ref, "The action is kept, and the clock has stopped.")
    return shown(
        "plan_action.html", title, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _triggered(seen: PersonPlan, record: str) -> Record[Triggered]:
    found = next((each for each in seen.triggered if each.ref == record), None)
    if found is None:
        raise NotFound
    return found


@pages.route("/people/<ref>/plan/unmanaged", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def unmanaged(ref: str) -> ResponseReturnValue:
    """Say that a risk is not managed, who was told, and who has acknowledged it."""
    seen = _seen(ref)
    title = "Unmanaged risk"
    more: dict[str, object] = {
        "seen": seen, "rows": range(1, MOST_NOTICES + 1), "agencies": seen.catalogue.agencies
    }  # fmt: skip
    if request.method == "GET":
        form = _unmanaged_filled(seen)
        return shown("plan_unmanaged.html", title, ref, seen.name, form, more=more)
    fields = Fields(request.form)
    body = Unmanaged(
        why=fields.long_text("why", "why the risk cannot be managed"),
        since=fields.day("since", "since when") or day_of(now()),
        notices=tuple(_notices(fields, seen)),
        ended_on=fields.day("ended_on", "when it ended", required=False),
    )
    outcome = attempt(
        fields,
        lambda: plan_log.set_unmanaged(
            service().sessions, scope(), ref, body, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The unmanaged risk and its notices are kept.")
    return shown(
        "plan_unmanaged.html", title, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _notices(fields: Fields, seen: PersonPlan) -> list[Notice]:
    found = []
    for row in range(1, MOST_NOTICES + 1):
        agency = fields.among(f"agency_{row}", seen.catalogue.agencies, "an agency", required=False)
        named = bool(agency)
        person = fields.text(f"person_{row}", "who was told", required=named)
        sent_on = fields.day(f"sent_{row}", "when they were told", required=named)
        known_on = fields.day(f"acknowledged_{row}", "when they acknowledged it", required=False)
        if not named and (person or sent_on) and f"agency_{row}" not in fields.errors:
            fields.errors[f"agency_{row}"] = "Select the agency that was told"
        if named and sent_on is not None:
            found.append(Notice(agency, person, sent_on, known_on))
    return found


def _unmanaged_filled(seen: PersonPlan) -> Form:
    if seen.unmanaged is None:
        return filled({"replaces": "0", **day_fields("since", day_of(now()))})
    body = seen.unmanaged.body
    values = {
        "replaces": str(seen.unmanaged.version), "why": body.why, **day_fields("since", body.since)
    }  # fmt: skip
    for row, each in enumerate(body.notices, start=1):
        values |= {f"agency_{row}": each.agency, f"person_{row}": each.person}
        values |= day_fields(f"sent_{row}", each.sent_on)
        values |= day_fields(f"acknowledged_{row}", each.acknowledged_on)
    return filled(values)


@pages.post("/people/<ref>/plan/end")
@rule(Permission.MANAGE_CASES)
def end(ref: str) -> ResponseReturnValue:
    """End the plan, with a reason; another can then be begun."""
    seen = _seen(ref)
    if seen.plan is None:
        raise NotFound
    fields = Fields(request.form)
    reason = fields.text("reason", "why the plan ends")
    body = seen.plan.body
    outcome = attempt(
        fields,
        lambda: plan_changes.end(service().sessions, scope(), ref, reason, fields.version(), now()),
        lambda _stale: body,
    )
    if outcome.kept:
        return _done(ref, "The plan has ended.")
    more: dict[str, object] = {"seen": seen}
    return shown(
        "plan_end.html",
        "End the plan",
        ref,
        seen.name,
        request.form,
        fields,
        outcome.clash,
        more=more,
    )
