"""A chain of hashes over a log that only grows, and signatures of how far it has come.

**The form, version 1.** The content of an entry is a JSON object of its columns, in ASCII, with the
keys sorted, no white space, ``null`` for what is empty, and times in UTC with six digits of the
second (``2026-11-22T21:00:00.000000+00:00``). The hash of an entry is the SHA-256, in lower-case
hexadecimal, of the hash of the entry before it (64 zeros before the first), a line feed and that
content. A signature is the HMAC-SHA256 of the same form of the log's name, the number of entries,
the hash of the last and the time.

So an entry that is changed, put in, taken out or moved is seen by whoever works the chain out
again; a tail that is cut off, or a chain that is written anew from some entry on, by whoever
compares it with a signed checkpoint. Who checks a signature needs the key: there is no library for
signatures that anybody can check (Ed25519) among what the service needs, and none is added for it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

NOTHING_BEFORE = "0" * 64
Content = Mapping[str, object]
# Says by which key something was signed and nothing about the key.
_NAME_OF_KEY = b"navigate-safer name of a key"
_NAME_DIGITS = 16


class Broken(Exception):
    """The chain does not hold; ``entry_id`` is the first entry that does not, if one can be named.

    Says nothing of what an entry is about.
    """

    def __init__(self, what: str, entry_id: int | None = None) -> None:
        super().__init__(what)
        self.entry_id = entry_id


class Seal(msgspec.Struct, frozen=True):
    """The place of an entry in the chain: ``number`` counts from 1 without a gap."""

    number: int
    entry_id: int
    hash: str


START = Seal(0, 0, NOTHING_BEFORE)


class Head(msgspec.Struct, frozen=True):
    """How far a log had come at a time: what is signed. ``entries`` is how many are sealed."""

    log: str
    entries: int
    hash: str
    at: datetime


def canonical(content: Content) -> bytes:
    """The one form of a content that is hashed; see the module. Times must have an offset."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_time).encode("ascii")


def _time(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"an entry holds a {type(value).__name__}, which has no canonical form")


def next_seal(before: Seal, entry_id: int, content: Content) -> Seal:
    """The seal of the entry that comes after another."""
    linked = before.hash.encode("ascii") + b"\n" + canonical(content)
    return Seal(before.number + 1, entry_id, hashlib.sha256(linked).hexdigest())


def walk(
    before: Seal,
    seals: Sequence[Seal],
    entries: Mapping[int, Content],
    heads: Mapping[int, str] | None = None,
) -> Iterator[Seal]:
    """Go on from a seal that holds, seal by seal; raises :class:`Broken` at the first that fails.

    ``entries`` are all entries with ids from after ``before`` to the last of ``seals``. ``heads``
    are hashes that were signed, by how many entries there were.
    """
    waiting = sorted(entries, reverse=True)
    for seal in seals:
        if seal.number != before.number + 1:
            raise Broken("a seal before it is gone", seal.entry_id)
        if seal.entry_id <= before.entry_id:
            raise Broken("its place in the chain is not its own", seal.entry_id)
        first = waiting.pop() if waiting else None
        if first is not None and first < seal.entry_id:
            raise Broken("was put in between entries that were sealed", first)
        if first != seal.entry_id:
            raise Broken("is gone", seal.entry_id)
        if next_seal(before, seal.entry_id, entries[seal.entry_id]) != seal:
            raise Broken("is not what was sealed", seal.entry_id)
        if (heads or {}).get(seal.number, seal.hash) != seal.hash:
            raise Broken("ends a chain that is not the one of which a checkpoint is kept",
                         seal.entry_id)  # fmt: skip
        before = seal
        yield seal


def name_of(key: str) -> str:
    """A name for a key by which nobody learns anything of it."""
    return hmac.new(key.encode(), _NAME_OF_KEY, hashlib.sha256).hexdigest()[:_NAME_DIGITS]


def sign(head: Head, key: str) -> str:
    """The signature of how far a log has come."""
    said = canonical(msgspec.structs.asdict(head))
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()


def is_signed(head: Head, signature: str, key: str) -> bool:
    """Whether a signature is the key's."""
    return hmac.compare_digest(sign(head, key), signature)
