"""Requests for interventions: who is eligible, what is out of order, who has a place, who waits."""

from datetime import datetime

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import (
    MOVES,
    REQUEST,
    AlcoholNeed,
    Facts,
    Intervention,
    Motivation,
    Request,
    RequestState,
    refusals,
    warnings,
)
from navigate_safer.people.records import Record
from navigate_safer.services import menu, records
from navigate_safer.services.intervention_steps import NotAsked, due, entry_of, slot, taken_of
from navigate_safer.services.records import SlotTaken


class Asked(msgspec.Struct, frozen=True):
    """What somebody asks for, and what is known of the person."""

    code: str
    motivation: Motivation | None
    alcohol: AlcoholNeed | None
    note: str = ""
    went_on_because: str = ""


class Offer(msgspec.Struct, frozen=True):
    """An entry as it stands for one person."""

    entry: Intervention
    ref: str
    free: int
    refusals: list[str]
    warnings: list[str]
    live: bool


class PersonMenu(msgspec.Struct, frozen=True):
    """What somebody has and could have; ``facts`` as of the newest request."""

    ref: str
    name: str
    facts: Facts
    requests: list[Record[Request]]
    offers: list[Offer]


class RequestPage(msgspec.Struct, frozen=True):
    """One request with its history, and where it may go."""

    person_ref: str
    person_name: str
    versions: list[Record[Request]]
    moves: list[RequestState]
    free: int

    @property
    def record(self) -> Record[Request]:
        """The newest version."""
        return self.versions[0]


def of_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PersonMenu:
    """What one person has and could have; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        requests = records.listed(session, scope, REQUEST, wearer_id=of.wearer_id)
        facts = _facts(wearer, requests)
        had = _furthest(requests)
        live = {each.body.code for each in requests if RequestState(each.state).live}
        entries = menu.offers(session, scope, of.area_id)
        names = {each.body.code: each.body.name for each in entries}
        taken = taken_of(session, scope, of.area_id)
        records.consulted(session, scope, "interventions", now, wearer_id=of.wearer_id)
        return PersonMenu(
            ref=wearer.ref,
            name=wearer.name,
            facts=facts,
            requests=requests,
            offers=[
                Offer(
                    entry=each.body,
                    ref=each.ref,
                    free=max(0, each.body.places_perpetrators - taken.get(each.body.code, 0)),
                    refusals=refusals(each.body, facts),
                    warnings=warnings(each.body, had, names),
                    live=each.body.code in live,
                )
                for each in entries
            ],
        )


def _facts(wearer: WearerRow, requests: list[Record[Request]]) -> Facts:
    newest = requests[0].body if requests else None
    return Facts(
        band=wearer.band,
        locality=wearer.locality,
        motivation=newest.motivation if newest else None,
        alcohol=newest.alcohol if newest else None,
    )


def _furthest(requests: list[Record[Request]]) -> dict[str, RequestState]:
    """By code the state that says most: completed once is completed."""
    rank = {state: number for number, state in enumerate(_RANKED)}
    found: dict[str, RequestState] = {}
    for each in requests:
        state = RequestState(each.state)
        known = found.get(each.body.code)
        if known is None or rank[state] > rank[known]:
            found[each.body.code] = state
    return found


_S = RequestState
_RANKED = (_S.DECLINED, _S.ENDED, _S.REQUESTED, _S.WAITING, _S.ACCEPTED, _S.STARTED, _S.COMPLETED)


def ask(sessions: Sessions, scope: Scope, ref: str, asked: Asked, now: datetime) -> str:
    """Ask for an intervention for one person; the request's reference.

    Raises Forbidden, NotFound, and :class:`NotAsked` when the person is not eligible, when it is
    out of order and no reason is given to go on, or when it is asked for already.
    """
    scope.require(REQUEST.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        entries = {each.body.code: each.body for each in menu.offers(session, scope, of.area_id)}
        entry = entries.get(asked.code)
        if entry is None:
            raise NotAsked("code", ["Select an intervention that is on the menu."])
        facts = Facts(wearer.band, wearer.locality, asked.motivation, asked.alcohol)
        refused = refusals(entry, facts)
        if refused:
            raise NotAsked("code", refused)
        had = _furthest(records.listed(session, scope, REQUEST, wearer_id=of.wearer_id))
        names = {code: each.name for code, each in entries.items()}
        warned = warnings(entry, had, names)
        if warned and not asked.went_on_because:
            raise NotAsked(
                "went_on_because", [*warned, "Say why you go on, or ask for that first."]
            )
        made = Request(
            entry.code, entry.name, day_of(now), facts.band, facts.locality, facts.motivation,
            facts.alcohol, asked.note, tuple(warned), asked.went_on_because if warned else "",
        )  # fmt: skip
        try:
            kept = records.add(
                session, scope, REQUEST, of, made, now=now, state=_S.REQUESTED.value,
                slot=slot(of.wearer_id, entry.code),
                due=due(made, _S.REQUESTED, entry, now), reason=f"{entry.name} asked for",
            )  # fmt: skip
        except SlotTaken:
            raise NotAsked("code", [f"{entry.name} is asked for already."]) from None
        return kept.ref


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> RequestPage:
    """One request; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, REQUEST, ref)
        record = versions[0]
        assert record.wearer_ref is not None, "a request is about a person"
        _, wearer = records.about(session, scope, record.wearer_ref)
        entry = entry_of(session, scope, record)
        taken = taken_of(session, scope, record.area_id).get(record.body.code, 0)
        records.consulted(session, scope, "request", now, wearer_id=record.wearer_id)
        return RequestPage(
            person_ref=wearer.ref,
            person_name=wearer.name,
            versions=versions,
            moves=list(MOVES.get(RequestState(record.state), ())),
            free=max(0, (entry.body.places_perpetrators if entry else 0) - taken),
        )
