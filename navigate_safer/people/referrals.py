"""A referral: who came to notice, through whom, what happened, and what was decided.

One queue for every source. The clock of the decision runs from when the referral was received.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum

import msgspec

from navigate_safer.outcomes.months import MONTHS_A_YEAR, add_months
from navigate_safer.people.access import Permission
from navigate_safer.people.data import read_data
from navigate_safer.people.days import day_of
from navigate_safer.people.linkage import Identity
from navigate_safer.people.records import RecordKind

BANDS = ("standard", "medium", "high")


class Band(Enum):
    """How high the risk of harm to others is held to be."""

    STANDARD = "standard"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for standard, 2 for high."""
        return BANDS.index(self.value)


class Answered(Enum):
    """A fact of the incident; that nobody asked is a value too."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"
    NOT_COLLECTED = "not_collected"


class Caller(Enum):
    """Who speaks to the access team."""

    AGENCY = "agency"
    HARMED = "somebody_harmed"
    HIMSELF = "the_person_himself"
    FAMILY = "family_or_friend"
    ANONYMOUS = "anonymous"


class Outcome(Enum):
    """What triage decides."""

    APPROPRIATE = "appropriate"
    STEP_UP = "step_up"
    STEP_DOWN = "step_down"
    DIVERTED = "diverted"
    MORE_INFORMATION = "more_information"

    @property
    def final(self) -> bool:
        """Whether the clock of the decision ends with it."""
        return self is not Outcome.MORE_INFORMATION

    @property
    def makes_case(self) -> bool:
        """Whether the person is taken on."""
        return self in {Outcome.APPROPRIATE, Outcome.STEP_UP}

    @property
    def goes_elsewhere(self) -> bool:
        """Whether a service has to be named that takes it over or joins in."""
        return self in {Outcome.STEP_UP, Outcome.STEP_DOWN, Outcome.DIVERTED}


class Diversion(Enum):
    """Why a referral goes elsewhere."""

    BETTER_SERVED = "another_service_serves_better"
    INAPPROPRIATE = "should_not_have_come_here"
    OTHER_AREA = "another_area"
    TOO_YOUNG = "under_age"

    @property
    def inappropriate(self) -> bool:
        """Counted among the inappropriate referrals of a quarter."""
        return self is Diversion.INAPPROPRIATE


class Person(msgspec.Struct, frozen=True):
    """Whom a referral is about, as its sender says; identifiers in their canonical form."""

    name: str
    other_names: list[str] = []
    born_on: date | None = None
    crn: str = ""
    pnc: str = ""
    nomis: str = ""

    def identity(self, key: str) -> Identity:
        """For comparing with those who are known."""
        given = {"crn": self.crn, "pnc": self.pnc, "nomis": self.nomis}
        known = {kind: value for kind, value in given.items() if value}
        return Identity(key, (self.name, *self.other_names), self.born_on, known)


class Facts(msgspec.Struct, frozen=True):
    """What is said to have happened. ``victims`` over the serial rule's years, None unknown."""

    incident_on: date | None
    what: str
    alcohol: Answered
    drugs: Answered
    repeat: Answered
    same_sex: Answered
    children: Answered
    victims: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """What was decided, by whom it is in the record; ``wearer`` the person it was put to.

    ``not_same`` says why somebody who looked like one of those known was taken on as new.
    """

    outcome: Outcome
    reason: str
    at: datetime
    destination: str = ""
    diversion: Diversion | None = None
    asked_of: str = ""
    answer_by: date | None = None
    wearer: str = ""
    made_new: bool = False
    not_same: str = ""
    repeat: bool = False
    serial: bool = False
    why: list[str] = []


class Referral(msgspec.Struct, frozen=True):
    """One referral; the record's ``at`` is when it was received."""

    person: Person
    locality: str
    source: str
    caller: Caller
    their_ref: str
    reason: str
    urgent: bool
    facts: Facts
    decision: Decision | None = None


class CameIn(msgspec.Struct, frozen=True):
    """What everybody who works with a person may know of a referral: no words of its sender."""

    referral: str
    source: str
    outcome: Outcome
    received_at: datetime
    decided_at: datetime
    destination: str
    repeat: bool
    serial: bool
    why: list[str]
    alcohol: Answered
    drugs: Answered
    children: Answered
    same_sex: Answered


class KnownAs(msgspec.Struct, frozen=True):
    """Names and identifiers by which a person is known to the agencies, beside the record's own."""

    other_names: list[str] = []
    crn: str = ""
    pnc: str = ""
    nomis: str = ""

    def joined(self, person: Person, own_name: str) -> "KnownAs":
        """With what a referral adds; an identifier that is known is never overwritten."""
        known = {own_name.casefold(), *(name.casefold() for name in self.other_names)}
        more = [each for each in (person.name, *person.other_names) if each.casefold() not in known]
        return KnownAs(
            [*self.other_names, *dict.fromkeys(more)],
            self.crn or person.crn,
            self.pnc or person.pnc,
            self.nomis or person.nomis,
        )


class IntakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an area sets; ``source`` says where the values come from. Hours from the receipt."""

    version: str
    source: str
    sources: list[str]
    destinations: list[str]
    decide_within_h: int
    urgent_within_h: int
    serial_victims: int
    serial_years: int
    repeat_months: int
    least_age: int
    assess_within_days: int

    def decide_by(self, received_at: datetime, *, urgent: bool) -> datetime:
        """When the decision is due."""
        hours = self.urgent_within_h if urgent else self.decide_within_h
        return received_at + timedelta(hours=hours)


def shipped_settings() -> IntakeSettings:
    """What holds in an area that has set nothing."""
    return read_data("intake-1.json", IntakeSettings)


_P = Permission
REFERRAL = RecordKind("referral", "Referral", "RF", Referral, _P.TRIAGE, _P.TRIAGE)
# Triage makes it and whoever has the case reads it: the service asks each for the permission.
CAME_IN = RecordKind(
    "came_in", "Came in by referral", "CI", CameIn, _P.SEE_CASEWORK, _P.SEE_CASEWORK
)
KNOWN_AS = RecordKind("known_as", "Known as", "KA", KnownAs, _P.SEE_CASEWORK, _P.TRIAGE)
SETTINGS = RecordKind(
    "intake_settings", "Settings of intake", "IS", IntakeSettings, _P.TRIAGE, _P.SET_CASEWORK
)
KINDS = (REFERRAL, CAME_IN, KNOWN_AS, SETTINGS)


class History(msgspec.Struct, frozen=True):
    """How often a person has harmed and come to notice: repeat, serial, and why each."""

    repeat: bool
    serial: bool
    why: list[str]


def history(
    facts: Facts,
    received_at: datetime,
    earlier: Iterable[datetime],
    known_victims: int,
    settings: IntakeSettings,
    likely: Iterable[datetime] = (),
) -> History:
    """Repeat and serial at intake.

    ``earlier``: when earlier referrals of this person were received; ``likely``: those of somebody
    without a record who is likely the same. ``known_victims``: different victims in the records of
    the years of the serial rule. Repeat: the sender says so, or a referral in the months of the
    rule. Serial: as many victims as the rule says, by the sender's number or by the records; where
    only both together are as many, somebody has to ask whether it is the same person.
    """
    today = day_of(received_at)
    recent, perhaps = (_recent(each, today, settings) for each in (earlier, likely))
    months = settings.repeat_months
    why = []
    if facts.repeat is Answered.YES:
        why.append("Repeat: the referral says so")
    if recent:
        why.append(f"Repeat: referred {_times(recent)} in the {months} months before")
    if perhaps:
        why.append(f"Repeat: likely referred {_times(perhaps)} in the {months} months before")
    stated = facts.victims or 0
    victims = max(stated, known_victims)
    serial = victims >= settings.serial_victims
    if serial:
        why.append(f"Serial: {victims} victims in {settings.serial_years} years")
    elif min(stated, known_victims) >= 1 and stated + known_victims >= settings.serial_victims:
        why.append(
            f"Perhaps serial: the referral says {stated}, the records {known_victims}: ask whether "
            "it is the same person"
        )
    repeat = facts.repeat is Answered.YES or recent + perhaps > 0
    return History(repeat, serial, why)


def _recent(received: Iterable[datetime], today: date, settings: IntakeSettings) -> int:
    first = add_months(today, -settings.repeat_months)
    return sum(first <= day_of(each) <= today for each in received)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def years_for_serial(today: date, settings: IntakeSettings) -> date:
    """The first day that the serial rule counts."""
    return add_months(today, -MONTHS_A_YEAR * settings.serial_years)


def age_on(born_on: date, day: date) -> int:
    """Whole years on a day; somebody born on 29 February is a year older on 1 March."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
