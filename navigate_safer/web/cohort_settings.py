"""Settings of an area's cohort, and its localities and teams; the area's supervisor edits them."""

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.cohort_policy import CohortPolicy, Level
from navigate_safer.people.rag import Colour, TriggerKind
from navigate_safer.people.teams import BANDS, Team, TeamSettings
from navigate_safer.services import cohort_settings
from navigate_safer.services.casework import NotFound
from navigate_safer.services.cohort_settings import AreaSettings
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.person_forms import Form, Outcome, attempt, filled

pages = Blueprint("cohort_settings", __name__)
BOTH = ["GET", "POST"]
MOST_TEAMS = 8
DAYS = (
    ("deselect_green_days", "Days of green before somebody can be de-selected"),
    ("safety_check_days", "Days for which a safety check is good"),
    ("look_back_days", "Days for which something new moves up somebody without a colour"),
    ("before_release_days", "Days before release from which the plan is made"),
)


@pages.route("/cohort/settings", methods=BOTH)
@rule(Permission.SEE_CASEWORK)
def policy() -> ResponseReturnValue:
    """Levels of contact and review, and when somebody may leave."""
    area = _area()
    if request.method == "GET":
        return _shown("cohort_settings.html", area, _policy_filled(area))
    scope().require(Permission.SET_CASEWORK)
    fields = Fields(request.form)
    body = _policy(fields, area.policy)
    reason = fields.text("reason", "why it is changed")
    outcome = attempt(
        fields,
        lambda: cohort_settings.set_policy(
            service().sessions, scope(), area.area_id, body, reason, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        flash("The settings are in force.", "success")
        return redirect(url_for("cohort_settings.policy", area=area.area_id))
    return _shown("cohort_settings.html", area, request.form, fields, outcome)


@pages.route("/cohort/teams", methods=BOTH)
@rule(Permission.SEE_CASEWORK)
def teams() -> ResponseReturnValue:
    """Localities and teams, and which of them a case goes to."""
    area = _area()
    if request.method == "GET":
        return _shown("cohort_teams.html", area, _teams_filled(area))
    scope().require(Permission.SET_CASEWORK)
    fields = Fields(request.form)
    body = TeamSettings(tuple(_teams(fields)))
    reason = fields.text("reason", "why it is changed")
    outcome = attempt(
        fields,
        lambda: cohort_settings.set_teams(
            service().sessions, scope(), area.area_id, body, reason, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        flash("The teams are kept.", "success")
        return redirect(url_for("cohort_settings.teams", area=area.area_id))
    return _shown("cohort_teams.html", area, request.form, fields, outcome)


def _area() -> AreaSettings:
    asked = request.values.get("area", "")
    if asked and not (asked.isdecimal() and len(asked) < 19):
        raise NotFound
    return cohort_settings.see(service().sessions, scope(), int(asked) if asked else None)


def _shown(
    template: str,
    area: AreaSettings,
    form: Form,
    fields: Fields | None = None,
    outcome: Outcome | None = None,
) -> Response:
    errors = {} if fields is None else fields.errors
    clash = None if outcome is None else outcome.clash
    page = render_template(
        template,
        area=area,
        form=form,
        errors=errors,
        conflict=clash,
        colours=list(Colour),
        triggers=list(TriggerKind),
        days=DAYS,
        bands=BANDS,
        rows=range(1, MOST_TEAMS + 1),
    )
    return Response(page, 422 if errors else 409 if clash else 200)


def _policy(fields: Fields, known: CohortPolicy) -> CohortPolicy:
    levels = []
    for colour in Colour:
        word = colour.value
        name = colour.label.lower()
        levels.append(
            Level(
                colour,
                fields.text(f"means_{word}", f"what {name} means") or "-",
                fields.whole(f"contacts_{word}", f"the contacts of {name}", most=100) or 0,
                fields.whole(f"contact_days_{word}", f"the days of {name}", least=1, most=90) or 1,
                fields.whole(f"review_{word}", f"the review of {name}", least=1, most=183) or 1,
            )
        )
    numbers = {
        name: fields.whole(name, label.lower(), least=1, most=3_660) or 1 for name, label in DAYS
    }
    mappa = {
        each: fields.whole(f"mappa_{each}", f"the days of level {each}", least=1, most=730) or 1
        for each in ("1", "2", "3")
    }
    return msgspec.structs.replace(
        known,
        levels=tuple(levels),
        mappa_review_days=mappa,
        panel_agencies=fields.whole("panel_agencies", "the agencies", least=1, most=20) or 1,
        version=fields.text("version", "a version") or "-",
        source=fields.text("source", "where the figures are from", longest=500) or "-",
        provenance=fields.text("provenance", "how far they are checked", longest=500) or "-",
        **numbers,
    )


def _policy_filled(area: AreaSettings) -> Form:
    known = area.policy
    values = {
        "replaces": "0" if area.policy_record is None else str(area.policy_record.version),
        "panel_agencies": str(known.panel_agencies),
        "version": known.version,
        "source": known.source,
        "provenance": known.provenance,
    }
    values |= {name: str(getattr(known, name)) for name, _ in DAYS}
    values |= {f"mappa_{each}": str(days) for each, days in known.mappa_review_days.items()}
    for level in known.levels:
        word = level.colour.value
        values[f"means_{word}"] = level.means
        values[f"contacts_{word}"] = str(level.contacts)
        values[f"contact_days_{word}"] = str(level.contact_days)
        values[f"review_{word}"] = str(level.review_days)
    return filled(values)


def _teams(fields: Fields) -> list[Team]:
    found = []
    for row in range(1, MOST_TEAMS + 1):
        localities = fields.long_text(f"localities_{row}", "the localities", required=False)
        bands = [each for each in BANDS if each in fields.form.getlist(f"bands_{row}")]
        filled_in = bool(localities or bands)
        name = fields.text(f"name_{row}", f"a name for team {row}", required=filled_in)
        if name:
            lines = tuple(filter(None, (each.strip() for each in localities.splitlines())))
            found.append(Team(name, lines, tuple(bands)))
    return found


def _teams_filled(area: AreaSettings) -> Form:
    form = filled({"replaces": "0" if area.team_record is None else str(area.team_record.version)})
    for row, team in enumerate(area.teams, start=1):
        form[f"name_{row}"] = team.name
        form[f"localities_{row}"] = "\n".join(team.localities)
        form.setlist(f"bands_{row}", list(team.bands))
    return form
