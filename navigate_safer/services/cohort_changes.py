"""Decide about the cohort: panels, colours, who works with whom, flags, reasons to move up."""

from collections.abc import Collection
from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import cohort as queries
from navigate_safer.db.base import Sessions
from navigate_safer.db.offending import OffendingRow
from navigate_safer.people.access import Scope
from navigate_safer.people.cohort import (
    BY_HAND,
    FLAGS,
    LEADS,
    MEMBERSHIP,
    RAG,
    SAFETY,
    UPWARD,
    Decision,
    Flags,
    Leads,
    Membership,
    SafetyCheck,
    UpwardEvent,
    few_agencies,
)
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.offending import EntryKind
from navigate_safer.people.rag import Colour, RagStatus
from navigate_safer.people.records import Due, Record
from navigate_safer.people.teams import TEAMS, Team
from navigate_safer.services import case_state, cohort, leaving, one_record, records
from navigate_safer.services.cohort import PersonCohort
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import About

PANEL_SOURCE = "cohort panel"
# Keys of causes that are kept with a colour; those of before are the oldest and fall out first.
MOST_CONSIDERED = 500


def decide_panel(
    sessions: Sessions, scope: Scope, ref: str, body: Membership, replaces: int, now: datetime
) -> Record[Membership]:
    """Keep what a panel decided; raises Refused, Stale, Forbidden and NotFound.

    The first selection is also the day from which outcomes are counted. Whoever leaves the cohort
    has no colour to be reviewed; who is selected has an open case.
    """
    scope.require(MEMBERSHIP.write)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        one_record.expect(session, scope, MEMBERSHIP, of, replaces)
        stands = cohort.person(session, scope, ref, now)
        _check_panel(body, stands, day_of(now))
        due = None
        if body.selected and body.next_panel_on is not None:
            due = Due(end_of(body.next_panel_on), "Selection panel looks again")
        kept = one_record.put(
            session, scope, MEMBERSHIP, of, body, replaces=replaces, now=now,
            state=body.decision.value, due=due,
        )  # fmt: skip
        said = f"Panel: {body.decision.label.lower()}"
        if body.selected:
            _count_from(session, of, kept, body.on, now)
            case_state.open_again(session, scope, of, said, now)
        elif _inside(stands):
            leaving.leave_cohort(session, scope, of, said, now)
        return kept


def _check_panel(body: Membership, stands: PersonCohort, today: date) -> None:
    was = _inside(stands)
    if body.on > today:
        raise Refused(on="Enter a day that is not in the future")
    if stands.membership is not None and body.on < stands.membership.body.on:
        raise Refused(on="Enter a day that is not before the panel that decided last")
    few = few_agencies(body.people, stands.policy)
    if few is not None:
        raise Refused(people=few)
    leaves = body.decision in {Decision.DESELECTED, Decision.TRANSFERRED, Decision.DIED}
    if leaves and not was:
        raise Refused(decision="This person is not in the cohort, so cannot leave it")
    if body.decision is Decision.DECLINED and was:
        raise Refused(decision="This person is in the cohort: select a way of leaving")
    if body.decision is Decision.DESELECTED and stands.why_not:
        raise Refused(
            decision=f"This person cannot be de-selected yet: {'; '.join(stands.why_not)}"
        )
    if body.selected and body.cohort is None:
        raise Refused(cohort="Select the cohort")
    if body.statutory and not body.legal_basis:
        raise Refused(legal_basis="Enter the legal basis, such as a licence or an order")


def _inside(stands: PersonCohort) -> bool:
    return stands.membership is not None and stands.membership.body.selected


def _count_from(
    session: Session, of: About, kept: Record[Membership], on: date, now: datetime
) -> None:
    assert of.wearer_id is not None, "a panel decides on a wearer"
    if queries.has_selection(session, of.wearer_id):
        return
    row = OffendingRow(ref=kept.ref, version=1, kind=EntryKind.SELECTION.value, on=on)
    row.wearer_id, row.source, row.as_at = of.wearer_id, PANEL_SOURCE, day_of(now)
    row.received_at = now
    session.add(row)


def decide_colour(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    body: RagStatus,
    seen: Collection[str],
    replaces: int,
    now: datetime,
) -> Record[RagStatus]:
    """Keep a colour; ``seen`` are the keys of the causes that were shown to whoever decides.

    What became known meanwhile stays a cause. Raises Refused, Stale, Forbidden and NotFound.
    """
    scope.require(RAG.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        one_record.expect(session, scope, RAG, of, replaces)
        stands = cohort.person(session, scope, ref, now)
        if not _inside(stands):
            raise Refused(colour="Not in the cohort: a panel has to select this person first")
        latest = stands.policy.review_on(body.colour, day_of(now), body.release_on)
        if not day_of(now) < body.review_on <= latest:
            raise Refused(review_on=f"Enter a day after today and not after {_said(latest)}")
        if body.release_on is not None and body.colour is not Colour.BLUE:
            raise Refused(release_on="Only somebody in custody is released: leave it empty")
        known = frozenset(each.key for each in stands.causes)
        before = () if stands.colour is None else stands.colour.body.considered[:MOST_CONSIDERED]
        kept = msgspec.structs.replace(
            body, considered=tuple(dict.fromkeys((*sorted(known & set(seen)), *before)))
        )
        due = Due(
            end_of(body.review_on),
            f"Review the colour: {body.colour.label.lower()}",
            wearer.offender_manager_id,
        )
        return one_record.put(
            session, scope, RAG, of, kept, replaces=replaces, now=now,
            state=body.colour.value, due=due, reason=body.cause,
        )  # fmt: skip


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def set_leads(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    body: Leads,
    reason: str,
    replaces: int,
    now: datetime,
) -> Record[Leads]:
    """Name the one key worker and the leads; the wearer's row and the record are one step."""
    scope.require(LEADS.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        able = {each.staff_id for each in queries.key_workers(session, scope, of.area_id)}
        if body.key_worker is not None and body.key_worker not in able:
            raise Refused(key_worker="Select a key worker of this area")
        teams = {team.name for team in _teams(session, scope, of)}
        if body.team and body.team not in teams:
            raise Refused(team="Select a team of this area")
        wearer.offender_manager_id = body.key_worker
        return one_record.put(
            session, scope, LEADS, of, body, replaces=replaces, now=now, reason=reason
        )


def _teams(session: Session, scope: Scope, of: About) -> list[Team]:
    found = one_record.live(session, scope, TEAMS, About(of.area_id))
    return [] if found is None else list(found.body.teams)


def set_flags(
    sessions: Sessions, scope: Scope, ref: str, body: Flags, replaces: int, now: datetime
) -> Record[Flags]:
    """Keep MAPPA, MARAC and the three needs; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(FLAGS.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        if (body.mappa_category is None) is not (body.mappa_level is None):
            raise Refused(mappa_level="Select both a category and a level, or neither")
        due = None
        if body.mappa_level is not None:
            if body.mappa_review_on is None:
                raise Refused(mappa_review_on="Enter when MAPPA looks again")
            due = Due(end_of(body.mappa_review_on), "MAPPA review", wearer.offender_manager_id)
        return one_record.put(session, scope, FLAGS, of, body, replaces=replaces, now=now, due=due)


def add_event(
    sessions: Sessions, scope: Scope, ref: str, body: UpwardEvent, now: datetime
) -> Record[UpwardEvent]:
    """Record something that moves somebody up at once; raises Refused, Forbidden, NotFound."""
    scope.require(UPWARD.write)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        if body.kind not in BY_HAND:
            raise Refused(kind="Select what became known")
        if body.on > day_of(now):
            raise Refused(on="Enter a day that is not in the future")
        return records.add(session, scope, UPWARD, of, body, now=now, state=body.kind.value)


def add_check(
    sessions: Sessions, scope: Scope, ref: str, body: SafetyCheck, now: datetime
) -> Record[SafetyCheck]:
    """Record that those who are protected were asked; raises Refused, Forbidden and NotFound."""
    scope.require(SAFETY.write)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        if body.on > day_of(now):
            raise Refused(on="Enter a day that is not in the future")
        return records.add(session, scope, SAFETY, of, body, now=now, state=body.result.value)
