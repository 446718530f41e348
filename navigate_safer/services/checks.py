"""One part of the service and how it is: what every check of its health says."""

from enum import Enum

import msgspec

from alerts.finding import Severity


class State(Enum):
    """How it is with one part."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Check(msgspec.Struct, frozen=True):
    """One part of the service, how it is, and a sentence about it, which anybody may read.

    A warning is told only once it has stayed, and to nobody's telephone, unless it has ``told_as``:
    then at once and so urgently. ``detail`` is for those alone who mend the service.
    """

    name: str
    state: State
    text: str
    told_as: Severity | None = None
    detail: str = ""
