"""The whole report from what was gathered; nothing in it reads a clock or a database."""

from collections.abc import Callable

import msgspec

from navigate_safer.outcomes.policy import POLICY
from navigate_safer.outcomes.repeats import repeats
from navigate_safer.outcomes.serial import first_day, serial
from navigate_safer.people import observation, record_reach
from navigate_safer.people import outcome_monitoring as monitoring
from navigate_safer.people.observation import NO_CODE, Design, Watched
from navigate_safer.people.offending import (
    EntryKind,
    HarmTable,
    History,
    IncidentRole,
    OffendingEntry,
    Population,
    ProofType,
)
from navigate_safer.people.outcome_change import before_after
from navigate_safer.people.outcome_comparison import Side, compared
from navigate_safer.people.outcome_mean import to_the_mean
from navigate_safer.people.outcome_monitoring import AlertFact, ConditionTime, Monitored
from navigate_safer.people.outcome_offending import (
    harm_part,
    proven,
    serial_and_repeat,
    survival_part,
)
from navigate_safer.people.outcome_remainders import guarded
from navigate_safer.people.outcome_report import DAYS_SHOWN, Part, Report, Row, Sentence
from navigate_safer.people.record_reach import Keeper, Reach

GROUPS = {
    "area": "Alerts by area",
    "band": "Alerts by risk band",
    "age": "Alerts by age",
    "model": "Alerts by model of device",
}


class Gathered(msgspec.Struct, frozen=True):
    """What a report is made of."""

    histories: tuple[History, ...]
    harm_table: HarmTable | None
    population: Population | None
    times: tuple[ConditionTime, ...]
    alerts: tuple[AlertFact, ...]
    monitored: tuple[Monitored, ...]


def report_of(given: Gathered, design: Design, names: Callable[[str], str]) -> Report:
    """Every part, in the order in which they are read; ``names`` says a kind in words.

    Nobody is watched for longer than the records reach that tell of what is counted.
    """
    histories = given.histories
    reaches = {each.keeper: each for each in record_reach.reaches(histories, design)}
    watching = record_reach.watching(histories, design)
    people = observation.watched(histories, watching)
    counted = reaches[record_reach.keeper_of(design.kind)]
    police, courts = reaches[Keeper.POLICE], reaches[Keeper.COURTS]
    clocks = observation.clocks(histories, watching.kind, watching.as_at)
    parts = (
        _reaching(before_after(people, watching), counted, CUSTODY),
        _reaching(to_the_mean(people, watching, given.population), counted),
        _reaching(survival_part(histories, watching), counted, CUSTODY),
        _reaching(proven(histories, design.as_at, courts.last), courts),
        _reaching(harm_part(people, given.harm_table), counted),
        _reaching(serial_and_repeat(histories, design.as_at, police.last), police),
        roles(given, design),
        monitoring.time_kept(given.times, names),
        monitoring.alert_burden(given.alerts, given.monitored),
        *(
            monitoring.equity(given.alerts, given.monitored, by, title)
            for by, title in GROUPS.items()
        ),
    )
    return Report(
        as_at=design.as_at,
        policy=POLICY.version,
        people=len(histories),
        window_days=design.window_days,
        gap_days=design.gap_days,
        kind=design.kind.value,
        parts=guarded(parts, people, clocks),
        reach=tuple(reaches.values()),
    )


CUSTODY = (
    "The first day in custody and the day of release are days at risk. Custody is known only as "
    "far as prisons have told."
)


def _reaching(part: Part, reach: Reach, more: str = "") -> Part:
    """The part, which says under "how this is counted" to which day the records reach."""
    method = " ".join(filter(None, (part.method, more, reach.method)))
    return msgspec.structs.replace(part, method=method)


def compared_in(given: Gathered, first: Side, second: Side, design: Design) -> tuple[Part, Part]:
    """Two groups against each other, watched for as long as the records of the report reach."""
    watching = record_reach.watching(given.histories, design)
    counted = record_reach.reach(given.histories, record_reach.keeper_of(design.kind), design.as_at)
    one, two = compared(first, second, watching)
    return _reaching(one, counted, CUSTODY), _reaching(two, counted, CUSTODY)


def with_parts(made: Report, found: tuple[Part, ...]) -> Report:
    """The report with parts that compare two groups, before those that stand by themselves."""
    place = next(number for number, part in enumerate(made.parts) if part.key == "proven")
    parts = (*made.parts[:place], *found, *made.parts[place:])
    return msgspec.structs.replace(made, parts=parts)


def roles(given: Gathered, design: Design) -> Part:
    """How the people are in the recorded incidents: only the first row counts elsewhere."""
    found = [each.role for history in given.histories for each in _incidents(history, design)]
    rows = tuple(
        Row(role.value.replace("_", " ").capitalize(), f"{found.count(role):,}",
            number=found.count(role), counts=(found.count(role),), behind=name)
        for name, role in ROLES.items()
    )  # fmt: skip
    said = Sentence(
        "Only incidents with the person as suspect count in the measures above. Where both are "
        "alleged, or nobody wrote down who harmed whom, this cannot tell; such incidents are shown "
        "here and nowhere added."
    )
    method = (
        "All recorded incidents of the cohort up to the as-at date, by the person's role in it."
    )
    return Part("roles", "Who was said to have harmed whom", rows, (said,), method, adds_up=True)


class Listed(msgspec.Struct, frozen=True):
    """One line of the list behind a figure: whose, and the records that count."""

    ref: str
    entries: tuple[OffendingEntry, ...]
    words: str = ""


def behind(given: Gathered, design: Design, name: str) -> list[Listed] | None:
    """The people and records behind a figure, None for a name that no figure has."""
    people = observation.watched(given.histories, record_reach.watching(given.histories, design))
    simple = {
        "shortened": [each.ref for each in people.people if each.shortened],
        "too_early": list(people.too_early),
        "without_selection": list(people.without_selection),
    }
    if name in simple:
        return [Listed(ref, ()) for ref in simple[name]]
    if name in ("before", "after", "counted", "unweighted"):
        return _of_windows(people, given.harm_table, name)
    if name in ("reoffenders", "immature", "without_index"):
        return _followed(given, design, name)
    if name == "first" or name in WATCHED:
        return _clocked(given, design, name)
    if name in ROLES:
        return _with_role(given, design, ROLES[name])
    others = {"serial": _serial, "repeats": _referred}
    return others[name](given, design) if name in others else None


# The lists of those still watched at a day, and of incidents by the person's role.
WATCHED = {f"watched_{day}": day for day in DAYS_SHOWN}
ROLES = {f"role_{role.value}": role for role in IncidentRole}


def _of_windows(people: Watched, table: HarmTable | None, name: str) -> list[Listed]:
    """Who has events in the windows, and which; ``unweighted``: those the table has no days for."""
    days = table.weights_days if table else {}
    made = []
    for each in people.people:
        entries = {"before": each.pre, "after": each.post}.get(name, (*each.pre, *each.post))
        if name == "unweighted":
            entries = tuple(one for one in entries if (one.offence_code or NO_CODE) not in days)
        if entries:
            made.append(Listed(each.ref, entries))
    return made


def _clocked(given: Gathered, design: Design, name: str) -> list[Listed]:
    """Who had a first event after selection, or was still watched at a day."""
    watching = record_reach.watching(given.histories, design)
    found = list(observation.clocked(given.histories, watching.kind, watching.as_at))
    if name in WATCHED:
        return [Listed(each.ref, ()) for each in found if each.days >= WATCHED[name]]
    return [
        Listed(each.ref, (each.first,), f"after {each.days} days at risk")
        for each in found
        if each.first is not None
    ]


def _incidents(history: History, design: Design) -> list[OffendingEntry]:
    return [each for each in history.of(EntryKind.INCIDENT) if each.on <= design.as_at]


def _with_role(given: Gathered, design: Design, role: IncidentRole) -> list[Listed]:
    found = (
        (history.ref, tuple(each for each in _incidents(history, design) if each.role is role))
        for history in given.histories
    )
    return [Listed(ref, entries) for ref, entries in found if entries]


def _serial(given: Gathered, design: Design) -> list[Listed]:
    """Serial perpetrators with the incidents of the years that count."""
    told = record_reach.reach(given.histories, Keeper.POLICE, design.as_at).last
    if told is None:
        return []
    found = set(serial(observation.incidents_of(given.histories, told)).serial)
    first = first_day(told)
    return [
        Listed(each.ref, tuple(one for one in each.entries if one.on >= first))
        for each in _with_role(given, design, IncidentRole.SUSPECT)
        if each.ref in found
    ]


def _followed(given: Gathered, design: Design, name: str) -> list[Listed]:
    told = record_reach.reach(given.histories, Keeper.COURTS, design.as_at).last
    if told is None:
        return []
    cohort, without = observation.follow_ups(given.histories, design.as_at, told)
    if name == "without_index":
        return [Listed(ref, ()) for ref in without]
    made = []
    by_ref = {each.ref: each for each in given.histories}
    for ref, each in observation.reoffended(cohort).items():
        if name == "immature" and not each.mature:
            made.append(Listed(ref, (), f"mature on {each.waiting_end}"))
        if name == "reoffenders" and each.proven_reoffences:
            proved = observation.offences(by_ref[ref], EntryKind.DISPOSAL)
            words = f"{each.proven_reoffences} proven, follow-up to {each.follow_up_end}"
            start = next(person.index for person in cohort.people if str(person.id) == ref)
            within = tuple(
                one
                for one in proved
                if start < one.on <= each.follow_up_end
                and one.proof_type is not ProofType.NFA
                and one.proof_on is not None
                and one.proof_on <= each.waiting_end
            )
            made.append(Listed(ref, within, words))
    return made


def _referred(given: Gathered, design: Design) -> list[Listed]:
    """The referrals that are repeats, by person: the same pairs as the rate has."""
    made: dict[str, list[OffendingEntry]] = {}
    for (ref, _), entries in observation.referred(given.histories, design.as_at).items():
        again = zip(entries, repeats([each.on for each in entries]), strict=True)
        made.setdefault(ref, []).extend(each for each, repeat in again if repeat)
    return [
        Listed(ref, tuple(sorted(entries, key=lambda each: each.on)))
        for ref, entries in made.items()
        if entries
    ]
