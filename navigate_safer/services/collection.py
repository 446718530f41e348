"""The log of what was collected from devices: one entry for what came since the last one.

The Data Protection Act 2018 s.62 wants collection logged. Of whom, of what and when is in every
reading itself; the log says that, and how much, and through which batches. An entry for each batch
would be ten a second for ever, in a log that nobody may thin. It is written from the batches, which
are committed with their readings, so that a kill of any process loses none of it.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from navigate_safer.db import audit
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.telemetry import IngestBatchRow
from navigate_safer.people.account import Act

BATCH = "ingest_batch"
# A batch may be committed after one with a later number: none is looked for so soon.
SETTLED_AFTER = timedelta(minutes=2)


def log(sessions: Sessions, now: datetime) -> int:
    """Write an entry for the batches that no entry covers; how many readings it is about."""
    batch = IngestBatchRow
    with sessions.begin() as session:
        last = session.scalar(
            select(AuditRow.subject_id)
            .where(AuditRow.subject_kind == BATCH)
            .order_by(AuditRow.at.desc())
            .limit(1)
        )
        first_id, last_id, batches, readings, from_at, to_at = session.execute(
            select(
                func.min(batch.id),
                func.max(batch.id),
                func.count(),
                func.sum(batch.stored),
                func.min(batch.received_at),
                func.max(batch.received_at),
            ).where(batch.id > (last or 0), batch.received_at < now - SETTLED_AFTER)
        ).one()
        if not readings:
            return 0
        audit.record(
            session,
            Act.COLLECTION,
            "telemetry stored",
            at=now,
            actor="ingest",
            subject_kind=BATCH,
            subject_id=last_id,
            detail={
                "readings": int(readings),
                "batches": batches,
                "first_batch": first_id,
                "from": from_at.isoformat(),
                "to": to_at.isoformat(),
            },
        )
        return int(readings)
