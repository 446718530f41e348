"""How others decide about a zone, fix by fix, on the same tracks: for the benchmark.

Each rule gives, for every fix, whether it holds that the wearer is inside. The rules are those of
the project's survey of geofences, written from its description.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from navigate_safer.demo.place_lives import Floats

Flags = npt.NDArray[np.bool_]
# A usual limit of peers that drop inaccurate fixes, metres; and of those that count fixes.
DROP_ABOVE_M = 50.0
IN_A_ROW = 3


def raw(off_m: Floats, _accuracy_m: Floats) -> Flags:
    """The reported point in the polygon: Traccar, OwnTracks, Tile38, ThingsBoard, Node-RED."""
    return off_m <= 0


def filtered(off_m: Floats, accuracy_m: Floats) -> Flags:
    """The same, fixes with a wide radius dropped: Traccar's filter."""
    return _held(off_m <= 0, accuracy_m <= DROP_ABOVE_M)


def in_a_row(off_m: Floats, _accuracy_m: Floats) -> Flags:
    """A change counts after several equal fixes in a row."""
    return _counted(off_m <= 0)


def filtered_in_a_row(off_m: Floats, accuracy_m: Floats) -> Flags:
    """Both: fixes with a wide radius dropped, then several in a row."""
    good = accuracy_m <= DROP_ABOVE_M
    counted = np.zeros(len(off_m), bool)
    counted[good] = _counted(off_m[good] <= 0)
    return _held(counted, good)


def leave_when_clear(off_m: Floats, accuracy_m: Floats) -> Flags:
    """Enter by the point, leave when the whole disc is outside: Tracelet."""
    return _held(off_m <= 0, (off_m <= 0) | (off_m > accuracy_m))


def disc_touches(off_m: Floats, accuracy_m: Floats) -> Flags:
    """Inside while the disc touches: Home Assistant."""
    return off_m <= accuracy_m


PEERS: dict[str, Callable[[Floats, Floats], Flags]] = {
    "point in polygon": raw,
    "drop above 50 m": filtered,
    "3 in a row": in_a_row,
    "drop, 3 in a row": filtered_in_a_row,
    "leave when disc clear": leave_when_clear,
    "disc touches": disc_touches,
}


def _held(inside: Flags, counts: Flags) -> Flags:
    """Where a fix does not count, what the last one that did said; outside before the first."""
    newest = np.maximum.accumulate(np.where(counts, np.arange(len(counts)), -1))
    held: Flags = np.where(newest >= 0, inside[newest], False)
    return held


def _counted(inside: Flags) -> Flags:
    equal = np.ones(len(inside), bool)
    for back in range(1, IN_A_ROW):
        equal[back:] &= inside[back:] == inside[:-back]
        equal[:back] = False
    # The first fixes say where it begins.
    equal[:1] = True
    return _held(inside, equal)
