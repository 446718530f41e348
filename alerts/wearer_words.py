"""What a wearer can be told of, in three tones, and the words for each.

The words are fixed. They name no place, no person, no offence and no zone, because others may read
them over a shoulder, and because a text about a place could tell where a protected person is. Two
kinds of finding are never told at all: nearness to a protected person's device, and a case put
together of several findings.
"""

from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from alerts.finding import FindingKind
from zones.schedule import DEFAULT_TIMEZONE

LONDON = ZoneInfo(DEFAULT_TIMEZONE)


class Tone(Enum):
    """How a wearer is spoken to."""

    STERN = "stern"
    NEUTRAL = "neutral"
    SUPPORTIVE = "supportive"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.capitalize()


class Occasion(Enum):
    """What a wearer is told of; carries its consequences."""

    APPROACH = "approach"
    CURFEW_SOON = "curfew_soon"
    BATTERY = "battery"
    ZONE_BREACH = "zone_breach"
    CURFEW_BREACH = "curfew_breach"
    ALCOHOL = "alcohol"
    STRAP = "strap"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return _LABELS[self]

    @property
    def at_breach(self) -> bool:
        """Whether it is told at any hour; what comes before a breach keeps quiet hours."""
        return self not in (Occasion.APPROACH, Occasion.CURFEW_SOON, Occasion.BATTERY)

    @property
    def reveals(self) -> str:
        """What being told shows the wearer; empty where nothing."""
        return _REVEALS.get(self, "")

    @property
    def kinds(self) -> frozenset[FindingKind]:
        """The findings that are such an occasion; none for what the clock alone brings."""
        return frozenset(kind for kind, each in OCCASIONS.items() if each is self)


_LABELS = {
    Occasion.APPROACH: "Coming near an exclusion zone",
    Occasion.CURFEW_SOON: "A curfew starts soon",
    Occasion.BATTERY: "The battery is low",
    Occasion.ZONE_BREACH: "A zone is broken",
    Occasion.CURFEW_BREACH: "Away during a curfew",
    Occasion.ALCOHOL: "Alcohol was measured",
    Occasion.STRAP: "The strap was tampered with",
}
_REVEALS = {
    Occasion.APPROACH: (
        "A warning on approach reveals the zone: whoever is warned can walk until the telephone "
        "rings, and so find its edge and what lies inside. Switch it on only where every wearer of "
        "the area knows his zones from his order, and no zone guards an address that is secret."
    ),
    Occasion.ZONE_BREACH: (
        "A message at a breach tells where the edge of the zone was crossed. Do not use it where a "
        "zone guards an address that is secret."
    ),
}
OCCASIONS = {
    FindingKind.EXCLUSION_APPROACH: Occasion.APPROACH,
    FindingKind.EARLY_WARNING_1: Occasion.APPROACH,
    FindingKind.EARLY_WARNING_2: Occasion.APPROACH,
    FindingKind.EARLY_WARNING_3: Occasion.APPROACH,
    FindingKind.BATTERY_LOW: Occasion.BATTERY,
    FindingKind.BATTERY_CRITICAL: Occasion.BATTERY,
    FindingKind.BATTERY_EVENT: Occasion.BATTERY,
    FindingKind.NOT_CHARGED: Occasion.BATTERY,
    FindingKind.EXCLUSION_BREACH: Occasion.ZONE_BREACH,
    FindingKind.RESTRICTION_BREACH: Occasion.ZONE_BREACH,
    FindingKind.ZONE_EVENT: Occasion.ZONE_BREACH,
    FindingKind.CURFEW_BREACH: Occasion.CURFEW_BREACH,
    FindingKind.CURFEW_EVENT: Occasion.CURFEW_BREACH,
    FindingKind.ALCOHOL_CONFIRMED: Occasion.ALCOHOL,
    FindingKind.ALCOHOL_THRESHOLD: Occasion.ALCOHOL,
    FindingKind.STRAP_TAMPER: Occasion.STRAP,
}
_WORDS: dict[Occasion, dict[Tone, str]] = {
    Occasion.APPROACH: {
        Tone.STERN: "Stop. You are close to breaking your conditions. Go on and officers will act.",
        Tone.NEUTRAL: "You may be close to breaking one of your conditions. Please check them now.",
        Tone.SUPPORTIVE: (
            "You may be close to breaking one of your conditions. There is still time. If this is "
            "a hard moment, call your officer."
        ),
    },
    Occasion.CURFEW_SOON: {
        Tone.STERN: "Your curfew starts at {at}. Be in by then. Being late is a breach.",
        Tone.NEUTRAL: "Your curfew starts at {at}. Please be in by then.",
        Tone.SUPPORTIVE: (
            "Your curfew starts at {at}. Leave in good time. If something keeps you, call your "
            "officer before it starts."
        ),
    },
    Occasion.BATTERY: {
        Tone.STERN: "Charge your device now. Letting it run empty is a breach.",
        Tone.NEUTRAL: "The battery of your device is low. Please charge it now.",
        Tone.SUPPORTIVE: (
            "The battery of your device is low. Charging it now keeps you on track. If you cannot, "
            "tell your officer."
        ),
    },
    Occasion.ZONE_BREACH: {
        Tone.STERN: (
            "You are breaking your conditions and officers have been told. Put it right this "
            "minute, then call your officer."
        ),
        Tone.NEUTRAL: (
            "Your device shows that one of your conditions is not being kept. Please put it right "
            "now and call your officer."
        ),
        Tone.SUPPORTIVE: (
            "Your device shows that one of your conditions is not being kept. You can still put it "
            "right. Then call your officer to talk it through."
        ),
    },
    Occasion.CURFEW_BREACH: {
        Tone.STERN: "Your curfew has begun and you are not in. Officers have been told. Go in now.",
        Tone.NEUTRAL: (
            "Your device shows that you are not in during your curfew. Please go in now and call "
            "your officer."
        ),
        Tone.SUPPORTIVE: (
            "Your device shows that you are not in during your curfew. Go in as soon as you can, "
            "and call your officer if something went wrong."
        ),
    },
    Occasion.ALCOHOL: {
        Tone.STERN: "Your device shows a breach of your conditions. Call your officer now.",
        Tone.NEUTRAL: "Your device has measured what your order forbids. Please call your officer.",
        Tone.SUPPORTIVE: (
            "Your device has measured what your order forbids. One slip can be talked about. "
            "Please call your officer today."
        ),
    },
    Occasion.STRAP: {
        Tone.STERN: "Your device reports a damaged strap. Leave it alone. Call your officer now.",
        Tone.NEUTRAL: "Your device reports a fault of its strap. Please call your officer now.",
        Tone.SUPPORTIVE: (
            "Your device reports a fault of its strap. If it was an accident, say so soon: call "
            "your officer now."
        ),
    },
}


def words(occasion: Occasion, tone: Tone, reference: str, starts_at: datetime | None = None) -> str:
    """The whole text: one GSM-7 part. ``starts_at`` is when the curfew of a warning begins."""
    at = "" if starts_at is None else f"{starts_at.astimezone(LONDON):%H:%M}"
    return f"{_WORDS[occasion][tone].format(at=at)} Ref {reference}"


def example(occasion: Occasion, tone: Tone) -> str:
    """The words of an occasion as a supervisor reads them before choosing: a curfew at 19:00."""
    return _WORDS[occasion][tone].format(at="19:00")


def masked(phone: str) -> str:
    """A number as it is shown: its last three digits."""
    return f"\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET} {phone[-3:]}"
