"""The conditions that an order can have: words with placeholders, and what a tag can check of them.

What is forbidden (the clause) and what is checked (the monitored condition) are two things, linked.
The catalogue is data with its source, in ``data/licence_conditions.json``.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

import msgspec

from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.people.data import read_data

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Monitored(Enum):
    """What is checked; ``ATTENDANCE`` by the registers of sessions, the others by a device."""

    TAG = "tag"
    TRAIL = "trail"
    EXCLUSION_ZONE = "exclusion_zone"
    RESTRICTION_ZONE = "restriction_zone"
    CURFEW = "curfew"
    ALCOHOL_ABSTINENCE = "alcohol_abstinence"
    ALCOHOL_LEVEL = "alcohol_level"
    DISTANCE = "distance"
    ATTENDANCE = "attendance"

    @property
    def judged_as(self) -> ConditionKind | None:
        """The rule that a device is judged by; None where no device can tell.

        A trail forbids no place: what can be broken is that the tag is worn, charged and heard.
        """
        if self is Monitored.ATTENDANCE:
            return None
        if self in (Monitored.TAG, Monitored.TRAIL):
            return ConditionKind.TAG_CARE
        return ConditionKind(self.value)

    @property
    def zone_kind(self) -> str | None:
        """The kind of zone that it needs."""
        return ZONE_KINDS.get(self)

    @property
    def label(self) -> str:
        """As a page says it."""
        return LABELS[self]


ZONE_KINDS = {
    Monitored.EXCLUSION_ZONE: "exclusion",
    Monitored.RESTRICTION_ZONE: "restriction",
    Monitored.CURFEW: "inclusion",
}
LABELS = {
    Monitored.TAG: "Tag worn and charged",
    Monitored.TRAIL: "Trail: tag worn and heard",
    Monitored.EXCLUSION_ZONE: "Exclusion zone",
    Monitored.RESTRICTION_ZONE: "Restriction zone",
    Monitored.CURFEW: "Curfew",
    Monitored.ALCOHOL_ABSTINENCE: "No alcohol",
    Monitored.ALCOHOL_LEVEL: "Alcohol level",
    Monitored.DISTANCE: "Distance from a protected person",
    Monitored.ATTENDANCE: "Attendance, by the registers",
}
ALCOHOL = frozenset({Monitored.ALCOHOL_ABSTINENCE, Monitored.ALCOHOL_LEVEL})
OF_KIND: dict[ConditionKind, Monitored] = {
    each.judged_as: each
    for each in Monitored
    if each.judged_as is not None and each is not Monitored.TRAIL
}


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A placeholder that is filled in."""

    name: str
    label: str
    hint: str


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition of the catalogue."""

    code: str
    name: str
    category: str
    text: str
    monitors: Monitored | None = None
    severity: Severity = Severity.MEDIUM
    inputs: tuple[Input, ...] = ()

    def filled(self, given: Mapping[str, str]) -> str:
        """The words with what was filled in; raises KeyError where one is missing."""
        return _PLACEHOLDER.sub(lambda found: given[found[1]], self.text)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    provenance: str
    conditions: list[Template]


@lru_cache(maxsize=1)
def _file() -> _File:
    return read_data("licence_conditions.json", _File)


def templates() -> dict[str, Template]:
    """Every condition by its code, in the order of the catalogue."""
    return {each.code: each for each in _file().conditions}


def by_category() -> dict[str, list[Template]]:
    """The same under their categories."""
    found: dict[str, list[Template]] = {}
    for each in _file().conditions:
        found.setdefault(each.category, []).append(each)
    return found


def placeholders(template: Template) -> set[str]:
    """Names of the placeholders in the words."""
    return set(_PLACEHOLDER.findall(template.text))
