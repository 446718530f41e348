"""What may be behind a monitor that says nothing or may be covered, before anybody is blamed.

Facts about other devices and about its battery, put into one sentence for the alert's history.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.alcohol.outage import COMMON_SHARE


class Surroundings(msgspec.Struct, frozen=True):
    """What else was heard at the time of a finding.

    ``others`` of its gateway were at work before it, and ``others_silent`` of these have not been
    heard since it began. ``own_silent``: the same of the wearer's other device, None without one.
    ``battery_percent`` and ``charging`` are the last that the monitor itself said; at the pace of
    the day before it would have been empty ``empty_after_h`` hours later, None where it did not
    fall or was not told twice; ``unheard_h`` is how long it has not been heard.
    """

    others: int
    others_silent: int
    own_silent: bool | None
    battery_percent: int | None
    charging: bool | None
    battery_low_percent: float
    empty_after_h: float | None = None
    unheard_h: float = 0.0

    @property
    def network_likely(self) -> bool:
        """Whether so many of the others are silent that it is no matter of this device."""
        return self.others > 0 and self.others_silent >= COMMON_SHARE * self.others

    @property
    def battery_likely(self) -> bool:
        """Whether the battery was low when last heard, or fell so fast that it is empty by now."""
        percent = self.battery_percent
        if percent is None or self.charging:
            return False
        emptied = self.empty_after_h is not None and self.empty_after_h <= self.unheard_h
        return percent <= self.battery_low_percent or emptied


def in_words(about: Surroundings) -> str:
    """What was considered, and what it makes likely; names nobody and no device."""
    facts = [_others(about), _own(about), _battery(about)]
    causes = []
    if about.network_likely:
        causes.append("a fault of the network or gateway is likely")
    if about.battery_likely:
        causes.append("a flat battery is likely")
    if not causes:
        causes.append("nothing of this explains it; it is no proof of a tamper either")
    return f"Before blame: {'; '.join(facts)}. So {' and '.join(causes)}."


def _others(about: Surroundings) -> str:
    if not about.others:
        return "no other device of its gateway was at work"
    return f"{about.others_silent} of {about.others} other devices of its gateway silent since"


def _own(about: Surroundings) -> str:
    if about.own_silent is None:
        return "the wearer has no other device"
    return f"the wearer's other device {'silent too' if about.own_silent else 'heard since'}"


def _battery(about: Surroundings) -> str:
    if about.battery_percent is None:
        return "its battery was never told"
    charging = ", charging" if about.charging else ""
    said = f"its battery at {about.battery_percent} %{charging} when last heard"
    if about.empty_after_h is None or about.charging:
        return said
    return f"{said}, and empty {about.empty_after_h:.0f} hours later at the pace of the day before"


def hours_to_empty(levels: Sequence[tuple[datetime, float]]) -> float | None:
    """Hours from the last level until empty, at the mean pace from the highest level on.

    ``levels`` are (measured time, percent) in order. None where there is no fall to go by.
    """
    if len(levels) < 2:
        return None
    last_at, last = levels[-1]
    top_at, top = max(levels, key=lambda each: (each[1], each[0]))
    hours = (last_at - top_at).total_seconds() / 3600
    return last * hours / (top - last) if hours > 0 and top > last else None
