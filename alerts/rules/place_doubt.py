"""What leaves the rule of probability in doubt: fixes that cannot tell, and breaches that wait.

P(inside) knows nothing of where people live: it takes the ground about a fix for empty but for the
zone. So a fix that is vague against a zone puts most of itself outside, wherever it lies. Of a
zone to keep out of that reads as kept, and of one to stay in as broken; it is neither.
"""

from datetime import timedelta

from alerts.rules.place_costs import AGAIN_S, WAIT_S, end_threshold, sure_threshold, threshold
from alerts.rules.place_excursion import HALF, Excursion
from alerts.rules.place_leg import Leg
from alerts.rules.place_state import PlaceBelief
from alerts.terms import Condition
from zones.fix_error import NO_WORTH_M
from zones.whereabouts import Spot

# A vague fix tells that its wearer is elsewhere from so many of its radii on. One in twenty is off
# by more than one radius, one in a thousand by more than three: a night has hundreds. The project's
# own.
BEYOND_RADII = 3.0


def tells(spot: Spot, condition: Condition, factor: float = 1.0) -> bool:
    """Whether a fix can tell on which side of the zone's edge its wearer was.

    It can where the whole zone lies well beyond its effective radius, and where it is good enough
    for the zone: a fix as good at the innermost point would be told of as a breach of a zone to
    keep out of, or would end one of a zone to stay in. Who could never be cleared by a fix is not
    accused by it either. ``factor``: how many times larger than reported the errors are.
    """
    zone, radius_m = condition.zone, spot.radius_m * factor
    assert zone is not None
    if spot.radius_m > NO_WORTH_M:
        return False
    x_m, y_m = zone.chance.plane.metres(spot.lon, spot.lat)
    if zone.chance.off_bounds_m(x_m, y_m) > BEYOND_RADII * radius_m:
        return True
    if radius_m <= worth_m(condition):
        return True
    return zone.chance.edge_m(x_m, y_m) > BEYOND_RADII * radius_m


def worth_m(condition: Condition) -> float:
    """The largest effective radius, metres, with which a fix tells wherever it lies."""
    zone = condition.zone
    assert zone is not None
    forbids = zone.kind.forbids_inside
    return zone.worth.radius_m(threshold(condition) if forbids else 1 - end_threshold(condition))


def too_vague(state: PlaceBelief, spot: Spot, condition: Condition) -> bool:
    """Whether a fix counts as none: judgement would begin, or begin anew, with a vague one.

    Only of a zone to stay in, which such fixes would say was left. After one that can tell they
    are taken for what they are worth: what was believed then still holds.
    """
    zone, last = condition.zone, state.where.last
    assert zone is not None
    if zone.kind.forbids_inside or tells(spot, condition, state.where.receiver.factor):
        return False
    gap = timedelta(seconds=condition.limits.max_gap_s)
    if last is None or spot.at - last.at > gap:
        # Outside the hours nothing can begin, and the fix is at rest like any other.
        return zone.hours.around(spot.at)[0]
    # Outside the hours every fix is at rest, however vague.
    at_rest = state.where.belief is None and state.breach is None
    return state.alone or (at_rest and not tells(last, condition, state.where.receiver.factor))


def may_wait(
    leg: Leg, excursion: Excursion, ever: float, condition: Condition, waited_s: float = 0.0
) -> bool:
    """Whether a doubtful breach waits for one more fix, which is due soon.

    It does where the doubt is whether the wearer has moved at all: the next fix shows most such
    leaps to be errors. Of one who is on the way there the next fix says no more. So does an
    absence of which a first fix alone speaks: nobody knows yet that the wearer has been elsewhere.

    The next fix is taken to be due after as long as the newest one was. Fixes close together share
    an error that lasts, so that it may take several to show a leap for what it is: ``waited_s`` is
    how long the breach has waited for others already.
    """
    if leg.turn is None:
        forbids = condition.zone is not None and condition.zone.kind.forbids_inside
        return not forbids and ever < sure_threshold(condition)
    longest_s = AGAIN_S if waited_s > 0 else WAIT_S
    if waited_s + leg.gap_s > longest_s or ever >= sure_threshold(condition, leg.gap_s):
        return False
    never_left = leg.stays * (1 - excursion.stay) * (1 - leg.still)
    return never_left >= HALF * (1 - ever)
