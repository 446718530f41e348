"""Which texts may wait to be told together, until when, and which go into one text.

Only lower classes wait (:class:`alerts.policy.Bundling`), and only for a text: nobody is called or
mailed later for it. The first after a quiet time is told at once; what follows within the interval
waits for its end. Nothing here moves an escalation: the time to answer runs from when the alert
was to be told, so a text waits for a part of it at the most. All times are aware, UTC.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from alerts.finding import FindingKind, Severity
from alerts.messages import MOST_TOGETHER
from alerts.policy import Bundling, Channel
from alerts.silences import ZONE_BREACHES

# A warning that somebody nears a zone is worth nothing once they are inside.
WARNINGS_OF_ZONES = frozenset(
    {
        FindingKind.EXCLUSION_APPROACH,
        FindingKind.EARLY_WARNING_1,
        FindingKind.EARLY_WARNING_2,
        FindingKind.EARLY_WARNING_3,
    }
)
# While a protected person's device is silent nobody can see a breach of distance, so that it stands
# for one, whatever class a policy gathers.
NEVER_WAIT = ZONE_BREACHES | WARNINGS_OF_ZONES | {FindingKind.PROTECTED_SILENCE}
# Project policy, version 1: whoever is told has at least half of the time to answer left.
MOST_OF_THE_ANSWER = 0.5


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has of the lower classes: when told last, and when told next if any waits."""

    told_at: datetime | None
    due_at: datetime | None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A text that may be told with others, and the instant by which it must be."""

    text_id: int
    tell_by: datetime


def may_wait(
    bundling: Bundling, severity: Severity, kind: FindingKind | None, channel: Channel
) -> bool:
    """Whether a text may wait for others; ``kind`` None is about the service itself."""
    return (
        channel is Channel.SMS and severity.rank > bundling.at_once.rank and kind not in NEVER_WAIT
    )


def tell_by(written_at: datetime, answer_within_s: int) -> datetime:
    """The deadline of a text that waits: half of its time to answer is left then."""
    return written_at + timedelta(seconds=answer_within_s * MOST_OF_THE_ANSWER)


def tell_at(
    bundling: Bundling, waiting: Waiting, written_at: datetime, answer_within_s: int
) -> datetime:
    """When a text that may wait is told: at once, or with what waits already, or in time."""
    free_at = written_at
    if waiting.told_at is not None:
        free_at = max(written_at, waiting.told_at + timedelta(seconds=bundling.every_s))
    if waiting.due_at is not None:
        free_at = min(free_at, max(written_at, waiting.due_at))
    return min(free_at, tell_by(written_at, answer_within_s))


def together(first: Held, others: Iterable[Held]) -> list[Held]:
    """What goes into one text: the one that is due, then the others by their deadlines.

    Each text is in it once; what finds no room keeps its own time.
    """
    rest = {each.text_id: each for each in others if each.text_id != first.text_id}
    ordered = sorted(rest.values(), key=lambda each: (each.tell_by, each.text_id))
    return [first, *ordered[: MOST_TOGETHER - 1]]
