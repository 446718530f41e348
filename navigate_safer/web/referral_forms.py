"""Read the forms of intake: a new referral, a decision, what an area sets."""

from datetime import datetime

import msgspec

from navigate_safer.people import person_names
from navigate_safer.people.days import day_of
from navigate_safer.people.person_names import BadIdentifier
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Caller,
    Diversion,
    Facts,
    IntakeSettings,
    Outcome,
    Person,
    Referral,
)
from navigate_safer.services.referral_decisions import Wish
from navigate_safer.web.case_text import plain
from navigate_safer.web.form_fields import Fields

OTHER = "other"
MOST_LINES = 40
FACTS = {
    "alcohol": "whether alcohol was involved",
    "drugs": "whether drugs were involved",
    "repeat": "whether it has happened before",
    "same_sex": "whether it is between people of the same sex",
    "children": "whether children live there or were present",
}


class NewReferral(msgspec.Struct, frozen=True):
    """A referral as it was typed, and when it was received."""

    referral: Referral
    received_at: datetime


def referral(fields: Fields, settings: IntakeSettings, now: datetime) -> NewReferral | None:
    """What the form says; None when something has to be mended."""
    person = _person(fields, now)
    received_at = fields.instant("received_at", "when it was received")
    if received_at is not None and received_at > now:
        fields.errors["received_at"] = "Enter a time that is not in the future"
    source = fields.among("source", settings.sources, "where it comes from")
    caller = fields.choice("caller", Caller, "who is asking")
    facts = _facts(fields, received_at or now)
    locality = plain(fields, "locality", "the ward or town")
    their_ref = plain(fields, "their_ref", "their reference", required=False)
    reason = plain(fields, "reason", "why this person is referred", large=True)
    if fields.errors or received_at is None or caller is None:
        return None
    urgent = fields.ticked("urgent")
    return NewReferral(
        Referral(person, locality, source, caller, their_ref, reason, urgent, facts),
        received_at,
    )


def _person(fields: Fields, now: datetime) -> Person:
    given = fields.text("given_name", "a given name")
    family = fields.text("family_name", "a family name")
    others = fields.text("other_names", "other names", required=False)
    born_on = fields.day("born_on", "a date of birth", required=False, not_after=day_of(now))
    found = {kind: _identifier(fields, kind) for kind in person_names.KINDS}
    return Person(
        f"{given} {family}".strip(),
        [name for each in others.split(",") if (name := each.strip())],
        born_on,
        **found,
    )


def _identifier(fields: Fields, kind: str) -> str:
    typed = fields.text(kind, "the number", required=False)
    if not typed:
        return ""
    try:
        return person_names.KINDS[kind](typed)
    except BadIdentifier as fault:
        fields.errors[kind] = f"Enter the number again: {fault}"
        return ""


def _facts(fields: Fields, received_at: datetime) -> Facts:
    incident_on = fields.day(
        "incident_on", "the day of the incident", required=False, not_after=day_of(received_at)
    )
    answers = {
        name: fields.choice(name, Answered, what) or Answered.NOT_COLLECTED
        for name, what in FACTS.items()
    }
    victims = fields.whole("victims", "the number of victims", most=99, required=False)
    what = plain(fields, "what", "what happened", large=True)
    return Facts(incident_on=incident_on, what=what, victims=victims, **answers)


def decision(fields: Fields, settings: IntakeSettings, now: datetime) -> Wish | None:
    """What the officer decides; None when something has to be mended."""
    outcome = fields.choice("outcome", Outcome, "what is decided")
    reason = plain(fields, "decision_reason", "the reason", large=True)
    put_to = fields.form.get("put_to", "")
    if put_to == OTHER:
        put_to = fields.text("other_ref", "the reference of the person")
    band = fields.choice("band", Band, "a band", required=False)
    destination = fields.among(
        "destination", settings.destinations, "where it goes", required=False
    )
    diversion = fields.choice("diversion", Diversion, "why it goes elsewhere", required=False)
    answer_by = fields.day(
        "answer_by", "the day by which the answer is needed", required=False, not_before=day_of(now)
    )
    not_same = plain(fields, "not_same", "why it is somebody else", required=False)
    asked_of = plain(fields, "asked_of", "who is asked", required=False)
    if fields.errors or outcome is None:
        return None
    return Wish(
        outcome=outcome,
        reason=reason,
        put_to=put_to,
        band=band,
        not_same=not_same,
        destination=destination,
        diversion=diversion,
        asked_of=asked_of,
        answer_by=answer_by,
    )


def settings(fields: Fields, before: IntakeSettings) -> IntakeSettings | None:
    """What the area sets; None when something has to be mended."""
    lists = {name: _lines(fields, name) for name in ("sources", "destinations")}
    numbers = {
        "decide_within_h": fields.whole("decide_within_h", "the hours", least=1, most=720),
        "urgent_within_h": fields.whole("urgent_within_h", "the hours", least=1, most=720),
        "serial_victims": fields.whole("serial_victims", "the victims", least=1, most=20),
        "serial_years": fields.whole("serial_years", "the years", least=1, most=20),
        "repeat_months": fields.whole("repeat_months", "the months", least=1, most=120),
        "least_age": fields.whole("least_age", "the age", least=10, most=25),
        "assess_within_days": fields.whole("assess_within_days", "the days", least=1, most=90),
    }
    source = fields.long_text("source", "where these values come from")
    hours, urgent = numbers["decide_within_h"], numbers["urgent_within_h"]
    if hours is not None and urgent is not None and urgent > hours:
        fields.errors["urgent_within_h"] = "Enter no more hours than for the others"
    if fields.errors:
        return None
    known = {name: number for name, number in numbers.items() if number is not None}
    return msgspec.structs.replace(before, version="area", source=source, **lists, **known)


def _lines(fields: Fields, name: str) -> list[str]:
    typed = fields.long_text(name, f"at least one of the {name}")
    lines = [line for each in typed.splitlines() if (line := each.strip())]
    if len(lines) > MOST_LINES or any(len(each) > 100 for each in lines):
        fields.errors[name] = f"Enter at most {MOST_LINES} lines of up to 100 characters each"
    elif len({each.casefold() for each in lines}) < len(lines):
        fields.errors[name] = "Enter each line once"
    return lines
