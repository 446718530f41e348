"""What tells a body from a bottle: a few numbers of an episode's shape."""

import math
from collections.abc import Sequence
from itertools import pairwise

from alerts.alcohol.episode import Episode, area_g_dl_h
from alerts.alcohol.series import Sample, running_median

# Nothing is read from below the sensor's grid, and no rate from closer than readings come.
_LEAST_G_DL = 0.001
_LEAST_H = 0.05
NAMES = (
    "log_peak",
    "log_smooth_peak",
    "log_width",
    "log_smooth_width",
    "fastest_rise",
    "fastest_fall",
    "roughness",
    "log_above",
    "share_above_half",
    "rise_share",
    "cut",
)


def features(episode: Episode) -> tuple[float, ...]:
    """One number for each of :data:`NAMES`; finite for every episode.

    Widths are area over peak, in hours: that of an interferent is short whatever its height. The
    smoothed ones leave single readings out. Rates are logs of g/dl/h between two readings.
    """
    # A sensor below its zero is at zero here.
    samples = [Sample(each.at, max(0.0, each.tac_g_dl)) for each in episode.samples]
    smooth = smoothed(samples)
    peak, smooth_peak = episode.peak_tac_g_dl, max(each.tac_g_dl for each in smooth)
    rates = _rates(samples)
    above_h = (episode.last_at_threshold - episode.first_at_threshold).total_seconds() / 3600
    rise_h = (episode.peak_at - episode.onset).total_seconds() / 3600
    whole_h = (episode.end - episode.onset).total_seconds() / 3600
    moved = sum(abs(two.tac_g_dl - one.tac_g_dl) for one, two in pairwise(samples))
    return (
        _log(peak),
        _log(smooth_peak),
        math.log(0.1 + area_g_dl_h(samples) / max(peak, _LEAST_G_DL)),
        math.log(0.1 + area_g_dl_h(smooth) / max(smooth_peak, _LEAST_G_DL)),
        _log(max([*rates, 0.0])),
        _log(max([*(-rate for rate in rates), 0.0])),
        moved / (2 * max(peak, _LEAST_G_DL)),
        math.log(0.25 + above_h),
        sum(each.tac_g_dl >= peak / 2 for each in samples) / len(samples),
        rise_h / max(whole_h, 0.5),
        float(episode.cut),
    )


def smoothed(samples: Sequence[Sample]) -> list[Sample]:
    """The readings with single ones that stand out taken away."""
    gap = max((two.at - one.at for one, two in pairwise(samples)), default=None)
    if gap is None:
        return list(samples)
    levels = running_median(samples, gap)
    return [Sample(each.at, level) for each, level in zip(samples, levels, strict=True)]


def _rates(samples: Sequence[Sample]) -> list[float]:
    return [
        (two.tac_g_dl - one.tac_g_dl) / max(_LEAST_H, (two.at - one.at).total_seconds() / 3600)
        for one, two in pairwise(samples)
    ]


def _log(value: float) -> float:
    return math.log(max(value, _LEAST_G_DL))
