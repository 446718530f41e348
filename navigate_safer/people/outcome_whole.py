"""The whole report from what was gathered; nothing in it reads a clock or a database."""

from collections.abc import Callable

import msgspec

from navigate_safer.outcomes.policy import POLICY
from navigate_safer.outcomes.serial import serial
from navigate_safer.people import observation, record_reach
from navigate_safer.people import outcome_monitoring as monitoring
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    EntryKind,
    HarmTable,
    History,
    IncidentRole,
    OffendingEntry,
    Population,
    ProofType,
)
from navigate_safer.people.outcome_change import before_after, to_the_mean
from navigate_safer.people.outcome_comparison import Side, compared
from navigate_safer.people.outcome_monitoring import AlertFact, ConditionTime, Monitored
from navigate_safer.people.outcome_offending import (
    harm_part,
    proven,
    serial_and_repeat,
    survival_part,
)
from navigate_safer.people.outcome_remainders import guarded
from navigate_safer.people.outcome_report import Part, Report, Row, Sentence
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
    found = [
        each.role
        for history in given.histories
        for each in history.of(EntryKind.INCIDENT)
        if each.on <= design.as_at
    ]
    rows = tuple(
        Row(role.value.replace("_", " ").capitalize(), f"{found.count(role):,}",
            number=found.count(role), counts=(found.count(role),))
        for role in IncidentRole
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
    if name in ("before", "after"):
        of = {each.ref: each.pre if name == "before" else each.post for each in people.people}
        return [Listed(ref, entries) for ref, entries in of.items() if entries]
    simple = {
        "shortened": [each.ref for each in people.people if each.shortened],
        "too_early": list(people.too_early),
        "without_selection": list(people.without_selection),
    }
    if name in simple:
        return [Listed(ref, ()) for ref in simple[name]]
    if name in ("reoffenders", "immature", "without_index"):
        return _followed(given, design, name)
    if name == "serial":
        return _serial(given, design)
    if name == "repeats":
        return _referred(given, design)
    return None


def _serial(given: Gathered, design: Design) -> list[Listed]:
    told = record_reach.reach(given.histories, Keeper.POLICE, design.as_at).last
    if told is None:
        return []
    found = serial(observation.incidents_of(given.histories, told))
    return [Listed(str(ref), ()) for ref in found.serial]


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
    made = []
    for history in given.histories:
        mine = [
            each
            for each in history.of(EntryKind.MARAC_REFERRAL)
            if each.on <= design.as_at and each.victim is not None
        ]
        victims = [each.victim for each in mine]
        again = tuple(each for each in mine if victims.count(each.victim) > 1)
        if again:
            made.append(Listed(history.ref, again))
    return made
