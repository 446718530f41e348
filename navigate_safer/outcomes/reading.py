"""JSON of a measure's input: read strictly, with one line on what is wrong and where."""

import json
import math
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from navigate_safer.outcomes.refusal import BadOutcomeInput

T = TypeVar("T")

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)


def from_json(content: bytes) -> object:
    """A JSON document; a key given twice, NaN, Infinity and text that is not UTF-8 are refused."""
    try:
        # Spreadsheets put a byte order mark in front; "utf-8-sig" takes it off.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise BadOutcomeInput(f"line {line}: not UTF-8; save the file as UTF-8") from None
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as fault:
        raise BadOutcomeInput(
            f"line {fault.lineno}, column {fault.colno}: not JSON: {fault.msg}"
        ) from None
    except BadOutcomeInput:
        raise
    except RecursionError:
        raise BadOutcomeInput("brackets are nested too deep; see the format") from None
    except ValueError as fault:  # a whole number of thousands of digits
        raise BadOutcomeInput(f"a number cannot be read: {str(fault).partition(';')[0]}") from None


def as_type(given: object, kind: type[T], where: str = "") -> T:
    """The document as a measure's input; raises :class:`BadOutcomeInput` with the place."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as fault:
        raise BadOutcomeInput(_said(str(fault), where)) from None
    except UnicodeEncodeError:
        raise BadOutcomeInput(
            "a text has half a character (an escape from \\ud800 to \\udfff by itself); correct it"
        ) from None


# What msgspec calls things, and what the format calls them.
_WORDS = (
    (r"`int`", "a whole number"),
    (r"`float`", "a number"),
    (r"`str`", "a text"),
    (r"`bool`", "true or false"),
    (r"`array`", "a list"),
    (r"`object`", "an object"),
    (r"`null`", "null"),
    (r"^Object missing required field (.*)", r"\1 is missing; add it"),
    (
        r"^Object contains unknown field (.*)",
        r"\1 is not a name of this input; correct or remove it",
    ),
    (r"^Invalid RFC3339 encoded date", "is not a date; write it as 2025-06-30"),
    (r"^Invalid enum value (.*)", r"\1 is not a value of this input; see --explain"),
    (r"^Expected (.*), got (.*)", r"must be \1, not \2"),
    (r"^Expected (.*) >= ([\d.]+)", r"must be \1, \2 or more"),
    (r"^Expected (.*) <= ([\d.]+)", r"must be \1, at most \2"),
    (r"^Expected (.*) > ([\d.]+)", r"must be \1 above \2"),
    (r"^Expected ", "must be "),
)


def _said(message: str, where: str) -> str:
    found = _PLACE.match(message)
    what, place = (found["what"], found["where"] or "") if found else (message, "")
    for pattern, word in _WORDS:
        what = re.sub(pattern, word, what)
    place = place.removeprefix("$").removeprefix(".")
    if where:
        place = f"{where}{'.' if place and place[0] != '[' else ''}{place}"
    return f"{place}: {what}" if place else what.replace("`", "")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadOutcomeInput(f"the name {twice!r} is given twice in one object; keep one")
    return found


def _no_constant(constant: str) -> NoReturn:
    raise BadOutcomeInput(f"{constant} is not a number in JSON; leave the value out or use null")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadOutcomeInput(f"the number {text} is too large")
    return number
