"""Compliance of a person on one timeline; report a failure, and start the clock of a notice."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.days import start_of
from navigate_safer.people.failures import Failure, Source
from navigate_safer.people.notices import Notice, alarm_now, clocks
from navigate_safer.people.records import Due
from navigate_safer.services import enforcement, failures, notices
from navigate_safer.services.enforcement import EnforcementPage
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.orders import shown
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_pages import PERSON
from navigate_safer.web.wall_time import written
from navigate_safer.web.words import KINDS, in_words

pages = Blueprint("enforcement", __name__)
PERSON_TABS = (Tab("Enforcement", "enforcement.seen", Permission.SEE_CASEWORK),)
RECORD_PAGES = {"protection_notice": ("enforcement.seen", PERSON)}
_ALL = "/people/<ref>/enforcement"


@pages.get(_ALL)
@rule(Permission.SEE_CASEWORK)
def seen(ref: str) -> ResponseReturnValue:
    """Twelve months as a picture, what awaits a decision, clocks, and one list of everything."""
    return _page(ref, {}, {})


@pages.get(f"{_ALL}/report")
@rule(Permission.MANAGE_CASES)
def blank(ref: str) -> ResponseReturnValue:
    """The form of a failure; ``alert`` fills in what is known of one."""
    page = enforcement.see(service().sessions, scope(), ref, now())
    form = {"at": written(now())}
    named = [each for each in page.alerts if each.reference == request.args.get("alert")]
    if named:
        (alert,) = named
        what = KINDS.get(alert.kind, in_words(alert.kind))
        form = {"at": written(alert.started_at), "what": what, "alert": alert.reference}
    return _report(page, form, {})


@pages.post(f"{_ALL}/report")
@rule(Permission.MANAGE_CASES)
def report(ref: str) -> ResponseReturnValue:
    """Put a failure on the timeline; it awaits a decision."""
    page = enforcement.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    what = fields.long_text("what", "what happened")
    at = fields.instant("at", "when it happened")
    requirement = fields.long_text("requirement", "what it was against", required=False)
    evidence = fields.long_text("evidence", "the evidence", required=False)
    alert = fields.form.get("alert", "")
    fields.refuse_private("what", "requirement", "evidence")
    if at is not None and at > now():
        fields.errors["at"] = "Enter a time that is not to come"
    known = alert in {each.reference for each in page.alerts}
    if at is None or fields.errors:
        return _report(page, request.form, fields.errors)
    source = Source.ALERT if known else Source.OFFICER
    body = Failure(what, source, alert if known else "", requirement, evidence)
    made = failures.record(service().sessions, scope(), ref, body, at, now())
    flash("It is on the timeline. Decide whether there was a good reason.", "success")
    return redirect(url_for("failures.one", ref=made.ref))


@pages.post(f"{_ALL}/notices")
@rule(Permission.MANAGE_CASES)
def start(ref: str) -> ResponseReturnValue:
    """Start the clock of a protection notice."""
    fields = Fields(request.form)
    kind = fields.among("notice", clocks(), "which notice it is")
    given_at = fields.instant("given_at", "when it was given")
    given_by = fields.text("given_by", "who gave it, with rank and number")
    fields.refuse_private("given_by")
    if given_at is not None and not fields.errors:
        try:
            notice = Notice(kind, given_at, given_by)
            notices.start(service().sessions, scope(), ref, notice, now())
        except Faulty as fault:
            fields.errors.update(fault.faults)
        else:
            flash("The clock is running.", "success")
            return redirect(url_for("enforcement.seen", ref=ref))
    return _page(ref, request.form, fields.errors)


@pages.post("/notices/<ref>/seen")
@rule(Permission.MANAGE_CASES)
def alarm(ref: str) -> ResponseReturnValue:
    """Somebody has seen to a reminder of a notice."""
    fields = Fields(request.form)
    person = _person_of(ref)
    try:
        notices.see_to(service().sessions, scope(), ref, fields.version(), now())
    except Faulty as fault:
        return _page(person, request.form, _named(fault.faults, ref))
    except Stale:
        flash("Somebody else has changed the notice: look at it, and try again.", "warning")
    else:
        flash("Noted. The next reminder comes when its time comes.", "success")
    return redirect(url_for("enforcement.seen", ref=person))


@pages.post("/notices/<ref>/heard")
@rule(Permission.MANAGE_CASES)
def heard(ref: str) -> ResponseReturnValue:
    """What the court did, by which the clock stops."""
    fields = Fields(request.form)
    person = _person_of(ref)
    heard_at = fields.instant(f"heard_at_{ref}", "when the court heard it, or when it lapsed")
    outcome = fields.text(f"outcome_{ref}", "what the court did")
    fields.refuse_private(f"outcome_{ref}")
    if heard_at is not None and not fields.errors:
        try:
            notices.heard(
                service().sessions, scope(), ref, heard_at, outcome, fields.version(), now()
            )
        except Faulty as fault:
            fields.errors.update(_named(fault.faults, ref))
        except Stale:
            flash("Somebody else has changed the notice: look at it, and try again.", "warning")
            return redirect(url_for("enforcement.seen", ref=person))
        else:
            flash("The clock has stopped.", "success")
            return redirect(url_for("enforcement.seen", ref=person))
    return _page(person, request.form, fields.errors)


def _named(faults: Mapping[str, str], ref: str) -> dict[str, str]:
    """Faults of the form of one notice: there may be two on the page."""
    return {f"{name}_{ref}": text for name, text in faults.items()}


def _person_of(ref: str) -> str:
    return notices.person_of(service().sessions, scope(), ref)


def _page(ref: str, form: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    page = enforcement.see(service().sessions, scope(), ref, now())
    body = render_template(
        "enforcement.html",
        page=page,
        form=shown(form),
        errors=errors,
        clocks=clocks().values(),
        alarm_now=alarm_now,
        now=now(),
        entries=_entries(page),
    )
    return Response(body, 422 if errors else 200)


class Entry(msgspec.Struct, frozen=True):
    """A line of the list; ``report`` where an alert can be reported as a failure."""

    at: datetime
    kind: str
    what: str
    href: str
    state: str
    ref: str
    due: Due | None = None
    report: bool = False


def _entries(page: EnforcementPage) -> list[Entry]:
    """Everything in one list, the newest first."""
    listed: list[Entry] = []
    for each in page.failures:
        href, body = url_for("failures.one", ref=each.ref), each.body
        listed.append(Entry(each.at, "Failure", body.what, href, each.state, each.ref, each.due))
        if body.warned is not None:
            sent_at = start_of(body.warned.sent_on)
            listed.append(Entry(sent_at, "Letter", "Warning letter", href, "sent", each.ref))
    for breach in page.breaches:
        href, why = url_for("breaches.one", ref=breach.ref), breach.body.why
        state = breach.state
        listed.append(Entry(breach.at, "Breach", why, href, state, breach.ref, breach.due))
    for alert in page.alerts:
        href = url_for("alerts.alert", reference=alert.reference)
        what, state = KINDS.get(alert.kind, in_words(alert.kind)), alert.outcome or alert.state
        report = alert.reference not in page.reported
        listed.append(
            Entry(alert.started_at, "Alert", what, href, state, alert.reference, report=report)
        )
    return sorted(listed, key=lambda each: each.at, reverse=True)


def _report(page: EnforcementPage, form: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    body = render_template("failure_report.html", page=page, form=shown(form), errors=errors)
    return Response(body, 422 if errors else 200)
