"""The named, versioned thresholds of an alcohol episode, each with where it comes from."""

from datetime import timedelta
from enum import Enum

import msgspec


class Answer(Enum):
    """What a part of the rule says; a rate that cannot be computed is not an answer."""

    YES = "yes"
    NO = "no"
    UNDECIDABLE = "undecidable"


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of one rule set. The definitions of foot, toe and run are the project's own.

    - ``baseline_g_dl``: less than 0.005 g/dl is baseline, the smallest level that any of thirteen
      public ankle recordings shows above zero.
    - ``threshold_g_dl``: 0.02 g/dl, the usual agency threshold (SCRAM help "Alert Overview";
      PIRE/AMS case study).
    - ``run_readings``, ``run_span_s``: 3 readings at the threshold or above (Hawthorne testimony
      2009), which span 3000 s, so that quick set-up readings cannot make a run (the project's own).
    - ``max_gap_s``: readings more than 5400 s apart are not neighbours (the project's own: two
      half-hourly readings may be lost).
    - ``absorption_g_dl_h``: a body rises by less than 0.05 g/dl/h, or 0.1 where the peak is above
      ``high_peak_g_dl`` and the set is tiered (``absorption_high_g_dl_h``). As remembered from the
      research literature (Barnett 2011, 2014); no source that prints it was found. Never to be
      quoted as the vendor's.
    - ``elimination_g_dl_h``: it falls by less than 0.025 g/dl/h, or 0.035
      (``elimination_high_g_dl_h``) where the peak is above ``high_peak_g_dl``. Likewise remembered
      (Barnett 2011, 2014), likewise never to be quoted as the vendor's.
    - ``high_peak_g_dl``: 0.15 g/dl, of the same memory (Barnett).
    - ``spike_g_dl_h``, ``spike_g_dl``, ``spike_share``: one step that rises faster than 0.1 g/dl/h,
      by 0.04 g/dl or more and by 0.5 of the peak or more, is a spike, and an episode with one is
      for a person to review (the project's own: spikes in public ankle recordings rise by 0.17 to
      0.68 g/dl/h in one step; a body takes several).
    """

    name: str
    version: str
    baseline_g_dl: float = 0.005
    threshold_g_dl: float = 0.02
    run_readings: int = 3
    run_span_s: int = 3_000
    max_gap_s: int = 5_400
    absorption_g_dl_h: float = 0.05
    absorption_high_g_dl_h: float = 0.05
    elimination_g_dl_h: float = 0.025
    elimination_high_g_dl_h: float = 0.035
    high_peak_g_dl: float = 0.15
    spike_g_dl_h: float = 0.10
    spike_g_dl: float = 0.04
    spike_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.baseline_g_dl <= self.threshold_g_dl:
            raise ValueError("the threshold must be at or above the baseline, both above 0 g/dl")

    @property
    def max_gap(self) -> timedelta:
        """Readings further apart are not neighbours."""
        return timedelta(seconds=self.max_gap_s)

    @property
    def run_span(self) -> timedelta:
        """A run spans at least this."""
        return timedelta(seconds=self.run_span_s)

    def most_absorption(self, peak_g_dl: float) -> float:
        """The rise, g/dl/h, that a body stays below."""
        high = peak_g_dl > self.high_peak_g_dl
        return self.absorption_high_g_dl_h if high else self.absorption_g_dl_h

    def most_elimination(self, peak_g_dl: float) -> float:
        """The fall, g/dl/h, that a body stays below."""
        high = peak_g_dl > self.high_peak_g_dl
        return self.elimination_high_g_dl_h if high else self.elimination_g_dl_h


# Above a peak of 0.15 the rise may be 0.10 g/dl/h (tiered), or always (loose): two other readings
# of the same literature. Both also stand beside every verdict as variants.
_FASTER_G_DL_H = 0.10
STANDARD = RuleSet("standard", "1")


def tiered(rules: RuleSet) -> RuleSet:
    """The same with the higher limit of absorption above the high peak."""
    return msgspec.structs.replace(rules, absorption_high_g_dl_h=_FASTER_G_DL_H)


def loose(rules: RuleSet) -> RuleSet:
    """The same with the higher limit of absorption at every peak."""
    return msgspec.structs.replace(
        rules, absorption_g_dl_h=_FASTER_G_DL_H, absorption_high_g_dl_h=_FASTER_G_DL_H
    )


RULE_SETS: dict[str, RuleSet] = {
    each.name: each
    for each in (
        STANDARD,
        msgspec.structs.replace(tiered(STANDARD), name="tiered"),
        msgspec.structs.replace(loose(STANDARD), name="loose"),
    )
}

# Every version there has ever been, by name and version: an episode of an old order is judged
# again, when late data comes, by the set that was in force. Sets are added, and never changed.
_EVERY_VERSION: dict[str, RuleSet] = {
    f"{each.name} {each.version}": each for each in RULE_SETS.values()
}


def versioned(reference: str) -> RuleSet:
    """The rule set of a name and version such as "standard 1"; raises ValueError."""
    if reference not in _EVERY_VERSION:
        known = ", ".join(f'"{each}"' for each in sorted(_EVERY_VERSION))
        raise ValueError(f'there is no alcohol rule set "{reference[:40]}"; there are {known}')
    return _EVERY_VERSION[reference]
