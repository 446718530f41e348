"""The words of a warning letter, paragraph by paragraph; plain, and about nobody but the wearer.

The law asks three things of a warning under a community or suspended sentence order (Sentencing
Act 2020, Schedules 10 and 16, paragraph 6(4)): what happened, that it is unacceptable, and that
another failure within twelve months can lead to a court.
"""

from datetime import date

from navigate_safer.people.failures import Failure, evidence_by
from navigate_safer.people.order_rules import OnFailure, OrderRules
from navigate_safer.people.working_days import months_after


def reply_by(rules: OrderRules, happened: date, sent_on: date) -> date:
    """Until when an answer counts; from the letter on where that went out too late (our rule)."""
    usual = evidence_by(rules, happened)
    return usual if usual > sent_on else evidence_by(rules, sent_on)


def paragraphs(
    failure: Failure, rules: OrderRules, happened: date, sent_on: date
) -> tuple[str, ...]:
    """The letter between its greeting and its signature."""
    assert failure.decision is not None, "only what was decided about is warned of"
    order = rules.label[0].lower() + rules.label[1:]
    what = f"You did not keep to your {order}."
    if failure.requirement:
        duty = failure.requirement.rstrip(". ")
        what = f"You did not keep to this: {duty}, which you have to do under your {order}."
    said = [
        f"I am writing about {_said(happened)}. {_sentence(failure.what)}",
        what,
        f"This is unacceptable. My reason: {_sentence(failure.decision.why)}",
        _what_follows(rules, sent_on),
        _answer(reply_by(rules, happened, sent_on)),
    ]
    return tuple(said)


def _answer(until: date) -> str:
    return (
        f"If you had a good reason, tell me and show me something that proves it by {_said(until)},"
        " such as a letter from a doctor or an employer. If you need help to keep to your "
        "appointments, tell me and we will look at it together."
    )


def _what_follows(rules: OrderRules, sent_on: date) -> str:
    if rules.refer_second:
        last = months_after(sent_on, rules.window_months)
        order = rules.label.lower()
        return (
            f"This is a formal warning. If you fail to keep to any part of your {order} again in "
            f"the {rules.window_months} months that begin today, so before {_said(last)}, you can "
            "be brought before a court."
        )
    if rules.on_failure is OnFailure.TALK:
        return "Your agreement is your own choice. I would like to talk with you about going on."
    return (
        "This is a formal warning. If it happens again I have to look at what must follow, and "
        "that can be your recall to prison."
    )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _said(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"
