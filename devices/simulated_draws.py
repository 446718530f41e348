"""Draws of the simulator: the same key gives the same numbers, wherever and whenever asked."""

import hashlib
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

ReadingDict: TypeAlias = dict[str, object]


class Span(msgspec.Struct, frozen=True):
    """``from_at <= t < until_at``."""

    from_at: datetime
    until_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in the span."""
        return self.from_at <= at < self.until_at


def ticks(span: Span, every_s: int, phase_s: int) -> Iterator[datetime]:
    """The instants of the span that lie ``phase_s`` after a multiple of ``every_s``."""
    second = phase_s + math.ceil((span.from_at.timestamp() - phase_s) / every_s) * every_s
    ends = span.until_at.timestamp()
    while second < ends:
        yield datetime.fromtimestamp(second, UTC)
        second += every_s


def uniforms(count: int, *key: object) -> list[float]:
    """Up to eight numbers in [0, 1) that depend on the key alone."""
    digest = hashlib.blake2b("|".join(map(str, key)).encode(), digest_size=8 * count).digest()
    return [int.from_bytes(digest[start : start + 8]) / 2**64 for start in range(0, 8 * count, 8)]


def gaussians(first: float, second: float) -> tuple[float, float]:
    """Two independent standard normal numbers from two uniform ones (Box and Muller)."""
    radius = math.sqrt(-2 * math.log(1 - first * (1 - 2**-53)))
    return radius * math.cos(2 * math.pi * second), radius * math.sin(2 * math.pi * second)


def iso(at: datetime) -> str:
    """RFC 3339, UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
