"""Store what has arrived: one transaction a batch, once and only once, nothing dropped.

The caller acknowledges the messages after :func:`store_batch` has returned, never before.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError

from devices import columns
from devices.codec import decode
from devices.columns import Arrived, FixColumns, Ints, Split
from devices.quality import QualityLimits
from devices.rejection import Reason, Rejected
from navigate_safer import logs
from navigate_safer.db import bulk
from navigate_safer.db.arrivals import Noted
from navigate_safer.db.base import Sessions
from navigate_safer.db.bulk import AlreadyThere
from navigate_safer.db.quarantine import Refusal
from navigate_safer.db.reading import DATABASE_FAULTS
from navigate_safer.db.telemetry import IngestBatchRow
from navigate_safer.services.arrivals import Arrivals, Taken
from navigate_safer.services.laps import Laps
from navigate_safer.services.quarantine import DEFAULT_KEPT_BYTES
from navigate_safer.services.stowing import Brought, Decoder, Message, Stowed

__all__ = ["BatchResult", "Message", "note_committed", "store_batch", "store_or_part"]

# Two intake workers that meet on one reading: one of them does its batch again.
TRIES_ON_COLLISION = 4


class BatchResult(msgspec.Struct, frozen=True):
    """What a batch came to.

    ``on_arrival`` of the stored readings were judged at once (``judged_us``: when each of them was
    received, microseconds since 1970), the rest are marked; ``general``
    messages went through the general form. ``seconds`` are the steps of
    :data:`navigate_safer.metrics.STEPS`, ``cpu_seconds`` what the thread computed in them.
    ``fixes`` are those of the plain messages, and ``others`` what each message of the general form
    brought, by its place; ``refusals`` is each of what was refused.
    """

    batch_id: int
    stored: int
    repeated: int
    refused: int
    devices: int
    messages: int = 0
    on_arrival: int = 0
    devices_on_arrival: int = 0
    general: int = 0
    refused_by_reason: dict[str, int] = {}
    seconds: dict[str, float] = {}
    cpu_seconds: dict[str, float] = {}
    fixes: FixColumns | None = None
    judged_us: Ints | None = None
    others: Mapping[int, Brought] = {}
    refusals: Sequence[Refusal] = ()


def store_batch(
    sessions: Sessions,
    messages: Sequence[Arrived],
    now: datetime,
    limits: QualityLimits,
    *,
    decoder: Decoder = decode,
    arrivals: Arrivals | None = None,
    kept_bytes: int = DEFAULT_KEPT_BYTES,
    split: Split | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> BatchResult:
    """Store a batch and commit. Raises only when the database cannot be written.

    With ``arrivals`` the plain fixes of it (``split``, where they have been taken out before) are
    judged at once; everything else, and without it everything, is left to the monitor by a mark.
    ``kept_bytes`` bounds what quarantine keeps; ``meanwhile`` is done while the database is busy.
    """
    laps = Laps()
    if split is None and arrivals is not None:
        split = columns.split(messages, limits)
        laps.lap("decode")
    for remaining in reversed(range(TRIES_ON_COLLISION)):
        try:
            with sessions.begin() as session:
                stowed = Stowed(session, now, limits, decoder, kept_bytes)
                result = _store(stowed, messages, split, arrivals, laps, meanwhile)
                laps.lap("store")
        except BaseException as fault:
            if arrivals is not None:
                arrivals.undone()
            if not remaining or not _collided(fault):
                raise
            if isinstance(fault, AlreadyThere):  # the general form tells what is there already
                split = None
        else:
            _committed(arrivals, stowed)
            laps.lap("commit")
            return _timed(result, laps)
    raise AssertionError("unreachable")


def _committed(arrivals: Arrivals | None, stowed: Stowed) -> None:
    if arrivals is not None:
        arrivals.committed()
        arrivals.fleet.forget(stowed.devices)


def _timed(result: BatchResult, laps: Laps) -> BatchResult:
    return msgspec.structs.replace(result, seconds=laps.seconds, cpu_seconds=laps.cpu_seconds)


def _collided(fault: BaseException) -> bool:
    """Whether another transaction was in the way, so that the batch may do better now."""
    return isinstance(fault, IntegrityError | AlreadyThere) or bulk.waited_for_each_other(fault)


def store_or_part(
    sessions: Sessions,
    messages: Sequence[Arrived],
    now: datetime,
    limits: QualityLimits,
    arrivals: Arrivals | None,
    kept_bytes: int = DEFAULT_KEPT_BYTES,
    split: Split | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[BatchResult]:
    """Store a batch; where something in it cannot be stored for good, find that message.

    First without judging on arrival, since the fault may be there. Then halves are tried until
    the one message is alone; it goes to quarantine as a fault of ours, and its neighbours are
    stored. The results are in the order of the messages. Raises only while the database is away.
    """
    try:
        return [
            store_batch(
                sessions, messages, now, limits, arrivals=arrivals, kept_bytes=kept_bytes,
                split=split, meanwhile=meanwhile,
            )
        ]  # fmt: skip
    except (*DATABASE_FAULTS, OSError):  # nothing in a message can be the cause of these
        raise
    except Exception as fault:
        if arrivals is not None:
            logs.logger("ingest").error("batch failed", exception_type=type(fault).__name__)
            arrivals.fleet.forget_all()
            return store_or_part(sessions, messages, now, limits, None, kept_bytes)
        if len(messages) == 1:
            return [_refuse(sessions, messages[0], now, limits, fault, kept_bytes)]
        middle = len(messages) // 2
        return [
            result
            for half in (messages[:middle], messages[middle:])
            for result in store_or_part(sessions, half, now, limits, None, kept_bytes)
        ]


def _refuse(
    sessions: Sessions,
    message: Arrived,
    now: datetime,
    limits: QualityLimits,
    fault: Exception,
    kept_bytes: int,
) -> BatchResult:
    text = f"it could not be stored ({type(fault).__name__}); the message is kept"
    refused = Rejected(Reason.INTERNAL_FAULT, text)
    with sessions.begin() as session:
        stowed = Stowed(session, now, limits, decode, kept_bytes)
        stowed.refuse(message, refused)
        return _finish(stowed, [message], Taken([]), 0, 0, 0)


def note_committed(sessions: Sessions, committed: Sequence[tuple[int, datetime]]) -> None:
    """Write down when batches were safe; measured after the commit, so in another transaction."""
    if not committed:
        return
    rows = [{"b_id": batch_id, "b_at": at} for batch_id, at in committed]
    with sessions.begin() as session:
        session.connection().execute(
            update(IngestBatchRow)
            .where(IngestBatchRow.id == bindparam("b_id"))
            .values(committed_at=bindparam("b_at")),
            rows,
        )


def _store(
    stowed: Stowed,
    messages: Sequence[Arrived],
    split: Split | None,
    arrivals: Arrivals | None,
    laps: Laps,
    meanwhile: Callable[[], None],
) -> BatchResult:
    def ahead() -> None:
        laps.lap("store")
        meanwhile()
        laps.lap("decode")

    taken, left = Taken([]), list(range(len(messages)))
    if split is not None and arrivals is not None:
        taken = arrivals.take(stowed.session, messages, split.fixes, stowed.now, laps, ahead)
        left = sorted({*split.left, *taken.left})
    stored, touched = stowed.store([messages[place] for place in left])
    result = _finish(stowed, messages, taken, len(stored.new), stored.repeated, len(touched))
    fixes = None if split is None else split.fixes
    others = dict(zip(left, stowed.brought, strict=True))
    return msgspec.structs.replace(result, general=len(left), fixes=fixes, others=others)


def _finish(
    stowed: Stowed,
    messages: Sequence[Arrived],
    taken: Taken,
    new: int,
    repeated: int,
    marked: int,
) -> BatchResult:
    noted = Noted(
        received_at=min(message.received_at for message in messages),
        at=stowed.now,
        messages=len(messages),
        stored=new + taken.stored,
        repeated=repeated,
        refused=stowed.quarantine.count,
        devices=marked + taken.devices,
    )
    return BatchResult(
        bulk.note_batch(stowed.session, noted),
        noted.stored,
        noted.repeated,
        noted.refused,
        noted.devices,
        messages=len(messages),
        on_arrival=taken.on_arrival,
        devices_on_arrival=taken.devices - taken.marked,
        judged_us=taken.judged_us,
        refused_by_reason=dict(stowed.quarantine.by_reason),
        refusals=stowed.quarantine.refusals,
    )
