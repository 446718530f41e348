"""Read what a measurement needs; changes nothing."""

import time

from navigate_safer.db import latency, operations
from navigate_safer.db.base import Sessions
from navigate_safer.db.latency import Steps

_LOOK_EVERY_S = 0.1


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
