"""Whether two entries are about one person: match weights after Fellegi and Sunter, part by part.

Each part (given name, family name, date of birth, identifier) is put on a level, such as "one
digit differs"; the level's weight is the binary logarithm of how much likelier it is between two
entries about one person than about two. What is missing says nothing. The officer decides: nothing
here joins records.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import log2

import msgspec
from rapidfuzz.distance import OSA, JaroWinkler

from navigate_safer.people.data import read_data
from navigate_safer.people.person_names import PersonName, person_name

GIVEN, FAMILY, NAMES, BORN, IDENTIFIER = (
    "given_name", "family_name", "names", "birth_date", "identifier",
)  # fmt: skip
NEUTRAL = "missing"
_MOST_BITS = 300.0


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a part agrees so far: ``m`` between entries about one person, ``u`` about two."""

    level: str
    m: float
    u: float


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of levels, with its version and source.

    ``share_known``: how many of those who are referred are known already. ``usual_share``: how
    common a name is where nothing else is known, as if seen among ``borrowed_people`` more people.
    A pair is shown from the probability ``shown_from`` and the weight ``least_bits``, and called
    likely from the probability ``likely_from``.
    """

    version: str
    source: str
    share_known: float
    share_known_source: str
    shown_from: float
    least_bits: float
    likely_from: float
    most_shown: int
    near_similarity: float
    least_letters_for_a_slip: int
    borrowed_people: int
    usual_share: dict[str, float]
    levels: dict[str, list[Level]]
    short_forms: list[list[str]]

    def level(self, part: str, name: str) -> Level:
        """One level of a part."""
        return next(each for each in self.levels[part] if each.level == name)


class Identity(msgspec.Struct, frozen=True):
    """What an entry says of who it is about. ``key`` names the entry.

    ``names``: the name and others used. ``identifiers``: kind (crn, pnc, nomis) to its canonical
    form.
    """

    key: str
    names: tuple[str, ...]
    born_on: date | None = None
    identifiers: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """What one part of two entries says: its level, and its weight in bits."""

    part: str
    level: str
    bits: float
    ours: str
    theirs: str


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who may be the same person, and why; ``probability`` is after all parts."""

    key: str
    bits: float
    probability: float
    likely: bool
    parts: list[Part]


def weights() -> Weights:
    """The table that comes with the service."""
    return read_data("linkage-1.json", Weights)


# A part, its level, the level's weight in bits, and what the two entries say.
_Told = tuple[str, str, float, str, str]


class People:
    """Everybody who is known, ready to be compared with somebody new."""

    def __init__(self, known: Sequence[Identity], table: Weights) -> None:
        self.table = table
        self._known = [(each, [person_name(name) for name in each.names]) for each in known]
        self._bits = {
            (part, each.level): log2(each.m / each.u)
            for part, levels in table.levels.items()
            for each in levels
        }
        self._common = {
            GIVEN: Counter(name.given for _, names in self._known for name in names),
            FAMILY: Counter(name.family for _, names in self._known for name in names),
        }
        self._short: dict[str, set[str]] = {}
        for group in table.short_forms:
            for form in group:
                self._short.setdefault(form, set()).update(group)

    def candidates(self, given: Identity) -> list[Candidate]:
        """Who may be the same person, the likeliest first; symmetric in the two entries."""
        names = [person_name(name) for name in given.names]
        found = []
        for known, theirs in self._known:
            if known.key == given.key:
                continue
            parts = [
                self._born(given.born_on, known.born_on),
                self._identifier(given.identifiers, known.identifiers),
            ]
            parts = [*self._names(names, theirs), *parts]
            bits = sum(each[2] for each in parts)
            chance = self.probability(bits)
            if chance >= self.table.shown_from and bits >= self.table.least_bits:
                likely = chance >= self.table.likely_from
                told = [_part(*each) for each in parts]
                found.append(Candidate(known.key, bits, chance, likely, told))
        found.sort(key=lambda each: (-each.bits, each.key))
        return found[: self.table.most_shown]

    def probability(self, bits: float) -> float:
        """That two entries are about one person: from the weight, and how many are known."""
        share = self.table.share_known / max(1, len(self._known))
        odds = share / (1 - share) * 2 ** min(max(bits, -_MOST_BITS), _MOST_BITS)
        return odds / (1 + odds)

    def _names(self, ours: list[PersonName], theirs: list[PersonName]) -> list[_Told]:
        pairs = [self._pair(one, two) for one in ours for two in theirs]
        missing = [self._part(NAMES, NEUTRAL, "", "")]
        return max(pairs, key=lambda parts: sum(each[2] for each in parts), default=missing)

    def _pair(self, one: PersonName, two: PersonName) -> list[_Told]:
        straight = [
            self._name(GIVEN, self._given_level(one, two), one, two),
            self._name(FAMILY, self._family_level(one, two), one, two),
        ]
        if one.given and one.family and (one.given, one.family) == (two.family, two.given):
            ours, theirs = (f"{each.given_written} {each.family_written}" for each in (one, two))
            swapped = self._part(NAMES, "swapped", ours, theirs)
            if swapped[2] > sum(each[2] for each in straight):
                return [swapped]
        return straight

    def _given_level(self, one: PersonName, two: PersonName) -> str:
        if not one.given or not two.given:
            return NEUTRAL
        if one.given == two.given:
            return "same"
        if two.given in self._short.get(one.given, ()) or one.given_parts & two.given_parts:
            return "short_form"
        if self._near(one.given, two.given):
            return "near"
        if 1 in (len(one.given), len(two.given)) and one.given[0] == two.given[0]:
            return "initial"
        return "different"

    def _family_level(self, one: PersonName, two: PersonName) -> str:
        if not one.family or not two.family:
            return NEUTRAL
        if one.family == two.family:
            return "same"
        if one.family_parts & two.family_parts:
            return "part"
        return "near" if self._near(one.family, two.family) else "different"

    def _near(self, one: str, two: str) -> bool:
        least = self.table.least_letters_for_a_slip
        if min(len(one), len(two)) >= least and OSA.distance(one, two, score_cutoff=1) == 1:
            return True
        alike = self.table.near_similarity
        return (
            JaroWinkler.similarity(one, two, score_cutoff=alike) >= alike
            or JaroWinkler.similarity(two, one, score_cutoff=alike) >= alike
        )

    def _name(self, part: str, level: str, one: PersonName, two: PersonName) -> _Told:
        ours, theirs = (
            each.given_written if part == GIVEN else each.family_written for each in (one, two)
        )
        if level != "same":
            return self._part(part, level, ours, theirs)
        # An agreement on a rare name says more than one on a common name.
        usual, borrowed = self.table.usual_share[part], self.table.borrowed_people
        seen = self._common[part][one.given if part == GIVEN else one.family]
        share = (seen + usual * borrowed) / (len(self._known) + borrowed)
        bits = log2(self.table.level(part, level).m / share)
        # However common: it never says less than a name that is only nearly the same.
        others = (each.level for each in self.table.levels[part] if each.level != level)
        return part, level, max(bits, *(self._bits[part, each] for each in others)), ours, theirs

    def _born(self, ours: date | None, theirs: date | None) -> _Told:
        if ours is None or theirs is None:
            return self._part(BORN, NEUTRAL, _day(ours), _day(theirs))
        return self._part(BORN, _born_level(ours, theirs), _day(ours), _day(theirs))

    def _identifier(self, ours: dict[str, str], theirs: dict[str, str]) -> _Told:
        made = [
            self._part(
                IDENTIFIER, _identifier_level(ours[kind], theirs[kind]), *_told(kind, ours, theirs)
            )
            for kind in sorted(ours.keys() & theirs.keys())
        ]
        # They come from one record as a rule, so that they do not count one by one.
        missing = self._part(IDENTIFIER, NEUTRAL, "", "")
        return max(made, key=lambda each: each[2], default=missing)

    def _part(self, part: str, level: str, ours: str, theirs: str) -> _Told:
        return part, level, self._bits.get((part, level), 0.0), ours, theirs


def _part(part: str, level: str, bits: float, ours: str, theirs: str) -> Part:
    if part == BORN:
        ours, theirs = _day_in_words(ours), _day_in_words(theirs)
    return Part(part, level, bits, ours, theirs)


def _day_in_words(written: str) -> str:
    if not written:
        return ""
    day = date.fromisoformat(written)
    return f"{day.day} {day:%B %Y}"


def _told(kind: str, ours: dict[str, str], theirs: dict[str, str]) -> tuple[str, str]:
    return f"{kind.upper()} {ours[kind]}", f"{kind.upper()} {theirs[kind]}"


def _identifier_level(ours: str, theirs: str) -> str:
    if ours == theirs:
        return "same"
    return "near" if OSA.distance(ours, theirs, score_cutoff=1) == 1 else "different"


def _born_level(ours: date, theirs: date) -> str:
    if ours == theirs:
        return "same"
    if (ours.year, ours.month, ours.day) == (theirs.year, theirs.day, theirs.month):
        return "day_and_month_swapped"
    if OSA.distance(_digits(ours), _digits(theirs), score_cutoff=1) == 1:
        return "one_digit_or_two_swapped"
    return "same_year" if ours.year == theirs.year else "different"


def _digits(day: date) -> str:
    return f"{day.day:02d}{day.month:02d}{day.year:04d}"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
