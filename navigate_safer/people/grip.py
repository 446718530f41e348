"""Grip: is the person seen as often as the colour asks, checked on, and is every alert answered?

Counts of done and due over a window, never one score: a low figure says what to do.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from navigate_safer.people.cohort_policy import Level
from navigate_safer.people.plans import Check


class Share(msgspec.Struct, frozen=True):
    """``done`` of ``due``; nothing was due where ``due`` is 0."""

    name: str
    done: int
    due: int

    @property
    def met(self) -> bool | None:
        """Whether all that was due was done; None where nothing was due."""
        return self.done >= self.due if self.due else None


class Answer(msgspec.Struct, frozen=True):
    """An alert of the window: when it opened, how long its officer had, when somebody answered."""

    opened_at: datetime
    within_s: int
    answered_at: datetime | None

    def in_time(self, now: datetime) -> bool | None:
        """None while there is still time."""
        until = self.opened_at + timedelta(seconds=self.within_s)
        if self.answered_at is not None:
            return self.answered_at <= until
        return None if now <= until else False


class Seen(msgspec.Struct, frozen=True):
    """A contact that came about, on a day; ``check`` is what of the schedule it did."""

    on: date
    check: str = ""


class Grip(msgspec.Struct, frozen=True):
    """The three shares over the last ``days``."""

    days: int
    contacts: Share
    checks: Share
    alerts: Share


def grip(
    today: date,
    now: datetime,
    days: int,
    *,
    since: date | None,
    level: Level | None,
    checks: Sequence[Check],
    seen: Sequence[Seen],
    answers: Sequence[Answer],
) -> Grip:
    """Of the ``days`` that end today; before ``since``, when the work began, nothing is due.

    More than was asked does not make up for another kind: each share is at most whole.
    """
    first = today - timedelta(days=days - 1)
    watched = days if since is None else max(0, min(days, (today - since).days + 1))
    recent = [each for each in seen if first <= each.on <= today]
    wanted = 0 if level is None else level.contacts * watched // level.contact_days
    asked = {each.what: watched // each.every_days for each in checks}
    done = sum(
        min(due, sum(each.check.casefold() == what.casefold() for each in recent))
        for what, due in asked.items()
    )
    judged = [
        in_time
        for each in answers
        if each.opened_at >= now - timedelta(days=days)
        and (in_time := each.in_time(now)) is not None
    ]
    return Grip(
        days,
        Share("Contacts", min(wanted, len(recent)), wanted),
        Share("Checks", done, sum(asked.values())),
        Share("Alerts answered in time", sum(judged), len(judged)),
    )
