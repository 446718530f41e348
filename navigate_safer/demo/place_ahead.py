"""How early an approach is warned of, at the same rate of false warnings as fixed rings.

A warning speaks when it begins. It is right if the wearer enters within :data:`SOON_S` after that,
else false; an entry is led by the earliest right warning, and by nothing if there is none. All
rules are counted alike.
"""

from datetime import timedelta

import msgspec
import numpy as np

from alerts.finding import Severity
from alerts.rules import place_approach
from alerts.terms import Condition, ConditionKind, DeviceKind, Limits
from devices.readings import Fix
from navigate_safer.demo.place_lives import Floats, Spans
from navigate_safer.demo.place_scores import WEEK_S
from zones.zone import Zone

SOON_S = 900.0
# The time ahead that our rule is asked about.
WITHIN_S = 600.0
RINGS_M = (100.0, 300.0, 500.0)
# Our rule at these probabilities, from eager to sure.
LEVELS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


class Warnings(msgspec.Struct):
    """Sums over zones and devices of one rule at one setting."""

    entries: int = 0
    warned: int = 0
    lead_s: float = 0.0
    right: int = 0
    false: int = 0
    device_s: float = 0.0

    def take(self, began_s: Floats, truth: Spans) -> None:
        """Count one zone's warnings, by when each began, against the true stretches inside."""
        entered_s = np.array([start for start, _ in truth if start > 0])
        for at_s in entered_s.tolist():
            before = began_s[(began_s <= at_s) & (began_s >= at_s - SOON_S)]
            self.entries += 1
            self.warned += len(before) > 0
            self.lead_s += at_s - float(before.min()) if len(before) else 0.0
        for at_s in began_s.tolist():
            if any(start < at_s <= end for start, end in truth):
                # Begun inside: late, but no false one.
                continue
            right = bool(((entered_s >= at_s) & (entered_s <= at_s + SOON_S)).any())
            self.right += right
            self.false += not right

    def add(self, other: "Warnings") -> None:
        """Take another's sums in."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self) -> dict[str, float]:
        """Mean lead over all entries, share of entries warned of, false warnings."""
        entries = max(self.entries, 1)
        return {
            "lead_mean_s": self.lead_s / entries,
            "entries_warned_percent": 100 * self.warned / entries,
            "false_warnings_device_week": self.false / (self.device_s / WEEK_S or 1.0),
        }


def began(likely: Floats, level: float, second: Floats) -> Floats:
    """When warnings begin: at or above the level, over again at the rule's share of it."""
    on, found = False, []
    for at_s, p in zip(second.tolist(), likely.tolist(), strict=True):
        if not on and p >= level:
            on = True
            found.append(at_s)
        elif on and p <= place_approach.END_SHARE * level:
            on = False
    return np.array(found)


def ring_began(off_m: Floats, ring_m: float, second: Floats) -> Floats:
    """When the reported point comes into a ring about the zone."""
    within = off_m <= ring_m
    entered: Floats = second[within & ~np.concatenate(([False], within[:-1]))]
    return entered


def likely(zone: Zone, fixes: list[Fix]) -> Floats:
    """What our rule states at each fix."""
    rule = place_approach.RULE
    started_at = fixes[0].stamp.measured_at - timedelta(seconds=1)
    kind, limits = ConditionKind.EXCLUSION_ZONE, Limits(approach_s=WITHIN_S)
    term = Condition(1, 1, "1", kind, Severity.HIGH, started_at, None, limits, zone)
    state = rule.initial(term, DeviceKind.LOCATION_TAG, started_at)
    stated = np.zeros(len(fixes))
    for n, fix in enumerate(fixes):
        state, _ = rule.step(state, fix, term)
        stated[n] = state.probability
    return stated
