"""Harm: offences weighted by the days that they would bring, with the count always beside it."""

import math
from collections.abc import Mapping

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Reasons
from navigate_safer.outcomes.refusal import Amount, BadOutcomeInput, Count


class Offences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days of each offence code (a versioned table of its own), and offences by code."""

    weights_days: dict[str, Amount]
    pre: dict[str, Count]
    post: dict[str, Count]
    perpetrators: Count


class Harm(Estimate, frozen=True, kw_only=True):
    """Days of harm before and after, counts beside them, changes in per cent."""

    pre_harm_days: float
    post_harm_days: float
    pre_count: int
    post_count: int
    harm_percent_change: float | None
    count_percent_change: float | None
    pre_harm_per_perpetrator: float | None
    largest_single_offence_share_of_pre_harm: float | None


def harm(offences: Offences) -> Harm:
    """Harm = sum of count x days, as in the Cambridge Crime Harm Index.

    The share is that of the single heaviest offence, once, in the harm before: one offence can be
    half of it, and then the harm says little about the rest. Source: Sherman, Neyroud and Neyroud,
    Policing 10 (2016). Never the only measure to rank domestic cases by: crime codes miss coercive
    control.

    Raises :class:`BadOutcomeInput` for an offence whose code has no weight.
    """
    weights = offences.weights_days
    before = _days("pre", offences.pre, weights)
    after = _days("post", offences.post, weights)
    counts = sum(offences.pre.values()), sum(offences.post.values())
    reasons: Reasons = {}
    if not before:
        why = "no harm before" if counts[0] else "no offence before"
        reasons["harm_percent_change"] = why
        reasons["largest_single_offence_share_of_pre_harm"] = why
    if not counts[0]:
        reasons["count_percent_change"] = "no offence before"
    if not offences.perpetrators:
        reasons["pre_harm_per_perpetrator"] = "no perpetrators"
    heaviest = max((weights[code] for code, count in offences.pre.items() if count), default=0.0)
    return Harm(
        pre_harm_days=before,
        post_harm_days=after,
        pre_count=counts[0],
        post_count=counts[1],
        harm_percent_change=100 * (after - before) / before if before else None,
        count_percent_change=100 * (counts[1] - counts[0]) / counts[0] if counts[0] else None,
        pre_harm_per_perpetrator=before / offences.perpetrators if offences.perpetrators else None,
        largest_single_offence_share_of_pre_harm=heaviest / before if before else None,
        reasons=reasons,
    )


def _days(period: str, counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    for code, count in counts.items():
        if count and code not in weights:
            raise BadOutcomeInput(f"{period}.{code}: has no weight; add it to weights_days")
    return math.fsum(count * weights[code] for code, count in counts.items() if count)
