"""Extracts of partners: which sources there are, how their columns are read, what a row says.

A row is read by a mapping from our fields to the columns of the file. A row that cannot be read is
said with its line, its column and what to do, and is kept out; the others go in. Nothing of a row
about somebody who is not in the cohort is kept.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum

import msgspec

from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.people.data import read_data
from navigate_safer.people.records import RecordKind

LONGEST_WHAT = 200
LONGEST_REF = 64
YEARS = range(1900, 2200)
# Microsoft Excel, 1900 date system: day 1 is 1 January 1900, and 1900 is wrongly a leap year, so
# that from 1 March 1900 the count starts at 30 December 1899.
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_SERIALS = range(18_264, 73_051)  # 1950 to 2099: another number is no date
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T].*)?")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_MONTH_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NOT_IN_NAMES = re.compile(r"[^a-z]+")


class Source(msgspec.Struct, frozen=True):
    """A slot for one partner's extract. ``stale_after_days``: older than that it is said to be."""

    ref: str
    label: str
    agency: str
    what: str
    kinds: list[str]
    stale_after_days: int
    columns: dict[str, str]


class Sources(msgspec.Struct, frozen=True):
    """All slots, with the version of the table and where the number of them comes from."""

    version: str
    source: str
    sources: list[Source]


SOURCES = read_data("partner_sources.json", Sources)
BY_REF = {each.ref: each for each in SOURCES.sources}

# Our fields; the person is named by one of ``person``, or by ``name`` and ``born_on`` together.
FIELDS = ("entry", "person", "name", "born_on", "on", "kind", "what", "reliability", "handling")
NEEDED = ("entry", "on", "what")


class Purpose(Enum):
    """Why somebody looks a person up; without one nothing is shown."""

    RISK_REVIEW = "risk_review"
    TRIAGE = "triage_of_a_referral"
    PLAN = "plan_or_review"
    BREACH = "breach_or_incident"
    MEETING = "meeting"
    SAFETY = "safety_of_somebody"


class Reliability(Enum):
    """How far a source is trusted, 1 to 3 (College of Policing 3x5x2 intelligence report)."""

    RELIABLE = "1"
    UNTESTED = "2"
    NOT_RELIABLE = "3"

    @property
    def words(self) -> str:
        """As the page says it."""
        return {"1": "reliable", "2": "untested", "3": "not reliable"}[self.value]


class Handling(Enum):
    """Who may have it: P permits sharing, C has conditions (3x5x2)."""

    PERMITS = "P"
    CONDITIONS = "C"

    @property
    def words(self) -> str:
        """As the page says it."""
        return {"P": "may be shared", "C": "ask before you share it"}[self.value]


class Entry(msgspec.Struct, frozen=True):
    """One row as it is kept, without whom it is about."""

    ref: str
    on: date
    kind: str
    what: str
    reliability: str
    handling: str


class Subject(msgspec.Struct, frozen=True):
    """Whom a row names: by a reference, or by name and date of birth."""

    person: str
    name: str
    born_on: date | None


class Mapped(msgspec.Struct, frozen=True):
    """The settings of a source in an area: its columns, and under what the data may be shared.

    ``columns`` gives for our field the column of the file. ``agreement`` names the sharing
    agreement and its lawful basis; without one, or after ``agreed_until``, nothing is taken in.
    """

    source: str
    columns: dict[str, str]
    agreement: str
    agreed_until: date | None = None


class LookUp(msgspec.Struct, frozen=True):
    """That somebody looked a person up: why, and how many entries each source had."""

    purpose: Purpose
    note: str
    found: dict[str, int]


MAPPED = RecordKind(
    "partner_source",
    "Source of a partner",
    "PS",
    Mapped,
    Permission.USE_PARTNER_DATA,
    Permission.LOAD_PARTNER_DATA,
)
LOOK_UP = RecordKind(
    "look_up",
    "Look-up of partners' records",
    "LU",
    LookUp,
    Permission.USE_PARTNER_DATA,
    Permission.USE_PARTNER_DATA,
)


class BadRow(ValueError):
    """A row that cannot be taken in: which of our fields, and what to do. Never what it said."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")
        self.field = field
        self.what = what


class BadMapping(ValueError):
    """A mapping that cannot be used; the message says which field and what to do."""


def check_columns(columns: Mapping[str, str]) -> None:
    """Refuse a mapping that could not find whom or what a row is about."""
    for field in columns:
        if field not in FIELDS:
            raise BadMapping(f"{field} is not one of our fields: {', '.join(FIELDS)}")
    for field in NEEDED:
        if not columns.get(field):
            raise BadMapping(f"Say which column is {field}")
    if not columns.get("person") and not (columns.get("name") and columns.get("born_on")):
        raise BadMapping("Say which column is person, or which are name and born_on")
    given = [each for each in columns.values() if each]
    for column in given:
        if given.count(column) > 1:
            raise BadMapping(f"Column {column!r} is named for two fields")


def missing_columns(columns: Mapping[str, str], header: list[str]) -> list[str]:
    """Columns of a mapping that a file does not have, in the order of our fields."""
    named = [columns[field] for field in FIELDS if columns.get(field)]
    return [each for each in named if each not in header]


def read_row(
    source: Source, columns: Mapping[str, str], row: Mapping[str, str]
) -> tuple[Subject, Entry]:
    """What a row says; raises :class:`BadRow`. Days are as the partner wrote them, of London.

    The words are whole; :func:`to_keep` makes of them what is kept.
    """

    def cell(field: str) -> str:
        return row.get(columns.get(field, ""), "").replace("\x00", "").strip()

    ref, what = cell("entry"), " ".join(cell("what").split())
    if not ref or len(ref) > LONGEST_REF:
        raise BadRow("entry", f"give each row a reference of 1 to {LONGEST_REF} characters")
    if not what:
        raise BadRow("what", "is empty; say what happened")
    kind = cell("kind") or source.kinds[0]
    if kind not in source.kinds:
        raise BadRow("kind", f"is none of {', '.join(source.kinds)}")
    reliability = cell("reliability") or Reliability.UNTESTED.value
    if reliability not in {each.value for each in Reliability}:
        raise BadRow("reliability", "is none of 1, 2, 3")
    handling = cell("handling").upper() or Handling.CONDITIONS.value
    if handling not in {each.value for each in Handling}:
        raise BadRow("handling", "is neither P nor C")
    on = read_day(cell("on"), "on")
    born = cell("born_on")
    subject = Subject(cell("person"), cell("name"), read_day(born, "born_on") if born else None)
    if not subject.person and not (subject.name and subject.born_on):
        raise BadRow("person", "nobody is named: give a reference, or a name and a date of birth")
    return subject, Entry(ref, on, kind, what, reliability, handling)


def to_keep(entry: Entry) -> Entry:
    """The entry as it is kept: without where somebody lives, and shortened. Raises :class:`BadRow`.

    Asked only of rows about people of the cohort: nothing of the others is kept, so that nobody
    has to mend them.
    """
    wrong = private_text.fault(entry.what)
    if wrong is not None:
        raise BadRow("what", f"has what is not kept here. {wrong}")
    return msgspec.structs.replace(entry, what=entry.what[:LONGEST_WHAT])


def read_day(typed: str, field: str) -> date:
    """A day as spreadsheets write it; raises :class:`BadRow`.

    27/03/2026 and 27.3.2026 with the day first, 2026-03-27, 27 Mar 2026, each with or without a
    time behind it, and Excel's number of days. A two-digit year is refused, since it is a guess.
    """
    text = typed.strip()
    try:
        made = _day(text)
    except ValueError:
        made = None
    if made is None or made.year not in YEARS:
        raise BadRow(field, "is not a date such as 27/03/2026 or 2026-03-27")
    return made


def _day(text: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_FIRST.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if found := _MONTH_NAMED.fullmatch(text):
        return date(int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1]))
    if (found := _SERIAL.fullmatch(text)) and int(found[1]) in _EXCEL_SERIALS:
        return _EXCEL_DAY_0 + timedelta(days=int(found[1]))
    return None


def plain_name(name: str) -> str:
    """A name as two records of it are compared: letters only, in order of the alphabet.

    So "O'Neill, Sean" is "Sean ONeill". Accents are taken off.
    """
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    joined = bare.replace("'", "").replace("-", "")
    return " ".join(sorted(part for part in _NOT_IN_NAMES.split(joined) if part))
