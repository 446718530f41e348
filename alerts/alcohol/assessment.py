"""Run, absorption and elimination of one stretch of readings."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.alcohol.rule_set import Answer, RuleSet
from alerts.alcohol.series import Sample

# Rates are compared to this many digits: 0.06 - 0.01 over an hour is exactly 0.05 and not below.
_DIGITS = 9


class Assessment(msgspec.Struct, frozen=True):
    """The three parts and what they were computed from; places are those in the series.

    ``absorption_g_dl_h`` and ``elimination_g_dl_h`` are None where foot or toe is not known.
    """

    r1: Answer
    r2: Answer
    r3: Answer
    peak: int
    foot: int | None
    toe: int | None
    absorption_g_dl_h: float | None
    elimination_g_dl_h: float | None
    longest_run: int
    run_span_h: float

    @property
    def confirmed(self) -> Answer:
        """Yes when all parts are, no when any part is, otherwise undecidable."""
        parts = (self.r1, self.r2, self.r3)
        if Answer.NO in parts:
            return Answer.NO
        return Answer.UNDECIDABLE if Answer.UNDECIDABLE in parts else Answer.YES


class Trace(msgspec.Struct, frozen=True):
    """Readings in order and the levels to judge them by (their own, or smoothed ones)."""

    samples: Sequence[Sample]
    levels: Sequence[float]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Trace":
        """The readings as they are."""
        return cls(samples, [each.tac_g_dl for each in samples])

    def at(self, place: int) -> datetime:
        """When the reading at this place was measured."""
        return self.samples[place].at

    def neighbours(self, one: int, two: int, rules: RuleSet) -> bool:
        """Whether two places that follow each other are near enough in time."""
        return abs(self.at(two) - self.at(one)) <= rules.max_gap


def assess(
    trace: Trace, first: int, last: int, rules: RuleSet, *, edge_g_dl: float | None = None
) -> Assessment | None:
    """Judge the stretch from ``first`` to ``last``; None when no level there is at the threshold.

    Foot and toe are the nearest readings below ``edge_g_dl`` (default: the threshold) before the
    first and after the last level at the threshold.
    """
    levels, threshold = trace.levels, rules.threshold_g_dl
    above = [place for place in range(first, last + 1) if levels[place] >= threshold]
    if not above:
        return None
    edge = threshold if edge_g_dl is None else edge_g_dl
    # max() keeps the first of equals.
    peak = max(above, key=lambda place: levels[place])
    foot, toe = _below(trace, above[0], -1, edge, rules), _below(trace, above[-1], 1, edge, rules)
    rise, fall = _rate(trace, peak, foot), _rate(trace, peak, toe)
    runs = runs_of(trace, above, rules)
    count, span_s = max((len(run), _span_s(trace, run)) for run in runs)
    return Assessment(
        r1=_yes(any(_is_long(trace, run, rules) for run in runs)),
        r2=_is_below(rise, rules.most_absorption(levels[peak])),
        r3=_is_below(fall, rules.most_elimination(levels[peak])),
        peak=peak,
        foot=foot,
        toe=toe,
        absorption_g_dl_h=rise,
        elimination_g_dl_h=fall,
        longest_run=count,
        run_span_h=round(span_s / 3600, _DIGITS),
    )


def runs_of(trace: Trace, above: Sequence[int], rules: RuleSet) -> list[list[int]]:
    """Maximal runs of consecutive readings among the places ``above`` the threshold."""
    runs: list[list[int]] = []
    for place in above:
        follows = runs and runs[-1][-1] == place - 1
        if follows and trace.neighbours(place - 1, place, rules):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _span_s(trace: Trace, run: Sequence[int]) -> float:
    return (trace.at(run[-1]) - trace.at(run[0])).total_seconds()


def _is_long(trace: Trace, run: Sequence[int], rules: RuleSet) -> bool:
    spans = trace.at(run[-1]) - trace.at(run[0]) >= rules.run_span
    return len(run) >= rules.run_readings and spans


def _below(trace: Trace, place: int, step: int, edge: float, rules: RuleSet) -> int | None:
    """The nearest reading below ``edge`` in one direction; None across a gap or past the data."""
    while 0 <= place + step < len(trace.samples):
        if not trace.neighbours(place, place + step, rules):
            return None
        place += step
        if trace.levels[place] < edge:
            return place
    return None


def _rate(trace: Trace, peak: int, foot: int | None) -> float | None:
    if foot is None:
        return None
    hours = abs((trace.at(peak) - trace.at(foot)).total_seconds()) / 3600
    return round((trace.levels[peak] - trace.levels[foot]) / hours, _DIGITS)


def _is_below(rate: float | None, limit: float) -> Answer:
    return Answer.UNDECIDABLE if rate is None else _yes(rate < limit)


def _yes(true: bool) -> Answer:
    return Answer.YES if true else Answer.NO
