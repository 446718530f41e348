"""The parts of a report that rest on records of offending: each with what it can and cannot say."""

from collections.abc import Sequence
from datetime import date

import msgspec

from navigate_safer.outcomes.harm import Harm, Offences, harm
from navigate_safer.outcomes.policy import DAYS_A_YEAR
from navigate_safer.outcomes.reoffending import Reoffending, reoffending
from navigate_safer.outcomes.repeats import Rate, rate, repeat_rate, serial_rate
from navigate_safer.outcomes.survival import (
    Curve,
    Group,
    at_day,
    at_risk,
    kaplan_meier,
    median,
    restricted_mean,
)
from navigate_safer.people import observation
from navigate_safer.people.observation import Design, Watched
from navigate_safer.people.offending import HarmTable, History
from navigate_safer.people.outcome_report import (
    CANNOT,
    DAYS_SHOWN,
    PUBLIC_STEP_DAYS,
    Part,
    Point,
    Row,
    Sentence,
    between,
    percent,
    public_steps,
    signed,
)

_PROVEN = (
    "An offence counts when it was done within 12 calendar months of the index event (release, "
    "community sentence or caution) and proven by conviction or caution within 6 months more. "
    "Breaches of an order alone do not count. Interval: Wilson, 95 %. Source: Ministry of "
    "Justice, proven reoffending statistics."
)
_REOFFENDED = "Re-offended, proven within 12 months"


def proven(histories: Sequence[History], as_at: date, courts_to: date | None) -> Part:
    """Proven re-offending as the Ministry of Justice counts it.

    ``courts_to`` is the last day of which the courts' records tell; none: nothing can be told.
    """
    title = "Proven re-offending"
    if courts_to is None:
        cannot = Sentence("Cannot tell: no conviction, caution or sentence of anybody is recorded.")
        return Part("proven", title, (Row(_REOFFENDED, CANNOT),), (cannot,), _PROVEN)
    cohort, without = observation.follow_ups(histories, as_at, courts_to)
    found = reoffending(cohort)
    waiting = len(cohort.people) - found.cohort_n
    counts = _proven_counts(found, waiting + len(without))
    rows = _proven_rows(found, counts, waiting=waiting, without=len(without))
    if found.binary_rate is None:
        said = [Sentence(f"Cannot tell: {found.reasons['binary_rate']}.")]
    else:
        words = (
            f"Of {found.cohort_n} people who could be followed for 12 months and 6 more for the "
            f"courts, {found.reoffenders} were convicted or cautioned for a new offence. By the "
            f"size of the group the true share may lie anywhere in "
            f"{between(found.binary_wilson_ci95)}."
        )
        said = [Sentence(words, counts)]
    said.append(
        Sentence(
            "This counts what was proven, not what was done: most abuse never comes to court. It "
            "comes 18 months late, and does not compare these people with others."
        )
    )
    return Part("proven", title, rows, tuple(said), _PROVEN)


def _proven_counts(found: Reoffending, others: int) -> tuple[int, ...]:
    """What the number of those followed gives away; ``others``: the whole cohort less them."""
    return found.reoffenders, found.cohort_n, found.cohort_n - found.reoffenders, others


def _proven_rows(
    found: Reoffending, counts: tuple[int, ...], *, waiting: int, without: int
) -> tuple[Row, ...]:
    low, high = found.binary_wilson_ci95 or (None, None)
    # With those who were followed they are the whole cohort: left out together.
    apart = (waiting, without, found.cohort_n)
    more = (*counts, found.reoffences)
    return (
        Row(
            _REOFFENDED,
            percent(found.binary_rate),
            between(found.binary_wilson_ci95),
            f"{found.reoffenders} of {found.cohort_n} people",
            found.binary_rate,
            low,
            high,
            counts,
            "reoffenders",
        ),
        _plain("Offences for each who re-offended", found.reoffences_per_reoffender, 2, more),
        _plain("Offences for 100 people", found.reoffences_per_100_offenders, 1, more),
        Row("Not followed long enough", f"{waiting} people", number=waiting, counts=apart,
            behind="immature"),
        Row("Without an index event", f"{without} people", number=without, counts=apart,
            behind="without_index"),
    )  # fmt: skip


def _plain(label: str, number: float | None, digits: int, counts: tuple[int, ...]) -> Row:
    value = CANNOT if number is None else f"{number:.{digits}f}"
    return Row(label, value, number=number, counts=counts)


HARM_TITLE = "Harm, with the count beside it"
HARM_METHOD = (
    "Harm is the sum of offences times the days that the loaded table gives their code. Where it "
    "has no days for one, the sum would be too small, and is left out."
)


def harm_part(people: Watched, table: HarmTable | None) -> Part:
    """Harm in days with the count beside it, which stands also where the harm cannot."""
    given = observation.harm_input(people.people, {} if table is None else table.weights_days)
    unweighted = observation.without_days(given)
    counts = (
        sum(given.pre.values()),
        sum(given.post.values()),
        *observation.involved(people.people),
    )
    if table is None:
        none = Sentence("Cannot tell the harm: no table of days by offence is loaded.")
        return _only_counted(given, counts, (), (none,))
    named = Sentence(f"Days by offence: version {table.version}, {table.source}.")
    if unweighted:
        return _without_days(given, counts, unweighted, named)
    found = harm(given)
    largest = found.largest_single_offence_share_of_pre_harm
    rows = (
        Row("Harm in days",
            f"{found.pre_harm_days:,.0f} before, {found.post_harm_days:,.0f} after", "",
            f"change of {signed(found.harm_percent_change)}", found.harm_percent_change,
            counts=counts),
        _counted(found, counts),
        # Share and sum give the days of one offence, and so its code: it rests on those alone.
        Row("Share of the single heaviest offence", percent(largest), number=largest,
            counts=(*counts, _heaviest(given))),
    )  # fmt: skip
    said = Sentence(
        "One grave offence can be more harm than all others, so the harm can rise while the count "
        "falls. It is not per day at risk, and has no interval: read it only beside the count. "
        "Codes miss coercive control; nobody is to be ranked by this."
    )
    return Part("harm", HARM_TITLE, rows, (said, named), HARM_METHOD)


def _without_days(
    given: Offences, counts: tuple[int, ...], unweighted: dict[str, int], named: Sentence
) -> Part:
    number = sum(unweighted.values())
    row = Row("Offences without days in the table", f"{number:,}", number=number,
              counts=(number, *counts), behind="unweighted")  # fmt: skip
    words = f"Cannot tell the harm: {number:,} offences have no days in the table."
    codes = f"Codes to add to it: {', '.join(unweighted)}."
    said = Sentence(words, (number, *counts)), Sentence(codes, team_only=True), named
    return _only_counted(given, counts, (row,), said)


def _counted(found: Harm, counts: tuple[int, ...]) -> Row:
    return Row("Count", f"{found.pre_count:,} before, {found.post_count:,} after", "",
               f"change of {signed(found.count_percent_change)}", found.count_percent_change,
               counts=counts, behind="counted")  # fmt: skip


def _only_counted(
    given: Offences, counts: tuple[int, ...], rows: tuple[Row, ...], said: tuple[Sentence, ...]
) -> Part:
    """The part where the harm cannot be told: the count alone."""
    unweighted = dict.fromkeys((*given.pre, *given.post), 0.0)
    found = harm(msgspec.structs.replace(given, weights_days=unweighted))
    rows = (Row("Harm in days", CANNOT), _counted(found, counts), *rows)
    return Part("harm", HARM_TITLE, rows, said, HARM_METHOD)


def _heaviest(given: Offences) -> int:
    """How many offences before have as many days as the heaviest of them."""
    days = {code: given.weights_days[code] for code, count in given.pre.items() if count}
    most = max(days.values(), default=0.0)
    return sum(given.pre[code] for code, each in days.items() if each == most)


def serial_and_repeat(histories: Sequence[History], as_at: date, police_to: date | None) -> Part:
    """Who has several victims, and cases that come back to the meeting.

    ``police_to`` is the last day of which the police's records tell; none: nobody can be told.
    """
    if police_to is None:
        serial = rate(0, 0, "no incident, arrest or charge is recorded")
    else:
        incidents = observation.incidents_of(histories, min(as_at, police_to))
        serial = serial_rate(incidents, len(histories))
    repeat = repeat_rate(observation.referrals(histories, as_at))
    rows = (
        _share("Serial: two or more victims in three years", serial, "people", "serial"),
        _share("Repeat: back at the meeting within 12 months", repeat, "referrals", "repeats"),
    )
    said = (
        Sentence("Both rates rest on who was named in the records: a victim who is not known adds "
                 "nothing, so the true share of serial perpetrators is at least this high."),
        Sentence("A repeat referral can mean new abuse, or that people trust the service enough to "
                 "come back; this cannot tell which."),
    )  # fmt: skip
    method = (
        "Serial: aged 16 or over, more than one incident and two or more victims in the three "
        "years to the last day of which the records tell. Repeat: a referral of the same victim, "
        "with the person as suspect, within 12 months of the last. Interval: Wilson, 95 %."
    )
    return Part("serial", "Serial and repeat", rows, said, method)


def _share(label: str, found: Rate, what: str, behind: str) -> Row:
    low, high = found.ci95 or (None, None)
    note = found.reasons.get("rate", f"{found.count} of {found.of} {what}")
    counts = (found.count, found.of, found.of - found.count)
    return Row(
        label, percent(found.rate), between(found.ci95), note, found.rate, low, high, counts, behind
    )


def survival_part(histories: Sequence[History], design: Design) -> Part:
    """Days at risk to the first event after selection."""
    group = observation.clocks(histories, design.kind, design.as_at)
    curve = kaplan_meier(group)
    drawn = points(group)
    rows = [_left_at(group, curve, drawn, day) for day in DAYS_SHOWN]
    middle, mean = median(curve), restricted_mean(curve, DAYS_A_YEAR)
    events = sum(map(bool, group.event))
    counts = (events, len(group.time) - events)
    rows += [
        Row("Half had one within", CANNOT if middle is None else f"{middle:,.0f} days at risk",
            number=middle, counts=counts),
        Row("Mean days without one, of the first 365", CANNOT if mean is None else f"{mean:.0f}",
            number=mean, counts=counts),
        Row("Had one while watched", f"{events} people", number=events, counts=counts,
            behind="first"),
    ]  # fmt: skip
    what = design.kind.value.replace("_", " ")
    if not group.time:
        said = [Sentence("Cannot tell: nobody has been watched since selection.")]
    else:
        words = (
            f"{events} of {len(group.time)} people had a first {what} as suspect after selection; "
        )
        said = [
            Sentence(words + "the others had none while they were watched.", counts),
            Sentence(
                "The shaded band is how far the true share may lie from the line. Where few are "
                "still watched, at the right, it is wide: do not read the line there. Without a "
                "comparison group it does not say what the programme did."
            ),
        ]
    method = (
        "Kaplan-Meier with log(-log) interval, 95 %. The clock counts days at risk from the day "
        "after selection and stops in custody; who dies, moves away or is watched no longer leaves "
        "the curve there."
    )
    title = f"Time to the first {what}"
    return Part("survival", title, tuple(rows), tuple(said), method, drawn)


def _left_at(group: Group, curve: Curve, drawn: Sequence[Point], day: int) -> Row:
    found, watched = at_day(curve, day), at_risk(group, day)
    low, high = found.loglog_ci95 or (None, None)
    interval = between(found.loglog_ci95)
    note = f"{watched} people still watched"
    label = f"Without one after {day} days at risk"
    # As the public curve: how many had one or left since the last day that is shown is a count.
    counts = public_steps(drawn).get(day, (watched,))
    return Row(label, percent(found.survival), interval, note, found.survival, low, high, counts,
               f"watched_{day}" if watched else None)  # fmt: skip


def points(group: Group) -> tuple[Point, ...]:
    """The group's curve at each event, each thirtieth day, the days of the rows and the end."""
    curve = kaplan_meier(group)
    if curve.last is None:
        return ()
    grid = range(0, int(curve.last) + 1, PUBLIC_STEP_DAYS)
    rows = (day for day in DAYS_SHOWN if at_day(curve, day).survival is not None)
    found = []
    for day in sorted({*curve.times, *grid, *rows, curve.last}):
        there = at_day(curve, day)
        low, high = there.loglog_ci95 or (None, None)
        share = 1.0 if there.survival is None else there.survival
        found.append(Point(day, share, low, high, at_risk(group, day)))
    return tuple(found)
