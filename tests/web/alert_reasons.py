"""Why an alert was raised, in words, for the kinds that the shared world does not show."""

from alcohol_days import DRINKING
from builders import at, battery, condition, event, fitting, fix, fixes, sample

from alerts.finding import FindingKind, Severity
from alerts.terms import ConditionKind, DeviceKind, Fitting
from devices.readings import AlcoholSample, Reading, Stamp

K, F = ConditionKind, FindingKind


def worn(kind: ConditionKind) -> Fitting:
    """A monitor under one condition, or a tag under one about a place."""
    device = DeviceKind.LOCATION_TAG if kind.needs_zone else DeviceKind.ALCOHOL_MONITOR
    return fitting(condition(kind, severity=Severity.HIGH), device_kind=device)


def covered(hours: float, ir_v: float = 2.1) -> list[Reading]:
    """A monitor whose infrared changes after an hour and a half, for so long."""
    count = int(2 * hours) + 1
    return [
        AlcoholSample(Stamp("MON-1", at(30 * n), None, at(30 * n)), 0.0, v, 33.0)
        for n, v in enumerate([1.5, 1.5, 1.5, *[ir_v] * count])
    ]


# The condition, the readings, when somebody looked (minutes; None: not by the clock), the words.
REASONS: dict[
    FindingKind, tuple[ConditionKind, list[Reading], float | None, list[str]]
] = {
    F.ALCOHOL_CONFIRMED: (
        K.ALCOHOL_ABSTINENCE, [sample(30 * n, level) for n, level in enumerate(DRINKING)], None,
        ["three readings in a row reached 0.02", "highest is 0.045", "standard 1",
         "not the level in blood"],
    ),
    F.CONTACT_SUSPECT: (K.TAG_CARE, covered(2), None,
                        ["changed by 40 %", "for 2.0 hours", "cannot be told"]),
    F.CONTACT_LOST: (K.TAG_CARE, covered(8), None, ["changed by 40 %", "for 8.0 hours"]),
    F.SENSOR_FAULT: (K.TAG_CARE, covered(4, 0.0), None, ["no act of the wearer"]),
    F.BASE_STATION_MOVED: (K.TAG_CARE, [event(0, "EV_MU_TILT_START")], 3,
                           ["EV_MU_TILT_START", "within 2 minutes"]),
    F.NOT_CHARGED: (K.TAG_CARE, [battery(0, 90, charging=True),
                                 battery(60 * 37, 41, charging=False)], None,
                    ["more than 36 hours ago", "stands at 41 %"]),
    F.UPLOAD_MISSED: (K.TAG_CARE, [battery(0, 9)], 60 * 49,
                      ["Nothing came for 48 hours", "flat battery"]),
    F.CURFEW_EVENT: (K.CURFEW, [event(0, "EV_PID_ABSENT")], 11,
                     ["EV_PID_ABSENT", "within 10 minutes", "No position fix since then"]),
    F.ZONE_EVENT: (K.EXCLUSION_ZONE,
                   [event(0, "EV_ZONE_EXCLUSION_TU_ARRIVED_DURING_TIME"), *fixes(1, 6)], None,
                   ["within 5 minutes", "fixes say otherwise"]),
    F.POSITION_UNKNOWN: (
        K.EXCLUSION_ZONE, [fix(n, accuracy_m=20_000.0) for n in range(0, 66, 5)], None,
        ["more than 60 minutes", "whether the wearer kept out of the zone",
         "14 position fixes too vague", "the best of them good to 24000 metres",
         "0 other messages", "more than 3 times its own radius", "it is no breach"],
    ),
    F.BATTERY_EVENT: (K.TAG_CARE, [event(0, "EV_PID_BATTERY_LOW")], 3,
                      ["EV_PID_BATTERY_LOW", "within 2 minutes"]),
}  # fmt: skip
