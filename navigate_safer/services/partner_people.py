"""Whom the rows of a partner's extract are about."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.people import WearerRow
from navigate_safer.people.partners import BadRow, Subject, plain_name


class People:
    """Whom the rows of an area may be about: by reference, or by name and date of birth."""

    def __init__(self, session: Session, area_id: int) -> None:
        found = session.execute(
            select(WearerRow.id, WearerRow.ref, WearerRow.name, WearerRow.born_on).where(
                WearerRow.area_id == area_id
            )
        )
        self._by_ref: dict[str, int] = {}
        self._by_name: dict[tuple[str, date], list[int]] = {}
        for wearer_id, ref, name, born_on in found:
            self._by_ref[ref.casefold()] = wearer_id
            self._by_name.setdefault((plain_name(name), born_on), []).append(wearer_id)

    def named(self, subject: Subject) -> int | None:
        """The wearer that a row names; None when he is not in the cohort.

        Raises BadRow where two fit, since a guess would put a record on the wrong man.
        """
        if subject.person:
            return self._by_ref.get(subject.person.casefold())
        if subject.born_on is None:
            return None
        found = self._by_name.get((plain_name(subject.name), subject.born_on), [])
        if len(found) > 1:
            raise BadRow("name", "two people of the cohort have this name and date of birth")
        return found[0] if found else None
