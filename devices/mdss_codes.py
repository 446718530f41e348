"""What the Ministry's event codes mean here, and which begin and end something.

The pairs and the payloads are those of the Ministry's public event model (e-surveillance and the
data insights service). A code that is not listed is kept under its own name.
"""

import re
from typing import Literal

import msgspec

_CODE = re.compile(r"[^A-Za-z0-9_]")
_LONGEST_CODE = 64


class Meaning(msgspec.Struct, frozen=True):
    """An event as a reading: our code, its state, and what it tells of the battery.

    ``percent`` is a charge that the code itself names; with ``flags_are_percent`` the record's
    payload is the charge.
    """

    code: str
    state: Literal["start", "end", "none"] = "none"
    percent: float | None = None
    flags_are_percent: bool = False


# The strap is the one thing that only the device can see, so its events are read by our own rule.
_STRAP = "strap_tamper"
_STARTS = (
    # Curfew, as the supplier judged it.
    "EV_ZONE_INCLUSION_TU_ABSENT_AT_START_TIME",
    "EV_CURFEWED_PID_ABSENT",
    "EV_PID_ABSENT",
    "EV_PID_ABSENT_DURING",
    # Exclusion zone, as the supplier judged it.
    "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION",
    "EV_ZONE_EXCLUSION_TU_PRESENT_AT_START_TIME",
    "EV_ZONE_EXCLUSION_TU_ARRIVED_DURING_TIME",
    # Power and movement.
    "EV_ENTER_LOW_POWER_STATE",
    "EV_PID_BATTERY_LOW",
    "EV_CHARGING_STARTED",
    "EV_MU_MAINS_START",
    "EV_MU_TILT_START",
)
_ENDS = (
    "EV_ZONE_INCLUSION_TU_ARRIVED_DURING_TIME",
    "EV_CURFEWED_PID_ARRIVED",
    "EV_PID_ARRIVED",
    "EV_EXCLUDED_PID_DEPARTED_DURING_EXCLUSION",
    "EV_ZONE_EXCLUSION_TU_DEPARTED_DURING_TIME",
    "EV_MU_MAINS_END",
    "EV_MU_TILT_END",
)
MEANINGS: dict[str, Meaning] = {
    "EV_PID_STRAP_TAMPER_START": Meaning(_STRAP, "start"),
    "EV_PID_STRAP_TAMPER_END": Meaning(_STRAP, "end"),
    "EV_BATTERY_LEV_5PERCENT": Meaning("EV_BATTERY_LEV_5PERCENT", percent=5.0),
    "EV_REPORT_TRACKER_BATTERY_PERCENTAGE": Meaning(
        "EV_REPORT_TRACKER_BATTERY_PERCENTAGE", flags_are_percent=True
    ),
    **{code: Meaning(code, "start") for code in _STARTS},
    **{code: Meaning(code, "end") for code in _ENDS},
}


def event_of(code: str) -> Meaning:
    """The meaning of a code; one that is not known is an instant under its own name."""
    known = MEANINGS.get(code)
    return known or Meaning(_CODE.sub("_", code)[:_LONGEST_CODE])
