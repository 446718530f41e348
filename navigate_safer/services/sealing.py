"""Seal what is committed in the logs, prove that the chain holds, and sign how far it has come.

The chain is worked out by a round of the scheduler and not by those who write. A hash that is made
in the writer's transaction needs the hash of the entry before it, so that every transaction that
logs (each page that is looked at, each move of an alert) would wait for the one before it to
commit, intake and telling among them. What this costs: entries of the last minute are not sealed
yet, and whoever changes one within it is not found.

Entries are sealed in the order of their ids, up to an id below which none can come any more. On
PostgreSQL a transaction may commit a lower id after a higher one; so the round reads the highest
id, then who is writing, and waits for those writers, and for nobody who comes after them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.exc import IntegrityError

from navigate_safer import logs
from navigate_safer.db import seals
from navigate_safer.db.base import Sessions
from navigate_safer.db.reading import reading
from navigate_safer.db.seals import LOGS, LogCheckpointRow, SealedLog
from navigate_safer.people import log_chain
from navigate_safer.people.log_chain import START, Broken, Seal, next_seal, walk

Wait = Callable[[float], None]
# Entries sealed, or looked at again, at once: some tens of milliseconds of SQLite's one writer.
PART = 1_000
# One round seals at most so many parts, so that a scheduler can be stopped in good order.
MOST_PARTS = 100
# A transaction that logs lasts milliseconds; one that lasts longer is waited for in the next round.
SETTLES_WITHIN_S, LOOK_EVERY_S = 5.0, 0.1
# Design of this service: checkpoints are signed daily.
CHECKPOINT_EVERY = timedelta(days=1)
_READ_WITHIN_S = 30.0


class Proof(msgspec.Struct, frozen=True):
    """What a look at a whole log came to; ``fault`` is None where everything holds.

    ``end`` is the last seal that holds. ``signed`` and ``unsigned`` count checkpoints, ``waiting``
    entries that are not sealed yet.
    """

    log: str
    end: Seal
    waiting: int
    signed: int
    unsigned: int
    fault: str | None


def look(sessions: Sessions, now: datetime, keys: Sequence[str], wait: Wait) -> None:
    """Seal what is committed; once a day prove each log and sign it with the first of ``keys``."""
    for log in LOGS:
        if seal(sessions, log, wait):
            checkpoint(sessions, log, now, keys)


def seal(sessions: Sessions, log: SealedLog, wait: Wait) -> bool:
    """Seal what is committed; whether nothing that was there at the beginning is left.

    Two processes may do so at once: one of them keeps its seals.
    """
    until = _settled(sessions, log, wait)
    for _ in range(MOST_PARTS):
        if until is None:
            return False
        try:
            with sessions.begin() as session:
                before = seals.last(session, log)
                made = list[Seal]()
                for content in log.contents(session, before, until, PART):
                    before = next_seal(before, seals.entry_id(content), content)
                    made.append(before)
                seals.add(session, log, made)
        except IntegrityError:  # another process was first
            return False
        if len(made) < PART:
            return True
    return False


def _settled(sessions: Sessions, log: SealedLog, wait: Wait) -> int | None:
    """An id below which no entry can come any more; None where somebody writes for long."""
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        # In this order: whoever takes an id below this one is at it already.
        until = seals.newest_entry(session, log)
        before_us = seals.writers(session, log)
    for _ in range(int(SETTLES_WITHIN_S / LOOK_EVERY_S)):
        if not before_us:
            return until
        wait(LOOK_EVERY_S)
        with reading(sessions, within_s=_READ_WITHIN_S) as session:
            before_us &= seals.writers(session, log)
    return None


def checkpoint(sessions: Sessions, log: SealedLog, now: datetime, keys: Sequence[str]) -> bool:
    """Prove a log and keep what was found, unless that was done within a day; whether it was done.

    The log of the process says it too: a copy elsewhere is what a database that was written anew
    can be compared with (``navigate-safer audit verify --kept``).
    """
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        newest = seals.newest_checkpoint(session, log)
        if seals.last(session, log) == START:
            return False
    if newest is not None and now - newest.at < CHECKPOINT_EVERY:
        return False
    proof = prove(sessions, log, keys)
    row = LogCheckpointRow(
        log=log.name, at=now, entries=proof.end.number, head=proof.end.hash, fault=proof.fault
    )
    if keys:
        row.key_name, row.signature = (
            log_chain.name_of(keys[0]),
            log_chain.sign(row.signed, keys[0]),
        )
    with sessions.begin() as session:
        session.add(row)
    _say(proof)
    return True


def _say(proof: Proof) -> None:
    said = logs.logger("seals")
    said.info(
        "log checkpoint", part=proof.log, count=proof.end.number, head=grouped(proof.end.hash)
    )
    if proof.fault is not None:
        said.error("log does not hold", part=proof.log, fault=proof.fault)


def grouped(hash_: str) -> str:
    """A hash by eights: ten digits in a row would be taken for a telephone number in our logs."""
    return "-".join(hash_[at : at + 8] for at in range(0, len(hash_), 8))


def prove(
    sessions: Sessions, log: SealedLog, keys: Sequence[str], kept: Mapping[int, str] | None = None
) -> Proof:
    """Work the whole chain out again and compare it with its checkpoints; writes nothing.

    Without ``keys`` signatures are not looked at. ``kept`` are hashes from elsewhere, by the number
    of entries.
    """
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        found = seals.checkpoints(session, log)
    # Of two that differ the older one counts: the chain was not that long when it was made.
    heads = {row.entries: row.head for row in reversed(found)} | dict(kept or {})
    end, fault = START, _forged(found, keys)
    try:
        while True:
            with reading(sessions, within_s=_READ_WITHIN_S) as session:
                some, entries = seals.page(session, log, end, PART)
            if not some:
                break
            for one in walk(end, some, entries, heads):
                end = one
        if max(heads, default=0) > end.number:
            raise Broken(f"the log ends after {end.number} entries, and had {max(heads)}")
    except Broken as broken:
        fault = _words(broken)
    with reading(sessions, within_s=_READ_WITHIN_S) as session:
        left = seals.waiting(session, log)
    signed = sum(row.signature is not None for row in found)
    return Proof(log.name, end, left, signed, len(found) - signed, fault)


def _words(broken: Broken) -> str:
    return str(broken) if broken.entry_id is None else f"entry {broken.entry_id} {broken}"


def _forged(found: Iterable[LogCheckpointRow], keys: Sequence[str]) -> str | None:
    """The first checkpoint whose signature is none of ours, in words."""
    by_name = {log_chain.name_of(key): key for key in keys}
    for row in found:
        if not keys or row.signature is None:
            continue
        key = by_name.get(row.key_name or "")
        if key is None:
            return f"checkpoint {row.id} was signed with a key that is not set here"
        if not log_chain.is_signed(row.signed, row.signature, key):
            return f"the signature of checkpoint {row.id} is not that of its key"
    return None
