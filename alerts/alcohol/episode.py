"""Drinking episodes of a series: where they are, what the rule and its variants say of each."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from alerts.alcohol.assessment import Assessment, Trace, assess, runs_of
from alerts.alcohol.rule_set import Answer, RuleSet, loose, tiered
from alerts.alcohol.series import Sample, running_median

# Alcohol at the skin is later than the drinking; nobody can say by how much for this wearer, so
# no time is given sharper than two hours (the project's own).
DRINKING_UNCERTAIN = timedelta(hours=2)


class Episode(msgspec.Struct, frozen=True):
    """A stretch of readings above baseline that reaches the threshold; times aware UTC.

    ``present_from`` and ``present_until`` bound the time for which alcohol at the skin cannot be
    excluded: from the last baseline reading before to the first after, None where not known.
    """

    onset: datetime
    end: datetime
    present_from: datetime | None
    present_until: datetime | None
    first_at_threshold: datetime
    last_at_threshold: datetime
    peak_at: datetime
    peak_tac_g_dl: float
    area_g_dl_h: float
    readings: int
    primary: Assessment
    variants: dict[str, Answer]
    has_spike: bool = False
    conflicts: tuple[datetime, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def agree(self) -> list[str]:
        """The variants that say what the rule says."""
        said = self.primary.confirmed
        return [name for name, answer in self.variants.items() if answer is said]

    @property
    def robust(self) -> bool:
        """Whether the rule and all its variants agree."""
        return len(self.agree) == len(self.variants)

    @property
    def cut(self) -> bool:
        """Whether data that is missing could have changed what is said of the episode."""
        return self.primary.foot is None or self.primary.toe is None


def stretches(samples: Sequence[Sample], rules: RuleSet) -> Iterator[tuple[int, int]]:
    """First and last place of every episode, those below the threshold included.

    One lone baseline reading is inside; two in a row, or a gap, end it.
    """
    first = last = None
    for place, sample in enumerate(samples):
        far = place > 0 and sample.at - samples[place - 1].at > rules.max_gap
        if first is not None and last is not None and (far or place - last > 2):
            yield first, last
            first = last = None
        if sample.tac_g_dl >= rules.baseline_g_dl:
            first, last = (place if first is None else first), place
    if first is not None and last is not None:
        yield first, last


def episodes(
    samples: Sequence[Sample], rules: RuleSet, conflicts: Sequence[datetime] = ()
) -> list[Episode]:
    """Every episode that reaches the threshold, in order of time; samples as in a ``Series``."""
    smooth = Trace(samples, running_median(samples, rules.max_gap))
    found = []
    for first, last in stretches(samples, rules):
        primary = assess(Trace.of(samples), first, last, rules)
        if primary is not None:
            found.append(_episode(samples, smooth, (first, last), rules, primary, conflicts))
    return found


def _episode(
    samples: Sequence[Sample],
    smooth: Trace,
    place: tuple[int, int],
    rules: RuleSet,
    primary: Assessment,
    conflicts: Sequence[datetime],
) -> Episode:
    first, last = place
    inside = samples[first : last + 1]
    above = [each.at for each in inside if each.tac_g_dl >= rules.threshold_g_dl]
    before = _next_to(samples, first, -1, rules)
    after = _next_to(samples, last, 1, rules)
    begins = inside[0].at if before is None else before
    ends = inside[-1].at if after is None else after
    return Episode(
        onset=inside[0].at,
        end=inside[-1].at,
        present_from=before,
        present_until=after,
        first_at_threshold=above[0],
        last_at_threshold=above[-1],
        peak_at=samples[primary.peak].at,
        peak_tac_g_dl=samples[primary.peak].tac_g_dl,
        area_g_dl_h=area_g_dl_h(inside),
        readings=len(inside),
        primary=primary,
        variants=_variants(Trace.of(samples), smooth, first, last, rules),
        has_spike=_has_spike(samples[max(0, first - 1) : last + 1], rules),
        conflicts=tuple(at for at in conflicts if begins <= at <= ends),
        samples=tuple(samples[max(0, first - 1) : last + 2]),
    )


def _has_spike(samples: Sequence[Sample], rules: RuleSet) -> bool:
    """Whether any one step rises as no body does; across a gap nobody knows."""
    peak = max(each.tac_g_dl for each in samples)
    least = max(rules.spike_g_dl, rules.spike_share * peak)
    for one, two in pairwise(samples):
        rise, hours = two.tac_g_dl - one.tac_g_dl, (two.at - one.at).total_seconds() / 3600
        near = two.at - one.at <= rules.max_gap
        if near and rise >= least and rise > rules.spike_g_dl_h * hours:
            return True
    return False


def _next_to(samples: Sequence[Sample], place: int, step: int, rules: RuleSet) -> datetime | None:
    other = place + step
    if not 0 <= other < len(samples):
        return None
    far = abs(samples[other].at - samples[place].at) > rules.max_gap
    return None if far else samples[other].at


def area_g_dl_h(samples: Sequence[Sample]) -> float:
    """Area under the readings, by straight lines between them."""
    return sum(
        (one.tac_g_dl + two.tac_g_dl) / 2 * (two.at - one.at).total_seconds() / 3600
        for one, two in pairwise(samples)
    )


def _variants(
    trace: Trace, smooth: Trace, first: int, last: int, rules: RuleSet
) -> dict[str, Answer]:
    baseline = rules.baseline_g_dl
    return {
        "tiered": _answer(assess(trace, first, last, tiered(rules))),
        "loose": _answer(assess(trace, first, last, loose(rules))),
        "zero": _answer(assess(trace, first, last, rules, edge_g_dl=baseline)),
        "median3": _answer(assess(smooth, first, last, rules)),
        "run": _any_run(trace, first, last, rules),
    }


def _answer(found: Assessment | None) -> Answer:
    # What does not reach the threshold has no run.
    return Answer.NO if found is None else found.confirmed


def _any_run(trace: Trace, first: int, last: int, rules: RuleSet) -> Answer:
    levels = trace.levels
    above = [place for place in range(first, last + 1) if levels[place] >= rules.threshold_g_dl]
    each = [_answer(assess(trace, run[0], run[-1], rules)) for run in runs_of(trace, above, rules)]
    for answer in (Answer.YES, Answer.UNDECIDABLE):
        if answer in each:
            return answer
    return Answer.NO
