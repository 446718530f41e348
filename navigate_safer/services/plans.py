"""Look at plans: of one person with all beside it, of an area what is missing or twice."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from alerts.policy import Plan
from navigate_safer.db import caseload
from navigate_safer.db import cohort as queries
from navigate_safer.db.base import Sessions
from navigate_safer.db.caseload import CaseLine
from navigate_safer.people import duplicates, plan_catalogue
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.duplicates import Twice
from navigate_safer.people.grip import Answer, Grip, Seen, grip
from navigate_safer.people.plan_catalogue import Catalogue
from navigate_safer.people.plan_log import (
    AGREEMENT,
    CONTACT,
    OFFER,
    TRIGGERED,
    UNMANAGED,
    Agreement,
    Contact,
    Offer,
    Triggered,
    Unmanaged,
)
from navigate_safer.people.plan_sequence import OutOfOrder, out_of_order
from navigate_safer.people.plans import PLAN, EngagementPlan, Missing, missing
from navigate_safer.people.rag import Standing
from navigate_safer.people.records import Record
from navigate_safer.services import cohort_watch, one_record, records
from navigate_safer.services.records import About

MOST_SHOWN = 20


class PersonPlan(msgspec.Struct, frozen=True):
    """Everything about one person's plan; the logs have their newest entries."""

    ref: str
    name: str
    key_worker: str | None
    is_key_worker: bool
    plan: Record[EngagementPlan] | None
    versions: list[Record[EngagementPlan]]
    missing: list[Missing]
    out_of_order: list[OutOfOrder]
    twice: list[Twice]
    offers: list[Record[Offer]]
    contacts: list[Record[Contact]]
    triggered: list[Record[Triggered]]
    agreement: Record[Agreement] | None
    agreements: list[Record[Agreement]]
    unmanaged: Record[Unmanaged] | None
    grip: Grip
    standing: Standing
    catalogue: Catalogue


class PlanLine(msgspec.Struct, frozen=True):
    """One person of the list; without a plan ``missing`` says nothing."""

    person: CaseLine
    plan: Record[EngagementPlan] | None
    missing: list[Missing]
    twice: list[Twice]
    unmanaged: Record[Unmanaged] | None


class PlanList(msgspec.Struct, frozen=True):
    """Plans of the scope's areas, and those of the cohort who have none."""

    lines: list[PlanLine]
    without: int
    incomplete: int
    complete: int
    unmanaged: int
    catalogue: Catalogue


def see_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PersonPlan:
    """One person's plan; raises Forbidden and NotFound. It is logged."""
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        scope.require(PLAN.see)
        records.consulted(session, scope, "plan", now, wearer_id=of.wearer_id)
        case = caseload.person(session, scope, ref)
        assert case is not None, "there is such a wearer"
        found = one_record.live(session, scope, PLAN, of)
        agreement = one_record.live(session, scope, AGREEMENT, of)
        versions = [] if found is None else records.versions(session, scope, PLAN, found.ref)
        contacts = records.listed(session, scope, CONTACT, wearer_id=of.wearer_id)
        stands, gripped = _grip(session, scope, of, versions, contacts, now)
        return PersonPlan(
            ref=wearer.ref,
            name=wearer.name,
            key_worker=case.offender_manager,
            is_key_worker=wearer.offender_manager_id == scope.staff_id,
            plan=found,
            versions=versions,
            missing=[] if found is None else missing(found.body),
            out_of_order=[] if found is None else out_of_order(found.body),
            twice=[] if found is None else _twice(found.body),
            offers=records.listed(session, scope, OFFER, wearer_id=of.wearer_id, limit=MOST_SHOWN),
            contacts=contacts[:MOST_SHOWN],
            triggered=records.listed(
                session, scope, TRIGGERED, wearer_id=of.wearer_id, limit=MOST_SHOWN
            ),
            agreement=agreement,
            agreements=[]
            if agreement is None
            else records.versions(session, scope, AGREEMENT, agreement.ref),
            unmanaged=one_record.live(session, scope, UNMANAGED, of),
            grip=gripped,
            standing=stands,
            catalogue=plan_catalogue.shipped(),
        )


def _twice(plan: EngagementPlan) -> list[Twice]:
    return duplicates.twice(plan.steps, plan_catalogue.shipped().similar_words)


def _grip(
    session: Session,
    scope: Scope,
    of: About,
    versions: list[Record[EngagementPlan]],
    contacts: list[Record[Contact]],
    now: datetime,
) -> tuple[Standing, Grip]:
    assert of.wearer_id is not None, "a plan is about a wearer"
    known = cohort_watch.load(session, scope, now, of.wearer_id)
    stands = known.standing(of.wearer_id, of.area_id)
    days = plan_catalogue.shipped().grip_days
    level = None if stands.colour is None else known.policy(of.area_id).level(stands.colour)
    began = known.memberships.get(of.wearer_id)
    since = day_of(now) if began is None else began.body.on
    if versions:
        since = min(since, day_of(versions[-1].made_at))
    return stands, grip(
        day_of(now),
        now,
        days,
        since=since,
        level=level,
        checks=versions[0].body.checks if versions else (),
        seen=[Seen(each.body.on, each.body.check) for each in contacts if each.body.made],
        answers=_answers(session, scope, of.wearer_id, now - timedelta(days=days)),
    )


def _answers(session: Session, scope: Scope, wearer_id: int, since: datetime) -> list[Answer]:
    found = []
    for line in queries.answers(session, scope, wearer_id, since):
        first = msgspec.convert(line.plan, Plan).step(0)
        # What nobody was asked to answer cannot be answered late.
        if first is not None:
            found.append(Answer(line.opened_at, first.answer_within_s, line.answered_at))
    return found


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> PlanList:
    """Plans of the areas with what they lack and what is done twice; raises Forbidden."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        known = cohort_watch.load(session, scope, now)
        plans = {
            each.wearer_id: each for each in records.listed(session, scope, PLAN, states=("live",))
        }
        risks = {
            each.wearer_id: each
            for each in records.listed(session, scope, UNMANAGED, states=("live",))
        }
        lines = [
            _line(person, plans.get(person.wearer_id), risks.get(person.wearer_id))
            for person in caseload.caseload(session, scope)
            if person.wearer_id in plans
            or person.wearer_id in risks
            or known.selected(person.wearer_id)
        ]
        ids: list[object] = [each.person.wearer_id for each in lines]
        records.consulted(session, scope, "plans", now, detail={"people": ids})
        incomplete = sum(_incomplete(each) for each in lines)
        without = sum(each.plan is None for each in lines)
        return PlanList(
            lines=sorted(lines, key=_pressing),
            without=without,
            incomplete=incomplete,
            complete=len(lines) - without - incomplete,
            unmanaged=sum(each.unmanaged is not None for each in lines),
            catalogue=plan_catalogue.shipped(),
        )


def _line(
    person: CaseLine,
    plan: Record[EngagementPlan] | None,
    unmanaged: Record[Unmanaged] | None,
) -> PlanLine:
    lacking = [] if plan is None else missing(plan.body)
    return PlanLine(person, plan, lacking, [] if plan is None else _twice(plan.body), unmanaged)


def _incomplete(line: PlanLine) -> bool:
    return Missing.CONTROL in line.missing or Missing.SUPPORT in line.missing


def _pressing(line: PlanLine) -> tuple[bool, bool, bool, int, str]:
    return (
        line.unmanaged is None,
        line.plan is not None,
        not _incomplete(line),
        -len(line.twice),
        line.person.ref,
    )
