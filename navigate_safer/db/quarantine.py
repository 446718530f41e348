"""What was refused: groups, entries, and what was done. Two statements write a batch.

A *group* is a reason and a gateway: it counts every refusal for ever, so that its figures stay
true whatever is kept. An *entry* (:class:`QuarantineRow`) is one refusal with its bytes.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.telemetry import QuarantineRow

# The topics of lines of an imported file: nothing is decoded there.
IMPORT_TOPIC = "import/"


class Handling(Enum):
    """What has become of an entry."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    CORRECTED = "corrected"
    SET_ASIDE = "set_aside"


class QuarantineGroupRow(Base):
    """Every refusal of one gateway for one reason; ``kept`` entries hold ``kept_bytes`` bytes.

    Both fall when an entry is dealt with: only what waits counts towards the most that is kept.
    """

    __tablename__ = "quarantine_groups"

    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(200), primary_key=True)
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    times: Mapped[int] = mapped_column(BigInteger)
    kept: Mapped[int] = mapped_column(BigInteger)
    kept_bytes: Mapped[int] = mapped_column(BigInteger)


class QuarantineActRow(Base):
    """What somebody did with an entry, and why; ``payload`` is the corrected message."""

    __tablename__ = "quarantine_acts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    quarantine_id: Mapped[int] = mapped_column(BigId, ForeignKey("quarantine.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    act: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    result: Mapped[str] = mapped_column(Text)


class Refusal(msgspec.Struct):
    """One refusal to be written; ``payload`` is None where it is not to be kept."""

    fingerprint: str
    reason: str
    gateway: str
    device: str | None
    topic: str
    explanation: str
    reading_index: int | None
    payload: bytes
    payload_bytes: int
    message_hash: str
    received_at: datetime | None
    times: int = 0


# On PostgreSQL a batch goes as one JSON document, which costs a fraction of rows or of arrays;
# bytes are base64 in it.
_COLUMNS = {
    "fingerprint": "text", "times": "bigint", "reason": "text", "explanation": "text",
    "topic": "text", "gateway": "text", "device": "text", "reading_index": "integer",
    "payload": "text", "payload_bytes": "integer", "message_hash": "text",
    "received_at": "timestamptz",
}  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_DECODED = _NAMES.replace("payload,", "decode(payload, 'base64') as payload,", 1)
_TYPES = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_COUNT_UP = """
    do update set times = quarantine.times + excluded.times, last_at = excluded.last_at,
        state = case quarantine.state when 'replayed' then 'waiting' else quarantine.state end"""
# A row that this statement made has no older version: its xmax is 0.
_PUT_POSTGRESQL = text(f"""
    with sent as (
        select {_DECODED} from json_to_recordset(cast(:refusals as json)) as sent ({_TYPES})
    ),
    put as (
        insert into quarantine ({_NAMES}, first_at, last_at, state)
        select {_NAMES}, :now, :now, 'waiting' from sent
        on conflict (fingerprint) {_COUNT_UP}
        returning fingerprint, xmax = 0 as is_new
    )
    insert into quarantine_groups (reason, gateway, first_at, last_at, times, kept, kept_bytes)
    select reason, gateway, cast(:now as timestamptz), :now, sum(times),
        count(*) filter (where is_new),
        coalesce(sum(octet_length(payload)) filter (where is_new), 0)
    from sent join put using (fingerprint) group by reason, gateway order by reason, gateway
    on conflict (reason, gateway) do update set
        times = quarantine_groups.times + excluded.times, last_at = excluded.last_at,
        kept = quarantine_groups.kept + excluded.kept,
        kept_bytes = quarantine_groups.kept_bytes + excluded.kept_bytes
""").bindparams(bindparam("now", type_=UTCDateTime))  # noqa: S608 - our own column names
_PUT_SQLITE = text(f"""
    insert into quarantine ({_NAMES}, first_at, last_at, state)
    values ({", ".join(f":{name}" for name in _COLUMNS)}, :now, :now, 'waiting')
    on conflict (fingerprint) {_COUNT_UP}
""").bindparams(  # noqa: S608 - our own column names
    bindparam("now", type_=UTCDateTime), bindparam("received_at", type_=UTCDateTime)
)
_COUNT_GROUP = text("""
    insert into quarantine_groups (reason, gateway, first_at, last_at, times, kept, kept_bytes)
    values (:reason, :gateway, :now, :now, :times, :kept, :kept_bytes)
    on conflict (reason, gateway) do update set
        times = quarantine_groups.times + excluded.times, last_at = excluded.last_at,
        kept = quarantine_groups.kept + excluded.kept,
        kept_bytes = quarantine_groups.kept_bytes + excluded.kept_bytes
""").bindparams(bindparam("now", type_=UTCDateTime))
_COUNT_KNOWN = text("""
    update quarantine set times = times + :times, last_at = :now where fingerprint = :fingerprint
""").bindparams(bindparam("now", type_=UTCDateTime))
_AT_ONCE = 500


def kept_bytes(session: Session) -> tuple[int, int]:
    """(bytes of payloads that wait, groups)."""
    query = select(func.coalesce(func.sum(QuarantineGroupRow.kept_bytes), 0), func.count())
    total, groups = session.execute(query.select_from(QuarantineGroupRow)).one()
    return int(total), int(groups)


def kept_bytes_by_group(session: Session) -> dict[tuple[str, str], int]:
    """Bytes of payloads that wait, by reason and gateway."""
    table = QuarantineGroupRow
    rows = session.execute(select(table.reason, table.gateway, table.kept_bytes))
    return {(reason, gateway): held for reason, gateway, held in rows}


def put(session: Session, refusals: Sequence[Refusal], now: datetime) -> None:
    """Add the refusals that are new, count up those that are known, and their groups."""
    connection = session.connection()
    # In one order everywhere, so that two workers with the same garbage wait and do not deadlock.
    ordered = sorted(refusals, key=lambda each: each.fingerprint)
    for begin in range(0, len(ordered), _AT_ONCE):
        part = ordered[begin : begin + _AT_ONCE]
        if connection.dialect.name == "postgresql":
            document = msgspec.json.encode(part).decode()
            connection.execute(_PUT_POSTGRESQL, {"refusals": document, "now": now})
        else:
            _put_sqlite(connection, part, now)


def _put_sqlite(connection: Connection, part: Sequence[Refusal], now: datetime) -> None:
    query = select(QuarantineRow.fingerprint).where(
        QuarantineRow.fingerprint.in_([each.fingerprint for each in part])
    )
    known = set(connection.scalars(query))
    rows = [{name: getattr(each, name) for name in _COLUMNS} | {"now": now} for each in part]
    connection.execute(_PUT_SQLITE, rows)
    _count_groups(connection, [(each, each.fingerprint not in known) for each in part], now)


def count_only(session: Session, refusals: Sequence[Refusal], now: datetime) -> None:
    """Count refusals of which nothing more is kept."""
    connection = session.connection()
    ordered = sorted(refusals, key=lambda each: each.fingerprint)
    times = [{"fingerprint": r.fingerprint, "times": r.times, "now": now} for r in ordered]
    connection.execute(_COUNT_KNOWN, times)
    _count_groups(connection, [(each, False) for each in ordered], now)


def _count_groups(
    connection: Connection, refusals: Sequence[tuple[Refusal, bool]], now: datetime
) -> None:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for each, is_new in refusals:
        group = groups.setdefault(
            (each.reason, each.gateway),
            {"reason": each.reason, "gateway": each.gateway, "now": now,
             "times": 0, "kept": 0, "kept_bytes": 0},
        )  # fmt: skip
        group["times"] += each.times
        group["kept"] += is_new
        group["kept_bytes"] += len(each.payload) if is_new else 0
    connection.execute(_COUNT_GROUP, [groups[key] for key in sorted(groups)])
