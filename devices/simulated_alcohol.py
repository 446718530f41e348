"""A simulated alcohol monitor: a forward model of drinking, and the traces of a sober night."""

import math
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from devices.simulated_draws import ReadingDict, Span, gaussians, iso, uniforms

# Ankle monitors draw a sample about each half hour.
ALCOHOL_S = 1800
_ALCOHOL_JITTER_S = 60

# Forward model of transdermal alcohol for one middling man: Widmark volume with first-order
# absorption and saturating elimination, then two equal first-order stages of skin and sensor.
_BODY_DL = 10 * 0.68 * 82.0
_ABSORPTION_PER_H = 2.2
_ELIMINATION_G_DL_H = 0.015
_ELIMINATION_KM = 0.005
_SKIN_DELAY_H = 0.82
_SKIN_LOSS_G_DL = 0.001
_SENSOR_FLOOR_G_DL = 0.005
_CURVE_MINUTES = 20 * 60


class Drinking(msgspec.Struct, frozen=True):
    """``grams`` of alcohol drunk evenly over ``hours`` from ``from_at`` (8 g is a UK unit)."""

    from_at: datetime
    grams: float
    hours: float


class MonitorSpec(msgspec.Struct, frozen=True):
    """An alcohol monitor and the drinking it will see."""

    device: str
    seed: int
    drinking: tuple[Drinking, ...] = ()


class Monitor:
    """The samples of one monitor."""

    def __init__(self, spec: MonitorSpec) -> None:
        self._spec = spec
        self._key = (spec.seed, spec.device)
        (phase,) = uniforms(1, *self._key, "phase")
        self._phase_s = int(phase * (ALCOHOL_S - _ALCOHOL_JITTER_S))

    def between(self, span: Span) -> list[tuple[datetime, ReadingDict]]:
        """The samples drawn in the span, each with its time."""
        begins = math.floor(span.from_at.timestamp() / ALCOHOL_S) - 1
        ends = math.ceil(span.until_at.timestamp() / ALCOHOL_S) + 1
        drawn = ((step, self._drawn_at(step)) for step in range(begins, ends))
        return [(at, self._sample(step, at)) for step, at in drawn if span.holds(at)]

    def _drawn_at(self, step: int) -> datetime:
        (late,) = uniforms(1, *self._key, "draw", step)
        second = step * ALCOHOL_S + self._phase_s + int(late * _ALCOHOL_JITTER_S)
        return datetime.fromtimestamp(second, UTC)

    def _sample(self, step: int, at: datetime) -> ReadingDict:
        trace, warmth, scatter = uniforms(3, *self._key, "sample", step)
        drunk = sum(tac_g_dl(each, at) for each in self._spec.drinking)
        tac = drunk * (1 + 0.04 * gaussians(scatter, warmth)[0])
        if tac < _SENSOR_FLOOR_G_DL:
            # A dry night still shows a thousandth or two now and then.
            tac = 0.0 if trace < 0.85 else 0.001 * (1 + int((trace - 0.85) * 20))
        ir_base, learned = uniforms(2, *self._key, "ir", at.date().toordinal())
        return {
            "kind": "alcohol",
            "at": iso(at),
            "tac_g_dl": round(tac, 3),
            "ir_v": round(1.45 + 0.1 * ir_base * learned, 2),
            "skin_temp_c": round(31.5 + 3.0 * warmth, 1),
        }


def tac_g_dl(drinking: Drinking, at: datetime) -> float:
    """Transdermal alcohol of one drinking session as the monitor would read it, g/dl."""
    minute = math.floor((at - drinking.from_at).total_seconds() / 60)
    curve = _tac_curve(drinking.grams, drinking.hours)
    return curve[minute] if 0 <= minute < len(curve) else 0.0


@lru_cache(maxsize=256)
def _tac_curve(grams: float, hours: float) -> tuple[float, ...]:
    """TAC per minute since the first sip, by steps of one minute."""
    gut = blood = skin = sensor = 0.0
    step_h = 1 / 60
    curve = []
    for minute in range(_CURVE_MINUTES):
        drunk = grams / hours if minute * step_h < hours else 0.0
        absorbed = _ABSORPTION_PER_H * gut
        cleared = _ELIMINATION_G_DL_H * blood / (blood + _ELIMINATION_KM)
        gut += (drunk - absorbed) * step_h
        blood += (absorbed / _BODY_DL - cleared) * step_h
        skin += (blood - skin) / _SKIN_DELAY_H * step_h
        sensor += (skin - sensor) / _SKIN_DELAY_H * step_h
        curve.append(max(0.0, sensor - _SKIN_LOSS_G_DL))
    return tuple(curve)
