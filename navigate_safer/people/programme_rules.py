"""Clocks and limits of programmes, from ``data/programme_rules.json``, each with its source."""

from functools import lru_cache
from importlib.resources import files

import msgspec


class Days(msgspec.Struct, frozen=True):
    """A number with where it is from."""

    value: int
    source: str


class Choice(msgspec.Struct, frozen=True):
    """A yes or no with where it is from."""

    value: bool
    source: str


class ProgrammeRules(msgspec.Struct, frozen=True):
    """The data file. Days are days of the calendar unless the name says working days."""

    version: str
    register_within_days: Days
    tell_officer_within_working_days: Days
    decide_within_working_days: Days
    waiting_review_days: Days
    rar_day_counts_once: Choice
    largest_group: Days
    behaviour_change_weeks: Days


@lru_cache(maxsize=1)
def programme_rules() -> ProgrammeRules:
    """The rules as shipped."""
    content = files("navigate_safer.people").joinpath("data", "programme_rules.json").read_bytes()
    return msgspec.json.decode(content, type=ProgrammeRules)
