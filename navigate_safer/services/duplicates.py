"""Who of those known may be the person of a referral: people of the areas, and other referrals."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.referrals import KnownPerson
from navigate_safer.people import linkage
from navigate_safer.people.access import Scope
from navigate_safer.people.linkage import Candidate, Identity, People
from navigate_safer.people.records import Record
from navigate_safer.people.referrals import KNOWN_AS, REFERRAL, KnownAs, Person, Referral
from navigate_safer.services import records

PERSON, OTHER = "person", "referral"


class Alike(msgspec.Struct, frozen=True):
    """Somebody who may be the same, with what an officer needs to decide.

    ``kind`` is person (one on the caseload) or referral (one that has not become a case).
    """

    kind: str
    ref: str
    name: str
    born_on: date | None
    locality: str
    band: str
    key_worker: str | None
    since: datetime | None
    match: Candidate


def alike(
    session: Session, scope: Scope, person: Person, own_ref: str | None = None
) -> list[Alike]:
    """Candidates, the likeliest first; ``own_ref`` is the referral that asks."""
    known = rows.known_people(session, scope)
    others = [
        each
        for each in records.listed(session, scope, REFERRAL)
        if each.wearer_id is None and each.ref != own_ref
    ]
    also = {each.wearer_id: each.body for each in records.listed(session, scope, KNOWN_AS)}
    people = People([*_people(known, also), *_referrals(others)], linkage.weights())
    by_key = {f"{PERSON}:{each.ref}": _person(each) for each in known}
    by_key |= {f"{OTHER}:{each.ref}": _referral(each) for each in others}
    return [
        msgspec.structs.replace(by_key[each.key], match=each)
        for each in people.candidates(person.identity(f"{OTHER}:{own_ref}"))
    ]


def _people(known: Sequence[KnownPerson], also: dict[int | None, KnownAs]) -> list[Identity]:
    made = []
    for each in known:
        more = also.get(each.wearer_id, KnownAs())
        person = Person(each.name, more.other_names, each.born_on, more.crn, more.pnc, more.nomis)
        made.append(person.identity(f"{PERSON}:{each.ref}"))
    return made


def _referrals(others: Sequence[Record[Referral]]) -> list[Identity]:
    return [each.body.person.identity(f"{OTHER}:{each.ref}") for each in others]


_NOBODY = Candidate("", 0.0, 0.0, False, [])


def _person(each: KnownPerson) -> Alike:
    return Alike(
        PERSON, each.ref, each.name, each.born_on, each.locality, each.band, each.key_worker,
        None, _NOBODY,
    )  # fmt: skip


def _referral(each: Record[Referral]) -> Alike:
    who = each.body.person
    return Alike(
        OTHER, each.ref, who.name, who.born_on, each.body.locality, "", None, each.at, _NOBODY
    )
