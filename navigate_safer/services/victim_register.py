"""Register somebody who is protected, and from whom: only by those who are in contact with her.

The log has that it was done, never a name, a reference of hers or where she is.
"""

import secrets
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import audit, victims
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import VictimRow, VictimWearerRow
from navigate_safer.db.victims import VictimChangeRow, VictimLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.assessments import DASH
from navigate_safer.people.safety import address_to_keep
from navigate_safer.services import records
from navigate_safer.services.assessments import dash_slot, whose
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About
from navigate_safer.services.safety import Details, number_to_keep, one_of

# Without letters and digits that are taken for one another.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REF_LENGTH = 7


class NewVictim(msgspec.Struct, frozen=True):
    """Who is to be registered. ``wearer`` is the reference of whom she is protected from.

    ``another``: somebody of this name is registered, and this is another person.
    """

    area_id: int
    wearer: str
    details: Details
    another: bool = False


class Unknown(ValueError):
    """There is no perpetrator of this reference in the areas of whoever asks."""


class KnownAlready(ValueError):
    """Somebody of this name is registered: ``refs``."""

    def __init__(self, refs: list[str]) -> None:
        super().__init__(", ".join(refs))
        self.refs = refs


class StillNeeded(ValueError):
    """A link that something rests on; the text says what has to be ended first."""


def register(sessions: Sessions, scope: Scope, made: NewVictim, now: datetime) -> str:
    """Register somebody protected from one perpetrator; her reference.

    Raises Forbidden, NotFound (another's area), :class:`Unknown`, :class:`KnownAlready`,
    RefusedAddress and BadNumber.
    """
    scope.require(Permission.CONTACT_VICTIMS)
    if made.area_id not in scope.areas:
        raise NotFound
    with sessions.begin() as session:
        wearer_id = whose(_about(session, scope, made.wearer))
        if not made.another:
            _refuse_twin(session, scope, made.details.name)
        row = VictimRow(
            ref=_free_ref(session),
            name=made.details.name,
            area_id=made.area_id,
            address=address_to_keep(made.details.address, in_refuge=made.details.in_refuge),
            phone=number_to_keep(made.details.phone),
            in_refuge=made.details.in_refuge,
        )
        session.add(row)
        session.flush()
        session.add(VictimWearerRow(victim_id=row.id, wearer_id=wearer_id))
        _changed(session, scope, row.id, "registered", now)
        _log(session, scope, Act.COLLECTION, "protected person registered", row.id, now)
        return row.ref


def _refuse_twin(session: Session, scope: Scope, name: str) -> None:
    same = _plain(name)
    found = [each.ref for each in victims.listed(session, scope) if _plain(each.name) == same]
    if found:
        raise KnownAlready(found)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _free_ref(session: Session) -> str:
    known = victims.refs(session)
    while (ref := _drawn()) in known:
        pass
    return ref


def _drawn() -> str:
    return "V-" + "".join(secrets.choice(_LETTERS) for _ in range(_REF_LENGTH))


def link(sessions: Sessions, scope: Scope, ref: str, wearer: str, now: datetime) -> None:
    """She is protected from one more; that she was already changes nothing.

    Raises Forbidden, NotFound and :class:`Unknown`.
    """
    scope.require(Permission.CONTACT_VICTIMS)
    with sessions.begin() as session:
        line = _held(session, scope, ref)
        wearer_id = whose(_about(session, scope, wearer))
        if session.get(VictimWearerRow, (line.victim_id, wearer_id)) is None:
            session.add(VictimWearerRow(victim_id=line.victim_id, wearer_id=wearer_id))
            _changed(session, scope, line.victim_id, f"protected from {wearer}", now)
            what = "protected person linked to a perpetrator"
            _log(session, scope, Act.COMBINATION, what, line.victim_id, now)


def unlink(sessions: Sessions, scope: Scope, ref: str, wearer: str, now: datetime) -> None:
    """She is not protected from him any more.

    Raises Forbidden, NotFound, :class:`Unknown` where she was not linked to him, and
    :class:`StillNeeded` while a Dash or a condition of distance rests on the link.
    """
    scope.require(Permission.CONTACT_VICTIMS)
    with sessions.begin() as session:
        line = _held(session, scope, ref)
        of = _about(session, scope, wearer)
        row = session.get(VictimWearerRow, (line.victim_id, whose(of)))
        if row is None:
            raise Unknown(wearer)
        if records.in_slot(session, scope, DASH, dash_slot(of, ref)) is not None:
            raise StillNeeded(f"Close her Dash about {wearer} first")
        if victims.kept_apart(session, line.victim_id, whose(of), now):
            raise StillNeeded(f"An order of {wearer} keeps him away from her: it has to end first")
        session.delete(row)
        _changed(session, scope, line.victim_id, f"no longer protected from {wearer}", now)
        what = "protected person no longer linked to a perpetrator"
        _log(session, scope, Act.ALTERATION, what, line.victim_id, now)


def _held(session: Session, scope: Scope, ref: str) -> VictimLine:
    """One who is protected, locked: of two who link her at once the second sees the first."""
    line = one_of(session, scope, ref).line
    session.get_one(VictimRow, line.victim_id, with_for_update=True)
    return line


def _about(session: Session, scope: Scope, wearer: str) -> About:
    try:
        of, _row = records.about(session, scope, wearer)
    except NotFound:
        raise Unknown(wearer) from None
    return of


def _changed(session: Session, scope: Scope, victim_id: int, what: str, now: datetime) -> None:
    session.add(
        VictimChangeRow(victim_id=victim_id, made_by=scope.staff_id, made_at=now, what=what)
    )


def _log(
    session: Session, scope: Scope, act: Act, what: str, victim_id: int, now: datetime
) -> None:
    audit.record(
        session, act, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="victim", subject_id=victim_id,
    )  # fmt: skip
