"""What tests of faults at intake share: a day's path, and what has come of it."""

from datetime import datetime, timedelta

from case_files import (
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    Place,
    fix,
    one_more_wearer,
    walk,
)
from databases import Database
from watch import Watch

from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.reading_rows import FixRow

HOUR = timedelta(hours=1)
VISIT = range(20, 26)


def device_id(database: Database, ref: str) -> int:
    """The row of a device."""
    return database.one(DeviceRow, DeviceRow.ref == ref).id


def fixes_of(database: Database, ref: str) -> list[FixRow]:
    """Every stored fix of a device."""
    return database.all(FixRow, FixRow.device_id == device_id(database, ref))


def breaches_of(database: Database, ref: str) -> list[tuple[datetime, datetime | None]]:
    """Beginning and end of each breach of an exclusion zone by who wears the tag now, in order."""
    worn = database.one(
        FittingRow,
        FittingRow.device_id == device_id(database, ref),
        FittingRow.removed_at.is_(None),
    )
    rows = database.all(
        EpisodeRow,
        EpisodeRow.fitting_id == worn.id,
        EpisodeRow.kind == "exclusion_breach",
        EpisodeRow.withdrawn.is_(False),
    )
    return sorted((row.started_at, row.ended_at) for row in rows)


def heard(watch: Watch, *tags: str) -> None:
    """These have been heard and judged, so that their fixes are judged as they arrive."""
    for number, tag in enumerate(tags):
        watch.register(one_more_wearer(number))
        watch.hear(*walk(tag, OUTSIDE, OUTSIDE, start=START - 5 * MINUTE))


def path(minutes: range, begin: datetime = START) -> list[dict[str, object]]:
    """A fix a minute, in the zone in the minutes of the visit of each hour."""
    return [
        fix(begin + n * MINUTE, Place(near.lat + n * 1e-7, near.lon))
        for n in minutes
        for near in [INSIDE if n % 60 in VISIT else OUTSIDE]
    ]
