"""A monitor that says nothing: how long, who else was silent, and what is likely behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from alerts.alcohol.series import Sample

# A missed upload is told after a day and critical after two (SCRAM's communication alerts).
MISSED = timedelta(hours=24)
CRITICAL = timedelta(hours=48)
# Where this share of the other devices is silent too, the network is (the project's own).
COMMON_SHARE = 0.5


class Outage(msgspec.Struct, frozen=True):
    """A day or more without a reading; ``others`` were measuring about then, so many silent too."""

    device: str
    start: datetime
    end: datetime
    others: int
    others_silent: int

    @property
    def stage(self) -> str:
        """``missed_24h`` or ``missed_48h``."""
        return "missed_48h" if self.end - self.start > CRITICAL else "missed_24h"

    @property
    def likely_cause(self) -> str:
        """A fault of the network comes before blame."""
        common = self.others and self.others_silent >= COMMON_SHARE * self.others
        return "network: other devices were silent too" if common else "this device alone"


def outages(series: Mapping[str, Sequence[Sample]], max_gap: timedelta) -> list[Outage]:
    """Silences of a day or longer, each beside what the other devices did meanwhile.

    Another device was silent too where it has a gap over ``max_gap`` that covers half of it.
    """
    gaps = {device: _gaps(samples, max_gap) for device, samples in series.items()}
    found = []
    for device, mine in gaps.items():
        for start, end in mine:
            if end - start <= MISSED:
                continue
            others = [
                other
                for other, samples in series.items()
                if other != device and samples[0].at <= start and samples[-1].at >= end
            ]
            silent = [other for other in others if _covered(gaps[other], start, end)]
            found.append(Outage(device, start, end, len(others), len(silent)))
    return found


def _gaps(samples: Sequence[Sample], max_gap: timedelta) -> list[tuple[datetime, datetime]]:
    return [(one.at, two.at) for one, two in pairwise(samples) if two.at - one.at > max_gap]


def _covered(gaps: Sequence[tuple[datetime, datetime]], start: datetime, end: datetime) -> bool:
    shared = sum(
        (max(timedelta(), min(end, until) - max(start, begin)) for begin, until in gaps),
        timedelta(),
    )
    return shared >= (end - start) / 2
