"""Extracts of partners: dates of spreadsheets, mixed encodings, bad rows, the same file again."""

import contextlib
from datetime import date, timedelta

import msgspec
import pytest
from case_files import START, small_case_file
from databases import Database
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.db.partners import PartnerBadRow, PartnerEntryRow, PartnerImportRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.partners import (
    SOURCES,
    BadMapping,
    BadRow,
    Mapped,
    Purpose,
    check_columns,
    plain_name,
    read_day,
)
from navigate_safer.services import hub, partner_files, partner_import, register
from navigate_safer.services.partner_files import BadFile
from navigate_safer.services.partner_import import NotAgreed

COLUMNS = {"entry": "ref", "name": "who", "born_on": "dob", "on": "when", "what": "summary"}
HEADER = "ref,who,dob,when,summary"


@pytest.mark.parametrize(
    "typed",
    [
        "27/03/2026", "27.3.2026", "27-03-2026 14:05", "2026-03-27", "2026-03-27T14:05:00",
        "46108", "46108.58", "27 Mar 2026", "27-March-2026",
    ],
)  # fmt: skip
def test_a_day_is_read_as_spreadsheets_write_it(typed: str) -> None:
    assert read_day(typed, "on") == date(2026, 3, 27)


@pytest.mark.parametrize(
    "typed", ["", "03/27/2026", "27/03/26", "31/02/2026", "1234", "99999", "soon", "27/03/0026"]
)
def test_what_could_be_two_days_or_none_is_refused(typed: str) -> None:
    with pytest.raises(BadRow, match="is not a date"):
        read_day(typed, "on")


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_each_form_of_a_day_says_the_same_day(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for typed in (
        f"{day:%d/%m/%Y}",
        day.isoformat(),
        str(serial),
        f"{day.day} {day:%b} {day.year}",
    ):
        assert read_day(typed, "on") == day


@given(st.text())
def test_any_other_text_is_refused_and_never_a_fault(typed: str) -> None:
    with contextlib.suppress(BadRow):
        assert read_day(typed, "on").year in range(1900, 2200)


def test_names_are_compared_without_order_accents_and_apostrophes() -> None:
    assert plain_name("O'Neill, Seán") == plain_name("sean ONEILL")
    assert plain_name("Ann Lee") != plain_name("Ann Leigh")


def test_a_mapping_that_names_nobody_is_refused() -> None:
    check_columns(COLUMNS)
    with pytest.raises(BadMapping, match="person, or which are name and born_on"):
        check_columns({**COLUMNS, "born_on": ""})
    with pytest.raises(BadMapping, match="named for two fields"):
        check_columns({**COLUMNS, "kind": "summary"})


def test_each_of_eleven_slots_can_be_read_by_the_mapping_it_ships_with() -> None:
    assert len(SOURCES.sources) == 11
    for each in SOURCES.sources:
        check_columns(each.columns)


def test_a_file_of_two_encodings_is_read_line_by_line() -> None:
    content = "ref,who\nA-1,Zoë\n".encode() + "A-2,José\n".encode("cp1252")
    made = partner_files.read(content, "x.csv")
    assert [row["who"] for _, row in made.rows] == ["Zoë", "José"]
    assert made.other_encoding == 1


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"PK\x03\x04", "x.xlsx", "save the sheet as CSV"),
        (b"", "x.csv", "is empty"),
        (b"{", "x.json", "is not JSON"),
        (b'{"a": 1}', "x.json", "not a list of rows"),
        (b'a,b\n"x', "x.csv", "is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(content: bytes, name: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        partner_files.read(content, name)


class Office(msgspec.Struct, frozen=True):
    database: Database
    area_id: int
    scope: Scope
    person: WearerRow

    def agree(self, columns=COLUMNS, until=None, replaces=0) -> None:
        mapped = Mapped("housing", columns, "Agreement of 2026", until)
        partner_import.keep_setting(
            self.database.sessions, self.scope, self.area_id, mapped, replaces=replaces, now=START
        )

    def send(self, *rows: str, header=HEADER, as_at=None):
        content = "\n".join([header, *rows]).encode()
        return partner_import.take(
            self.database.sessions, self.scope, "housing", self.area_id, "h.csv", content,
            as_at or day_of(START), START,
        )  # fmt: skip

    def read(self) -> PartnerImportRow:
        partner_import.read_waiting(self.database.sessions, START)
        return self.database.all(PartnerImportRow)[-1]

    def row(self, ref="H-1", when="03/11/2026", what="Notice served", who=None) -> str:
        return f"{ref},{who or self.person.name},{self.person.born_on:%d/%m/%Y},{when},{what}"

    def current(self) -> list[str]:
        rows = self.database.all(PartnerEntryRow)
        return sorted(row.what for row in rows if row.superseded_at is None)


@pytest.fixture
def office(database: Database) -> Office:
    register.register(database.sessions, small_case_file(), START)
    area = database.one(AreaRow, AreaRow.ref == "west").id
    person = database.one(WearerRow, WearerRow.area_id == area)
    staff = database.all(StaffRow)[0]
    return Office(database, area, Scope(staff.id, Role.SUPERVISOR, frozenset({area})), person)


def test_good_rows_go_in_bad_ones_are_listed_and_strangers_are_not_kept(office: Office) -> None:
    office.agree()
    office.send(
        office.row(),
        office.row("H-2", when="soon"),
        office.row("H-3", who="Nobody Known"),
        office.row("H-1", what="The same reference"),
        "H-4,too few",
        office.row("H-5", when="03/11/2027"),
    )
    read = office.read()
    assert (read.all_rows, read.added, read.bad, read.not_ours) == (6, 1, 4, 1)
    assert read.content is None, "the file is not kept"
    bad = office.database.all(PartnerBadRow)
    assert [(each.line, each.field) for each in bad] == [
        (3, "on"),
        (5, "entry"),
        (6, "entry"),
        (7, "on"),
    ]
    assert not any(office.person.name in each.what for each in bad)
    assert office.current() == ["Notice served"]


def test_the_same_file_again_changes_nothing_and_a_corrected_one_one_row(office: Office) -> None:
    office.agree()
    first = office.send(office.row(), office.row("H-2"))
    office.read()
    assert office.send(office.row(), office.row("H-2")) == (first[0], False)
    office.send(office.row(), office.row("H-2", what="Notice withdrawn"))
    read = office.read()
    assert (read.added, read.changed, read.unchanged) == (0, 1, 1)
    assert office.current() == ["Notice served", "Notice withdrawn"]
    office.send(office.row(what="Older words"), as_at=day_of(START) - timedelta(days=3))
    assert office.read().older == 1
    assert office.current() == ["Notice served", "Notice withdrawn"]


def test_a_wrong_header_or_no_agreement_is_refused_and_nothing_is_kept(office: Office) -> None:
    with pytest.raises(NotAgreed, match="sharing agreement"):
        office.send(office.row())
    office.agree(until=day_of(START) - timedelta(days=1))
    with pytest.raises(NotAgreed, match="ended on"):
        office.send(office.row())
    office.agree(replaces=1)
    with pytest.raises(BadFile, match="no column 'when'"):
        office.send(office.row(), header=HEADER.replace("when", "date"))
    assert office.database.all(PartnerImportRow) == []


def test_a_reader_that_is_stopped_goes_on_where_it_was(office: Office) -> None:
    office.agree()
    many = [office.row(f"H-{number}", what=f"Event {number}") for number in range(5_000)]
    office.send(*many)
    turns = iter([False, True])
    partner_import.read_waiting(office.database.sessions, START, lambda: next(turns))
    half = office.database.all(PartnerImportRow)[0]
    assert (half.state, half.done_rows, half.added) == ("waiting", 2_000, 2_000)
    whole = office.read()
    assert (whole.state, whole.done_rows, whole.added) == ("done", 5_000, 5_000)
    assert len(office.current()) == 5_000


def test_two_of_one_name_and_birthday_are_not_guessed_between(office: Office) -> None:
    with office.database.sessions.begin() as session:
        row = {
            name: getattr(office.person, name)
            for name in ("name", "born_on", "area_id", "locality", "band")
        }
        session.add(WearerRow(ref="W-TWIN", **row))
    office.agree()
    office.send(office.row())
    assert office.read().bad == 1


def test_a_look_up_needs_a_role_and_leaves_its_purpose(office: Office) -> None:
    office.agree()
    office.send(office.row())
    office.read()
    sessions, ref = office.database.sessions, office.person.ref
    assert hub.see_before(sessions, office.scope, ref).answers is None
    found = hub.look_up(sessions, office.scope, ref, Purpose.PLAN, "review", START)
    by_source = {each.line.source.ref: each for each in found.answers}
    assert len(by_source) == 11
    assert [each.what for each in by_source["housing"].entries] == ["Notice served"]
    assert by_source["courts"].line.age_days is None
    assert [each.body.purpose for each in found.before] == [Purpose.PLAN]
    idva = Scope(office.scope.staff_id, Role.IDVA, office.scope.areas)
    with pytest.raises(Forbidden):
        hub.look_up(sessions, idva, ref, Purpose.PLAN, "review", START)


def test_files_of_the_folder_are_taken_up_once(office: Office, tmp_path) -> None:
    office.agree()
    place = tmp_path / "west" / "housing"
    place.mkdir(parents=True)
    (place / "november.csv").write_text(f"{HEADER}\n{office.row()}\n")
    (place / "notes.doc").write_text("not an extract")
    folder = hub.Folder(str(tmp_path))
    assert [folder.tick(office.database.sessions, START) for _ in range(2)] == [1, 0]
    assert hub.Folder(str(tmp_path)).tick(office.database.sessions, START) == 0
    assert office.current() == ["Notice served"]


def test_a_file_that_cannot_be_read_any_more_is_refused_and_stops_no_other(office: Office) -> None:
    office.agree()
    broken, _ = office.send(office.row())
    office.send(office.row("H-2"))
    with office.database.sessions.begin() as session:
        session.get_one(PartnerImportRow, broken).content = b"PK a workbook"
    assert partner_import.read_waiting(office.database.sessions, START) == 2
    states = {row.id: (row.state, row.content) for row in office.database.all(PartnerImportRow)}
    assert states.pop(broken) == ("refused", None)
    assert set(states.values()) == {("done", None)}
    assert office.current() == ["Notice served"]
