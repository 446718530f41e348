"""Minutes of each gateway: gathered by intake in memory, written with its sign of life.

What a killed process had not written is a few seconds of figures; no reading depends on them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec
from sqlalchemy import delete

from navigate_safer.db import gateway_minutes
from navigate_safer.db.base import Sessions
from navigate_safer.db.gateway_minutes import GatewayMinuteRow, Minute
from navigate_safer.metrics import GatewayBatch

# What the Service page draws, and as much again for who looks a little later.
SHOWN = timedelta(hours=1)
KEPT = timedelta(hours=3)
# More batches than these in a minute say nothing new about the delay.
MOST_DELAYS = 2_000


class _Gathered(msgspec.Struct):
    messages: int = 0
    readings: int = 0
    delays_s: list[float] = []


class Minutes:
    """What one process of intake has seen and not yet written."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._gathered: dict[tuple[str, datetime], _Gathered] = {}

    def take(self, by_gateway: Mapping[str | None, GatewayBatch]) -> None:
        """Add what a batch brought; what is of no registered gateway is in quarantine."""
        for gateway, batch in by_gateway.items():
            if gateway is None or not batch.last_received_at:
                continue
            minute_at = datetime.fromtimestamp(batch.last_received_at // 60 * 60, UTC)
            own = self._gathered.setdefault((gateway, minute_at), _Gathered())
            own.messages += batch.messages
            own.readings += batch.readings
            if batch.last_sent_at and len(own.delays_s) < MOST_DELAYS:
                own.delays_s.append(batch.last_received_at - batch.last_sent_at)

    def write(self, sessions: Sessions) -> None:
        """Write every minute that was added to, and forget those that are over."""
        if not self._gathered:
            return
        minutes = [_minute(*key, own) for key, own in self._gathered.items()]
        with sessions.begin() as session:
            gateway_minutes.write(session, self._instance, minutes)
        newest = max(at for _, at in self._gathered)
        self._gathered = {key: own for key, own in self._gathered.items() if key[1] == newest}


def _minute(gateway: str, minute_at: datetime, own: _Gathered) -> Minute:
    delays = own.delays_s
    return Minute(
        gateway,
        minute_at,
        own.messages,
        own.readings,
        median(delays) if delays else None,
        max(delays) if delays else None,
    )


def prune(sessions: Sessions, now: datetime) -> None:
    """Drop minutes that nobody looks at any more."""
    with sessions.begin() as session:
        session.execute(delete(GatewayMinuteRow).where(GatewayMinuteRow.minute_at < now - KEPT))
