"""What an address of the outcomes asks for, and what of it cannot be."""

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from flask import request

from navigate_safer.outcomes.refusal import YEARS
from navigate_safer.people.offending import EntryKind
from navigate_safer.services import outcomes
from navigate_safer.services.outcome_groups import BANDS, Against
from navigate_safer.services.outcomes import COUNTED, GAPS_DAYS, WINDOWS_DAYS, Wish
from navigate_safer.web.auth import now
from navigate_safer.web.words import CONDITIONS, in_words

# Nobody types more, and an address has to stay an address.
MOST_PEOPLE = 200
Query = dict[str, str | list[str]]


class Asked(NamedTuple):
    """The wish, and by field what cannot be."""

    wish: Wish
    errors: dict[str, str]


def asked() -> Asked:
    """What the address asks for; what cannot be is as if it had not been asked."""
    errors: dict[str, str] = {}
    newest = outcomes.latest(now())
    as_at, given = newest, request.args.get("as_at", "").strip()
    try:
        as_at = date.fromisoformat(given) if given else newest
    except ValueError:
        errors["as_at"] = "Enter the day as year-month-day, such as 2026-09-30"
    if as_at > newest or as_at.year not in YEARS:
        errors["as_at"] = f"Enter a day from {YEARS[0]} to {newest}: days that are over"
        as_at = newest
    return Asked(
        Wish(
            as_at=as_at,
            kind=_one_of("counted", {each.value: each for each in COUNTED}, EntryKind.INCIDENT),
            window_days=_one_of("window", {str(each): each for each in WINDOWS_DAYS}, 365),
            gap_days=_one_of("gap", {str(each): each for each in GAPS_DAYS}, 30),
            area=request.args.get("area") or None,
            known=known_at(errors),
            against=_against(errors),
        ),
        errors,
    )


def known_at(errors: dict[str, str]) -> datetime | None:
    """The moment that the address names, None for none; what it cannot be goes to ``errors``.

    The first of the years that records are about has no quarter before it.
    """
    given = request.args.get("known", "").strip()
    if not given:
        return None
    moment = None
    # A plus that was not written as %2B arrives as a space.
    with suppress(ValueError):
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    if moment is None or moment.utcoffset() is None:
        errors["known"] = (
            "The address names no moment that can be read: write known=2026-09-30T12:00:00Z, with "
            "the time zone"
        )
        return None
    if moment.year not in YEARS[1:] or moment > now():
        errors["known"] = (
            f"The address names a moment that cannot be: from the year {YEARS[1]} on, and not "
            f"later than now"
        )
        return None
    return moment


def _against(errors: dict[str, str]) -> Against:
    typed = request.args.get("against_people", "")
    people = tuple(dict.fromkeys(each for each in re.split(r"[\s,;]+", typed) if each))
    if len(people) > MOST_PEOPLE:
        errors["against_people"] = f"Enter at most {MOST_PEOPLE} references"
        people = ()
    bands = request.args.getlist("against_band")
    return Against(
        areas=tuple(request.args.getlist("against_area")),
        bands=tuple(each for each in BANDS if each in bands),
        people=people,
    )


def _one_of(field: str, known: dict[str, Any], otherwise: Any) -> Any:  # noqa: ANN401 - as given
    return known.get(request.args.get(field, ""), otherwise)


def query(wish: Wish, *, public: bool) -> Query:
    """The address's part that asks for the same again."""
    if public:
        return {"view": "public"}
    found: Query = {
        "as_at": wish.as_at.isoformat(),
        "counted": wish.kind.value,
        "window": str(wish.window_days),
        "gap": str(wish.gap_days),
    }
    if wish.area:
        found["area"] = wish.area
    if wish.against.areas:
        found["against_area"] = list(wish.against.areas)
    if wish.against.bands:
        found["against_band"] = list(wish.against.bands)
    if wish.against.people:
        found["against_people"] = " ".join(wish.against.people)
    return found


def without_second_set(wish: Wish) -> Wish:
    """The same wish with nothing to compare with."""
    return msgspec.structs.replace(wish, against=Against())


def name_of(kind: str) -> str:
    """A kind of condition in words."""
    return CONDITIONS.get(kind, in_words(kind))
