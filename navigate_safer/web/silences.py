"""Silences and maintenance: make, approve, end early, and see what each hid."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from alerts.finding import FindingKind
from alerts.silences import LONGEST_MAINTENANCE, LONGEST_SILENCE, Reason, SilenceKind
from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import silencing
from navigate_safer.services.silencing import CannotSilence, Wanted
from navigate_safer.web import wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.wall_time import BadWallTime

pages = Blueprint("silences", __name__)
KINDS = [each for each in FindingKind if each.about_a_wearer and not each.only_recorded]
EVERYTHING = "everything"


@pages.get("/silences")
@rule(Permission.ACT_ON_ALERTS)
def listed() -> ResponseReturnValue:
    """Silences of the areas, and the form for a new one."""
    return _list(dict(request.args))


@pages.post("/silences")
@rule(Permission.ACT_ON_ALERTS)
def make() -> ResponseReturnValue:
    """Make one."""
    errors: dict[str, str] = {}
    wanted = _wanted(errors)
    if wanted is not None:
        try:
            number = silencing.make(service().sessions, scope(), wanted, now())
        except CannotSilence as fault:
            errors["ref"] = str(fault)
        else:
            flash("The silence is made. What it holds back is listed here.", "success")
            return redirect(url_for("silences.silence", number=number))
    return _list(request.form.to_dict(), errors)


@pages.get("/silences/<int:number>")
@rule(Permission.ACT_ON_ALERTS)
def silence(number: int) -> ResponseReturnValue:
    """One silence, and what it hid."""
    page = silencing.see(service().sessions, scope(), number, now())
    own = page.line.author_id == scope().staff_id
    return render_template("silence.html", page=page, own=own, now=now())


@pages.post("/silences/<int:number>/approve")
@rule(Permission.ACT_ON_ALERTS)
def approve(number: int) -> ResponseReturnValue:
    """Agree to it as the second person."""
    try:
        done = silencing.approve(service().sessions, scope(), number, now())
    except CannotSilence as fault:
        flash(str(fault), "error")
    else:
        flash(
            "You have approved the silence." if done else "It is over, or approved already.",
            "success" if done else "information",
        )
    return redirect(url_for("silences.silence", number=number))


@pages.post("/silences/<int:number>/end")
@rule(Permission.ACT_ON_ALERTS)
def end(number: int) -> ResponseReturnValue:
    """End it early."""
    if silencing.end(service().sessions, scope(), number, now()):
        flash("The silence has ended. What is still going on is told now.", "success")
    else:
        flash("The silence is over already.", "information")
    return redirect(url_for("silences.silence", number=number))


def _wanted(errors: dict[str, str]) -> Wanted | None:
    form = request.form
    asked = {
        "subject": ("Select what it is about", silencing.SUBJECTS),
        "kind": ("Select a silence or maintenance", [each.value for each in SilenceKind]),
        "reason": ("Select a reason", [each.value for each in Reason]),
    }
    for field, (what, allowed) in asked.items():
        if form.get(field) not in allowed:
            errors[field] = what
    for field, what in (("ref", "Enter the reference"), ("words", "Say in words why")):
        if not form.get(field, "").strip():
            errors[field] = what
    wrong = private_text.fault(form.get("words", ""))
    if wrong is not None:
        errors["words"] = wrong
    from_at, until_at = _times(errors)
    kinds = _kinds(errors)
    if errors or from_at is None or until_at is None:
        return None
    return Wanted(
        kind=SilenceKind(form["kind"]),
        subject=form["subject"],
        ref=form["ref"],
        kinds=kinds,
        from_at=from_at,
        until_at=until_at,
        reason=Reason(form["reason"]),
        words=form["words"],
    )


def _times(errors: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    from_at, until_at = now(), None
    try:
        if request.form.get("from_at", "").strip():
            from_at = wall_time.read(request.form["from_at"], later=False)
    except BadWallTime as fault:
        errors["from_at"] = str(fault)
    try:
        hours = float(request.form.get("hours", ""))
        if not 0 < hours <= LONGEST_MAINTENANCE / timedelta(hours=1):
            raise ValueError
        until_at = from_at + timedelta(hours=hours)
    except ValueError:
        longest = int(LONGEST_MAINTENANCE / timedelta(hours=1))
        errors["hours"] = f"Enter for how many hours, up to {longest}"
    return from_at, until_at


def _kinds(errors: dict[str, str]) -> frozenset[FindingKind] | None:
    chosen = set(request.form.getlist("kinds"))
    if EVERYTHING in chosen:
        return None
    found = frozenset(each for each in KINDS if each.value in chosen)
    if not found:
        errors["kinds"] = "Select what is not to be told"
    return found


def _list(form: dict[str, str], errors: dict[str, str] | None = None) -> Response:
    lines = silencing.see_all(service().sessions, scope(), now())
    page = render_template(
        "silences.html",
        current=[each for each in lines if each.over_at > now()],
        past=[each for each in lines if each.over_at <= now()],
        errors=errors or {},
        form=form,
        chosen=request.form.getlist("kinds"),
        kinds=KINDS,
        reasons=list(Reason),
        now=now(),
        longest_h=int(LONGEST_SILENCE / timedelta(hours=1)),
        longest_maintenance_h=int(LONGEST_MAINTENANCE / timedelta(hours=1)),
    )
    return Response(page, 422 if errors else 200)
