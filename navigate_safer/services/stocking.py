"""Fill an empty database with the fleet of a benchmark."""

from collections.abc import Sequence

from navigate_safer.db import stocking
from navigate_safer.db.base import Sessions
from navigate_safer.db.stocking import PLACES_OF_IDS, Stocked, Template, zone_ref

__all__ = ["PLACES_OF_IDS", "Stocked", "Template", "analyse", "stock", "zone_ref"]


def stock(sessions: Sessions, devices: int, templates: Sequence[Template], begin: Stocked) -> None:
    """Make the fleet and commit."""
    with sessions.begin() as session:
        stocking.stock(session, devices, templates, begin)


def analyse(sessions: Sessions) -> None:
    """Let the database look at what it holds, as it would by itself after a while."""
    with sessions.begin() as session:
        stocking.analyse(session)
