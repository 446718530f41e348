"""Names and identifiers of people in a form that can be compared.

A name is its first and its last word; what stands between is rarely given twice the same way.
Accents, capitals, apostrophes and blanks make no difference. Identifiers: CRN (probation), PNC
(police) and NOMIS (prison) numbers.
"""

import re
import unicodedata
from functools import cached_property

import msgspec

_NO_LETTER = re.compile(r"[^a-z-]")
_CRN = re.compile(r"[A-Z]\d{6}")
_NOMIS = re.compile(r"[A-Z]\d{4}[A-Z]{2}")
_PNC = re.compile(r"(\d{2}|\d{4})/(\d{1,7})([A-Z])")


class PersonName(msgspec.Struct, frozen=True, dict=True):
    """The first and the last word of a name as they are compared, and as they were written."""

    given: str
    family: str
    given_written: str = ""
    family_written: str = ""

    @cached_property
    def given_parts(self) -> frozenset[str]:
        """The words of a hyphenated given name."""
        return frozenset(self.given.split("-"))

    @cached_property
    def family_parts(self) -> frozenset[str]:
        """The words of a hyphenated family name."""
        return frozenset(self.family.split("-"))


def person_name(written: str) -> PersonName:
    """The name that a text holds."""
    words = [(plain, word) for word in written.split() if (plain := _plain(word))]
    if not words:
        return PersonName("", "")
    first, last = words[0], words[-1] if len(words) > 1 else ("", "")
    return PersonName(first[0], last[0], first[1], last[1])


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(each for each in letters if not unicodedata.combining(each))
    return _NO_LETTER.sub("", letters).strip("-")


class BadIdentifier(ValueError):
    """Not an identifier of its kind; says what one looks like."""


def crn(typed: str) -> str:
    """A case reference number of probation, such as X123456. Raises :class:`BadIdentifier`."""
    return _like(_CRN, typed, "a CRN is a letter and six digits, such as X123456")


def nomis(typed: str) -> str:
    """A prison number, such as A1234BC. Raises :class:`BadIdentifier`."""
    return _like(
        _NOMIS, typed, "a prison number is a letter, four digits and two letters, such as A1234BC"
    )


def pnc(typed: str) -> str:
    """A Police National Computer number with a two-digit year: 2012/123456A is 12/0123456A.

    Raises :class:`BadIdentifier`.
    """
    found = _PNC.fullmatch(_squeezed(typed))
    if found is None:
        raise BadIdentifier("a PNC number has a year, a number and a letter, such as 12/0123456A")
    year, number, letter = found.groups()
    return f"{year[-2:]}/{int(number):07d}{letter}"


KINDS = {"crn": crn, "pnc": pnc, "nomis": nomis}


def _like(pattern: re.Pattern[str], typed: str, looks: str) -> str:
    squeezed = _squeezed(typed)
    if pattern.fullmatch(squeezed) is None:
        raise BadIdentifier(looks)
    return squeezed


def _squeezed(typed: str) -> str:
    return re.sub(r"\s", "", typed).upper()
