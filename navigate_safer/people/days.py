"""Days of London and the instants that bound them, for what is due on a day."""

from datetime import UTC, date, datetime
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
