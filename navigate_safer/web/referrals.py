"""The access team's pages: the queue, a new referral, its decision, the report, the settings."""

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Caller,
    Decision,
    Diversion,
    IntakeSettings,
    Outcome,
)
from navigate_safer.services import (
    referral_decisions,
    referral_notes,
    referral_settings,
    referrals,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import Stale
from navigate_safer.services.referral_decisions import NEW, CannotDecide
from navigate_safer.web import referral_forms, referral_words, wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import PERSON, RECORD

pages = Blueprint("referrals", __name__)
PERSON_TABS = (Tab("Referrals", "referrals.of_person", Permission.SEE_CASEWORK),)
RECORD_PAGES = {
    "referral": ("referrals.referral", RECORD),
    "came_in": ("referrals.of_person", PERSON),
    "known_as": ("referrals.of_person", PERSON),
}
_NUMBERS = (
    "decide_within_h", "urgent_within_h", "serial_victims", "serial_years", "repeat_months",
    "least_age", "assess_within_days",
)  # fmt: skip


@pages.get("/intake")
@rule(Permission.TRIAGE)
def queue() -> ResponseReturnValue:
    """What waits for a decision, the most pressing first."""
    shown = referrals.queue(service().sessions, scope(), now())
    return render_template("intake_queue.html", shown=shown, words=referral_words, now=now())


@pages.get("/intake/new")
@rule(Permission.TRIAGE)
def new() -> ResponseReturnValue:
    """The form for a referral."""
    form: MultiDict[str, str] = MultiDict({"received_at": wall_time.written(now())})
    return _new_form(form, {})


@pages.post("/intake/new")
@rule(Permission.TRIAGE)
def take_in() -> ResponseReturnValue:
    """Keep a referral."""
    fields = Fields(request.form)
    area = request.form.get("area", "")
    settings = referral_settings.see(service().sessions, scope(), area or None).settings
    made = referral_forms.referral(fields, settings, now())
    if made is None:
        return _new_form(request.form, fields.errors)
    ref = referrals.take_in(
        service().sessions, scope(), area, made.referral, made.received_at, now()
    )
    flash("The referral is in the queue. Look below whether the person is known.", "success")
    return redirect(url_for("referrals.referral", ref=ref))


def _new_form(form: "MultiDict[str, str]", errors: dict[str, str]) -> Response:
    area = form.get("area") or request.args.get("area")
    page = render_template(
        "intake_new.html",
        held=referral_settings.see(service().sessions, scope(), area),
        form=form,
        errors=errors,
        words=referral_words,
        callers=list(Caller),
        answers=list(Answered),
    )
    return Response(page, 422 if errors else 200)


@pages.get("/intake/referrals/<ref>")
@rule(Permission.TRIAGE)
def referral(ref: str) -> ResponseReturnValue:
    """One referral, who it may be about, and the form of the decision."""
    return _referral(ref, MultiDict(), {})


@pages.post("/intake/referrals/<ref>/decide")
@rule(Permission.TRIAGE)
def decide(ref: str) -> ResponseReturnValue:
    """Keep the decision."""
    fields = Fields(request.form)
    seen = referrals.see(service().sessions, scope(), ref, now())
    wish = referral_forms.decision(fields, seen.settings, now())
    if wish is None:
        return _referral(ref, request.form, fields.errors)
    try:
        person = referral_decisions.decide(
            service().sessions, scope(), ref, wish, fields.version(), now()
        )
    except CannotDecide as fault:
        return _referral(ref, request.form, {fault.field: str(fault)})
    except NotFound:
        told = "There is nobody of this reference in your areas: look at the caseload"
        return _referral(ref, request.form, {"other_ref": told})
    except Stale as stale:
        typed = Decision(wish.outcome, wish.reason, now(), wish.destination, wish.diversion)
        return _referral(ref, request.form, {"outcome": "Look at what has changed"}, stale, typed)
    flash("The decision is kept.", "success")
    if person is None:
        return redirect(url_for("referrals.queue"))
    return redirect(url_for("referrals.of_person", ref=person))


def _referral(
    ref: str,
    form: "MultiDict[str, str]",
    errors: dict[str, str],
    stale: Stale | None = None,
    typed: Decision | None = None,
) -> Response:
    seen = referrals.see(service().sessions, scope(), ref, now())
    if not form:
        form = MultiDict({"replaces": str(seen.record.version)})
    between = None
    if stale is not None and typed is not None:
        between = _between(stale, typed)
    page = render_template(
        "intake_referral.html",
        seen=seen,
        form=form,
        errors=errors,
        conflict=between,
        words=referral_words,
        outcomes=list(Outcome),
        diversions=list(Diversion),
        bands=list(Band),
        new=NEW,
        other=referral_forms.OTHER,
        now=now(),
    )
    return Response(page, 422 if errors else 200)


def _between(stale: Stale, typed: Decision) -> Conflict:
    return conflict(stale, msgspec.structs.replace(stale.newest.body, decision=typed))


@pages.get("/people/<ref>/referrals")
@rule(Permission.SEE_CASEWORK)
def of_person(ref: str) -> ResponseReturnValue:
    """How a person came in, and by what names and numbers he is known."""
    shown = referrals.of_person(service().sessions, scope(), ref, now())
    return render_template("person_referrals.html", shown=shown, words=referral_words)


@pages.post("/people/<ref>/referrals/<came_in>/read")
@rule(Permission.MANAGE_CASES)
def read(ref: str, came_in: str) -> ResponseReturnValue:
    """Whoever has the case has read a new referral."""
    referral_notes.read(service().sessions, scope(), ref, came_in, now())
    flash("The referral is read.", "success")
    return redirect(url_for("referrals.of_person", ref=ref))


@pages.get("/intake/report")
@rule(Permission.TRIAGE)
def report() -> ResponseReturnValue:
    """Quarter by quarter."""
    shown = referrals.report(service().sessions, scope(), now())
    return render_template("intake_report.html", report=shown, words=referral_words)


@pages.get("/intake/settings")
@rule(Permission.TRIAGE)
def settings() -> ResponseReturnValue:
    """What an area has set."""
    held = referral_settings.see(service().sessions, scope(), request.args.get("area"))
    return _settings_page(held, _filled(held.settings, held.version), {})


@pages.post("/intake/settings")
@rule(Permission.SET_CASEWORK)
def save_settings() -> ResponseReturnValue:
    """Keep what an area sets as a new version."""
    fields = Fields(request.form)
    area = request.form.get("area", "")
    held = referral_settings.see(service().sessions, scope(), area or None)
    wanted = referral_forms.settings(fields, held.settings)
    reason = fields.text("why", "why it is changed")
    if wanted is None or fields.errors:
        return _settings_page(held, request.form, fields.errors)
    try:
        referral_settings.save(
            service().sessions, scope(), held.area.ref, wanted,
            replaces=fields.version(), reason=reason, now=now(),
        )  # fmt: skip
    except Stale as stale:
        told = {"why": "Look at what has changed, then save again"}
        held = referral_settings.see(service().sessions, scope(), area or None)
        return _settings_page(held, request.form, told, conflict(stale, wanted))
    flash("The settings hold from now on.", "success")
    return redirect(url_for("referrals.settings", area=held.area.ref))


def _settings_page(
    held: referral_settings.AreaSettings,
    form: "MultiDict[str, str]",
    errors: dict[str, str],
    between: Conflict | None = None,
) -> Response:
    page = render_template(
        "intake_settings.html", held=held, form=form, errors=errors, conflict=between
    )
    return Response(page, 422 if errors else 200)


def _filled(known: IntakeSettings, version: int) -> "MultiDict[str, str]":
    form: MultiDict[str, str] = MultiDict({"replaces": str(version), "source": known.source})
    for name in ("sources", "destinations"):
        form[name] = "\n".join(getattr(known, name))
    for name in _NUMBERS:
        form[name] = str(getattr(known, name))
    return form
