"""The seals of the logs that only grow, and the checkpoints of how far they have come.

A seal is a row of its own: the logs' rows are never changed, not even to add a hash.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.alerting import AlertHistoryRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.people.log_chain import START, Broken, Content, Head, Seal, walk

# How many of the newest seals are worked out again by who asks each half minute.
TAIL = 100
# The scheduler seals every minute; what has waited so long is sealed by nobody. Project policy.
LONGEST_WAIT = timedelta(hours=1)


class SealRow(Base):
    """The hash of one entry of a log; append-only. ``number`` counts from 1 in each log."""

    __tablename__ = "log_seals"
    __table_args__ = (UniqueConstraint("log", "entry_id"),)

    log: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    entry_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class LogCheckpointRow(Base):
    """What a check of a whole log found: how far it had come, and what did not hold; append-only.

    ``signature`` is None where no key was set. The key is never in the database.
    """

    __tablename__ = "log_checkpoints"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    log: Mapped[str] = mapped_column(String(20), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    entries: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str] = mapped_column(String(64))
    key_name: Mapped[str | None] = mapped_column(String(16))
    signature: Mapped[str | None] = mapped_column(String(64))
    fault: Mapped[str | None] = mapped_column(Text)

    @property
    def signed(self) -> Head:
        """What its signature is of."""
        return Head(self.log, self.entries, self.head, self.at)


class SealedLog(msgspec.Struct, frozen=True):
    """A log whose entries are sealed in the order of their ids.

    ``columns`` are those of the form's version 1: a column that is added later is not among them.
    """

    name: str
    label: str
    table: type[AuditRow] | type[AlertHistoryRow]
    columns: tuple[str, ...]

    def contents(
        self, session: Session, after: Seal, until: int, most: int | None
    ) -> list[Content]:
        """What is hashed of entries after one, up to an id, in the order of their ids.

        Columns and not objects: the check of each day reads every entry that there is.
        """
        columns = [getattr(self.table, name) for name in self.columns]
        query = select(*columns).where(self.table.id > after.entry_id, self.table.id <= until)
        rows = session.execute(query.order_by(self.table.id).limit(most))
        return [dict(zip(self.columns, row, strict=True)) for row in rows]


AUDIT = SealedLog(
    "audit",
    "audit log",
    AuditRow,
    (
        *("id", "at", "act", "what", "staff_id", "actor"),
        *("subject_kind", "subject_id", "recipient_id", "detail"),
    ),
)
ALERTS = SealedLog(
    "alerts",
    "history of alerts",
    AlertHistoryRow,
    ("id", "alert_id", "at", "move", "staff_id", "channel", "reason"),
)
LOGS = (AUDIT, ALERTS)
_SEALS = select(SealRow.number, SealRow.entry_id, SealRow.hash)


class LogFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How it is with one log that has been checked: what the newest check found.

    ``waiting`` counts entries that nobody has sealed for long.
    """

    name: str
    label: str
    checked_at: datetime
    fault: str | None
    is_signed: bool
    waiting: int


def entry_id(content: Content) -> int:
    """The id of the entry whose content it is."""
    found = content["id"]
    assert isinstance(found, int)
    return found


def newest_entry(session: Session, log: SealedLog) -> int:
    """The highest id of an entry that is committed."""
    return session.scalar(select(func.max(log.table.id))) or 0


def writers(session: Session, log: SealedLog) -> set[str]:
    """Transactions that may still commit an entry of a lower id than one that is committed.

    On PostgreSQL an id is handed out before its row is committed; whoever has one holds the lock
    that an insert takes. SQLite has one writer at a time, and whoever asks is it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return set()
    query = text(
        "select virtualtransaction from pg_locks where locktype = 'relation' and granted"
        " and relation = cast(:name as regclass) and mode = 'RowExclusiveLock'"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return set(session.scalars(query, {"name": log.table.__tablename__}))


def last(session: Session, log: SealedLog) -> Seal:
    """The newest seal of a log, or what comes before the first."""
    found = _newest(session, log, 1)
    return found[0] if found else START


def add(session: Session, log: SealedLog, seals: Sequence[Seal]) -> None:
    """Keep seals. Raises ``IntegrityError`` where another process has kept them."""
    if seals:
        made = [{"log": log.name, **msgspec.structs.asdict(each)} for each in seals]
        session.execute(insert(SealRow), made)


def page(
    session: Session, log: SealedLog, after: Seal, most: int
) -> tuple[list[Seal], dict[int, Content]]:
    """The seals after one, and every entry of the ids that they span."""
    query = _SEALS.where(SealRow.log == log.name, SealRow.number > after.number)
    found = [Seal(*row) for row in session.execute(query.order_by(SealRow.number).limit(most))]
    return found, _entries(session, log, after, found)


def _entries(
    session: Session, log: SealedLog, after: Seal, found: Sequence[Seal]
) -> dict[int, Content]:
    if not found:
        return {}
    until = max(each.entry_id for each in found)
    return {entry_id(each): each for each in log.contents(session, after, until, None)}


def _newest(session: Session, log: SealedLog, count: int) -> list[Seal]:
    query = _SEALS.where(SealRow.log == log.name).order_by(SealRow.number.desc())
    return [Seal(*row) for row in session.execute(query.limit(count))][::-1]


def broken_tails(session: Session) -> int:
    """How many logs have a break among their newest seals."""
    return sum(not _tail_holds(session, log) for log in LOGS)


def _tail_holds(session: Session, log: SealedLog) -> bool:
    found = _newest(session, log, TAIL + 1)
    if not found:
        return True
    before, rest = (found[0], found[1:]) if len(found) > TAIL else (START, found)
    try:
        return len(list(walk(before, rest, _entries(session, log, before, rest)))) == len(rest)
    except Broken:
        return False


def checkpoints(session: Session, log: SealedLog) -> list[LogCheckpointRow]:
    """Every checkpoint of a log, oldest first."""
    query = select(LogCheckpointRow).where(LogCheckpointRow.log == log.name)
    return list(session.scalars(query.order_by(LogCheckpointRow.id)))


def newest_checkpoint(session: Session, log: SealedLog) -> LogCheckpointRow | None:
    """The newest checkpoint of a log."""
    query = select(LogCheckpointRow).where(LogCheckpointRow.log == log.name)
    return session.scalar(query.order_by(LogCheckpointRow.id.desc()).limit(1))


def waiting(session: Session, log: SealedLog, before: datetime | None = None) -> int:
    """How many entries are not sealed; with ``before`` those that are older."""
    query = select(func.count()).where(log.table.id > last(session, log).entry_id)
    if before is not None:
        query = query.where(log.table.at < before)
    return session.scalar(query) or 0


def facts(session: Session, now: datetime) -> list[LogFacts]:
    """How it is with each log that was ever checked."""
    newest = [(log, newest_checkpoint(session, log)) for log in LOGS]
    return [
        LogFacts(
            name=log.name,
            label=log.label,
            checked_at=row.at,
            fault=row.fault,
            is_signed=row.signature is not None,
            waiting=waiting(session, log, now - LONGEST_WAIT),
        )
        for log, row in newest
        if row is not None
    ]
