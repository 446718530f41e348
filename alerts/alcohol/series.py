"""The readings of one monitor, in order, each time once: what a rule may call consecutive."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One reading: time aware UTC, TAC in g/dl, reflected infrared in volts, skin in °C."""

    at: datetime
    tac_g_dl: float
    ir_v: float | None = None
    skin_temp_c: float | None = None


class Series(msgspec.Struct, frozen=True):
    """Samples in order of time, no time twice.

    ``repeats``: readings that came again and change nothing. ``conflicts``: times at which the
    device claims two different levels; the higher one is kept, and whoever judges must say so.
    """

    samples: tuple[Sample, ...]
    repeats: int = 0
    conflicts: tuple[datetime, ...] = ()

    def gaps(self, max_gap: timedelta) -> list[tuple[datetime, datetime]]:
        """Stretches longer than ``max_gap`` without a reading."""
        pairs = zip(self.samples, self.samples[1:], strict=False)
        return [(one.at, two.at) for one, two in pairs if two.at - one.at > max_gap]


def in_order(samples: Iterable[Sample]) -> Series:
    """Sort and merge; the result depends on what was measured, not on its order of arrival."""
    ordered = sorted(samples, key=content)
    kept: list[Sample] = []
    repeats, conflicts = 0, list[datetime]()
    for sample in ordered:
        if kept and kept[-1].at == sample.at:
            if kept[-1].tac_g_dl == sample.tac_g_dl:
                repeats += 1
            elif not conflicts or conflicts[-1] != sample.at:
                conflicts.append(sample.at)
            # In order of content, so the highest level stays: alcohol that was seen is not unseen.
            kept[-1] = sample
        else:
            kept.append(sample)
    return Series(tuple(kept), repeats, tuple(conflicts))


def content(sample: Sample) -> tuple[datetime, float, float, float]:
    """Sort key; a reading that says more comes after one that says less."""
    return (
        sample.at,
        sample.tac_g_dl,
        -1.0 if sample.ir_v is None else sample.ir_v,
        -300.0 if sample.skin_temp_c is None else sample.skin_temp_c,
    )


def running_median(samples: Sequence[Sample], max_gap: timedelta) -> list[float]:
    """The centred median of three levels; where a neighbour is missing the level itself.

    A reading on the other side of a gap is no neighbour.
    """
    levels = [each.tac_g_dl for each in samples]
    smooth = list(levels)
    for place in range(1, len(samples) - 1):
        before, here, after = samples[place - 1 : place + 2]
        if here.at - before.at <= max_gap and after.at - here.at <= max_gap:
            smooth[place] = sorted(levels[place - 1 : place + 2])[1]
    return smooth
