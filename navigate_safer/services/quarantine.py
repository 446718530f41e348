"""Keep what was refused: one entry for the same refusal of the same bytes, counted.

The refusals of a batch are written together, in two statements, so that a sender of garbage does
not slow the good readings down. What is kept is bounded in bytes; the counts never are.
"""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from devices.quality import QualityLimits
from devices.rejection import Rejected
from navigate_safer.db import quarantine
from navigate_safer.db.quarantine import Refusal

# A message up to the largest that intake takes is kept whole, so that it can be tried again.
KEPT_PAYLOAD_BYTES = QualityLimits().max_payload_bytes
# Policy of this project: a million refused messages of one reading, or a month of a vendor's
# device that was registered late. The setting is NAVIGATE_SAFER_QUARANTINE_KEPT_MB.
DEFAULT_KEPT_BYTES = 256 * 1024 * 1024
# Columns of the database.
_LONGEST_TOPIC, _LONGEST_NAME = 300, 200


class Quarantine:
    """Collects the refusals of one batch and writes them in the batch's transaction.

    ``kept_bytes`` is the most that payloads may take. Up to half of it goes to whoever comes
    first; past that a group (a reason and a gateway) keeps new payloads only while it has less
    than its equal share of the other half, so that the commonest garbage is the first that is
    counted only, and a rare refusal is still kept.
    """

    def __init__(self, kept_bytes: int = DEFAULT_KEPT_BYTES) -> None:
        self.count = 0
        self.by_reason: dict[str, int] = {}
        self._kept_bytes = kept_bytes
        self._refusals: dict[str, Refusal] = {}
        self._hashed: tuple[str, bytes] | None = None
        self._message_hash = ""

    def add(
        self,
        topic: str,
        payload: bytes,
        gateway: str,
        device: str | None,
        rejected: Rejected,
        received_at: datetime | None = None,
    ) -> None:
        """Note one refusal; ``received_at`` is when the message came from the broker."""
        reason = rejected.reason.value
        self.count += 1
        self.by_reason[reason] = self.by_reason.get(reason, 0) + 1
        first = self._hash_message(topic, payload)
        key = f"{self._message_hash}\0{reason}\0{rejected.index}"
        known = self._refusals.get(key)
        if known is None:
            # Of several refused readings of one message the first keeps the bytes for all.
            kept = payload[:KEPT_PAYLOAD_BYTES] if first else b""
            known = self._refusals[key] = Refusal(
                hashlib.sha256(key.encode()).hexdigest(),
                reason,
                _storable(gateway, _LONGEST_NAME),
                None if device is None else _storable(device, _LONGEST_NAME),
                _storable(topic, _LONGEST_TOPIC),
                rejected.text,
                rejected.index,
                kept,
                len(payload),
                self._message_hash,
                received_at,
            )
        known.times += 1

    @property
    def refusals(self) -> list[Refusal]:
        """Every refusal of the batch, whether there is room to keep it or not."""
        return list(self._refusals.values())

    def write(self, session: Session, now: datetime) -> None:
        """Count up what is known already, and add what is new as far as there is room."""
        if not self._refusals:
            return
        full = self._full_groups(session)
        keep: list[Refusal] = []
        count: list[Refusal] = []
        not_kept: dict[str, bytes] = {}
        for each in self._refusals.values():
            if (each.reason, each.gateway) in full:
                count.append(each)
                not_kept[each.message_hash] = each.payload
                continue
            # The one that was to keep the bytes for all may be among those that are counted only.
            each.payload = each.payload or not_kept.pop(each.message_hash, b"")
            keep.append(each)
        if keep:
            quarantine.put(session, keep, now)
        if count:
            quarantine.count_only(session, count, now)

    def _full_groups(self, session: Session) -> set[tuple[str, str]]:
        total, groups = quarantine.kept_bytes(session)
        if total < self._kept_bytes // 2:
            return set()
        held = quarantine.kept_bytes_by_group(session)
        share = self._kept_bytes // 2 // max(1, groups)
        return {group for group, size in held.items() if size >= share}

    def _hash_message(self, topic: str, payload: bytes) -> bool:
        """Hash topic and payload unless they are those of the call before; whether it did."""
        if self._hashed is not None and self._hashed[1] is payload and self._hashed[0] == topic:
            return False
        self._hashed, self._message_hash = (topic, payload), message_hash(topic, payload)
        return True


def message_hash(topic: str, payload: bytes) -> str:
    """By what the refusals of one message are known; hexadecimal."""
    digest = hashlib.sha256(topic.encode(errors="replace") + b"\0")
    digest.update(payload)
    return digest.hexdigest()


def _storable(text: str, longest: int) -> str:
    """PostgreSQL keeps no NUL in a text; a topic may hold one where the broker lets it."""
    return text[:longest].replace("\0", "\N{REPLACEMENT CHARACTER}")
