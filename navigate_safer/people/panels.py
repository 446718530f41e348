"""Meetings of agencies about people: MARAC, MATAC and the IOM panel; who is heard, what follows.

Days are of Europe/London. The rules are settings with their source in ``data/panels.json``.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import Enum
from statistics import median

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.data import read_data
from navigate_safer.people.records import RecordKind


class PanelKind(Enum):
    """Which meeting it is."""

    MARAC = "marac"
    MATAC = "matac"
    IOM_PANEL = "iom_panel"

    @property
    def label(self) -> str:
        """As people say it."""
        return {"marac": "MARAC", "matac": "MATAC", "iom_panel": "IOM panel"}[self.value]


class Heard(Enum):
    """How far an item of the agenda is."""

    LISTED = "listed"
    HEARD = "heard"
    DEFERRED = "deferred"


class Attendee(msgspec.Struct, frozen=True):
    """Somebody who was there, for an agency."""

    agency: str
    name: str


class Panel(msgspec.Struct, frozen=True):
    """One meeting; ``starts`` is HH:MM. Minutes of each person are with the items."""

    kind: PanelKind
    held_on: date
    starts: str
    chair: str
    people: list[Attendee] = []
    minutes: str = ""


class Item(msgspec.Struct, frozen=True):
    """A person on the agenda. ``earlier_on``: the referral before that makes this one a repeat."""

    panel: str
    panel_kind: PanelKind
    held_on: date
    referred_on: date
    referred_by: str
    why: str
    earlier_on: date | None = None
    minutes: str = ""


class Action(msgspec.Struct, frozen=True):
    """What somebody has to do: owner, agency, until when, and when it was done."""

    panel: str
    what: str
    agency: str
    owner: str
    due_on: date
    done_on: date | None = None
    result: str = ""


class PanelRule(msgspec.Struct, frozen=True):
    """What holds for a kind of meeting, and who says so."""

    repeat_within_days: int
    every_days: int
    source: str


class PanelRules(msgspec.Struct, frozen=True):
    """The rules of all kinds, with the version of the table."""

    version: str
    kinds: dict[str, PanelRule]

    def of(self, kind: PanelKind) -> PanelRule:
        """The rule of one kind."""
        return self.kinds[kind.value]


RULES = read_data("panels.json", PanelRules)
# Minutes may name who was harmed: only those who take part in meetings read them.
PANEL = RecordKind(
    "panel", "Meeting", "ME", Panel, Permission.RUN_MEETINGS, Permission.RUN_MEETINGS, True
)
ITEM = RecordKind(
    "panel_item", "Heard at a meeting", "MI", Item, Permission.RUN_MEETINGS, Permission.RUN_MEETINGS
)
ACTION = RecordKind(
    "panel_action",
    "Action of a meeting",
    "MA",
    Action,
    Permission.RUN_MEETINGS,
    Permission.RUN_MEETINGS,
)


class PanelFigures(msgspec.Struct, frozen=True):
    """What the meetings of a time have done; None where there is nothing to count."""

    meetings: int
    heard: int
    repeats: int
    people: int
    median_days_to_hearing: float | None
    actions_open: int
    actions_overdue: int

    @property
    def repeat_percent(self) -> float | None:
        """Of those heard, how many had been referred before within the rule's time."""
        return 100 * self.repeats / self.heard if self.heard else None


def repeat_of(
    kind: PanelKind, referred_on: date, earlier: Iterable[tuple[PanelKind, date]], rules: PanelRules
) -> date | None:
    """The newest earlier referral to that kind that makes another a repeat; None when none.

    ``earlier``: kind of the meeting and day of each other referral of the person, whether or not
    it was heard. One on the same day counts; one after it does not.
    """
    within = timedelta(days=rules.of(kind).repeat_within_days)
    days = [day for to, day in earlier if to is kind and day <= referred_on]
    newest = max(days, default=None)
    return newest if newest is not None and referred_on - newest <= within else None


def next_on(kind: PanelKind, last_on: date, rules: PanelRules) -> date:
    """The day of the next regular meeting."""
    return last_on + timedelta(days=rules.of(kind).every_days)


def figures(
    panels: Sequence[Panel],
    heard: Sequence[tuple[int, Item]],
    actions: Sequence[Action],
    today: date,
) -> PanelFigures:
    """Count the meetings of a time; ``heard`` is the person's id with each item that was heard."""
    waits = [max(0, (item.held_on - item.referred_on).days) for _, item in heard]
    undone = [each for each in actions if each.done_on is None]
    return PanelFigures(
        meetings=len(panels),
        heard=len(heard),
        repeats=sum(item.earlier_on is not None for _, item in heard),
        people=len({person for person, _ in heard}),
        median_days_to_hearing=float(median(waits)) if waits else None,
        actions_open=len(undone),
        actions_overdue=sum(each.due_on < today for each in undone),
    )
