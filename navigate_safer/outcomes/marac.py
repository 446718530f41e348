"""Whether an incident makes a case a repeat for the multi-agency risk assessment conference."""

from datetime import date

import msgspec

from navigate_safer.outcomes.months import add_months
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import check_dates


class Referral(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Day of the last referral, and of the incident that is asked about."""

    last_referral: date
    incident: date


def marac_repeat(referral: Referral, policy: Policy = POLICY) -> bool:
    """True from the day after the last referral to its 12-month anniversary, both included.

    The anniversary of 29 February is 28 February. Any abuse by the same perpetrator against the
    same victim counts, not crimes only. Source: SafeLives, definition of a repeat.
    """
    check_dates((("last_referral", referral.last_referral), ("incident", referral.incident)))
    last = add_months(referral.last_referral, policy.marac_repeat_months)
    return referral.last_referral < referral.incident <= last
