"""Which of many devices could have been together: a coarse sieve before the reckoning.

Time is cut into slots and the ground into squares; two devices that never share a square or a
neighbouring one in the same slot are not looked at again. So the cost grows with the number of
fixes and with the crowds, not with the number of pairs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

# Two fixes within a slot and a square of each other are near enough to be looked at.
SLOT_S = 300
# Wider than the distance asked about and the errors of two good fixes together.
SQUARE_M = 250.0
_METRES_PER_DEGREE = 111_320.0

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]
Key = tuple[int, int, int]


def squares(measured_s: _Ints, lon: _Floats, lat: _Floats, middle_lat: float) -> set[Key]:
    """The slots and squares in which one device was; ``middle_lat`` that of the region."""
    east_m = _METRES_PER_DEGREE * float(np.cos(np.radians(middle_lat)))
    slot = measured_s // SLOT_S
    east = np.floor(lon * east_m / SQUARE_M).astype(np.int64)
    north = np.floor(lat * _METRES_PER_DEGREE / SQUARE_M).astype(np.int64)
    return set(zip(slot.tolist(), east.tolist(), north.tolist(), strict=True))


def candidates(
    where: Mapping[int, Iterable[Key]], least_slots: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """Pairs that were in the same or neighbouring squares in so many slots; lower number first.

    Each with the first and the last of these slots.
    """
    # Each device stands in its own square and the eight about it; two that are in neighbouring
    # squares meet in one of them.
    there: dict[Key, set[int]] = defaultdict(set)
    own: dict[Key, set[int]] = defaultdict(set)
    for device, keys in where.items():
        for slot, east, north in keys:
            own[slot, east, north].add(device)
            for step_east in (-1, 0, 1):
                for step_north in (-1, 0, 1):
                    there[slot, east + step_east, north + step_north].add(device)
    shared: dict[tuple[int, int], set[int]] = defaultdict(set)
    for key, owners in own.items():
        near = there[key]
        if len(near) < 2:
            continue
        for one, other in combinations(sorted(near), 2):
            if one in owners or other in owners:
                shared[one, other].add(key[0])
    return {
        pair: (min(shared[pair]), max(shared[pair]))
        for pair in sorted(shared)
        if len(shared[pair]) >= least_slots
    }
