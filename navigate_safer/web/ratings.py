"""Partners' ratings, judgement of the band, the RFGV score and its table, overrides by agency."""

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.assessments import NeverLower, tools
from navigate_safer.people.days import day_of
from navigate_safer.people.referrals import Band
from navigate_safer.people.rfgv import BadWeights, RfgvInputs, RfgvScore
from navigate_safer.services import assessments, band_overrides, kept_assessments, rfgv_scores
from navigate_safer.services.kept_assessments import Kept
from navigate_safer.services.records import Stale
from navigate_safer.services.rfgv_scores import AreaWeights, Scoring
from navigate_safer.web import assessment_forms, rfgv_forms
from navigate_safer.web.auth import now, rule, scope, service, signed_in
from navigate_safer.web.case_text import plain
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.record_forms import Conflict, conflict

pages = Blueprint("ratings", __name__)
CHANGED = "Look at what somebody else has changed, then save again"


@pages.get("/people/<ref>/assessments/rating")
@rule(Permission.ASSESS)
def rating(ref: str) -> ResponseReturnValue:
    """The form for a partner's rating."""
    return _rating_page(ref, MultiDict(assessment_forms.today_fields(now())), {})


@pages.post("/people/<ref>/assessments/rating")
@rule(Permission.ASSESS)
def save_rating(ref: str) -> ResponseReturnValue:
    """Keep a partner's rating."""
    shown = assessments.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    made = assessment_forms.rating(fields, shown.victims, now())
    if made is None:
        return _rating_page(ref, request.form, fields.errors)
    assessments.save_rating(service().sessions, scope(), ref, made, now())
    flash("The rating is kept.", "success")
    return redirect(url_for("assessments.overview", ref=ref))


def _rating_page(ref: str, form: "MultiDict[str, str]", errors: dict[str, str]) -> Response:
    shown = assessments.see(service().sessions, scope(), ref, now())
    page = render_template(
        "assessment_rating.html", shown=shown, tools=tools(), form=form, errors=errors
    )
    return Response(page, 422 if errors else 200)


@pages.get("/people/<ref>/assessments/band")
@rule(Permission.ASSESS)
def band(ref: str) -> ResponseReturnValue:
    """The form for a judgement of the band."""
    kept = kept_assessments.see_judgement(service().sessions, scope(), ref)
    form: MultiDict[str, str] = MultiDict(assessment_forms.today_fields(now()))
    form["assessor"] = signed_in().name
    form["replaces"] = "0" if kept.current is None else str(kept.current.version)
    return _band_page(kept, form, {})


@pages.post("/people/<ref>/assessments/band")
@rule(Permission.ASSESS)
def save_band(ref: str) -> ResponseReturnValue:
    """Keep a judgement."""
    kept = kept_assessments.see_judgement(service().sessions, scope(), ref)
    fields, between = Fields(request.form), None
    judged = fields.choice("band", Band, "a band")
    reason = plain(fields, "reason", "the reason", large=True)
    by = assessment_forms.by(fields, now())
    if judged is not None and by is not None and not fields.errors:
        try:
            settled = assessments.save_judgement(
                service().sessions, scope(), ref, judged, reason, by,
                replaces=fields.version(), now=now(),
            )  # fmt: skip
        except NeverLower as fault:
            least = fault.least.value
            fields.errors["band"] = f"Select {least} or above: a victim's tool says {least}"
        except Stale as stale:
            fields.errors["band"] = CHANGED
            typed = msgspec.structs.replace(stale.newest.body, band=judged, reason=reason, by=by)
            between = conflict(stale, typed)
        else:
            flash(f"The judgement is kept. The band is {settled.value}.", "success")
            return redirect(url_for("assessments.overview", ref=ref))
    return _band_page(kept, request.form, fields.errors, between)


def _band_page(
    kept: Kept, form: "MultiDict[str, str]", errors: dict[str, str], between: Conflict | None = None
) -> Response:
    page = render_template(
        "assessment_band.html",
        kept=kept,
        form=form,
        errors=errors,
        conflict=between,
        bands=list(Band),
        agencies=tools().agencies,
    )
    return Response(page, 422 if errors else 200)


@pages.get("/people/<ref>/assessments/rfgv")
@rule(Permission.ASSESS)
def rfgv(ref: str) -> ResponseReturnValue:
    """The form for a score, filled from the records."""
    scoring = rfgv_scores.see(service().sessions, scope(), ref, now())
    return _rfgv_page(scoring, rfgv_forms.filled(scoring), {})


@pages.post("/people/<ref>/assessments/rfgv")
@rule(Permission.ASSESS)
def save_rfgv(ref: str) -> ResponseReturnValue:
    """Score and keep it."""
    scoring = rfgv_scores.see(service().sessions, scope(), ref, now())
    fields, between = Fields(request.form), None
    inputs = rfgv_forms.inputs(fields, scoring.weights, day_of(now()))
    agency = fields.among("agency", tools().agencies, "the agency")
    evidence = plain(fields, "evidence", "what it rests on", large=True)
    if inputs is not None and not fields.errors:
        try:
            made = rfgv_scores.save(
                service().sessions, scope(), ref, inputs, agency=agency, evidence=evidence,
                replaces=fields.version(), now=now(),
            )  # fmt: skip
        except Stale as stale:
            fields.errors["incidents"] = CHANGED
            between = conflict(stale, _retyped(stale, inputs, agency, evidence))
        else:
            flash(f"The score is kept: {made.score:.1f}.", "success")
            return redirect(url_for("assessments.overview", ref=ref))
    return _rfgv_page(scoring, request.form, fields.errors, between)


def _retyped(stale: Stale, inputs: RfgvInputs, agency: str, evidence: str) -> msgspec.Struct:
    theirs: RfgvScore = stale.newest.body
    return msgspec.structs.replace(theirs, inputs=inputs, agency=agency, evidence=evidence)


def _rfgv_page(
    scoring: Scoring,
    form: "MultiDict[str, str]",
    errors: dict[str, str],
    between: Conflict | None = None,
) -> Response:
    page = render_template(
        "assessment_rfgv.html",
        scoring=scoring,
        form=form,
        errors=errors,
        conflict=between,
        agencies=tools().agencies,
    )
    return Response(page, 422 if errors else 200)


@pages.get("/assessments/weights")
@rule(Permission.SEE_CASEWORK)
def weights() -> ResponseReturnValue:
    """The RFGV table of an area."""
    held = rfgv_scores.see_weights(service().sessions, scope(), request.args.get("area"))
    return _weights_page(held, rfgv_forms.filled_weights(held.weights, held.version), {})


@pages.post("/assessments/weights")
@rule(Permission.SET_CASEWORK)
def save_weights() -> ResponseReturnValue:
    """Keep a new table of an area."""
    area = request.form.get("area", "")
    held = rfgv_scores.see_weights(service().sessions, scope(), area or None)
    fields, between = Fields(request.form), None
    wanted = rfgv_forms.weights(fields, held.weights)
    reason = fields.text("why", "why it is changed")
    if wanted is not None and not fields.errors:
        try:
            rfgv_scores.save_weights(
                service().sessions, scope(), held.area.ref, wanted,
                replaces=fields.version(), reason=reason, now=now(),
            )  # fmt: skip
        except BadWeights as fault:
            fields.errors[rfgv_forms.FIRST_FIELD[fault.part]] = str(fault)
        except Stale as stale:
            fields.errors["why"] = CHANGED
            between = conflict(stale, wanted)
        else:
            flash("The table holds for scores from now on.", "success")
            return redirect(url_for("ratings.weights", area=held.area.ref))
    return _weights_page(held, request.form, fields.errors, between)


def _weights_page(
    held: AreaWeights,
    form: "MultiDict[str, str]",
    errors: dict[str, str],
    between: Conflict | None = None,
) -> Response:
    page = render_template(
        "rfgv_weights.html", held=held, form=form, errors=errors, conflict=between
    )
    return Response(page, 422 if errors else 200)


@pages.get("/assessments/overrides")
@rule(Permission.ASSESS)
def overrides() -> ResponseReturnValue:
    """How often each agency's assessors went above the tool, and which bands moved."""
    shown = band_overrides.see(service().sessions, scope(), now())
    return render_template("assessment_overrides.html", shown=shown)
