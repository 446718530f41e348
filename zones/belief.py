"""Where a wearer is, after fixes whose errors are correlated: still at one place, or on the move.

Two hypotheses are carried. *Still*: the wearer is at one place, and each fix is that place plus an
error that drifts slowly (Gauss-Markov), so that ten fixes of one drift are not ten witnesses: a
Kalman filter estimates the place and the drift together. *Moving*: only the newest fix says where.
Each new fix weighs the hypotheses by how likely it is under them. A still wearer's place becomes
better known than any one fix; a wearer who moves is followed at once; and a fix that jumps away
and back leaves no trace.

Pure arithmetic on metres of a plane (:mod:`zones.plane`) and seconds; deterministic.
"""

import math

import msgspec

from zones.fix_error import SPREAD_PER_RADIUS, TAIL_DEGREES

# Belief model 3: variances are those of the error model's own t, no longer those of a normal with
# the same 95 % radius, which made every place look better known than it was. The numbers are the
# project's own, chosen from orders of magnitude in its survey of geofences and held against several
# simulated worlds (`bench place`), not fitted to one: drift of a still receiver lasts some ten
# minutes; a quarter of its variance is new in each fix.
MODEL_VERSION = "3"
DRIFT_S = 600.0
DRIFT_SHARE = 0.75
# The longer a stay has lasted, the longer it will: the chance to leave in a second is one in
# SETTLING_S and a share of the stay's age. A journey lasts ten minutes or so.
SETTLING_S = 3600.0
AGE_SHARE = 2.0
JOURNEY_S = 600.0
# A wearer at one place moves about in it: metres squared a second.
WANDER_M2_S = 0.03
# Displacement of a mover is about this fast along each axis: on foot, in a vehicle; and how often.
PACES_M_S = ((0.8, 0.6), (8.0, 0.4))
# A mover whose fixes are vague has gone about so fast, with halts and bends, from the last place.
DRIFTING_M_S = 3.0
# A mover comes back to the place last stayed at with one fix in ten, if it can be reached.
RETURN_SHARE = 0.1
# Faster than this between two fixes (270 km/h) is no journey but an error of one of them.
IMPLAUSIBLE_M_S = 75.0
_IMPLAUSIBLE = 1e-9
# One fix in fifty is grossly wrong whatever it reports, by this standard deviation or more: a UK
# regulator was told of reflections of 100 m and more.
# What caused it lasts: after one gross fix the next are likely to be gross too.
GROSS_SHARE = 0.02
GROSS_M = 75.0
GROSS_S = 90.0
GROSS_LASTS = 0.4
# Two estimates of a place nearer than this many standard deviations are one place.
_SAME_PLACE = 3.0

# The share of a fix's spread that drifts.
CORRELATED = math.sqrt(DRIFT_SHARE)
_HALF_TAIL = TAIL_DEGREES / 2 + 1


class Sight(msgspec.Struct, frozen=True, gc=False):
    """One fix in the plane: metres, and its effective 95 % radius."""

    x_m: float
    y_m: float
    radius_m: float


class Belief(msgspec.Struct, frozen=True, gc=False):
    """What is believed after the newest fix; ``still`` is the probability of the first hypothesis.

    The place ``x_m, y_m`` has variance ``var_m2`` along each axis; the drift, in units of its own
    spread, is ``drift_x, drift_y`` with variance ``drift_var``; ``cov_m`` ties the two. The stay
    has lasted ``age_s``, and the newest fix was gross with probability ``gross`` if it goes on. If
    it does not, the wearer has halted at the newest fix with probability ``halted``.
    """

    still: float
    x_m: float
    y_m: float
    var_m2: float
    cov_m: float
    drift_var: float
    drift_x: float
    drift_y: float
    age_s: float
    gross: float
    halted: float = 0.0

    @property
    def radius_m(self) -> float:
        """The radius about the place that holds it with 95 %."""
        return math.sqrt(self.var_m2) / SPREAD_PER_RADIUS


class Turn(msgspec.Struct, frozen=True, gc=False):
    """How the newest fix came about: four ways, whose probabilities add up to one.

    ``kept``: the place is still the old one, and ``settled`` says that a mover is back at it;
    otherwise the place is the new one where a mover settled. ``implausible``: no mover covers the
    distance in the time.
    """

    stayed: float
    left: float
    moved: float
    settled: float
    kept: bool
    implausible: bool


def begin(sight: Sight, still: float, age_s: float = 0.0) -> Belief:
    """The belief after one fix, of a wearer who has been still so likely and so long."""
    sigma = sight.radius_m * SPREAD_PER_RADIUS
    cov_m = -CORRELATED * sigma
    return Belief(still, sight.x_m, sight.y_m, sigma * sigma, cov_m, 1.0, 0.0, 0.0, age_s, 0.0)


def advance(
    belief: Belief, last: Sight, now: Sight, gap_s: float, gross_share: float = GROSS_SHARE
) -> tuple[Belief, Turn]:
    """Take one fix into account, ``gap_s`` seconds (above 0) after the last one.

    ``gross_share`` is the probability that a gross error begins with it.
    """
    # The place where a mover settled is the last fix, with its error's drift.
    fresh, fresh_density = _filter(begin(last, 1.0), now, gap_s, 0.0, gross_share)
    # A gross error that lasts keeps the next fix near the last one, too.
    held, held_density = _filter(belief, now, gap_s, fresh_density, gross_share)
    leaves = gap_s / (SETTLING_S + AGE_SHARE * belief.age_s + gap_s)
    settles = belief.halted - (1 - belief.halted) * math.expm1(-gap_s / JOURNEY_S)
    still, moving = belief.still, 1 - belief.still
    from_stay, from_move, implausible = _departures(belief, last, now, gap_s)
    stayed = still * (1 - leaves) * held_density
    left = still * leaves * from_stay
    onward = moving * (1 - RETURN_SHARE)
    moved = onward * (1 - settles) * from_move
    settled = onward * settles * fresh_density
    returned = moving * RETURN_SHARE * _reaches(belief, last, gap_s) * held_density
    total = stayed + left + moved + settled + returned
    stayed, left, moved = stayed / total, left / total, moved / total
    settled, returned = settled / total, returned / total
    apart2 = (held.x_m - fresh.x_m) ** 2 + (held.y_m - fresh.y_m) ** 2
    if apart2 < _SAME_PLACE**2 * (held.var_m2 + fresh.var_m2):
        settled, returned = 0.0, settled + returned
    if stayed + returned >= settled:
        # One who settled elsewhere is taken for one on the move: the next fix will tell.
        turn = Turn(stayed, left, moved + settled, returned, True, implausible)
        away = left + moved + settled
        halted = settled / away if away > 0 else 0.0
        return _with(held, stayed + returned, halted), turn
    # The old place has lost to the new one and is given up.
    rest = left + moved + settled
    turn = Turn(0.0, left / rest, moved / rest, settled / rest, False, implausible)
    return _with(fresh, turn.settled, 0.0), turn


def _with(belief: Belief, still: float, halted: float) -> Belief:
    return Belief(
        still,
        belief.x_m,
        belief.y_m,
        belief.var_m2,
        belief.cov_m,
        belief.drift_var,
        belief.drift_x,
        belief.drift_y,
        belief.age_s,
        belief.gross,
        halted,
    )


def _filter(
    belief: Belief, now: Sight, gap_s: float, again_density: float, gross_share: float
) -> tuple[Belief, float]:
    """The still hypothesis after a fix, and the density of the fix under it, per square metre.

    ``again_density`` is that of the fix if the last one was gross and its error lasts.
    """
    keeps = math.exp(-gap_s / DRIFT_S)
    var, cov = belief.var_m2 + WANDER_M2_S * gap_s, belief.cov_m * keeps
    drift_var = belief.drift_var * keeps * keeps + (1 - keeps * keeps)
    drift_x, drift_y = belief.drift_x * keeps, belief.drift_y * keeps
    sigma = now.radius_m * SPREAD_PER_RADIUS
    gain = sigma * CORRELATED
    fresh_var = sigma * sigma * (1 - DRIFT_SHARE)
    spread = var + 2 * gain * cov + gain * gain * drift_var + fresh_var
    off_x = now.x_m - belief.x_m - gain * drift_x
    off_y = now.y_m - belief.y_m - gain * drift_y
    square = (off_x * off_x + off_y * off_y) / spread
    lasts = GROSS_LASTS * belief.gross * math.exp(-gap_s / GROSS_S)
    sound, density = _densities(square, spread, lasts, again_density, gross_share)
    # A fix far from what was expected counts for less, as the heavy tail has it.
    weight = min(1.0, (TAIL_DEGREES + 2) / (TAIL_DEGREES + square)) * sound / density
    to_place = (var + gain * cov) / spread
    to_drift = (cov + gain * drift_var) / spread
    shrink = weight * (2 - weight) * spread
    return (
        Belief(
            belief.still,
            belief.x_m + weight * to_place * off_x,
            belief.y_m + weight * to_place * off_y,
            max(var - shrink * to_place * to_place, 1.0),
            cov - shrink * to_place * to_drift,
            drift_var - shrink * to_drift * to_drift,
            drift_x + weight * to_drift * off_x,
            drift_y + weight * to_drift * off_y,
            belief.age_s + gap_s,
            1 - sound / density,
        ),
        density,
    )


def _densities(
    square: float, spread_m2: float, lasts: float, again_density: float, gross_share: float
) -> tuple[float, float]:
    """The density of a fix as a sound one at the place, and as any, gross ones included.

    ``lasts`` is the probability that a gross error of the last fix goes on.
    """
    sound = (1 - lasts) * (1 - gross_share) * _density(square, spread_m2)
    gross_m2 = spread_m2 + GROSS_M * GROSS_M
    gross = math.exp(-0.5 * square * spread_m2 / gross_m2) / (2 * math.pi * gross_m2)
    return sound, sound + (1 - lasts) * gross_share * gross + lasts * again_density


def _density(square: float, spread_m2: float) -> float:
    """The two-dimensional Student density at a squared distance in units of ``spread_m2``."""
    return float((1 + square / TAIL_DEGREES) ** -_HALF_TAIL / (2 * math.pi * spread_m2))


def moved_to(last: Sight, now: Sight, gap_s: float) -> Sight:
    """Where one on the move is: the newest fix, and where the way so far lets them be.

    A good fix says it alone; one that is vague leaves them where they were, as far as they can
    have come since.
    """
    before = (last.radius_m * SPREAD_PER_RADIUS) ** 2 + (DRIFTING_M_S * gap_s) ** 2
    error = (now.radius_m * SPREAD_PER_RADIUS) ** 2
    gain = before / (before + error)
    return Sight(
        last.x_m + gain * (now.x_m - last.x_m),
        last.y_m + gain * (now.y_m - last.y_m),
        math.sqrt(gain * error) / SPREAD_PER_RADIUS,
    )


def _reaches(belief: Belief, last: Sight, gap_s: float) -> float:
    """How well a mover's pace takes them from the last fix to the place in the time."""
    far2 = (belief.x_m - last.x_m) ** 2 + (belief.y_m - last.y_m) ** 2
    reaches = 0.0
    for pace_m_s, share in PACES_M_S:
        reaches += share * math.exp(-far2 / (2 * pace_m_s * gap_s + last.radius_m) ** 2)
    return reaches


def _departures(belief: Belief, last: Sight, now: Sight, gap_s: float) -> tuple[float, float, bool]:
    """Densities of the newest fix for one who left the place and for one who was on the move."""
    noise = (now.radius_m * SPREAD_PER_RADIUS) ** 2
    stay2 = (now.x_m - belief.x_m) ** 2 + (now.y_m - belief.y_m) ** 2
    move2 = (now.x_m - last.x_m) ** 2 + (now.y_m - last.y_m) ** 2
    stay_noise = noise + belief.var_m2
    move_noise = noise + (last.radius_m * SPREAD_PER_RADIUS) ** 2
    from_stay = from_move = 0.0
    for pace_m_s, share in PACES_M_S:
        reach = (pace_m_s * gap_s) ** 2
        from_stay += share * _density(stay2 / (stay_noise + reach), stay_noise + reach)
        from_move += share * _density(move2 / (move_noise + reach), move_noise + reach)
    beyond_m = math.sqrt(move2) - last.radius_m - now.radius_m
    implausible = beyond_m > IMPLAUSIBLE_M_S * gap_s
    if implausible:
        # One of the two fixes is wrong; whoever was still has most likely stayed so.
        from_stay *= _IMPLAUSIBLE
        from_move *= _IMPLAUSIBLE
    return from_stay, from_move, implausible
