"""Import a vendor's export: line by line, through the same door as telemetry, resumable.

A batch of lines becomes telemetry messages, is stored and committed, and then the place in the
file is committed. A kill between the two stores the batch again, which changes nothing. Judging
is the monitor's, as for any readings that come late, so the order of the lines does not matter.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import msgspec
from sqlalchemy.orm import Session

from devices.native import Envelope, Wire
from devices.quality import QualityLimits
from devices.rejection import Reason, Rejected
from devices.vendor_csv import Row, RowFault, RowReader
from navigate_safer.db import audit, imports
from navigate_safer.db.base import Sessions
from navigate_safer.db.imports import ImportRow
from navigate_safer.db.quarantine import IMPORT_TOPIC
from navigate_safer.db.reading import DATABASE_FAULTS
from navigate_safer.people.account import Act
from navigate_safer.services import ingest
from navigate_safer.services.import_source import ImportFault, Line, Source, lines
from navigate_safer.services.ingest import Message
from navigate_safer.services.quarantine import Quarantine

# One transaction takes so many lines: what a device costs by itself is spread over enough of its
# rows, and live intake, which on SQLite waits for it, is held up for about a second at most.
LINES_AT_ONCE = 10_000
READINGS_PER_MESSAGE = 500
# A file of which none of so many lines can be taken has another mapping than this one.
NONE_OF_FIRST = 1_000
# So many refused lines are kept to be looked at; beyond them they are counted by reason.
MOST_KEPT = 10_000
_EVER_DAYS = 400_000


class Progress(msgspec.Struct):
    """How far an import has come. ``refused`` counts lines by reason."""

    offset_bytes: int
    lines: int
    stored: int = 0
    repeated: int = 0
    refused: dict[str, int] = {}
    resumed: bool = False
    finished_before: datetime | None = None

    @property
    def refused_lines(self) -> int:
        """Lines that could not be taken."""
        return sum(self.refused.values())


class Wish(msgspec.Struct, frozen=True):
    """How to import: ``oldest`` is the first UTC day that is taken.

    ``gateway`` speaks for the devices of the file; without one each device's own does.
    """

    oldest: date
    gateway: str | None = None
    dry_run: bool = False
    again: bool = False


class Importer:
    """One import. Raises ImportFault where it cannot begin; see :meth:`run`."""

    def __init__(
        self,
        sessions: Sessions,
        source: Source,
        wish: Wish,
        clock: Callable[[], datetime],
        limits: QualityLimits,
        *,
        lines_at_once: int = LINES_AT_ONCE,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._lines_at_once, self._most_kept = lines_at_once, most_kept
        self._sessions = sessions
        self._source = source
        self._encoding = source.mapping.file.encoding
        self._wish = wish
        self._clock = clock
        self._oldest = datetime.combine(wish.oldest, time(), UTC)
        span = clock() - self._oldest
        if span < timedelta():
            raise ImportFault(f"--oldest {wish.oldest} lies in the future")
        # The day is this import's own limit; the general one would call an old export a bad clock.
        self._limits = msgspec.structs.replace(limits, past_days=span.days + 2)
        with sessions.begin() as session:
            if wish.gateway is not None and not imports.is_gateway(session, wish.gateway):
                raise ImportFault(f"--gateway: no gateway {wish.gateway} is registered")
            self._gateways = imports.gateways_of_devices(session)
            self._away = imports.days_put_away(session)
            self.progress = self._begin(session)
        # Rows are checked against --oldest alone, so that what is too old is told as that.
        ever = msgspec.structs.replace(limits, past_days=_EVER_DAYS)
        self._reader: RowReader = source.reader(ever)

    def _begin(self, session: Session) -> Progress:
        source = self._source
        fresh = Progress(source.begins_at, source.heading_lines, refused={})
        row = imports.of_fingerprint(session, source.fingerprint)
        if row is None and not self._wish.dry_run:
            now = self._clock()
            row = ImportRow(fingerprint=source.fingerprint, started_at=now, updated_at=now)
            _write(row, fresh)
            session.add(row)
            session.flush()
            return fresh
        if row is None or self._wish.dry_run:
            return fresh
        if self._wish.again:
            row.finished_at = None
            _write(row, fresh)
            return fresh
        return Progress(
            row.offset_bytes,
            row.lines,
            row.stored,
            row.repeated,
            dict(row.refused),
            resumed=row.offset_bytes > source.begins_at,
            finished_before=row.finished_at,
        )

    def run(self) -> Iterator[Progress]:
        """Import batch by batch, giving the progress after each; then the import is finished.

        Raises ImportFault when nothing of the first lines can be taken, storing nothing of them,
        and when the database goes away.
        """
        if self.progress.finished_before is not None:
            return
        settled = self.progress.lines
        todo = lines(self._source, self.progress.offset_bytes, self.progress.lines)
        try:
            while batch := list(islice(todo, self._lines_at_once)):
                self._take(batch)
                settled = self.progress.lines
                yield self.progress
            if not self._wish.dry_run:
                self._finish()
        except DATABASE_FAULTS as fault:
            away = f"the database is away ({type(fault).__name__})"
            raise ImportFault(f"{away}: run this again to go on after line {settled:,}") from None

    def _take(self, batch: list[Line]) -> None:
        now, progress = self._clock(), self.progress
        quarantine, by_device = Quarantine(), dict[str, list[Wire]]()
        good, first_fault = 0, ""
        refused = dict(progress.refused)
        for line in batch:
            try:
                row = self._row(line, now)
            except RowFault as fault:
                reason = fault.rejected.reason.value
                first_fault = first_fault or f"line {line.number}: {fault.rejected.text}"
                if sum(refused.values()) < self._most_kept:
                    self._refuse(quarantine, line, fault.rejected)
                refused[reason] = refused.get(reason, 0) + 1
                continue
            if row is not None:
                good += 1
                by_device.setdefault(row.device, []).extend(row.readings)
        at_start = progress.offset_bytes == self._source.begins_at
        if at_start and not good and first_fault and sum(refused.values()) >= NONE_OF_FIRST:
            most = f"none of the first {sum(refused.values()):,} lines can be taken"
            raise ImportFault(f"{most}; {first_fault}: does the mapping fit the file?")
        result = self._store(by_device, now)
        progress.offset_bytes, progress.lines = batch[-1].ends_at, batch[-1].number
        progress.stored += result[0]
        progress.repeated += result[1]
        progress.refused = refused
        if not self._wish.dry_run:
            self._settle(quarantine, now)

    def _row(self, line: Line, now: datetime) -> Row | None:
        """The readings of a line; None for an empty one. Raises RowFault."""
        if line.content is None:
            raise RowFault(Reason.TOO_LARGE, "the line is longer than 64 KiB")
        try:
            text = line.content.decode(self._encoding)
        except UnicodeDecodeError:
            raise RowFault(Reason.MALFORMED, f"not text in {self._encoding}") from None
        if not text.strip():
            return None
        row = self._reader.read(text.rstrip("\r\n"), now)
        self._check_day(row.readings[0].at)
        self._check_sender(row.device)
        return row

    def _check_day(self, at: datetime) -> None:
        if at < self._oldest:
            text = f"measured before {self._wish.oldest}, the oldest day of this import (--oldest)"
            raise RowFault(Reason.TIME_TOO_OLD, text)
        if at.date() in self._away:
            text = "its day is archived or erased, and takes no further readings"
            raise RowFault(Reason.TIME_TOO_OLD, text)

    def _check_sender(self, device: str) -> None:
        if device not in self._gateways:
            raise RowFault(Reason.UNKNOWN_DEVICE, "no device of this name is registered")
        own, wanted = self._gateways[device], self._wish.gateway
        if own is None and wanted is None:
            text = "the device has no gateway of its own: say with --gateway who speaks for it"
            raise RowFault(Reason.UNKNOWN_GATEWAY, text)
        if own is not None and wanted is not None and own != wanted:
            text = "the device is registered to another gateway than --gateway"
            raise RowFault(Reason.WRONG_GATEWAY, text)

    def _refuse(self, quarantine: Quarantine, line: Line, rejected: Rejected) -> None:
        text = f"line {line.number}: {rejected.text}"
        topic = f"{IMPORT_TOPIC}{self._source.fingerprint[:16]}"
        payload = line.content or b""
        kept = Rejected(rejected.reason, text, line.number)
        # Who may look at the line depends on whose device it is of.
        device = self._reader.device(payload.decode(self._encoding, "replace").rstrip("\r\n"))
        quarantine.add(topic, payload, self._wish.gateway or "", device, kept)

    def _store(self, by_device: dict[str, list[Wire]], now: datetime) -> tuple[int, int]:
        messages = [
            message
            for device, readings in sorted(by_device.items())
            for message in self._messages(device, readings, now)
        ]
        if not messages or self._wish.dry_run:
            return sum(len(readings) for readings in by_device.values()), 0
        results = ingest.store_or_part(self._sessions, messages, now, self._limits, None)
        return sum(each.stored for each in results), sum(each.repeated for each in results)

    def _messages(self, device: str, readings: list[Wire], now: datetime) -> Iterator[Message]:
        gateway = self._wish.gateway or self._gateways[device]
        for first in range(0, len(readings), READINGS_PER_MESSAGE):
            part = readings[first : first + READINGS_PER_MESSAGE]
            payload = msgspec.json.encode(Envelope(v=1, device=device, readings=part))
            yield Message(f"telemetry/v1/{gateway}/{device}", payload, now)

    def _settle(self, quarantine: Quarantine, now: datetime) -> None:
        """Commit the place together with what was refused, so that neither is done twice."""
        with self._sessions.begin() as session:
            quarantine.write(session, now)
            row = imports.of_fingerprint(session, self._source.fingerprint)
            assert row is not None
            row.updated_at = now
            _write(row, self.progress)

    def _finish(self) -> None:
        with self._sessions.begin() as session:
            row = imports.of_fingerprint(session, self._source.fingerprint)
            assert row is not None
            row.finished_at = row.updated_at = self._clock()
            audit.record(
                session,
                Act.COLLECTION,
                "readings imported",
                at=row.finished_at,
                actor="import",
                subject_kind="import",
                subject_id=row.id,
                detail={"lines": row.lines, "stored": row.stored, "repeated": row.repeated},
            )


def _write(row: ImportRow, progress: Progress) -> None:
    row.offset_bytes, row.lines = progress.offset_bytes, progress.lines
    row.stored, row.repeated = progress.stored, progress.repeated
    row.refused = dict(progress.refused)
