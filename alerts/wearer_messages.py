"""Whether a wearer is told, before a breach and at one: the policy of an area and the decision.

Nothing is told unless a supervisor has put it into the policy of the area. All times are aware,
UTC; quiet hours are those of the wall in London.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from enum import Enum

import msgspec

from alerts.finding import FindingKind
from alerts.wearer_words import LONDON, Occasion, Tone

POLICY_VERSION = "1"
# Project policy, version 1. What is told later than this is no warning any more, and no longer
# about what the wearer does at this moment.
LATEST = timedelta(minutes=5)
# The same matter is not told again sooner, however many alerts it makes.
NOT_AGAIN_WITHIN = timedelta(minutes=30)
# A text that a provider could not bring within this time is not sent any more.
LASTS = timedelta(minutes=10)
MOST_A_DAY_ALLOWED = 20
SHORTEST_NOTICE_MIN, LONGEST_NOTICE_MIN = 5, 120


class WearerPolicyFault(ValueError):
    """A policy that cannot be kept; the message says what to change."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a wearer is told on one occasion; neither way means not at all."""

    occasion: Occasion
    by_text: bool = False
    by_vibration: bool = False
    tone: Tone = Tone.NEUTRAL


class WearerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the wearers of one area are told; off unless a way is named.

    ``quiet_from`` to ``quiet_until`` is wall time in London, and holds back what is no breach;
    22:00 to 07:00, ``most_a_day`` 4 and a curfew's notice of 30 minutes are this project's own,
    until a service's figures say better.
    """

    ways: tuple[Way, ...] = ()
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    most_a_day: int = 4
    curfew_notice_min: int = 30
    version: str = POLICY_VERSION

    def __post_init__(self) -> None:
        if len({each.occasion for each in self.ways}) < len(self.ways):
            raise WearerPolicyFault("an occasion is named twice")
        if not 1 <= self.most_a_day <= MOST_A_DAY_ALLOWED:
            raise WearerPolicyFault(f"give 1 to {MOST_A_DAY_ALLOWED} messages a day")
        if not SHORTEST_NOTICE_MIN <= self.curfew_notice_min <= LONGEST_NOTICE_MIN:
            span = f"{SHORTEST_NOTICE_MIN} to {LONGEST_NOTICE_MIN}"
            raise WearerPolicyFault(f"give {span} minutes of notice before a curfew")

    def way(self, occasion: Occasion) -> Way | None:
        """How an occasion is told; None where it is not."""
        found = next((each for each in self.ways if each.occasion is occasion), None)
        return found if found is not None and (found.by_text or found.by_vibration) else None

    @property
    def kinds(self) -> frozenset[FindingKind]:
        """The findings of which a wearer is told."""
        told = (each.occasion.kinds for each in self.ways if self.way(each.occasion) is not None)
        return frozenset().union(*told)

    def is_quiet(self, at: datetime) -> bool:
        """Whether an instant is within the quiet hours; equal ends mean that there are none."""
        wall = at.astimezone(LONDON).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= wall < self.quiet_until
        return wall >= self.quiet_from or wall < self.quiet_until


class Phone(Enum):
    """What is known of a wearer's number."""

    NONE = "none"
    UNVERIFIED = "unverified"
    STOPPED = "stopped"
    GOOD = "good"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision looks at, besides the policy.

    ``since`` is when the occasion arose, ``told_today`` counts messages since midnight in London,
    ``told_lately`` is whether the same occasion was told within :data:`NOT_AGAIN_WITHIN`.
    """

    since: datetime
    silenced: bool
    excused: bool
    told_today: int
    told_lately: bool
    phone: Phone
    tag_fitted: bool


class Verdict(Enum):
    """Whether a wearer is told, or why not; kept with each occasion."""

    TOLD = "told"
    TOO_LATE = "too_late"
    EXCUSED = "excused"
    SILENCED = "silenced"
    QUIET_HOURS = "quiet_hours"
    TOLD_LATELY = "told_lately"
    MOST_A_DAY = "most_a_day"
    STOPPED = "stopped"
    NO_WAY = "no_way"


class Decided(msgspec.Struct, frozen=True):
    """The verdict, and by which ways."""

    verdict: Verdict
    by_text: bool = False
    by_vibration: bool = False


def decide(policy: WearerPolicy, way: Way, facts: Facts, now: datetime) -> Decided:
    """Whether and how a wearer is told of an occasion that the policy has switched on."""
    held = _held(policy, way, facts, now)
    if held is not None:
        return Decided(held)
    by_text = way.by_text and facts.phone is Phone.GOOD
    by_vibration = way.by_vibration and facts.tag_fitted
    if by_text or by_vibration:
        return Decided(Verdict.TOLD, by_text, by_vibration)
    stopped = way.by_text and facts.phone is Phone.STOPPED
    return Decided(Verdict.STOPPED if stopped else Verdict.NO_WAY)


def _held(policy: WearerPolicy, way: Way, facts: Facts, now: datetime) -> Verdict | None:
    """The first reason against telling, in the order in which an officer would give them."""
    reasons = (
        (facts.excused, Verdict.EXCUSED),
        (facts.silenced, Verdict.SILENCED),
        (now - facts.since > LATEST, Verdict.TOO_LATE),
        (not way.occasion.at_breach and policy.is_quiet(now), Verdict.QUIET_HOURS),
        (facts.told_lately, Verdict.TOLD_LATELY),
        (facts.told_today >= policy.most_a_day, Verdict.MOST_A_DAY),
    )
    return next((verdict for holds, verdict in reasons if holds), None)


def curfew_to_announce(
    policy: WearerPolicy, starts: Iterable[datetime], now: datetime
) -> datetime | None:
    """The next start of a curfew that is near enough to be told of; None where there is none."""
    notice = timedelta(minutes=policy.curfew_notice_min)
    return min((at for at in starts if now < at <= now + notice), default=None)
