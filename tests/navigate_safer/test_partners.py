"""Extracts of partners: dates of spreadsheets, mixed encodings, bad rows, the same file again."""

import contextlib
import os
from datetime import date, datetime, timedelta

import msgspec
import pytest
from case_files import START, small_case_file
from databases import Database
from hypothesis import given
from hypothesis import strategies as st

from navigate_safer.db.audit import AuditRow
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
from navigate_safer.people.referrals import KNOWN_AS, KnownAs
from navigate_safer.services import (
    hub,
    partner_files,
    partner_import,
    records,
    referrals,
    register,
    timeline,
)
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
        (b"[" * 200_000, "x.json", "nested too deeply"),
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


def bad_of(office: Office) -> list[tuple[int, str]]:
    return [(each.line, each.field) for each in office.database.all(PartnerBadRow)]


@pytest.mark.parametrize(
    "what",
    [
        "Call to 14 Fletching Row, loud",
        "She is at CH1 2HU now",
        "Rang from 07700 900199",
        "She went to a refuge",
        f"{'He shouted. ' * 30}She lives at 14 Fletching Row",
    ],
)
def test_a_partners_words_with_an_address_are_kept_out_and_not_repeated(
    office: Office, what: str
) -> None:
    office.agree()
    row = office.row(what=f'"{what}"')
    office.send(row, office.row("H-2"), office.row("H-3", who="Nobody Known", what=f'"{what}"'))
    read = office.read()
    assert (read.added, read.bad, read.not_ours) == (1, 1, 1)
    assert bad_of(office) == [(2, "what")]
    told = office.database.all(PartnerBadRow)[0].what
    assert "Take out the" in told
    assert not {"Fletching", "CH1", "07700"} & set(told.replace(",", " ").split())
    assert office.current() == ["Notice served"]


def test_a_long_summary_is_shortened_once_it_was_looked_at(office: Office) -> None:
    office.agree()
    office.send(office.row(what="x" * 300))
    office.read()
    assert office.current() == ["x" * 200]


def test_the_same_file_is_read_again_by_another_mapping(office: Office) -> None:
    office.agree()
    header, rows = f"{HEADER},words", [f"{office.row()},The words that were meant"]
    first, _ = office.send(*rows, header=header)
    office.read()
    office.agree({**COLUMNS, "what": "words"}, replaces=1)
    again, new = office.send(*rows, header=header)
    assert new
    assert again != first
    assert office.read().changed == 1
    assert office.current() == ["The words that were meant"]
    assert office.send(*rows, header=header) == (again, False)


def test_a_file_that_waits_is_read_by_the_mapping_that_it_was_sent_under(office: Office) -> None:
    office.agree()
    office.send(f"{office.row()},Other words", header=f"{HEADER},words")
    office.agree({**COLUMNS, "what": "words"}, replaces=1)
    office.read()
    assert office.current() == ["Notice served"]


def take_on(office: Office, name: str, ref: str) -> WearerRow:
    row = {each: getattr(office.person, each) for each in ("born_on", "area_id", "locality")}
    with office.database.sessions.begin() as session:
        session.add(WearerRow(ref=ref, name=name, band="high", **row))
    return office.database.one(WearerRow, WearerRow.ref == ref)


def test_whoever_is_taken_on_later_gets_the_rows_that_came_before(office: Office) -> None:
    office.agree()
    rows = office.row(), office.row("H-2", who="Osric Newcome", what="Warned by the landlord")
    office.send(*rows)
    assert office.read().not_ours == 1
    take_on(office, "Osric Newcome", "W-NEW")
    assert office.send(*rows)[1]
    read = office.read()
    assert (read.added, read.unchanged, read.not_ours) == (1, 1, 0)
    assert office.current() == ["Notice served", "Warned by the landlord"]


def test_a_file_that_lies_in_the_folder_is_not_read_at_each_start(office: Office, tmp_path) -> None:
    office.agree()
    place = tmp_path / "west" / "housing"
    place.mkdir(parents=True)
    file = place / "november.csv"
    file.write_text(f"{HEADER}\n{office.row()}\n{office.row('H-2', who='Osric Newcome')}\n")

    def start(put_at: datetime, now: datetime) -> int:
        os.utime(file, (put_at.timestamp(), put_at.timestamp()))
        return hub.Folder(str(tmp_path)).tick(office.database.sessions, now)

    day = timedelta(days=1)
    assert start(START - day, START) == 1
    assert start(START - day, START + 3 * day) == 0
    take_on(office, "Osric Newcome", "W-NEW")
    assert start(START + 3 * day, START + 4 * day) == 1, "somebody has put it there again"
    read = office.database.all(PartnerImportRow)[-1]
    assert (read.added, read.as_at) == (1, day_of(START)), "it says what it said on the first day"


def known_as(office: Office, person: WearerRow, **numbers: str) -> None:
    with office.database.sessions.begin() as session:
        of, _ = records.about(session, office.scope, person.ref)
        slot = referrals.known_as_slot(person.id)
        records.add(session, office.scope, KNOWN_AS, of, KnownAs(**numbers), now=START, slot=slot)


@pytest.mark.parametrize(
    ("person", "who", "added", "bad"),
    [
        pytest.param("W-1", "", 1, 0, id="our own reference"),
        pytest.param("x123456", "", 1, 0, id="his CRN"),
        pytest.param("2012/123456A", "", 1, 0, id="his PNC number"),
        pytest.param("TEN-77", "HIM", 1, 0, id="the partner's own number, and his name"),
        pytest.param("TEN-77", "", 0, 0, id="the partner's own number alone"),
        pytest.param("X999999", "HIM", 0, 1, id="his name with another man's CRN"),
        pytest.param("A1234BC", "HIM", 1, 0, id="a prison number that nobody knew, and his name"),
    ],
)
def test_a_person_is_found_by_what_intake_has_kept_and_else_by_name(
    office: Office, person: str, who: str, added: int, bad: int
) -> None:
    known_as(office, office.person, crn="X123456", pnc="12/0123456A")
    office.agree({**COLUMNS, "person": "number"})
    person = office.person.ref if person == "W-1" else person
    name = office.person.name if who else ""
    born = f"{office.person.born_on:%d/%m/%Y}"
    office.send(f"H-1,{name},{born},03/11/2026,Notice,{person}", header=f"{HEADER},number")
    read = office.read()
    assert (read.added, read.bad) == (added, bad)


def test_a_number_that_two_people_have_is_not_guessed_between(office: Office) -> None:
    for each in (office.person, take_on(office, "Osric Newcome", "W-NEW")):
        known_as(office, each, crn="X123456")
    office.agree({**COLUMNS, "person": "number"})
    office.send("H-1,,,03/11/2026,Notice,X123456", header=f"{HEADER},number")
    assert office.read().bad == 1


@pytest.mark.parametrize("stopped_after_a_part", [False, True])
def test_a_reference_is_not_on_two_rows_however_far_apart(
    office: Office, stopped_after_a_part: bool
) -> None:
    office.agree()
    many = [office.row(f"H-{number}", what=f"Event {number}") for number in range(2_500)]
    office.send(*many, office.row("H-10", what="Another thing"))
    if stopped_after_a_part:
        turns = iter([False, True])
        partner_import.read_waiting(office.database.sessions, START, lambda: next(turns))
    read = office.read()
    assert (read.added, read.changed, read.bad) == (2_500, 0, 1)
    assert bad_of(office) == [(2_502, "entry")]
    assert "Event 10" in office.current()


def test_an_older_extract_says_nothing_against_what_a_newer_one_has_confirmed(
    office: Office,
) -> None:
    office.agree()
    office.send(office.row(), as_at=day_of(START) - timedelta(days=9))
    office.read()
    office.send(office.row(), office.row("H-2"), as_at=day_of(START))
    assert office.read().unchanged == 1
    office.send(office.row(what="Withdrawn"), as_at=day_of(START) - timedelta(days=3))
    assert office.read().older == 1
    assert office.current() == ["Notice served", "Notice served"]


def test_a_deeply_nested_file_stops_no_other_of_the_folder(office: Office, tmp_path) -> None:
    office.agree()
    place = tmp_path / "west" / "housing"
    place.mkdir(parents=True)
    (place / "a.json").write_text("[" * 200_000)
    (place / "b.csv").write_text(f"{HEADER}\n{office.row()}\n")
    assert hub.Folder(str(tmp_path)).tick(office.database.sessions, START) == 1
    assert office.current() == ["Notice served"]


def test_lines_of_another_encoding_are_counted_on_the_page_of_the_hub(office: Office) -> None:
    office.agree()
    first, second = f"{HEADER}\n{office.row()}\n", office.row("H-2", what="José")
    content = first.encode() + second.encode("cp1252")
    partner_import.take(
        office.database.sessions, office.scope, "housing", office.area_id, "h.csv", content,
        day_of(START), START,
    )  # fmt: skip
    office.read()
    (line,) = hub.see(office.database.sessions, office.scope, START).imports
    assert (line.other_encoding, line.added) == (1, 2)


def test_the_look_up_is_one_list_by_date_of_partners_and_the_services_own(office: Office) -> None:
    office.agree()
    office.send(office.row(), office.row("H-2", when="19/11/2026", what="Complaint"))
    office.read()
    known_as(office, office.person, crn="X123456")
    sessions, ref = office.database.sessions, office.person.ref
    before = timeline.see(sessions, office.scope, ref, START)
    assert timeline.PARTNER not in {each.source for each in before.events}, "no purpose, no extract"
    found = hub.look_up(sessions, office.scope, ref, Purpose.PLAN, "review", START)
    assert found.timeline is not None
    events = [(each.source, each.kind) for each in found.timeline.events]
    assert events[-2:] == [("partner", "tenancy"), ("partner", "tenancy")]
    assert {("casework", "known_as"), ("casework", "look_up")} <= set(events)
    newer, older = found.timeline.events[-2:]
    assert (newer.by, newer.text) == ("Housing", "Complaint (untested; ask before you share it)")
    assert older.at < newer.at
    assert hub.see_before(sessions, office.scope, ref).timeline is None
    seen = office.database.all(AuditRow, AuditRow.what == "timeline")
    assert len(seen) == 2
