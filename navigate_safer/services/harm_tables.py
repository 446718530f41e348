"""Tables of harm from a page: what is loaded, and a new one from a CSV file."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from navigate_safer import csv_input
from navigate_safer.csv_input import BadInput
from navigate_safer.db import audit
from navigate_safer.db import offending as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.offending import ReferenceRow
from navigate_safer.db.reading import reading
from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import BadOutcomeInput
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.offending import HarmTable
from navigate_safer.services.offending import HARM_TABLE

LONGEST_READING_S = 10.0
CODE, DAYS = "code", "days"
# A longer one is no day of a sentence; the same bound as the case file's.
MOST_DAYS = 100_000.0


class Loaded(msgspec.Struct, frozen=True):
    """A table that is loaded; the newest is in use."""

    table: HarmTable
    loaded_at: datetime


def see(sessions: Sessions, scope: Scope, now: datetime) -> list[Loaded]:
    """Every table, the newest first; raises Forbidden."""
    scope.require(Permission.SEE_OUTCOMES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        rows = stored.references(session, HARM_TABLE, now)
        return [Loaded(msgspec.convert(each.body, HarmTable), each.loaded_at) for each in rows]


def read_table(content: bytes, version: str, source: str) -> HarmTable:
    """A table from a CSV file with the columns code and days; raises BadInput."""
    weights: dict[str, float] = {}
    for where, fields in csv_input.rows(content, "The file", (CODE, DAYS), key=CODE):
        code = fields[CODE]
        if code in weights:
            raise BadInput(f"{where}: code {code!r} is given twice; keep one")
        weights[code] = csv_input.number(fields, DAYS, 0.0, MOST_DAYS, where)
    if not weights:
        raise BadInput("The file: has no row; give each offence's code and its days")
    given = {"version": version.strip(), "source": source.strip(), "weights_days": weights}
    try:
        return as_type(given, HarmTable)
    except BadOutcomeInput as fault:
        raise BadInput(str(fault)) from None


def load(sessions: Sessions, scope: Scope, table: HarmTable, now: datetime) -> None:
    """Put a table in use; raises BadInput for a version that is loaded already, and Forbidden."""
    scope.require(Permission.EDIT_OUTCOME_BASIS)
    row = ReferenceRow
    taken = f"The version {table.version!r} is loaded already: give this one another name"
    try:
        with sessions.begin() as session:
            where = row.kind == HARM_TABLE, row.version == table.version
            if session.scalar(select(row.id).where(*where)) is not None:
                raise BadInput(taken)
            session.add(
                row(
                    kind=HARM_TABLE,
                    version=table.version,
                    source=table.source,
                    body=msgspec.to_builtins(table),
                    loaded_at=now,
                )
            )
            audit.record(
                session,
                Act.ALTERATION,
                "harm table",
                at=now,
                actor="staff",
                staff_id=scope.staff_id,
                subject_kind="outcomes",
                detail={"version": table.version, "codes": len(table.weights_days)},
            )
    except IntegrityError:
        raise BadInput(taken) from None
