"""From what mistakes cost to the probability at which somebody is told.

Telling costs a false alarm where nothing happened; not telling costs a miss where it did. With
probability ``p`` of a breach the two are equal at ``p = 1 / (1 + miss cost in false alarms)``.
"""

from alerts.terms import Condition, ConditionKind

# An episode has ended when the probability of breach is down to this share of the threshold: an
# end told too early costs a second alarm. The project's own.
END_SHARE = 0.3
# A fix later an alarm is still worth nearly as much, while that fix shows most doubts to be errors:
# what a minute of waiting for it costs, as a share of a miss. The project's own.
DELAY_SHARE = 0.1
# Nobody waits for a fix that is further off than this: half as long again as a fix a minute.
WAIT_S = 90.0
# Nor longer than this altogether for several that come closer together: after longer waits fewer of
# the entries seen by a fix each 15 s were told within the minute. The project's own.
AGAIN_S = 30.0


def miss_cost(condition: Condition) -> float:
    """The cost of a missed breach of the condition, counted in false alarms."""
    if condition.kind is ConditionKind.EXCLUSION_ZONE:
        return condition.limits.exclusion_miss_cost
    if condition.kind is ConditionKind.CURFEW:
        return condition.limits.curfew_miss_cost
    return condition.limits.restriction_miss_cost


def threshold(condition: Condition) -> float:
    """The probability of breach from which an episode begins."""
    return 1 / (1 + miss_cost(condition))


def sure_threshold(condition: Condition, wait_s: float = 60.0) -> float:
    """The probability of breach from which nobody waits for a fix that is due in so many seconds.

    The sooner it is due the less it costs to wait.
    """
    return 1 / (1 + DELAY_SHARE * (wait_s / 60.0) * miss_cost(condition))


def end_threshold(condition: Condition) -> float:
    """The probability of breach down at which an episode ends."""
    return END_SHARE * threshold(condition)
