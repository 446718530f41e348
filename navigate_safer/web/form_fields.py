"""Read the fields of a form: each fault is kept under its field, in GOV.UK's words.

``Fields`` never raises: a page reads all it needs, then looks at ``errors`` and shows the form
again with what was typed.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from navigate_safer.people import private_text, private_words
from navigate_safer.people.records import LONGEST_LINE, LONGEST_TEXT
from navigate_safer.web import wall_time
from navigate_safer.web.wall_time import BadWallTime

EnumT = TypeVar("EnumT", bound=Enum)
_NO_ZERO = str.maketrans({"\x00": None})
_DATE = re.compile(r"(\d{1,2})[/.\s-](\d{1,2})[/.\s-](\d{4})|(\d{4})-(\d{2})-(\d{2})")
YEARS = range(1900, 2200)


class Fields:
    """One submitted form; ``errors`` by the id of the field that is to be mended."""

    def __init__(self, form: "MultiDict[str, str]") -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def text(
        self, name: str, what: str, *, required: bool = True, longest: int = LONGEST_LINE
    ) -> str:
        """What was typed, without blanks around it; ``what`` as in "Enter a name"."""
        typed = self.form.get(name, "").translate(_NO_ZERO).strip()
        if required and not typed:
            self.errors[name] = f"Enter {what}"
        elif len(typed) > longest:
            self.errors[name] = f"Shorten {what} to {longest:,} characters: it has {len(typed):,}"
        return typed

    def long_text(self, name: str, what: str, *, required: bool = True) -> str:
        """What was typed into a large field."""
        return self.text(name, what, required=required, longest=LONGEST_TEXT)

    def choice(
        self, name: str, kind: type[EnumT], what: str, *, required: bool = True
    ) -> EnumT | None:
        """The chosen member, by its value; None when there is none."""
        typed = self.form.get(name, "")
        for each in kind:
            if str(each.value) == typed:
                return each
        if required or typed:
            self.errors[name] = f"Select {what}"
        return None

    def among(
        self,
        name: str,
        known: Mapping[str, object] | Sequence[str],
        what: str,
        *,
        required: bool = True,
    ) -> str:
        """The chosen one of known values; empty when there is none."""
        typed = self.form.get(name, "")
        if typed in known:
            return typed
        if required or typed:
            self.errors[name] = f"Select {what}"
        return ""

    def several(self, name: str, kind: type[EnumT]) -> list[EnumT]:
        """Every ticked member, in the order of the enumeration."""
        ticked = set(self.form.getlist(name))
        return [each for each in kind if str(each.value) in ticked]

    def whole(
        self, name: str, what: str, *, least: int = 0, most: int = 1_000_000, required: bool = True
    ) -> int | None:
        """A whole number in a range."""
        typed = self.form.get(name, "").strip().replace(",", "")
        if not typed:
            if required:
                self.errors[name] = f"Enter {what}"
            return None
        if re.fullmatch(r"-?[0-9]{1,12}", typed) is None or not least <= int(typed) <= most:
            self.errors[name] = f"Enter {what} as a whole number from {least:,} to {most:,}"
            return None
        return int(typed)

    def day(
        self,
        name: str,
        what: str,
        *,
        required: bool = True,
        not_before: date | None = None,
        not_after: date | None = None,
    ) -> date | None:
        """A day: from three fields ``name-day`` and so on, or one such as 22/11/2026.

        ``not_before`` and ``not_after`` are the first and the last day that make sense.
        """
        typed = self._typed_day(name)
        if typed is None:
            if required:
                self.errors[name] = f"Enter {what}"
            return None
        made = _day(typed)
        if made is None:
            self.errors[name] = f"Enter {what} as a real date, such as 22 11 2026"
        elif not_before is not None and made < not_before:
            self.errors[name] = f"Enter {what} that is not before {_said(not_before)}"
        elif not_after is not None and made > not_after:
            self.errors[name] = f"Enter {what} that is not after {_said(not_after)}"
        else:
            return made
        return None

    def instant(self, name: str, what: str, *, required: bool = True) -> datetime | None:
        """A date and time in London."""
        typed = self.form.get(name, "").strip()
        if not typed:
            if required:
                self.errors[name] = f"Enter {what}"
            return None
        try:
            return wall_time.read(typed, later=False)
        except BadWallTime as fault:
            self.errors[name] = str(fault)
            return None

    def ticked(self, name: str) -> bool:
        """Whether a single box is ticked."""
        return self.form.get(name, "") == "yes"

    def refuse_private(self, *names: str, streets: bool = True) -> None:
        """Refuse postcodes, telephone numbers, refuges and addresses by their street in free text.

        Without ``streets`` a street may stand there: only where a place is meant, such as that of
        a group or the one that a clause names.
        """
        look = private_text.fault if streets else private_words.fault
        for name in names:
            for typed in self.form.getlist(name):
                fault = look(typed)
                if fault is not None:
                    self.errors.setdefault(name, fault)

    def version(self) -> int:
        """The version that the form was made from; 0 when it does not say."""
        typed = self.form.get("replaces", "")
        return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else 0

    def _typed_day(self, name: str) -> str | None:
        parts = [self.form.get(f"{name}-{part}", "").strip() for part in ("day", "month", "year")]
        typed = " ".join(parts).strip() if any(parts) else self.form.get(name, "").strip()
        return typed or None


def _day(typed: str) -> date | None:
    found = _DATE.fullmatch(typed)
    if found is None:
        return None
    day, month, year, year_first, then_month, then_day = found.groups()
    try:
        made = date(int(year or year_first), int(month or then_month), int(day or then_day))
    except ValueError:
        return None
    return made if made.year in YEARS else None


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def day_fields(name: str, day: date | None) -> dict[str, str]:
    """A day as the three fields of a form show it."""
    if day is None:
        return {}
    return {
        f"{name}-day": str(day.day),
        f"{name}-month": str(day.month),
        f"{name}-year": str(day.year),
    }
