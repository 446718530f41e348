import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.place_files import BadPlaceInput, judge_place, judge_place_files

RING = [[-2.90, 53.18], [-2.88, 53.18], [-2.88, 53.20], [-2.90, 53.20], [-2.90, 53.18]]
HEADER = "device,at,lat,lon,accuracy_m"
NIGHTLY = [
    {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "19:00", "end": "07:00"}
]


def feature(zone_id: object = "Z1", kind: object = "exclusion", **properties: object):
    return {
        "type": "Feature",
        "properties": {"id": zone_id, "kind": kind, **properties},
        "geometry": {"type": "Polygon", "coordinates": [RING]},
    }


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def row(clock: str, lat: float, lon: float, device: str = "TAG-1") -> str:
    return f"{device},2026-01-14T{clock}Z,{lat},{lon},12"


# Out of the zone at 18:50, in by 18:56, there at 19:04, away at 19:10; then nothing for an hour.
EVENING = [
    row("18:50:00", 53.19, -2.92),
    row("18:56:00", 53.19, -2.89),
    row("19:04:00", 53.19, -2.89),
    row("19:10:00", 53.19, -2.86),
    row("20:10:00", 53.19, -2.86),
]


def judge(zones: bytes, track: bytes, **options: object):
    return judge_place(zones, track, rule="geometric", **options)["zones"]


def stay(start: str, end: str, device: str = "TAG-1") -> dict[str, str]:
    return {"device": device, "start": f"2026-01-14T{start}Z", "end": f"2026-01-14T{end}Z"}


def test_an_evening_against_an_exclusion_zone():
    assert judge(collection(feature()), csv_of(*EVENING)) == {
        "Z1": {
            "episodes": [stay("18:54:00", "19:06:00")],
            "violations": [stay("18:54:00", "19:06:00")],
            "minutes": {"compliant": 8.0, "breach": 12.0, "unknown": 60.0},
        }
    }


def test_an_evening_against_a_curfew_address():
    found = judge(collection(feature(kind="inclusion", schedule=NIGHTLY)), csv_of(*EVENING))
    assert found["Z1"] == {
        "episodes": [stay("18:54:00", "19:06:00")],
        "violations": [stay("19:06:00", "19:10:00")],
        "minutes": {"compliant": 16.0, "breach": 4.0, "unknown": 60.0},
    }


def test_only_the_hours_of_an_exclusion_zone_count():
    found = judge(collection(feature(schedule=NIGHTLY)), csv_of(*EVENING))
    assert found["Z1"]["violations"] == [stay("19:00:00", "19:06:00")]


def test_the_zone_decides_the_time_zone_of_its_hours():
    zone = feature(schedule=NIGHTLY, timezone="Europe/Paris")
    found = judge(collection(zone), csv_of(*EVENING))
    assert found["Z1"]["violations"] == [stay("18:54:00", "19:06:00")]


def test_a_larger_gap_may_be_allowed():
    found = judge(collection(feature()), csv_of(*EVENING), max_gap_s=3600)
    assert found["Z1"]["minutes"]["unknown"] == 0.0


def test_devices_are_judged_apart_and_their_minutes_added():
    rows = [
        row("18:56:00", 53.19, -2.89, "TAG-2"),
        row("18:56:00", 53.19, -2.92, "TAG-1"),
        row("18:59:00", 53.19, -2.89, "TAG-2"),
        row("19:00:00", 53.19, -2.92, "TAG-1"),
    ]
    found = judge(collection(feature()), csv_of(*rows))["Z1"]
    assert found["episodes"] == [stay("18:56:00", "18:59:00", "TAG-2")]
    assert found["minutes"] == {"compliant": 4.0, "breach": 3.0, "unknown": 0.0}


def test_zones_keep_the_order_of_the_file_and_a_number_may_be_an_id():
    found = judge(collection(feature("Z9"), feature(4)), csv_of(*EVENING))
    assert list(found) == ["Z9", "4"]


def test_a_buffer_makes_the_zone_larger():
    beside = [row("18:50:00", 53.19, -2.8795), row("18:51:00", 53.19, -2.8795)]
    assert judge(collection(feature()), csv_of(*beside))["Z1"]["episodes"] == []
    wider = collection(feature(buffer_m=50, radius_m=None))
    assert judge(wider, csv_of(*beside))["Z1"]["episodes"] == [stay("18:50:00", "18:51:00")]


def test_a_point_with_a_radius_is_a_zone():
    circle = feature(radius_m=200)
    circle["geometry"] = {"type": "Point", "coordinates": [-2.89, 53.19]}
    found = judge(collection(circle), csv_of(*EVENING))
    assert len(found["Z1"]["episodes"]) == 1


def test_a_fraction_of_a_second_is_written_only_where_there_is_one():
    rows = [row("18:50:00.250", 53.19, -2.89), row("18:51:00", 53.19, -2.89)]
    found = judge(collection(feature()), csv_of(*rows))
    assert found["Z1"]["episodes"] == [stay("18:50:00.250000", "18:51:00")]


def test_an_offset_is_turned_into_utc():
    rows = [
        "TAG-1,2026-01-14T19:50:00+01:00,53.19,-2.89,12",
        "TAG-1,2026-01-14T18:51:00-00:00,53.19,-2.89,12",
    ]
    found = judge(collection(feature()), csv_of(*rows))
    assert found["Z1"]["episodes"] == [stay("18:50:00", "18:51:00")]


def test_spreadsheet_habits_are_accepted():
    text = "\r\n".join(
        [
            "accuracy_m, lon ,lat,at,device,source,remarks",
            '12,-2.89,53.19,2026-01-14T18:50:00Z,TAG-1,gps,"at home, says he"',
            "",
            "12,-2.89,53.19,2026-01-14T18:51:00Z,TAG-1,,",
            ",,,,,,",
        ]
    )
    found = judge(collection(feature()), b"\xef\xbb\xbf" + text.encode())
    assert found["Z1"]["episodes"] == [stay("18:50:00", "18:51:00")]


@given(rows=st.permutations(EVENING), repeats=st.lists(st.sampled_from(EVENING), max_size=5))
def test_order_and_repetition_of_rows_change_nothing(rows, repeats):
    zones = collection(feature(), feature("home", "inclusion", schedule=NIGHTLY))
    assert judge(zones, csv_of(*rows, *repeats)) == judge(zones, csv_of(*EVENING))


def test_of_rows_with_one_time_the_last_in_the_file_counts():
    rows = [*EVENING, row("18:56:00", 53.19, -2.92), row("19:04:00", 53.19, -2.92)]
    found = judge(collection(feature()), csv_of(*rows))
    # Straight from 53.19, -2.92 to 53.19, -2.86 between 19:04 and 19:10.
    assert found["Z1"]["episodes"] == [stay("19:06:00", "19:08:00")]


GOOD = EVENING[0]


@pytest.mark.parametrize(
    ("track", "message"),
    [
        pytest.param(b"", "line 1: no column 'device'", id="an empty file"),
        pytest.param(csv_of(), "has no fixes", id="a header alone"),
        pytest.param(
            csv_of(header="device,at,lat,lon"), "no column 'accuracy_m'", id="a column is missing"
        ),
        pytest.param(
            csv_of(header=f"{HEADER},lat"), "column 'lat' is given twice", id="a column twice"
        ),
        pytest.param(csv_of(GOOD, "TAG-1,12"), "line 3: has 2 fields", id="a short row"),
        pytest.param(
            csv_of(GOOD, row("18:51:00", 91, 0)), "line 3: lat 91 is not between -90", id="lat 91"
        ),
        pytest.param(
            csv_of(row("18:51:00", 53, -181)), "line 2: lon -181 is not between", id="lon -181"
        ),
        pytest.param(csv_of(row("18:51:00", "north", 0)), "lat 'north' is not a", id="a word"),
        pytest.param(csv_of(row("18:51:00", "nan", 0)), "lat 'nan' is not a number", id="nan"),
        pytest.param(csv_of(row("18:51:00", "inf", 0)), "lat 'inf' is not a number", id="inf"),
        pytest.param(csv_of(row("18:51:00", "5_3", 0)), "lat '5_3'", id="an underscore"),
        pytest.param(csv_of(row("18:51:00", "", 0)), "lat '' is not a number", id="empty"),
        pytest.param(
            csv_of("T,2026-01-14T18:51:00Z,53,-2,-1"), "accuracy_m -1", id="negative accuracy"
        ),
        pytest.param(
            csv_of("T,2026-01-14T18:51:00Z,53,-2,"),
            "line 2: accuracy_m '' is not a number; write 0 for not stated",
            id="no accuracy",
        ),
        pytest.param(
            csv_of("T,2026-01-14T18:51:00,53,-2,1"), "has no offset; add Z", id="a naive time"
        ),
        pytest.param(csv_of("T,2026-01-14,53,-2,1"), "has no offset", id="a date alone"),
        pytest.param(csv_of("T,14/01/2026 18:51,53,-2,1"), "not an ISO 8601", id="a British date"),
        pytest.param(csv_of("T,0001-01-01T00:00+14:00,53,-2,1"), "of this age", id="year 1"),
        pytest.param(csv_of(",2026-01-14T18:51:00Z,53,-2,1"), "device is empty", id="no device"),
        pytest.param(
            csv_of("T,2026-01-14T18:51:00Z,53,-2,1,radar", header=f"{HEADER},source"),
            "line 2: source 'radar' is not known; use gps, rf, lbs, wifi",
            id="an unknown source",
        ),
        pytest.param(
            csv_of(GOOD) + b"T\xe4g,2026-01-14T18:51:00Z,53,-2,1\n", "line 3: not UTF-8", id="latin"
        ),
        pytest.param(csv_of('"T,2026-01-14T18:51:00Z'), "not CSV", id="an open quotation mark"),
    ],
)
def test_a_faulty_track_is_refused_with_its_line(track, message):
    with pytest.raises(BadPlaceInput) as raised:
        judge(collection(feature()), track)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def changed(**changes: object) -> bytes:
    return collection(feature() | changes)


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        pytest.param(b"{", "line 1: not JSON", id="not JSON"),
        pytest.param(b'{"a": NaN}', "NaN is not a number", id="NaN in JSON"),
        pytest.param(b"\xff", "not UTF-8", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "not JSON that can be read", id="nested without end"),
        pytest.param(b"[]", "not a GeoJSON FeatureCollection", id="a list"),
        pytest.param(json.dumps(feature()).encode(), "not a GeoJSON Feat", id="a lone feature"),
        pytest.param(collection(), "has no features", id="no features"),
        pytest.param(collection(3), "feature 1: not a GeoJSON Feature", id="a number"),
        pytest.param(changed(properties=None), "has no properties", id="no properties"),
        pytest.param(changed(properties={"kind": "exclusion"}), "feature 1: has no id", id="no id"),
        pytest.param(collection(feature("")), "has no id", id="an empty id"),
        pytest.param(collection(feature(True)), "has no id", id="true for an id"),
        pytest.param(
            changed(properties={"id": "Z1"}),
            "id 'Z1': has no kind; use exclusion, inclusion, restriction",
            id="no kind",
        ),
        pytest.param(
            collection(feature("Z7", "forbidden")),
            "feature 1, id 'Z7': kind: 'forbidden' is not a kind of zone; use exclusion",
            id="an unknown kind",
        ),
        pytest.param(
            collection(feature("1"), feature(1)), "feature 2: id '1' is used twice", id="id twice"
        ),
        pytest.param(changed(geometry=None), "id 'Z1': geometry: is missing", id="no geometry"),
        pytest.param(
            collection(feature(timezone="Chester")), "'Chester' is not a time", id="time zone"
        ),
        pytest.param(collection(feature(buffer_m=-1)), "buffer_m: -1", id="negative buffer"),
        pytest.param(
            collection(feature(schedule=[{"days": ["mon"], "start": "7", "end": "9"}])),
            "id 'Z1': schedule entry 1, start: '7'",
            id="a faulty schedule",
        ),
        pytest.param(
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}},
                    "features": [feature()],
                }
            ).encode(),
            "crs is not EPSG:4326",
            id="national grid",
        ),
    ],
)
def test_faulty_zones_are_refused_with_their_feature(zones, message):
    with pytest.raises(BadPlaceInput) as raised:
        judge(zones, csv_of(*EVENING))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e300])
def test_a_largest_gap_must_be_a_length_of_time(seconds):
    with pytest.raises(BadPlaceInput, match="max-gap"):
        judge(collection(feature()), csv_of(*EVENING), max_gap_s=seconds)


def test_a_gap_longer_than_any_calendar_is_one_that_no_leg_exceeds():
    track = csv_of(*EVENING)
    judged = judge_place(collection(feature()), track, rule="probability", max_gap_s=1e12)
    zone = judged["zones"]["Z1"]
    assert [each["start"][:13] for each in zone["violations"]] == ["2026-01-14T18"]
    assert zone["violations"][0]["evidence"]["coverage"] == 1.0


def test_other_rules_are_refused():
    with pytest.raises(BadPlaceInput, match="'psychic' is not known"):
        judge_place(collection(feature()), csv_of(*EVENING), rule="psychic")


def test_files_are_read_and_named_in_messages(tmp_path: Path):
    zones, track = tmp_path / "areas.geojson", tmp_path / "night.csv"
    zones.write_bytes(collection(feature()))
    track.write_bytes(csv_of(*EVENING))
    found = judge_place_files(zones, track, rule="geometric")
    assert json.loads(json.dumps(found)) == {
        "zones": judge(collection(feature()), csv_of(*EVENING))
    }
    track.write_bytes(csv_of(GOOD, "TAG-1"))
    with pytest.raises(BadPlaceInput, match=r"night\.csv, line 3"):
        judge_place_files(zones, track, rule="geometric")
    with pytest.raises(BadPlaceInput, match="cannot be read"):
        judge_place_files(tmp_path / "none.geojson", track, rule="geometric")


# --- The rule of probability --------------------------------------------------------------------


def probably(zones: bytes, track: bytes, **options: object):
    return judge_place(zones, track, rule="probability", **options)["zones"]


def outline(stretches):
    return [(each["device"], each["start"][11:19], each["end"][11:19]) for each in stretches]


def test_an_evening_by_probability():
    """The crossings are those of the straight path, to within seconds."""
    found = probably(collection(feature()), csv_of(*EVENING))["Z1"]
    assert outline(found["violations"]) == [("TAG-1", "18:54:01", "19:05:59")]
    assert outline(found["episodes"]) == outline(found["violations"])
    minutes = {"compliant": 8.0, "breach": 12.0, "unknown": 60.0}
    assert found["minutes"] == pytest.approx(minutes, abs=0.2)
    (violation,) = found["violations"]
    assert violation["probability"] > 0.99
    evidence = violation["evidence"]
    assert evidence["rule"] == "place.probability 5"
    assert evidence["threshold"] == 0.2857
    assert [each["at"][11:19] for each in evidence["fixes"]] == ["18:56:00", "19:04:00", "19:10:00"]


def test_the_hours_of_a_curfew_by_probability():
    zone = feature(kind="inclusion", schedule=NIGHTLY)
    found = probably(collection(zone), csv_of(*EVENING))["Z1"]
    assert outline(found["episodes"]) == [("TAG-1", "18:54:01", "19:05:59")]
    # After the gap he is seen away once more: told of, and no minute is known.
    assert outline(found["violations"]) == [
        ("TAG-1", "19:05:53", "19:10:00"),
        ("TAG-1", "20:10:00", "20:10:00"),
    ]
    minutes = {"compliant": 16.0, "breach": 4.0, "unknown": 60.0}
    assert found["minutes"] == pytest.approx(minutes, abs=0.2)


@pytest.mark.parametrize(
    ("kind", "lon"), [("exclusion", -2.89), ("inclusion", -2.86), ("restriction", -2.86)]
)
def test_a_tag_that_reports_too_seldom_is_seen_in_breach_at_each_fix(kind, lon):
    rows = [row(f"18:{minute:02d}:00", 53.19, lon) for minute in (0, 11, 22, 33)]
    found = probably(collection(feature(kind=kind)), csv_of(*rows))["Z1"]
    assert outline(found["violations"]) == [
        ("TAG-1", f"18:{minute:02d}:00", f"18:{minute:02d}:00") for minute in (0, 11, 22, 33)
    ]
    assert all(each["probability"] > 0.99 for each in found["violations"])
    assert found["minutes"] == {"compliant": 0.0, "breach": 0.0, "unknown": 33.0}


def test_the_evidence_tells_the_probability_over_time_and_the_coverage():
    zones = collection(feature())
    document = judge_place(zones, csv_of(*EVENING), rule="probability")
    (stay, *_) = document["zones"]["Z1"]["violations"]
    evidence = stay["evidence"]
    over_time = [each["probability"] for each in evidence["probability_over_time"]]
    times = [each["at"] for each in evidence["probability_over_time"]]
    assert max(over_time) > evidence["threshold"]
    # The fix before and the fix after say from where and to where.
    assert times[0] <= stay["start"] <= stay["end"] <= times[-1]
    assert times == sorted(set(times))
    assert 0 < evidence["coverage"] <= 1
    assert evidence["clause"] is None, "a file of zones has no order behind it"


def test_rows_in_any_order_and_repeated_give_the_same_document():
    zones = collection(feature(), feature("Z2", "inclusion", schedule=NIGHTLY))
    straight = judge_place(zones, csv_of(*EVENING), rule="probability")
    mixed = [*EVENING[::-1], EVENING[2], EVENING[0]]
    assert judge_place(zones, csv_of(*mixed), rule="probability") == straight


def test_a_fix_that_cannot_tell_is_neither_breach_nor_compliance():
    vague = [f"TAG-1,2026-01-14T18:{n:02}:00Z,53.19,-2.90,900,gps" for n in range(5)]
    found = probably(
        collection(feature(kind="inclusion")), csv_of(*vague, header=f"{HEADER},source")
    )
    assert found["Z1"]["violations"] == []
    assert found["Z1"]["minutes"] == {"compliant": 0.0, "breach": 0.0, "unknown": 4.0}


def test_the_source_of_a_fix_counts():
    def believed(source: str) -> float:
        rows = [f"TAG-1,2026-01-14T18:0{n}:00Z,53.19,-2.899,20,{source}" for n in range(2)]
        found = probably(collection(feature()), csv_of(*rows, header=f"{HEADER},source"))
        return sum(each["probability"] for each in found["Z1"]["violations"])

    assert believed("lbs") < believed("wifi") < believed("gps")


def test_each_device_is_judged_by_itself():
    other = [row(clock, 53.19, -2.89, "TAG-2") for clock in ("18:50:00", "18:51:00")]
    rows = [*other, *EVENING]
    found = probably(collection(feature()), csv_of(*rows))["Z1"]
    assert [each[0] for each in outline(found["violations"])] == ["TAG-2", "TAG-1"]
