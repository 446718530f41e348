"""The Ministry's start and end events, as its public event model pairs them.

A start opens what may be a violation; it becomes one when no end arrives within the grace of its
kind. Codes are those of the supplier's feed; strap events come under our own name.
"""

from enum import Enum

from alerts.finding import FindingKind


class Pair(Enum):
    """What a pair of events is about; the value is its name in a rule's state."""

    STRAP = "strap"
    CURFEW = "curfew"
    ZONE = "zone"
    BATTERY = "battery"
    BASE_STATION = "base_station"

    @property
    def finding(self) -> FindingKind:
        """What is found when it becomes actual."""
        return {
            "strap": FindingKind.STRAP_TAMPER,
            "curfew": FindingKind.CURFEW_EVENT,
            "zone": FindingKind.ZONE_EVENT,
            "battery": FindingKind.BATTERY_EVENT,
            "base_station": FindingKind.BASE_STATION_MOVED,
        }[self.value]


STARTS: dict[str, Pair] = {
    "EV_ZONE_INCLUSION_TU_ABSENT_AT_START_TIME": Pair.CURFEW,
    "EV_CURFEWED_PID_ABSENT": Pair.CURFEW,
    "EV_PID_ABSENT": Pair.CURFEW,
    "EV_PID_ABSENT_DURING": Pair.CURFEW,
    "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION": Pair.ZONE,
    "EV_ZONE_EXCLUSION_TU_PRESENT_AT_START_TIME": Pair.ZONE,
    "EV_ZONE_EXCLUSION_TU_ARRIVED_DURING_TIME": Pair.ZONE,
    "EV_ENTER_LOW_POWER_STATE": Pair.BATTERY,
    "EV_PID_BATTERY_LOW": Pair.BATTERY,
    "EV_BATTERY_LEV_5PERCENT": Pair.BATTERY,
    "EV_MU_TILT_START": Pair.BASE_STATION,
}
# The curfew's escalations (absent at the end, arrived after it) end nothing, and a status check
# (EV_PARTIAL_CALLBACK) says nothing: neither is listed.
ENDS: dict[str, Pair] = {
    "EV_ZONE_INCLUSION_TU_ARRIVED_DURING_TIME": Pair.CURFEW,
    "EV_CURFEWED_PID_ARRIVED": Pair.CURFEW,
    "EV_PID_ARRIVED": Pair.CURFEW,
    "EV_EXCLUDED_PID_DEPARTED_DURING_EXCLUSION": Pair.ZONE,
    "EV_ZONE_EXCLUSION_TU_DEPARTED_DURING_TIME": Pair.ZONE,
    "EV_CHARGING_STARTED": Pair.BATTERY,
    "EV_MU_MAINS_START": Pair.BATTERY,
    "EV_MU_TILT_END": Pair.BASE_STATION,
}
