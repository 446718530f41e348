"""Read the forms of assessment: answers with their evidence, who assessed, a band and why."""

from collections.abc import Mapping
from datetime import date, datetime

from werkzeug.datastructures import MultiDict

from navigate_safer.people.assessment_forms import Answers, Evidence, Form, Item, missing
from navigate_safer.people.assessments import By, Needs, PartnerRating, tools
from navigate_safer.people.days import day_of
from navigate_safer.people.referrals import Band
from navigate_safer.services.assessments import DashWish
from navigate_safer.web.case_text import plain
from navigate_safer.web.form_fields import Fields, day_fields


def by(fields: Fields, now: datetime) -> By | None:
    """Who assessed, for which agency, when, and when it is looked at again."""
    today = day_of(now)
    assessor = plain(fields, "assessor", "who assessed")
    agency = fields.among("agency", tools().agencies, "the agency")
    on = fields.day("on", "the day of the assessment", not_after=today)
    review_on = fields.day("review_on", "a day for the review")
    if review_on is not None and review_on <= max(on or today, today):
        fields.errors["review_on"] = "Enter a day for the review that is still to come"
    if fields.errors or on is None or review_on is None:
        return None
    return By(assessor, agency, on, review_on)


def answers(fields: Fields, form: Form, now: datetime) -> Answers:
    """What was answered, and its evidence; every item without an answer is an error that names it.

    Evidence of an answer that names no source or day has those of the assessment.
    """
    known = {each.value for each in form.answers}
    usual = fields.form.get("agency", "") if fields.form.get("agency") in tools().agencies else ""
    made: Answers = {}
    for item in form.items():
        value = fields.form.get(f"a_{item.id}", "")
        evidence = _evidence(fields, item, value, usual, now)
        if value in known:
            made[item.id] = evidence
    for item in missing(form, made):
        number = form.number(item)
        told = f"Answer {number}, {item.topic}: it is not scored with answers missing"
        fields.errors[f"a_{item.id}"] = told
    return made


def _evidence(fields: Fields, item: Item, value: str, usual: str, now: datetime) -> Evidence:
    what = plain(fields, f"e_{item.id}", f"the evidence on {item.topic}", required=False)
    source = plain(fields, f"s_{item.id}", f"the source on {item.topic}", required=False)
    on = fields.day(f"d_{item.id}", "the day", required=False, not_after=day_of(now))
    return Evidence(value, what, source or usual, on)


def filled(known: Mapping[str, Evidence]) -> "MultiDict[str, str]":
    """Answers as their fields show them, for assessing anew from the last time."""
    form: MultiDict[str, str] = MultiDict()
    for item, each in known.items():
        form[f"a_{item}"] = each.value
        form[f"e_{item}"] = each.what
        form[f"s_{item}"] = each.source
        form[f"d_{item}"] = _written(each.on)
    return form


def _written(day: date | None) -> str:
    return "" if day is None else f"{day.day}/{day.month}/{day.year}"


def today_fields(now: datetime) -> dict[str, str]:
    """The day of the assessment, today unless another is given."""
    return day_fields("on", day_of(now))


def dash(fields: Fields, form: Form, victim: str, now: datetime) -> DashWish | None:
    """A Dash as it was typed; None when something has to be mended."""
    made = answers(fields, form, now)
    incidents = fields.whole(
        "incidents_12m", "the incidents of the last 12 months", most=999, required=False
    )
    judged = fields.choice("judged", Band, "a band", required=False)
    why = plain(
        fields, "judged_why", "why judgement differs", required=judged is not None, large=True
    )
    assessed = by(fields, now)
    if fields.errors or assessed is None:
        return None
    return DashWish(victim, made, incidents, judged, why, assessed)


def needs(fields: Fields, form: Form, now: datetime) -> Needs | None:
    """Risk and need as it was typed; None when something has to be mended."""
    made = answers(fields, form, now)
    summary = plain(fields, "summary", "what the plan has to work on first", large=True)
    assessed = by(fields, now)
    if fields.errors or assessed is None:
        return None
    return Needs(form.version, made, summary, assessed)


def rating(fields: Fields, victims: list[str], now: datetime) -> PartnerRating | None:
    """A partner's rating; None when something has to be mended."""
    known = tools()
    tool = known.named(fields.among("tool", [each.name for each in known.tools], "the tool"))
    version = plain(fields, "tool_version", "its version", required=False)
    rated = fields.text("rating", "the rating as the agency gave it")
    agency = fields.among("agency", known.agencies, "the agency")
    on = fields.day("on", "the day of the rating", not_after=day_of(now))
    review_on = fields.day("review_on", "a day", required=False, not_before=day_of(now))
    note = plain(fields, "note", "a note", required=False, large=True)
    victim = fields.among("victim", victims, "which victim", required=False)
    if tool is not None:
        by_word = {word.casefold(): word for word in tool.ratings}
        if rated and rated.casefold() not in by_word:
            fields.errors["rating"] = f"Enter one of {', '.join(tool.ratings)}"
        if tool.about_victim and not victim and "victim" not in fields.errors:
            fields.errors["victim"] = "Select which victim: this tool is about one"
    if fields.errors or tool is None or on is None:
        return None
    word = {each.casefold(): each for each in tool.ratings}[rated.casefold()]
    return PartnerRating(
        tool=tool.name,
        tool_version=version,
        rating=word,
        band=tool.ratings[word],
        agency=agency,
        on=on,
        review_on=review_on,
        victim=victim if tool.about_victim else "",
        note=note,
    )
