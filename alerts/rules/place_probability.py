"""Exclusion zones, curfews and restriction zones, from the probability of where the wearer is.

Each fix is a distribution, successive fixes share their errors, and the way between two fixes has
a probability too (:mod:`zones.whereabouts`). An episode begins where the probability that the
condition has been broken reaches the threshold that follows from the costs of both mistakes
(:mod:`alerts.rules.place_costs`); its start is set back to where the way went into breach. It ends
when the probability of breach is low again, or where coverage ends: a leg longer than the
condition's gap is unknown, never a breach. Nor is what begins with fixes too vague for the zone
(:mod:`alerts.rules.place_doubt`): until one can tell, they count as none.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.place_breach import KIND, Breach, evidence, grow, kind_of
from alerts.rules.place_costs import end_threshold, threshold
from alerts.rules.place_doubt import may_wait, too_vague
from alerts.rules.place_envelope import envelope, quiet_box, widening
from alerts.rules.place_excursion import Excursion, before_end, clipped, follow, mark
from alerts.rules.place_leg import Leg, leg_of
from alerts.rules.place_state import NOTHING, PlaceBelief
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, DeviceKind
from devices.readings import Fix, Reading
from zones import whereabouts
from zones.interval import Interval
from zones.quiet import DOUBT, LEVELS_M
from zones.whereabouts import Spot, Whereabouts
from zones.zone import Zone


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> PlaceBelief:
    return PlaceBelief()


def _step(
    state: PlaceBelief, reading: Reading, condition: Condition
) -> tuple[PlaceBelief, Findings]:
    assert isinstance(reading, Fix)
    zone, last = _zone(condition), state.where.last
    name = (zone.zone_id, zone.version)
    if last is not None and state.zone != name:
        where = Whereabouts(last, receiver=state.where.receiver)
        held = state.breach, name, state.waits, state.alone, state.waited_s
        state = PlaceBelief(where, None, NOTHING, *held)
    spot = whereabouts.spot(reading)
    if last is not None:
        calm = _calm(state, condition)
        if calm is not None and calm.holds(reading, last.at):
            return _rest(state, reading, condition), NONE
        if spot == last:
            return state, NONE
    if whereabouts.says_nothing(reading) or too_vague(state, spot, condition):
        return _unheard(state, spot, condition)
    after, found = _judged(state, spot, condition)
    return msgspec.structs.replace(after, zone=name), found


def _unheard(state: PlaceBelief, spot: Spot, condition: Condition) -> tuple[PlaceBelief, Findings]:
    """The state after a fix that counts as none; coverage or the hours may have ended meanwhile."""
    zone, where = _zone(condition), Whereabouts(receiver=state.where.receiver)
    last = state.where.last
    if last is None:
        return state, NONE
    if spot.at - last.at > timedelta(seconds=condition.limits.max_gap_s):
        return PlaceBelief(where), _ended(state, condition, last.at)
    if state.breach is not None:
        windows = zone.hours.windows(Interval(last.at, spot.at))
        until = windows[0].end if windows and windows[0].start == last.at else last.at
        if until < spot.at:
            return PlaceBelief(where), _ended(state, condition, until)
    return state, NONE


def _judged(state: PlaceBelief, spot: Spot, condition: Condition) -> tuple[PlaceBelief, Findings]:
    """The full step, for a fix that is not covered by the calm."""
    zone, last = _zone(condition), state.where.last
    gap = timedelta(seconds=condition.limits.max_gap_s)
    where, way = whereabouts.step(state.where, spot, zone, gap)
    leg = leg_of(state.where, where, way, zone)
    found: list[Finding] = []
    if last is None or way.turn is None:
        # First fix, or the first after a gap: what was open ended where it was last seen.
        found.extend(_ended(state, condition, None if last is None else last.at))
        from_at = spot.at
        counts = zone.hours.around(spot.at)[0]
        windows: tuple[Interval, ...] = (Interval(spot.at, spot.at),) if counts else ()
        state = PlaceBelief()
    else:
        from_at = last.at
        windows = zone.hours.windows(Interval(last.at, spot.at))
        if not windows or windows[0].start > last.at:
            found.extend(_ended(state, condition, last.at))
            state = PlaceBelief(state.where)
    for window in windows:
        begins = window.start > from_at
        state = _within(state, leg, window, begins, spot, condition, found)
    if not zone.hours.around(spot.at)[0]:
        return PlaceBelief(Whereabouts(spot, receiver=where.receiver)), tuple(found)
    return _after(state, where, leg, condition, found)


def probability(state: PlaceBelief, condition: Condition) -> float:
    """That the place is one of breach at the newest fix, whatever the hours; 0 at rest."""
    if state.where.belief is None:
        return 0.0
    inside = state.where.inside
    return inside if _zone(condition).kind.forbids_inside else 1 - inside


def heard(state: PlaceBelief, fix: Fix) -> bool:
    """Whether the newest fix, after which the rule is in this state, counted at all."""
    return state.where.last is not None and state.where.last.at == fix.stamp.measured_at


def _within(
    state: PlaceBelief,
    leg: Leg,
    window: Interval,
    begins: bool,
    spot: Spot,
    condition: Condition,
    found: list[Finding],
) -> PlaceBelief:
    """What the part of the leg in one window of the zone's hours shows.

    ``begins``: the window begins on the leg, and what was before it does not count.
    """
    zone = _zone(condition)
    points = clipped(leg.points, window)
    ends = window.end < spot.at
    now = points[-1][1] if ends else leg.now
    before = (NOTHING, 0.0) if begins else (state.excursion, leg.before_still)
    excursion, before_still = before
    if leg.turn is None:
        excursion = mark(Excursion(0.0, now), points, now)
    else:
        excursion = follow(excursion, leg.turn, before_still, points, now)
    counts_on = window.end == spot.at and zone.hours.around(spot.at)[0]
    excursion = excursion if counts_on else before_end(excursion, window)
    ever = excursion.ever(leg.stays, leg.still)
    waited_s = state.waited_s + leg.gap_s if state.waits else 0.0
    breach, waits = _opened(state, leg, excursion, ever, condition, waited_s)
    if breach is None and state.alone:
        excursion = NOTHING
    if breach is not None:
        gap = timedelta() if leg.turn is None else spot.at - leg.points[0][0]
        implausible = leg.turn is not None and leg.turn.implausible
        breach = grow(breach, ever, now, spot, gap, implausible, leg.error_factor, zone)
    alone = waits and leg.turn is None
    state = PlaceBelief(state.where, None, excursion, breach, None, waits, alone, waits * waited_s)
    if not counts_on:
        found.extend(_ended(state, condition, window.end))
        return PlaceBelief(state.where)
    return state


def _opened(
    state: PlaceBelief,
    leg: Leg,
    excursion: Excursion,
    ever: float,
    condition: Condition,
    waited_s: float,
) -> tuple[Breach | None, bool]:
    """The episode that goes on or begins, if any, and whether it waits for one more fix."""
    # What a first fix alone has said, the next can unsay.
    unsaid = state.alone and leg.now < threshold(condition)
    if state.waits and (unsaid or ever < threshold(condition)):
        return None, False
    if (state.breach is not None and not state.waits) or ever < threshold(condition):
        return state.breach, False
    waits = may_wait(leg, excursion, ever, condition, waited_s)
    if state.breach is not None:
        return state.breach, waits and not state.alone
    assert excursion.since is not None
    return Breach(excursion.since, ever, excursion.since), waits


def _after(
    state: PlaceBelief,
    where: Whereabouts,
    leg: Leg,
    condition: Condition,
    found: list[Finding],
) -> tuple[PlaceBelief, Findings]:
    """The state after the leg: what is over is closed, and a doubt that is gone leaves no trace."""
    excursion, breach = state.excursion, state.breach
    over = leg.now <= end_threshold(condition)
    if breach is not None:
        if over and not state.waits:
            assert where.last is not None
            found.extend(_ended(state, condition, where.last.at))
            breach, excursion = None, NOTHING
        elif not state.waits:
            found.append(_finding(breach, condition, None))
    elif over:
        excursion = NOTHING
    doubt = state.waits, state.alone, state.waited_s
    state = PlaceBelief(where, None, excursion, breach, None, *doubt)
    if breach is None and excursion is NOTHING and leg.now <= DOUBT:
        box = quiet_box(where, _zone(condition))
        if box is not None:
            watched = LEVELS_M[box[0]] <= whereabouts.LEAP_SHOWS_M
            state = PlaceBelief(where.resting(watched=watched), box)
    return state, tuple(found)


def _ended(state: PlaceBelief, condition: Condition, at: datetime | None) -> Findings:
    """The open episode, if any, ended where the way left the breach, or else at ``at``."""
    if state.breach is None or state.alone:
        return NONE
    left_at = state.excursion.left_at
    if at is not None and left_at is not None and left_at < at:
        at = left_at
    return (_finding(state.breach, condition, at),)


def _finding(breach: Breach, condition: Condition, ended_at: datetime | None) -> Finding:
    return RULE.finding(
        condition,
        kind_of(condition),
        condition.severity,
        breach.started_at,
        None if ended_at is None else max(ended_at, breach.started_at),
        seen_at=breach.seen_at,
        **evidence(breach, condition, _zone(condition)),
    )


def _zone(condition: Condition) -> Zone:
    if condition.zone is None:
        raise ValueError(f"condition {condition.condition_id} is about a place and has no zone")
    return condition.zone


def _close(state: PlaceBelief, at: datetime | None, condition: Condition) -> Findings:
    """The clause ends: a breach was last seen at the last fix where the gap since is unknown."""
    if at is None:
        if state.breach is None or state.waits:
            return NONE
        return (_finding(state.breach, condition, None),)
    last = state.where.last
    if last is not None and at - last.at > timedelta(seconds=condition.limits.max_gap_s):
        at = last.at
    return _ended(state, condition, at)


def _calm(state: PlaceBelief, condition: Condition) -> Calm | None:
    """Outside the hours anywhere until they begin; in the hours the zone's quiet box."""
    last, zone = state.where.last, _zone(condition)
    if state.where.belief is not None or last is None or state.breach is not None:
        return None
    if state.zone != (zone.zone_id, zone.version):
        return None
    counts, until = zone.hours.around(last.at)
    if not counts:
        return msgspec.structs.replace(EVERYWHERE, until=until)
    if state.box is None:
        return None
    return envelope(zone, *state.box, until, widening(state.where.receiver))


def _rest(state: PlaceBelief, reading: Reading, _condition: Condition) -> PlaceBelief:
    assert isinstance(reading, Fix)
    where = state.where.at_rest(whereabouts.spot(reading))
    return PlaceBelief(where, state.box, NOTHING, None, state.zone)


RULE = Rule(
    name="place.probability",
    version="5",
    applies_to=frozenset(KIND),
    reads=(Fix,),
    state_type=PlaceBelief,
    initial=_initial,
    step=_step,
    close=_close,
    calm=_calm,
    rest=_rest,
)
