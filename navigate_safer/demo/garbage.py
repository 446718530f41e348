"""Malformed messages of one gateway, a few each ten minutes, for the quarantine page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import msgspec

SLOT_S = 600
_PER_SLOT = 3


class Garbage(msgspec.Struct, frozen=True):
    """A message that cannot be read, and when it is sent."""

    at: datetime
    topic: str
    payload: bytes


def garbage_between(
    seed: int, gateway: str, devices: tuple[str, ...], from_at: datetime, to_at: datetime
) -> Iterator[Garbage]:
    """The malformed messages of ``from_at <= t < to_at``; the same however the span is cut."""
    first, last = (int(at.timestamp() // SLOT_S) for at in (from_at, to_at))
    for slot in range(first, last + 1):
        rng = Random(f"garbage|{seed}|{gateway}|{slot}")
        for _ in range(_PER_SLOT):
            second = slot * SLOT_S + rng.randrange(SLOT_S)
            at = datetime.fromtimestamp(second, UTC)
            device = rng.choice(devices)
            known, payload = _payload(rng, device, at.isoformat().replace("+00:00", "Z"))
            if from_at <= at < to_at:
                name = device if known else "TAG-99999"
                yield Garbage(at, f"telemetry/v1/{gateway}/{name}", payload)


def _payload(rng: Random, device: str, at: str) -> tuple[bool, bytes]:
    """(whether the device exists, the bytes): each is refused for a reason of its own."""
    fix = f'{{"kind":"fix","at":"{at}","lat":53.2,"lon":-2.8,"accuracy_m":9}}'
    good = f'{{"v":1,"device":"{device}","sent_at":"{at}","readings":[{fix}]}}'
    return rng.choice(
        [
            (True, good[: len(good) // 2].encode()),
            (True, good.replace("53.2", "153.2").encode()),
            (True, good.replace("53.2", "NaN").encode()),
            (True, good.replace('"lat":53.2,"lon":-2.8', '"lat":-2.8,"lon":53.2').encode()),
            (True, good.replace('"v":1', '"v":7').encode()),
            (True, good.replace('Z","lat"', '","lat"').encode()),
            (True, b"\x00\xff\xfe not json"),
            (False, good.replace(device, "TAG-99999").encode()),
        ]
    )
