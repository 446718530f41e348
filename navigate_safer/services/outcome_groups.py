"""The second set of people that a reader compares with: by area, by band, or one by one."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import offending as records
from navigate_safer.db import outcomes as stored
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.offending import history_of
from navigate_safer.people.outcome_comparison import Side
from navigate_safer.services.offending import entry_of

BANDS = ("high", "medium")


class UnknownPeople(Exception):
    """References that nobody of the reader's areas has; ``refs`` are they."""

    def __init__(self, refs: list[str]) -> None:
        super().__init__(", ".join(refs))
        self.refs = refs


class Against(msgspec.Struct, frozen=True):
    """Who is in the second set: of these areas and of these bands, where any are given; or named.

    Everybody else of the report is the first set.
    """

    areas: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a second set at all."""
        return bool(self.areas or self.bands or self.people)


def sides(
    session: Session, scope: Scope, area: str | None, against: Against, known: datetime
) -> tuple[Side, Side]:
    """Both groups with their histories as known; raises :class:`UnknownPeople`."""
    areas = {ref: (area_id, name) for area_id, ref, name in stored.areas(session, scope)}
    found = records.known_at(session, scope, scope.areas, known)
    unknown = sorted(set(against.people) - {row.ref for row, _ in found})
    if unknown:
        raise UnknownPeople(unknown)
    wanted = {areas[ref][0] for ref in against.areas if ref in areas}
    own = None if area is None else areas[area][0]
    first, second = [], []
    for row, rows in found:
        entries = [entry_of(each, row.ref) for each in rows]
        history = history_of(row.ref, row.born_on, entries)
        if _is_second(row, against, wanted):
            second.append(history)
        elif own is None or row.area_id == own:
            first.append(history)
    names = [areas[ref][1] for ref in against.areas if ref in areas]
    return (
        Side("The others" if area is None else areas[area][1], tuple(first)),
        Side(_name(against, names), tuple(second)),
    )


def _is_second(row: WearerRow, against: Against, areas: set[int]) -> bool:
    if row.ref in against.people:
        return True
    if not against.areas and not against.bands:
        return False
    return (not against.areas or row.area_id in areas) and (
        not against.bands or row.band in against.bands
    )


def _name(against: Against, areas: list[str]) -> str:
    parts = []
    if areas:
        parts.append(" and ".join(areas))
    if against.bands:
        parts.append(f"{' and '.join(against.bands)} band")
    if against.people:
        parts.append(f"{len(set(against.people))} named people")
    name = ", ".join(parts)
    return f"{name[:1].upper()}{name[1:]}"
