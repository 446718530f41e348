"""Rows of exports to readings, by mappings as somebody would write them."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.mdss_codes import MEANINGS
from devices.native import WireAlcohol, WireBattery, WireEvent, WireFix
from devices.quality import QualityLimits
from devices.rejection import Reason
from devices.vendor_csv import RowFault, RowReader
from devices.vendor_mapping import (
    R95_M_PER_HDOP,
    UNKNOWN_ACCURACY_M,
    BadMapping,
    preset,
    presets,
    read_mapping,
)

NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
MAPPING = """
[columns]
device = "Tag"
at = "When"
lat = "Latitude"
lon = "Longitude"
accuracy_m = "Radius"
hdop = "HDOP"
source = "How"
speed_mph = "Speed"
heading_deg = "Course"
satellites = "Sats"
event = "Event"
battery_percent = "Battery"
charging = "On charge"
tac_g_dl = "TAC"

[device]
prefix = "TAG-"

[time]
format = "%d/%m/%Y %H:%M:%S"
timezone = "Europe/London"

[source]
"GPS fix" = "gps"
"Cell" = "lbs"

[event."Strap opened"]
code = "strap_tamper"
state = "start"
"""
HEADER = ["Tag", "When", "Latitude", "Longitude", "Radius", "HDOP", "How", "Speed", "Course",
          "Sats", "Event", "Battery", "On charge", "TAC", "Note"]  # fmt: skip
GOOD = {
    "Tag": "17", "When": "21/11/2026 22:39:00", "Latitude": "53.2", "Longitude": "-2.9",
    "Radius": "8",
}  # fmt: skip


def reader(mapping=MAPPING, header=HEADER):
    return RowReader(read_mapping(mapping.encode()), header, QualityLimits())


def line(**changes):
    row = {**GOOD, **{name.replace("_", " "): value for name, value in changes.items()}}
    return ",".join(row.get(name, "") for name in HEADER)


def read(mapping=MAPPING, **changes):
    return reader(mapping).read(line(**changes), NOW)


def refused(mapping=MAPPING, **changes):
    with pytest.raises(RowFault) as told:
        read(mapping, **changes)
    return told.value.rejected


def test_a_row_with_everything_is_a_reading_of_each_kind():
    row = read(HDOP="1.1", How="GPS fix", Speed="10", Course="90", Sats="9", Event="Strap opened",
               Battery="41", On_charge="No", TAC="0.021")  # fmt: skip
    assert row.device == "TAG-17"
    at = datetime(2026, 11, 21, 22, 39, tzinfo=UTC)
    assert row.readings == [
        WireFix(at, 53.2, -2.9, 8.0, "gps", pytest.approx(16.09344), 90.0, 9, 1.1),
        WireAlcohol(at, 0.021),
        WireBattery(at, 41.0, False),
        WireEvent(at, "strap_tamper", "start"),
    ]


def test_fahrenheit_and_micrograms_end_at_the_boundary():
    mapping = MAPPING.replace('tac_g_dl = "TAC"', 'tac_ug_l = "TAC"\nskin_temp_f = "HDOP"')
    mapping = mapping.replace('hdop = "HDOP"\n', "")
    (_, alcohol) = read(mapping, TAC="210000", HDOP="91.4").readings
    assert alcohol == WireAlcohol(alcohol.at, 0.021, skin_temp_c=33.0)


def test_one_quantity_in_two_units_is_refused():
    mapping = MAPPING.replace('tac_g_dl = "TAC"', 'tac_g_dl = "TAC"\ntac_ug_l = "HDOP"')
    with pytest.raises(BadMapping, match="same as tac_g_dl in another unit"):
        read_mapping(mapping.encode())


def test_a_row_of_an_event_alone_needs_no_position():
    row = read(Latitude="", Longitude="", Radius="", Event="Strap opened")
    assert [type(each) for each in row.readings] == [WireEvent]


def test_an_event_that_the_mapping_does_not_know_is_kept_under_its_own_name():
    assert read(Event="Case: opened?").readings[-1].code == "Case__opened_"


@pytest.mark.parametrize(
    ("changes", "accuracy_m"),
    [
        pytest.param({"Radius": "12"}, 12.0, id="the vendor's radius"),
        pytest.param({"Radius": "12", "HDOP": "3"}, 12.0, id="its radius before its HDOP"),
        pytest.param({"Radius": "", "HDOP": "1.5"}, 1.5 * R95_M_PER_HDOP, id="HDOP alone"),
        pytest.param({"Radius": "", "HDOP": "0"}, UNKNOWN_ACCURACY_M, id="HDOP of no fix"),
        pytest.param({"Radius": ""}, UNKNOWN_ACCURACY_M, id="neither"),
    ],
)
def test_the_accuracy_of_a_fix(changes, accuracy_m):
    assert read(**changes).readings[0].accuracy_m == accuracy_m


def test_a_mapping_may_say_what_the_vendors_radius_and_hdop_are_worth():
    mapping = MAPPING + "[accuracy]\ntimes = 1.62\nm_per_hdop = 5\nunknown_m = 250\n"
    assert read(mapping, Radius="10").readings[0].accuracy_m == pytest.approx(16.2)
    assert read(mapping, Radius="", HDOP="2").readings[0].accuracy_m == 10
    assert read(mapping, Radius="").readings[0].accuracy_m == 250


def test_the_factor_of_hdop_is_twice_the_range_error():
    # 7.8 m at 95 % of one dimension is 7.8 / 1.96 at one sigma; 2 drms is twice HDOP times that.
    assert pytest.approx(2 * 7.8 / 1.96, rel=0.01) == R95_M_PER_HDOP


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        pytest.param({"Latitude": ""}, Reason.INVALID, "lat", id="half a position"),
        pytest.param({"Latitude": "north"}, Reason.INVALID, "lat: not a number", id="a word"),
        pytest.param({"Latitude": "5_3"}, Reason.INVALID, "lat: not a number", id="underscore"),
        pytest.param({"Latitude": "nan"}, Reason.NOT_FINITE, "lat", id="NaN"),
        pytest.param({"Latitude": "95"}, Reason.OUT_OF_RANGE, "lat", id="beyond the pole"),
        pytest.param({"Latitude": "-2.9", "Longitude": "53.2"}, Reason.COORDINATES_SWAPPED,
                     "exchanged", id="exchanged"),
        pytest.param({"Radius": "-1"}, Reason.OUT_OF_RANGE, "accuracy_m", id="a negative radius"),
        pytest.param({"How": "By dream"}, Reason.INVALID, "source", id="an unknown source"),
        pytest.param({"Battery": "140"}, Reason.OUT_OF_RANGE, "percent", id="140 percent"),
        pytest.param({"When": "21.11.2026"}, Reason.INVALID, "time", id="another date"),
        pytest.param({"When": "25/10/2026 01:30:00"}, Reason.INVALID, "twice", id="ambiguous"),
        pytest.param({"When": "21/11/2027 22:39:00"}, Reason.TIME_IN_FUTURE, "after", id="future"),
        pytest.param({"When": "21/08/2026 22:39:00"}, Reason.TIME_TOO_OLD, "before", id="too old"),
        pytest.param({"Tag": " "}, Reason.INVALID, "device: empty", id="nobody's"),
        pytest.param({"Latitude": "", "Longitude": "", "Radius": ""}, Reason.INVALID,
                     "nothing is measured", id="nothing in it"),
    ],
)  # fmt: skip
def test_a_bad_row_has_its_reason_and_no_coordinate_in_it(changes, reason, words):
    rejected = refused(**changes)
    assert rejected.reason is reason
    assert words in rejected.text
    assert "53.2" not in rejected.text
    assert "2.9" not in rejected.text


def test_a_file_with_decimal_commas_is_read_as_its_mapping_says():
    mapping = MAPPING.replace("[device]", '[file]\ndelimiter = ";"\ndecimal = ","\n[device]', 1)
    row = line(Latitude="53%2", Longitude="-2%9", Radius="8%5").replace(",", ";").replace("%", ",")
    (fix,) = reader(mapping).read(row, NOW).readings
    assert (fix.lat, fix.lon, fix.accuracy_m) == (53.2, -2.9, 8.5)
    with pytest.raises(RowFault, match="lat: not a number"):
        reader(mapping).read(row.replace("53,2", "53.2"), NOW)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("17,21/11/2026 22:39:00,53.2", id="too few columns"),
        pytest.param(line() + ",more", id="too many"),
        pytest.param(line(Note='"begun and not ended'), id="a quote that is not closed"),
        pytest.param(line(Note='"a"b'), id="a quote in the middle"),
    ],
)
def test_a_row_of_another_form_is_refused_by_itself(text):
    with pytest.raises(RowFault) as told:
        reader().read(text, NOW)
    assert told.value.rejected.reason is Reason.MALFORMED


def test_a_delimiter_inside_quotes_is_text():
    assert read(Note='"seen, and spoken to"').readings


@given(st.text(max_size=60), st.sampled_from(sorted(GOOD)))
def test_whatever_a_field_holds_it_is_a_reading_or_a_refusal(text, name):
    quoted = '"' + text.replace('"', '""') + '"'
    try:
        row = reader().read(line(**{name: quoted}), NOW)
    except RowFault:
        return
    assert row.readings
    assert all(math.isfinite(each.lat) for each in row.readings if isinstance(each, WireFix))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param('at = "When"', "", "columns: missing at", id="no time"),
        pytest.param('at = "When"', 'at = "Wenn"', "columns.at: 'Wenn' is not among", id="a typo"),
        pytest.param('lon = "Longitude"', "", "columns.lat: must be set together", id="no lon"),
        pytest.param('lat = "Latitude"', 'latitude = "Latitude"', "latitude", id="unknown key"),
        pytest.param('prefix = "TAG-"', 'name = "TAG-1"', "columns.device", id="device twice"),
        pytest.param('timezone = "Europe/London"', "", "time.timezone: is needed", id="no zone"),
        pytest.param('[device]', '[file]\ndelimiter = "||"\n[device]', "file.delimiter",
                     id="two characters"),
        pytest.param('[device]', '[file]\ndecimal = ";"\n[device]', "file.decimal", id="decimal"),
        pytest.param('[device]', '[file]\nencoding = "utf-16"\n[device]', "file.encoding",
                     id="an encoding that is not taken"),
        pytest.param('[device]', '[accuracy]\ntimes = 0\n[device]', "accuracy.times", id="times 0"),
        pytest.param('speed_mph = "Speed"', 'speed_mph = "Speed"\nspeed_kmh = "Speed"', "speed",
                     id="two speeds"),
        pytest.param('[device]', '[device', "not TOML", id="not TOML"),
        pytest.param('"GPS fix" = "gps"', '"GPS fix" = "satellite"', "source", id="no source"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named_by_its_key(old, new, words):
    assert old in MAPPING
    with pytest.raises(BadMapping) as told:
        reader(MAPPING.replace(old, new, 1))
    assert words.casefold() in str(told.value).casefold()
    assert "\n" not in str(told.value)


def test_a_heading_that_is_twice_is_named():
    with pytest.raises(BadMapping, match="'Tag' is twice"):
        reader(header=[*HEADER, "Tag"])


# Shipped mappings


@pytest.mark.parametrize("name", presets())
def test_each_preset_is_a_good_mapping(name):
    assert read_mapping(preset(name)).columns.at


def test_a_preset_that_is_not_there_names_those_that_are():
    with pytest.raises(BadMapping, match="mdss-positions"):
        preset("../preset")


def test_the_preset_of_events_says_what_the_decoder_says():
    shipped = read_mapping(preset("mdss-events")).event
    known = {code: (m.code, m.state) for code, m in MEANINGS.items() if m.state != "none"}
    assert {code: (rule.code, rule.state) for code, rule in shipped.items()} == known


def test_an_export_of_positions_is_read_by_its_preset():
    header = ["device_id", "position_gps_date", "position_latitude", "position_longitude",
              "position_precision", "position_lbs", "position_speed", "position_direction",
              "position_satellite", "position_hdop"]  # fmt: skip
    made = RowReader(read_mapping(preset("mdss-positions")), header, QualityLimits())
    row = made.read("1904417,2026-11-21 22:39:00.000,53.2,-2.9,12,5,4,80,9,1", NOW)
    assert row.device == "1904417"
    (fix,) = row.readings
    assert (fix.source, fix.accuracy_m, fix.at.hour) == ("lbs", 12.0, 22)


def test_a_track_without_its_source_column_is_read_too():
    header = ["device", "at", "lat", "lon", "accuracy_m"]
    made = RowReader(read_mapping(preset("navigate-safer")), header, QualityLimits())
    assert made.read("TAG-1,2026-11-21T22:39:00Z,53.2,-2.9,8", NOW).readings[0].source == "gps"
