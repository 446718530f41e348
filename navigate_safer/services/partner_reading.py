"""The rows of one partner's file, taken in part after part within the caller's transactions."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import partners as stored
from navigate_safer.db.partners import PartnerBadRow, PartnerEntryRow, PartnerImportRow
from navigate_safer.people.partners import BadRow, Entry, Source, read_row
from navigate_safer.services.partner_people import People

DONE = "done"
AT_ONCE = 2_000
# The page lists so many; the count is of all.
MOST_BAD_ROWS = 1_000
Line = tuple[int, dict[str, str]]
_SAID = ("on", "kind", "what", "reliability", "handling")


class Reader:
    """The rows of one file and how far they are through."""

    def __init__(
        self, source: Source, columns: dict[str, str], rows: Sequence[Line], people: People
    ) -> None:
        self._source, self._columns, self._rows, self._people = source, columns, rows, people

    def part(self, session: Session, row: PartnerImportRow, now: datetime) -> bool:
        """Take in the next rows in the caller's transaction; whether it was the last part."""
        part = self._rows[row.done_rows : row.done_rows + AT_ONCE]
        taken: dict[str, tuple[int, Entry]] = {}
        for line, cells in part:
            try:
                self._read(cells, row, taken)
            except BadRow as fault:
                row.bad += 1
                if row.bad <= MOST_BAD_ROWS:
                    session.add(
                        PartnerBadRow(
                            import_id=row.id, line=line, field=fault.field, what=fault.what
                        )
                    )
        self._store(session, row, taken, now)
        row.done_rows += len(part)
        if row.done_rows < len(self._rows):
            return False
        row.state, row.finished_at, row.content = DONE, now, None
        return True

    def _read(
        self, cells: dict[str, str], row: PartnerImportRow, taken: dict[str, tuple[int, Entry]]
    ) -> None:
        if not cells:
            raise BadRow("entry", "has not as many cells as the header")
        subject, entry = read_row(self._source, self._columns, cells)
        if entry.on > row.as_at:
            raise BadRow("on", "is after the day of the extract; correct one of them")
        wearer_id = self._people.named(subject)
        if wearer_id is None:
            row.not_ours += 1
        elif entry.ref in taken:
            raise BadRow("entry", "the same reference is on an earlier row")
        else:
            taken[entry.ref] = wearer_id, entry

    def _store(
        self,
        session: Session,
        row: PartnerImportRow,
        taken: dict[str, tuple[int, Entry]],
        now: datetime,
    ) -> None:
        known = stored.current(session, row.source, row.area_id, list(taken))
        for ref, (wearer_id, entry) in taken.items():
            old = known.get(ref)
            if old is None:
                row.added += 1
            elif (old.wearer_id, *(getattr(old, name) for name in _SAID)) == (
                wearer_id,
                *(getattr(entry, name) for name in _SAID),
            ):
                row.unchanged += 1
                continue
            elif old.as_at > row.as_at:
                row.older += 1
                continue
            else:
                row.changed += 1
                old.superseded_at = now
            session.add(
                PartnerEntryRow(
                    source=row.source, area_id=row.area_id, wearer_id=wearer_id, as_at=row.as_at,
                    version=1 if old is None else old.version + 1, import_id=row.id,
                    received_at=now, **msgspec.structs.asdict(entry),
                )
            )  # fmt: skip
