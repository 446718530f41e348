"""The kinds of orders and what holds for each: lengths, clocks, and what a failure brings.

The rules are data with their sources, in ``data/order_rules.json``: a change of law or of local
practice is a new version of that file.
"""

from datetime import date
from enum import Enum
from functools import lru_cache

import msgspec

from navigate_safer.people.data import read_data
from navigate_safer.people.working_days import months_after

_FILE = "order_rules.json"


class OnFailure(Enum):
    """What a failure without good reason brings."""

    WARN = "warn"
    POLICE = "police"
    TALK = "talk"


class OrderRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a kind of order; ``source`` says from where, field by field.

    ``*_days`` are days, both ends counted, None without a limit. ``refer_second``: the second
    failure within ``window_months`` must be referred to an enforcement officer. ``evidence_days``
    are working days with ``evidence_working``, counted from the failure. ``notice_days``: within
    so many days beginning with the day of the order the wearer tells the police a name and address.
    """

    kind: str
    label: str
    made_by: str
    clause_word: str
    open_ended: bool
    one_at_a_time: bool
    alarms_days: tuple[int, ...]
    on_failure: OnFailure
    refer_second: bool
    window_months: int
    letter_working_days: int
    evidence_days: int
    evidence_working: bool
    pack_working_days: int
    source: dict[str, str]
    numbered: bool = False
    shortest_days: int | None = None
    longest_days: int | None = None
    alcohol_shortest_days: int | None = None
    longest_months: int | None = None
    alcohol_longest_days: int | None = None
    alcohol_longest_months: int | None = None
    monitoring_longest_months: int | None = None
    notice_days: int | None = None
    notice_leaves_out: bool = False
    notice_alarm_day: int | None = None
    plan_day: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    provenance: str
    rules: list[OrderRules]


@lru_cache(maxsize=1)
def _file() -> _File:
    return read_data(_FILE, _File)


def version() -> str:
    """The version of the rules in force."""
    return _file().version


def kinds() -> dict[str, OrderRules]:
    """Every kind of order by its name."""
    return {each.kind: each for each in _file().rules}


def of_kind(kind: str) -> OrderRules:
    """The rules of a kind; of one that no file names, those of a licence with its own name."""
    known = kinds()
    if kind in known:
        return known[kind]
    label = kind.replace("_", " ").capitalize()
    return msgspec.structs.replace(known["licence"], kind=kind, label=label)


def length_fault(rules: OrderRules, starts_on: date, ends_on: date | None) -> str | None:
    """What is wrong with when an order ends, as a page says it; None when nothing is."""
    name = rules.label[0].lower() + rules.label[1:]
    if ends_on is None:
        return None if rules.open_ended else f"Enter the day on which it ends: a {name} has an end"
    if ends_on < starts_on:
        return "Enter an end that is not before the start"
    least, most = rules.shortest_days, rules.longest_days
    return _wrong_length(f"A {name} lasts", starts_on, ends_on, least, most, rules.longest_months)


def monitoring_fault(
    rules: OrderRules, alcohol: bool, from_on: date, until_on: date | None
) -> str | None:
    """What is wrong with how long something is monitored; None when nothing is."""
    least, most = rules.alcohol_shortest_days, rules.alcohol_longest_days
    months = rules.alcohol_longest_months
    if not alcohol:
        least, most, months = None, None, rules.monitoring_longest_months
    if most is None and months is None:
        return None
    if until_on is None:
        limit = f"{most} days" if most is not None else f"{months} months"
        return f"Enter until when: this is monitored for at most {limit} under this order"
    return _wrong_length("This is monitored for", from_on, until_on, least, most, months)


def _wrong_length(
    what: str, first: date, last: date, least: int | None, most: int | None, months: int | None
) -> str | None:
    length = (last - first).days + 1
    if least is not None and length < least:
        return f"{what} at least {least} days; this is {length}"
    if most is not None and length > most:
        return f"{what} at most {most} days; this is {length}"
    if months is not None and last > months_after(first, months):
        return f"{what} at most {months} months; this is longer"
    return None
