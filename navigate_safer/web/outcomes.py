"""Outcomes of the cohort: every figure with what can and cannot be concluded from it."""

from datetime import date, datetime
from typing import Any, NamedTuple

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.outcomes.refusal import YEARS
from navigate_safer.people.access import Permission
from navigate_safer.people.offending import EntryKind
from navigate_safer.people.outcome_report import SMALL, Report
from navigate_safer.services import outcome_pack, outcomes
from navigate_safer.services.outcomes import COUNTED, GAPS_DAYS, WINDOWS_DAYS, Wish
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.words import CONDITIONS, in_words

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
}


class _Asked(NamedTuple):
    """What the address asks for, and what of it cannot be."""

    wish: Wish
    errors: dict[str, str]


@pages.get("/outcomes")
@rule(Permission.SEE_OUTCOME_FIGURES)
def report() -> ResponseReturnValue:
    """The report; to who may see figures only, the public one."""
    asked = _asked()
    public = request.args.get("view") == "public"
    made = outcomes.see_report(
        service().sessions, scope(), asked.wish, now(), name_of, without_names=public
    )
    page = render_template(
        "outcomes.html",
        report=made,
        wish=asked.wish,
        errors=asked.errors,
        areas=outcomes.areas_of(service().sessions, scope()),
        counted=COUNTED,
        windows=WINDOWS_DAYS,
        gaps=GAPS_DAYS,
        query=_query(asked.wish, public=made.public),
        known=now().isoformat(timespec="seconds"),
        titles=TITLES,
        small=SMALL,
    )
    return Response(page, 422 if asked.errors else 200)


@pages.get("/outcomes/survival.json")
@rule(Permission.SEE_OUTCOME_FIGURES)
def survival() -> ResponseReturnValue:
    """The curve of the report, step by step."""
    public = request.args.get("view") == "public"
    made = outcomes.see_report(
        service().sessions, scope(), _asked().wish, now(), name_of, without_names=public
    )
    part = made.part("survival")
    points = [
        {"day": p.day, "share": p.share, "low": p.low, "high": p.high, "at_risk": p.at_risk}
        for p in part.curve
    ]
    return jsonify({"readings": points, "title": part.title})


@pages.get("/outcomes/pack.pdf")
@rule(Permission.SEE_OUTCOME_FIGURES)
def pack_pdf() -> ResponseReturnValue:
    """The report as a printed pack."""
    if _asked().errors:
        return redirect(f"{url_for('outcomes.report')}?{request.query_string.decode()}")
    made, known = _pack()
    return _file(outcome_pack.pdf(made, known), "application/pdf", made, "pdf")


@pages.get("/outcomes/pack.zip")
@rule(Permission.SEE_OUTCOME_FIGURES)
def pack_spreadsheet() -> ResponseReturnValue:
    """The report as CSV files for a spreadsheet."""
    if _asked().errors:
        return redirect(f"{url_for('outcomes.report')}?{request.query_string.decode()}")
    made, known = _pack()
    return _file(outcome_pack.spreadsheet(made, known), "application/zip", made, "zip")


def _pack() -> tuple[Report, datetime]:
    """The report as of the moment that the address names, now if none, and that moment."""
    wish = _asked().wish
    known = min(now(), wish.known or now())
    public = request.args.get("view") == "public"
    made = outcomes.see_report(
        service().sessions, scope(), wish, now(), name_of, without_names=public
    )
    return made, known


def _file(content: bytes, kind: str, made: Report, ending: str) -> Response:
    tier = "board" if made.public else "team"
    name = f"outcomes-{tier}-{made.as_at}.{ending}"
    return Response(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@pages.get("/outcomes/framework")
@rule(Permission.SEE_OUTCOME_FIGURES)
def framework() -> ResponseReturnValue:
    """The joint outcomes framework: one definition and one figure for all agencies."""
    lines = outcomes.see_framework(service().sessions, scope(), now(), name_of)
    end = outcomes.quarter_end(outcomes.latest(now()))
    return render_template("outcomes_framework.html", lines=lines, end=end)


@pages.get("/outcomes/behind/<figure>")
@rule(Permission.SEE_OUTCOMES)
def behind(figure: str) -> ResponseReturnValue:
    """Who is behind a figure, for those who may know."""
    wish = _asked().wish
    lines = outcomes.see_list(service().sessions, scope(), wish, figure, now())
    return render_template(
        "outcomes_behind.html",
        lines=lines,
        title=TITLES[figure],
        wish=wish,
        query=_query(wish, public=False),
    )


def name_of(kind: str) -> str:
    """A kind of condition in words."""
    return CONDITIONS.get(kind, in_words(kind))


def _asked() -> _Asked:
    errors: dict[str, str] = {}
    newest = outcomes.latest(now())
    as_at, given = newest, request.args.get("as_at", "").strip()
    try:
        as_at = date.fromisoformat(given) if given else newest
    except ValueError:
        errors["as_at"] = "Enter the day as year-month-day, such as 2026-09-30"
    if as_at > newest or as_at.year not in YEARS:
        errors["as_at"] = f"Enter a day from {YEARS[0]} to {newest}: days that are over"
        as_at = newest
    known = None
    try:
        known = datetime.fromisoformat(request.args.get("known", ""))
        known = known if known.utcoffset() is not None else None
    except ValueError:
        known = None
    return _Asked(
        Wish(
            as_at=as_at,
            kind=_one_of("counted", {each.value: each for each in COUNTED}, EntryKind.INCIDENT),
            window_days=_one_of("window", {str(each): each for each in WINDOWS_DAYS}, 365),
            gap_days=_one_of("gap", {str(each): each for each in GAPS_DAYS}, 30),
            area=request.args.get("area") or None,
            known=known,
        ),
        errors,
    )


def _one_of(field: str, known: dict[str, Any], otherwise: Any) -> Any:  # noqa: ANN401 - as given
    return known.get(request.args.get(field, ""), otherwise)


def _query(wish: Wish, *, public: bool) -> dict[str, str]:
    if public:
        return {"view": "public"}
    found = {
        "as_at": wish.as_at.isoformat(),
        "counted": wish.kind.value,
        "window": str(wish.window_days),
        "gap": str(wish.gap_days),
    }
    return found | ({"area": wish.area} if wish.area else {})
