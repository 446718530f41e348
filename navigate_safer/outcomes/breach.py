"""What follows a failure to comply with a community order."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Literal

import msgspec

from navigate_safer.outcomes.months import last_day_of_months_beginning_with
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import check_dates


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day's absence or other failure, and what the officer found."""

    date: date
    finding: Literal["acceptable", "unacceptable"]


Failures = tuple[Failure, ...]


class Step(Enum):
    """What the law asks for. The system proposes; a named officer decides."""

    NONE = "none"
    WARNING = "warning"
    REFER_TO_ENFORCEMENT_OFFICER = "refer_to_enforcement_officer"


def breach_rule(failures: Sequence[Failure], policy: Policy = POLICY) -> list[Step]:
    """The step for each failure, in the order given; judged in the order of their dates.

    The first failure without reasonable excuse brings a warning, taken as given on the day of the
    failure. A further one within the twelve months that begin with the warning must go to an
    enforcement officer, one on the same day too; the twelve months run up to, not including, the
    anniversary (warned 29 February 2024: last day 28 February 2025). After them a failure brings
    a new warning. Source: Sentencing Act 2020, Schedule 10, paragraph 6. Suspended sentence orders
    and licences have rules of their own.
    """
    check_dates((f"[{number}].date", each.date) for number, each in enumerate(failures))
    steps = [Step.NONE] * len(failures)
    warned_until: date | None = None
    for number in sorted(range(len(failures)), key=lambda each: failures[each].date):
        failure = failures[number]
        if failure.finding == "acceptable":
            continue
        if warned_until is not None and failure.date <= warned_until:
            steps[number] = Step.REFER_TO_ENFORCEMENT_OFFICER
        else:
            steps[number] = Step.WARNING
            warned_until = last_day_of_months_beginning_with(failure.date, policy.warning_months)
    return steps
