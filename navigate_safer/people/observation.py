"""From histories to what the measures take: windows, days at risk, counts, clocks.

An event counts on the day of the offence, not of the record: a slow record must not move it from
one window into the other. It counts against a person who is its suspect, and nobody else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from navigate_safer.outcomes.before_after import Totals
from navigate_safer.outcomes.harm import Offences
from navigate_safer.outcomes.overdispersion import People
from navigate_safer.outcomes.reoffending import Cohort, Event, FollowUp, Person, reoffending
from navigate_safer.outcomes.serial import Incident, Incidents
from navigate_safer.outcomes.survival import Group
from navigate_safer.people.offending import (
    INDEX,
    EntryKind,
    History,
    IncidentRole,
    OffendingEntry,
    Spell,
)

DAY = timedelta(days=1)
NO_CODE = "no code"


class Design(msgspec.Struct, frozen=True):
    """What a before-and-after comparison looks at.

    ``window_days`` each side of the day of selection, ``gap_days`` left out each side of it: the
    incident for which somebody was picked must not count as "before". ``as_at`` is the last day of
    which the records can tell: nobody is watched after it (see ``record_reach.watching``).
    """

    as_at: date
    kind: EntryKind
    window_days: int
    gap_days: int


class Observed(msgspec.Struct, frozen=True):
    """One person in both windows; ``inside`` are offences dated on days in custody, left out."""

    ref: str
    pre: tuple[OffendingEntry, ...]
    post: tuple[OffendingEntry, ...]
    pre_days: int
    post_days: int
    inside: int
    shortened: bool


class Watched(msgspec.Struct, frozen=True):
    """A cohort in both windows, and who could not be in it and why."""

    people: tuple[Observed, ...]
    without_selection: tuple[str, ...]
    too_early: tuple[str, ...]


def days_at_risk(history: History, window: Spell) -> int:
    """Days of the window that the person was neither in custody nor gone.

    Both the first day in custody and the day of release are at risk: on each the person was free
    for a part of it, and on the first falls what led to custody.
    """
    end = window.end if history.left_on is None else min(window.end, history.left_on)
    whole = max(0, (end - window.start).days)
    inside = sum(
        max(0, (min(spell.end, end) - max(spell.start + DAY, window.start)).days)
        for spell in history.custody
    )
    return whole - inside


def watched(histories: Iterable[History], design: Design) -> Watched:
    """Both windows of each person, of equal length for each of them.

    After the records end, or once the person has left, nobody is watched; the window before is
    then shortened as well, at its far end.
    """
    people: list[Observed] = []
    without: list[str] = []
    early: list[str] = []
    for history in histories:
        selected = history.first([EntryKind.SELECTION])
        if selected is None:
            without.append(history.ref)
            continue
        windows = _windows(history, selected, design)
        if windows is None:
            early.append(history.ref)
        else:
            people.append(_observed(history, windows, design))
    return Watched(tuple(people), tuple(without), tuple(early))


def _windows(history: History, selected: date, design: Design) -> tuple[Spell, Spell] | None:
    gap = timedelta(days=design.gap_days)
    start = selected + gap + DAY
    known = min(design.as_at + DAY, history.left_on or date.max)
    length = min(timedelta(days=design.window_days), known - start)
    if length <= timedelta():
        return None
    return Spell(selected - gap - length, selected - gap), Spell(start, start + length)


def _observed(history: History, windows: tuple[Spell, Spell], design: Design) -> Observed:
    events = offences(history, design.kind)
    within = [[each for each in events if _in(each.on, window)] for window in windows]
    free = [[each for each in found if not history.in_custody(each.on)] for found in within]
    return Observed(
        ref=history.ref,
        pre=tuple(free[0]),
        post=tuple(free[1]),
        pre_days=days_at_risk(history, windows[0]),
        post_days=days_at_risk(history, windows[1]),
        inside=sum(map(len, within)) - sum(map(len, free)),
        shortened=(windows[1].end - windows[1].start).days < design.window_days,
    )


def offences(history: History, kind: EntryKind) -> list[OffendingEntry]:
    """Entries of a kind in which the person is the suspect."""
    return [each for each in history.of(kind) if each.role is IncidentRole.SUSPECT]


def _in(day: date, window: Spell) -> bool:
    return window.start <= day < window.end


def totals(found: Sequence[Observed]) -> Totals:
    """The input of ``compare``."""
    return Totals(
        x0=sum(len(each.pre) for each in found),
        t0=sum(each.pre_days for each in found),
        x1=sum(len(each.post) for each in found),
        t1=sum(each.post_days for each in found),
    )


def involved(found: Sequence[Observed]) -> tuple[int, int]:
    """How many people have an event before, and how many after: whose the counts are."""
    return sum(bool(each.pre) for each in found), sum(bool(each.post) for each in found)


def by_person(found: Sequence[Observed]) -> People:
    """The input of ``overdispersed``."""
    return People(
        pre=tuple(len(each.pre) for each in found),
        post=tuple(len(each.post) for each in found),
        pre_days_at_risk=tuple(each.pre_days for each in found),
        post_days_at_risk=tuple(each.post_days for each in found),
    )


def harm_input(found: Sequence[Observed], weights_days: dict[str, float]) -> Offences:
    """The input of ``harm``; an entry without a code stands under ``no code``."""
    counts: list[dict[str, int]] = [{}, {}]
    for each in found:
        for period, entries in zip(counts, (each.pre, each.post), strict=True):
            for entry in entries:
                code = entry.offence_code or NO_CODE
                period[code] = period.get(code, 0) + 1
    return Offences(weights_days, counts[0], counts[1], len(found))


def without_days(given: Offences) -> dict[str, int]:
    """How many offences of each code that the table has no days for, in order of code."""
    codes = sorted({*given.pre, *given.post} - set(given.weights_days))
    return {code: given.pre.get(code, 0) + given.post.get(code, 0) for code in codes}


def follow_ups(
    histories: Iterable[History], as_at: date, courts_to: date | None = None
) -> tuple[Cohort, list[str]]:
    """The input of ``reoffending``, and who has no index event by ``as_at``.

    The index is the first release, community sentence or caution; a disposal is one event.
    ``courts_to`` is the last day of which the courts' records tell, ``as_at`` if none is given: a
    follow-up is over only once they reach to its end.
    """
    told = as_at if courts_to is None else min(as_at, courts_to)
    people: list[Person] = []
    without: list[str] = []
    for history in histories:
        index = history.first(INDEX)
        if index is None or index > as_at:
            without.append(history.ref)
            continue
        people.append(Person(history.ref, index, tuple(_events(history, told))))
    return Cohort(told, tuple(people)), without


def _events(history: History, as_at: date) -> Iterable[Event]:
    for kind, name in ((EntryKind.DISPOSAL, "offence"), (EntryKind.BREACH, "breach")):
        for each in offences(history, kind):
            if each.on > as_at:
                continue
            # What was proven after the day that is asked about was not proven then.
            known = each.proof_on is not None and each.proof_on <= as_at
            yield msgspec.convert(
                {
                    "offence": each.on,
                    "kind": name,
                    "proof": each.proof_on if known else None,
                    "proof_type": each.proof_type.value if known and each.proof_type else None,
                },
                Event,
            )


class Clock(msgspec.Struct, frozen=True):
    """One person's days at risk since selection, and the first event, none while there was none."""

    ref: str
    days: int
    first: OffendingEntry | None


def clocked(histories: Iterable[History], kind: EntryKind, as_at: date) -> Iterable[Clock]:
    """Days at risk from selection to the first event, or to the end of watching.

    The clock stops in custody, and for good when the person leaves or the records end. An offence
    dated in custody does not end it. Who was not selected is not in it.
    """
    for history in histories:
        selected = history.first([EntryKind.SELECTION])
        if selected is None or selected >= as_at:
            continue
        last = min(as_at + DAY, history.left_on or date.max)
        after = (
            each
            for each in offences(history, kind)
            if selected < each.on < last and not history.in_custody(each.on)
        )
        first = min(after, key=lambda each: each.on, default=None)
        # The day of the event is itself a day at risk.
        end = last if first is None else first.on + DAY
        yield Clock(history.ref, days_at_risk(history, Spell(selected + DAY, end)), first)


def clocks(histories: Iterable[History], kind: EntryKind, as_at: date) -> Group:
    """The input of ``survival``."""
    found = list(clocked(histories, kind, as_at))
    return Group(
        tuple(each.days for each in found), tuple(each.first is not None for each in found)
    )


def incidents_of(histories: Iterable[History], as_at: date) -> Incidents:
    """The input of ``serial``: incidents up to ``as_at`` with the person as suspect, and ages."""
    made: list[Incident] = []
    ages: dict[str, int] = {}
    for history in histories:
        for each in offences(history, EntryKind.INCIDENT):
            if each.on <= as_at:
                made.append(Incident(history.ref, each.victim, each.on))
        ages[history.ref] = age_on(history.born_on, as_at)
    return Incidents(as_at, tuple(made), ages)


def age_on(born_on: date, day: date) -> int:
    """Whole years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def referred(
    histories: Iterable[History], as_at: date
) -> dict[tuple[str, str], list[OffendingEntry]]:
    """Referrals to the meeting in order of day, by perpetrator and victim, both known."""
    found: dict[tuple[str, str], list[OffendingEntry]] = {}
    for history in histories:
        for each in offences(history, EntryKind.MARAC_REFERRAL):
            if each.on <= as_at and each.victim is not None:
                found.setdefault((history.ref, each.victim), []).append(each)
    return found


def referrals(histories: Iterable[History], as_at: date) -> dict[str, list[date]]:
    """The input of ``repeat_rate``: days of referral by case."""
    return {
        f"{ref}|{victim}": [each.on for each in entries]
        for (ref, victim), entries in referred(histories, as_at).items()
    }


def reoffended(cohort: Cohort) -> Mapping[str, FollowUp]:
    """Each person's follow-up."""
    return reoffending(cohort).per_person
