"""The common assessment: victims' Dashes, risk and need, partners' ratings, judgement, the band.

A person's band is the highest of what is live of the victims' tools and of judgement. Judgement may
raise what a tool says and never lower it. No rating ends by itself: a review that is due is shown.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum

import msgspec

from navigate_safer.outcomes.dash import Checklist, risk_band
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.people import assessment_forms
from navigate_safer.people.access import Permission
from navigate_safer.people.assessment_forms import Answers, Form
from navigate_safer.people.data import read_data
from navigate_safer.people.records import RecordKind
from navigate_safer.people.referrals import Band
from navigate_safer.people.rfgv import RfgvScore, RfgvWeights

LIVE, CLOSED = "live", "closed"
# All that those who are no assessors may know of it: that it was so.
ABOUT_A_VICTIM = "An assessment of a victim's risk"


class Basis(Enum):
    """Where a judgement comes from."""

    JUDGEMENT = "judgement"
    TRIAGE = "triage"
    REGISTERED = "as_registered"


class NeverLower(ValueError):
    """Judgement below what the tool says; ``least`` is what the tool says."""

    def __init__(self, least: Band) -> None:
        super().__init__(f"judgement may raise {least.value} and not lower it")
        self.least = least


class By(msgspec.Struct, frozen=True):
    """Who assessed for whom, when, and when it is looked at again."""

    assessor: str
    agency: str
    on: date
    review_on: date


class Dash(msgspec.Struct, frozen=True):
    """A Dash of one victim, by reference only. ``counted``: the band of the ticks alone."""

    victim: str
    form_version: str
    answers: Answers
    ticks: int
    incidents_12m: int | None
    counted: Band
    judged: Band | None
    judged_why: str
    band: Band
    by: By

    @property
    def raised(self) -> bool:
        """Whether judgement put it above the count."""
        return self.judged is not None and self.band.rank > self.counted.rank


class Needs(msgspec.Struct, frozen=True):
    """Risk and need of the person himself."""

    form_version: str
    answers: Answers
    summary: str
    by: By


class PartnerRating(msgspec.Struct, frozen=True):
    """A rating that an agency made with a tool of its own, and the band it stands for here.

    ``victim`` is a reference, for a tool that is about one; empty otherwise.
    """

    tool: str
    tool_version: str
    rating: str
    band: Band
    agency: str
    on: date
    review_on: date | None
    victim: str
    note: str


class Judgement(msgspec.Struct, frozen=True):
    """What a professional holds the band to be; ``tools``: what victims' tools said then."""

    band: Band
    reason: str
    basis: Basis
    tools: Band | None
    by: By

    @property
    def raised(self) -> bool:
        """Whether it was above the tools."""
        return self.tools is not None and self.band.rank > self.tools.rank


class BandHeld(msgspec.Struct, frozen=True):
    """The person's band since this version, the one before, and what it rests on."""

    band: Band
    before: Band | None
    why: list[str]
    overridden: bool
    agency: str


class Rating(msgspec.Struct, frozen=True):
    """One live rating among the others. ``sets_band``: victims' tools and judgement do."""

    what: str
    band: Band
    agency: str
    on: date
    sets_band: bool
    tool: bool = True


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool of partners: about a victim or the perpetrator; its ratings and our bands."""

    name: str
    about: str
    ratings: dict[str, Band]

    @property
    def about_victim(self) -> bool:
        """A victim's tool sets the person's band, and is confidential."""
        return self.about == "victim"


class Tools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tools that are known, and the agencies that rate."""

    version: str
    source: str
    tools: list[Tool]
    agencies: list[str]

    def named(self, name: str) -> Tool | None:
        """A tool by its name."""
        return next((each for each in self.tools if each.name == name), None)


def tools() -> Tools:
    """The list that comes with the service."""
    return read_data("tools-1.json", Tools)


class Scored(msgspec.Struct, frozen=True):
    """What a complete Dash gives. ``counted`` is the band without judgement."""

    ticks: int
    counted: Band
    band: Band


def score_dash(
    of: Form,
    answers: Answers,
    judged: Band | None,
    incidents_12m: int | None,
    policy: Policy = POLICY,
) -> Scored:
    """Count, and the band after judgement and incidents of the last 12 months.

    Raises Incomplete while an answer is missing, and :class:`NeverLower` for a judgement below what
    the count and the incidents say.
    """
    ticks = assessment_forms.count(of, answers)
    counted = Band(risk_band(Checklist(ticks, None, incidents_12m), policy).band)
    if judged is not None and judged.rank < counted.rank:
        raise NeverLower(counted)
    return Scored(ticks, counted, counted if judged is None else judged)


def highest(ratings: Iterable[Rating]) -> Band | None:
    """The highest of those that set the band; None where there is none."""
    return max(
        (each.band for each in ratings if each.sets_band), key=lambda each: each.rank, default=None
    )


def resting_on(ratings: Iterable[Rating], band: Band) -> list[str]:
    """What holds the band up, in words that do not tell who spoke with a victim, or how."""
    said = (
        ABOUT_A_VICTIM if each.tool else f"{each.what}, {each.agency}".removesuffix(", ")
        for each in ratings
        if each.sets_band and each.band is band
    )
    return list(dict.fromkeys(said))


def disagree(ratings: Sequence[Rating]) -> bool:
    """Whether those who rate the person say different things."""
    return len({each.band for each in ratings}) > 1


class Overrides(msgspec.Struct, frozen=True):
    """How often an agency's assessors went above the tool; never below, which is refused."""

    agency: str
    assessments: int
    raised: int

    @property
    def rate(self) -> float:
        """Share raised, 0 to 1."""
        return self.raised / self.assessments if self.assessments else 0.0


def overrides(made: Iterable[Dash | Judgement]) -> list[Overrides]:
    """By agency, the most assessments first. What triage and registration set is none."""
    counted = [
        (each.by.agency, each.raised)
        for each in made
        if isinstance(each, Dash) or each.basis is Basis.JUDGEMENT
    ]
    totals = Counter(agency for agency, _ in counted)
    raised = Counter(agency for agency, above in counted if above)
    lines = [Overrides(agency, total, raised[agency]) for agency, total in totals.items()]
    return sorted(lines, key=lambda each: (-each.assessments, each.agency))


_P = Permission
# What is about a victim is for assessors and is on no list of the person's.
DASH = RecordKind("dash", "Dash", "DS", Dash, _P.ASSESS, _P.ASSESS, confidential=True)
VICTIM_RATING = RecordKind(
    "victim_rating", "Partner's rating of a victim's risk", "VR", PartnerRating, _P.ASSESS,
    _P.ASSESS, confidential=True,
)  # fmt: skip
NEEDS = RecordKind("needs", "Risk and need", "RN", Needs, _P.SEE_CASEWORK, _P.ASSESS)
PARTNER_RATING = RecordKind(
    "partner_rating", "Partner's rating", "PR", PartnerRating, _P.SEE_CASEWORK, _P.ASSESS
)
JUDGEMENT = RecordKind(
    "judgement", "Judgement of risk", "JU", Judgement, _P.SEE_CASEWORK, _P.ASSESS
)
BAND = RecordKind("band", "Risk band", "BD", BandHeld, _P.SEE_CASEWORK, _P.ASSESS)
RFGV = RecordKind("rfgv", "RFGV score", "RG", RfgvScore, _P.SEE_CASEWORK, _P.ASSESS)
WEIGHTS = RecordKind(
    "rfgv_weights", "RFGV weights", "RW", RfgvWeights, _P.SEE_CASEWORK, _P.SET_CASEWORK
)
KINDS = (DASH, VICTIM_RATING, NEEDS, PARTNER_RATING, JUDGEMENT, BAND, RFGV, WEIGHTS)
