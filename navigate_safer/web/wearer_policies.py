"""What the wearers of an area are told: on which occasions, how, in which tone. Off by default."""

from datetime import time

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from alerts.wearer_messages import Way, WearerPolicy, WearerPolicyFault
from alerts.wearer_words import Occasion, Tone, example
from navigate_safer.people.access import Permission
from navigate_safer.services import wearer_policies
from navigate_safer.services.policies import CannotKeep
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("wearer_policies", __name__)


@pages.get("/wearer-messages")
@rule(Permission.RUN_ALERTING)
def listed() -> ResponseReturnValue:
    """Every area of whoever asks."""
    areas = wearer_policies.see_all(service().sessions, scope())
    return render_template("wearer_policies.html", areas=areas)


@pages.get("/wearer-messages/<int:number>")
@rule(Permission.RUN_ALERTING)
def policy(number: int) -> ResponseReturnValue:
    """One area: its form, and its versions."""
    _, versions = wearer_policies.versions(service().sessions, scope(), number)
    return _form(number, _filled(versions[0].policy if versions else WearerPolicy()))


@pages.post("/wearer-messages/<int:number>")
@rule(Permission.RUN_ALERTING)
def change(number: int) -> ResponseReturnValue:
    """Keep a new version."""
    errors: dict[str, str] = {}
    made = _read(errors)
    if made is not None:
        form = request.form
        replaces = int(form["replaces"]) if form.get("replaces", "").isdecimal() else 0
        try:
            wearer_policies.save(
                service().sessions, scope(), number, made, form.get("reason", ""), replaces, now()
            )
        except CannotKeep as fault:
            errors["reason"] = str(fault)
        else:
            flash("It is in force from now on.", "success")
            return redirect(url_for("wearer_policies.policy", number=number))
    return _form(number, request.form, errors)


def _read(errors: dict[str, str]) -> WearerPolicy | None:
    form = request.form
    ways = [_way(each, errors) for each in Occasion]
    quiet_from, quiet_until = (_hour(name, errors) for name in ("quiet_from", "quiet_until"))
    most, notice = (_whole(name, errors) for name in ("most_a_day", "curfew_notice_min"))
    if not form.get("reason", "").strip():
        errors["reason"] = "Enter why"
    if errors:
        return None
    try:
        return WearerPolicy(
            ways=tuple(ways),
            quiet_from=quiet_from,
            quiet_until=quiet_until,
            most_a_day=most,
            curfew_notice_min=notice,
        )
    except WearerPolicyFault as fault:
        field = "curfew_notice_min" if "curfew" in str(fault) else "most_a_day"
        errors[field] = str(fault).capitalize()
        return None


def _way(occasion: Occasion, errors: dict[str, str]) -> Way:
    by = set(request.form.getlist(f"by_{occasion.value}"))
    tone = request.form.get(f"tone_{occasion.value}", Tone.NEUTRAL.value)
    if tone not in {each.value for each in Tone}:
        errors[f"tone_{occasion.value}"] = "Select a tone"
        tone = Tone.NEUTRAL.value
    return Way(
        occasion=occasion, by_text="text" in by, by_vibration="vibration" in by, tone=Tone(tone)
    )


def _hour(name: str, errors: dict[str, str]) -> time:
    try:
        found = time.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        errors[name] = "Enter a time of day, such as 22:00"
        return time()
    if found.tzinfo is not None:
        errors[name] = "Enter a time of day in London, such as 22:00"
        return time()
    return found


def _whole(name: str, errors: dict[str, str]) -> int:
    typed = request.form.get(name, "").strip()
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 5):
        errors[name] = "Enter a whole number"
        return 0
    return int(typed)


def _filled(known: WearerPolicy) -> "MultiDict[str, str]":
    form: MultiDict[str, str] = MultiDict()
    for each in known.ways:
        ways = (("text", each.by_text), ("vibration", each.by_vibration))
        form.setlist(f"by_{each.occasion.value}", [name for name, on in ways if on])
        form[f"tone_{each.occasion.value}"] = each.tone.value
    form["quiet_from"] = f"{known.quiet_from:%H:%M}"
    form["quiet_until"] = f"{known.quiet_until:%H:%M}"
    form["most_a_day"] = str(known.most_a_day)
    form["curfew_notice_min"] = str(known.curfew_notice_min)
    return form


def _form(
    number: int, form: "MultiDict[str, str]", errors: dict[str, str] | None = None
) -> Response:
    area, versions = wearer_policies.versions(service().sessions, scope(), number)
    page = render_template(
        "wearer_policy.html",
        number=number,
        area=area,
        versions=versions,
        occasions=list(Occasion),
        tones=list(Tone),
        examples={each: {tone: example(each, tone) for tone in Tone} for each in Occasion},
        replaces=form.get("replaces") or (versions[0].version if versions else 0),
        form=form,
        errors=errors or {},
    )
    return Response(page, 422 if errors else 200)
