"""What infrared and temperature show of the wearing: contact kept, obstructed, removed, in water.

Infrared is reflected by the skin; something in between, or nothing behind, changes it. Ordinary
wearing does so too for an hour or two, so that a change is suspect early and confirmed late.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.alcohol.series import Sample
from alerts.alcohol.wear_rules import WEAR_RULES, Stage, WearKind, WearRules


class Excursion(msgspec.Struct, frozen=True, omit_defaults=True):
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


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
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
    if state.stuck_since is None or state.previous.tac_g_dl < rules.stuck_g_dl:
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
