"""To which day the records of a cohort reach: after it nobody can be said to have done nothing.

Each entry names the day as of which its source knew it. The newest such day among the entries of
one keeper is how far that keeper's last extract is taken to reach. It is asked of the whole cohort
and not of one person, since an extract names only those of whom it has something to tell.
"""

from collections.abc import Sequence
from datetime import date
from enum import Enum

import msgspec

from navigate_safer.outcomes.policy import POLICY
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import EntryKind, History


class Keeper(Enum):
    """Whose records they are, in the words of a report.

    Breaches stand by themselves: they come from probation as well, and an extract of the police
    does not say that there were none.
    """

    POLICE = "the police's records of incidents, arrests and charges"
    BREACHES = "the records of breaches"
    COURTS = "the records of convictions, cautions and sentences"

    @property
    def kinds(self) -> frozenset[EntryKind]:
        """The kinds of entry by whose as-at days the reach is known."""
        return _KINDS[self]


_KINDS = {
    Keeper.POLICE: frozenset({EntryKind.INCIDENT, EntryKind.ARREST, EntryKind.CHARGE}),
    Keeper.BREACHES: frozenset({EntryKind.BREACH}),
    Keeper.COURTS: frozenset({EntryKind.DISPOSAL, EntryKind.COMMUNITY_SENTENCE, EntryKind.CAUTION}),
}


class Reach(msgspec.Struct, frozen=True):
    """How far a keeper's records reach; ``to`` None where there is none of them.

    ``asked`` is the last day that the report is about.
    """

    keeper: Keeper
    to: date | None
    asked: date

    @property
    def last(self) -> date | None:
        """The last day that can be counted: nothing after ``asked``, nothing after the records."""
        return None if self.to is None else min(self.to, self.asked)

    @property
    def old(self) -> bool:
        """Whether the records end longer before ``asked`` than the policy finds usual."""
        return self.to is not None and (self.asked - self.to).days > POLICY.stale_records_days

    @property
    def words(self) -> str:
        """One or two sentences for page and print."""
        name = f"{self.keeper.value[:1].upper()}{self.keeper.value[1:]}"
        if self.to is None or self.last is None:
            return f"{name}: none is known, so that nothing can be said of what rests on them."
        if self.to >= self.asked:
            return f"{name} reach to {_written(self.asked)}."
        days = (self.asked - self.to).days
        late = (
            f" That is {days} days before the day asked about: ask for a newer extract."
            if self.old
            else ""
        )
        return f"{name} reach to {_written(self.to)}: no later day is counted.{late}"

    @property
    def method(self) -> str:
        """The same for "how this is counted"."""
        until = "nobody, since there is none" if self.last is None else _written(self.last)
        return (
            f"Watched to: {until}; that is the newest as-at day of {self.keeper.value}, at most "
            f"the day asked about. No later day is a day without an event."
        )


def reach(histories: Sequence[History], keeper: Keeper, asked: date) -> Reach:
    """How far the keeper's records about these people reach."""
    days = (
        entry.as_at
        for history in histories
        for entry in history.entries
        if entry.kind in keeper.kinds
    )
    return Reach(keeper, max(days, default=None), asked)


def keeper_of(kind: EntryKind) -> Keeper:
    """Whose records tell of a kind that is counted: incidents, arrests or breaches."""
    return Keeper.BREACHES if kind is EntryKind.BREACH else Keeper.POLICE


def watching(histories: Sequence[History], design: Design) -> Design:
    """The design, ending where the records of what it counts end.

    Where there is none of them it ends before everybody's selection: nobody is watched.
    """
    last = reach(histories, keeper_of(design.kind), design.as_at).last
    return msgspec.structs.replace(design, as_at=last or date.min)


def reaches(histories: Sequence[History], design: Design) -> tuple[Reach, ...]:
    """Of every keeper whose records a report of this design rests on, the counted one first."""
    named = dict.fromkeys((keeper_of(design.kind), Keeper.POLICE, Keeper.COURTS))
    return tuple(reach(histories, each, design.as_at) for each in named)


def _written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
