"""Alcohol together with something else about the victim or the order: one case, with its parts.

Each part has been judged by its own rule and stays what it is. A case says that they came together
within a window, which of them, when, and how sure each is. It depends on the set of parts alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.alcohol.verdict import Verdict
from alerts.finding import Finding, FindingKind, Severity


class CompoundRules(msgspec.Struct, frozen=True):
    """What comes together.

    - ``near_s``: alcohol within 14400 s of an approach is one case (the project's own: the level at
      the skin is some 96 minutes behind the blood in a public meta-analysis, Yu 2022, and no time
      of drinking is given sharper than two hours).
    - ``session_s``: a session missed within 86400 s of alcohol (the project's own: the evening
      before, or the day itself).
    """

    name: str = "compound"
    version: str = "1"
    near_s: int = 14_400
    session_s: int = 86_400

    @property
    def longest(self) -> timedelta:
        """Parts further apart are never one case."""
        return timedelta(seconds=max(self.near_s, self.session_s))


RULES = CompoundRules()
RULE_NAME = "case.compound"


class PartKind(Enum):
    """What a part stands for in a case."""

    ALCOHOL = "alcohol"
    APPROACH = "approach"
    PRESENCE = "presence"
    MISSED_SESSION = "missed_session"


# Every zone that an order keeps the wearer out of counts: to say which of them is a victim's would
# tell her address to those who may not know it.
PART_OF: dict[FindingKind, PartKind] = {
    FindingKind.ALCOHOL_THRESHOLD: PartKind.ALCOHOL,
    FindingKind.ALCOHOL_CONFIRMED: PartKind.ALCOHOL,
    FindingKind.EXCLUSION_BREACH: PartKind.PRESENCE,
    FindingKind.DISTANCE_BREACH: PartKind.PRESENCE,
    FindingKind.EXCLUSION_APPROACH: PartKind.APPROACH,
    FindingKind.EARLY_WARNING_1: PartKind.APPROACH,
    FindingKind.EARLY_WARNING_2: PartKind.APPROACH,
    FindingKind.EARLY_WARNING_3: PartKind.APPROACH,
}


class MissedSession(msgspec.Struct, frozen=True):
    """A session that the wearer should have come to and did not; times aware UTC."""

    ref: str
    started_at: datetime
    ended_at: datetime


class Part(msgspec.Struct, frozen=True):
    """One finding or missed session of one wearer.

    ``source`` names it among the wearer's (``episode:17``, ``session:S-3``). ``sure`` is the
    verdict on alcohol, ``probability`` that of a rule about places; ``condition_id`` and ``clause``
    are what it was found under, 0 and empty for a session.
    """

    kind: PartKind
    what: str
    source: str
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    condition_id: int = 0
    condition_version: int = 0
    clause: str = ""
    sure: str | None = None
    probability: float | None = None

    def apart(self, other: "Part") -> timedelta:
        """The time between both; zero where they overlap."""
        gaps = [timedelta()]
        if self.ended_at is not None:
            gaps.append(other.started_at - self.ended_at)
        if other.ended_at is not None:
            gaps.append(self.started_at - other.ended_at)
        return max(gaps)


def missed(session: MissedSession) -> Part:
    """A missed session as a part."""
    return Part(
        PartKind.MISSED_SESSION,
        PartKind.MISSED_SESSION.value,
        f"session:{session.ref}",
        Severity.LOW,
        session.started_at,
        session.ended_at,
    )


def compounds(parts: Iterable[Part], rules: CompoundRules = RULES) -> list[Finding]:
    """The cases among the parts of one wearer, in order of time.

    Alcohol that a rule did not confirm for want of a run counts for nothing here. A part that is
    near two drinking episodes belongs to the nearer one, the earlier of two that are equally near,
    so that nothing is told twice.
    """
    parts = sorted(parts, key=_order)
    drinking = _episodes([each for each in parts if _counts(each)])
    joined: dict[int, list[Part]] = {}
    for part in parts:
        if part.kind is not PartKind.ALCOHOL:
            nearest = _nearest(part, drinking, rules)
            if nearest is not None:
                joined.setdefault(nearest, []).append(part)
    return [_finding(drinking[place], others, rules) for place, others in sorted(joined.items())]


def _order(part: Part) -> tuple[datetime, int, str, str]:
    return (part.started_at, part.condition_id, part.what, part.source)


def _counts(part: Part) -> bool:
    return part.kind is PartKind.ALCOHOL and part.sure != Verdict.NOT_CONFIRMED.value


def _episodes(alcohol: Sequence[Part]) -> list[list[Part]]:
    """Alcohol of one drinking, found early and confirmed, and under several conditions."""
    found: list[list[Part]] = []
    for part in alcohol:
        last = found[-1] if found else None
        if last is not None and any(part.apart(each) == timedelta() for each in last):
            last.append(part)
        else:
            found.append([part])
    return found


def _nearest(part: Part, drinking: Sequence[list[Part]], rules: CompoundRules) -> int | None:
    within = rules.session_s if part.kind is PartKind.MISSED_SESSION else rules.near_s
    gaps = [
        (min(part.apart(each) for each in episode), place) for place, episode in enumerate(drinking)
    ]
    near = [pair for pair in gaps if pair[0] <= timedelta(seconds=within)]
    return min(near)[1] if near else None


def severity_of(parts: Sequence[Part]) -> Severity:
    """One step above the most urgent part where he came near a zone; else as the most urgent."""
    rank = min(each.severity.rank for each in parts)
    if any(each.kind in (PartKind.APPROACH, PartKind.PRESENCE) for each in parts):
        rank = max(0, rank - 1)
    return list(Severity)[rank]


def _finding(alcohol: Sequence[Part], others: Sequence[Part], rules: CompoundRules) -> Finding:
    parts = sorted([*alcohol, *others], key=_order)
    ends = [each.ended_at for each in parts if each.ended_at is not None]
    first = alcohol[0]
    return Finding(
        condition_id=first.condition_id,
        condition_version=first.condition_version,
        clause=first.clause,
        kind=FindingKind.COMPOUND,
        severity=severity_of(parts),
        rule=RULE_NAME,
        rule_version=rules.version,
        started_at=first.started_at,
        ended_at=max(ends) if len(ends) == len(parts) else None,
        evidence={
            "rules": f"{rules.name} {rules.version}",
            "near_s": rules.near_s,
            "session_s": rules.session_s,
            "parts": [_told(each) for each in parts],
        },
    )


def _told(part: Part) -> dict[str, object]:
    return {
        "kind": part.kind.value,
        "what": part.what,
        "source": part.source,
        "severity": part.severity.value,
        "started_at": part.started_at.isoformat(),
        "ended_at": None if part.ended_at is None else part.ended_at.isoformat(),
        "sure": part.sure,
        "probability": part.probability,
    }
