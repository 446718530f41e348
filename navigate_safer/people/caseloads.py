"""How many cases a worker can have, and how many workers so many cases need.

Open at once = cases a year x months open / 12; workers = open / caseload.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind

MONTHS_A_YEAR = 12


class Caseload(msgspec.Struct, frozen=True):
    """The most cases of one kind of work that one worker has, with its source."""

    work: str
    words: str
    cases_each: float
    months_open: float
    source: str


class CaseloadLimits(msgspec.Struct, frozen=True):
    """Limits of an area: as shipped in ``data/caseloads.json``, or as its supervisor set them.

    ``weights`` say what a case of each band counts; ``warn_at_percent`` of the limit is shown.
    """

    version: str
    caseloads: tuple[Caseload, ...]
    weights: dict[str, float]
    weights_source: str
    warn_at_percent: float
    warn_source: str

    def of(self, work: str) -> Caseload:
        """The limit of one kind of work; raises KeyError."""
        for each in self.caseloads:
            if each.work == work:
                return each
        raise KeyError(work)


@lru_cache(maxsize=1)
def shipped() -> CaseloadLimits:
    """The limits as shipped."""
    content = files("navigate_safer.people").joinpath("data", "caseloads.json").read_bytes()
    return msgspec.json.decode(content, type=CaseloadLimits)


def open_at_once(cases_a_year: float, months_open: float) -> float:
    """Cases that are open on an ordinary day."""
    return cases_a_year * months_open / MONTHS_A_YEAR


def workers_needed(cases_open: float, cases_each: float) -> float:
    """Workers, in whole time, for so many open cases."""
    return cases_open / cases_each


def cases_a_year(cases_open: float, months_open: float) -> float:
    """How many a year go through when so many are open at once."""
    return cases_open * MONTHS_A_YEAR / months_open


class Load(msgspec.Struct, frozen=True):
    """One worker's cases: ``weighted`` against ``limit``."""

    name: str
    cases: int
    weighted: float
    limit: float
    by_band: dict[str, int]

    @property
    def share(self) -> float:
        """Weighted cases as a share of the limit; above 1 is too many."""
        return self.weighted / self.limit

    @property
    def over(self) -> bool:
        """More than the limit."""
        return self.weighted > self.limit


def load(name: str, by_band: Mapping[str, int], limit: float, weights: Mapping[str, float]) -> Load:
    """Of one worker; a band without a weight counts one."""
    weighted = sum(count * weights.get(band, 1.0) for band, count in by_band.items())
    return Load(name, sum(by_band.values()), weighted, limit, dict(by_band))


class Need(msgspec.Struct, frozen=True):
    """Open cases of one kind of work, and the workers there are and would have to be."""

    caseload: Caseload
    cases_open: float
    workers: int

    @property
    def needed(self) -> float:
        """Workers needed for those that are open."""
        return workers_needed(self.cases_open, self.caseload.cases_each)

    @property
    def each(self) -> float | None:
        """Cases for each worker that there is; None without a worker."""
        return self.cases_open / self.workers if self.workers else None

    @property
    def short(self) -> bool:
        """Too few workers for the limit."""
        return self.needed > self.workers


def over_limit(loads: Iterable[Load]) -> list[Load]:
    """Workers with more than their caseload, the most loaded first."""
    return sorted((each for each in loads if each.over), key=lambda each: -each.share)


LIMITS = RecordKind(
    "caseload_limits",
    "Caseload limits",
    "CL",
    CaseloadLimits,
    Permission.SEE_CAPACITY,
    Permission.SET_CASEWORK,
)
KINDS = (LIMITS,)
