"""``judge alcohol`` on a file: readings (CSV) to one JSON-able document.

The format is that of the command line's manual. Levels are g/dl and temperatures °C from here on:
the columns ``tac_ug_l`` and ``skin_temp_f`` are taken in place of ``tac_g_dl`` and
``skin_temp_c``, and Fahrenheit under the name of Celsius is recognised and said.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from alerts.alcohol.rule_set import RULE_SETS, STANDARD, RuleSet
from alerts.alcohol.series import Sample
from devices.vendor_mapping import UG_L_PER_G_DL
from navigate_safer import csv_input
from navigate_safer.alcohol_documents import document
from navigate_safer.csv_input import BadInput

DEFAULT_RULES = STANDARD.name
# A sensor drifts below its zero; further off, or above what any sensor measures, the unit is wrong.
_LEAST_G_DL, _MOST_G_DL = -1.0, 2.0
# The most infrared of any monitor known (the telemetry schema's limit), and temperatures in which
# a tag can be at all.
_MOST_IR_V = 20.0
_LEAST_TEMP, _MOST_TEMP = -60.0, 200.0
# No skin is so hot in Celsius; most Fahrenheit is above.
_HOTTEST_C = 50.0
_OPTIONAL = ("tac_g_dl", "tac_ug_l", "ir_v", "skin_temp_c", "skin_temp_f")


class Recording(msgspec.Struct):
    """The readings of one device as its file gives them; ``doubts`` are said in the document."""

    samples: list[Sample] = []
    doubts: list[str] = []


def judge_alcohol_file(
    path: Path, *, rules: str, weight_kg: float | None = None
) -> dict[str, object]:
    """Read and judge; raises :class:`navigate_safer.csv_input.BadInput` for what is wrong."""
    chosen = rule_set(rules)
    return document(recordings(csv_input.read(path), path.name), chosen, weight_kg)


def judge_alcohol(content: bytes, *, rules: str, name: str = "readings") -> dict[str, object]:
    """Judge the content of a CSV file; the name is for messages."""
    return document(recordings(content, name), rule_set(rules))


def rule_set(name: str) -> RuleSet:
    """The rule set of this name."""
    if name not in RULE_SETS:
        raise BadInput(f"rules {name!r} are not known; use one of {', '.join(RULE_SETS)}")
    return RULE_SETS[name]


def recordings(content: bytes, name: str = "readings") -> dict[str, Recording]:
    """The readings of each device, in Celsius and g/dl, in the order of the file's rows."""
    found: dict[str, Recording] = {}
    for where, fields in csv_input.rows(content, name, ("device", "at"), _OPTIONAL):
        if ("tac_g_dl" in fields) is ("tac_ug_l" in fields):
            raise BadInput(f"{name}, line 1: needs one column of levels, tac_g_dl (or tac_ug_l)")
        sample = _sample(fields, where)
        found.setdefault(fields["device"], Recording()).samples.append(sample)
    if not found:
        raise BadInput(f"{name}: has no readings")
    return {device: _in_celsius(each) for device, each in found.items()}


def _sample(fields: Mapping[str, str], where: str) -> Sample:
    if "tac_ug_l" in fields:
        low, high = _LEAST_G_DL * UG_L_PER_G_DL, _MOST_G_DL * UG_L_PER_G_DL
        level = csv_input.number(fields, "tac_ug_l", low, high, where) / UG_L_PER_G_DL
    else:
        level = _level(fields, where)
    temp_c = _optional(fields, "skin_temp_c", _LEAST_TEMP, _MOST_TEMP, where)
    temp_f = _optional(fields, "skin_temp_f", _LEAST_TEMP, _MOST_TEMP, where)
    return Sample(
        csv_input.time(fields, where),
        level,
        _optional(fields, "ir_v", 0.0, _MOST_IR_V, where),
        _celsius(temp_f) if temp_c is None and temp_f is not None else temp_c,
    )


def _level(fields: Mapping[str, str], where: str) -> float:
    try:
        return csv_input.number(fields, "tac_g_dl", _LEAST_G_DL, _MOST_G_DL, where)
    except BadInput as fault:
        hint = "" if "not a number" in str(fault) else "; is it µg/L? then name the column tac_ug_l"
        raise BadInput(f"{fault}{hint}") from None


def _optional(
    fields: Mapping[str, str], column: str, low: float, high: float, where: str
) -> float | None:
    return csv_input.number(fields, column, low, high, where) if fields.get(column) else None


def _celsius(fahrenheit: float) -> float:
    return round((fahrenheit - 32) / 1.8, 2)


def _in_celsius(recording: Recording) -> Recording:
    """The same with temperatures that can be a skin's, and a doubt where they had to be changed."""
    temps = [each.skin_temp_c for each in recording.samples if each.skin_temp_c is not None]
    hot = sum(temp > _HOTTEST_C for temp in temps)
    if not hot:
        return recording
    if 2 * hot > len(temps):
        doubt = "skin temperatures are Fahrenheit and were converted"
        changed = [_converted(each) for each in recording.samples]
    else:
        doubt = f"{hot} skin temperatures above {_HOTTEST_C:g} °C were set aside"
        changed = [_without_heat(each) for each in recording.samples]
    return Recording(changed, [*recording.doubts, doubt])


def _converted(sample: Sample) -> Sample:
    temp = sample.skin_temp_c
    return sample if temp is None else msgspec.structs.replace(sample, skin_temp_c=_celsius(temp))


def _without_heat(sample: Sample) -> Sample:
    hot = sample.skin_temp_c is not None and sample.skin_temp_c > _HOTTEST_C
    return msgspec.structs.replace(sample, skin_temp_c=None) if hot else sample
