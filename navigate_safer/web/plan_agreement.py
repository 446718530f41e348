"""The form of the engagement agreement: expectations of both sides, signatures, breaches."""

from datetime import date

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.plan_log import Agreement, AgreementBreach
from navigate_safer.services import plan_log, plans
from navigate_safer.services.plans import PersonPlan
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_forms import Form, attempt, filled, shown

pages = Blueprint("plan_agreement", __name__)
TITLE = "Engagement agreement"


@pages.route("/people/<ref>/plan/agreement", methods=["GET", "POST"])
@rule(Permission.MANAGE_CASES)
def agreement(ref: str) -> ResponseReturnValue:
    """Write it, record signatures, record a breach of it."""
    seen = plans.see_person(service().sessions, scope(), ref, now())
    more: dict[str, object] = {"seen": seen}
    if request.method == "GET":
        return shown("plan_agreement.html", TITLE, ref, seen.name, _filled(seen), more=more)
    fields = Fields(request.form)
    body = _read(fields, seen)
    reason = fields.text("reason", "why it is changed")
    outcome = attempt(
        fields,
        lambda: plan_log.set_agreement(
            service().sessions, scope(), ref, body, reason, fields.version(), now()
        ),
        lambda _stale: body,
    )
    if outcome.kept:
        flash("The agreement is kept.", "success")
        return redirect(url_for("plans.person", ref=ref))
    return shown(
        "plan_agreement.html", TITLE, ref, seen.name, request.form, fields, outcome.clash, more=more
    )


def _read(fields: Fields, seen: PersonPlan) -> Agreement:
    today = day_of(now())
    before = () if seen.agreement is None else seen.agreement.body.breaches
    added = _breach(fields, today)
    return Agreement(
        of_person=tuple(_lines(fields, "of_person", "what is expected of the person")),
        of_us=tuple(_lines(fields, "of_us", "what the person can expect")),
        signed_by_person_on=fields.day(
            "signed_by_person_on", "when the person signed", required=False, not_after=today
        ),
        signed_for_us_on=fields.day(
            "signed_for_us_on", "when the service signed", required=False, not_after=today
        ),
        signed_for_us_by=fields.text("signed_for_us_by", "who signed", required=False),
        review_on=fields.day(
            "review_on", "the day of the review", required=False, not_before=today
        ),
        breaches=before if added is None else (*before, added),
    )


def _lines(fields: Fields, name: str, what: str) -> list[str]:
    typed = fields.long_text(name, what)
    return [each.strip() for each in typed.splitlines() if each.strip()]


def _breach(fields: Fields, today: date) -> AgreementBreach | None:
    """A new breach, where one is typed in; those of before stay."""
    on = fields.day("breach_on", "when it was not kept", required=False, not_after=today)
    what = fields.text("breach", "what was not kept", required=on is not None)
    if not what:
        return None
    if on is None and "breach_on" not in fields.errors:
        fields.errors["breach_on"] = "Enter when it was not kept"
    decided = fields.text("breach_decided", "what was decided")
    by_us = fields.among("breach_by", ("person", "us"), "who did not keep it") == "us"
    return AgreementBreach(on or today, what, by_us, decided)


def _filled(seen: PersonPlan) -> Form:
    if seen.agreement is None:
        catalogue = seen.catalogue
        return filled(
            {
                "replaces": "0",
                "of_person": "\n".join(catalogue.of_person),
                "of_us": "\n".join(catalogue.of_us),
            }
        )
    body = seen.agreement.body
    return filled(
        {
            "replaces": str(seen.agreement.version),
            "of_person": "\n".join(body.of_person),
            "of_us": "\n".join(body.of_us),
            "signed_for_us_by": body.signed_for_us_by,
            **day_fields("signed_by_person_on", body.signed_by_person_on),
            **day_fields("signed_for_us_on", body.signed_for_us_on),
            **day_fields("review_on", body.review_on),
        }
    )
