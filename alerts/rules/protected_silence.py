"""A protected person's device that is not heard: nobody can tell how near to her anybody is.

It is no finding about a wearer: he has done nothing, and nothing about her belongs on his page.
It is told to those who look after her, and says neither who she is nor where.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.finding import Severity
from alerts.terms import Limits

# While it lasts a breach of distance would be missed. The project's own.
SEVERITY = Severity.HIGH
VERSION = "1"


def deadline(limits: Iterable[Limits]) -> timedelta:
    """How long her device may be silent: as long as a tag of those who must keep away.

    ``limits`` are those of the conditions of distance in force about her; the strictest counts.
    Raises ValueError without any: no clause in force, no rule.
    """
    return timedelta(seconds=min(each.silence_s for each in limits))


def silent_since(
    fitted_at: datetime, heard: tuple[datetime, datetime] | None, in_force_at: datetime
) -> datetime:
    """From when on nothing was heard.

    ``heard`` are the newest measured time and the newest receipt; the earlier counts, since a clock
    that runs ahead must not buy silence. Armed by the handing over of the device and by the clause,
    ``in_force_at``, not by the first message.
    """
    armed_at = max(fitted_at, in_force_at)
    return armed_at if heard is None else max(armed_at, min(heard))
