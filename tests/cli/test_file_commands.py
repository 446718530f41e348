"""Commands on files: one document for good input, one line and exit code 2 for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from case_files import INSIDE, OUTSIDE, START, box, fix
from cli.commands import check_refused, run

TRACK = "device,at,lat,lon,accuracy_m\n" + "".join(
    f"TAG-1,2026-11-20T21:0{minute}:00Z,{place.lat},{place.lon},8\n"
    for minute, place in enumerate((OUTSIDE, INSIDE, INSIDE, OUTSIDE))
)


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    feature = {
        "type": "Feature",
        "properties": {"id": "cross", "kind": "exclusion"},
        "geometry": box(INSIDE),
    }
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.fixture
def track(tmp_path: Path) -> Path:
    path = tmp_path / "track.csv"
    path.write_text(TRACK)
    return path


# judge place


def test_a_track_is_judged_against_zones(zones: Path, track: Path) -> None:
    result = run("judge", "place", "--zones", zones, "--track", track, "--rule", "geometric")
    assert result.exit_code == 0, result.output
    judged = json.loads(result.stdout)["zones"]["cross"]
    (violation,) = judged["violations"]
    assert violation["device"] == "TAG-1"
    assert "2026-11-20T21:00:00Z" < violation["start"] < "2026-11-20T21:01:00Z"
    assert "2026-11-20T21:02:00Z" < violation["end"] < "2026-11-20T21:03:00Z"
    minutes = judged["minutes"]
    assert sum(minutes.values()) == pytest.approx(3)
    assert minutes["unknown"] == 0


def test_what_lies_between_two_fixes_too_far_apart_is_unknown(zones: Path, track: Path) -> None:
    result = run("judge", "place", "--zones", zones, "--track", track, "--max-gap", "59")
    minutes = json.loads(result.stdout)["zones"]["cross"]["minutes"]
    assert minutes == {"compliant": 0.0, "breach": 0.0, "unknown": 3.0}


PLACE = ["judge", "place", "--zones", "ZONES", "--track", "TRACK"]
BAD_PLACE = [
    pytest.param(["--zones", "nowhere.geojson"], ["nowhere.geojson", "cannot be read"],
                 id="zones file that is not there"),
    pytest.param(["--track", "FOLDER"], ["cannot be read", "directory"], id="folder for a track"),
    pytest.param(["--track", "LATIN1"], ["line 2", "not UTF-8"], id="track that is not UTF-8"),
    pytest.param(["--track", "BINARY"], ["binary.csv"], id="track that is no text at all"),
    pytest.param(["--track", "EMPTY"], ["empty.csv, line 1", "no column 'device'"],
                 id="empty track"),
    pytest.param(["--track", "ZONES"], ["no column 'device'"], id="zones given as a track"),
    pytest.param(["--zones", "TRACK"], ["track.csv, line 1", "not JSON"],
                 id="track given as zones"),
    pytest.param(["--max-gap", "nan"], ["max-gap nan", "above 0"], id="gap that is no number"),
    pytest.param(["--max-gap", "inf"], ["max-gap inf", "above 0"], id="gap without an end"),
    pytest.param(["--max-gap", "0"], ["max-gap 0", "above 0"], id="gap of nothing"),
    pytest.param(["--rule", "astrology"], ["'astrology' is not known", "geometric"],
                 id="rule that is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "words"), BAD_PLACE)
def test_bad_input_of_judge_place_is_one_line(
    tmp_path: Path, zones: Path, track: Path, changed: list[str], words: list[str]
) -> None:
    (tmp_path / "latin1.csv").write_bytes(TRACK.replace("TAG-1", "TÄG-1").encode("latin-1"))
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "empty.csv").touch()
    paths = {
        "ZONES": zones,
        "TRACK": track,
        "FOLDER": tmp_path,
        "LATIN1": tmp_path / "latin1.csv",
        "BINARY": tmp_path / "binary.csv",
        "EMPTY": tmp_path / "empty.csv",
    }
    # The last of an option given twice is the one that counts.
    check_refused(run(*[paths.get(each, each) for each in PLACE + changed]), *words)


def test_a_fault_of_a_zone_is_told_with_its_place(zones: Path, track: Path) -> None:
    document = json.loads(zones.read_text())
    ring = document["features"][0]["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    zones.write_text(json.dumps(document))
    line = check_refused(run("judge", "place", "--zones", zones, "--track", track), "feature 1")
    assert "crosses itself" in line


# schema telemetry


def test_the_schema_is_one_and_a_good_message_fits_it() -> None:
    result = run("schema", "telemetry")
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    check = validator(schema)
    message = {"v": 1, "device": "TAG-00017", "readings": [fix(START, INSIDE)]}
    assert list(check.iter_errors(message)) == []
    too_far_north = {**message, "readings": [{**fix(START, INSIDE), "lat": 91}]}
    assert list(check.iter_errors(too_far_north)) != []
    assert list(check.iter_errors({**message, "readings": []})) != []


def test_as_a_program_it_prints_no_traceback_either(tmp_path: Path) -> None:
    """Once for real, since the runner above would hide what happens at the exit."""
    done = subprocess.run(
        [sys.executable, "-m", "navigate_safer", *PLACE[:2], "--zones", "a", "--track", "b"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "navigate-safer: a: cannot be read: No such file or directory\n"
