"""Read what a measurement needs; changes nothing."""

from navigate_safer.db import latency
from navigate_safer.db.base import Sessions
from navigate_safer.db.latency import Steps


def alert_steps(sessions: Sessions, prefix: str) -> list[Steps]:
    """The instants of every alert of devices whose name begins with ``prefix``."""
    with sessions.begin() as session:
        return latency.steps(session, prefix)
