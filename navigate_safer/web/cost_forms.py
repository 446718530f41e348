"""What a form says of an entry of the book of costs, to the entry and back."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date

from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import LARGEST, BadOutcomeInput
from navigate_safer.people.cost_book import TYPES, Book, Entry, Item, Kind
from navigate_safer.web import cost_fields as fields
from navigate_safer.web.cost_fields import FIELDS, Field


class _Fault(Exception):
    """A field that cannot be read; the message says what to do."""


def entry_of_form(form: Mapping[str, str], kind: Kind, errors: dict[str, str]) -> Entry | None:
    """The entry, or None with what to do about each field in ``errors``."""
    values: dict[str, object] = {}
    for field in FIELDS[kind]:
        try:
            values[field.name] = _READERS[field.kind](form.get(field.name, "").strip(), field)
        except _Fault as fault:
            errors[field.name] = str(fault)
    if errors:
        return None
    try:
        entry: Entry = as_type(values, TYPES[kind])
    except BadOutcomeInput as fault:
        name = str(fault).partition(":")[0]
        errors[name if name in values else FIELDS[kind][0].name] = str(fault)
        return None
    return entry


def form_of_entry(entry: Entry, kind: Kind) -> dict[str, str]:
    """An entry as its form shows it."""
    return {field.name: _written(getattr(entry, field.name), field) for field in FIELDS[kind]}


def new_form(kind: Kind) -> dict[str, str]:
    """The form of a new entry: shares that are usually nothing are 0."""
    first = {"drop_off": "0", "cashable": "0", "first_year": "1", "last_year": "30"}
    return {field.name: first.get(field.name, "") for field in FIELDS[kind]
            if field.kind != fields.TICK}  # fmt: skip


def options_of(field: Field, book: Book) -> list[tuple[str, str]]:
    """What can be chosen."""
    if field.name == "unit_cost":
        return [("", "Choose"), *((key, each.name) for key, each in book.unit_costs.items())]
    return [("", "Choose"), *field.options]


def _words(text: str, field: Field) -> object:
    if not text and not field.blank:
        raise _Fault(f"Enter: {_small(field.label)}")
    return text


# A comma between groups of three. "0,5" is no five: it is refused, as nobody can tell what it is.
_GROUPS = re.compile(r"[^,]*|[^,.]*\d(,\d{3})+(\.[^,]*)?%?")


def _number(text: str, field: Field) -> float | None:
    if _GROUPS.fullmatch(text.replace(" ", "")) is None:
        raise _Fault(f"Write {_small(field.label)} with a point: 0.5, and commas only as in 12,000")
    bare = re.sub(r"[£, ]", "", text)
    if bare in ("", "notstated"):
        if field.blank:
            return None
        raise _Fault(f"Enter a number: {_small(field.label)}")
    try:
        value = math.nan if "_" in bare else float(bare.rstrip("%"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _Fault(f"Enter a number such as 12.5: {_small(field.label)}")
    return value


def _within(value: float | None, low: float, high: float) -> float | None:
    if value is not None and not low <= value <= high:
        raise _Fault(f"Enter a number from {low:,.10g} to {high:,.10g}")
    return value


def _plain(text: str, field: Field) -> object:
    return _within(_number(text, field), field.low, field.high)


def _pounds(text: str, field: Field) -> object:
    return _within(_number(text, field), 0, LARGEST)


def _whole(text: str, field: Field) -> object:
    value = _within(_number(text, field), field.low, field.high)
    if value is None or value != int(value):
        raise _Fault(f"Enter a whole number: {_small(field.label)}")
    return int(value)


def _percent(text: str, field: Field) -> object:
    value = _within(_number(text, field), field.low, field.high)
    return None if value is None else value / 100


def _percents(text: str, field: Field) -> object:
    parts = [each for each in re.split(r"[,;\s]+", text) if each]
    if not parts:
        raise _Fault(f"Enter a percentage for each year: {_small(field.label)}")
    return [_percent(each, field) for each in parts]


def _day(text: str, field: Field) -> object:
    if not text and field.blank:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Fault(f"Enter a day such as 2026-09-30: {_small(field.label)}") from None


def _choice(text: str, field: Field) -> object:
    if not text or (field.options and text not in dict(field.options)):
        raise _Fault(f"Select: {_small(field.label)}")
    return text


def _tick(text: str, _field: Field) -> object:
    return bool(text)


def _items(text: str, field: Field) -> object:
    made = []
    for line in filter(None, map(str.strip, text.splitlines())):
        what, _, amount = line.rpartition(":")
        if not what.strip():
            raise _Fault(f"“{line[:60]}” has no amount: write it as Two workers: 90,000")
        pounds = _pounds(amount, Field(field.name, what.strip(), fields.POUNDS))
        made.append({"what": what.strip(), "pounds": pounds})
    return made


def _keys(text: str, _field: Field) -> object:
    return [each for each in re.split(r"[,;\s]+", text) if each]


_READERS: dict[str, Callable[[str, Field], object]] = {
    fields.WORDS: _words,
    fields.PROSE: _words,
    fields.POUNDS: _pounds,
    fields.NUMBER: _plain,
    fields.WHOLE: _whole,
    fields.PERCENT: _percent,
    fields.PERCENTS: _percents,
    fields.DAY: _day,
    fields.CHOICE: _choice,
    fields.TICK: _tick,
    fields.ITEMS: _items,
    fields.KEYS: _keys,
}


def _small(label: str) -> str:
    return label[:1].lower() + label[1:]


def _written(value: object, field: Field) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, tuple):
        between = "\n" if field.kind == fields.ITEMS else ", "
        return between.join(_written(each, field) for each in value)
    if isinstance(value, Item):
        return f"{value.what}: {value.pounds:,.10g}"
    return _figure(value, field.kind) if isinstance(value, float | int) else str(value)


def _figure(value: float, kind: str) -> str:
    if kind in (fields.PERCENT, fields.PERCENTS):
        return f"{100 * value:.10g}"
    return f"{value:,.10g}" if kind == fields.POUNDS else f"{value:.10g}"
