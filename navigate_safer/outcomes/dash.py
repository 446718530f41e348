"""The band of a victim's risk from the Dash checklist of 24 questions."""

from typing import Annotated, Literal

import msgspec

from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import Count

BANDS = ("standard", "medium", "high")
QUESTIONS = 24


class Checklist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ticks of the 24, the professional's own band, and incidents in the last 12 months."""

    ticks: Annotated[int, msgspec.Meta(ge=0, le=QUESTIONS)]
    professional_judgement: Literal["standard", "medium", "high"] | None = None
    incidents_12m: Count | None = None


class Band(msgspec.Struct, frozen=True):
    """One of ``standard``, ``medium``, ``high``."""

    band: str


def risk_band(checklist: Checklist, policy: Policy = POLICY) -> Band:
    """14 ticks or more are high, 10 to 13 medium, fewer standard.

    Professional judgement can raise the band and never lowers it. Three or more incidents in 12
    months (a setting) are potential escalation: the case is referred as high, whatever the ticks.
    Source: SafeLives Dash and its referral criteria. A low score is no proof of safety: most cases
    that ended in serious harm had not been rated high.
    """
    band = 0
    if checklist.ticks >= policy.dash_high_ticks:
        band = 2
    elif checklist.ticks >= policy.dash_medium_ticks:
        band = 1
    if checklist.professional_judgement is not None:
        band = max(band, BANDS.index(checklist.professional_judgement))
    if (checklist.incidents_12m or 0) >= policy.escalation_incidents:
        band = max(band, BANDS.index("high"))
    return Band(BANDS[band])
