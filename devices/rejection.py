"""Why a message or a reading was not accepted, in words a person understands."""

from enum import Enum

import msgspec


class Reason(Enum):
    """Classes of refusal; the quarantine page and the metrics count by these."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    INVALID = "invalid"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    COORDINATES_SWAPPED = "coordinates_swapped"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_OLD = "time_too_old"
    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNKNOWN_DEVICE = "unknown_device"
    WRONG_GATEWAY = "wrong_gateway"
    WRONG_TOPIC = "wrong_topic"
    UNSUPPORTED = "unsupported"
    INTERNAL_FAULT = "internal_fault"


class Rejected(msgspec.Struct, frozen=True):
    """A refusal. ``index`` counts readings of the message from 0; None is the whole message.

    ``text`` quotes no coordinate: quarantine is read by people who may see no positions.
    """

    reason: Reason
    text: str
    index: int | None = None
