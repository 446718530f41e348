"""Write the one live plan of somebody: begin, change a part, end; each is a new version."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people import plan_catalogue, plan_changes
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.plan_changes import Details
from navigate_safer.people.plan_log import SCHEDULED, ScheduledCheck
from navigate_safer.people.plan_sequence import why_not_after
from navigate_safer.people.plans import (
    PLAN,
    Agreed,
    Approach,
    EngagementPlan,
    Goal,
    Step,
    next_due,
)
from navigate_safer.people.records import Due, Record
from navigate_safer.services import leaving, one_record, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.leaving import ENDED, LIVE
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import About

# A review further away than this is none; policy of this project.
LONGEST_REVIEW = timedelta(days=183)


def set_details(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    details: Details,
    reason: str,
    replaces: int,
    now: datetime,
    *,
    template: bool = False,
) -> Record[EngagementPlan]:
    """What is said of the whole plan; the first time it begins the plan, from its track's template.

    Raises Refused, Stale, Forbidden and NotFound.
    """
    scope.require(PLAN.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        found = one_record.expect(session, scope, PLAN, of, replaces)
        _check_details(details, now)
        if found is not None:
            plan = details.over(found.body)
        else:
            plan = details.begin()
            if template:
                catalogue = plan_catalogue.shipped()
                plan = plan_changes.from_template(plan, catalogue, day_of(now))
        return _keep(session, scope, of, wearer, plan, replaces, reason, now)


def _check_details(details: Details, now: datetime) -> None:
    today = day_of(now)
    if details.review_on <= today:
        raise Refused(review_on="Enter a day after today")
    if details.review_on > today + LONGEST_REVIEW:
        raise Refused(review_on=f"Enter a day within {LONGEST_REVIEW.days} days")
    if details.agreed is not Agreed.DRAFT and details.agreed_on is None:
        raise Refused(agreed_on="Enter when the person was asked")
    if details.agreed_on is not None and details.agreed_on > today:
        raise Refused(agreed_on="Enter a day that is not in the future")
    if details.approach is Approach.ENGAGE_AND_ENABLE and not details.approach_decision:
        raise Refused(approach_decision="Enter who decided that this is safe, when and why")


def put_goal(
    sessions: Sessions, scope: Scope, ref: str, goal: Goal, replaces: int, now: datetime
) -> Record[EngagementPlan]:
    """Add a goal (number 0) or change one; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(PLAN.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        plan = _plan(session, scope, of, replaces)
        if goal.number and plan.goal(goal.number) is None:
            raise NotFound
        reason = f"Goal {'changed' if goal.number else 'added'}: {goal.title}"
        kept = plan_changes.with_goal(plan, goal)
        return _keep(session, scope, of, wearer, kept, replaces, reason, now)


def put_step(
    sessions: Sessions, scope: Scope, ref: str, step: Step, replaces: int, now: datetime
) -> Record[EngagementPlan]:
    """Add a step (number 0) or change one; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(PLAN.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        plan = _plan(session, scope, of, replaces)
        if step.number and plan.step(step.number) is None:
            raise NotFound
        if step.goal is not None and plan.goal(step.goal) is None:
            raise Refused(for_goal="Select a goal of this plan")
        if plan_catalogue.shipped().action(step.action) is None:
            raise Refused(action="Select what is done")
        wrong = why_not_after(plan.steps, step)
        if wrong is not None:
            raise Refused(after=wrong)
        reason = f"Step {'changed' if step.number else 'added'}: {step.what}, {step.status.label}"
        kept = plan_changes.with_step(plan, step)
        return _keep(session, scope, of, wearer, kept, replaces, reason, now)


def end(
    sessions: Sessions, scope: Scope, ref: str, reason: str, replaces: int, now: datetime
) -> None:
    """End the live plan; another can then be begun. Raises Stale, Forbidden and NotFound.

    Its checks and the review of the agreement are no longer due.
    """
    scope.require(PLAN.write)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        plan = _plan(session, scope, of, replaces)
        one_record.put(
            session, scope, PLAN, of, plan, replaces=replaces, now=now, state=ENDED,
            reason=reason, ends=True,
        )  # fmt: skip
        _schedule(session, scope, of, msgspec.structs.replace(plan, checks=()), None, now)
        leaving.end_agreement(session, scope, of, f"Plan ended: {reason}", now)


def _plan(session: Session, scope: Scope, of: About, replaces: int) -> EngagementPlan:
    found = one_record.expect(session, scope, PLAN, of, replaces)
    if found is None:
        raise NotFound
    return found.body


def _keep(
    session: Session,
    scope: Scope,
    of: About,
    wearer: WearerRow,
    plan: EngagementPlan,
    replaces: int,
    reason: str,
    now: datetime,
) -> Record[EngagementPlan]:
    on, what = next_due(plan)
    kept = one_record.put(
        session, scope, PLAN, of, plan, replaces=replaces, now=now, state=LIVE, reason=reason,
        due=Due(end_of(on), what, wearer.offender_manager_id),
    )  # fmt: skip
    _schedule(session, scope, of, plan, wearer.offender_manager_id, now)
    return kept


def _schedule(
    session: Session,
    scope: Scope,
    of: About,
    plan: EngagementPlan,
    who: int | None,
    now: datetime,
) -> None:
    """Keep a record for each check of the plan, by which it is due; end those that are gone."""
    wanted = {each.what.casefold(): each for each in plan.checks}
    live = records.listed(session, scope, SCHEDULED, wearer_id=of.wearer_id, states=(LIVE,))
    for each in live:
        check = wanted.pop(each.body.what.casefold(), None)
        if check is None:
            records.change(
                session, scope, SCHEDULED, each.ref, each.body, replaces=each.version, now=now,
                state=ENDED,
            )  # fmt: skip
        elif check.every_days != each.body.every_days:
            keep_check(
                session, scope, each, now, who,
                msgspec.structs.replace(each.body, every_days=check.every_days),
            )  # fmt: skip
    for check in wanted.values():
        body = ScheduledCheck(check.what, check.every_days, day_of(now))
        due = Due(end_of(body.due_on), f"Check: {body.what}", who)
        records.add(session, scope, SCHEDULED, of, body, now=now, state=LIVE, due=due)


def keep_check(
    session: Session,
    scope: Scope,
    old: Record[ScheduledCheck],
    now: datetime,
    who: int | None,
    body: ScheduledCheck,
) -> None:
    """A check with another last day or pace, and when it is due next."""
    due = Due(end_of(body.due_on), f"Check: {body.what}", who)
    records.change(session, scope, SCHEDULED, old.ref, body, replaces=old.version, now=now, due=due)
