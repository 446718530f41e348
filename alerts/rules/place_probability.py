"""Exclusion zones, curfews and restriction zones, from the probability of where the wearer is.

Each fix is a distribution, successive fixes share their errors, and the way between two fixes has
a probability too (:mod:`zones.whereabouts`). An episode begins where the probability that the
condition has been broken reaches the threshold that follows from the costs of both mistakes
(:mod:`alerts.rules.place_costs`); its start is set back to where the way went into breach. It ends
when the probability of breach is low again, or where coverage ends: a leg longer than the
condition's gap is unknown, never a breach.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.place_breach import KIND, Breach, evidence, grow, kind_of
from alerts.rules.place_costs import WAIT_S, end_threshold, sure_threshold, threshold
from alerts.rules.place_envelope import envelope, quiet_box, widening
from alerts.rules.place_excursion import HALF, Excursion, clipped, follow, mark
from alerts.rules.place_leg import Leg, leg_of
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, DeviceKind
from devices.readings import Fix, Reading
from zones import whereabouts
from zones.interval import Interval
from zones.quiet import DOUBT, LEVELS_M
from zones.whereabouts import Spot, Whereabouts
from zones.zone import Zone

_NOWHERE = Whereabouts()
_NOTHING = Excursion()


class PlaceBelief(msgspec.Struct, frozen=True):
    """The state. ``box``, level and number, is the zone's quiet box in which all is at rest.

    Box and belief are measured from ``zone``, its id and version; of another only the newest fix
    and an open episode count. ``waits``: the breach is in doubt and waits for one more fix.
    """

    where: Whereabouts = _NOWHERE
    box: tuple[int, int] | None = None
    excursion: Excursion = _NOTHING
    breach: Breach | None = None
    zone: tuple[str, int] | None = None
    waits: bool = False


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
        state = PlaceBelief(where, None, _NOTHING, state.breach, name, state.waits)
    spot = whereabouts.spot(reading)
    if last is not None:
        calm = _calm(state, condition)
        if calm is not None and calm.holds(reading, last.at):
            return _rest(state, reading, condition), NONE
        if spot == last or whereabouts.says_nothing(reading):
            return state, NONE
    after, found = _judged(state, spot, condition)
    return msgspec.structs.replace(after, zone=name), found


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
    excursion, before_still = state.excursion, leg.before_still
    if begins:
        excursion, before_still = _NOTHING, 0.0
    if leg.turn is None:
        excursion = mark(Excursion(0.0, now), points, now)
    else:
        excursion = follow(excursion, leg.turn, before_still, points, now)
    ever = excursion.ever(leg.stays, leg.still)
    breach, waits = _opened(state, leg, excursion, ever, condition)
    if breach is not None:
        gap = timedelta() if leg.turn is None else spot.at - leg.points[0][0]
        implausible = leg.turn is not None and leg.turn.implausible
        breach = grow(breach, ever, now, spot, gap, implausible, leg.error_factor, zone)
    state = PlaceBelief(state.where, None, excursion, breach, None, waits)
    counts_on = window.end == spot.at and zone.hours.around(spot.at)[0]
    if ends or not counts_on:
        found.extend(_ended(state, condition, window.end))
        return PlaceBelief(state.where)
    return state


def _opened(
    state: PlaceBelief, leg: Leg, excursion: Excursion, ever: float, condition: Condition
) -> tuple[Breach | None, bool]:
    """The episode that goes on or begins, if any, and whether it waits for one more fix."""
    if state.waits and ever < threshold(condition):
        return None, False
    if state.breach is not None or ever < threshold(condition):
        return state.breach, False
    assert excursion.since is not None
    waits = _may_wait(leg, excursion, ever, condition)
    return Breach(excursion.since, ever, excursion.since), waits


def _may_wait(leg: Leg, excursion: Excursion, ever: float, condition: Condition) -> bool:
    """Whether a doubtful breach waits for one more fix, which is due soon.

    It does where the doubt is whether the wearer has moved at all: the next fix shows most such
    leaps to be errors. Of one who is on the way there the next fix says no more.
    """
    if leg.turn is None or ever >= sure_threshold(condition):
        return False
    if (leg.points[-1][0] - leg.points[0][0]).total_seconds() > WAIT_S:
        return False
    never_left = leg.stays * (1 - excursion.stay) * (1 - leg.still)
    return never_left >= HALF * (1 - ever)


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
            breach, excursion = None, _NOTHING
        elif not state.waits:
            found.append(_finding(breach, condition, None))
    elif over:
        excursion = _NOTHING
    state = PlaceBelief(where, None, excursion, breach, None, state.waits)
    if breach is None and excursion is _NOTHING and leg.now <= DOUBT:
        box = quiet_box(where, _zone(condition))
        if box is not None:
            watched = LEVELS_M[box[0]] <= whereabouts.LEAP_SHOWS_M
            state = PlaceBelief(where.resting(watched=watched), box)
    return state, tuple(found)


def _ended(state: PlaceBelief, condition: Condition, at: datetime | None) -> Findings:
    """The open episode, if any, ended where the way left the breach, or else at ``at``."""
    if state.breach is None:
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
    return PlaceBelief(where, state.box, _NOTHING, None, state.zone)


RULE = Rule(
    name="place.probability",
    version="3",
    applies_to=frozenset(KIND),
    reads=(Fix,),
    state_type=PlaceBelief,
    initial=_initial,
    step=_step,
    close=_close,
    calm=_calm,
    rest=_rest,
)
