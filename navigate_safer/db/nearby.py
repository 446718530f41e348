"""Where everybody was last, and who was near a place in a window of time."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from navigate_safer.db import archive, packed, parquet
from navigate_safer.db.place_box import E7, PlaceBox
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import DeviceLatestRow

# Half a day of everybody is read in under a second; a longer question is several.
LONGEST_WINDOW = timedelta(hours=12)
# Within this, metres on a plane are right to a thousandth.
WIDEST_RADIUS_M = 20_000.0


class BadQuestion(ValueError):
    """A place, radius or window that cannot be asked about; says what to do."""


class Near(msgspec.Struct, frozen=True):
    """The nearest that a device was: metres from the place, when, and how sure (95 % radius)."""

    device_id: int
    distance_m: float
    at: datetime
    accuracy_m: float


class LastPosition(msgspec.Struct, frozen=True):
    """The newest position of a device; degrees, metres."""

    device_id: int
    at: datetime
    lat: float
    lon: float
    accuracy_m: float


def last_positions(session: Session) -> list[LastPosition]:
    """Where every device that ever sent a position was last."""
    row = DeviceLatestRow
    query = select(row.device_id, row.position_at, row.lat_e7, row.lon_e7, row.accuracy)
    found = session.execute(query.where(row.position_at.is_not(None)))
    return [
        LastPosition(device_id, at, lat_e7 / E7, lon_e7 / E7, packed.unpack_accuracy(accuracy))
        for device_id, at, lat_e7, lon_e7, accuracy in found
        if at is not None and lat_e7 is not None and lon_e7 is not None and accuracy is not None
    ]


def near(
    session: Session,
    lon: float,
    lat: float,
    radius_m: float,
    from_at: datetime,
    to_at: datetime,
) -> list[Near]:
    """Devices that reported a position within ``radius_m`` of a place, the nearest first.

    From ``from_at`` to ``to_at``, both in it, at most 12 hours; each device once, with where it
    was nearest. The reported point counts; how far it may be off is in ``accuracy_m``. Raises
    BadQuestion, and ArchiveUnreadable where an archived day of the window cannot be read.
    """
    _check(lon, lat, radius_m, from_at, to_at)
    box = PlaceBox.about(lon, lat, radius_m, packed.from_bound(from_at), packed.after_bound(to_at))
    postgresql = session.get_bind().dialect.name == "postgresql"
    if postgresql:
        # Compiling the plan takes longer than running it.
        session.execute(text("set local jit = off"))
    found = [tuple(row) for row in session.execute(_nearest(box, by_device=not postgresql))]
    files = archive.files_between(session, box.begins, box.ends).get(FixRow.__tablename__, [])
    found += parquet.near(files, box)
    nearest: dict[int, Near] = {}
    for device_id, squared, stored_at, accuracy in sorted(found, key=lambda each: each[1]):
        at, accuracy_m = packed.on_millisecond(stored_at), packed.unpack_accuracy(accuracy)
        nearest.setdefault(device_id, Near(device_id, squared**0.5, at, accuracy_m))
    return list(nearest.values())


def _check(lon: float, lat: float, radius_m: float, from_at: datetime, to_at: datetime) -> None:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadQuestion("a place is a longitude up to 180 degrees and a latitude up to 90")
    if not 0 < radius_m <= WIDEST_RADIUS_M:
        raise BadQuestion(f"the radius must be above 0 and at most {WIDEST_RADIUS_M:,.0f} m")
    if not timedelta(0) <= to_at - from_at <= LONGEST_WINDOW:
        raise BadQuestion("the window must end after it begins and be at most 12 hours: ask twice")


def _nearest(box: PlaceBox, *, by_device: bool) -> Any:  # noqa: ANN401 - a select of four columns
    """Device, squared metres, stored time and accuracy of each device's nearest position.

    ``by_device`` looks the window up for one device after the other: SQLite has the key alone.
    """
    east = (FixRow.lon_e7 - box.lon_e7) * box.lon_step_m
    north = (FixRow.lat_e7 - box.lat_e7) * box.lat_step_m
    squared = (east * east + north * north).label("squared")
    found = select(FixRow.device_id, squared, FixRow.measured_at, FixRow.accuracy).where(
        FixRow.measured_at >= box.begins,
        FixRow.measured_at < box.ends,
        FixRow.lon_e7.between(box.lon_e7 - box.half_lon_e7, box.lon_e7 + box.half_lon_e7),
        FixRow.lat_e7.between(box.lat_e7 - box.half_lat_e7, box.lat_e7 + box.half_lat_e7),
    )
    if by_device:
        seen = _devices()
        found = found.select_from(seen).join(FixRow, FixRow.device_id == seen.c.id)
    among = found.subquery()
    rank = func.row_number().over(
        partition_by=among.c.device_id, order_by=(among.c.squared, among.c.measured_at)
    )
    ranked = select(among, rank.label("rank")).where(among.c.squared <= box.radius_m**2).subquery()
    return select(
        ranked.c.device_id, ranked.c.squared, ranked.c.measured_at, ranked.c.accuracy
    ).where(ranked.c.rank == 1)


def _devices() -> Any:  # noqa: ANN401 - a recursive select of ids
    """Every device with a position, found by steps from key to key instead of reading all."""
    first = select(func.min(FixRow.device_id).label("id")).cte("seen", recursive=True)
    following = select(func.min(FixRow.device_id)).where(FixRow.device_id > first.c.id)
    return first.union_all(select(following.scalar_subquery()).where(first.c.id.is_not(None)))
