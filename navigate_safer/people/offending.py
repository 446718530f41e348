"""What a person is known to have done and where the person was: the records behind all outcomes.

One entry is one line of a police, court or prison record, as a case file or a CSV file gives it.
Days are of Europe/London. Each entry names who is in it and how, who said it, and as of when.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from navigate_safer.outcomes.refusal import YEARS

Ref = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Source = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class EntryKind(Enum):
    """What the line is about."""

    INCIDENT = "incident"
    ARREST = "arrest"
    CHARGE = "charge"
    DISPOSAL = "disposal"
    BREACH = "breach"
    MARAC_REFERRAL = "marac_referral"
    CUSTODY = "custody"
    DIED = "died"
    MOVED_AWAY = "moved_away"
    RELEASE = "release"
    COMMUNITY_SENTENCE = "community_sentence"
    CAUTION = "caution"
    SELECTION = "selection"


# Somebody did something, or is said to have: these need the person's role in it.
OFFENDING = frozenset(
    {
        EntryKind.INCIDENT,
        EntryKind.ARREST,
        EntryKind.CHARGE,
        EntryKind.DISPOSAL,
        EntryKind.BREACH,
        EntryKind.MARAC_REFERRAL,
    }
)
# From here the Ministry of Justice's follow-up starts.
INDEX = frozenset({EntryKind.RELEASE, EntryKind.COMMUNITY_SENTENCE, EntryKind.CAUTION})
LEAVING = frozenset({EntryKind.DIED, EntryKind.MOVED_AWAY})


class IncidentRole(Enum):
    """How the person is in it; mandatory, since agencies could not always say who was harmed."""

    SUSPECT = "suspect"
    VICTIM = "victim"
    BOTH_ALLEGED = "both_alleged"
    UNKNOWN = "unknown"


class ProofType(Enum):
    """How a disposal ended."""

    CONVICTION = "conviction"
    CAUTION = "caution"
    NFA = "nfa"


class OffendingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line. ``on`` is the day of the offence, of the event, or the first day of custody.

    The first day of custody is still a day at risk. ``until`` is the day of release (a day at risk
    again), none while inside.
    ``recorded_on`` is when it was written down or, of an arrest, made. ``victim`` is the victim's
    reference in this service, never a name.
    """

    ref: Ref
    wearer: str
    kind: EntryKind
    on: date
    source: Source
    as_at: date
    role: IncidentRole | None = None
    offence_code: Code | None = None
    recorded_on: date | None = None
    until: date | None = None
    proof_on: date | None = None
    proof_type: ProofType | None = None
    victim: Ref | None = None


class HarmTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days of harm by offence code, with the version and the source that a report names."""

    version: Code
    source: Source
    weights_days: dict[str, Annotated[float, Meta(ge=0, le=100_000)]]


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of all known perpetrators had 0, 1, 2, … events of a kind in so many days.

    The whole known population and not those who were picked: it says how far a count falls by
    itself after somebody was picked at his worst. ``people_by_count``: count as text to people.
    """

    version: Code
    source: Source
    kind: EntryKind
    window_days: Annotated[int, Meta(gt=0, le=36_525)]
    people_by_count: dict[str, Annotated[int, Meta(ge=0, le=100_000_000)]]


class BadRecord(ValueError):
    """An entry that cannot be true; one line: which, what, what to do."""


def check(entry: OffendingEntry, born_on: date) -> None:
    """Refuse an entry that cannot be true of somebody born then; raises :class:`BadRecord`."""
    where = f"entry {entry.ref}"
    for name, day in _days(entry):
        if day.year not in YEARS:
            raise BadRecord(f"{where}: {name} {day} is not a date of this age; correct it")
        if name != "until" and day > entry.as_at:
            raise BadRecord(f"{where}: {name} {day} is after as_at {entry.as_at}; correct one")
    if entry.on < born_on:
        raise BadRecord(f"{where}: on {entry.on} is before the person was born; correct one")
    for name, day in _days(entry):
        if day < entry.on:
            raise BadRecord(f"{where}: {name} {day} is before on {entry.on}; correct one")
    _check_fields(where, entry)


def _check_fields(where: str, entry: OffendingEntry) -> None:
    kind = entry.kind.value
    if entry.kind in OFFENDING and entry.role is None:
        roles = ", ".join(role.value for role in IncidentRole)
        raise BadRecord(f"{where}: a {kind} needs the person's role: {roles}")
    if entry.kind not in OFFENDING and entry.role is not None:
        raise BadRecord(f"{where}: a {kind} has no role; leave it empty")
    if entry.until is not None and entry.kind is not EntryKind.CUSTODY:
        raise BadRecord(f"{where}: only custody has an end; leave until empty")
    if entry.proof_type is not None and entry.kind is not EntryKind.DISPOSAL:
        raise BadRecord(f"{where}: only a disposal has a proof; leave proof_type empty")
    if entry.kind is EntryKind.DISPOSAL and (entry.proof_type is None or entry.proof_on is None):
        raise BadRecord(f"{where}: a disposal needs proof_type and proof_on")


def _days(entry: OffendingEntry) -> Iterable[tuple[str, date]]:
    named = (
        ("as_at", entry.as_at),
        ("on", entry.on),
        ("recorded_on", entry.recorded_on),
        ("until", entry.until),
        ("proof_on", entry.proof_on),
    )
    return ((name, day) for name, day in named if day is not None)


class Spell(msgspec.Struct, frozen=True):
    """Days from ``start`` on, ``end`` not among them; no end is for ever."""

    start: date
    end: date


class History(msgspec.Struct, frozen=True):
    """Everything known of one person, in order of day.

    ``custody`` are spells that do not touch each other. ``left_on``: died or moved away.
    """

    ref: str
    born_on: date
    entries: tuple[OffendingEntry, ...]
    custody: tuple[Spell, ...]
    left_on: date | None

    def of(self, kind: EntryKind) -> list[OffendingEntry]:
        """The entries of a kind."""
        return [each for each in self.entries if each.kind is kind]

    def first(self, kinds: Iterable[EntryKind]) -> date | None:
        """The day of the first entry of any of the kinds."""
        wanted = set(kinds)
        return min((each.on for each in self.entries if each.kind in wanted), default=None)

    def in_custody(self, day: date) -> bool:
        """Whether the person was inside all of that day: not on the first, nor when released."""
        return any(spell.start < day < spell.end for spell in self.custody)


def history_of(ref: str, born_on: date, entries: Sequence[OffendingEntry]) -> History:
    """One person's history; custody that overlaps or touches becomes one spell."""
    ordered = sorted(entries, key=lambda each: (each.on, each.ref))
    left = [each.on for each in ordered if each.kind in LEAVING]
    custody = [
        Spell(each.on, each.until or date.max) for each in ordered if each.kind is EntryKind.CUSTODY
    ]
    return History(ref, born_on, tuple(ordered), tuple(joined(custody)), min(left, default=None))


def joined(spells: Iterable[Spell]) -> list[Spell]:
    """Spells in order, those that overlap or touch as one."""
    found: list[Spell] = []
    for spell in sorted(spells, key=lambda each: each.start):
        if found and spell.start <= found[-1].end:
            found[-1] = Spell(found[-1].start, max(found[-1].end, spell.end))
        else:
            found.append(spell)
    return found
