"""What a page shows when somebody else has saved in between: their words beside one's own."""

import msgspec

from navigate_safer.people.records import Difference, Record, differences
from navigate_safer.services.records import Stale


class Conflict(msgspec.Struct, frozen=True):
    """The version that came in between, and where it differs from what was typed."""

    newest: Record[msgspec.Struct]
    differences: list[Difference]


def conflict(stale: Stale, typed: msgspec.Struct) -> Conflict:
    """Of a save that came too late; ``typed`` is what was to be saved."""
    return Conflict(stale.newest, differences(stale.newest.body, typed))
