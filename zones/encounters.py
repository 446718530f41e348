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


def squares(
    measured_s: _Ints, lon: _Floats, lat: _Floats, middle_lat: float, max_gap_s: float = 0.0
) -> set[Key]:
    """The slots and squares in which one device was; ``middle_lat`` that of the region.

    Between two fixes no further apart than ``max_gap_s`` it was on the straight way, in the slots
    without a fix too: two tags that report in turn would else never share one.
    """
    measured_s, lon, lat = _with_way(measured_s, lon, lat, max_gap_s)
    east_m = _METRES_PER_DEGREE * float(np.cos(np.radians(middle_lat)))
    slot = measured_s // SLOT_S
    east = np.floor(lon * east_m / SQUARE_M).astype(np.int64)
    north = np.floor(lat * _METRES_PER_DEGREE / SQUARE_M).astype(np.int64)
    return set(zip(slot.tolist(), east.tolist(), north.tolist(), strict=True))


def _with_way(
    measured_s: _Ints, lon: _Floats, lat: _Floats, max_gap_s: float
) -> tuple[_Ints, _Floats, _Floats]:
    """The fixes in order of time, and a point of the way in the middle of each slot between two."""
    order = np.argsort(measured_s, kind="stable")
    at, east, north = measured_s[order], lon[order], lat[order]
    step_s, slot = np.diff(at), at // SLOT_S
    parts = [(at, east, north)]
    for number in range(1, int(max_gap_s // SLOT_S) + 1):
        legs = np.flatnonzero((step_s <= max_gap_s) & (slot[:-1] + number < slot[1:]))
        middle_s = (slot[legs] + number) * SLOT_S + SLOT_S // 2
        share = (middle_s - at[legs]) / step_s[legs]
        there = [each[legs] + share * (each[legs + 1] - each[legs]) for each in (east, north)]
        parts.append((middle_s, there[0], there[1]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return columns[0], columns[1], columns[2]


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
