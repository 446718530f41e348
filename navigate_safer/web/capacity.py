"""Capacity: caseloads against what one worker can have, waits, throughput, length of stay."""

import re

import msgspec
from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people import caseloads
from navigate_safer.people.access import Permission
from navigate_safer.people.caseloads import CaseloadLimits
from navigate_safer.people.menu import Band
from navigate_safer.services import capacity
from navigate_safer.services.capacity import AreaCapacity, NotSet
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.record_forms import Conflict, conflict

pages = Blueprint("capacity", __name__)
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,2})?")


class Question(msgspec.Struct, frozen=True):
    """What if so many cases a year were open so many months each."""

    cases_open: float
    workers: float


@pages.get("/capacity")
@rule(Permission.SEE_CAPACITY)
def see() -> ResponseReturnValue:
    """Each area of the reader."""
    areas = capacity.see(service().sessions, scope(), now())
    fields = Fields(request.args)
    answer = None
    if request.args:
        a_year = _number(fields, "a_year", "the cases a year")
        months = _number(fields, "months", "the months that each is open")
        each = _number(fields, "each", "the cases of one worker")
        if not fields.errors:
            cases_open = caseloads.open_at_once(a_year, months)
            answer = Question(cases_open, caseloads.workers_needed(cases_open, each))
    shown = render_template(
        "capacity.html",
        areas=areas,
        form=request.args,
        errors=fields.errors,
        answer=answer,
        has_cost=any(x.rule == "/outcomes/cost" for x in current_app.url_map.iter_rules()),
    )
    return Response(shown, 422 if fields.errors else 200)


@pages.route("/capacity/<int:number>/limits", methods=["GET", "POST"])
@rule(Permission.SET_CASEWORK)
def limits(number: int) -> ResponseReturnValue:
    """The limits and weights of an area."""
    areas = capacity.see(service().sessions, scope(), now())
    area = next((each for each in areas if each.area_id == number), None)
    if area is None:
        raise NotFound
    if request.method == "GET":
        return _form(area, _typed(area))
    fields, told = Fields(request.form), None
    made = _read(fields, area.limits)
    reason = fields.text("reason", "why the limits are changed")
    if not fields.errors:
        try:
            capacity.set_limits(
                service().sessions, scope(), number, made, replaces=fields.version(),
                reason=reason, now=now(),
            )  # fmt: skip
        except NotSet as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            told = conflict(stale, made)
        else:
            flash("The limits are set.", "success")
            return redirect(url_for("capacity.see"))
    return _form(area, request.form, fields.errors, told)


def _number(fields: Fields, name: str, what: str) -> float:
    typed = fields.form.get(name, "").strip()
    if _NUMBER.fullmatch(typed) is None or float(typed) <= 0:
        fields.errors[name] = f"Enter {what} as a number above nought, such as 28 or 28.5"
        return 1.0
    return float(typed)


def _read(fields: Fields, old: CaseloadLimits) -> CaseloadLimits:
    replace = msgspec.structs.replace
    return replace(
        old,
        caseloads=tuple(
            replace(
                each,
                cases_each=_number(fields, each.work, f"cases for one worker: {each.words}"),
                months_open=_number(fields, f"months-{each.work}", f"months open: {each.words}"),
                source="set by the area",
            )
            for each in old.caseloads
        ),
        weights={
            each.value: _number(fields, f"weight-{each.value}", f"what a {each.value} case counts")
            for each in Band
        },
        weights_source="set by the area",
    )


def _typed(area: AreaCapacity) -> "MultiDict[str, str]":
    form: MultiDict[str, str] = MultiDict(
        {"replaces": "0" if area.record is None else str(area.record.version)}
    )
    for each in area.limits.caseloads:
        form[each.work], form[f"months-{each.work}"] = (
            f"{each.cases_each:g}",
            f"{each.months_open:g}",
        )
    for band in Band:
        form[f"weight-{band.value}"] = f"{area.limits.weights.get(band.value, 1.0):g}"
    return form


def _form(
    area: AreaCapacity,
    form: "MultiDict[str, str]",
    errors: dict[str, str] | None = None,
    told: Conflict | None = None,
) -> Response:
    shown = render_template(
        "capacity_limits.html",
        area=area,
        form=form,
        errors=errors or {},
        conflict=told,
        bands=list(Band),
    )
    return Response(shown, 422 if errors or told else 200)
