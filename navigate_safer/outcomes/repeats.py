"""Serial and repeat rates of a cohort, with their intervals."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise

from navigate_safer.outcomes.estimate import Estimate, Interval
from navigate_safer.outcomes.intervals import wilson
from navigate_safer.outcomes.marac import Referral, marac_repeat
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.serial import Incidents, serial


class Rate(Estimate, frozen=True, kw_only=True):
    """A share with Wilson's interval, and what it was taken from."""

    count: int
    of: int
    rate: float | None
    ci95: Interval | None


def rate(count: int, of: int, nobody: str) -> Rate:
    """A share of a group; ``nobody`` says what is missing where the group is empty."""
    if not of:
        reasons = {"rate": nobody, "ci95": nobody}
        return Rate(count=count, of=of, rate=None, ci95=None, reasons=reasons)
    return Rate(count=count, of=of, rate=count / of, ci95=wilson(count, of))


def serial_rate(given: Incidents, cohort: int, policy: Policy = POLICY) -> Rate:
    """Serial perpetrators in a cohort of known size; those without an incident count in it."""
    return rate(len(serial(given, policy).serial), cohort, "the cohort is empty")


def repeats(ordered: Sequence[date], policy: Policy = POLICY) -> tuple[bool, ...]:
    """Which referrals of one case, in order of day, are repeats; the first never is."""
    later = (marac_repeat(Referral(before, after), policy) for before, after in pairwise(ordered))
    return (False, *later) if ordered else ()


def repeat_rate(referrals: Mapping[str, Iterable[date]], policy: Policy = POLICY) -> Rate:
    """Cases of a meeting that are repeats: they follow a referral of the last 12 months.

    ``referrals`` holds the days of referral by case (one victim and one perpetrator). The first of
    a case is never a repeat; each other is one if it comes from the day after the last one to its
    12-month anniversary. Source: SafeLives' MARAC data, repeat rate.
    """
    found = [each for days in referrals.values() for each in repeats(sorted(days), policy)]
    return rate(sum(found), len(found), "no case was referred")
