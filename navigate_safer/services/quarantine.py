"""Keep what was refused: one row for the same refusal of the same bytes, counted.

Rows of a batch are written together: a sender of garbage must not slow the good readings down.
"""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from devices.rejection import Rejected
from navigate_safer.db.telemetry import QuarantineRow

# Enough of a refused message to see what its sender does wrong; size and hash tell the rest.
KEPT_PAYLOAD_BYTES = 16_384
_AT_ONCE = 500


class _Refusal(msgspec.Struct):
    topic: str
    payload: bytes
    gateway: str
    device: str | None
    rejected: Rejected
    times: int = 0


class Quarantine:
    """Collects the refusals of one batch and writes them in the batch's transaction."""

    def __init__(self) -> None:
        self.count = 0
        self._refusals: dict[str, _Refusal] = {}

    def add(
        self, topic: str, payload: bytes, gateway: str, device: str | None, rejected: Rejected
    ) -> None:
        """Note one refusal."""
        self.count += 1
        digest = hashlib.sha256(topic.encode(errors="replace") + b"\0" + payload)
        digest.update(f"\0{rejected.reason.value}\0{rejected.index}".encode())
        refusal = self._refusals.setdefault(
            digest.hexdigest(), _Refusal(topic, payload, gateway, device, rejected)
        )
        refusal.times += 1

    def write(self, session: Session, now: datetime) -> None:
        """Count up what is known already, and add what is new."""
        known: set[str] = set()
        prints = list(self._refusals)
        for begin in range(0, len(prints), _AT_ONCE):
            part = prints[begin : begin + _AT_ONCE]
            query = select(QuarantineRow.fingerprint).where(QuarantineRow.fingerprint.in_(part))
            known.update(session.scalars(query))
        again = [
            {"key": key, "more": self._refusals[key].times, "now": now} for key in sorted(known)
        ]
        if again:
            count_up = (
                update(QuarantineRow.__table__)  # type: ignore[arg-type]
                .where(QuarantineRow.__table__.c.fingerprint == bindparam("key"))
                .values(
                    times=QuarantineRow.__table__.c.times + bindparam("more"),
                    last_at=bindparam("now"),
                )
            )
            session.connection().execute(count_up, again)
        new = [
            _row(key, refusal, now) for key, refusal in self._refusals.items() if key not in known
        ]
        if new:
            session.execute(insert(QuarantineRow), new)


def _row(fingerprint: str, refusal: _Refusal, now: datetime) -> dict[str, object]:
    return {
        "fingerprint": fingerprint,
        "first_at": now,
        "last_at": now,
        "times": refusal.times,
        "reason": refusal.rejected.reason.value,
        "explanation": refusal.rejected.text,
        "topic": _storable(refusal.topic)[:300],
        "gateway": _storable(refusal.gateway)[:200],
        "device": None if refusal.device is None else _storable(refusal.device)[:200],
        "reading_index": refusal.rejected.index,
        "payload": refusal.payload[:KEPT_PAYLOAD_BYTES],
        "payload_bytes": len(refusal.payload),
    }


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text; a topic may hold one where the broker lets it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
