"""The common assessment of a person: the overview, a victim's Dash, risk and need."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people import assessment_forms as forms
from navigate_safer.people.access import Permission
from navigate_safer.people.assessments import Dash, NeverLower, score_dash, tools
from navigate_safer.people.referrals import Band
from navigate_safer.services import assessments, kept_assessments
from navigate_safer.services.assessments import DashWish
from navigate_safer.services.kept_assessments import Kept
from navigate_safer.services.records import Stale
from navigate_safer.web import assessment_forms
from navigate_safer.web.auth import now, rule, scope, service, signed_in
from navigate_safer.web.case_text import plain
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("assessments", __name__)
PERSON_TABS = (Tab("Assessments", "assessments.overview", Permission.SEE_CASEWORK),)
KINDS = ("dash", "victim_rating", "needs", "partner_rating", "judgement", "band", "rfgv")
RECORD_PAGES = dict.fromkeys(KINDS, ("assessments.overview", PERSON))


@pages.get("/people/<ref>/assessments")
@rule(Permission.SEE_CASEWORK)
def overview(ref: str) -> ResponseReturnValue:
    """The band and what it rests on, ratings side by side, needs, the score."""
    shown = assessments.see(service().sessions, scope(), ref, now())
    needs = shown.needs
    needs_form = None if needs is None else forms.form(forms.NEEDS, needs.body.form_version)
    return render_template(
        "assessments.html",
        shown=shown,
        needs_form=needs_form,
        areas=[]
        if needs is None or needs_form is None
        else forms.areas_of_need(needs_form, needs.body.answers),
        dash_form=forms.form(forms.DASH),
        now=now(),
    )


@pages.get("/people/<ref>/assessments/dash/<victim>")
@rule(Permission.ASSESS)
def dash(ref: str, victim: str) -> ResponseReturnValue:
    """The Dash of one victim, to be assessed or assessed anew."""
    kept = kept_assessments.see_dash(service().sessions, scope(), ref, victim, now())
    return _dash_page(kept, victim, _dash_filled(kept), {})


@pages.post("/people/<ref>/assessments/dash/<victim>")
@rule(Permission.ASSESS)
def save_dash(ref: str, victim: str) -> ResponseReturnValue:
    """Score it and keep it."""
    kept = kept_assessments.see_dash(service().sessions, scope(), ref, victim, now())
    fields, between = Fields(request.form), None
    wish = assessment_forms.dash(fields, forms.form(forms.DASH), victim, now())
    if wish is not None:
        try:
            made = assessments.save_dash(
                service().sessions, scope(), ref, wish, replaces=fields.version(), now=now()
            )
        except NeverLower as fault:
            fields.errors["judged"] = _never_lower(fault)
        except Stale as stale:
            fields.errors["on"] = "Look at what somebody else has changed, then save again"
            between = conflict(stale, _typed(wish))
        else:
            band = made.body.band.value
            flash(f"The Dash is kept: {made.body.ticks} of 24, {band}.", "success")
            return redirect(url_for("assessments.overview", ref=ref))
    return _dash_page(kept, victim, request.form, fields.errors, between)


def _typed(wish: DashWish) -> Dash:
    scored = score_dash(forms.form(forms.DASH), wish.answers, wish.judged, wish.incidents_12m)
    version = forms.form(forms.DASH).version
    return Dash(
        wish.victim, version, wish.answers, scored.ticks, wish.incidents_12m, scored.counted,
        wish.judged, wish.judged_why, scored.band, wish.by,
    )  # fmt: skip


def _never_lower(fault: NeverLower) -> str:
    return f"Select {fault.least.value} or above: judgement may raise a band and never lower it"


@pages.post("/people/<ref>/assessments/dash/<victim>/close")
@rule(Permission.ASSESS)
def close_dash(ref: str, victim: str) -> ResponseReturnValue:
    """A Dash no longer counts, with a reason."""
    kept = kept_assessments.see_dash(service().sessions, scope(), ref, victim, now())
    fields = Fields(request.form)
    reason = plain(fields, "close_reason", "why it no longer counts")
    if fields.errors:
        return _dash_page(kept, victim, _dash_filled(kept), fields.errors)
    try:
        assessments.close_dash(
            service().sessions, scope(), ref, victim,
            replaces=fields.version(), reason=reason, now=now(),
        )  # fmt: skip
    except Stale:
        flash("Somebody has assessed anew meanwhile. Look at it first.", "error")
        return redirect(url_for("assessments.dash", ref=ref, victim=victim))
    flash("The Dash no longer counts. It stays in the file.", "success")
    return redirect(url_for("assessments.overview", ref=ref))


def _dash_filled(kept: Kept) -> "MultiDict[str, str]":
    known = None if kept.current is None else kept.current.body
    form = _filled(kept, {} if known is None else known.answers)
    if known is not None:
        form["incidents_12m"] = "" if known.incidents_12m is None else str(known.incidents_12m)
    return form


def _filled(kept: Kept, answers: forms.Answers) -> "MultiDict[str, str]":
    form = assessment_forms.filled(answers)
    form["assessor"] = signed_in().name
    form["replaces"] = "0" if kept.current is None else str(kept.current.version)
    form.update(assessment_forms.today_fields(now()))
    return form


def _dash_page(
    kept: Kept,
    victim: str,
    form: "MultiDict[str, str]",
    errors: dict[str, str],
    between: Conflict | None = None,
) -> Response:
    page = render_template(
        "assessment_dash.html",
        kept=kept,
        victim=victim,
        dash=forms.form(forms.DASH),
        form=form,
        errors=errors,
        conflict=between,
        bands=list(Band),
        agencies=tools().agencies,
    )
    return Response(page, 422 if errors else 200)


@pages.get("/people/<ref>/assessments/needs")
@rule(Permission.ASSESS)
def needs(ref: str) -> ResponseReturnValue:
    """Risk and need, to be assessed or assessed anew."""
    kept = kept_assessments.see_needs(service().sessions, scope(), ref)
    known = None if kept.current is None else kept.current.body
    form = _filled(kept, {} if known is None else known.answers)
    if known is not None:
        form["summary"] = known.summary
    return _needs_page(kept, form, {})


@pages.post("/people/<ref>/assessments/needs")
@rule(Permission.ASSESS)
def save_needs(ref: str) -> ResponseReturnValue:
    """Keep it."""
    kept = kept_assessments.see_needs(service().sessions, scope(), ref)
    fields, between = Fields(request.form), None
    wish = assessment_forms.needs(fields, forms.form(forms.NEEDS), now())
    if wish is not None:
        try:
            assessments.save_needs(
                service().sessions, scope(), ref, wish, replaces=fields.version(), now=now()
            )
        except Stale as stale:
            fields.errors["on"] = "Look at what somebody else has changed, then save again"
            between = conflict(stale, wish)
        else:
            flash("Risk and need is kept.", "success")
            return redirect(url_for("assessments.overview", ref=ref))
    return _needs_page(kept, request.form, fields.errors, between)


def _needs_page(
    kept: Kept, form: "MultiDict[str, str]", errors: dict[str, str], between: Conflict | None = None
) -> Response:
    page = render_template(
        "assessment_needs.html",
        kept=kept,
        needs=forms.form(forms.NEEDS),
        form=form,
        errors=errors,
        conflict=between,
        agencies=tools().agencies,
    )
    return Response(page, 422 if errors else 200)
