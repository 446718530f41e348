"""Forms of the plan itself: what is said of the whole, a goal, a step, its end."""

import re

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.plan_changes import Details, with_goal, with_step
from navigate_safer.people.plans import (
    Agreed,
    Approach,
    Check,
    Clock,
    EngagementPlan,
    Goal,
    GoalStatus,
    NeedArea,
    Step,
    StepStatus,
    Strand,
    Track,
)
from navigate_safer.people.records import Record
from navigate_safer.services import plan_changes, plans
from navigate_safer.services.casework import NotFound
from navigate_safer.services.plans import PersonPlan
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_forms import Form, attempt, filled, shown

pages = Blueprint("plan_forms", __name__)
BOTH = ["GET", "POST"]
MOST_SESSIONS = 200
_EVERY = re.compile(r"(.+?)[,:]\s*(?:every\s+)?([0-9]{1,3})\s*(?:days?|hours?)?", re.IGNORECASE)


def _seen(ref: str) -> PersonPlan:
    return plans.see_person(service().sessions, scope(), ref, now())


def _live(ref: str) -> tuple[PersonPlan, Record[EngagementPlan]]:
    seen = _seen(ref)
    if seen.plan is None:
        raise NotFound
    return seen, seen.plan


def _done(ref: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("plans.person", ref=ref))


@pages.route("/people/<ref>/plan/details", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def details(ref: str) -> ResponseReturnValue:
    """Begin a plan, or change what is said of the whole."""
    seen = _seen(ref)
    title = "Begin a plan" if seen.plan is None else "Change the plan"
    more: dict[str, object] = {
        "seen": seen, "tracks": list(Track), "agreed": list(Agreed), "approaches": list(Approach)
    }  # fmt: skip
    if request.method == "GET":
        return shown("plan_details.html", title, ref, seen.name, _details_filled(seen), more=more)
    fields = Fields(request.form)
    body = _details(fields)
    reason = fields.text("reason", "why")
    outcome = attempt(
        fields,
        lambda: plan_changes.set_details(
            service().sessions, scope(), ref, body, reason, fields.version(), now(),
            template=fields.ticked("template"),
        ),
        lambda stale: body.over(_newest(stale)),
    )  # fmt: skip
    if outcome.kept:
        return _done(ref, "The plan is kept.")
    return shown(
        "plan_details.html", title, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _newest(stale: Stale) -> EngagementPlan:
    body = stale.newest.body
    assert isinstance(body, EngagementPlan), "a plan was replaced by a plan"
    return body


def _details(fields: Fields) -> Details:
    checks = _each(fields, "checks", "days")
    clocks = _each(fields, "clocks", "hours")
    agreed = fields.choice("agreed", Agreed, "what the person says to the plan")
    return Details(
        track=fields.choice("track", Track, "a track") or Track.MOTIVATED,
        review_on=fields.day("review_on", "the day of the review") or day_of(now()),
        own_words=fields.long_text("own_words", "the own words", required=False),
        agreed=agreed or Agreed.DRAFT,
        agreed_on=fields.day("agreed_on", "when the person was asked", required=False),
        approach=fields.choice("approach", Approach, "an approach") or Approach.REMOVE_AND_SEPARATE,
        approach_decision=fields.long_text(
            "approach_decision", "who decided that this is safe", required=False
        ),
        checks=tuple(Check(what, number) for what, number in checks),
        clocks=tuple(Clock(what, number) for what, number in clocks),
    )


def _each(fields: Fields, name: str, unit: str) -> list[tuple[str, int]]:
    """Lines such as ``Visit at home, 7``."""
    found: list[tuple[str, int]] = []
    typed = fields.long_text(name, "them", required=False)
    for line in filter(None, (each.strip() for each in typed.splitlines())):
        read = _EVERY.fullmatch(line)
        if read is None or not int(read[2]):
            fields.errors[name] = f"Enter what and {unit}, one a line, such as: Visit at home, 7"
        elif any(read[1].strip().casefold() == known.casefold() for known, _ in found):
            fields.errors[name] = f"“{read[1].strip()}” is there twice: keep one"
        else:
            found.append((read[1].strip(), int(read[2])))
    return found


def _details_filled(seen: PersonPlan) -> Form:
    if seen.plan is None:
        return filled({"replaces": "0", "template": "yes", "agreed": Agreed.DRAFT.value})
    body = seen.plan.body
    return filled(
        {
            "replaces": str(seen.plan.version),
            "track": body.track.value,
            "own_words": body.own_words,
            "agreed": body.agreed.value,
            "approach": body.approach.value,
            "approach_decision": body.approach_decision,
            "checks": "\n".join(f"{each.what}, {each.every_days} days" for each in body.checks),
            "clocks": "\n".join(
                f"{each.what}, {each.act_within_hours} hours" for each in body.clocks
            ),
            **day_fields("review_on", body.review_on),
            **day_fields("agreed_on", body.agreed_on),
        }
    )


@pages.route("/people/<ref>/plan/goal", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def goal(ref: str) -> ResponseReturnValue:
    """Add a goal, or change one."""
    seen, plan = _live(ref)
    number = _number("goal")
    known = plan.body.goal(number)
    if number and known is None:
        raise NotFound
    title = "Change a goal" if number else "Add a goal"
    more: dict[str, object] = {
        "number": number, "areas": list(NeedArea), "statuses": list(GoalStatus),
        "parts": seen.catalogue.parts,
    }  # fmt: skip
    if request.method == "GET":
        form = _goal_filled(known, plan.version)
        return shown("plan_goal.html", title, ref, seen.name, form, more=more)
    fields = Fields(request.form)
    body = _goal(fields, number, [each.key for each in seen.catalogue.parts])
    outcome = attempt(
        fields,
        lambda: plan_changes.put_goal(
            service().sessions, scope(), ref, body, fields.version(), now()
        ),
        lambda stale: with_goal(_newest(stale), body),
    )
    if outcome.kept:
        return _done(ref, "The goal is kept.")
    return shown(
        "plan_goal.html", title, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _goal(fields: Fields, number: int, parts: list[str]) -> Goal:
    return Goal(
        number=number,
        title=fields.text("title", "what is to change"),
        area=fields.choice("area", NeedArea, "an area of need") or NeedArea.RELATIONSHIPS,
        status=fields.choice("status", GoalStatus, "where the goal stands") or GoalStatus.ACTIVE,
        target_on=fields.day("target_on", "the day of the goal", required=False),
        part=fields.among("part", parts, "a part of the track", required=False),
        starts_on=fields.day("starts_on", "the day of the start", required=False),
        sessions=fields.whole(
            "sessions", "the number of sessions", most=MOST_SESSIONS, required=False
        ),
        result=fields.text("result", "the result", required=False),
    )


def _goal_filled(known: Goal | None, version: int) -> Form:
    if known is None:
        return filled({"replaces": str(version), "status": GoalStatus.ACTIVE.value})
    return filled(
        {
            "replaces": str(version),
            "title": known.title,
            "area": known.area.value,
            "status": known.status.value,
            "part": known.part,
            "sessions": "" if known.sessions is None else str(known.sessions),
            "result": known.result,
            **day_fields("target_on", known.target_on),
            **day_fields("starts_on", known.starts_on),
        }
    )


def _number(name: str) -> int:
    asked = request.values.get(name, "")
    return int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 0


@pages.route("/people/<ref>/plan/step", methods=BOTH)
@rule(Permission.MANAGE_CASES)
def step(ref: str) -> ResponseReturnValue:
    """Add a step, or change one."""
    seen, plan = _live(ref)
    number = _number("step")
    known = plan.body.step(number)
    if number and known is None:
        raise NotFound
    title = "Change a step" if number else "Add a step"
    more: dict[str, object] = {
        "number": number, "seen": seen, "plan": plan.body, "strands": list(Strand),
        "statuses": list(StepStatus),
    }  # fmt: skip
    if request.method == "GET":
        form = _step_filled(known, plan.version)
        return shown("plan_step.html", title, ref, seen.name, form, more=more)
    fields = Fields(request.form)
    body = _step(fields, number, seen)
    outcome = attempt(
        fields,
        lambda: plan_changes.put_step(
            service().sessions, scope(), ref, body, fields.version(), now()
        ),
        lambda stale: with_step(_newest(stale), body),
    )
    if outcome.kept:
        return _done(ref, "The step is kept.")
    return shown(
        "plan_step.html", title, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _step(fields: Fields, number: int, seen: PersonPlan) -> Step:
    assert seen.plan is not None, "a step is of a plan"
    goals = [str(each.number) for each in seen.plan.body.goals]
    chosen = fields.among("for_goal", goals, "a goal of this plan", required=False)
    after = [each for each in fields.form.getlist("after") if re.fullmatch(r"[0-9]{1,6}", each)]
    actions = [each.key for each in seen.catalogue.actions]
    return Step(
        number=number,
        what=fields.text("what", "what is done"),
        strand=fields.choice("strand", Strand, "a side of the plan") or Strand.CONTROL,
        action=fields.among("action", actions, "the kind of action"),
        agency=fields.among("agency", seen.catalogue.agencies, "the agency"),
        actor=fields.text("actor", "who does it"),
        due_on=fields.day("due_on", "the day by which it is done"),
        status=fields.choice("status", StepStatus, "where the step stands")
        or StepStatus.NOT_STARTED,
        goal=int(chosen) if chosen else None,
        after=tuple(int(each) for each in after),
    )


def _step_filled(known: Step | None, version: int) -> Form:
    if known is None:
        return filled({"replaces": str(version), "status": StepStatus.NOT_STARTED.value})
    return filled(
        {
            "replaces": str(version),
            "what": known.what,
            "strand": known.strand.value,
            "action": known.action,
            "agency": known.agency,
            "actor": known.actor,
            "status": known.status.value,
            "for_goal": "" if known.goal is None else str(known.goal),
            **day_fields("due_on", known.due_on),
        },
        after=[str(each) for each in known.after],
    )
