"""Whom the rows of a partner's extract are about."""

from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db import case_records
from navigate_safer.db.people import WearerRow
from navigate_safer.people.partners import BadRow, Subject, plain_name
from navigate_safer.people.person_names import KINDS, BadIdentifier
from navigate_safer.people.referrals import KNOWN_AS, KnownAs


class People:
    """Whom the rows of an area may be about: by a reference, or by name and date of birth.

    References are this service's own and the numbers that intake has kept: CRN, PNC, NOMIS.
    """

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
        self._by_number: dict[tuple[str, str], set[int]] = {}
        self._numbers: dict[int, dict[str, str]] = {}
        for wearer_id, body in case_records.bodies_of_area(session, KNOWN_AS, area_id):
            known = msgspec.convert(body, KnownAs)
            numbers = {"crn": known.crn, "pnc": known.pnc, "nomis": known.nomis}
            self._numbers[wearer_id] = {kind: each for kind, each in numbers.items() if each}
            for number in self._numbers[wearer_id].items():
                self._by_number.setdefault(number, set()).add(wearer_id)

    def named(self, subject: Subject) -> int | None:
        """The wearer that a row names; None when he is not in the cohort.

        A reference that nobody has here is the partner's own, and says nothing: then name and date
        of birth decide. Raises BadRow where two fit, or where the number is another than his, since
        a guess would put a record on the wrong man.
        """
        own = self._by_ref.get(subject.person.casefold()) if subject.person else None
        if own is not None:
            return own
        numbers = _numbers(subject.person)
        found = {each for number in numbers.items() for each in self._by_number.get(number, ())}
        if len(found) > 1:
            raise BadRow("person", "two people of the cohort have this number")
        if found:
            return found.pop()
        if subject.born_on is None:
            return None
        alike = self._by_name.get((plain_name(subject.name), subject.born_on), [])
        if len(alike) > 1:
            raise BadRow("name", "two people of the cohort have this name and date of birth")
        for wearer_id in alike:
            if any(kind in numbers for kind in self._numbers.get(wearer_id, {})):
                raise BadRow("person", "is another number than that of who has this name")
            return wearer_id
        return None


def _numbers(person: str) -> dict[str, str]:
    """A reference as each kind of number that it can be, in its canonical form."""
    made: dict[str, str] = {}
    for kind, read in KINDS.items():
        try:
            made[kind] = read(person)
        except BadIdentifier:
            continue
    return made
