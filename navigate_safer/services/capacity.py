"""Who has how many cases, against what one worker can have; waits, throughput, length of stay."""

from datetime import date, datetime, timedelta
from statistics import median

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import capacity
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.people.caseloads import (
    LIMITS,
    CaseloadLimits,
    Load,
    Need,
    load,
    shipped,
)
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import REQUEST, Band, Request, RequestState
from navigate_safer.people.records import Record
from navigate_safer.services import menu, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About, SlotTaken

# Flow is told over the last twelve months.
FLOW_OVER = timedelta(days=365)
HIGH, MEDIUM = "high_risk_victims", "medium_risk_victims"


class NotSet(Exception):
    """Limits that cannot be; ``errors`` by the field that is to be mended."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class Flow(msgspec.Struct, frozen=True):
    """One intervention over the last twelve months; stays and waits in days."""

    name: str
    asked: int
    started: int
    over: int
    completed: int
    waiting: int
    wait_days: float | None
    stay_days: float | None


class AreaCapacity(msgspec.Struct, frozen=True):
    """One area. ``record`` is None where the shipped limits hold; ``nobody`` have no key worker."""

    area_id: int
    name: str
    limits: CaseloadLimits
    record: Record[CaseloadLimits] | None
    loads: list[Load]
    nobody: int
    victims: list[Need]
    perpetrators: Need
    flows: list[Flow]

    @property
    def idvas_short(self) -> bool:
        """Whether high and medium risk together need more IDVAs than there are."""
        return sum(each.needed for each in self.victims) > self.victims[0].workers


def see(sessions: Sessions, scope: Scope, now: datetime) -> list[AreaCapacity]:
    """Each area of the scope; raises Forbidden."""
    scope.require(Permission.SEE_CAPACITY)
    with sessions.begin() as session:
        named = menu.areas(session, scope)
        requests = records.listed(session, scope, REQUEST)
        records.consulted(session, scope, "capacity", now, detail={"areas": list(named)})
        return [
            _area(session, scope, area_id, name, requests, day_of(now))
            for area_id, name in named.items()
        ]


def limits_of(
    session: Session, scope: Scope, area_id: int
) -> tuple[CaseloadLimits, Record[CaseloadLimits] | None]:
    """The limits of an area, and the record of them if its supervisor has set any."""
    record = records.in_slot(session, scope, LIMITS, _slot(area_id))
    return (shipped() if record is None else record.body), record


def _slot(area_id: int) -> str:
    return f"caseload-limits:{area_id}"


def _area(
    session: Session,
    scope: Scope,
    area_id: int,
    name: str,
    requests: list[Record[Request]],
    today: date,
) -> AreaCapacity:
    limits, record = limits_of(session, scope, area_id)
    loads = _loads(session, scope, area_id, limits)
    own = [each for each in requests if each.area_id == area_id]
    return AreaCapacity(
        area_id=area_id,
        name=name,
        limits=limits,
        record=record,
        loads=loads,
        nobody=capacity.without_key_worker(session, scope, area_id),
        victims=_victims(session, scope, area_id, limits),
        perpetrators=_perpetrators(session, scope, area_id, limits, loads),
        flows=_flows(own, today),
    )


def _loads(session: Session, scope: Scope, area_id: int, limits: CaseloadLimits) -> list[Load]:
    managers = capacity.staff_of_role(session, scope, area_id, Role.OFFENDER_MANAGER)
    names = dict(managers)
    bands: dict[int, dict[str, int]] = {each: {} for each in managers}
    for each in capacity.key_workers(session, scope, area_id):
        names[each.staff_id] = each.name
        bands.setdefault(each.staff_id, {})[each.band] = each.cases
    most = limits.of("perpetrators").cases_each
    made = [load(names[key], by_band, most, limits.weights) for key, by_band in bands.items()]
    return sorted(made, key=lambda each: (-each.weighted, each.name))


def _victims(session: Session, scope: Scope, area_id: int, limits: CaseloadLimits) -> list[Need]:
    by_band = capacity.victims(session, scope, area_id)
    idvas = len(capacity.staff_of_role(session, scope, area_id, Role.IDVA))
    return [
        Need(limits.of(HIGH), by_band.get(Band.HIGH.value, 0), idvas),
        Need(limits.of(MEDIUM), by_band.get(Band.MEDIUM.value, 0), idvas),
    ]


def _perpetrators(
    session: Session, scope: Scope, area_id: int, limits: CaseloadLimits, loads: list[Load]
) -> Need:
    nobody = capacity.without_key_worker(session, scope, area_id)
    cases_open = sum(each.weighted for each in loads) + nobody
    return Need(limits.of("perpetrators"), cases_open, len(loads))


def _flows(requests: list[Record[Request]], today: date) -> list[Flow]:
    names = sorted({each.body.name for each in requests})
    return [_flow(name, [x for x in requests if x.body.name == name], today) for name in names]


def _flow(name: str, requests: list[Record[Request]], today: date) -> Flow:
    since = today - FLOW_OVER
    bodies = [each.body for each in requests]
    started = [x for x in bodies if x.first_session_on and x.first_session_on >= since]
    over = [x for x in bodies if x.first_session_on and x.ended_on and x.ended_on >= since]
    waits = [(x.first_session_on - x.asked_on).days for x in started if x.first_session_on]
    stays = [
        (x.ended_on - x.first_session_on).days for x in over if x.ended_on and x.first_session_on
    ]
    states = [RequestState(each.state) for each in requests]
    return Flow(
        name=name,
        asked=sum(x.asked_on >= since for x in bodies),
        started=len(started),
        over=len(over),
        completed=sum(
            each.state == RequestState.COMPLETED.value and each.body in over for each in requests
        ),
        waiting=sum(each is RequestState.WAITING for each in states),
        wait_days=median(waits) if waits else None,
        stay_days=median(stays) if stays else None,
    )


def set_limits(
    sessions: Sessions,
    scope: Scope,
    area_id: int,
    made: CaseloadLimits,
    *,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """The limits of an area from now on; ``replaces`` 0 for the first that it sets.

    Raises Forbidden, NotFound, Stale and :class:`NotSet`.
    """
    scope.require(LIMITS.write)
    if area_id not in scope.areas:
        raise NotFound
    if any(each.cases_each <= 0 or each.months_open <= 0 for each in made.caseloads):
        raise NotSet(perpetrators="Enter numbers above nought")
    with sessions.begin() as session:
        known = records.in_slot(session, scope, LIMITS, _slot(area_id))
        slot = _slot(area_id)
        if known is None:
            try:
                records.add(
                    session, scope, LIMITS, About(area_id), made, now=now, state="in_force",
                    slot=slot, reason=reason,
                )  # fmt: skip
            except SlotTaken:
                raise NotSet(reason="Somebody else has just set them: look again") from None
        else:
            records.change(
                session, scope, LIMITS, known.ref, made, replaces=replaces, now=now, slot=slot,
                reason=reason,
            )  # fmt: skip
