"""``judge alcohol`` on files: one document for good input, one line for bad."""

import json
import random
from datetime import datetime, timedelta

import pytest
from alcohol_days import DRINKING, SPILL
from builders import START
from cli.commands import check_refused, run

from navigate_safer.alcohol_files import judge_alcohol
from navigate_safer.csv_input import BadInput

HALF_HOUR = timedelta(minutes=30)
HEADER = "device,at,tac_g_dl"
NAMES = [
    "device", "onset", "first_at_threshold", "peak_at", "peak_tac_g_dl", "last_at_threshold", "end",
    "absorption_g_dl_h", "elimination_g_dl_h", "longest_run", "run_span_h", "r1", "r2", "r3",
    "confirmed", "variants", "verdict",
]  # fmt: skip


def rows(levels, device="MON-1", *, start=START, step=HALF_HOUR, tail=""):
    return [f"{device},{(start + step * n).isoformat()},{x}{tail}" for n, x in enumerate(levels)]


def judged(lines, header=HEADER, rules="standard"):
    return judge_alcohol("\n".join([header, *lines]).encode(), rules=rules)


def refused(*lines, header=HEADER):
    with pytest.raises(BadInput) as raised:
        judge_alcohol("\n".join([header, *lines]).encode(), rules="standard", name="night.csv")
    return str(raised.value)


@pytest.fixture
def night(tmp_path):
    path = tmp_path / "night.csv"
    path.write_text("\n".join([HEADER, *rows(DRINKING)]))
    return path


def test_the_command_prints_one_document(night):
    result = run("judge", "alcohol", "--readings", night)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    (episode,) = document["episodes"]
    assert list(episode)[: len(NAMES)] == NAMES
    assert episode["device"] == "MON-1"
    assert episode["first_at_threshold"] == "2026-11-20T13:30:00Z"
    assert (episode["peak_at"], episode["peak_tac_g_dl"]) == ("2026-11-20T15:00:00Z", 0.045)
    assert (episode["onset"], episode["end"]) == ("2026-11-20T12:30:00Z", "2026-11-20T19:00:00Z")
    assert episode["absorption_g_dl_h"] == pytest.approx(0.015)
    assert episode["elimination_g_dl_h"] == pytest.approx(0.028 / 3)
    assert (episode["longest_run"], episode["run_span_h"]) == (9, 4.0)
    assert (episode["r1"], episode["r2"], episode["r3"]) == ("yes", "yes", "yes")
    assert episode["variants"] == dict.fromkeys(
        ("tiered", "loose", "zero", "median3", "run"), "yes"
    )
    assert (episode["confirmed"], episode["verdict"]) == ("yes", "confirmed")
    assert document["wear"] == []
    assert document["coverage"]["MON-1"]["hours"] == {"measured": 8.0, "unknown": 0.0}


def test_a_probability_and_a_range_of_doses_stand_beside_the_verdict():
    (drinking,) = judged(rows(DRINKING))["episodes"]
    low, high = drinking["dose_range"]
    assert drinking["probability"] > 0.9
    # By the forward model two to five drinks give such a peak.
    assert 0.5 < low < 3 < high < 8
    assert sum(drinking["explanations"].values()) == pytest.approx(1, abs=0.001)
    (spill,) = judged(rows(SPILL))["episodes"]
    assert spill["probability"] < 0.1
    assert spill["explanations"]["interferent"] > 0.8


def test_what_could_be_missed_is_said_and_is_the_same_each_time():
    said = judged(rows(DRINKING))["could_be_missed"]
    assert said == judged(rows(SPILL))["could_be_missed"]
    for sex in ("men", "women"):
        shares = list(said["seen_at_threshold"][sex].values())
        assert shares == sorted(shares)
        assert shares[0] < 0.15
        assert shares[-1] > 0.9
    # Roache 2015, table 2: 25 % of men and 59 % of women at two beers.
    assert 0.25 <= said["seen_at_threshold"]["men"]["2"] <= 0.45
    assert "two drinks or fewer would be seen" in said["in_words"]


def test_the_wearer_s_weight_says_more_exactly_what_could_be_missed(night):
    heavy = run("judge", "alcohol", "--readings", night, "--weight-kg", "120")
    said = json.loads(heavy.stdout)["could_be_missed"]
    assert "in a man of 120 kg" in said["in_words"]
    assert said["seen_at_threshold"]["men"]["2"] < 0.2


def test_any_order_repeats_and_other_devices_change_nothing():
    mine, other = rows(DRINKING), rows(SPILL, "MON-2")
    mixed = [*mine, *other, *mine[3:7]]
    random.Random(1).shuffle(mixed)
    document = judged(mixed)
    (one,) = (each for each in document["episodes"] if each["device"] == "MON-1")
    (alone,) = judged(mine)["episodes"]
    assert one == alone
    assert document["coverage"]["MON-1"]["repeated"] == 4
    assert {each["device"] for each in document["episodes"]} == {"MON-1", "MON-2"}


def test_offsets_are_minded():
    summer = datetime.fromisoformat("2026-07-01T12:00:00+01:00")
    (episode,) = judged(rows(DRINKING, start=summer))["episodes"]
    assert episode["first_at_threshold"] == "2026-07-01T12:30:00Z"


@pytest.mark.parametrize("hot", [92.3, 70.0])
def test_fahrenheit_under_the_name_of_celsius_is_recognised_and_said(hot):
    header = f"{HEADER},ir_v,skin_temp_c"
    fahrenheit = judged(rows(DRINKING, tail=f",1.5,{hot}"), header)
    celsius = judged(rows(DRINKING, tail=f",1.5,{(hot - 32) / 1.8:.2f}"), header)
    assert fahrenheit["episodes"] == celsius["episodes"]
    assert fahrenheit["wear"] == celsius["wear"] == []
    assert "Fahrenheit" in fahrenheit["coverage"]["MON-1"]["doubts"][0]
    assert celsius["coverage"]["MON-1"]["doubts"] == []


def test_one_absurd_temperature_is_set_aside_and_said():
    lines = rows(DRINKING, tail=",1.5,33")
    lines[4] = lines[4].replace(",33", ",80")
    coverage = judged(lines, f"{HEADER},ir_v,skin_temp_c")["coverage"]["MON-1"]
    assert coverage["without_temperature"] == 1
    assert "set aside" in coverage["doubts"][0]


def test_micrograms_under_their_own_name_are_g_dl():
    lines = rows([level * 1e7 for level in DRINKING])
    (episode,) = judged(lines, "device,at,tac_ug_l")["episodes"]
    assert (episode["peak_tac_g_dl"], episode["verdict"]) == (pytest.approx(0.045), "confirmed")


def test_missing_infrared_and_temperature_are_counted_and_not_judged():
    lines = rows(DRINKING, tail=",,")
    document = judged(lines, f"{HEADER},ir_v,skin_temp_c")
    coverage = document["coverage"]["MON-1"]
    assert (coverage["without_ir"], coverage["without_temperature"]) == (17, 17)
    assert document["wear"] == []


def test_a_covered_monitor_is_a_tamper_and_alcohol_is_undetermined():
    lines = rows([0.0] * 4, tail=",1.5,33") + rows(
        [0.0] * 20, tail=",2.1,33", start=START + 4 * HALF_HOUR
    )
    document = judged(lines, f"{HEADER},ir_v,skin_temp_c")
    (wear,) = document["wear"]
    assert (wear["kind"], wear["stage"], wear["tamper"]) == ("obstruction", "confirmed", True)
    assert (wear["alcohol"], wear["end"]) == ("undetermined", None)
    assert document["coverage"]["MON-1"]["hours"]["unknown"] == 9.5


def test_gaps_and_levels_below_zero_are_said():
    lines = [*rows([0.0, -0.01, 0.0]), *rows([0.0, 0.0], start=START + timedelta(hours=30))]
    document = judged(lines)
    coverage = document["coverage"]["MON-1"]
    assert coverage["gaps"] == [{"start": "2026-11-20T13:00:00Z", "end": "2026-11-21T18:00:00Z"}]
    assert (coverage["below_zero"], coverage["hours"]["unknown"]) == (1, 29.0)
    (missed,) = document["wear"]
    assert (missed["kind"], missed["stage"]) == ("no_readings", "missed_24h")


def test_one_reading_only_gets_no_verdict():
    (episode,) = judged(rows([0.08]))["episodes"]
    assert (episode["verdict"], episode["confirmed"]) == ("undetermined", "no")
    assert (episode["absorption_g_dl_h"], episode["elimination_g_dl_h"]) == (None, None)
    assert judged(rows([0.0]))["episodes"] == []


def test_ten_thousand_readings_in_one_upload():
    document = judged(rows([*DRINKING, *SPILL, 0.0] * 417))
    assert len(document["episodes"]) == 2 * 417
    assert {each["verdict"] for each in document["episodes"]} == {"confirmed", "not_confirmed"}


def test_the_rules_are_named():
    fast = rows([0.0, 0.03, 0.06, 0.09, *[0.09 - 0.01 * n for n in range(1, 10)]])
    assert judged(fast)["episodes"][0]["verdict"] == "review"
    loose = judged(fast, rules="loose")
    assert loose["rules"] == {"name": "loose", "version": "1"}
    assert loose["episodes"][0]["verdict"] == "confirmed"
    with pytest.raises(BadInput, match="use one of standard, tiered, loose"):
        judged(fast, rules="strict")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param(["M,2026-01-01T00:00:00Z,80"], ["line 2", "80", "tac_ug_l"], id="absurd"),
        pytest.param(["M,2026-01-01T00:00:00Z,-3"], ["line 2", "-3"], id="absurd, below zero"),
        pytest.param(["M,2026-01-01T00:00:00Z,nan"], ["'nan' is not a number"], id="no number"),
        pytest.param(["M,2026-01-01T00:00:00Z,"], ["'' is not a number"], id="no level"),
        pytest.param(["M,2026-01-01T00:00:00,0.01"], ["has no offset"], id="naive time"),
        pytest.param(["M,yesterday,0.01"], ["not an ISO 8601 time"], id="no time"),
        pytest.param(["M,1970-01-01T00:00:00Z,0.01"], ["device's clock"], id="clock never set"),
        pytest.param([",2026-01-01T00:00:00Z,0.01"], ["device is empty"], id="no device"),
        pytest.param(["M,2026-01-01T00:00:00Z"], ["2 fields, the header 3"], id="short row"),
        pytest.param([], ["has no readings"], id="no rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(lines, words):
    said = refused(*lines)
    assert "\n" not in said
    assert said.startswith("night.csv")
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("device,at", "needs one column of levels"),
        ("at,tac_g_dl", "no column 'device'"),
        ("device,at,tac_g_dl,tac_ug_l", "needs one column of levels"),
        ("device,at,tac_g_dl,tac_g_dl", "given twice"),
        ("device,at,tac_g_dl,ir_v", "line 2: ir_v 21 is not between"),
    ],
)
def test_a_header_or_a_column_that_will_not_do(header, word):
    fields = {"device": "M", "at": "2026-01-01T00:00:00Z", "ir_v": "21"}
    line = ",".join(fields.get(name, "0.01") for name in header.split(","))
    assert word in refused(line, header=header)


def test_bad_input_is_one_line_and_exit_code_2(night, tmp_path):
    check_refused(run("judge", "alcohol", "--readings", tmp_path / "no.csv"), "cannot be read")
    check_refused(run("judge", "alcohol", "--readings", night, "--rules", "x"), "'x'", "standard")
    night.write_bytes(b"device,at,tac_g_dl\n\xff\xfe")
    check_refused(run("judge", "alcohol", "--readings", night), "line 2", "not UTF-8")
