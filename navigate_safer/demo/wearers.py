"""The invented wearers before any paper is written: home, order, places to stay out of.

A sketch holds the home, which no case file does unless there is a curfew; the simulator needs it
and nothing else reads it. Sketches depend on the seed alone, never on the day of the start.
"""

from functools import lru_cache
from random import Random

import msgspec
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from devices.simulated_day import LonLat
from navigate_safer.demo.names import UniqueNames
from navigate_safer.demo.places import (
    BOROUGH,
    TOWN_CENTRES,
    Locality,
    distance_m,
    irregular_zone,
    locality_of,
    point_inside,
    spread_over_wards,
    town_centre,
    wards,
)

# The seed document's cohort: 1,160 victims and 156 known perpetrators.
WEARERS = 156
VICTIMS = 1160

EXCLUDED = 140
CURFEWED = 78
ALCOHOL_MONITORED = 40
RESTRICTED = 4
PER_TOWN_CENTRE = 12
# A home lies at least this far outside every zone its owner must avoid.
HOME_CLEARANCE_M = 400.0
# Whoever must keep away from a person is too near within so many metres, and lives this far away at
# most, so that the story can bring them together.
WITHIN_M = 400.0
FARTHEST_M = 3_000.0
_NEAREST_WARDS = 8
_SENTENCES = ("licence", "community_order", "suspended_sentence")
_ORDERS = {"licence": 35, "community_order": 20, "suspended_sentence": 20, "dapo": 15, "bail": 10}


class Area(msgspec.Struct, frozen=True):
    """A place to stay out of or in: its shape and the ward it is about."""

    name: str
    ward: str
    shape: BaseGeometry


class Protected(msgspec.Struct, frozen=True):
    """Somebody who carries a device: hers, where she lives, and how near is too near."""

    device: str
    home: LonLat
    within_m: float

    @property
    def circle(self) -> BaseGeometry:
        """The ground that is too near to her home."""
        ground = Point(BOROUGH.to_m(self.home)).buffer(self.within_m)
        return Polygon([BOROUGH.to_degrees((x, y)) for x, y in ground.exterior.coords])


class Sketch(msgspec.Struct, frozen=True):
    """One invented wearer. ``curfew`` is none, nightly or always.

    ``keeps_away`` is somebody with a device, for the one wearer who must keep away from a person.
    """

    number: int
    name: str
    age_days: int
    ward: str
    locality: Locality
    home: LonLat
    band: str
    order: str
    exclusion: Area | None
    restriction: Area | None
    town: str | None
    curfew: str
    alcohol: bool
    keeps_away: Protected | None = None

    @property
    def ref(self) -> str:
        """The wearer's reference."""
        return f"NS-{self.number:04d}"

    @property
    def tag(self) -> str:
        """The GPS tag's name."""
        return f"TAG-{self.number:05d}"

    @property
    def monitor(self) -> str:
        """The alcohol monitor's name, if one is fitted."""
        return f"ALC-{self.number:05d}"

    @property
    def avoid(self) -> tuple[BaseGeometry, ...]:
        """Every shape this wearer must stay out of at some time."""
        own = () if self.exclusion is None else (self.exclusion.shape,)
        person = () if self.keeps_away is None else (self.keeps_away.circle,)
        town = () if self.town is None else (town_centre(self.town),)
        return (*own, *town, *person)


class _Choices(msgspec.Struct, frozen=True):
    """Who gets which condition, by number."""

    excluded: frozenset[int]
    curfewed: frozenset[int]
    always_home: int
    restricted: frozenset[int]
    alcohol: frozenset[int]


@lru_cache(maxsize=4)
def sketches(seed: int) -> tuple[Sketch, ...]:
    """The wearers of this seed, in order of number."""
    rng = Random(f"wearers|{seed}")
    names = UniqueNames(rng)
    orders = rng.choices(list(_ORDERS), weights=list(_ORDERS.values()), k=WEARERS)
    choices = _choose(rng, orders)
    places = [(ward, point_inside(rng, wards()[ward])) for ward in spread_over_wards(rng, WEARERS)]
    towns = _town_lists(rng, [home for _, home in places])
    drawn = tuple(
        _sketch(rng, number, names=names, order=order, place=place, choices=choices, towns=towns)
        for number, (order, place) in enumerate(zip(orders, places, strict=True), start=1)
    )
    return _with_person(Random(f"person|{seed}"), drawn)


def _with_person(rng: Random, drawn: tuple[Sketch, ...]) -> tuple[Sketch, ...]:
    """The wearers with one who must keep away from a person who carries a device.

    Her home is drawn in a ward near his, clear of his own zone, and stands in no document.
    """
    *others, _ = drawn
    # From the end: the opening of the story takes its people from the beginning.
    him = next(
        each
        for each in reversed(others)
        if each.exclusion is not None and each.town is None and each.curfew == "none"
    )
    assert him.exclusion is not None
    by_distance = sorted(wards(), key=lambda name: distance_m(him.home, wards()[name]))
    while True:
        place = point_inside(rng, wards()[rng.choice(by_distance[:_NEAREST_WARDS])])
        her = Protected(f"PRO-{him.number:05d}", place, WITHIN_M)
        apart_m = distance_m(him.home, her.circle)
        clear_m = distance_m(place, him.exclusion.shape)
        if HOME_CLEARANCE_M <= apart_m <= FARTHEST_M and clear_m >= 2 * WITHIN_M:
            him = msgspec.structs.replace(him, keeps_away=her)
            return tuple(him if each.number == him.number else each for each in drawn)


def homes(seed: int) -> dict[str, LonLat]:
    """Each wearer's home by reference, (longitude, latitude)."""
    return {sketch.ref: sketch.home for sketch in sketches(seed)}


def _choose(rng: Random, orders: list[str]) -> _Choices:
    numbers = range(1, WEARERS + 1)
    sentenced = [number for number in numbers if orders[number - 1] in _SENTENCES]
    restricted = frozenset(rng.sample(numbers, RESTRICTED))
    others = [number for number in numbers if number not in restricted]
    curfewed = rng.sample(others, CURFEWED)
    return _Choices(
        excluded=frozenset(rng.sample(others, EXCLUDED)),
        curfewed=frozenset(curfewed),
        always_home=curfewed[0],
        restricted=restricted,
        alcohol=frozenset(rng.sample(sentenced, ALCOHOL_MONITORED)),
    )


def _town_lists(rng: Random, places: list[LonLat]) -> dict[int, str]:
    """Which town centre a wearer must stay out of: twelve each, of those who live near it."""
    towns: dict[int, str] = {}
    for name in TOWN_CENTRES:
        far = {
            number: distance_m(place, town_centre(name))
            for number, place in enumerate(places, start=1)
            if number not in towns
        }
        near = sorted((number for number in far if far[number] >= HOME_CLEARANCE_M), key=far.get)  # type: ignore[arg-type]
        towns |= dict.fromkeys(rng.sample(near[: PER_TOWN_CENTRE * 2], PER_TOWN_CENTRE), name)
    return towns


def _sketch(
    rng: Random,
    number: int,
    *,
    names: UniqueNames,
    order: str,
    place: tuple[str, LonLat],
    choices: _Choices,
    towns: dict[int, str],
) -> Sketch:
    ward, home = place
    restricted = number in choices.restricted
    curfew = "nightly" if number in choices.curfewed else "none"
    return Sketch(
        number=number,
        name=names.next(female=rng.random() < 0.1),
        age_days=round(365.25 * rng.triangular(19, 66, 33)),
        ward=ward,
        locality=locality_of(ward),
        home=home,
        band="high" if rng.random() < 0.45 else "medium",
        order=order,
        exclusion=_exclusion(rng, home) if number in choices.excluded else None,
        restriction=_restriction(rng, home, ward) if restricted else None,
        town=None if restricted else towns.get(number),
        curfew="always" if number == choices.always_home else curfew,
        alcohol=number in choices.alcohol,
    )


def _exclusion(rng: Random, home: LonLat) -> Area:
    """A whole ward, or a ward-sized shape about a random point: never a circle about a home."""
    by_distance = sorted(wards(), key=lambda name: distance_m(home, wards()[name]))
    while True:
        name = rng.choice(by_distance[:_NEAREST_WARDS])
        shape = wards()[name]
        label = f"{name} ward"
        if rng.random() < 0.4:
            shape = irregular_zone(rng, point_inside(rng, shape), rng.uniform(600, 1300))
            label = f"Area about {name}"
        if distance_m(home, shape) >= HOME_CLEARANCE_M:
            return Area(label, name, shape)


def _restriction(rng: Random, home: LonLat, ward: str) -> Area:
    """An area to stay within: its centre is drawn, and the home lies well inside it."""
    while True:
        east, north = BOROUGH.to_m(home)
        centre = BOROUGH.to_degrees((east + rng.uniform(-700, 700), north + rng.uniform(-700, 700)))
        shape: Polygon = irregular_zone(rng, centre, rng.uniform(1900, 2400))
        inside = BOROUGH.shape_m(shape)
        here = Point(BOROUGH.to_m(home))
        if inside.contains(here) and inside.boundary.distance(here) >= HOME_CLEARANCE_M:
            return Area(f"Area about {ward}", ward, shape)
