"""Look at the cohort: the list with its colours, and the page of one person. It is logged."""

from collections import Counter
from datetime import datetime
from itertools import takewhile

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import caseload
from navigate_safer.db import cohort as queries
from navigate_safer.db.base import Sessions
from navigate_safer.db.caseload import CaseLine
from navigate_safer.db.cohort import StaffChoice
from navigate_safer.people import mappa
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.closing import CASE
from navigate_safer.people.cohort import (
    FLAGS,
    LEFT,
    MEMBERSHIP,
    RAG,
    SAFETY,
    UPWARD,
    Flags,
    Gap,
    IomCohort,
    Leads,
    Membership,
    SafetyCheck,
    UpwardEvent,
    gaps,
    why_not_deselect,
)
from navigate_safer.people.cohort_policy import CohortPolicy
from navigate_safer.people.days import day_of
from navigate_safer.people.mappa import Suggestion
from navigate_safer.people.rag import Colour, Decided, RagStatus, Standing, Trigger, green_since
from navigate_safer.people.records import BodyT, Record, RecordKind
from navigate_safer.people.teams import Team, route
from navigate_safer.services import case_state, cohort_watch, one_record, records
from navigate_safer.services.cohort_watch import Known
from navigate_safer.services.records import About


class Wish(msgspec.Struct, frozen=True):
    """Whom to list; None or empty leaves a filter out. ``whole`` lists those outside too."""

    search: str = ""
    colour: Colour | None = None
    iom: IomCohort | None = None
    statutory: bool | None = None
    team: str = ""
    missing: bool = False
    whole: bool = False


class CohortLine(msgspec.Struct, frozen=True):
    """One person as the list has them."""

    person: CaseLine
    membership: Membership | None
    standing: Standing
    review_at: datetime | None
    leads: Leads | None
    flags: Flags | None
    gaps: list[Gap]


class CohortList(msgspec.Struct, frozen=True):
    """The list; ``counts`` are of everybody in the cohort, whatever the filters say.

    ``undecided`` are those in it to whom nobody has given a colour; ``without_lead`` counts those
    to whom somebody is missing.
    """

    lines: list[CohortLine]
    counts: dict[Colour, int]
    undecided: int
    selected: int
    without_lead: int
    three_needs: int
    teams: list[str]


class Cause(msgspec.Struct, frozen=True):
    """A trigger as somebody may see it; ``alert`` is its reference, for those who see alerts."""

    key: str
    label: str
    known_at: datetime
    alert: str = ""


class PersonCohort(msgspec.Struct, frozen=True):
    """Everything about one person and the cohort. ``why_not`` stands against de-selection."""

    ref: str
    name: str
    band: str
    locality: str
    key_worker: str | None
    key_worker_id: int | None
    membership: Record[Membership] | None
    colour: Record[RagStatus] | None
    leads: Record[Leads] | None
    flags: Record[Flags] | None
    decisions: list[Record[Membership]]
    colours: list[Record[RagStatus]]
    events: list[Record[UpwardEvent]]
    checks: list[Record[SafetyCheck]]
    standing: Standing
    causes: list[Cause]
    gaps: list[Gap]
    why_not: list[str]
    suggestion: Suggestion | None
    team: Team | None
    inside: bool
    policy: CohortPolicy
    staff: list[StaffChoice]


def see_all(sessions: Sessions, scope: Scope, wish: Wish, now: datetime) -> CohortList:
    """The cohort of the scope's areas; raises Forbidden."""
    with sessions.begin() as session:
        known = cohort_watch.load(session, scope, now)
        flags = {each.wearer_id: each.body for each in records.listed(session, scope, FLAGS)}
        everybody = [
            _line(known, each, flags.get(each.wearer_id))
            for each in caseload.caseload(session, scope)
        ]
        selected = [each for each in everybody if known.selected(each.person.wearer_id)]
        shown = [each for each in (everybody if wish.whole else selected) if _fits(each, wish)]
        shown.sort(key=_pressing)
        ids: list[object] = [each.person.wearer_id for each in shown]
        records.consulted(session, scope, "cohort", now, detail={"people": ids})
        colours = Counter(each.standing.colour for each in selected)
        return CohortList(
            lines=shown,
            counts={each: colours[each] for each in Colour},
            undecided=colours[None],
            selected=len(selected),
            without_lead=sum(bool(each.gaps) for each in everybody),
            three_needs=sum(each.flags is not None and each.flags.all_three for each in selected),
            teams=sorted({team.name for area in known.teams.values() for team in area}),
        )


def _line(known: Known, person: CaseLine, flags: Flags | None) -> CohortLine:
    wearer_id = person.wearer_id
    membership, leads = known.memberships.get(wearer_id), known.leads.get(wearer_id)
    colour = known.colours.get(wearer_id)
    return CohortLine(
        person=person,
        membership=None if membership is None else membership.body,
        standing=known.standing(wearer_id, 0 if membership is None else membership.area_id),
        review_at=None if colour is None or colour.due is None else colour.due.at,
        leads=None if leads is None else leads.body,
        flags=flags,
        gaps=_gaps(known, wearer_id, has_key_worker=person.has_key_worker, closed=False),
    )


def _gaps(known: Known, wearer_id: int, *, has_key_worker: bool, closed: bool) -> list[Gap]:
    leads = known.leads.get(wearer_id)
    return gaps(
        selected=known.selected(wearer_id),
        has_key_worker=has_key_worker,
        leads=None if leads is None else leads.body,
        closed=closed,
    )


def _fits(line: CohortLine, wish: Wish) -> bool:
    person, member = line.person, line.membership
    words = f"{person.name} {person.ref} {person.locality}".casefold()
    return (
        wish.search.casefold().strip() in words
        and (wish.colour is None or line.standing.colour is wish.colour)
        and (wish.iom is None or (member is not None and member.cohort is wish.iom))
        and (wish.statutory is None or (member is not None and member.statutory is wish.statutory))
        and (not wish.team or (line.leads is not None and line.leads.team == wish.team))
        and (not wish.missing or bool(line.gaps))
    )


_ORDER = {Colour.RED: 0, Colour.AMBER: 1, None: 2, Colour.GREEN: 3, Colour.BLUE: 4}


def _pressing(line: CohortLine) -> tuple[int, int, str]:
    return _ORDER[line.standing.colour], -len(line.standing.causes), line.person.ref


def see_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PersonCohort:
    """One person; raises Forbidden and NotFound."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        records.consulted(session, scope, "cohort", now, wearer_id=of.wearer_id)
        return person(session, scope, ref, now)


def person(session: Session, scope: Scope, ref: str, now: datetime) -> PersonCohort:
    """The same within the caller's transaction, which logs it."""
    of, wearer = records.about(session, scope, ref)
    case = caseload.person(session, scope, ref)
    assert case is not None, "there is such a wearer"
    assert of.wearer_id is not None, "a wearer has an id"
    known = cohort_watch.load(session, scope, now, of.wearer_id)
    stands, policy = known.standing(of.wearer_id, of.area_id), known.policy(of.area_id)
    closed = case_state.is_closed(one_record.live(session, scope, CASE, of))
    colours = _colours(session, scope, of)
    flags = one_record.live(session, scope, FLAGS, of)
    closed = case_state.is_closed(one_record.live(session, scope, CASE, of))
    checks = records.listed(session, scope, SAFETY, wearer_id=of.wearer_id)
    return PersonCohort(
        ref=wearer.ref,
        name=wearer.name,
        band=wearer.band,
        locality=wearer.locality,
        key_worker=case.offender_manager,
        key_worker_id=wearer.offender_manager_id,
        membership=known.memberships.get(of.wearer_id),
        colour=known.colours.get(of.wearer_id),
        leads=known.leads.get(of.wearer_id),
        flags=flags,
        decisions=_history(session, scope, MEMBERSHIP, of),
        colours=colours,
        events=records.listed(session, scope, UPWARD, wearer_id=of.wearer_id),
        checks=checks,
        standing=stands,
        causes=[_cause(each, scope) for each in stands.causes],
        gaps=_gaps(known, of.wearer_id, has_key_worker=case.has_key_worker, closed=closed),
        why_not=_why_not(known, stands, colours, checks, policy),
        suggestion=None if flags is None else mappa.suggest(flags.body.facts, policy),
        team=route(known.teams.get(of.area_id, ()), wearer.locality, wearer.band),
        inside=of.wearer_id in queries.in_custody(session, scope, day_of(now)),
        policy=policy,
        staff=queries.key_workers(session, scope, of.area_id),
    )


def _why_not(
    known: Known,
    stands: Standing,
    colours: list[Record[RagStatus]],
    checks: list[Record[SafetyCheck]],
    policy: CohortPolicy,
) -> list[str]:
    # Who was in the cohort before begins anew with the first colour after it.
    since = takewhile(lambda each: each.state != LEFT, colours)
    return why_not_deselect(
        known.now,
        standing=stands,
        green_since=green_since([Decided(each.body, each.made_at) for each in since]),
        checks=[each.body for each in checks],
        policy=policy,
    )


def _colours(session: Session, scope: Scope, of: About) -> list[Record[RagStatus]]:
    """Every decision on the colour, the newest first, also of earlier times in the cohort."""
    found = records.listed(session, scope, RAG, wearer_id=of.wearer_id)
    versions = [each for one in found for each in records.versions(session, scope, RAG, one.ref)]
    return sorted(versions, key=lambda each: each.made_at, reverse=True)


def _history(
    session: Session, scope: Scope, kind: RecordKind[BodyT], of: About
) -> list[Record[BodyT]]:
    found = one_record.live(session, scope, kind, of)
    return [] if found is None else records.versions(session, scope, kind, found.ref)


def _cause(trigger: Trigger, scope: Scope) -> Cause:
    sees = scope.may(Permission.SEE_BOARD)
    if trigger.alert and not sees:
        return Cause(trigger.key, "Found by monitoring", trigger.known_at)
    alert = trigger.ref if trigger.alert else ""
    return Cause(trigger.key, trigger.kind.label, trigger.known_at, alert)
