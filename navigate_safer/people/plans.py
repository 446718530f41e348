"""The one plan of somebody: goals by area of need, steps with actor and date, control and support.

A plan of one side only is incomplete and says so. Two tracks: with somebody who wants to change the
plan is support with a control part; with somebody who does not, it is a schedule of checks, clocks
from a trigger to the action, and an offer that is made again and again.
"""

from collections.abc import Iterable
from datetime import date
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind


class NeedArea(Enum):
    """Areas of need of the Ministry's sentence plan."""

    ACCOMMODATION = "accommodation"
    EMPLOYMENT_AND_EDUCATION = "employment_and_education"
    FINANCES = "finances"
    DRUG_USE = "drug_use"
    ALCOHOL_USE = "alcohol_use"
    HEALTH_AND_WELLBEING = "health_and_wellbeing"
    RELATIONSHIPS = "relationships"
    THINKING_AND_BEHAVIOUR = "thinking_and_behaviour"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "relationships": "Personal relationships and community",
            "thinking_and_behaviour": "Thinking, behaviours and attitudes",
        }.get(self.value, self.value.replace("_", " ").capitalize())


class Strand(Enum):
    """Which side of the plan a step is on."""

    CONTROL = "control"
    SUPPORT = "support"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"control": "Control and surveillance", "support": "Support and challenge"}[
            self.value
        ]


class Track(Enum):
    """Whether somebody wants to change."""

    MOTIVATED = "motivated"
    NOT_MOTIVATED = "not_motivated"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "motivated": "Wants to change",
            "not_motivated": "Does not want to change: offered again, and closely watched",
        }[self.value]


class Approach(Enum):
    """Whether the relationship is worked with, where that is safe, or kept apart."""

    ENGAGE_AND_ENABLE = "engage_and_enable"
    REMOVE_AND_SEPARATE = "remove_and_separate"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.replace("_", " ").capitalize()


class Agreed(Enum):
    """What the person says to the plan; the words of the Ministry's sentence plan."""

    DRAFT = "draft"
    AGREED = "agreed"
    DO_NOT_AGREE = "do_not_agree"
    COULD_NOT_ANSWER = "could_not_answer"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "draft": "Not asked yet",
            "agreed": "Agrees",
            "do_not_agree": "Does not agree",
            "could_not_answer": "Could not answer",
        }[self.value]


class GoalStatus(Enum):
    """Where a goal stands."""

    ACTIVE = "active"
    FUTURE = "future"
    ACHIEVED = "achieved"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"future": "Later"}.get(self.value, self.value.capitalize())

    @property
    def live(self) -> bool:
        """Whether it is worked on now or later."""
        return self in {GoalStatus.ACTIVE, GoalStatus.FUTURE}


class StepStatus(Enum):
    """Where a step stands."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANNOT_BE_DONE_YET = "cannot_be_done_yet"
    NO_LONGER_NEEDED = "no_longer_needed"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.replace("_", " ").capitalize()

    @property
    def open(self) -> bool:
        """Whether it still has to be done."""
        return self not in {StepStatus.COMPLETED, StepStatus.NO_LONGER_NEEDED}

    @property
    def begun(self) -> bool:
        """Whether somebody has begun with it."""
        return self in {StepStatus.IN_PROGRESS, StepStatus.COMPLETED}


class Goal(msgspec.Struct, frozen=True):
    """A goal; ``part`` is a part of the motivated track, with its start, sessions and result."""

    number: int
    title: str
    area: NeedArea
    status: GoalStatus = GoalStatus.ACTIVE
    target_on: date | None = None
    part: str = ""
    starts_on: date | None = None
    sessions: int | None = None
    result: str = ""


class Step(msgspec.Struct, frozen=True):
    """A step; ``actor`` is who does it, of ``agency``, ``after`` the steps to be done before.

    ``goal`` is a goal's number; None for what serves none in particular, such as a home visit.
    ``action`` is a key of the catalogue.
    """

    number: int
    what: str
    strand: Strand
    action: str
    agency: str
    actor: str
    due_on: date | None
    status: StepStatus = StepStatus.NOT_STARTED
    goal: int | None = None
    after: tuple[int, ...] = ()


class Check(msgspec.Struct, frozen=True):
    """Something that is looked at each so many days."""

    what: str
    every_days: int


class Clock(msgspec.Struct, frozen=True):
    """How long after a trigger somebody has to have acted."""

    what: str
    act_within_hours: int


class EngagementPlan(msgspec.Struct, frozen=True):
    """The plan. ``own_words`` are the person's; ``approach_decision`` says why it is safe."""

    track: Track
    review_on: date
    own_words: str = ""
    agreed: Agreed = Agreed.DRAFT
    agreed_on: date | None = None
    approach: Approach = Approach.REMOVE_AND_SEPARATE
    approach_decision: str = ""
    goals: tuple[Goal, ...] = ()
    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    clocks: tuple[Clock, ...] = ()

    def goal(self, number: int) -> Goal | None:
        """A goal by its number."""
        return next((each for each in self.goals if each.number == number), None)

    def step(self, number: int) -> Step | None:
        """A step by its number."""
        return next((each for each in self.steps if each.number == number), None)

    def of_strand(self, strand: Strand) -> list[Step]:
        """Steps of a side that are still wanted."""
        unwanted = StepStatus.NO_LONGER_NEEDED
        return [
            each for each in self.steps if each.strand is strand and each.status is not unwanted
        ]


PLAN = RecordKind(
    "plan", "Plan", "PL", EngagementPlan, Permission.SEE_CASEWORK, Permission.MANAGE_CASES
)


class Missing(Enum):
    """What a plan lacks; the first two make it incomplete."""

    CONTROL = "a control part"
    SUPPORT = "a support part"
    GOALS = "goals"
    OWN_WORDS = "own words of the person"
    AGREEMENT = "what the person says to the plan"
    ACTORS = "somebody for every step"
    DATES = "a date for every step"
    CHECKS = "a schedule of checks"
    CLOCKS = "how soon somebody acts after a trigger"

    @property
    def why(self) -> str:
        """What it means that it is missing; empty where the name says it."""
        return {
            Missing.CONTROL: "no step says how the order is watched and enforced",
            Missing.SUPPORT: "no step says what is offered or challenged",
            Missing.AGREEMENT: "nobody has asked yet",
            Missing.CHECKS: "this track needs it",
            Missing.CLOCKS: "this track needs it",
        }.get(self, "")


INCOMPLETE = (Missing.CONTROL, Missing.SUPPORT)


def missing(plan: EngagementPlan) -> list[Missing]:
    """What the plan lacks, the gravest first; whoever does not want to change is offered too."""
    steps = [each for each in plan.steps if each.status.open]
    tests = {
        Missing.CONTROL: not plan.of_strand(Strand.CONTROL),
        Missing.SUPPORT: not plan.of_strand(Strand.SUPPORT),
        Missing.GOALS: not any(each.status is not GoalStatus.REMOVED for each in plan.goals),
        Missing.OWN_WORDS: not plan.own_words,
        Missing.AGREEMENT: plan.agreed is Agreed.DRAFT,
        Missing.ACTORS: any(not each.actor for each in steps),
        Missing.DATES: any(each.due_on is None for each in steps),
        Missing.CHECKS: plan.track is Track.NOT_MOTIVATED and not plan.checks,
        Missing.CLOCKS: plan.track is Track.NOT_MOTIVATED and not plan.clocks,
    }
    return [each for each, lacking in tests.items() if lacking]


def complete(plan: EngagementPlan) -> bool:
    """Whether it has both sides."""
    return not any(each in INCOMPLETE for each in missing(plan))


def next_due(plan: EngagementPlan) -> tuple[date, str]:
    """What of the plan is due first, and when: a step, or the review."""
    due = [
        (each.due_on, f"Step: {each.what}")
        for each in plan.steps
        if each.status.open and each.due_on is not None
    ]
    return min([*due, (plan.review_on, "Review the plan")], key=lambda each: each[0])


def next_number(things: Iterable[Goal] | Iterable[Step]) -> int:
    """The number of the next goal or step: none is given twice."""
    return max((each.number for each in things), default=0) + 1
