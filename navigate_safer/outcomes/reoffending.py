"""Proven re-offending as the Ministry of Justice counts it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.intervals import clopper_pearson, wilson
from navigate_safer.outcomes.months import add_months
from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import BadOutcomeInput, Name, check_dates


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One allegation: day of the offence, and how and when it ended (null while it is open)."""

    offence: date
    kind: Literal["offence", "breach"]
    proof: date | None = None
    proof_type: Literal["conviction", "caution", "nfa"] | None = None

    @property
    def proven(self) -> bool:
        """True for a conviction or caution of an offence; a breach of an order is not one."""
        return self.kind == "offence" and self.proof_type in ("conviction", "caution")


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person from the index date on: release, community sentence or caution."""

    id: Name
    index: date
    events: tuple[Event, ...]


class Cohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People and the day on which the records were taken."""

    as_at: date
    people: tuple[Person, ...]


class FollowUp(Estimate, frozen=True, kw_only=True):
    """One person's follow-up; ``proven_reoffences`` is null until the waiting time is over."""

    follow_up_end: date
    waiting_end: date
    mature: bool
    proven_reoffences: int | None


class Reoffending(Estimate, frozen=True, kw_only=True):
    """The cohort is the mature people only; shares are between 0 and 1."""

    cohort_n: int
    reoffenders: int
    reoffences: int
    binary_rate: float | None
    binary_wilson_ci95: Interval | None
    binary_clopper_pearson_ci95: Interval | None
    reoffences_per_reoffender: float | None
    reoffences_per_100_offenders: float | None
    per_person: Mapping[str, FollowUp]


def reoffending(cohort: Cohort, policy: Policy = POLICY) -> Reoffending:
    """Proven re-offending: binary, per reoffender and per 100.

    An offence counts when index < offence <= index + 12 calendar months and it was proven, by a
    conviction or a caution, on or before index + 18 calendar months (both counted from the index
    date, at most the last day of the month). A breach of an order alone and no further action do
    not count. A person enters the cohort only when index + 18 months <= as_at; younger ones are
    shown as not mature. Source: Ministry of Justice, proven reoffending statistics, definitions.

    Raises :class:`BadOutcomeInput` for an id given twice, a proof before its offence, or a
    conviction or caution without a date.
    """
    _check(cohort)
    per_person = {
        str(person.id): follow_up(person, cohort.as_at, policy) for person in cohort.people
    }
    return _summed(per_person)


def follow_up(person: Person, as_at: date, policy: Policy = POLICY) -> FollowUp:
    """One person's window and what was proven in it."""
    end = add_months(person.index, policy.follow_up_months)
    waiting = add_months(person.index, policy.follow_up_months + policy.waiting_months)
    mature = waiting <= as_at
    proven = sum(
        each.proven and person.index < each.offence <= end and _in_time(each.proof, waiting)
        for each in person.events
    )
    reasons = {} if mature else {"proven_reoffences": f"not mature until {waiting}"}
    return FollowUp(
        follow_up_end=end,
        waiting_end=waiting,
        mature=mature,
        proven_reoffences=proven if mature else None,
        reasons=reasons,
    )


def _in_time(proof: date | None, waiting_end: date) -> bool:
    return proof is not None and proof <= waiting_end


def _summed(per_person: Mapping[str, FollowUp]) -> Reoffending:
    counts = [each.proven_reoffences for each in per_person.values()]
    known = [count for count in counts if count is not None]
    cohort, reoffenders, reoffences = len(known), sum(map(bool, known)), sum(known)
    reasons: Reasons = {}
    if not cohort:
        nobody = "nobody is in the cohort" + (" yet: no follow-up is mature" if counts else "")
        for name in ("binary_rate", "binary_wilson_ci95", "binary_clopper_pearson_ci95"):
            reasons[name] = nobody
        reasons["reoffences_per_100_offenders"] = nobody
        reasons["reoffences_per_reoffender"] = nobody
    elif not reoffenders:
        reasons["reoffences_per_reoffender"] = "nobody reoffended"
    return Reoffending(
        cohort_n=cohort,
        reoffenders=reoffenders,
        reoffences=reoffences,
        binary_rate=reoffenders / cohort if cohort else None,
        binary_wilson_ci95=wilson(reoffenders, cohort) if cohort else None,
        binary_clopper_pearson_ci95=clopper_pearson(reoffenders, cohort) if cohort else None,
        reoffences_per_reoffender=reoffences / reoffenders if reoffenders else None,
        reoffences_per_100_offenders=100 * reoffences / cohort if cohort else None,
        per_person=per_person,
        reasons=reasons,
    )


def _check(cohort: Cohort) -> None:
    check_dates(_dates(cohort))
    seen: set[str] = set()
    for number, person in enumerate(cohort.people):
        if str(person.id) in seen:
            raise BadOutcomeInput(
                f"people[{number}].id: {person.id!r} is given twice; put all events of a person "
                f"under one entry"
            )
        seen.add(str(person.id))
        _check_events(f"people[{number}]", person.events)


def _check_events(where: str, events: Sequence[Event]) -> None:
    for number, event in enumerate(events):
        place = f"{where}.events[{number}].proof"
        if event.proof is None and event.proof_type in ("conviction", "caution"):
            raise BadOutcomeInput(f"{place}: a {event.proof_type} needs its date")
        if event.proof is not None and event.proof < event.offence:
            raise BadOutcomeInput(
                f"{place}: {event.proof} is before the offence on {event.offence}; correct one"
            )


def _dates(cohort: Cohort) -> Iterator[tuple[str, date]]:
    yield "as_at", cohort.as_at
    for number, person in enumerate(cohort.people):
        yield f"people[{number}].index", person.index
        for place, event in enumerate(person.events):
            where = f"people[{number}].events[{place}]"
            yield f"{where}.offence", event.offence
            if event.proof is not None:
                yield f"{where}.proof", event.proof
