"""The form of MAPPA, MARAC and the three needs of one person."""

from datetime import date

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people import mappa
from navigate_safer.people.access import Permission
from navigate_safer.people.cohort import Flags, Need, Presence, ThreeNeeds
from navigate_safer.people.days import day_of
from navigate_safer.people.mappa import MappaFacts
from navigate_safer.services import cohort, cohort_changes
from navigate_safer.services.cohort import PersonCohort
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_forms import Form, attempt, filled, shown

pages = Blueprint("cohort_flags", __name__)
TITLE = "MAPPA, MARAC and needs"


@pages.route("/people/<ref>/cohort/flags", methods=["GET", "POST"])
@rule(Permission.MANAGE_CASES)
def flags(ref: str) -> ResponseReturnValue:
    """Set them, with who says so and as of which day."""
    person = cohort.see_person(service().sessions, scope(), ref, now())
    more: dict[str, object] = {
        "person": person, "categories": mappa.CATEGORIES, "levels": mappa.LEVELS,
        "needs": list(ThreeNeeds), "presences": list(Presence),
    }  # fmt: skip
    if request.method == "GET":
        form = _filled(None if person.flags is None else person.flags.body)
        form["replaces"] = "0" if person.flags is None else str(person.flags.version)
        return shown("cohort_flags.html", TITLE, ref, person.name, form, more=more)
    fields = Fields(request.form)
    body = _read(fields, person)
    outcome = attempt(
        fields,
        lambda: cohort_changes.set_flags(
            service().sessions, scope(), ref, body, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        flash("MAPPA, MARAC and needs are kept.", "success")
        return redirect(url_for("cohort.person", ref=ref))
    return shown(
        "cohort_flags.html", TITLE, ref, person.name, request.form, fields, outcome.clash, more=more
    )


def _read(fields: Fields, person: PersonCohort) -> Flags:
    today = day_of(now())
    level = _number(fields, "mappa_level", mappa.LEVELS, "a level")
    usual = None if level is None else person.policy.mappa_review_on(level, today)
    review = fields.day(
        "mappa_review_on", "the day of the MAPPA review", required=False, not_before=today
    )
    return Flags(
        mappa_category=_number(fields, "mappa_category", mappa.CATEGORIES, "a category"),
        mappa_level=level,
        mappa_on=_past(fields, "mappa_on", "the day of the MAPPA decision", today),
        mappa_review_on=(review or usual) if level is not None else None,
        facts=_facts(fields, today),
        marac=fields.ticked("marac"),
        marac_on=_past(fields, "marac_on", "the day of the last MARAC", today),
        needs=tuple(_need(fields, each, today) for each in ThreeNeeds),
    )


def _number(fields: Fields, name: str, known: dict[int, str], what: str) -> int | None:
    chosen = fields.among(name, [str(each) for each in known], what, required=False)
    return int(chosen) if chosen else None


def _past(
    fields: Fields, name: str, what: str, today: date, *, required: bool = False
) -> date | None:
    return fields.day(name, what, required=required, not_after=today)


def _facts(fields: Fields, today: date) -> MappaFacts:
    on = _past(fields, "coercive_on", "the day of the sentence", today)
    months = fields.whole(
        "coercive_months", "the months of the sentence", least=1, most=600, required=on is not None
    )
    if months is not None and on is None and "coercive_on" not in fields.errors:
        fields.errors["coercive_on"] = "Enter the day of the sentence"
    return MappaFacts(
        registered_sexual_offender=fields.ticked("registered"),
        violent_twelve_months=fields.ticked("violent"),
        coercive_on=on,
        coercive_months=months,
        dangerous_pattern=fields.ticked("pattern"),
    )


def _need(fields: Fields, need: ThreeNeeds, today: date) -> Need:
    presence = fields.choice(need.value, Presence, f"whether there is: {need.label.lower()}")
    known = presence in {Presence.YES, Presence.NO}
    return Need(
        need=need,
        presence=presence or Presence.NOT_KNOWN,
        source=fields.text(f"{need.value}_source", "who says so", required=known),
        on=_past(fields, f"{need.value}_on", "as of which day", today, required=known),
    )


def _filled(known: Flags | None) -> Form:
    body = known or Flags()
    facts = body.facts
    values = {
        "mappa_category": str(body.mappa_category or ""),
        "mappa_level": str(body.mappa_level or ""),
        "registered": "yes" if facts.registered_sexual_offender else "",
        "violent": "yes" if facts.violent_twelve_months else "",
        "pattern": "yes" if facts.dangerous_pattern else "",
        "coercive_months": str(facts.coercive_months or ""),
        "marac": "yes" if body.marac else "",
        **day_fields("coercive_on", facts.coercive_on),
        **day_fields("mappa_on", body.mappa_on),
        **day_fields("mappa_review_on", body.mappa_review_on),
        **day_fields("marac_on", body.marac_on),
    }
    for each in body.needs:
        values[each.need.value] = each.presence.value
        values[f"{each.need.value}_source"] = each.source
        values |= day_fields(f"{each.need.value}_on", each.on)
    return filled(values)
