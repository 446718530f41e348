"""Times as a form gives them: the wall clock of London."""

from datetime import UTC, datetime

from navigate_safer.web.words import LONDON


class BadWallTime(ValueError):
    """Not a time that the wall clock has shown; says what to do."""


def read(text: str, *, later: bool) -> datetime:
    """The instant of ``2026-11-20T21:00`` or ``… 21:00`` in London.

    In the hour that the clocks repeat the first time is meant, or with ``later`` the second, so
    that a window from one to the other is never too short. Raises BadWallTime.
    """
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadWallTime("Enter a date and time, such as 2026-11-20 21:00") from None
    if wall.tzinfo is not None or not 2000 <= wall.year <= 2199:
        raise BadWallTime("Enter a date and time in London, such as 2026-11-20 21:00")
    at = wall.replace(tzinfo=LONDON, fold=int(later)).astimezone(UTC)
    if at.astimezone(LONDON).replace(tzinfo=None) != wall:
        raise BadWallTime("The clocks went forward over this time: enter one an hour later")
    return at


def written(at: datetime) -> str:
    """An instant as a field of a form shows it."""
    return f"{at.astimezone(LONDON):%Y-%m-%dT%H:%M}"
