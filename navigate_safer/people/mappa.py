"""MAPPA: the category and level of somebody, and when the rule says to check for one.

The officer records facts; the rule proposes and never sets a category. From 3 February 2025 a
sentence of twelve months or more, suspended ones too, for controlling or coercive behaviour is
managed automatically; a pattern that shows a risk of serious harm is a reason to ask for category 3
(the Ministry's guidance; the settings carry date and length).
"""

from datetime import date

import msgspec

from navigate_safer.people.cohort_policy import CohortPolicy

CATEGORIES = {
    1: "Registered sexual offender",
    2: "Violent or other sexual offender",
    3: "Other dangerous offender",
    4: "Terrorist or terrorist risk offender",
}
LEVELS = {
    1: "Ordinary management by one agency",
    2: "Active management by several agencies",
    3: "Senior staff and special resources",
}


class MappaFacts(msgspec.Struct, frozen=True):
    """What the rule looks at; ``coercive_months`` is the length of the sentence, in months."""

    registered_sexual_offender: bool = False
    violent_twelve_months: bool = False
    coercive_on: date | None = None
    coercive_months: int | None = None
    dangerous_pattern: bool = False


class Suggestion(msgspec.Struct, frozen=True):
    """A category to check for, and why."""

    category: int
    why: str


def suggest(facts: MappaFacts, policy: CohortPolicy) -> Suggestion | None:
    """What to check for; None where the facts give no reason. It never replaces the check."""
    if facts.registered_sexual_offender:
        return Suggestion(1, "registered for sexual offences")
    if _coercive(facts, policy):
        months = policy.coercive_control_months
        return Suggestion(
            2, f"sentenced to {months} months or more for controlling or coercive behaviour"
        )
    if facts.violent_twelve_months:
        return Suggestion(2, "sentenced to 12 months or more, or a hospital order, for violence")
    if facts.dangerous_pattern:
        return Suggestion(3, "a pattern that shows a risk of serious harm")
    return None


def _coercive(facts: MappaFacts, policy: CohortPolicy) -> bool:
    return (
        facts.coercive_on is not None
        and facts.coercive_months is not None
        and facts.coercive_on >= policy.coercive_control_from
        and facts.coercive_months >= policy.coercive_control_months
    )
