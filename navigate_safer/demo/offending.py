"""Invented records of the cohort: what each did, when each was inside, and how each was picked.

Each person has a rate of his own, drawn from a gamma distribution, that hardly changes; people are
picked after a bad year. So the counts fall after selection by themselves, and a page that did not
say so would show the fall as a success. The true effect is known: :data:`TRUE_RATE_RATIO`.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from navigate_safer.people.offending import (
    EntryKind,
    HarmTable,
    IncidentRole,
    OffendingEntry,
    Population,
    ProofType,
)

# Incidents a year of all known perpetrators: mean, and shape of the gamma distribution.
MEAN_A_YEAR, SHAPE = 1.4, 0.9
# Picked the surer the worse the year was.
SURE_TO_BE_PICKED = 8
TRUE_RATE_RATIO = 0.85
YEAR_DAYS = 365
KNOWN_POPULATION = 4_000
NON_CRIME = "demo non-crime incident"
SOURCE = "invented for the demonstration"
# Code: how often, and its invented days of harm.
OFFENCES = {
    "demo common assault": (0.34, 2.0),
    "demo assault with injury": (0.16, 25.0),
    "demo stalking or harassment": (0.14, 30.0),
    "demo controlling or coercive": (0.08, 90.0),
    "demo criminal damage": (0.12, 4.0),
    NON_CRIME: (0.15, 0.0),
    "demo wounding with intent": (0.01, 1_500.0),
}
_ARRESTED, _CHARGED, _PROVEN, _BREACH = 0.45, 0.6, 0.7, 0.12
_REFERRED = 0.15
# Suspect, both alleged, unknown, victim.
_ROLES = {
    IncidentRole.SUSPECT: 0.88,
    IncidentRole.BOTH_ALLEGED: 0.06,
    IncidentRole.UNKNOWN: 0.04,
    IncidentRole.VICTIM: 0.02,
}
_GONE = 0.03


def offending_of(
    people: dict[str, date], victims: dict[str, list[str]], *, seed: int, today: date
) -> list[OffendingEntry]:
    """Invented entries of each wearer (reference to birth) up to yesterday.

    ``victims`` are the references of those whom each wearer is kept from.
    """
    made: list[OffendingEntry] = []
    for ref in people:
        rng = Random(f"offending|{seed}|{ref}")
        made += _Life(rng, ref, victims.get(ref, []), today).entries()
    return made


def population(*, seed: int) -> Population:
    """Counts of a year of everybody known, of whom the cohort are the worst."""
    rng = Random(f"population|{seed}")
    counts: dict[str, int] = {}
    for _ in range(KNOWN_POPULATION):
        count = str(_poisson(rng, rng.gammavariate(SHAPE, MEAN_A_YEAR / SHAPE)))
        counts[count] = counts.get(count, 0) + 1
    ordered = dict(sorted(counts.items(), key=lambda each: int(each[0])))
    return Population("demo-1", SOURCE, EntryKind.INCIDENT, YEAR_DAYS, ordered)


def harm_table() -> HarmTable:
    """Invented weights, and named so: nobody can take them for a published table."""
    weights = {code: days for code, (_, days) in OFFENCES.items()}
    return HarmTable("demo-1", "invented for the demonstration, not a published table", weights)


class _Life:
    def __init__(self, rng: Random, ref: str, victims: list[str], today: date) -> None:
        self.rng = rng
        self.ref = ref
        self.victims = victims[: rng.choice((1, 1, 1, 2, 3))]
        self.known = today - timedelta(days=1)
        self.number = 0
        self.picked_on = today - timedelta(days=rng.randint(60, 1_000))
        self.rate, self.before = self._picked()

    def _picked(self) -> tuple[float, int]:
        """A rate and the count of the year before selection, the worse the likelier."""
        while True:
            rate = self.rng.gammavariate(SHAPE, MEAN_A_YEAR / SHAPE)
            count = _poisson(self.rng, rate)
            if self.rng.random() < min(1.0, count / SURE_TO_BE_PICKED):
                return rate, count

    def entries(self) -> list[OffendingEntry]:
        picked = self.picked_on
        found = [self._entry(EntryKind.SELECTION, picked)]
        index = self.rng.choice(
            [EntryKind.RELEASE, EntryKind.COMMUNITY_SENTENCE, EntryKind.COMMUNITY_SENTENCE]
        )
        found.append(self._entry(index, picked - timedelta(days=self.rng.randint(3, 40))))
        gone = None
        if self.rng.random() < _GONE:
            gone = min(self.known, picked + timedelta(days=self.rng.randint(30, 500)))
            found.append(self._entry(EntryKind.MOVED_AWAY, gone))
        for day in self._days(gone or self.known):
            found += self._incident(day)
        inside = [
            (each.on, each.until or date.max) for each in found if each.kind is EntryKind.CUSTODY
        ]
        # Nobody offends at home from a cell.
        return [
            each
            for each in found
            if each.kind is not EntryKind.INCIDENT
            or not any(start < each.on < end for start, end in inside)
        ]

    def _days(self, last: date) -> Iterator[date]:
        """Days of incidents: of two years before, the bad year, the day of picking, and after."""
        picked = self.picked_on
        yield picked - timedelta(days=self.rng.randint(5, 20))
        for year in (0, 1):
            count = _poisson(self.rng, self.rate) if year else self.before
            for _ in range(count):
                ago = 31 + self.rng.randrange(YEAR_DAYS) + year * YEAR_DAYS
                yield picked - timedelta(days=ago)
        years = (last - picked).days / YEAR_DAYS
        for _ in range(_poisson(self.rng, self.rate * TRUE_RATE_RATIO * max(0.0, years))):
            yield min(last, picked + timedelta(days=1 + int(self.rng.random() * years * YEAR_DAYS)))

    def _incident(self, day: date) -> Iterator[OffendingEntry]:
        rng = self.rng
        codes = list(OFFENCES)
        code = rng.choices(codes, [share for share, _ in OFFENCES.values()])[0]
        role = rng.choices(list(_ROLES), list(_ROLES.values()))[0]
        victim = rng.choice(self.victims) if self.victims else None

        def more(kind: EntryKind, **fields: object) -> OffendingEntry:
            return self._entry(kind, day, role=role, offence_code=code, victim=victim, **fields)

        yield more(EntryKind.INCIDENT, recorded_on=self._after(day, 2))
        if rng.random() < _REFERRED:
            yield more(EntryKind.MARAC_REFERRAL)
        if rng.random() < _BREACH:
            yield more(EntryKind.BREACH)
        arrested = rng.random() < _ARRESTED and code != NON_CRIME
        if role is not IncidentRole.SUSPECT or not arrested:
            return
        yield more(EntryKind.ARREST, recorded_on=self._after(day, 3))
        proof = day + timedelta(days=rng.randint(40, 260))
        if rng.random() < _CHARGED and proof <= self.known:
            yield more(EntryKind.CHARGE)
            proven = rng.random() < _PROVEN
            how = ProofType.CONVICTION if proven else ProofType.NFA
            yield more(EntryKind.DISPOSAL, proof_on=proof, proof_type=how)
            until = proof + timedelta(days=rng.randint(14, 120))
            if proven and rng.random() < 0.4:
                release = until if until <= self.known else None
                yield self._entry(EntryKind.CUSTODY, proof, until=release)

    def _after(self, day: date, most: int) -> date:
        return min(self.known, day + timedelta(days=self.rng.randint(0, most)))

    def _entry(self, kind: EntryKind, on: date, **fields: object) -> OffendingEntry:
        self.number += 1
        return OffendingEntry(
            ref=f"{self.ref}-{self.number:03d}",
            wearer=self.ref,
            kind=kind,
            on=min(on, self.known),
            source=SOURCE,
            as_at=self.known,
            **fields,  # type: ignore[arg-type]
        )


def _poisson(rng: Random, mean: float) -> int:
    """Events in a unit of time with exponential gaps."""
    count, passed = 0, rng.expovariate(1.0)
    while passed < mean:
        count += 1
        passed += rng.expovariate(1.0)
    return count
