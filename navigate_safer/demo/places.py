"""Real wards of Cheshire West and Chester, the localities they form, and shapes to draw on them.

Contains Ordnance Survey and Office for National Statistics data © Crown copyright and database
right 2016, Open Government Licence v3.0; see ``data/SOURCES.md``. Coordinates are (longitude,
latitude) in EPSG:4326.
"""

import math
from functools import cache
from importlib.resources import files
from random import Random

import msgspec
import shapely
from shapely.geometry import Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from devices.simulated_day import LocalFrame

WARDS_FILE = "wards-cheshire-west-and-chester.geojson"

# One flat frame for the whole borough: over 50 km its error is under 1 %, and the demonstration
# only asks whether things are hundreds of metres apart.
BOROUGH = LocalFrame((-2.75, 53.2))


class Locality(msgspec.Struct, frozen=True):
    """A group of wards with a team and a gateway.

    ``wards`` maps the ward's name to its share of the cohort: invented weights, larger in towns.
    """

    ref: str
    name: str
    gateway: str
    wards: dict[str, int]


LOCALITIES = (
    Locality(
        "chester",
        "Chester",
        "gw-chester",
        {
            "Blacon": 9,
            "Boughton": 4,
            "Chester City": 5,
            "Garden Quarter": 4,
            "Great Boughton": 4,
            "Handbridge Park": 3,
            "Hoole": 4,
            "Lache": 6,
            "Newton": 4,
            "Upton": 4,
        },
    ),
    Locality(
        "ellesmere-port",
        "Ellesmere Port",
        "gw-ellesmere-port",
        {
            "Ellesmere Port Town": 7,
            "Grange": 5,
            "Ledsham and Manor": 3,
            "Little Neston and Burton": 2,
            "Neston": 3,
            "Netherpool": 4,
            "Parkgate": 1,
            "Rossmore": 5,
            "St Paul's": 4,
            "Strawberry": 3,
            "Sutton": 4,
            "Whitby": 4,
            "Willaston and Thornton": 1,
        },
    ),
    Locality(
        "northwich-winsford",
        "Northwich and Winsford",
        "gw-northwich-winsford",
        {
            "Davenham and Moulton": 4,
            "Hartford and Greenbank": 3,
            "Winnington and Castle": 6,
            "Winsford Over and Verdin": 7,
            "Winsford Swanlow and Dene": 5,
            "Winsford Wharton": 6,
            "Witton and Rudheath": 7,
        },
    ),
    Locality(
        "rural-west",
        "Rural west",
        "gw-rural-west",
        {
            "Chester Villages": 2,
            "Dodleston and Huntington": 2,
            "Elton": 2,
            "Farndon": 1,
            "Frodsham": 3,
            "Gowy": 2,
            "Helsby": 2,
            "Malpas": 1,
            "Saughall and Mollington": 2,
            "Tattenhall": 1,
        },
    ),
    Locality(
        "rural-east",
        "Rural east",
        "gw-rural-east",
        {
            "Kingsley": 2,
            "Marbury": 3,
            "Shakerley": 2,
            "Tarporley": 2,
            "Tarvin and Kelsall": 2,
            "Weaver and Cuddington": 3,
        },
    ),
)

# Hand-drawn outlines of three town centres (longitude, latitude), some 400 m across.
TOWN_CENTRES: dict[str, tuple[tuple[float, float], ...]] = {
    "Chester city centre": (
        (-2.8972, 53.1893),
        (-2.8958, 53.1938),
        (-2.8897, 53.1946),
        (-2.8858, 53.1921),
        (-2.8861, 53.1884),
        (-2.8918, 53.1866),
    ),
    "Ellesmere Port town centre": (
        (-2.9063, 53.2789),
        (-2.9038, 53.2821),
        (-2.8982, 53.2817),
        (-2.8967, 53.2784),
        (-2.9013, 53.2763),
    ),
    "Northwich town centre": (
        (-2.5173, 53.2602),
        (-2.5148, 53.2634),
        (-2.5094, 53.2627),
        (-2.5086, 53.2591),
        (-2.5137, 53.2577),
    ),
}


@cache
def wards() -> dict[str, BaseGeometry]:
    """The 46 wards by name, as shapes in EPSG:4326."""
    text = files("navigate_safer.demo").joinpath("data", WARDS_FILE).read_bytes()
    collection = msgspec.json.decode(text)
    # Rounding has made one outline touch itself; make_valid changes it by less than a metre.
    return {
        each["properties"]["name"]: shapely.make_valid(shape(each["geometry"]))
        for each in collection["features"]
    }


def town_centre(name: str) -> Polygon:
    """The hand-drawn outline of a town centre, EPSG:4326."""
    return Polygon(TOWN_CENTRES[name])


def locality_of(ward: str) -> Locality:
    """The locality that a ward belongs to."""
    for locality in LOCALITIES:
        if ward in locality.wards:
            return locality
    raise KeyError(f"no locality has the ward {ward!r}; add it to LOCALITIES")


def spread_over_wards(rng: Random, count: int) -> list[str]:
    """``count`` wards in random order: each once, the rest drawn by their shares of the cohort."""
    shares = {name: share for locality in LOCALITIES for name, share in locality.wards.items()}
    drawn = [*shares, *rng.choices(list(shares), list(shares.values()), k=count - len(shares))]
    rng.shuffle(drawn)
    return drawn


def point_inside(rng: Random, area: BaseGeometry) -> tuple[float, float]:
    """A uniform random point of the shape, (longitude, latitude), to about a metre."""
    west, south, east, north = area.bounds
    while True:
        lon, lat = round(rng.uniform(west, east), 5), round(rng.uniform(south, north), 5)
        if shapely.contains_xy(area, lon, lat):
            return lon, lat


def distance_m(place: tuple[float, float], area: BaseGeometry) -> float:
    """Metres from a point to the nearest part of a shape; 0 inside."""
    return float(BOROUGH.shape_m(area).distance(Point(BOROUGH.to_m(place))))


def irregular_zone(rng: Random, centre: tuple[float, float], radius_m: float) -> Polygon:
    """A star-shaped polygon about ``centre`` whose corners lie at 60 to 130 % of the radius.

    Its middle is no particular place: the centre is drawn first and the corners are uneven, so
    nobody can read an address from the shape.
    """
    corners = rng.randint(9, 13)
    east, north = BOROUGH.to_m(centre)
    ring = []
    for corner in range(corners):
        angle = 2 * math.pi * (corner + rng.uniform(-0.25, 0.25)) / corners
        reach = radius_m * rng.uniform(0.6, 1.3)
        lon, lat = BOROUGH.to_degrees(
            (east + reach * math.cos(angle), north + reach * math.sin(angle))
        )
        ring.append((round(lon, 5), round(lat, 5)))
    return Polygon(ring)


def geojson(area: BaseGeometry) -> dict[str, object]:
    """The shape as a GeoJSON geometry of plain lists."""
    return msgspec.json.decode(shapely.to_geojson(area), type=dict[str, object])
