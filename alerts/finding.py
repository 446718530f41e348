"""What a rule found: a condition broken or kept again, with the evidence for it."""

from datetime import datetime
from enum import Enum

import msgspec


class Severity(Enum):
    """How urgent; carries its consequences. ``rank`` 0 is the most urgent."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Position on the duty board, most urgent first."""
        return list(Severity).index(self)

    @property
    def texts_an_officer(self) -> bool:
        """Whether an alert of this severity is sent by text; low ones only show on the board."""
        return self is not Severity.LOW

    @property
    def word(self) -> str:
        """The word used in a text; GSM-7 only."""
        return {"critical": "URGENT", "high": "HIGH", "medium": "MEDIUM", "low": "LOW"}[self.value]


class FindingKind(Enum):
    """What was broken."""

    EXCLUSION_BREACH = "exclusion_breach"
    CURFEW_BREACH = "curfew_breach"
    RESTRICTION_BREACH = "restriction_breach"
    DISTANCE_BREACH = "distance_breach"
    ALCOHOL_THRESHOLD = "alcohol_threshold"
    ALCOHOL_CONFIRMED = "alcohol_confirmed"
    STRAP_TAMPER = "strap_tamper"
    CONTACT_SUSPECT = "contact_suspect"
    CONTACT_LOST = "contact_lost"
    SENSOR_FAULT = "sensor_fault"
    BASE_STATION_MOVED = "base_station_moved"
    NOT_CHARGED = "not_charged"
    UPLOAD_MISSED = "upload_missed"
    CURFEW_EVENT = "curfew_event"
    ZONE_EVENT = "zone_event"
    BATTERY_EVENT = "battery_event"
    BATTERY_LOW = "battery_low"
    BATTERY_CRITICAL = "battery_critical"
    SILENCE = "silence"
    # The device sends, and no fix of it can tell where its wearer is.
    POSITION_UNKNOWN = "position_unknown"
    # Of no wearer and no episode: see :mod:`alerts.rules.protected_silence`.
    PROTECTED_SILENCE = "protected_silence"
    EXCLUSION_APPROACH = "exclusion_approach"
    # Within the ring of a zone, counted from the nearest: the condition itself is kept.
    EARLY_WARNING_1 = "early_warning_1"
    EARLY_WARNING_2 = "early_warning_2"
    EARLY_WARNING_3 = "early_warning_3"
    # Alcohol together with another finding: a case with its parts.
    COMPOUND = "compound"
    # A stay that an officer has allowed.
    EXCUSED_STAY = "excused_stay"

    @property
    def only_recorded(self) -> bool:
        """True where nobody is ever told."""
        return self is FindingKind.EXCUSED_STAY

    @property
    def about_a_wearer(self) -> bool:
        """False where no wearer is concerned, so that no silence of one can hold it back."""
        return self is not FindingKind.PROTECTED_SILENCE


class Finding(msgspec.Struct, frozen=True):
    """One episode as far as the readings show it; times aware UTC, measured time.

    ``started_at`` identifies the episode within its condition and kind. ``ended_at`` None means
    still going on at the newest reading; ``seen_at`` is then when it was last seen, where the rule
    can say so. ``evidence`` holds only JSON values (the readings used,
    thresholds, versions) and no name, address or coordinate beyond the fixes themselves.
    """

    condition_id: int
    condition_version: int
    clause: str
    kind: FindingKind
    severity: Severity
    rule: str
    rule_version: str
    started_at: datetime
    ended_at: datetime | None
    evidence: dict[str, object]
    seen_at: datetime | None = None

    @property
    def key(self) -> tuple[int, str, datetime]:
        """Identity of the episode among a wearer's episodes."""
        return (self.condition_id, self.kind.value, self.started_at)
