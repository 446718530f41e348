"""The menu of interventions: what there is, how full it is, and its changes as versions."""

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, WearerRow
from navigate_safer.people import menu_rules
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import (
    INTERVENTION,
    REQUEST,
    Intervention,
    Request,
    RequestState,
    queue,
    shipped,
)
from navigate_safer.people.menu_rules import Double, Wait
from navigate_safer.people.records import Record
from navigate_safer.services import records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About, SlotTaken

OFFERED, WITHDRAWN = "offered", "withdrawn"


class NotKept(Exception):
    """An entry that cannot be kept; ``errors`` by the field that is to be mended."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class MenuLine(msgspec.Struct, frozen=True):
    """An entry of the menu and how full it is with perpetrators."""

    record: Record[Intervention]
    area: str
    taken: int
    waiting: int
    requested: int

    @property
    def free(self) -> int:
        """Places of perpetrators that nobody has."""
        return max(0, self.record.body.places_perpetrators - self.taken)


class MenuPage(msgspec.Struct, frozen=True):
    """The menu of the areas; ``preventive`` is the share of requests, None without any."""

    lines: list[MenuLine]
    doubles: list[Double]
    waits: list[Wait]
    preventive: float | None
    areas: dict[int, str]


class EntryPage(msgspec.Struct, frozen=True):
    """One entry with its history and its requests, those who wait in the order of places.

    ``names`` are the menu's by code, ``people`` those who have asked by reference.
    """

    line: MenuLine
    versions: list[Record[Intervention]]
    live: list[Record[Request]]
    waiting: list[Record[Request]]
    past: int
    names: dict[str, str]
    people: dict[str, str]


def areas(session: Session, scope: Scope) -> dict[int, str]:
    """Names of the scope's areas by id."""
    query = select(AreaRow.id, AreaRow.name).where(AreaRow.id.in_(scope.areas))
    return {row.id: row.name for row in session.execute(query.order_by(AreaRow.name))}


def areas_of(sessions: Sessions, scope: Scope) -> dict[int, str]:
    """The areas that somebody works in; raises Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions() as session:
        return areas(session, scope)


def see(sessions: Sessions, scope: Scope, now: datetime) -> MenuPage:
    """The whole menu; raises Forbidden."""
    with sessions.begin() as session:
        named = areas(session, scope)
        offered = offers(session, scope)
        requests = records.listed(session, scope, REQUEST)
        lines = [_line(each, requests, named) for each in offered]
        by_code = {(each.area_id, each.body.code): each.body for each in offered}
        asked = [
            by_code[each.area_id, each.body.code]
            for each in requests
            if (each.area_id, each.body.code) in by_code
        ]
        doubles = [
            pair
            for area in named
            for pair in menu_rules.doubles([x.body for x in offered if x.area_id == area])
        ]
        records.consulted(session, scope, "menu", now, detail={"entries": len(lines)})
        return MenuPage(
            lines=lines,
            doubles=doubles,
            waits=menu_rules.waits(
                [(RequestState(each.state), each.body) for each in requests], day_of(now)
            ),
            preventive=menu_rules.preventive_share(asked),
            areas=named,
        )


def entry(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> EntryPage:
    """One entry; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, INTERVENTION, ref)
        record = versions[0]
        requests = [
            each
            for each in records.listed(session, scope, REQUEST)
            if each.area_id == record.area_id and each.body.code == record.body.code
        ]
        waiting = [each for each in requests if each.state == RequestState.WAITING.value]
        order = queue((each.body.band, each.body.asked_on, each.ref) for each in waiting)
        by_ref = {each.ref: each for each in waiting}
        live = [each for each in requests if RequestState(each.state).live]
        records.consulted(
            session, scope, "intervention", now,
            detail={"record": ref, "people": [each.wearer_id for each in live]},
        )  # fmt: skip
        return EntryPage(
            line=_line(record, requests, areas(session, scope)),
            versions=versions,
            live=[each for each in live if each.ref not in by_ref],
            waiting=[by_ref[each] for each in order],
            past=len(requests) - len(live),
            names={each.body.code: each.body.name for each in offers(session, scope)},
            people=_people(session, live),
        )


def _people(session: Session, requests: list[Record[Request]]) -> dict[str, str]:
    ids = [each.wearer_id for each in requests]
    query = select(WearerRow.ref, WearerRow.name).where(WearerRow.id.in_(ids))
    return {row.ref: row.name for row in session.execute(query)}


def offers(
    session: Session, scope: Scope, area_id: int | None = None
) -> list[Record[Intervention]]:
    """What is on the menu, of one area or of all, by name; raises Forbidden."""
    found = records.listed(session, scope, INTERVENTION, states=[OFFERED])
    kept = [each for each in found if area_id is None or each.area_id == area_id]
    return sorted(kept, key=lambda each: (each.body.need.value, each.body.name))


def _line(
    record: Record[Intervention], requests: list[Record[Request]], named: dict[int, str]
) -> MenuLine:
    states = Counter(
        each.state
        for each in requests
        if each.area_id == record.area_id and each.body.code == record.body.code
    )
    return MenuLine(
        record=record,
        area=named.get(record.area_id, ""),
        taken=sum(states[each.value] for each in RequestState if each.has_place),
        waiting=states[RequestState.WAITING.value],
        requested=states[RequestState.REQUESTED.value],
    )


def add(
    sessions: Sessions, scope: Scope, area_id: int, made: Intervention, reason: str, now: datetime
) -> str:
    """Put an entry on the menu of an area; its reference.

    Raises Forbidden, NotFound and :class:`NotKept`.
    """
    scope.require(INTERVENTION.write)
    with sessions.begin() as session:
        return _add(session, scope, area_id, made, reason, now)


def _add(
    session: Session, scope: Scope, area_id: int, made: Intervention, reason: str, now: datetime
) -> str:
    if area_id not in scope.areas:
        raise NotFound
    others = [each.body for each in offers(session, scope, area_id)]
    _check(made, others)
    try:
        kept = records.add(
            session, scope, INTERVENTION, About(area_id), made,
            now=now, state=OFFERED, slot=_slot(area_id, made.code), reason=reason,
        )  # fmt: skip
    except SlotTaken:
        raise NotKept(name="That intervention is on the menu already: change that entry") from None
    return kept.ref


def change(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    made: Intervention,
    *,
    offered: bool,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """A new version, or with ``offered`` False the end of the offer.

    Raises Forbidden, NotFound, :class:`NotKept` and Stale.
    """
    scope.require(INTERVENTION.write)
    with sessions.begin() as session:
        before = records.newest(session, scope, INTERVENTION, ref)
        others = [x.body for x in offers(session, scope, before.area_id) if x.ref != ref]
        _check(made, others)
        refused = menu_rules.may_become(before.body, made)
        if refused:
            raise NotKept(places_perpetrators=refused)
        records.change(
            session, scope, INTERVENTION, ref, made, replaces=replaces, now=now, reason=reason,
            state=OFFERED if offered else WITHDRAWN,
            slot=_slot(before.area_id, made.code) if offered else None,
        )  # fmt: skip


def take_shipped(sessions: Sessions, scope: Scope, area_id: int, now: datetime) -> int:
    """Put what the service ships and the area has not on its menu; how many that were.

    Raises Forbidden and NotFound.
    """
    scope.require(INTERVENTION.write)
    menu = shipped()
    with sessions.begin() as session:
        known = {each.body.code for each in offers(session, scope, area_id)}
        missing = [each for each in menu.interventions if each.code not in known]
        for each in missing:
            _add(session, scope, area_id, each, f"shipped menu of {menu.version}", now)
        return len(missing)


def _check(made: Intervention, others: list[Intervention]) -> None:
    refused = menu_rules.may_stand_beside(made, others)
    if refused:
        raise NotKept(name=refused)
    if menu_rules.depends_on_itself(made, others):
        raise NotKept(after=f"{made.name} would have to be completed before itself")


def _slot(area_id: int, code: str) -> str:
    return f"intervention:{area_id}:{code}"
