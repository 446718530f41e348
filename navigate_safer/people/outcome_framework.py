"""The joint outcomes framework: one definition for each measure, the same for every agency.

The outcomes are those of West Cheshire's framework (the published case study of Altogether Better)
and of the report to the Local Government Association. The case study prints its table with the
lines run together: which outcome a measure belongs to is our reading of it. Definitions are ours,
since none was published. A figure that nobody has supplied is said to be so and never filled in.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from navigate_safer.people.offending import Code, Source
from navigate_safer.people.outcome_report import LEFT_OUT, small

CASE_STUDY = "Altogether Better West Cheshire, case study, outcomes framework"
BOARD_REPORT = "Local Government Association, community budgets report, paragraph 7"
CRIME, CHILDREN, HEALTH, STATE, SKILLS = (
    "Crime has reduced",
    "Children are safer",
    "People are healthier",
    "People are less dependent on the state",
    "People have better skills",
)
NOT_COLLECTED = "not_collected"
POLICE, COUNCIL, NHS, WORK, PRISONS = (
    "Cheshire Constabulary",
    "Cheshire West and Chester Council, children's services",
    "NHS, local trusts",
    "Department for Work and Pensions",
    "HM Prison and Probation Service",
)


class Definition(msgspec.Struct, frozen=True):
    """One measure; ``part`` is the part of our own report that computes it, if one does.

    ``of_people``: its numerator counts people, or what happened to them, so that a small one could
    make somebody known; not so an amount of money.
    """

    key: str
    outcome: str
    name: str
    numerator: str
    denominator: str
    window: str
    owner: str
    source: str = CASE_STUDY
    part: str | None = None
    of_people: bool = True


_RESIDENTS = "1,000 residents of the council's area"
_UNDER_18 = "10,000 residents under 18"
_YEAR, _QUARTER, _DAY = "financial year", "quarter", "on the last day of the quarter"


def _children(key: str, name: str, numerator: str, window: str = _DAY) -> Definition:
    return Definition(key, CHILDREN, name, numerator, _UNDER_18, window, COUNCIL)


DEFINITIONS = (
    Definition("incidents", CRIME, "Reported domestic abuse incidents",
               "incidents that the police recorded as domestic abuse", _RESIDENTS, _YEAR, POLICE),
    Definition("reoffending", CRIME, "Re-offending by known perpetrators",
               "people of the cohort with an offence proven",
               "people of the cohort whose follow-up is over",
               "12 months and 6 for the courts", "Navigate Safer", part="proven"),
    Definition("cohort_incidents", CRIME, "Incidents of known perpetrators",
               "incidents with the person as suspect", "days at risk",
               "a year before and after selection", "Navigate Safer", part="change"),
    Definition("repeat_victims", CRIME, "Repeat cases at the meeting",
               "referrals within 12 months of the last of the same pair",
               "all referrals with the person as suspect",
               "all records", "Navigate Safer", BOARD_REPORT, "serial"),
    Definition("prison_costs", CRIME, "Prison costs saved by tagging",
               "days on a tag that would have been custody x (daily cost of custody - of a tag)",
               "none: an amount", _YEAR, PRISONS, of_people=False),
    Definition("antisocial", CRIME, "Antisocial behaviour",
               "incidents that the police recorded as antisocial behaviour", _RESIDENTS, _YEAR,
               POLICE),
    _children("plan", "Children on a child protection plan", "children with a plan"),
    _children("plan_abuse", "Plans with domestic abuse as a primary cause",
              "children with a plan of which domestic abuse is a primary cause"),
    _children("need_abuse", "Children in need with domestic abuse as a primary cause",
              "children in need of whom domestic abuse is a primary cause"),
    _children("care_abuse", "Going into care with domestic abuse as a primary cause",
              "children who started to be looked after, domestic abuse a primary cause", _QUARTER),
    _children("custody", "Children in custody", "children sentenced or remanded to custody"),
    _children("care", "Children coming into care", "children who started to be looked after",
              _QUARTER),
    _children("residential", "Children taken into residential care",
              "children placed in a children's home", _QUARTER),
    _children("need_plans", "Children in Need plans", "children with a plan as in need"),
    _children("protection_plans", "Child Protection plans of early support",
              "children of early support with a child protection plan"),
    _children("safeguarding", "Level of safeguarding needed",
              "families whose level of need went down less those whose went up", _QUARTER),
    Definition("mental_health", HEALTH, "Parental mental health problems",
               "parents of supported families with a mental health problem",
               "parents of supported families", _QUARTER, NHS),
    Definition("emergency", HEALTH, "Accident and emergency attendances",
               "attendances of members of supported families",
               "members of supported families", _QUARTER, NHS),
    Definition("admissions", HEALTH, "Hospital admissions",
               "admissions of members of supported families",
               "members of supported families", _QUARTER, NHS),
    Definition("antenatal", HEALTH, "Unscheduled antenatal presentations",
               "unscheduled presentations of members of supported families",
               "pregnancies in supported families", _QUARTER, NHS),
    Definition("jobseekers", STATE, "Jobseeker's allowance",
               "adults of supported families who receive it", "adults of supported families",
               _DAY, WORK),
    Definition("language", SKILLS, "Language delay at 21 months",
               "children with a delay at the check at 21 months",
               "children who were checked", _YEAR, NHS),
)  # fmt: skip
BY_KEY = {each.key: each for each in DEFINITIONS}


class Supplied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures that an agency has handed in for a period; each a number or ``not_collected``."""

    version: Code
    source: Source
    period_from: date
    period_to: date
    figures: dict[str, Annotated[float, Meta(ge=-1e12, le=1e12)] | Literal["not_collected"]]


class Line(msgspec.Struct, frozen=True):
    """A measure and its newest figure: computed, supplied, not collected or not supplied."""

    definition: Definition
    state: str
    figure: float | None = None
    words: str = ""
    said_by: str = ""


def check(given: Supplied) -> None:
    """Raises ValueError for a measure that is not in the framework and a period that ends early."""
    for key in given.figures:
        if key not in BY_KEY:
            known = ", ".join(BY_KEY)
            raise ValueError(f"figures: there is no measure {key!r}; use one of {known}")
        if BY_KEY[key].part is not None:
            raise ValueError(f"figures: {key} is computed here, the same for all; leave it out")
    if given.period_to < given.period_from:
        raise ValueError(f"period_to: {given.period_to} is before {given.period_from}; correct one")


def lines(supplied: Sequence[Supplied], computed: dict[str, str]) -> list[Line]:
    """Every measure in order; ``computed``: words by part of a report.

    ``supplied`` has what was loaded last first. Of a measure the figure of the latest period is
    shown, of the same period the one that was loaded last: an agency may hand in an older year
    after a newer one.
    """
    newest = sorted(supplied, key=lambda each: each.period_to, reverse=True)
    return [_line(each, newest, computed) for each in DEFINITIONS]


def _line(definition: Definition, supplied: Sequence[Supplied], computed: dict[str, str]) -> Line:
    if definition.part is not None:
        return Line(definition, "computed", words=computed.get(definition.part, ""))
    for each in supplied:
        if definition.key in each.figures:
            figure = each.figures[definition.key]
            said_by = f"{each.source}, {each.period_from} to {each.period_to}"
            if isinstance(figure, str):
                return Line(definition, "not collected", said_by=said_by)
            if _gives_away(definition, figure):
                return Line(definition, "supplied", None, LEFT_OUT, said_by)
            return Line(definition, "supplied", figure, f"{figure:,g}", said_by)
    return Line(definition, "not supplied")


def _gives_away(definition: Definition, figure: float) -> bool:
    """Whether a figure may be a small count of people; the same for all who read the framework.

    An agency hands in one number, and nothing says whether it is the count or the rate: a whole
    number is taken for a count. What is no whole number cannot be one.
    """
    return definition.of_people and figure == int(figure) and small((abs(int(figure)),))
