"""The state of the probability rule."""

import msgspec

from alerts.rules.place_breach import Breach
from alerts.rules.place_excursion import Excursion
from zones.whereabouts import Whereabouts

NOWHERE = Whereabouts()
NOTHING = Excursion()


class PlaceBelief(msgspec.Struct, frozen=True):
    """The state. ``box``, level and number, is the zone's quiet box in which all is at rest.

    Box and belief are measured from ``zone``, its id and version; of another only the newest fix
    and an open episode count. ``waits``: the breach is in doubt and waits for one more fix, and
    has for ``waited_s`` seconds; ``alone``: it has a first fix behind it, and no way that led
    there.
    """

    where: Whereabouts = NOWHERE
    box: tuple[int, int] | None = None
    excursion: Excursion = NOTHING
    breach: Breach | None = None
    zone: tuple[str, int] | None = None
    waits: bool = False
    alone: bool = False
    waited_s: float = 0.0
