"""Days of London and the instants that bound them, for what is due on a day; durations in words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def start_of(day: date) -> datetime:
    """Midnight in London when a day begins, as an instant."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last second in London of a day, as an instant: what is due on a day is due by then."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=LONDON).astimezone(UTC)


def day_of(at: datetime) -> date:
    """The day in London of an instant."""
    return at.astimezone(LONDON).date()


def span(length: timedelta) -> str:
    """A duration in words, in the largest unit that fits: 40 seconds, 5 minutes, 3 hours, 2 days.

    What is left over is dropped; a duration below nought is 0 seconds.
    """
    seconds = max(0, int(length.total_seconds()))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            number = seconds // size
            return f"{number} {word}{'' if number == 1 else 's'}"
    raise AssertionError("unreachable")
