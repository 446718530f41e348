"""Before and after, per day at risk, for a whole group: the rate ratio with its exact interval."""

import math
from typing import Any

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Interval, OpenInterval, Reasons
from navigate_safer.outcomes.intervals import binomial_two_sided, odds_clopper_pearson
from navigate_safer.outcomes.policy import DAYS_A_YEAR, Z
from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import Amount, BadOutcomeInput, Count


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events of a group in one window, and the days of the window that it spent in custody."""

    arrests: Count
    custody_days: Amount


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two windows of the same length for the same people."""

    perpetrators: Count
    window_days: Amount
    pre: Period
    post: Period


class Totals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events ``x`` in ``t`` person-days at risk, before (0) and after (1)."""

    x0: Count
    t0: Amount
    x1: Count
    t1: Amount


def read_periods(given: object) -> Windows | Totals:
    """Either form of the input; its names say which."""
    named = as_type(given, dict[str, Any])
    if named.keys() & set(Totals.__struct_fields__):
        return as_type(named, Totals)
    return as_type(named, Windows)


class Comparison(Estimate, frozen=True, kw_only=True):
    """Rates are per person and year of 365 days; changes are in per cent, negative for a fall."""

    pre_days_at_risk: float
    post_days_at_risk: float
    pre_rate_per_person_year: float | None
    post_rate_per_person_year: float | None
    naive_percent_change: float | None
    rate_ratio: float | None
    percent_change: float | None
    exact_ci95: OpenInterval | None
    wald_log_ci95: Interval | None
    exact_p_two_sided: float | None


def compare(given: Windows | Totals) -> Comparison:
    """Rate ratio RR = (x1/t1) / (x0/t0) after against before, per day at risk.

    - Days at risk = perpetrators x window - custody days; rates are events / days x 365.
    - ``naive_percent_change`` is that of the bare counts, 100 (x1 - x0)/x0: custody is in it.
    - ``exact_ci95``: given x0 + x1, x1 is binomial; its Clopper-Pearson limits p become
      p/(1-p) x t0/t1. No event after gives a lower limit of exactly 0. No event before leaves the
      upper limit open: ``[low, null]``.
    - ``wald_log_ci95``: exp(log RR +- 1.96 sqrt(1/x0 + 1/x1)); null where a count is zero.
    - ``exact_p_two_sided``: binomial test of x1 in x0 + x1 with t1/(t0 + t1), all outcomes at most
      as likely as the one seen (as R's binom.test).

    The exact interval holds 95 % only where events are independent; above a dispersion of 1.5 use
    the measure ``overdispersed``. Source: Przyborowski and Wilenski, Biometrika 31 (1940).

    Raises :class:`BadOutcomeInput` where custody is longer than the window.
    """
    totals = given if isinstance(given, Totals) else at_risk(given)
    reasons: Reasons = {}
    rates = _rates(totals, _without_days(given), reasons)
    ratio = _ratio(totals, reasons)
    both_at_risk = totals.t0 > 0 and totals.t1 > 0
    return Comparison(
        pre_days_at_risk=totals.t0,
        post_days_at_risk=totals.t1,
        pre_rate_per_person_year=rates[0],
        post_rate_per_person_year=rates[1],
        naive_percent_change=_naive(totals, reasons),
        rate_ratio=ratio,
        percent_change=None if ratio is None else 100 * (ratio - 1),
        exact_ci95=_exact(totals, reasons) if both_at_risk else None,
        wald_log_ci95=_wald(totals, ratio, reasons),
        exact_p_two_sided=_p_value(totals, reasons) if both_at_risk else None,
        reasons=reasons,
    )


def at_risk(windows: Windows) -> Totals:
    """Person-days at risk of both windows: everybody's days less the days in custody."""
    days = windows.perpetrators * windows.window_days
    left = {}
    for name, period in (("pre", windows.pre), ("post", windows.post)):
        left[name] = days - period.custody_days
        if left[name] < 0:
            raise BadOutcomeInput(
                f"{name}.custody_days: {period.custody_days:g} is more than perpetrators x "
                f"window_days = {days:g}; count only custody inside the window"
            )
    return Totals(windows.pre.arrests, left["pre"], windows.post.arrests, left["post"])


def _without_days(given: Windows | Totals) -> str:
    """Why a window has no day at risk, as far as the input tells."""
    if isinstance(given, Totals):
        return "no day at risk"
    if not given.perpetrators:
        return "no day at risk: there are no perpetrators"
    if not given.window_days:
        return "no day at risk: the window has no days"
    return "no day at risk: everybody was in custody"


def _rates(
    totals: Totals, without_days: str, reasons: Reasons
) -> tuple[float | None, float | None]:
    found: list[float | None] = []
    for name, events, days in (("pre", totals.x0, totals.t0), ("post", totals.x1, totals.t1)):
        if days > 0:
            found.append(events / days * DAYS_A_YEAR)
        else:
            found.append(None)
            reasons[f"{name}_rate_per_person_year"] = without_days
    return found[0], found[1]


def _naive(totals: Totals, reasons: Reasons) -> float | None:
    if totals.x0:
        return 100 * (totals.x1 - totals.x0) / totals.x0
    reasons["naive_percent_change"] = "no event before"
    return None


def _ratio(totals: Totals, reasons: Reasons) -> float | None:
    if totals.t0 > 0 and totals.t1 > 0 and totals.x0:
        return (totals.x1 / totals.t1) / (totals.x0 / totals.t0)
    if totals.t0 <= 0 or totals.t1 <= 0:
        when = "before" if totals.t0 <= 0 else "after"
        why = f"no day at risk {when}"
        reasons["exact_ci95"] = reasons["exact_p_two_sided"] = why
    else:
        why = "no event before: nothing to compare with"
    reasons["rate_ratio"] = reasons["percent_change"] = why
    return None


def _exact(totals: Totals, reasons: Reasons) -> OpenInterval:
    low, high = odds_clopper_pearson(totals.x1, totals.x0)
    scale = totals.t0 / totals.t1
    if high is None:
        reasons["exact_ci95"] = "no event before, so the ratio has no upper limit"
        return low * scale, None
    return low * scale, high * scale


def _wald(totals: Totals, ratio: float | None, reasons: Reasons) -> Interval | None:
    if ratio is None:
        reasons["wald_log_ci95"] = reasons["rate_ratio"]
        return None
    if not totals.x1:
        reasons["wald_log_ci95"] = "no event after: use the exact interval"
        return None
    width = Z * math.sqrt(1 / totals.x0 + 1 / totals.x1)
    return ratio * math.exp(-width), ratio * math.exp(width)


def _p_value(totals: Totals, reasons: Reasons) -> float | None:
    events, days = totals.x0 + totals.x1, totals.t0 + totals.t1
    if not events:
        reasons["exact_p_two_sided"] = "no event before or after: nothing to test"
        return None
    return binomial_two_sided(totals.x1, events, totals.t1 / days, totals.t0 / days)
