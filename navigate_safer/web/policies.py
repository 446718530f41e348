"""Escalation policies: list, edit as a new version, take out of force, see who would be told."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from alerts.finding import FindingKind, Severity
from alerts.policy import Bundling, Channel, Policy, PolicyFault, Step, Target
from navigate_safer.people.access import Permission, Role
from navigate_safer.services import policies, policy_preview
from navigate_safer.services.policies import CannotKeep, Draft
from navigate_safer.services.policy_preview import Preview
from navigate_safer.web import wall_time
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.wall_time import BadWallTime

pages = Blueprint("policies", __name__)
MOST_STEPS = 8
KINDS = [each for each in FindingKind if not each.only_recorded]
SERVICE = "service"
# Alerts of low severity are not texted at all.
AT_ONCE = [each for each in Severity if each.texts_an_officer]
# Who can be told of a case: the roles that may answer an alert.
ROLES = (Role.DUTY_OFFICER, Role.OFFENDER_MANAGER, Role.SUPERVISOR, Role.SYSTEM_ADMINISTRATOR)


@pages.get("/policies")
@rule(Permission.RUN_ALERTING)
def listed() -> ResponseReturnValue:
    """The policies, and the preview where an instant is asked for."""
    errors: dict[str, str] = {}
    form = request.args.to_dict()
    shown = _preview(form, errors) if form else None
    form.setdefault("at", wall_time.written(now()))
    page = render_template(
        "policies.html",
        lines=policies.see_all(service().sessions, scope()),
        choices=policies.choices(service().sessions, scope()),
        preview=shown,
        errors=errors,
        form=form,
        kinds=KINDS,
        severities=list(Severity),
    )
    return Response(page, 422 if errors else 200)


@pages.get("/policies/new")
@rule(Permission.RUN_ALERTING)
def new() -> ResponseReturnValue:
    """The form for a new policy."""
    return _form(None, MultiDict())


@pages.post("/policies/new")
@rule(Permission.RUN_ALERTING)
def add() -> ResponseReturnValue:
    """Keep a new policy."""
    return _save(None)


@pages.get("/policies/<int:number>")
@rule(Permission.RUN_ALERTING)
def policy(number: int) -> ResponseReturnValue:
    """One policy: its form, and its versions."""
    newest = policies.versions(service().sessions, scope(), number)[0]
    return _form(number, _filled(newest.policy))


@pages.post("/policies/<int:number>")
@rule(Permission.RUN_ALERTING)
def change(number: int) -> ResponseReturnValue:
    """Keep a new version."""
    return _save(number)


@pages.post("/policies/<int:number>/deactivate")
@rule(Permission.RUN_ALERTING)
def deactivate(number: int) -> ResponseReturnValue:
    """Take it out of force."""
    reason = request.form.get("why_not", "")
    try:
        done = policies.deactivate(service().sessions, scope(), number, reason, now())
    except CannotKeep as fault:
        newest = policies.versions(service().sessions, scope(), number)[0]
        return _form(number, _filled(newest.policy), {"why_not": str(fault)})
    flash(
        "The policy is out of force. Alerts that are out keep their steps."
        if done
        else "The policy is out of force already.",
        "success" if done else "information",
    )
    return redirect(url_for("policies.listed"))


def _save(number: int | None) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    draft = _draft(errors)
    if draft is not None:
        try:
            kept = policies.save(service().sessions, scope(), number, draft, now())
        except CannotKeep as fault:
            errors["name"] = str(fault)
        else:
            flash("The policy is in force for alerts that open from now on.", "success")
            return redirect(url_for("policies.policy", number=kept))
    return _form(number, request.form, errors)


def _draft(errors: dict[str, str]) -> Draft | None:
    form = request.form
    severities = {each.value for each in Severity} & set(form.getlist("severities"))
    if not severities:
        errors["severities"] = "Select at least one severity"
    for field, what in (("name", "Enter a name"), ("reason", "Enter why")):
        if not form.get(field, "").strip():
            errors[field] = what
    steps, bundling = _steps(errors), _bundling(errors)
    kinds = set(form.getlist("kinds"))
    area = form.get("area", "")
    if not area.isdecimal() and area != "all":
        errors["area"] = "Select an area"
    if errors:
        return None
    about_service = SERVICE in kinds
    chosen = frozenset(FindingKind(each) for each in kinds & {each.value for each in KINDS})
    return Draft(
        name=form["name"],
        severities=frozenset(Severity(each) for each in severities),
        kinds=None if about_service else chosen or None,
        area_id=None if area == "all" else int(area),
        about_service=about_service,
        steps=tuple(steps),
        reason=form["reason"],
        replaces=int(form.get("replaces", "")) if form.get("replaces", "").isdecimal() else 0,
        bundling=bundling,
    )


def _bundling(errors: dict[str, str]) -> Bundling:
    """What may wait to be told together; a form without these fields means the usual."""
    usual = Bundling()
    severity = request.form.get("at_once", usual.at_once.value)
    if severity not in {each.value for each in AT_ONCE}:
        errors["at_once"] = "Select which alerts are told at once"
        return usual
    typed = request.form.get("every_minutes", f"{usual.every_s / 60:g}")
    try:
        every_s = round(60 * float(typed))
    except (ValueError, OverflowError):
        errors["every_minutes"] = "Enter how many minutes are between texts that tell of several"
        return usual
    try:
        return Bundling(at_once=Severity(severity), every_s=every_s)
    except PolicyFault as fault:
        errors["every_minutes"] = str(fault).capitalize()
        return usual


def _steps(errors: dict[str, str]) -> list[Step]:
    steps = []
    for number in range(1, MOST_STEPS + 1):
        target, _, key = request.form.get(f"who_{number}", "").partition(":")
        if not target:
            continue
        try:
            wait_s = round(60 * float(request.form.get(f"minutes_{number}", "")))
        except (ValueError, OverflowError):
            errors[f"minutes_{number}"] = f"Enter the minutes to answer of step {number}"
            continue
        try:
            steps.append(_step(target, key, request.form.get(f"channel_{number}", ""), wait_s))
        except PolicyFault as fault:
            errors[f"minutes_{number}"] = f"Step {number}: {fault}"
        except ValueError:
            errors[f"who_{number}"] = f"Select who is told by step {number}, and how"
    if not steps and not errors:
        errors["who_1"] = "Select who is told first"
    return steps


def _step(target: str, key: str, channel: str, wait_s: int) -> Step:
    kind = Target(target)
    return Step(
        target=kind,
        channel=Channel(channel),
        answer_within_s=wait_s,
        staff_id=int(key) if kind is Target.PERSON else None,
        rota_id=int(key) if kind is Target.ROTA else None,
        role=Role(key).value if kind is Target.ROLE else None,
    )


def _filled(known: Policy) -> MultiDict[str, str]:
    """A policy as its form shows it."""
    form: MultiDict[str, str] = MultiDict()
    form["name"] = known.name
    form["area"] = "all" if known.area_id is None else str(known.area_id)
    form["replaces"] = str(known.version)
    form["at_once"] = known.bundling.at_once.value
    form["every_minutes"] = f"{known.bundling.every_s / 60:g}"
    form.setlist("severities", [each.value for each in known.severities])
    kinds = [SERVICE] if known.about_service else [each.value for each in known.kinds or ()]
    form.setlist("kinds", kinds)
    for number, step in enumerate(known.steps, start=1):
        named = step.staff_id or step.rota_id or step.role
        form[f"who_{number}"] = f"{step.target.value}:{named}"
        form[f"channel_{number}"] = step.channel.value
        form[f"minutes_{number}"] = f"{step.answer_within_s / 60:g}"
    return form


def _preview(form: dict[str, str], errors: dict[str, str]) -> Preview | None:
    try:
        at = wall_time.read(form.get("at", ""), later=False)
    except BadWallTime as fault:
        errors["at"] = str(fault)
        return None
    kind, severity, area = (form.get(name, "") for name in ("kind", "severity", "for_area"))
    known = kind == SERVICE or kind in {each.value for each in KINDS}
    if not known or severity not in {each.value for each in Severity} or not area.isdecimal():
        errors["severity"] = "Select an area, a severity and a kind"
        return None
    about_service = kind == SERVICE
    return policy_preview.would_tell(
        service().sessions,
        scope(),
        None if about_service else int(area),
        Severity(severity),
        None if about_service else FindingKind(kind),
        at,
    )


def _form(
    number: int | None, form: "MultiDict[str, str]", errors: dict[str, str] | None = None
) -> Response:
    versions = [] if number is None else policies.versions(service().sessions, scope(), number)
    page = render_template(
        "policy.html",
        number=number,
        versions=versions,
        choices=policies.choices(service().sessions, scope()),
        form=form,
        errors=errors or {},
        kinds=KINDS,
        severities=list(Severity),
        at_once=AT_ONCE,
        usual=Bundling(),
        roles=ROLES,
        channels=list(Channel),
        steps=range(1, MOST_STEPS + 1),
    )
    return Response(page, 422 if errors else 200)
