"""The life of an alert: open, acknowledged, resolved; guarded transitions, none deleted."""

from datetime import timedelta
from enum import Enum

# An acknowledgement without an outcome or a note expires after this long and the alert escalates
# again (AWS and PagerDuty use 10 to 15 minutes).
ACKNOWLEDGEMENT_LASTS = timedelta(minutes=15)


class AlertState(Enum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"

    @property
    def live(self) -> bool:
        """Whether somebody still has to do something."""
        return self is not AlertState.RESOLVED


class Move(Enum):
    """What can happen to an alert."""

    ACKNOWLEDGE = "acknowledge"
    EXPIRE = "expire"
    NOTE = "note"
    RESOLVE = "resolve"
    REOPEN = "reopen"


class Outcome(Enum):
    """What an officer found; the words of the Ministry's violation records where they have one."""

    BREACH_CONFIRMED = "breach_confirmed"
    REASONABLE_EXCUSE = "reasonable_excuse"
    AUTHORISED_ABSENCE = "authorised_absence"
    DEVICE_FAULT = "device_fault"
    FALSE_ALARM = "false_alarm"
    MONITORING_GAP = "monitoring_gap"
    OTHER = "other"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.value.replace("_", " ").capitalize()

    @property
    def needs_text(self) -> bool:
        """Whether the outcome means nothing without an explanation."""
        return self is Outcome.OTHER


_MOVES: dict[tuple[AlertState, Move], AlertState] = {
    (AlertState.OPEN, Move.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.ACKNOWLEDGED, Move.EXPIRE): AlertState.OPEN,
    (AlertState.OPEN, Move.RESOLVE): AlertState.RESOLVED,
    (AlertState.ACKNOWLEDGED, Move.RESOLVE): AlertState.RESOLVED,
    (AlertState.RESOLVED, Move.REOPEN): AlertState.OPEN,
    (AlertState.OPEN, Move.NOTE): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, Move.NOTE): AlertState.ACKNOWLEDGED,
    (AlertState.RESOLVED, Move.NOTE): AlertState.RESOLVED,
}


def after(state: AlertState, move: Move) -> AlertState | None:
    """The state after a move, or None where the move is refused.

    Acknowledging an alert that is resolved is refused and changes nothing; a system that let it
    re-open the alert is among the reference's complaints.
    """
    return _MOVES.get((state, move))
