"""The parts of a report that rest on the tags: time of compliance, burden of alerts, equity."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from navigate_safer.outcomes.intervals import poisson_exact
from navigate_safer.outcomes.power import Design, smallest_fall
from navigate_safer.outcomes.repeats import rate
from navigate_safer.people.outcome_report import (
    CANNOT,
    SMALL,
    Part,
    Row,
    Sentence,
    between,
    percent,
)

DAYS_A_WEEK = 7


class ConditionTime(msgspec.Struct, frozen=True):
    """Seconds of all conditions of a kind, and of how many people."""

    kind: str
    people: int
    scheduled_s: int
    compliant_s: int
    breach_s: int
    unknown_s: int


class AlertFact(msgspec.Struct, frozen=True):
    """One alert about a wearer: what came of it, None while nobody has answered that."""

    ref: str
    outcome: str | None
    withdrawn: bool


class Monitored(msgspec.Struct, frozen=True):
    """One wearer in the window: days with a device on, and which group he is in by name."""

    ref: str
    days: float
    groups: dict[str, str]


def time_kept(found: Sequence[ConditionTime], names: Callable[[str], str]) -> Part:
    """Scheduled time that was kept, broken and not known, by kind of condition."""
    rows = []
    for each in found:
        if not each.scheduled_s:
            continue
        known = each.compliant_s + each.breach_s
        kept = each.compliant_s / known if known else None
        unknown = percent(each.unknown_s / each.scheduled_s)
        note = f"{each.scheduled_s / 3600:,.0f} hours of {each.people} people; {unknown} not known"
        value = f"{percent(kept, 1)} of the known time"
        # Were all that is not known broken, or all of it kept.
        worst = each.compliant_s / each.scheduled_s
        best = (each.compliant_s + each.unknown_s) / each.scheduled_s
        rows.append(
            Row(names(each.kind), value, f"{percent(worst)} to {percent(best)}", note, kept, worst,
                best, (each.people,))
        )  # fmt: skip
    said = [
        Sentence(
            "Time that no reading vouches for is neither kept nor broken. The range says what the "
            "share would be if all of it had been broken, or all of it kept: it is no interval of "
            "chance."
        )
        if rows
        else Sentence("Cannot tell: no day of the window has been worked out.")
    ]
    said.append(Sentence("Keeping a condition does not say that nobody was harmed."))
    method = (
        "Scheduled seconds of each condition on each full day of the window, from the days of "
        "compliance that the person's page shows."
    )
    return Part("time", "Time of compliance", tuple(rows), tuple(said), method)


def alert_burden(alerts: Sequence[AlertFact], people: Sequence[Monitored]) -> Part:
    """How many alerts a week of wearing brings, and how many of them were true."""
    of = Counter(each.ref for each in alerts)
    spread = _dispersion([of[each.ref] for each in people], [each.days for each in people])
    weeks = sum(each.days for each in people) / DAYS_A_WEEK
    answered = [each for each in alerts if each.outcome is not None and not each.withdrawn]
    true = sum(each.outcome == "breach_confirmed" for each in answered)
    precision = rate(true, len(answered), "no alert has been answered")
    withdrawn = sum(each.withdrawn for each in alerts)
    low, high = precision.ci95 or (None, None)
    waiting = len(alerts) - len(answered) - withdrawn
    # All alerts, whose number is shown, are the answered, the withdrawn and the waiting: what is
    # left out of them could be worked out from what is shown.
    rest = (withdrawn, waiting, len(answered))
    of_answered = (true, len(answered), len(answered) - true, withdrawn + waiting)
    rows = (
        _a_week("Alerts for each week worn", len(alerts), weeks, spread),
        Row("Precision: confirmed of those answered", percent(precision.rate),
            between(precision.ci95), f"{true} of {len(answered)} answered alerts", precision.rate,
            low, high, of_answered, "alerts"),
        Row("Withdrawn by later readings", str(withdrawn), number=withdrawn, counts=rest),
        Row("Not answered yet", str(waiting), number=waiting, counts=rest),
    )  # fmt: skip
    words = f"Of {len(answered)} answered alerts officers confirmed {true} as breaches."
    said = (
        Sentence(words, of_answered)
        if answered
        else Sentence("Cannot tell how many alerts are true: none has been answered."),
        Sentence(
            "Precision rests on what officers found. It says nothing of breaches that no alert was "
            "raised for, and nothing of alerts that nobody has answered."
        ),
    )
    method = (
        "Alerts about a wearer that opened in the window. Interval of the rate: exact Poisson, "
        "widened by the root of the dispersion between people (Pearson, at least 1); of precision: "
        "Wilson, too narrow where one person has many; both 95 %."
    )
    return Part("alerts", "Burden and precision of alerts", rows, said, method)


def _a_week(label: str, events: int, weeks: float, dispersion: float) -> Row:
    """Alerts for each week worn.

    The exact Poisson interval takes alerts as independent; where one wearer has many it is widened
    by the root of the dispersion, on the scale of ratios.
    """
    note = f"{events:,} in {weeks:,.1f} weeks worn"
    if weeks <= 0:
        return Row(label, CANNOT, "", "no device was worn")
    value, counts = f"{events / weeks:.2f}", (events,)
    low, high = poisson_exact(events)
    if events:
        logs = [math.log(end / events) * math.sqrt(dispersion) for end in (low, high)]
        if logs[1] > math.log(_SAYS_NOTHING):
            note += "; nearly all from so few people that no interval can be given"
            return Row(label, value, CANNOT, note, events / weeks, counts=counts)
        low, high = (events * math.exp(each) for each in logs)
    low, high = low / weeks, high / weeks
    return Row(label, value, f"{low:.2f} to {high:.2f}", note, events / weeks, low, high, counts)


# An interval that reaches to so many times the rate says nothing.
_SAYS_NOTHING = 100


def _dispersion(counts: Sequence[int], days: Sequence[float]) -> float:
    """How much more people differ than chance alone makes them; at least 1.

    Pearson's chi-square of the counts, given the days of each, over the people less one.
    """
    known = [(count, each) for count, each in zip(counts, days, strict=True) if each > 0]
    events, whole = sum(count for count, _ in known), sum(each for _, each in known)
    if len(known) < 2 or not events:
        return 1.0
    means = [events * each / whole for _, each in known]
    chi2 = math.fsum(
        (count - mean) ** 2 / mean for (count, _), mean in zip(known, means, strict=True)
    )
    return max(1.0, chi2 / (len(known) - 1))


class _Group(msgspec.Struct, frozen=True):
    """One group of wearers with its alerts."""

    name: str
    people: int
    row: Row
    events: int
    weeks: float
    dispersion: float


def equity(alerts: Sequence[AlertFact], people: Sequence[Monitored], by: str, title: str) -> Part:
    """Alerts for each week worn, by a grouping of the wearers; tiny groups are not compared."""
    of = Counter(each.ref for each in alerts)
    groups: list[_Group] = []
    for name in sorted({each.groups[by] for each in people}):
        members = {each.ref: each.days for each in people if each.groups[by] == name}
        spread = _dispersion([of[ref] for ref in members], list(members.values()))
        events = sum(of[ref] for ref in members)
        weeks = sum(members.values()) / DAYS_A_WEEK
        row = _a_week(name, events, weeks, spread)
        note = f"{row.note}; {len(members)} people"
        if len(members) < SMALL:
            row = Row(name, "too few people to say", note=note)
        row = msgspec.structs.replace(row, note=note, counts=(len(members), events))
        groups.append(_Group(name, len(members), row, events, weeks, spread))
    rows = tuple(each.row for each in groups)
    method = (
        "Alerts that opened in the window for each week with a device on, by group. Exact Poisson "
        "interval, 95 %, widened on the scale of ratios by the root of the dispersion (Pearson, at "
        "least 1) between the people of the group, so that one person with many alerts makes no "
        f"difference between groups; groups under {SMALL} people are not compared."
    )
    said = _equity_said(rows, _missed(groups))
    return Part(f"equity-{by}", title, rows, said, method, adds_up=True)


def _missed(groups: Sequence[_Group]) -> str:
    """How small a difference between the two largest groups would be noticed."""
    large = sorted(
        (each for each in groups if each.people >= SMALL and each.weeks),
        key=lambda each: -each.weeks,
    )[:2]
    events = sum(each.events for each in large)
    if len(large) < 2 or not events:
        return "So little was recorded that no difference would be noticed."
    most, next_most = large
    # Were there no difference, the events would fall as the weeks do.
    before = events * most.weeks / (most.weeks + next_most.weeks)
    spread = max(most.dispersion, next_most.dispersion)
    fall = smallest_fall(Design(before, next_most.weeks / most.weeks, spread))
    if fall is None:
        return "So little was recorded that no difference would be noticed four times of five."
    return (
        f"Between {most.name} and {next_most.name}, the largest, a true difference of less than "
        f"{percent(fall)} would be missed more often than once in five."
    )


def _equity_said(rows: Sequence[Row], missed: str) -> tuple[Sentence, ...]:
    known = [each for each in rows if each.low is not None and each.high is not None]
    counts = tuple(count for each in rows for count in each.counts)
    why = Sentence(
        "A difference does not say why: groups differ in their conditions and their homes, and a "
        "device can work worse in some places. Sex, ethnicity and disability are not collected."
    )
    if len(known) < 2:
        return Sentence(
            "Cannot tell: fewer than two groups are large and even enough to compare."
        ), why
    apart = [
        f"{one.label} above {other.label}"
        for one in known
        for other in known
        if (one.low or 0.0) > (other.high or 0.0)
    ]
    if apart:
        text = f"Look into this: {'; '.join(apart[:4])}, by more than chance explains."
        return Sentence(text, counts), why
    return Sentence(f"Cannot tell the groups apart: their intervals overlap. {missed}", counts), why
