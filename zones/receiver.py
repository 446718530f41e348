"""What a tag's own fixes have shown of its errors: how far they really are, and how often gross.

A receiver that reports too small a radius, or too large a one, gives itself away while its wearer
is still: its fixes scatter about one place by more, or less, than it says. A receiver that leaps
gives itself away when the leap is over and the wearer turns out never to have moved. Both are
learnt as they happen, from fixes that were most likely taken at one place, and forgotten again.

What a fix shares with the fixes before it shows nothing of its errors: that an hour of one drift
lies close together is no accuracy. So a fix is held against what its distance from the place should
be, the shared part taken off, and counts for as much as is its own.

Pure arithmetic; deterministic.
"""

import math

import msgspec

from zones.belief import CORRELATED, DRIFT_S, Belief, Sight, Turn
from zones.fix_error import SPREAD_PER_RADIUS

# Receiver model 2: what a fix shares with the place is no longer taken for accuracy. The numbers
# are the project's own, held against simulated worlds other than those they were chosen on
# (`bench place`). Fixes nearer in time than this share their error, so that they say little more
# than one of them.
MODEL_VERSION = "2"
WITNESS_S = 300.0
# What is thought of a receiver before it has shown anything is worth so many independent fixes.
PRIOR_FIXES = 6.0
# What was shown so long ago counts for a third of what is shown now: reception changes with the
# place.
FORGET_S = 10_800.0
# An error counts as at most so many times its expected square, or one leap would be all.
MOST_SQUARES = 6.0
# What that leaves of the mean of a t of four degrees of freedom: a square in units of its mean is
# above v with probability (1 + v) ** -2.
COUNTED = MOST_SQUARES / (1 + MOST_SQUARES)
# A fix shows at least this much of its error, whatever it shares with those before: below that,
# division by next to nothing would make a scandal of a metre.
LEAST_SHOWN = 0.1
# Whatever is learnt, errors are between so many times those reported.
LEAST_FACTOR, MOST_FACTOR = 0.75, 3.0
# Before anything is known, a receiver is gross about once in ten hours, and that is little known.
PRIOR_LEAPS, PRIOR_HOURS = 0.5, 5.0
FORGET_LEAPS_S = 259_200.0
# A leap may come with any fix, however close to the last one.
FLASH_SHARE = 0.001
MOST_SHARE = 0.1


class Receiver(msgspec.Struct, frozen=True, gc=False):
    """Tallies, in units of independent fixes and of hours; JSON by msgspec.

    ``squares`` over ``fixes`` is the mean square of errors as multiples of what was reported, and
    ``factor`` by how much they are larger than that; 1 for a receiver that nothing is known of.
    """

    squares: float = 0.0
    fixes: float = 0.0
    leaps: float = 0.0
    watched_h: float = 0.0
    factor: float = 1.0

    @property
    def leaps_an_hour(self) -> float:
        """How often a gross error is expected to begin while the wearer is still."""
        return (PRIOR_LEAPS + self.leaps) / (PRIOR_HOURS + self.watched_h)

    def gross_share(self, gap_s: float) -> float:
        """The probability that a gross error begins with a fix so long after the last one."""
        share = FLASH_SHARE - math.expm1(-self.leaps_an_hour * gap_s / 3600)
        return min(share, MOST_SHARE)


UNKNOWN = Receiver()


def _made(squares: float, fixes: float, leaps: float, watched_h: float) -> Receiver:
    mean = (PRIOR_FIXES + squares) / (PRIOR_FIXES + fixes)
    factor = min(max(math.sqrt(mean), LEAST_FACTOR), MOST_FACTOR)
    return Receiver(squares, fixes, leaps, watched_h, factor)


def learn(
    receiver: Receiver, before: Belief, after: Belief, turn: Turn, now: Sight, gap_s: float
) -> Receiver:
    """What one fix has shown. ``now`` has the radius that the receiver's factor has widened."""
    stayed = turn.stayed
    sigma = now.radius_m * SPREAD_PER_RADIUS
    off2 = (now.x_m - before.x_m) ** 2 + (now.y_m - before.y_m) ** 2
    both = sigma * sigma + before.var_m2
    # Early in a stay the place is known from errors that the fix shares: it cannot be far off, and
    # that it is not shows little.
    shared = -2 * sigma * CORRELATED * before.cov_m * math.exp(-gap_s / DRIFT_S)
    shows = max(1 - shared / both, LEAST_SHOWN)
    square = min(off2 / (2 * shows * both), MOST_SQUARES)
    # Gross errors count too, each for what the cap leaves of it: to leave them out would make every
    # receiver look better than it is.
    weight = -stayed * shows * math.expm1(-gap_s / WITNESS_S)
    kept, kept_leaps = math.exp(-gap_s / FORGET_S), math.exp(-gap_s / FORGET_LEAPS_S)
    factor = receiver.factor
    return _made(
        kept * receiver.squares + weight * square / COUNTED * factor * factor,
        kept * receiver.fixes + weight,
        # A leap is counted when it is over.
        kept_leaps * receiver.leaps + before.gross * stayed * (1 - after.gross),
        kept_leaps * receiver.watched_h + stayed * gap_s / 3600,
    )


def rested(receiver: Receiver, seconds: float) -> Receiver:
    """After so long in which nothing was out of the ordinary: no leap, and no error measured."""
    kept, kept_leaps = math.exp(-seconds / FORGET_S), math.exp(-seconds / FORGET_LEAPS_S)
    return _made(
        kept * receiver.squares,
        kept * receiver.fixes,
        kept_leaps * receiver.leaps,
        kept_leaps * receiver.watched_h + seconds / 3600,
    )
