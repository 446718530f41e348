"""What infrared and temperature show of the wearing: contact kept, obstructed, removed, in water.

Infrared is reflected by the skin; something in between, or nothing behind, changes it. Ordinary
wearing does so too for an hour or two, so that a change is suspect early and confirmed late.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.alcohol.series import Sample


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
    - ``stuck_readings``: 8 equal levels above baseline are a sensor that is stuck (the project's
      own: with noise of 6 % a body does not do that).
    - ``fastest_fall_g_dl_h``: 0.035, the fastest elimination of the rule sets.
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
    fastest_fall_g_dl_h: float = 0.035
    max_gap_s: int = 5_400


WEAR_RULES = WearRules()


class Excursion(msgspec.Struct, frozen=True):
    """Readings with changed contact, one after the other; ``ended`` once contact was seen again."""

    start: datetime
    last: datetime
    readings: int
    largest_change: float
    dead_readings: int = 0
    cold_run: int = 0
    longest_cold_run: int = 0
    step_c: float = 0.0
    fell_at_once: bool = False
    ended_at: datetime | None = None

    @property
    def span(self) -> timedelta:
        """From its first reading to its last."""
        return self.last - self.start


class Contact(msgspec.Struct, frozen=True):
    """How the monitor sits, as far as the readings have come."""

    learning: tuple[float, ...] = ()
    baseline_v: float | None = None
    previous: Sample | None = None
    away: Excursion | None = None
    equal_levels: int = 0
    stuck_since: datetime | None = None


class WearSpan(msgspec.Struct, frozen=True):
    """One finding about the wearing; ``end`` None while it lasts. Times aware UTC."""

    kind: WearKind
    stage: Stage
    start: datetime
    end: datetime | None
    last: datetime
    readings: int
    largest_change: float | None

    @property
    def blinds(self) -> bool:
        """Whether alcohol cannot be told during it."""
        return self.kind.blinds and self.stage is not Stage.POSSIBLE

    def overlaps(self, begins: datetime, ends: datetime) -> bool:
        """Whether it shares an instant with the stretch."""
        return self.start <= ends and (self.end is None or begins <= self.end)


def step(
    state: Contact, sample: Sample, rules: WearRules = WEAR_RULES
) -> tuple[Contact, tuple[WearSpan, ...]]:
    """Take one reading, later than all before; the spans that it ends."""
    over: list[WearSpan] = []
    away, previous = state.away, state.previous
    far = previous is not None and (sample.at - previous.at).total_seconds() > rules.max_gap_s
    if far and away is not None:
        # Nothing is known of the time between: over when it was last seen.
        over += _known(msgspec.structs.replace(away, ended_at=away.last), rules)
        away = None
    level, since, stuck = _stuck(state, sample, far, rules)
    over += stuck
    learning, baseline, change = _change(state, sample, rules)
    if change is not None and abs(change) >= rules.ir_band:
        away = _further(away, sample, change, None if far else previous, rules)
    elif away is not None and sample.ir_v is not None:
        over += _known(msgspec.structs.replace(away, ended_at=sample.at), rules)
        away = None
    return Contact(learning, baseline, sample, away, level, since), tuple(over)


def standing(state: Contact, rules: WearRules = WEAR_RULES) -> tuple[WearSpan, ...]:
    """What is going on at the newest reading."""
    found = [] if state.away is None else _known(state.away, rules)
    return (*found, *_stuck_span(state, rules, ended_at=None))


def wear_spans(samples: Iterable[Sample], rules: WearRules = WEAR_RULES) -> list[WearSpan]:
    """Everything that a series shows, in order of start; samples as in a ``Series``."""
    state, found = Contact(), list[WearSpan]()
    for sample in samples:
        state, over = step(state, sample, rules)
        found += over
    return sorted([*found, *standing(state, rules)], key=lambda span: (span.start, span.kind.value))


def _change(
    state: Contact, sample: Sample, rules: WearRules
) -> tuple[tuple[float, ...], float | None, float | None]:
    """What has been learned of the baseline, and how far off this reading is, as a share."""
    learning, baseline = state.learning, state.baseline_v
    if sample.ir_v is None:
        return learning, baseline, None
    if baseline is None:
        if sample.ir_v >= rules.dead_ir_v:
            learning = (*learning, sample.ir_v)
        if len(learning) < rules.learn_readings:
            return learning, None, None
        return (), sorted(learning)[len(learning) // 2], None
    change = sample.ir_v / baseline - 1
    if abs(change) < rules.ir_band:
        baseline += rules.learn_share * (sample.ir_v - baseline)
    return learning, baseline, change


def _further(
    away: Excursion | None,
    sample: Sample,
    change: float,
    previous: Sample | None,
    rules: WearRules,
) -> Excursion:
    cold = sample.skin_temp_c is not None and sample.skin_temp_c < rules.cold_c
    dead = int(sample.ir_v is not None and sample.ir_v < rules.dead_ir_v)
    step_c = _step_c(previous, sample)
    if away is None:
        fell = previous is not None and _fell(previous, sample) > rules.fastest_fall_g_dl_h
        cold_run = int(cold)
        return Excursion(
            sample.at, sample.at, 1, change, dead, cold_run, cold_run, step_c, fell_at_once=fell
        )
    cold_run = away.cold_run + 1 if cold else 0
    return msgspec.structs.replace(
        away,
        last=sample.at,
        readings=away.readings + 1,
        largest_change=max(away.largest_change, change, key=abs),
        dead_readings=away.dead_readings + dead,
        cold_run=cold_run,
        longest_cold_run=max(away.longest_cold_run, cold_run),
        step_c=max(away.step_c, step_c),
    )


def _step_c(previous: Sample | None, sample: Sample) -> float:
    if previous is None or previous.skin_temp_c is None or sample.skin_temp_c is None:
        return 0.0
    return abs(sample.skin_temp_c - previous.skin_temp_c)


def _fell(previous: Sample, sample: Sample) -> float:
    hours = (sample.at - previous.at).total_seconds() / 3600
    return (previous.tac_g_dl - sample.tac_g_dl) / hours


def _known(away: Excursion, rules: WearRules) -> list[WearSpan]:
    kind, stage = taken_for(away, rules)
    if stage is None:
        return []
    span = WearSpan(
        kind,
        stage,
        away.start,
        away.ended_at,
        away.last,
        away.readings,
        round(away.largest_change, 4),
    )
    return [span]


def taken_for(away: Excursion, rules: WearRules = WEAR_RULES) -> tuple[WearKind, Stage | None]:
    """What an excursion is taken for so far, and how sure that is; None: nothing yet."""
    lasted_s = away.span.total_seconds()
    suspected = Stage.SUSPECTED if lasted_s >= rules.suspect_s else None
    # A sensor that reads nothing at all has failed: a fault comes before blame.
    if 2 * away.dead_readings > away.readings:
        return WearKind.SENSOR_FAULT, suspected
    needed_s = rules.corroborated_s if away.fell_at_once else rules.confirm_s
    stage = Stage.CONFIRMED if lasted_s >= needed_s else suspected
    if away.longest_cold_run >= rules.cold_readings:
        gone = away.longest_cold_run >= rules.gone_readings
        if gone and abs(away.largest_change) >= rules.far_off:
            return WearKind.REMOVAL, Stage.CONFIRMED
        return WearKind.REMOVAL, stage or Stage.SUSPECTED
    if stage is None and away.ended_at is not None and away.step_c >= rules.water_step_c:
        return WearKind.WATER, Stage.POSSIBLE
    return WearKind.OBSTRUCTION, stage


def _stuck(
    state: Contact, sample: Sample, far: bool, rules: WearRules
) -> tuple[int, datetime | None, Sequence[WearSpan]]:
    """Equal levels above zero so far, since when, and the stretch of them that has ended."""
    before = state.previous
    same = before is not None and before.tac_g_dl == sample.tac_g_dl > 0
    if same and not far and state.stuck_since is not None:
        return state.equal_levels + 1, state.stuck_since, ()
    over = _stuck_span(state, rules, ended_at=None if before is None else before.at)
    return 1, sample.at, over


def _stuck_span(
    state: Contact, rules: WearRules, *, ended_at: datetime | None
) -> tuple[WearSpan, ...]:
    if state.equal_levels < rules.stuck_readings or state.previous is None:
        return ()
    if state.stuck_since is None or state.previous.tac_g_dl < 2 * _SMALLEST_G_DL:
        return ()
    span = WearSpan(
        WearKind.SENSOR_FAULT,
        Stage.SUSPECTED,
        state.stuck_since,
        ended_at,
        state.previous.at,
        state.equal_levels,
        None,
    )
    return (span,)


# The least that a sensor shows above zero (public recordings); a trace of it repeats by chance.
_SMALLEST_G_DL = 0.005
