"""Every kind of zone, and every bad one, through `judge place` and through the import."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from navigate_safer.cli import main
from navigate_safer.place_files import RULES, judge_place
from navigate_safer.services.zones import By, CannotSave, save
from navigate_safer.zone_files import BadPlaceInput, zones_in_file
from zones.kml import kml_of

START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHESTER = (-2.89, 53.19)
FAR = (-2.80, 53.25)
SQUARE = [[-2.9, 53.18], [-2.88, 53.18], [-2.88, 53.2], [-2.9, 53.2], [-2.9, 53.18]]
HOLE = [[-2.895, 53.186], [-2.885, 53.186], [-2.885, 53.194], [-2.895, 53.194], [-2.895, 53.186]]
IN_HOLE = [[-2.892, 53.188], [-2.888, 53.188], [-2.888, 53.192], [-2.892, 53.192], [-2.892, 53.188]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}


def feature(geometry=POLYGON, **properties):
    own = {"id": "Z", "kind": "exclusion", **properties}
    return {"type": "Feature", "properties": own, "geometry": geometry}


def file_of(*features) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def track(*places, accuracy_m=8, every=MINUTE, start=START) -> bytes:
    rows = [
        f"T,{(start + n * every).isoformat()},{lat},{lon},{accuracy_m}"
        for n, (lon, lat) in enumerate(places)
    ]
    return "\n".join(["device,at,lat,lon,accuracy_m", *rows]).encode()


STAY = track(*[FAR] * 3, *[CHESTER] * 6, *[FAR] * 4)


def judged(one, csv=STAY, rule="probability"):
    return judge_place(file_of(one), csv, rule=rule)["zones"]["Z"]


def minutes(found) -> float:
    return sum(
        (datetime.fromisoformat(each["end"]) - datetime.fromisoformat(each["start"])) / MINUTE
        for each in found
    )


BOTH_RULES = pytest.mark.parametrize("rule", RULES)


# --- kinds of shapes ------------------------------------------------------------------------------


@BOTH_RULES
@pytest.mark.parametrize(
    ("geometry", "metres"),
    [
        pytest.param(POLYGON, {}, id="an outline"),
        pytest.param({"type": "Point", "coordinates": CHESTER}, {"radius_m": 200}, id="a circle"),
        pytest.param(
            {"type": "MultiPoint", "coordinates": [[-2.7, 53.1], CHESTER]}, {"radius_m": 200},
            id="two premises",
        ),
        pytest.param(
            {"type": "LineString", "coordinates": [[-2.9, 53.19], [-2.88, 53.19]]},
            {"buffer_m": 150}, id="a road",
        ),
        pytest.param(
            {"type": "MultiLineString",
             "coordinates": [[[-2.9, 53.19], [-2.88, 53.19]], [[-2.7, 53.1], [-2.7, 53.2]]]},
            {"buffer_m": 150}, id="two roads",
        ),
        pytest.param(
            {"type": "MultiPolygon", "coordinates": [[SQUARE, [[-2.899, 53.181], [-2.898, 53.181],
             [-2.898, 53.182], [-2.899, 53.181]]], [[[-2.7, 53.1], [-2.6, 53.1], [-2.6, 53.2],
             [-2.7, 53.1]]]]}, {}, id="two outlines with a hole",
        ),
    ],
)  # fmt: skip
def test_a_stay_in_each_kind_of_shape_is_found(geometry, metres, rule):
    found = judged(feature(geometry, **metres), rule=rule)
    assert minutes(found["violations"]) == pytest.approx(6, abs=1)


@BOTH_RULES
def test_who_is_in_the_hole_of_a_zone_is_outside(rule):
    found = judged(feature({"type": "Polygon", "coordinates": [SQUARE, HOLE]}),
                   track(*[CHESTER] * 8), rule)  # fmt: skip
    assert found["violations"] == []


@BOTH_RULES
def test_an_event_zone_counts_on_its_dates_alone(rule):
    assert judged(feature(**{"from": "2026-11-21"}), rule=rule)["violations"] == []
    day = {"from": "2026-11-20", "until": "2026-11-20"}
    assert len(judged(feature(**day), rule=rule)["violations"]) == 1


@BOTH_RULES
def test_bank_holidays_have_hours_of_their_own(rule):
    weekdays = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "00:00", "end": "00:00"}
    schedule = [weekdays, {"days": ["hol"], "hours": "none"}]
    friday = judged(feature(schedule=schedule), rule=rule)
    christmas = track(*[CHESTER] * 6, start=START + timedelta(days=35))
    assert len(friday["violations"]) == 1
    assert judged(feature(schedule=schedule), christmas, rule)["violations"] == []


@BOTH_RULES
def test_the_first_night_replaces_that_day_s_hours(rule):
    schedule = [{"days": ["fri"], "start": "17:00", "end": "20:00"}]
    night = {"date": "2026-11-20", "start": "19:00", "end": "07:00"}
    assert len(judged(feature(schedule=schedule), rule=rule)["violations"]) == 1
    assert judged(feature(schedule=schedule, first_night=night), rule=rule)["violations"] == []


@BOTH_RULES
def test_two_addresses_by_day_are_two_zones_with_their_own_days(rule):
    def at(place, zone_id, days):
        hours = [{"days": days, "start": "17:00", "end": "23:00"}]
        point = {"type": "Point", "coordinates": place}
        return feature(point, id=zone_id, kind="inclusion", radius_m=80, schedule=hours)

    zones = file_of(at(CHESTER, "A", ["fri"]), at(FAR, "B", ["sat"]))
    friday = judge_place(zones, track(*[CHESTER] * 9), rule=rule)["zones"]
    saturday = track(*[CHESTER] * 9, start=START + timedelta(days=1))
    assert [friday[ref]["violations"] for ref in "AB"] == [[], []]
    found = judge_place(zones, saturday, rule=rule)["zones"]
    assert found["A"]["violations"] == []
    assert len(found["B"]["violations"]) == 1


@BOTH_RULES
def test_a_tolerance_lets_the_wearer_into_the_garden(rule):
    home = {"type": "Point", "coordinates": CHESTER}
    garden = (CHESTER[0] + 0.0012, CHESTER[1])  # 80 m
    csv = track(*[CHESTER] * 4, *[garden] * 15, accuracy_m=5)
    strict = feature(home, kind="inclusion", radius_m=25)
    kind = feature(home, kind="inclusion", radius_m=25, tolerance_m=100)
    assert len(judged(strict, csv, rule)["violations"]) == 1
    assert judged(kind, csv, rule)["violations"] == []


# --- rings, exceptions, corridors -----------------------------------------------------------------


@BOTH_RULES
def test_a_ring_warns_and_breaks_nothing(rule):
    near = (-2.876, 53.19)  # 270 m from the edge
    csv = track(*[FAR] * 3, *[near] * 8)
    one = feature(rings=[{"m": 500, "severity": "medium"}, {"m": 100, "severity": "high"}])
    found = judged(one, csv, rule)
    assert found["violations"] == []
    assert [(each["ring_m"], each["severity"]) for each in found["warnings"]] == [(500, "medium")]
    assert "warnings" not in judged(feature(), csv, rule)


@BOTH_RULES
def test_an_excused_stay_is_told_apart_and_what_follows_it_is_a_violation(rule):
    until = (START + 6 * MINUTE).isoformat()
    one = feature(exceptions=[{"from": "2026-11-01", "until": until, "reason": "a court date"}])
    found = judged(one, rule=rule)
    [excused], [violation] = found["excused"], found["violations"]
    assert datetime.fromisoformat(excused["end"]) == START + 6 * MINUTE
    assert datetime.fromisoformat(violation["start"]) == START + 6 * MINUTE
    assert sum(found["minutes"].values()) == pytest.approx(12)
    assert found["minutes"]["breach"] == pytest.approx(minutes(found["violations"]), abs=1e-6)


@BOTH_RULES
def test_a_corridor_excuses_the_way_and_nothing_beside_it(rule):
    way = {"type": "LineString", "coordinates": [[-2.93, 53.19], [-2.85, 53.19]]}
    allowed = {
        "from": "2026-11-20", "until": "2026-11-20", "corridor": way, "corridor_m": 120,
    }  # fmt: skip
    along = [(-2.91 + 0.004 * n, 53.19) for n in range(11)]
    through = judged(feature(exceptions=[allowed]), track(*along), rule)
    assert through["violations"] == []
    assert minutes(through["excused"]) == pytest.approx(5, abs=2)
    beside = judged(feature(exceptions=[allowed]), track(*[(-2.89, 53.197)] * 6), rule)
    assert minutes(beside["violations"]) == pytest.approx(5, abs=1)
    assert beside["excused"] == []


# --- bad input ------------------------------------------------------------------------------------

RING_ROUND_POLE = [[-120, 80], [0, 80], [120, 80], [-120, 80]]
BOW = [[-2.9, 53.18], [-2.88, 53.2], [-2.88, 53.18], [-2.9, 53.2], [-2.9, 53.18]]
BAD = [
    pytest.param(
        feature({"type": "Polygon",
                 "coordinates": [[[179, 53], [-179, 53], [-179, 54], [179, 54], [179, 53]]]}),
        "crosses the antimeridian", id="across the antimeridian",
    ),
    pytest.param(
        feature({"type": "LineString", "coordinates": [[179, 53], [-179, 53]]}, buffer_m=50),
        "crosses the antimeridian", id="a road across the antimeridian",
    ),
    pytest.param(
        feature({"type": "Polygon", "coordinates": [RING_ROUND_POLE]}), "goes round a pole",
        id="round the pole",
    ),
    pytest.param(
        feature({"type": "Polygon", "coordinates": [[[0, 80], [9, 80], [9, 89], [0, 80]]]}),
        "nearer to a pole", id="near the pole",
    ),
    pytest.param(
        feature({"type": "Polygon", "coordinates": [BOW]}), "crosses itself", id="self-crossing",
    ),
    pytest.param(
        feature({"type": "Polygon", "coordinates": [SQUARE, HOLE, IN_HOLE]}),
        "has a hole inside another hole", id="nested holes",
    ),
    pytest.param(
        feature({"type": "Polygon", "coordinates": [[[-2.9, 53.18]] * 4]}), "has no area",
        id="one point four times",
    ),
    pytest.param(feature(kind="danger"), "is not a kind of zone", id="an unknown kind"),
    pytest.param(feature(schedule=[{"days": ["hol"], "hours": "none"}]), "has no hours on any day",
                 id="no hours at all"),
    pytest.param(
        feature(schedule=[{"days": ["mon", "hol"], "start": "09:00", "end": "17:00"},
                          {"days": ["hol"], "hours": "none"}]),
        "says that a day has no hours", id="hours and none of them",
    ),
    pytest.param(feature(schedule=[{"days": ["mon"], "hours": "few"}]), 'may only be "none"',
                 id="few hours"),
    pytest.param(feature(rings=[{"m": 10}]), "ring entry 1, severity", id="a ring of no urgency"),
    pytest.param(feature(priority=-1), "priority", id="a priority below 0"),
    pytest.param(feature(priority="high"), "priority", id="a priority in words"),
    pytest.param(feature(tolerance_m=20), "place to stay in", id="a tolerance to keep out"),
    pytest.param(feature(radius_m=20), "is for a Point", id="the radius of an outline"),
    pytest.param(feature(buffer_m=1e9), "not between 0 and", id="a buffer round the world"),
    pytest.param(feature(**{"from": "2026-11-20T10:00"}), "has no offset", id="a naive time"),
    pytest.param(feature(**{"from": 2026}), "is not a date", id="a number for a date"),
    pytest.param(feature(**{"from": "2026-11-20", "until": "2026-11-19"}), "not after from",
                 id="until before from"),
    pytest.param(feature(exceptions=[{"from": "2026-11-20"}]), "without an end",
                 id="an exception without an end"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "message"), BAD)
def test_a_bad_zone_is_refused_by_judge_place_in_one_line(one, message, tmp_path):
    zones, csv = tmp_path / "z.geojson", tmp_path / "t.csv"
    zones.write_bytes(file_of(one))
    csv.write_bytes(STAY)
    result = CliRunner().invoke(
        main, ["judge", "place", "--zones", str(zones), "--track", str(csv)]
    )
    assert result.exit_code == 2
    assert message in result.stderr
    assert "feature 1, id 'Z'" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("one", "message"), BAD)
def test_a_bad_zone_is_refused_by_the_import_in_one_line(one, message, tmp_path):
    path = tmp_path / "z.geojson"
    path.write_bytes(file_of(feature(id="good"), one))
    arguments = ["zones", "import", str(path), "--reason", "a test", "--dry-run"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "nothing was stored" in result.stderr


@pytest.mark.parametrize("rule", RULES)
def test_equal_start_and_end_are_twenty_four_hours(rule):
    hours = [{"days": ["fri"], "start": "17:00", "end": "17:00"}]
    assert len(judged(feature(schedule=hours), rule=rule)["violations"]) == 1


@BOTH_RULES
@pytest.mark.parametrize(
    ("accuracy_m", "violations"),
    [
        pytest.param("0", 1, id="zero: not stated, taken as the usual of its source"),
        pytest.param("100000", 0, id="absurd: says nothing of where the wearer is"),
    ],
)
def test_an_odd_accuracy_has_a_meaning(rule, accuracy_m, violations):
    found = judged(feature(), track(*[CHESTER] * 6, accuracy_m=accuracy_m), rule)
    if rule == "geometric":
        violations = 1  # the baseline does not look at accuracy
    assert len(found["violations"]) == violations


@pytest.mark.parametrize("kind", ["inclusion", "restriction"])
@pytest.mark.parametrize("where", [CHESTER, FAR], ids=["in the zone", "far away"])
def test_an_absurd_accuracy_says_nothing_of_a_zone_to_stay_in(kind, where):
    """Neither of a large zone nor of an address: one absurd fix, many, or one after a silence."""
    address = {"type": "Point", "coordinates": CHESTER}
    for one in (feature(kind=kind), feature(address, kind=kind, radius_m=100)):
        for count in (1, 6):
            found = judged(one, track(*[where] * count, accuracy_m=100_000))
            assert found["violations"] == []
            assert found["minutes"] == {"compliant": 0, "breach": 0, "unknown": count - 1}
        _, *late = track(where, accuracy_m=100_000, start=START + 60 * MINUTE).decode().split("\n")
        at_home = track(*[CHESTER] * 6).decode()
        found = judged(one, "\n".join([at_home, *late]).encode())
        assert found["violations"] == []
        assert found["minutes"] == {"compliant": 5, "breach": 0, "unknown": 55}


def test_a_missing_accuracy_is_an_error():
    with pytest.raises(BadPlaceInput, match="accuracy_m '' is not a number"):
        judged(feature(), track(CHESTER, accuracy_m=""))


@BOTH_RULES
def test_reversed_and_repeated_rows_give_the_same_answer(rule):
    head, *rows = STAY.decode().splitlines()
    backwards = "\n".join([head, *reversed(rows), *rows]).encode()
    assert judged(feature(), backwards, rule) == judged(feature(), STAY, rule)


def test_times_that_are_the_same_are_one_reading_the_last_counts():
    csv = track(FAR, CHESTER, every=timedelta())
    assert judged(feature(), csv, "geometric")["minutes"]["breach"] == 0
    assert judged(feature(), csv, "probability")["minutes"]["breach"] == 0


@BOTH_RULES
def test_a_sliver_is_judged_as_it_is_drawn(rule):
    sliver = [[-2.9, 53.2], [-2.88, 53.2], [-2.88, 53.200001], [-2.9, 53.200001], [-2.9, 53.2]]
    found = judged(feature({"type": "Polygon", "coordinates": [sliver]}), rule=rule)
    # No fix could tell that somebody is within a tenth of a metre; the path alone crosses it.
    assert minutes(found["violations"]) < 0.1


def test_a_sliver_is_not_taken_into_the_service(watch):
    sliver = [[-2.9, 53.2], [-2.88, 53.2], [-2.88, 53.200001], [-2.9, 53.200001], [-2.9, 53.2]]
    drawn = zones_in_file(file_of(feature({"type": "Polygon", "coordinates": [sliver]})))
    with pytest.raises(CannotSave, match="nowhere wider"):
        save(watch.sessions, drawn, By("a test"), watch.clock())


def coast(vertices: int) -> list[list[float]]:
    ring = [
        [-2.89 + 0.016 * math.cos(2 * math.pi * n / vertices) * (1 + 0.001 * (n % 2)),
         53.19 + 0.01 * math.sin(2 * math.pi * n / vertices)]
        for n in range(vertices)
    ]  # fmt: skip
    return [*ring, ring[0]]


def test_a_zone_of_a_hundred_thousand_vertices_says_by_what_outline_it_is_judged():
    heavy = feature({"type": "Polygon", "coordinates": [coast(100_000)]})
    [violation] = judged(heavy)["violations"]
    assert 0 < violation["evidence"]["simplified_m"] <= 2
    assert "simplified_m" not in judged(feature())["violations"][0]["evidence"]


@BOTH_RULES
def test_kml_is_judged_as_the_same_zones_in_geojson(rule):
    one = feature(rings=[{"m": 100, "severity": "low"}], name="Chester")
    geojson = judge_place(file_of(one), STAY, rule=rule)
    assert judge_place(kml_of([one]), STAY, rule=rule) == geojson


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def installed(watch, monkeypatch):
    """The commands on the database of a watch."""
    monkeypatch.setenv("NAVIGATE_SAFER_DATABASE_URL", watch.database.url)
    return watch


def run(*arguments: str):
    return CliRunner().invoke(main, ["zones", *arguments])


def test_zones_are_imported_and_exported_by_command(installed, tmp_path):
    path = tmp_path / "more.geojson"
    path.write_bytes(file_of(feature(id="Z-MORE", name="More")))
    arguments = ["import", str(path), "--reason", "a letter of the court", "--area", "west"]
    assert run(*arguments).stdout == "Zones: 1 added, 0 changed, 0 unchanged.\n"
    assert run(*arguments).stdout == "Zones: 0 added, 0 changed, 1 unchanged.\n"
    for form in ("geojson", "kml"):
        again = tmp_path / f"all.{form}"
        again.write_text(run("export", "--format", form).stdout, encoding="utf-8")
        result = run("import", str(again), "--reason", "the same again")
        assert result.stdout == "Zones: 0 added, 0 changed, 3 unchanged.\n", result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nowhere.kml", "--reason", "x"], "cannot be read", id="no such file"),
        pytest.param(["good", "--reason", " "], "say why", id="no reason"),
        pytest.param(["good", "--reason", "x", "--area", "north"], "no area north", id="no area"),
    ],
)
def test_an_import_that_cannot_be_is_one_line(installed, tmp_path, arguments, message):
    path = tmp_path / "good"
    path.write_bytes(file_of(feature()))
    name, *options = arguments
    result = run("import", str(tmp_path / name), *options)
    assert result.exit_code == 2
    assert message in result.stderr
