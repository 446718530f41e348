"""The rows of one partner's file, taken in part after part within the caller's transactions."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import partners as stored
from navigate_safer.db.partners import PartnerBadRow, PartnerEntryRow, PartnerImportRow
from navigate_safer.people.partners import BadRow, Entry, Source, read_row, to_keep
from navigate_safer.services.partner_people import People

DONE = "done"
AT_ONCE = 2_000
# The page lists so many; the count is of all.
MOST_BAD_ROWS = 1_000
Line = tuple[int, dict[str, str]]
_SAID = ("on", "kind", "what", "reliability", "handling")


class Reader:
    """The rows of one file and how far they are through.

    Of two rows about the cohort with one reference the first counts, however far apart they are.
    """

    def __init__(
        self, source: Source, columns: dict[str, str], rows: Sequence[Line], people: People
    ) -> None:
        self._source, self._columns, self._rows, self._people = source, columns, rows, people
        # References of the rows about the cohort among the first so many.
        self._refs: set[str] = set()
        self._refs_of_rows = 0

    def part(self, session: Session, row: PartnerImportRow, now: datetime) -> bool:
        """Take in the next rows in the caller's transaction; whether it was the last part."""
        self._catch_up(row)
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
        self._refs.update(taken)
        self._refs_of_rows = row.done_rows
        if row.done_rows < len(self._rows):
            return False
        row.state, row.finished_at, row.content = DONE, now, None
        return True

    def _catch_up(self, row: PartnerImportRow) -> None:
        """References of rows that another reader has taken in: this one goes on where it was."""
        for _line, cells in self._rows[self._refs_of_rows : row.done_rows]:
            with suppress(BadRow):
                found = self._entry(cells, row.as_at)
                if found is not None:
                    self._refs.add(found[1].ref)
        self._refs_of_rows = row.done_rows

    def _entry(self, cells: dict[str, str], as_at: date) -> tuple[int, Entry] | None:
        """Whom a row is about and what it says; None when it is nobody of the cohort."""
        if not cells:
            raise BadRow("entry", "has not as many cells as the header")
        subject, entry = read_row(self._source, self._columns, cells)
        if entry.on > as_at:
            raise BadRow("on", "is after the day of the extract; correct one of them")
        wearer_id = self._people.named(subject)
        return None if wearer_id is None else (wearer_id, to_keep(entry))

    def _read(
        self, cells: dict[str, str], row: PartnerImportRow, taken: dict[str, tuple[int, Entry]]
    ) -> None:
        found = self._entry(cells, row.as_at)
        if found is None:
            row.not_ours += 1
        elif found[1].ref in taken or found[1].ref in self._refs:
            raise BadRow("entry", "the same reference is on an earlier row")
        else:
            taken[found[1].ref] = found

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
                # It was still so then: an older extract that comes later says nothing against it.
                old.as_at = max(old.as_at, row.as_at)
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
