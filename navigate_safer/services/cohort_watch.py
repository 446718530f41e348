"""Where everybody of the cohort stands now, and what about them asks for somebody.

Computed when it is looked at, from the records as they are at this moment: a breach that was
confirmed a second ago has moved somebody up, whether or not any worker is running.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import caseload
from navigate_safer.db import cohort as queries
from navigate_safer.people import cohort_policy
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.cohort import (
    LEADS,
    LEFT,
    MEMBERSHIP,
    RAG,
    UPWARD,
    Leads,
    Membership,
    UpwardEvent,
    gaps,
)
from navigate_safer.people.cohort_policy import POLICY, CohortPolicy
from navigate_safer.people.rag import Decided, RagStatus, Standing, Trigger, standing
from navigate_safer.people.records import BodyT, Record, RecordKind
from navigate_safer.people.teams import TEAMS, Team
from navigate_safer.services import records


class Known(msgspec.Struct, frozen=True):
    """The records that the rules need, by wearer; the settings by area."""

    now: datetime
    memberships: dict[int, Record[Membership]]
    colours: dict[int, Record[RagStatus]]
    leads: dict[int, Record[Leads]]
    triggers: dict[int, list[Trigger]]
    policies: dict[int, Record[CohortPolicy]]
    teams: dict[int, tuple[Team, ...]]

    def policy(self, area_id: int) -> CohortPolicy:
        """The settings of an area: its supervisor's, or the shipped ones."""
        found = self.policies.get(area_id)
        return cohort_policy.shipped() if found is None else found.body

    def selected(self, wearer_id: int) -> bool:
        """Whether somebody is in the cohort."""
        found = self.memberships.get(wearer_id)
        return found is not None and found.body.selected

    def standing(self, wearer_id: int, area_id: int) -> Standing:
        """Where somebody stands; nowhere, and without causes, outside of the cohort."""
        if not self.selected(wearer_id):
            return Standing(None, None, ())
        found = self.colours.get(wearer_id)
        decided = None if found is None else Decided(found.body, found.made_at)
        policy = self.policy(area_id)
        return standing(
            decided,
            self.triggers.get(wearer_id, []),
            policy.raises_to,
            now=self.now,
            look_back=timedelta(days=policy.look_back_days),
        )


def load(session: Session, scope: Scope, now: datetime, wearer_id: int | None = None) -> Known:
    """Everything the rules need, of one wearer or of all of the scope; raises Forbidden."""
    policies = _by_area(records.listed(session, scope, POLICY))
    rags = records.listed(session, scope, RAG, wearer_id=wearer_id)
    colours = _by_wearer(each for each in rags if each.state != LEFT)
    longest = [cohort_policy.shipped().look_back_days]
    longest += [each.body.look_back_days for each in policies.values()]
    look_back = timedelta(days=max(longest))
    since = min((each.made_at for each in colours.values()), default=now) - look_back
    triggers = queries.triggers(session, scope, since, now, wearer_id)
    for each in records.listed(session, scope, UPWARD, wearer_id=wearer_id):
        if each.wearer_id is not None:
            triggers.setdefault(each.wearer_id, []).append(_by_hand(each))
    teams = records.listed(session, scope, TEAMS)
    return Known(
        now=now,
        memberships=_by_wearer(records.listed(session, scope, MEMBERSHIP, wearer_id=wearer_id)),
        colours=colours,
        leads=_by_wearer(records.listed(session, scope, LEADS, wearer_id=wearer_id)),
        triggers=triggers,
        policies=policies,
        teams={each.area_id: each.body.teams for each in teams},
    )


def _by_hand(record: Record[UpwardEvent]) -> Trigger:
    return Trigger(record.body.kind, record.ref, record.made_at)


def _by_wearer(found: Iterable[Record[BodyT]]) -> dict[int, Record[BodyT]]:
    return {each.wearer_id: each for each in found if each.wearer_id is not None}


def _by_area(found: Iterable[Record[BodyT]]) -> dict[int, Record[BodyT]]:
    return {each.area_id: each for each in found}


class Asked(msgspec.Struct, frozen=True):
    """Something about a person that asks for somebody now; ``kind`` names the page."""

    kind: RecordKind[Leads] | RecordKind[RagStatus]
    what: str
    at: datetime


def asked(session: Session, scope: Scope, now: datetime) -> dict[int, list[Asked]]:
    """Who moved up and who has nobody, by wearer; for those who may decide on it, else nothing."""
    if not scope.may(Permission.SELECT_COHORT):
        return {}
    known = load(session, scope, now)
    found: dict[int, list[Asked]] = {}
    for line in caseload.caseload(session, scope):
        items = _moved_up(known, line.wearer_id) + _nobody(
            known, line.wearer_id, has_key_worker=line.has_key_worker
        )
        if items:
            found[line.wearer_id] = items
    return found


def _moved_up(known: Known, wearer_id: int) -> list[Asked]:
    membership = known.memberships.get(wearer_id)
    if membership is None:
        return []
    now_at = known.standing(wearer_id, membership.area_id)
    if not now_at.causes or now_at.colour is None:
        return []
    first = min(now_at.causes, key=lambda each: each.known_at)
    words = f"{now_at.colour.label}, {first.kind.label.lower()}: decide on the colour"
    more = len(now_at.causes) - 1
    return [Asked(RAG, words + (f" (and {more} more)" if more else ""), first.known_at)]


def _nobody(known: Known, wearer_id: int, *, has_key_worker: bool) -> list[Asked]:
    leads = known.leads.get(wearer_id)
    missing = gaps(
        selected=known.selected(wearer_id),
        has_key_worker=has_key_worker,
        leads=None if leads is None else leads.body,
    )
    if not missing:
        return []
    since = known.now if leads is None else leads.made_at
    return [Asked(LEADS, f"Nobody named: {', '.join(each.value for each in missing)}", since)]
