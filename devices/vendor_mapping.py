"""The mapping file of a vendor's CSV export: which column is what, and in which unit (TOML).

Read with :func:`read_mapping`; a wrong mapping is named by its key. Ready ones are in
``devices/presets``.
"""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal

import msgspec

from devices.native import say
from devices.vendor_time import TimeRule, parser

# 95 % radius per unit of HDOP, metres: twice the 1-sigma range error (2 drms is commonly taken as
# 95 %) with a range error of 4 m, which is the GPS SPS Performance Standard's bound (2008, 7.8 m
# at 95 %) as one sigma. A bound and not a typical value: a position is not claimed better than
# its vendor says. A mapping may set accuracy.m_per_hdop where the vendor states its own.
R95_M_PER_HDOP = 8.0
# A row that says nothing of its error: the stand-in that other formats have too.
UNKNOWN_ACCURACY_M = 100.0
KMH_PER = {"speed_kmh": 1.0, "speed_mph": 1.609344, "speed_knots": 1.852, "speed_m_s": 3.6}
# A gram is a million micrograms and a decilitre a tenth of a litre.
UG_L_PER_G_DL = 1e7
ENCODINGS = ("utf-8", "cp1252", "latin-1")
_POSITION = ("lat", "lon")
_MEASURED = ("lat", "event", "tac_g_dl", "tac_ug_l", "battery_percent")
# The same quantity in two units: a file has one of them.
_ONE_OF = (("tac_g_dl", "tac_ug_l"), ("skin_temp_c", "skin_temp_f"))


class BadMapping(ValueError):
    """The mapping cannot be used; one line that names the key and what to do."""


class FileRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the file is written. Each line is a row; a line break inside quotes is not taken."""

    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    skip_lines: int = 0


class DeviceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From a vendor's name of a device to ours; ``name`` is for a file of one device."""

    prefix: str = ""
    name: str | None = None


class AccuracyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The 95 % radius: ``times`` turns the vendor's radius into one, see also R95_M_PER_HDOP."""

    times: float = 1.0
    m_per_hdop: float = R95_M_PER_HDOP
    unknown_m: float = UNKNOWN_ACCURACY_M


class EventRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one of the vendor's events is to us."""

    code: str
    state: Literal["start", "end", "none"] = "none"


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Heading of each column that is used."""

    at: str
    device: str | None = None
    lat: str | None = None
    lon: str | None = None
    accuracy_m: str | None = None
    hdop: str | None = None
    source: str | None = None
    speed_kmh: str | None = None
    speed_mph: str | None = None
    speed_knots: str | None = None
    speed_m_s: str | None = None
    heading_deg: str | None = None
    satellites: str | None = None
    event: str | None = None
    tac_g_dl: str | None = None
    tac_ug_l: str | None = None
    ir_v: str | None = None
    skin_temp_c: str | None = None
    skin_temp_f: str | None = None
    battery_percent: str | None = None
    charging: str | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. ``source`` and ``event`` translate the vendor's words, any case.

    ``optional`` names columns of the mapping that a file may lack.
    """

    columns: Columns
    file: FileRule = FileRule()
    device: DeviceRule = DeviceRule()
    time: TimeRule = TimeRule()
    accuracy: AccuracyRule = AccuracyRule()
    source: dict[str, Literal["gps", "rf", "wifi", "lbs"]] = {}
    event: dict[str, EventRule] = {}
    optional: list[str] = []


def read_mapping(content: bytes) -> Mapping:
    """Read a mapping; raises :class:`BadMapping`."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadMapping("the mapping is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        raise BadMapping(f"not TOML: {fault}") from None
    try:
        mapping = msgspec.convert(document, Mapping)
    except msgspec.ValidationError as fault:
        raise BadMapping(say(str(fault))) from None
    _check(mapping)
    return mapping


def presets() -> list[str]:
    """Names of the mappings that are shipped."""
    found = (files("devices") / "presets").iterdir()
    return sorted(each.name.removesuffix(".toml") for each in found if each.name.endswith(".toml"))


def preset(name: str) -> bytes:
    """A shipped mapping as it is written; raises :class:`BadMapping`."""
    if name not in presets():
        raise BadMapping(f"there is no preset {name!r}; there are {', '.join(presets())}")
    return (files("devices") / "presets" / f"{name}.toml").read_bytes()


def _check(mapping: Mapping) -> None:
    columns = mapping.columns
    _need(len(mapping.file.delimiter) == 1, "file.delimiter", "must be one character")
    _need(mapping.file.decimal in (".", ","), "file.decimal", "must be . or ,")
    encodings = f"must be one of {', '.join(ENCODINGS)}"
    _need(mapping.file.encoding in ENCODINGS, "file.encoding", encodings)
    _need(mapping.file.skip_lines >= 0, "file.skip_lines", "must not be below 0")
    one = (columns.device is None) != (mapping.device.name is None)
    _need(one, "columns.device", "set this, or device.name for a file of one device")
    both = (columns.lat is None) == (columns.lon is None)
    _need(both, "columns.lat", "must be set together with columns.lon")
    some = any(getattr(columns, name) is not None for name in _MEASURED)
    _need(some, "columns", "names nothing measured: lat and lon, event, tac_g_dl, battery_percent")
    speeds = [name for name in KMH_PER if getattr(columns, name) is not None]
    _need(len(speeds) <= 1, f"columns.{speeds[-1] if speeds else ''}", "is a second speed")
    for ours, other in _ONE_OF:
        twice = getattr(columns, ours) is not None and getattr(columns, other) is not None
        _need(not twice, f"columns.{other}", f"is the same as {ours} in another unit")
    accuracy = mapping.accuracy
    for name in ("times", "m_per_hdop", "unknown_m"):
        _need(getattr(accuracy, name) > 0, f"accuracy.{name}", "must be above 0")
    try:
        parser(mapping.time)
    except ValueError as fault:
        raise BadMapping(str(fault)) from None


def _need(holds: bool, key: str, fault: str) -> None:
    if not holds:
        raise BadMapping(f"{key}: {fault}")


def places(mapping: Mapping, header: Sequence[str]) -> dict[str, int]:
    """Where in a row each column of the mapping is; raises :class:`BadMapping`."""
    headings = [each.strip() for each in header]
    found: dict[str, int] = {}
    for name in Columns.__struct_fields__:
        heading = getattr(mapping.columns, name)
        if heading is None or (name in mapping.optional and heading not in headings):
            continue
        if headings.count(heading) != 1:
            how = "is twice" if heading in headings else "is not"
            raise BadMapping(f"columns.{name}: {heading!r} {how} among the file's headings")
        found[name] = headings.index(heading)
    return found
