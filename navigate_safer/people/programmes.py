"""Programmes, their groups, and sessions of a group or of one person.

That a programme is completed never means that anybody is safe: no state and no figure says so.
"""

from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from importlib.resources import files

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.records import RecordKind

CAUTION = (
    "Completed is not safe: attending a programme does not show that the harm has stopped. "
    "Look at incidents, breaches and what the victim says beside it."
)


class SessionKind(Enum):
    """Whether a session of a template is for the group or for one person."""

    GROUP = "group"
    ONE_TO_ONE = "one_to_one"


class TemplateSession(msgspec.Struct, frozen=True):
    """One session of a programme, in its module."""

    module: str
    title: str
    kind: SessionKind
    minutes: int


class Template(msgspec.Struct, frozen=True):
    """A programme as its manual orders it."""

    code: str
    name: str
    source: str
    accredited: bool
    sessions: tuple[TemplateSession, ...]

    def of_kind(self, kind: SessionKind) -> list[TemplateSession]:
        """Its sessions of one kind, in order."""
        return [each for each in self.sessions if each.kind is kind]


class Templates(msgspec.Struct, frozen=True):
    """The data file."""

    version: str
    templates: tuple[Template, ...]


@lru_cache(maxsize=1)
def templates() -> Templates:
    """The programmes as shipped, ``data/programme_templates.json``."""
    path = files("navigate_safer.people").joinpath("data", "programme_templates.json")
    return msgspec.json.decode(path.read_bytes(), type=Templates)


def template(code: str) -> Template | None:
    """One programme; None when there is none of that code."""
    return next((each for each in templates().templates if each.code == code), None)


class LeaveReason(Enum):
    """Why somebody is no longer in a group."""

    COMPLETED = "completed"
    STOPPED_COMING = "stopped_coming"
    EXCLUDED = "excluded_for_behaviour"
    UNSUITABLE = "found_unsuitable"
    CUSTODY = "in_custody"
    MOVED_AWAY = "moved_away"
    ORDER_ENDED = "order_ended"
    TRANSFERRED = "another_group"
    VICTIM_SAFETY = "safety_of_somebody"
    DIED = "died"


class Member(msgspec.Struct, frozen=True):
    """Somebody in a group, from a day on and perhaps until one."""

    wearer_id: int
    wearer_ref: str
    joined_on: date
    left_on: date | None = None
    why_left: LeaveReason | None = None

    def there_on(self, day: date) -> bool:
        """Whether the register of a day has them."""
        return self.joined_on <= day and (self.left_on is None or day <= self.left_on)


class Group(msgspec.Struct, frozen=True):
    """A group that runs a programme once a week. ``starts_at`` is HH:MM in London.

    ``intervention`` is the code on the menu that it delivers, or empty. ``facilitators`` are ids of
    staff, the first of whom the registers are due from.
    """

    name: str
    template: str
    template_version: str
    place: str
    starts_on: date
    starts_at: str
    minutes: int
    intervention: str = ""
    rar: bool = False
    places: int = 12
    breaks: tuple[date, ...] = ()
    facilitators: tuple[int, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def present_members(self) -> list[Member]:
        """Those who have not left."""
        return [each for each in self.members if each.left_on is None]


class Line(msgspec.Struct, frozen=True):
    """What a register says of one person. ``outcome`` is a code, empty while it is not known."""

    outcome: str = ""
    behaviour: str = ""
    concern: str = ""
    notify: bool = False


class Register(msgspec.Struct, frozen=True):
    """One session of a group with its register; ``lines`` by the reference of the person.

    ``late`` when it was filled in after its time; ``unfinished`` while lines are still open.
    """

    group_ref: str
    number: int
    module: str
    title: str
    starts_at: datetime
    minutes: int
    lines: dict[str, Line] = {}
    late: bool = False
    unfinished: bool = False


class Mode(Enum):
    """How a session is held."""

    GROUP = "group"
    IN_PERSON = "in_person"
    VIDEO = "video"
    TELEPHONE = "telephone"


class Sitting(msgspec.Struct, frozen=True):
    """One session of one person, of a group or alone.

    ``unit`` is the number of the group's session; of a catch-up, of the one that it makes up for.
    ``answer`` is what the officer who was told has decided or done.
    """

    title: str
    module: str
    mode: Mode
    starts_at: datetime
    minutes: int
    place: str = ""
    group_ref: str = ""
    unit: int | None = None
    catch_up: bool = False
    rar: bool = False
    outcome: str | None = None
    behaviour: str = ""
    concern: str = ""
    notify: bool = False
    late: bool = False
    answer: str = ""

    @property
    def on(self) -> date:
        """The day in London."""
        return day_of(self.starts_at)


class RarOrdered(msgspec.Struct, frozen=True):
    """The most days of rehabilitation activity that a court has set, for the whole order."""

    order: str
    days: int
    ends_on: date | None = None


class Stage(Enum):
    """When in a programme a measure was taken."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Measure(msgspec.Struct, frozen=True):
    """A validated scale as somebody filled it in: the tool's name, its score and its range."""

    tool: str
    stage: Stage
    on: date
    score: int
    lowest: int
    highest: int
    higher_is_better: bool
    note: str = ""

    @property
    def share(self) -> float:
        """Where the score lies, 0 the worst and 1 the best of the scale."""
        place = (self.score - self.lowest) / (self.highest - self.lowest)
        return place if self.higher_is_better else 1 - place


_SEE, _RUN = Permission.SEE_CASEWORK, Permission.RUN_PROGRAMMES
GROUP = RecordKind("programme_group", "Programme group", "GR", Group, _SEE, _RUN)
REGISTER = RecordKind("group_session", "Session of a group", "GS", Register, _SEE, _RUN)
SITTING = RecordKind("session", "Session", "SE", Sitting, _SEE, _RUN)
RAR = RecordKind("rar_requirement", "Rehabilitation activity days", "RA", RarOrdered, _SEE, _RUN)
MEASURE = RecordKind("progress_measure", "Progress measure", "PM", Measure, _SEE, _RUN)
KINDS = (GROUP, REGISTER, SITTING, RAR, MEASURE)
