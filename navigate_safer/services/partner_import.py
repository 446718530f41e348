"""Take in a partner's extract: the file waits in the database, and is read in parts.

Each part is one transaction with its progress, so that a reader that is killed goes on where it
was. A file that comes again changes nothing: it is read again only by another mapping, or where
rows were kept out or were about nobody of the cohort, who may be in it by now. A row that has
changed is a new version; one whose extract is older than what is known is passed over. Rows about
people who are not in the cohort are counted and not kept.
"""

import hashlib
from collections.abc import Callable
from datetime import date, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db import audit, case_records
from navigate_safer.db import partners as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.partners import PartnerImportRow
from navigate_safer.db.reading import DATABASE_FAULTS, reading
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.days import day_of
from navigate_safer.people.partners import (
    BY_REF,
    MAPPED,
    Mapped,
    missing_columns,
)
from navigate_safer.people.records import Record
from navigate_safer.services import partner_files, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.partner_files import BadFile
from navigate_safer.services.partner_people import People
from navigate_safer.services.partner_reading import Reader
from navigate_safer.services.records import About

WAITING, REFUSED = "waiting", "refused"
LOOK_WITHIN_S = 5.0


class NotAgreed(Exception):
    """There is no sharing agreement in force; the message says so."""


def slot_of(source: str, area_id: int) -> str:
    """The one setting of a source in an area."""
    return f"partner_source:{area_id}:{source}"


def setting(session: Session, scope: Scope, source: str, area_id: int) -> Record[Mapped] | None:
    """How a source is read in an area; None while nobody has said."""
    return records.in_slot(session, scope, MAPPED, slot_of(source, area_id))


def keep_setting(
    sessions: Sessions, scope: Scope, area_id: int, mapped: Mapped, *, replaces: int, now: datetime
) -> None:
    """Say how a source is read in an area; raises Forbidden, NotFound, Stale and SlotTaken."""
    slot = slot_of(mapped.source, area_id)
    with sessions.begin() as session:
        known = setting(session, scope, mapped.source, area_id)
        if known is None:
            records.add(session, scope, MAPPED, About(area_id), mapped, now=now, slot=slot)
        else:
            records.change(
                session, scope, MAPPED, known.ref, mapped, replaces=replaces, now=now, slot=slot
            )


def take(
    sessions: Sessions,
    scope: Scope,
    source: str,
    area_id: int,
    name: str,
    content: bytes,
    as_at: date,
    now: datetime,
) -> tuple[int, bool]:
    """Put a file up to be read: its import, and whether it is new.

    Raises Forbidden, NotFound, :class:`NotAgreed` and BadFile (it cannot be read, or a column that
    the setting names is not there): then nothing of it is kept.
    """
    scope.require(Permission.LOAD_PARTNER_DATA)
    if source not in BY_REF or area_id not in scope.areas:
        raise NotFound
    with sessions.begin() as session:
        columns = _agreed(_setting(session, source, area_id), as_at)
        known = stored.known_file(session, source, area_id, _sha256(content))
        if known is not None and _is_through(known, columns):
            return known.id, False
        row = _put_up(session, source, area_id, name, content, as_at, columns, now)
        row.made_by = scope.staff_id
        session.flush()
        _log(session, "partner's extract received", row, now, scope.staff_id)
        return row.id, True


def take_from_folder(
    sessions: Sessions,
    source: str,
    area_id: int,
    name: str,
    content: bytes,
    put_at: datetime,
    now: datetime,
) -> bool:
    """The same of a file that was put into the folder at ``put_at``. Whether it is new.

    Its extract is of today, or of the day on which the same file was first put there. Raises
    :class:`NotAgreed` and BadFile.
    """
    with sessions.begin() as session:
        columns = _agreed(_setting(session, source, area_id), day_of(now))
        known = stored.known_file(session, source, area_id, _sha256(content))
        as_at = day_of(now) if known is None else known.as_at
        # The service looks into the whole folder whenever it starts: what only lies there still,
        # and would be read by the same mapping, nobody has sent again.
        lies_there = (
            known is not None and put_at <= known.made_at and known.columns in (None, columns)
        )
        if known is not None and (lies_there or _is_through(known, columns)):
            return False
        row = _put_up(session, source, area_id, name, content, as_at, columns, now)
        _log(session, "partner's extract received", row, now, None)
        return True


def _is_through(known: PartnerImportRow, columns: dict[str, str]) -> bool:
    """Whether to read a file once more could bring nothing, or it is still to be read so."""
    waits, whole = known.state == WAITING, not known.bad and not known.not_ours
    return known.columns == columns and (waits or whole)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _agreed(mapped: Mapped | None, as_at: date) -> dict[str, str]:
    if mapped is None or not mapped.agreement.strip():
        raise NotAgreed("Say first under which sharing agreement this source may be taken in")
    if mapped.agreed_until is not None and mapped.agreed_until < as_at:
        raise NotAgreed(f"The sharing agreement ended on {mapped.agreed_until:%-d %B %Y}")
    return mapped.columns


def _put_up(
    session: Session,
    source: str,
    area_id: int,
    name: str,
    content: bytes,
    as_at: date,
    columns: dict[str, str],
    now: datetime,
) -> PartnerImportRow:
    rows = partner_files.read(content, name)
    missing = missing_columns(columns, rows.header)
    if missing:
        raise BadFile(
            f"The file has no column {missing[0]!r}. "
            f"Its columns are: {', '.join(rows.header)[:200]}"
        )
    name = name.replace("\x00", "")[-200:]
    row = PartnerImportRow(
        source=source, area_id=area_id, name=name, sha256=_sha256(content), content=content,
        columns=columns, other_encoding=rows.other_encoding, as_at=as_at, made_at=now,
        state=WAITING, all_rows=len(rows.rows), fault="",
        done_rows=0, added=0, changed=0, unchanged=0, older=0, not_ours=0, bad=0,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def read_waiting(
    sessions: Sessions, now: datetime, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Read what waits, part after part; files that were finished. Killed, the next goes on."""
    finished = 0
    held: tuple[int, Reader] | None = None
    # On SQLite each transaction takes the write lock: none is begun where nothing waits.
    while not stopped() and waiting_count(sessions):
        import_id = None
        try:
            with sessions.begin() as session:
                row = stored.waiting(session)
                if row is None:
                    return finished
                import_id = row.id
                if held is None or held[0] != row.id:
                    held = row.id, _reader(session, row)
                if held[1].part(session, row, now):
                    _log(session, "partner's extract read", row, now, None)
                    finished += 1
        except DATABASE_FAULTS:
            raise
        except Exception as fault:
            # One file that cannot be read must not stand before all the others for ever.
            if import_id is None:
                raise
            _refuse(sessions, import_id, fault, now)
            finished += 1
    return finished


def _refuse(sessions: Sessions, import_id: int, fault: Exception, now: datetime) -> None:
    with sessions.begin() as session:
        row = session.get_one(PartnerImportRow, import_id, with_for_update=True)
        row.state, row.finished_at, row.content = REFUSED, now, None
        row.fault = str(fault)[:300] if isinstance(fault, BadFile) else type(fault).__name__
        _log(session, "partner's extract refused", row, now, None)


def _reader(session: Session, row: PartnerImportRow) -> Reader:
    rows = partner_files.read(row.content or b"", row.name).rows
    columns = row.columns
    if columns is None:
        mapped = _setting(session, row.source, row.area_id)
        columns = {} if mapped is None else mapped.columns
    return Reader(BY_REF[row.source], columns, rows, People(session, row.area_id))


def _setting(session: Session, source: str, area_id: int) -> Mapped | None:
    kept = case_records.body_in_slot(session, slot_of(source, area_id))
    return None if kept is None else msgspec.convert(kept, Mapped)


def waiting_count(sessions: Sessions) -> int:
    """How many files wait to be read."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        row = PartnerImportRow
        return session.scalar(select(func.count()).where(row.state == WAITING)) or 0


def _log(
    session: Session, what: str, row: PartnerImportRow, now: datetime, staff_id: int | None
) -> None:
    audit.record(
        session,
        Act.COLLECTION,
        what,
        at=now,
        actor="partner import" if staff_id is None else "staff",
        staff_id=staff_id,
        subject_kind="partner import",
        subject_id=row.id,
        detail={"source": row.source, "rows": row.all_rows, "added": row.added, "bad": row.bad},
    )
