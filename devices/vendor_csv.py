"""Rows of a vendor's CSV export to readings, by a mapping. Pure: fields in, wire readings out.

A row gives a reading for each thing it holds: a position, an event, an alcohol sample, a charge.
"""

import csv
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from devices.native import Wire, WireAlcohol, WireBattery, WireEvent, WireFix, say
from devices.quality import QualityLimits, position_fault, time_fault
from devices.rejection import Reason, Rejected
from devices.vendor_mapping import KMH_PER, UG_L_PER_G_DL, Mapping, places
from devices.vendor_time import BadTime, parser

_CHARGING = {"true": True, "yes": True, "y": True, "1": True, "charging": True,
             "false": False, "no": False, "n": False, "0": False}  # fmt: skip
_NUMBERS = ("lat", "lon", "accuracy_m", "hdop", *KMH_PER, "heading_deg", "satellites",
            "tac_g_dl", "tac_ug_l", "ir_v", "skin_temp_c", "skin_temp_f",
            "battery_percent")  # fmt: skip


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row that was understood: readings of one device, of one moment."""

    device: str
    readings: list[Wire]


def _in_our_units(values: dict[str, float]) -> dict[str, float]:
    """Other units end here: levels are g/dl from now on, temperatures °C."""
    if "tac_ug_l" in values:
        values["tac_g_dl"] = round(values.pop("tac_ug_l") / UG_L_PER_G_DL, 6)
    if "skin_temp_f" in values:
        values["skin_temp_c"] = round((values.pop("skin_temp_f") - 32) / 1.8, 2)
    return values


class RowFault(Exception):
    """A row that cannot be taken."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.rejected = Rejected(reason, text)


class RowReader:
    """Reads the rows of one file. Raises BadMapping where the header lacks a column."""

    def __init__(self, mapping: Mapping, header: Sequence[str], limits: QualityLimits) -> None:
        self._mapping = mapping
        self._limits = limits
        self._width = len(header)
        self._decimal = mapping.file.decimal
        self._places = places(mapping, header)
        self._parse_time = parser(mapping.time)
        self._numbers = [(name, self._places[name]) for name in _NUMBERS if name in self._places]
        self._sources = {word.casefold(): source for word, source in mapping.source.items()}
        self._events = {word.casefold(): rule for word, rule in mapping.event.items()}
        self._speed = next((name for name in KMH_PER if name in self._places), None)

    def fields(self, line: str) -> list[str]:
        """One line taken apart; raises :class:`RowFault`."""
        try:
            row = next(csv.reader((line,), delimiter=self._mapping.file.delimiter, strict=True), [])
        except csv.Error:
            text = "the quotes do not match; a line break inside quotes is not taken"
            raise RowFault(Reason.MALFORMED, text) from None
        if len(row) != self._width:
            text = f"{len(row)} columns where the heading has {self._width}"
            raise RowFault(Reason.MALFORMED, text)
        return row

    def device(self, line: str) -> str | None:
        """The device of a line, also of one that cannot be taken; None where it cannot be told."""
        if self._mapping.device.name is not None:
            return self._mapping.device.name
        try:
            return self._device(self.fields(line))
        except RowFault:
            return None

    def read(self, line: str, received_at: datetime) -> Row:
        """The readings of one line; raises :class:`RowFault` with the reason."""
        row = self.fields(line)
        at = self._at(row)
        fault = time_fault(at, received_at, self._limits, None)
        if fault is not None:
            raise RowFault(fault.reason, fault.text)
        values = self._values(row)
        readings: list[Wire] = []
        if "lat" in values or "lon" in values:
            readings.append(self._fix(row, at, values))
        if "tac_g_dl" in values:
            names = ("tac_g_dl", "ir_v", "skin_temp_c")
            readings.append(_made(WireAlcohol, at, {n: values[n] for n in names if n in values}))
        if "battery_percent" in values:
            readings.append(self._battery(row, at, values))
        word = self._word(row, "event")
        if word:
            readings.append(self._event(at, word))
        if not readings:
            raise RowFault(Reason.INVALID, "nothing is measured in this row")
        return Row(self._device(row), readings)

    def _word(self, row: Sequence[str], name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else row[place].strip()

    def _device(self, row: Sequence[str]) -> str:
        rule = self._mapping.device
        if rule.name is not None:
            return rule.name
        name = self._word(row, "device")
        if not name:
            raise RowFault(Reason.INVALID, "device: empty")
        return rule.prefix + name

    def _at(self, row: Sequence[str]) -> datetime:
        try:
            return self._parse_time(self._word(row, "at"))
        except BadTime as fault:
            raise RowFault(Reason.INVALID, str(fault)) from None

    def _values(self, row: Sequence[str]) -> dict[str, float]:
        values: dict[str, float] = {}
        for name, place in self._numbers:
            text = row[place].strip()
            if not text:
                continue
            try:
                value = self._number(text)
            except ValueError:
                raise RowFault(Reason.INVALID, f"{name}: not a number") from None
            if not math.isfinite(value):
                raise RowFault(Reason.NOT_FINITE, f"{name}: not a finite number")
            values[name] = value
        return _in_our_units(values)

    def _number(self, text: str) -> float:
        """Raises ValueError, also for 5_3, which no program but Python takes for a number."""
        other = "." if self._decimal == "," else ","
        if "_" in text or other in text:
            raise ValueError
        return float(text.replace(self._decimal, "."))

    def _fix(self, row: Sequence[str], at: datetime, values: dict[str, float]) -> WireFix:
        fields: dict[str, Any] = {
            name: values[name] for name in ("lat", "lon", "heading_deg", "hdop") if name in values
        }
        fields["accuracy_m"] = self._accuracy_m(values)
        if "satellites" in values:
            fields["satellites"] = round(values["satellites"])
        if self._speed is not None and self._speed in values:
            fields["speed_kmh"] = values[self._speed] * KMH_PER[self._speed]
        word = self._word(row, "source")
        if word:
            source = self._sources.get(word.casefold(), word.casefold())
            fields["source"] = source
        fix = _made(WireFix, at, fields)
        assert isinstance(fix, WireFix)
        fault = position_fault(fix.lat, fix.lon, self._limits, None)
        if fault is not None:
            raise RowFault(fault.reason, fault.text)
        return fix

    def _accuracy_m(self, values: dict[str, float]) -> float:
        rule = self._mapping.accuracy
        if "accuracy_m" in values:
            return values["accuracy_m"] * rule.times
        # An HDOP of 0 is how receivers write that they have none.
        if values.get("hdop", 0) > 0:
            return values["hdop"] * rule.m_per_hdop
        return rule.unknown_m

    def _battery(self, row: Sequence[str], at: datetime, values: dict[str, float]) -> Wire:
        charging = _CHARGING.get(self._word(row, "charging").casefold())
        fields: dict[str, Any] = {"percent": values["battery_percent"]}
        return _made(WireBattery, at, fields | ({} if charging is None else {"charging": charging}))

    def _event(self, at: datetime, word: str) -> Wire:
        rule = self._events.get(word.casefold())
        if rule is not None:
            return _made(WireEvent, at, {"code": rule.code, "state": rule.state})
        # Not dropped for being unknown: kept under its own name.
        code = "".join(each if each.isascii() and each.isalnum() else "_" for each in word)
        return _made(WireEvent, at, {"code": code[:64]})


_TAGS = {WireFix: "fix", WireAlcohol: "alcohol", WireBattery: "battery", WireEvent: "event"}


def _made(kind: type[Wire], at: datetime, fields: dict[str, Any]) -> Wire:
    """A wire reading whose ranges have been checked as for a message."""
    try:
        return msgspec.convert({"kind": _TAGS[kind], "at": at, **fields}, kind)
    except msgspec.ValidationError as fault:
        text = str(fault)
        reason = Reason.OUT_OF_RANGE if "<=" in text or ">=" in text else Reason.INVALID
        raise RowFault(reason, say(text)) from None
