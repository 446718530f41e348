"""What a change of contact is taken for, how surely, and from which thresholds on."""

from enum import Enum

import msgspec


class WearKind(Enum):
    """What a stretch of changed contact is taken for."""

    OBSTRUCTION = "obstruction"
    REMOVAL = "removal"
    WATER = "water"
    SENSOR_FAULT = "device_fault"

    @property
    def blinds(self) -> bool:
        """Whether alcohol cannot be told while it lasts."""
        return self is not WearKind.WATER

    @property
    def is_tamper(self) -> bool:
        """Whether somebody may have done it on purpose."""
        return self in (WearKind.OBSTRUCTION, WearKind.REMOVAL)


class Stage(Enum):
    """How sure it is; only a confirmed one is told as a tamper."""

    POSSIBLE = "possible"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"


class WearRules(msgspec.Struct, frozen=True):
    """Thresholds of wearing.

    - ``ir_band``: infrared this share of its baseline off is out of band. 0.12: a defence firm
      reports a variance of 12 %; in thirteen public recordings nothing lies between +12.0 % and
      -17.2 %. SCRAM's manual (v2.3, 2009) expects 0 to 0.25 V.
    - ``learn_readings``: the baseline is the median of the first 3 readings after fitting;
      ``learn_share``: each reading in band moves it by 0.1 of the way (re-learned in steps of
      0.5 to 6 % in the same recordings). Both are the project's own.
    - ``suspect_s``: out of band for 7200 s is suspect (the project's own: 3 of 13 nights that
      are presumably honest have it).
    - ``confirm_s``: for 28800 s confirmed (a defence firm reports more than 8 h; none of the 13).
    - ``corroborated_s``: 21600 s confirm it where TAC fell faster than a body can as contact
      changed (SCRAM's manual speaks of "several hours"; the project's own).
    - ``cold_c``: skin below 28 °C is not skin (TACLion; Courtney 2023 has 29); ``cold_readings``:
      2 in a row, since one cold reading is ordinary.
    - ``far_off``, ``gone_readings``: infrared half (0.5) of its baseline off with 4 cold readings
      in a row is a monitor that is off the leg (the project's own).
    - ``water_step_c``: with a step of 4 °C a short change may be water (the project's own).
    - ``dead_ir_v``: below 0.05 V the infrared sensor itself has failed (the project's own).
    - ``stuck_readings``, ``stuck_g_dl``: 8 equal levels of 0.01 g/dl or more are a sensor that is
      stuck (the project's own: with noise of 6 % a body does not do that, and a trace repeats).
    - ``fastest_fall_g_dl_h``: 0.035, the fastest elimination of the rule sets (Barnett).
    - ``max_gap_s``: readings more than 5400 s apart are no neighbours, as in the rule sets (the
      project's own).
    """

    ir_band: float = 0.12
    learn_readings: int = 3
    learn_share: float = 0.1
    suspect_s: int = 7_200
    confirm_s: int = 28_800
    corroborated_s: int = 21_600
    cold_c: float = 28.0
    cold_readings: int = 2
    far_off: float = 0.5
    gone_readings: int = 4
    water_step_c: float = 4.0
    dead_ir_v: float = 0.05
    stuck_readings: int = 8
    stuck_g_dl: float = 0.01
    fastest_fall_g_dl_h: float = 0.035
    max_gap_s: int = 5_400


WEAR_RULES = WearRules()
