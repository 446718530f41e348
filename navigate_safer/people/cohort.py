"""Who is in the cohort, by whose decision, who works with them, and what is known of their needs.

Each is a record in versions: the versions of a membership are the decisions of the panels.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.cohort_policy import POLICY, CohortPolicy
from navigate_safer.people.days import day_of
from navigate_safer.people.mappa import MappaFacts
from navigate_safer.people.rag import Colour, RagStatus, Standing, TriggerKind
from navigate_safer.people.records import RecordKind
from navigate_safer.people.teams import TEAMS

# How a colour stands once its person has left the cohort: it is over.
LEFT = "left_the_cohort"


class IomCohort(Enum):
    """The cohorts of the national guidance on integrated offender management, version 5."""

    FIXED = "fixed"
    FLEX = "flex"
    FREE = "free"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.capitalize()


class Decision(Enum):
    """What a panel decided. To move away or to die ends a membership too, but is no success."""

    SELECTED = "selected"
    DECLINED = "declined"
    DESELECTED = "deselected"
    TRANSFERRED = "transferred"
    DIED = "died"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"deselected": "De-selected", "transferred": "Moved to another area"}.get(
            self.value, self.value.capitalize()
        )


class Seat(msgspec.Struct, frozen=True):
    """Who sat at the panel, and for which agency."""

    name: str
    agency: str


class Membership(msgspec.Struct, frozen=True):
    """A panel's decision; ``statutory`` rests on ``legal_basis``, and without it on consent."""

    decision: Decision
    on: date
    people: tuple[Seat, ...]
    reasons: str
    cohort: IomCohort | None = None
    statutory: bool = False
    legal_basis: str = ""
    next_panel_on: date | None = None

    @property
    def selected(self) -> bool:
        """Whether the person is in the cohort."""
        return self.decision is Decision.SELECTED


class Leads(msgspec.Struct, frozen=True):
    """Who works with somebody: the one key worker, and a lead of the police and of probation.

    ``key_worker`` is a staff id; the leads are names, since not every partner has an account.
    """

    key_worker: int | None
    police_lead: str = ""
    probation_lead: str = ""
    team: str = ""
    childrens_services_on: date | None = None


class Presence(Enum):
    """Whether a need is there, as far as it is known."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.replace("_", " ").capitalize()


class ThreeNeeds(Enum):
    """Needs that together are the hardest to meet."""

    MENTAL_HEALTH = "mental_health"
    SUBSTANCE = "substance"
    DOMESTIC_ABUSE = "domestic_abuse"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"substance": "Drugs or alcohol"}.get(
            self.value, self.value.replace("_", " ").capitalize()
        )


class Need(msgspec.Struct, frozen=True):
    """One of the three needs: who says so, and as of which day."""

    need: ThreeNeeds
    presence: Presence
    source: str = ""
    on: date | None = None


class Flags(msgspec.Struct, frozen=True):
    """MAPPA, MARAC and the three needs; category and level None without MAPPA."""

    mappa_category: int | None = None
    mappa_level: int | None = None
    mappa_on: date | None = None
    mappa_review_on: date | None = None
    facts: MappaFacts = MappaFacts()
    marac: bool = False
    marac_on: date | None = None
    needs: tuple[Need, ...] = ()

    @property
    def all_three(self) -> bool:
        """Whether all three needs are there."""
        present = {each.need for each in self.needs if each.presence is Presence.YES}
        return present == set(ThreeNeeds)


# Recorded by hand; the others come from alerts and from the police's records.
BY_HAND = (TriggerKind.DISCLOSURE, TriggerKind.NEW_PARTNER, TriggerKind.INCIDENT)


class UpwardEvent(msgspec.Struct, frozen=True):
    """Something that moves somebody up; no words of it, since a victim could be known by them."""

    kind: TriggerKind
    on: date
    agency: str


class CheckResult(Enum):
    """What the IDVA found when those who are protected were asked."""

    NOTHING_AGAINST = "nothing_against"
    SOMETHING_AGAINST = "something_against"
    NOT_ALL_REACHED = "not_all_reached"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "nothing_against": "Everybody was reached, and nothing speaks against it",
            "something_against": "Something speaks against it",
            "not_all_reached": "Not everybody could be reached",
        }[self.value]


class SafetyCheck(msgspec.Struct, frozen=True):
    """That those who are protected were asked before somebody leaves; nobody is named."""

    on: date
    result: CheckResult


_SEE, _SELECT = Permission.SEE_CASEWORK, Permission.SELECT_COHORT
MEMBERSHIP = RecordKind("cohort", "Cohort decision", "CO", Membership, _SEE, _SELECT)
RAG = RecordKind("rag", "Red, amber, green", "CR", RagStatus, _SEE, _SELECT)
LEADS = RecordKind("leads", "Key worker and leads", "LD", Leads, _SEE, _SELECT)
FLAGS = RecordKind("flags", "MAPPA, MARAC and needs", "FL", Flags, _SEE, Permission.MANAGE_CASES)
UPWARD = RecordKind("upward", "Reason to move up", "UP", UpwardEvent, _SEE, Permission.ASSESS)
SAFETY = RecordKind(
    "leaving_check", "Safety check before leaving", "LC", SafetyCheck, _SEE,
    Permission.CONTACT_VICTIMS, confidential=True,
)  # fmt: skip
KINDS = (MEMBERSHIP, RAG, LEADS, FLAGS, UPWARD, SAFETY, POLICY, TEAMS)


class Gap(Enum):
    """Who is missing."""

    KEY_WORKER = "key worker"
    POLICE_LEAD = "police lead"
    PROBATION_LEAD = "probation lead"
    TEAM = "team"


def gaps(
    *, selected: bool, has_key_worker: bool, leads: Leads | None, closed: bool = False
) -> list[Gap]:
    """Who is missing: a key worker to every open case, leads and a team to those in the cohort.

    A key worker is one whose account is active.
    """
    if closed:
        return []
    found = [] if has_key_worker else [Gap.KEY_WORKER]
    if not selected:
        return found
    named = leads or Leads(None)
    return found + [
        gap
        for gap, name in (
            (Gap.POLICE_LEAD, named.police_lead),
            (Gap.PROBATION_LEAD, named.probation_lead),
            (Gap.TEAM, named.team),
        )
        if not name
    ]


def why_not_deselect(
    now: datetime,
    *,
    standing: Standing,
    green_since: datetime | None,
    checks: Iterable[SafetyCheck],
    policy: CohortPolicy,
) -> list[str]:
    """What stands against letting somebody go as less of a risk; empty when nothing does.

    ``green_since``: since when green without a break, None when it is not.
    """
    found = []
    needed = timedelta(days=policy.deselect_green_days)
    if standing.colour is not Colour.GREEN or green_since is None:
        found.append(f"the colour is not green, and must have been for {needed.days} days")
    elif now - green_since < needed:
        found.append(f"green for {(now - green_since).days} of {needed.days} days")
    if standing.causes:
        found.append("something became known that nobody has looked at yet")
    newest = max(checks, key=lambda each: each.on, default=None)
    oldest_good = day_of(now) - timedelta(days=policy.safety_check_days)
    if newest is None or newest.on < oldest_good:
        days = policy.safety_check_days
        found.append(f"the IDVA has recorded no safety check in the last {days} days")
    elif newest.result is not CheckResult.NOTHING_AGAINST:
        found.append(f"the safety check says: {newest.result.label.lower()}")
    return found


def few_agencies(people: Iterable[Seat], policy: CohortPolicy) -> str | None:
    """What is wrong with who sat at a panel; None when enough agencies were there."""
    agencies = {each.agency.casefold() for each in people}
    if len(agencies) >= policy.panel_agencies:
        return None
    return (
        f"Enter people of at least {policy.panel_agencies} agencies, one a line, "
        "such as: A. Person, Probation"
    )


def seats(text: str) -> tuple[list[Seat], list[str]]:
    """People of a panel from lines such as ``A. Person, Probation``, and the lines of nobody."""
    found, bad = [], []
    for line in filter(None, (each.strip() for each in text.splitlines())):
        name, comma, agency = line.rpartition(",")
        if comma and name.strip() and agency.strip():
            found.append(Seat(name.strip(), agency.strip()))
        else:
            bad.append(line)
    return found, bad
