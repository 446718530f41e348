"""Outcomes of the cohort: every figure with what can and cannot be concluded from it."""

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people import outcome_pictures
from navigate_safer.people.access import Permission
from navigate_safer.people.outcome_packs import Tier
from navigate_safer.people.outcome_report import SMALL, Part, Report
from navigate_safer.people.outcome_whole import ROLES, WATCHED
from navigate_safer.services import outcomes
from navigate_safer.services.outcome_groups import BANDS, UnknownPeople
from navigate_safer.services.outcomes import COUNTED, GAPS_DAYS, WINDOWS_DAYS, Wish
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.outcome_wish import asked, name_of, query, without_second_set

pages = Blueprint("outcomes", __name__)
TITLES = {
    "before": "Before selection",
    "after": "After selection",
    "shortened": "Watched for less than the window",
    "too_early": "Selected too lately to be watched",
    "without_selection": "Without a day of selection",
    "reoffenders": "Re-offended, proven within 12 months",
    "immature": "Not followed long enough",
    "without_index": "Without an index event",
    "serial": "Serial: two or more victims in three years",
    "repeats": "Back at the meeting",
    "counted": "Counted either side of selection",
    "unweighted": "Offences without days in the table",
    "first": "Had one while watched",
    **{name: f"Still watched after {day} days at risk" for name, day in WATCHED.items()},
    **{name: f"Incidents: {role.value.replace('_', ' ')}" for name, role in ROLES.items()},
}


@pages.get("/outcomes")
@rule(Permission.SEE_OUTCOME_FIGURES)
def report() -> ResponseReturnValue:
    """The report; to who may see figures only, the public one."""
    wish, errors = asked()
    try:
        made = _report(wish)
    except UnknownPeople as fault:
        errors["against_people"] = (
            f"There is nobody called {', '.join(fault.refs)} in your areas: correct the references"
        )
        wish = without_second_set(wish)
        made = _report(wish)
    page = render_template(
        "outcomes.html",
        report=made,
        wish=wish,
        typed=request.args.get("against_people", ""),
        errors=errors,
        areas=outcomes.areas_of(service().sessions, scope()),
        bands=BANDS,
        counted=COUNTED,
        windows=WINDOWS_DAYS,
        gaps=GAPS_DAYS,
        query=query(wish, public=made.public),
        titles=TITLES,
        small=SMALL,
        tiers=list(Tier),
        curves_of=curves_of,
    )
    return Response(page, 422 if errors else 200)


def _report(wish: Wish) -> Report:
    return outcomes.see_report(
        service().sessions,
        scope(),
        wish,
        now(),
        name_of,
        without_names=request.args.get("view") == "public",
    )


def curves_of(part: Part) -> str:
    """The curves of a part as a picture that needs no script."""
    label = f"{part.title}: {' '.join(each.text for each in part.said[:1])}"
    drawn = part.curves or ((part.title, part.curve),)
    return outcome_pictures.curves(drawn, label)


@pages.get("/outcomes/survival.json")
@rule(Permission.SEE_OUTCOME_FIGURES)
def survival() -> ResponseReturnValue:
    """The curve of the report, step by step."""
    part = _report(without_second_set(asked().wish)).part("survival")
    points = [
        {"day": p.day, "share": p.share, "low": p.low, "high": p.high, "at_risk": p.at_risk}
        for p in part.curve
    ]
    return jsonify({"readings": points, "title": part.title})


@pages.get("/outcomes/framework")
@rule(Permission.SEE_OUTCOME_FIGURES)
def framework() -> ResponseReturnValue:
    """The joint outcomes framework: one definition and one figure for all agencies."""
    lines = outcomes.see_framework(service().sessions, scope(), now(), name_of)
    end = outcomes.quarter_end(outcomes.latest(now()))
    return render_template("outcomes_framework.html", lines=lines, end=end, small=SMALL)


@pages.get("/outcomes/behind/<figure>")
@rule(Permission.SEE_OUTCOMES)
def behind(figure: str) -> ResponseReturnValue:
    """Who is behind a figure, for those who may know."""
    wish = asked().wish
    lines = outcomes.see_list(service().sessions, scope(), wish, figure, now())
    return render_template(
        "outcomes_behind.html",
        lines=lines,
        title=TITLES[figure],
        wish=wish,
        query=query(wish, public=False),
    )
