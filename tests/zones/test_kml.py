"""KML and tables of coordinates, to GeoJSON and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.coordinates import geometry_from_table, table_of
from zones.fault import ZoneFault
from zones.kml import features_from_kml, kml_of

OUTER = [[-2.9, 53.18], [-2.88, 53.18], [-2.88, 53.2], [-2.9, 53.2], [-2.9, 53.18]]
HOLE = [[-2.895, 53.185], [-2.885, 53.185], [-2.89, 53.19], [-2.895, 53.185]]
GEOMETRIES = [
    pytest.param({"type": "Point", "coordinates": [-2.89, 53.19]}, id="an address"),
    pytest.param({"type": "MultiPoint", "coordinates": OUTER[:2]}, id="two addresses"),
    pytest.param({"type": "LineString", "coordinates": OUTER[:3]}, id="a road"),
    pytest.param({"type": "MultiLineString", "coordinates": [OUTER[:2], HOLE[:2]]}, id="two roads"),
    pytest.param({"type": "Polygon", "coordinates": [OUTER, HOLE]}, id="an outline with a hole"),
    pytest.param(
        {"type": "MultiPolygon", "coordinates": [[OUTER, HOLE], [OUTER]]}, id="two outlines"
    ),
]
PROPERTIES = {
    "id": "17", "name": "Rows & <houses>", "kind": "exclusion", "buffer_m": 12.5,
    "schedule": [{"days": ["mon"], "start": "19:00", "end": "07:00"}], "timezone": "Europe/London",
}  # fmt: skip


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_feature_comes_back_from_kml_as_it_was(geometry):
    feature = {"type": "Feature", "properties": PROPERTIES, "geometry": geometry}
    assert features_from_kml(kml_of([feature])) == [feature]


def test_a_character_that_xml_cannot_hold_spoils_its_own_name_and_not_the_file():
    properties = {"id": "17", "name": "The Row\x0b, \uffff\ud800 end", "kind": "exclusion"}
    feature = {"type": "Feature", "properties": properties, "geometry": GEOMETRIES[0].values[0]}
    (read,) = features_from_kml(kml_of([feature]))
    assert read["properties"]["name"] == "The Row\ufffd, \ufffd\ufffd end"


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_shape_comes_back_from_its_table_as_it_was(geometry):
    assert geometry_from_table(*table_of(geometry)) == geometry


degrees = st.floats(-85, 85, allow_nan=False).map(lambda number: round(number, 7))
lines = st.lists(st.tuples(degrees, degrees).map(list), min_size=2, max_size=6)


@given(st.lists(lines, min_size=1, max_size=3))
def test_lines_of_any_numbers_come_back_from_their_table(parts):
    made = {"type": "MultiLineString", "coordinates": parts}
    if len(parts) == 1:
        made = {"type": "LineString", "coordinates": parts[0]}
    assert geometry_from_table(*table_of(made)) == made


def placemark(inside: str, head: str = "") -> bytes:
    text = f"<kml xmlns='http://www.opengis.net/kml/2.2'><Document><Folder>{head}"
    return f"{text}<Placemark>{inside}</Placemark></Folder></Document></kml>".encode()


def polygon(*borders: str) -> str:
    """A Polygon whose boundaries are outer or inner ones, all of the same ring."""
    ring = " ".join(f"{lon},{lat}" for lon, lat in OUTER)
    rings = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    parts = "".join(f"<{each}BoundaryIs>{rings}</{each}BoundaryIs>" for each in borders)
    return f"<Polygon>{parts}</Polygon>"


POINT = "<Point><coordinates>-2.89,53.19,0</coordinates></Point>"


def test_a_placemark_of_a_map_program_has_its_name_for_an_id():
    [feature] = features_from_kml(placemark(f"<name>Home</name>{POINT}"))
    assert feature["properties"] == {"name": "Home", "id": "Home"}
    assert feature["geometry"] == {"type": "Point", "coordinates": [-2.89, 53.19]}


def test_simple_data_of_a_schema_is_read_too():
    data = "<ExtendedData><SchemaData><SimpleData name='kind'>inclusion</SimpleData>"
    data += "<SimpleData name='radius_m'>40</SimpleData></SchemaData></ExtendedData>"
    [feature] = features_from_kml(placemark(f"<name>Home</name>{data}{POINT}"))
    assert feature["properties"]["kind"] == "inclusion"
    assert feature["properties"]["radius_m"] == 40


def test_a_property_of_lists_in_lists_without_end_is_a_text_and_stops_nothing():
    data = f'<Data name="schedule"><value>{"[" * 100_000}</value></Data>'
    named = f"<name>Home</name><ExtendedData>{data}</ExtendedData>"
    [feature] = features_from_kml(placemark(named + POINT))
    assert set(feature["properties"]["schedule"]) == {"["}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"<kml", "not XML", id="cut off"),
        pytest.param(b"<gpx/>", "begins with 'gpx'", id="another format"),
        pytest.param(b"<kml/>", "no Placemark", id="empty"),
        pytest.param(b'<!DOCTYPE k [<!ENTITY a "b">]><kml/>', "document type", id="entities"),
        pytest.param(placemark("<name>x</name>"), "needs one Polygon", id="no shape"),
        pytest.param(placemark(polygon("inner")), "has 0 outer boundaries", id="a hole alone"),
        pytest.param(
            placemark(polygon("outer", "outer")), "has 2 outer boundaries", id="two outlines"
        ),
        pytest.param(placemark(POINT * 2), "needs one Polygon", id="two shapes"),
        pytest.param(
            placemark("<Point><coordinates>north</coordinates></Point>"), "not a position",
            id="words for numbers",
        ),
        pytest.param(
            placemark("<Point><coordinates>1,2 3,4</coordinates></Point>"), "2 positions",
            id="two positions for a point",
        ),
        pytest.param(
            placemark(
                f"<MultiGeometry>{POINT}<LineString><coordinates>1,2 3,4</coordinates></LineString>"
                "</MultiGeometry>"
            ),
            "all polygons, all lines or all points", id="a mixture",
        ),
    ],
)  # fmt: skip
def test_a_faulty_kml_is_refused_with_its_place(content, message):
    with pytest.raises(ZoneFault, match=message):
        features_from_kml(content)


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        pytest.param("Polygon", "", "are empty", id="nothing"),
        pytest.param("Polygon", "53.1, -2.9\nnorth", "line 2", id="words"),
        pytest.param("Polygon", "1.2.3, 4", "line 1", id="two points in a number"),
        pytest.param("Polygon", "hole\n53.1, -2.9", "begin with a hole", id="a hole first"),
        pytest.param("Point", "53.1, -2.9\nhole\n53.2, -2.9", "has no hole", id="a hole"),
        pytest.param("Circle", "53.1, -2.9", "not known", id="an unknown shape"),
    ],
)
def test_a_faulty_table_is_refused_with_its_line(kind, table, message):
    with pytest.raises(ZoneFault, match=message):
        geometry_from_table(kind, table)
