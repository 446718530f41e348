"""A zone: a shape on the map, what it is for, and when it counts."""

from enum import Enum

import msgspec
from shapely.geometry.base import BaseGeometry

from zones.schedule import Schedule


class ZoneKind(Enum):
    """Exclusion: must stay out. Inclusion (curfew address) and restriction: must stay in."""

    EXCLUSION = "exclusion"
    INCLUSION = "inclusion"
    RESTRICTION = "restriction"

    @property
    def forbids_inside(self) -> bool:
        """True where being inside is the breach."""
        return self is ZoneKind.EXCLUSION


class Zone(msgspec.Struct, frozen=True):
    """A validated zone.

    ``shape`` is EPSG:4326, x = longitude, already grown by ``buffer_m``; ``schedule`` None means
    always. ``zone_id`` and ``version`` name it in findings; a zone never changes, it gets a new
    version.
    """

    zone_id: str
    kind: ZoneKind
    shape: BaseGeometry
    schedule: Schedule | None = None
    buffer_m: float = 0.0
    version: int = 1
