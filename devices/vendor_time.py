"""Times as vendors write them in exports: a format and a zone, in, an instant out.

Local time is ambiguous for an hour each autumn and does not exist for an hour each spring. An
export that writes local time has lost which of the two hours it was; the mapping says whether to
refuse such a row or which hour to take, and a time that never was is always refused.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

ISO, EPOCH_S, EPOCH_MS = "iso", "epoch_s", "epoch_ms"
AMBIGUOUS = ("refuse", "first", "second")
# A day of ISO 8601 alone, such as 2026-11-21, which Python takes for its midnight.
LONGEST_DATE = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Parse = Callable[[str], datetime]


class BadTime(ValueError):
    """A time that cannot be taken; the message quotes nothing of the row."""


class TimeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a column writes time.

    ``format`` is ``iso``, ``epoch_s``, ``epoch_ms`` or a strptime format. ``timezone`` is for
    times without an offset of their own. ``ambiguous`` is what to do in the hour that a clock
    change repeats: ``refuse``, or take the ``first`` or the ``second`` of the two.
    """

    format: str = ISO
    timezone: str | None = None
    ambiguous: str = "refuse"


def parser(rule: TimeRule) -> Parse:
    """A function from text to an aware instant in UTC; it raises :class:`BadTime`.

    Raises ValueError for a rule that cannot be followed.
    """
    if rule.ambiguous not in AMBIGUOUS:
        raise ValueError(f"time.ambiguous: must be one of {', '.join(AMBIGUOUS)}")
    zone = None
    if rule.timezone is not None:
        try:
            zone = ZoneInfo(rule.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("time.timezone: must be a zone such as Europe/London") from None
    if rule.format in (EPOCH_S, EPOCH_MS):
        return _epoch(1 if rule.format == EPOCH_S else 1000)
    has_offset = rule.format == ISO or "%z" in rule.format
    if zone is None and not has_offset:
        raise ValueError("time.timezone: is needed, since the format has no offset (%z)")
    return _written(rule, zone)


def _epoch(per_second: int) -> Parse:
    def parse(text: str) -> datetime:
        try:
            return _EPOCH + timedelta(seconds=float(text) / per_second)
        except (ValueError, OverflowError):
            raise BadTime("time: expected a number of seconds since 1970") from None

    return parse


def _written(rule: TimeRule, zone: ZoneInfo | None) -> Parse:
    iso = rule.format == ISO
    wanted = "ISO 8601" if iso else rule.format

    def parse(text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text) if iso else datetime.strptime(text, rule.format)  # noqa: DTZ007 - the zone comes next
        except ValueError:
            raise BadTime(f"time: not written as {wanted}") from None
        if iso and len(text) <= LONGEST_DATE:
            raise BadTime("time: a day without its time of day")
        try:
            return at.astimezone(UTC) if at.tzinfo is not None else _local(at, zone, rule.ambiguous)
        except OverflowError:
            raise BadTime("time: lies outside the years 1 to 9999 in UTC") from None

    return parse


def _local(at: datetime, zone: ZoneInfo | None, ambiguous: str) -> datetime:
    if zone is None:
        raise BadTime("time: has no offset, and the mapping names no time zone")
    first, second = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    # Both folds of a time that a clock change skips lead to another wall time than was written.
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != at:
        raise BadTime("time: the clocks went forward over it, so that it never was")
    if ambiguous == "refuse":
        raise BadTime(
            "time: ambiguous, the clocks went back and it was twice; "
            "set time.ambiguous to first or second, or export in UTC"
        )
    return (first if ambiguous == "first" else second).astimezone(UTC)
