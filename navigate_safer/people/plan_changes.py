"""Changes of a plan, as values: what a form gives, laid over whatever version is the newest.

So two people who change two things of one plan at once can each have theirs: the second one sees
the first one's version with the other change laid over it.
"""

from datetime import date, timedelta

import msgspec

from navigate_safer.people.plan_catalogue import Catalogue
from navigate_safer.people.plans import (
    Agreed,
    Approach,
    Check,
    Clock,
    EngagementPlan,
    Goal,
    Step,
    Strand,
    Track,
    next_number,
)


class Details(msgspec.Struct, frozen=True):
    """What is said of the plan as a whole."""

    track: Track
    review_on: date
    own_words: str
    agreed: Agreed
    agreed_on: date | None
    approach: Approach
    approach_decision: str
    checks: tuple[Check, ...]
    clocks: tuple[Clock, ...]

    def over(self, plan: EngagementPlan) -> EngagementPlan:
        """The plan with these."""
        return msgspec.structs.replace(plan, **msgspec.structs.asdict(self))

    def begin(self) -> EngagementPlan:
        """A new plan."""
        return self.over(EngagementPlan(self.track, self.review_on))


def with_goal(plan: EngagementPlan, goal: Goal) -> EngagementPlan:
    """The plan with a goal changed, or added where its number is 0."""
    if goal.number == 0:
        added = msgspec.structs.replace(goal, number=next_number(plan.goals))
        return msgspec.structs.replace(plan, goals=(*plan.goals, added))
    goals = tuple(goal if each.number == goal.number else each for each in plan.goals)
    return msgspec.structs.replace(plan, goals=goals)


def with_step(plan: EngagementPlan, step: Step) -> EngagementPlan:
    """The plan with a step changed, or added where its number is 0."""
    if step.number == 0:
        added = msgspec.structs.replace(step, number=next_number(plan.steps))
        return msgspec.structs.replace(plan, steps=(*plan.steps, added))
    steps = tuple(step if each.number == step.number else each for each in plan.steps)
    return msgspec.structs.replace(plan, steps=steps)


def from_template(plan: EngagementPlan, catalogue: Catalogue, today: date) -> EngagementPlan:
    """A new plan filled as its track has it, for the key worker to change.

    Whoever wants to change has the five parts, each with a first step; whoever does not has checks
    and clocks, and the offer of help with behaviour. Both have a control part.
    """
    soon = today + timedelta(days=catalogue.grip_days)
    parts = catalogue.parts if plan.track is Track.MOTIVATED else catalogue.parts[-1:]
    for part in parts:
        goal = Goal(0, part.title, part.area, part=part.key)
        plan = with_goal(plan, goal)
        step = Step(
            0,
            part.first_step,
            Strand.SUPPORT,
            part.action,
            "",
            "",
            soon,
            goal=plan.goals[-1].number,
        )
        plan = with_step(plan, step)
    for each in catalogue.control_steps:
        plan = with_step(plan, Step(0, each.what, Strand.CONTROL, each.action, "", "", soon))
    if plan.track is Track.NOT_MOTIVATED:
        plan = msgspec.structs.replace(
            plan,
            checks=plan.checks or catalogue.checks,
            clocks=plan.clocks or catalogue.clocks,
        )
    return plan
