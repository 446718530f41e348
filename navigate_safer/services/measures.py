"""Read what a measurement needs; changes nothing."""

import time
from datetime import datetime, timedelta

from navigate_safer.db import delivery_rows, latency, operations
from navigate_safer.db.base import Sessions
from navigate_safer.db.delivery_rows import DeliveryRows
from navigate_safer.db.latency import Steps
from navigate_safer.db.reading import DATABASE_FAULTS, reading

_LOOK_EVERY_S = 0.1
_READ_WITHIN_S = 10.0


def alert_steps(sessions: Sessions, prefix: str) -> list[Steps]:
    """The instants of every alert of devices whose name begins with ``prefix``."""
    with sessions.begin() as session:
        return latency.steps(session, prefix)


def wait_until_judged(sessions: Sessions, within_s: float) -> bool:
    """Wait until no reading waits for judgement; whether that came to be within the time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with sessions.begin() as session:
            if not operations.unjudged(session):
                return True
        time.sleep(_LOOK_EVERY_S)
    return False


def delivery(sessions: Sessions, now: datetime, overdue_after: timedelta) -> DeliveryRows:
    """Everything that the rows say of breaches, alerts and texts."""
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        return delivery_rows.read(session, now, overdue_after)


def delivery_is_at_rest(sessions: Sessions, breaches: int) -> bool:
    """Whether so many breaches are answered and no text is under way; False without a database."""
    try:
        with reading(sessions, within_s=_READ_WITHIN_S) as session:
            answered = delivery_rows.answered(session)
            return answered >= breaches and not delivery_rows.unsettled(session)
    except DATABASE_FAULTS:
        return False


def staff_and_areas(sessions: Sessions) -> tuple[dict[str, int], frozenset[int]]:
    """The id of every account, and of every area."""
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        return delivery_rows.staff_ids(session), frozenset(delivery_rows.area_ids(session))
