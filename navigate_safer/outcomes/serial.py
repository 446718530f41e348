"""Who is a serial perpetrator."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

import msgspec

from navigate_safer.outcomes.months import MONTHS_A_YEAR, add_months
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import BadOutcomeInput, Name, check_dates

# Nobody is older; the oldest person known reached 122.
Age = Annotated[int, msgspec.Meta(ge=0, le=125)]


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Perpetrator ``p``, victim ``v`` (null where not known) and day ``d``."""

    p: Name
    v: Name | None
    d: date


class Incidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Incidents, and ages on the day ``as_at`` by perpetrator."""

    as_at: date
    incidents: tuple[Incident, ...]
    ages: dict[str, Age] = {}


class Serial(msgspec.Struct, frozen=True):
    """Ids in order; why for each of the others."""

    serial: tuple[Name, ...]
    not_serial: Mapping[str, str]


def serial(given: Incidents, policy: Policy = POLICY) -> Serial:
    """Aged 16 or over, more than one incident, two or more victims, within the last three years.

    The three years run from the same day three years earlier (29 February: the 28th) to ``as_at``,
    both ends included; incidents outside are left out. Each entry is one incident. A person whose
    age is not given is not excluded by age: only somebody known to be under 16 is. An incident
    whose victim is not known counts as an incident and adds no victim. Source: MATAC (College of
    Policing); National Police Chiefs' Council's definition of serial.

    Raises :class:`BadOutcomeInput` for an incident before its perpetrator was born.
    """
    check_dates(
        [("as_at", given.as_at)]
        + [(f"incidents[{number}].d", each.d) for number, each in enumerate(given.incidents)]
    )
    _check_births(given)
    first = first_day(given.as_at, policy)
    by_person: dict[Name, list[Incident]] = defaultdict(list)
    for incident in given.incidents:
        recent = by_person[incident.p]
        if first <= incident.d <= given.as_at:
            recent.append(incident)
    why = {
        person: _why_not(recent, given.ages.get(str(person)), policy)
        for person, recent in sorted(by_person.items(), key=lambda each: _order(each[0]))
    }
    return Serial(
        serial=tuple(person for person, reason in why.items() if reason is None),
        not_serial={str(person): reason for person, reason in why.items() if reason is not None},
    )


def first_day(as_at: date, policy: Policy = POLICY) -> date:
    """The first of the days that count for somebody's being serial on a day."""
    return add_months(as_at, -MONTHS_A_YEAR * policy.serial_years)


def _order(person: Name) -> tuple[bool, int, str]:
    return isinstance(person, str), person if isinstance(person, int) else 0, str(person)


def _why_not(recent: Sequence[Incident], age: int | None, policy: Policy) -> str | None:
    if age is not None and age < policy.serial_age:
        return f"aged {age}, under {policy.serial_age}"
    years = f"in the last {policy.serial_years} years"
    if not recent:
        return f"no incident {years}"
    if len(recent) < policy.serial_incidents:
        return f"only one incident {years}"
    victims = {str(each.v) for each in recent if each.v is not None}
    if len(victims) < policy.serial_victims:
        return f"only one victim {years}" if victims else f"no known victim {years}"
    return None


def _check_births(given: Incidents) -> None:
    for number, each in enumerate(given.incidents):
        age = given.ages.get(str(each.p))
        # Somebody aged 30 was born less than 31 years ago.
        if age is not None and each.d <= add_months(given.as_at, -MONTHS_A_YEAR * (age + 1)):
            raise BadOutcomeInput(
                f"incidents[{number}].d: {each.d} is before {each.p} was born, aged {age} on "
                f"{given.as_at}; correct the date or the age"
            )
