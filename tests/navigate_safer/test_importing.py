"""A month of a vendor's export: through the same door as telemetry, once, in any order."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from case_files import INSIDE, MINUTE, OUTSIDE, START, Place, fix, message
from exports import MAPPING, export, minutes, row
from watch import Watch

from alerts.terms import DeviceKind
from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import make_engine, make_sessions
from navigate_safer.db.days import DayState
from navigate_safer.db.imports import ImportRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.reading_rows import DeviceEventRow, FixRow, ReadingDayRow
from navigate_safer.db.telemetry import PendingRow, QuarantineRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Device
from navigate_safer.services import import_source, importing, repair
from navigate_safer.services.import_source import ImportFault, open_source
from navigate_safer.services.importing import Importer, Wish

# The wearer's tag was fitted two days before START; the export is of the evening before it.
EVENING = START - timedelta(days=1)
OLDEST = date(2026, 11, 1)
WISH = Wish(OLDEST)
# In and out of the zone: an hour with a visit of ten minutes.
HOUR = [INSIDE if 20 <= minute < 30 else OUTSIDE for minute in range(60)]


@pytest.fixture
def vendor(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export of TAG-1's hour, changed as the test says."""

    def write(change=list, name: str = "export.csv") -> Path:
        return export(tmp_path / name, change(minutes("TAG-1", EVENING, MINUTE, HOUR)))

    return write


def importer(
    watch: Watch,
    path: Path,
    wish: Wish = WISH,
    mapping: bytes = MAPPING,
    kind: type[Importer] = Importer,
    **sizes: int,
) -> Importer:
    source = open_source(path, mapping, wish.gateway)
    return kind(watch.sessions, source, wish, watch.clock, watch.limits, **sizes)


def take(watch: Watch, path: Path, wish: Wish = WISH, mapping: bytes = MAPPING, **sizes: int):
    """Import and judge; the final progress."""
    made = importer(watch, path, wish, mapping, **sizes)
    for _ in made.run():
        pass
    watch.judge()
    return made.progress


def episodes(watch: Watch) -> list[tuple]:
    return [
        (each.kind, each.started_at, each.ended_at)
        for each in watch.database.all(EpisodeRow)
        if not each.withdrawn and each.kind == "exclusion_breach"
    ]


def refusals(watch: Watch) -> list[tuple[int, str]]:
    rows = watch.database.all(QuarantineRow)
    return sorted((each.reading_index, each.explanation) for each in rows)


def test_an_hour_is_stored_and_judged_as_late_data(watch: Watch, vendor) -> None:
    done = take(watch, vendor())
    assert (done.stored, done.repeated, done.refused_lines) == (60, 0, 0)
    assert watch.database.count(FixRow) == 60
    ((_, began, ended),) = episodes(watch)
    assert EVENING + 19 * MINUTE < began < EVENING + 20 * MINUTE
    assert EVENING + 29 * MINUTE < ended < EVENING + 30 * MINUTE
    assert watch.database.one(AlertRow).late_data


@pytest.mark.parametrize("change", [
    pytest.param(lambda rows: rows[::-1], id="newest first"),
    pytest.param(lambda rows: rows[1::2] + rows[::2], id="every other row, then the rest"),
    pytest.param(lambda rows: rows + rows, id="the whole of it twice"),
])  # fmt: skip
@pytest.mark.parametrize("at_once", [7, 5_000])
def test_the_order_of_the_rows_does_not_matter(watch: Watch, vendor, change, at_once: int) -> None:
    made = importer(watch, vendor(change), lines_at_once=at_once)
    for _ in made.run():
        watch.judge()
    assert watch.database.count(FixRow) == 60
    ((_, began, ended),) = episodes(watch)
    assert EVENING + 19 * MINUTE < began < EVENING + 20 * MINUTE
    assert EVENING + 29 * MINUTE < ended < EVENING + 30 * MINUTE


def test_what_came_live_already_is_a_repeat(watch: Watch, vendor) -> None:
    for number, place in enumerate(HOUR[:10]):
        watch.receive(message("TAG-1", fix(EVENING + MINUTE * number, place)))
    done = take(watch, vendor())
    assert (done.stored, done.repeated) == (50, 10)


def test_a_second_run_stores_nothing_and_says_that_it_is_done(watch: Watch, vendor) -> None:
    take(watch, vendor())
    again = take(watch, vendor())
    assert again.finished_before == watch.clock()
    anew = take(watch, vendor(), msgspec.structs.replace(WISH, again=True))
    assert (anew.stored, anew.repeated) == (0, 60)
    assert watch.database.count(FixRow) == 60
    assert watch.database.count(ImportRow) == 1


def test_a_corrected_mapping_is_another_import(watch: Watch, vendor) -> None:
    take(watch, vendor())
    other = take(watch, vendor(), mapping=MAPPING + b"# corrected\n")
    assert (other.finished_before, other.repeated) == (None, 60)


class Killed(BaseException):
    pass


class Dying(Importer):
    """Killed between storing a batch and writing its place down."""

    at_line = 0

    def _settle(self, *given) -> None:
        if self.progress.lines > self.at_line:
            raise Killed
        super()._settle(*given)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_an_import_that_was_killed_goes_on_from_its_last_place(
    watch: Watch, vendor, kept: int
) -> None:
    path = vendor(lambda rows: [*rows[:15], "spoilt", *rows[15:]])
    first = importer(watch, path, kind=Dying, lines_at_once=10)
    first.at_line = kept * 10 + 1
    with pytest.raises(Killed):
        list(first.run())
    assert watch.database.count(FixRow) > kept * 10 - 1

    second = importer(watch, path, lines_at_once=10)
    assert second.progress.lines == kept * 10 + 1
    assert second.progress.resumed == (kept > 0)
    list(second.run())
    watch.judge()
    assert watch.database.count(FixRow) == 60
    assert watch.database.count(FixRow) == second.progress.stored + second.progress.repeated
    assert second.progress.refused == {"malformed": 1}
    assert [times.times for times in watch.database.all(QuarantineRow)] == [1]
    assert len(episodes(watch)) == 1


def test_bad_rows_are_kept_with_their_line_and_reason_and_cost_the_others_nothing(
    watch: Watch, vendor
) -> None:
    def spoil(rows: list[str]) -> list[str]:
        rows[3] = row("TAG-9", EVENING, OUTSIDE)
        rows[10] = row("TAG-1", EVENING, Place(-2.9, 53.2))
        rows[20] = rows[20].replace("19/11/2026", "2026-11-19")
        rows[30] = row("TAG-1", START - timedelta(days=30), OUTSIDE)
        rows[40] = ""
        return rows

    done = take(watch, vendor(spoil))
    assert done.refused == {
        "unknown_device": 1, "coordinates_swapped": 1, "invalid": 1, "time_too_old": 1,
    }  # fmt: skip
    assert watch.database.count(FixRow) == 55
    found = refusals(watch)
    assert [line for line, _ in found] == [5, 12, 22, 32]
    assert all(text.startswith(f"line {line}: ") for line, text in found)
    assert "(--oldest)" in found[3][1]
    assert not any("53." in text for _, text in found)


def supervisor(watch: Watch, *areas: str) -> Scope:
    known = {each.ref: each.id for each in watch.database.all(AreaRow)}
    staff = watch.database.one(StaffRow, StaffRow.ref == "sup-1").id
    return Scope(staff, Role.SUPERVISOR, frozenset(known[ref] for ref in areas))


def test_a_refused_line_is_shown_to_those_who_may_see_its_device_and_of_hers_to_nobody(
    watch: Watch, vendor
) -> None:
    hers = Device("HERS-1", "Phone", DeviceKind.PROTECTED_PERSON, gateway="gw-west")
    watch.register(CaseFile(v=1, devices=[hers]))
    long_ago = START - timedelta(days=300)
    lines = [row(device, long_ago, OUTSIDE) for device in ("TAG-1", "TAG-2", "HERS-1")]
    take(watch, vendor(lambda rows: [*rows, *lines, lines[2] + ",one column more"]))
    kept = sorted(watch.database.all(QuarantineRow), key=lambda each: each.reading_index)
    assert [each.device for each in kept] == ["TAG-1", "TAG-2", "HERS-1", None]

    def shown(*areas: str) -> list[bool]:
        scope = supervisor(watch, *areas)
        seen = [repair.see_entry(watch.sessions, scope, each.id, START) for each in kept]
        return [each.payload is not None for each in seen]

    assert shown("west") == [True, False, False, False]
    assert shown("west", "east") == [True, True, False, False], "the last may be hers"


def test_the_hour_that_was_twice_is_refused_by_name_or_taken_as_the_mapping_says(
    watch: Watch, vendor
) -> None:
    """The clocks went back at 01:00 UTC on 25 October 2026."""
    watch.clock.at = START
    rows = [f"TAG-SPARE,25/10/2026 0{hour}:30:00,53.2,-2.9,8," for hour in (0, 1, 2)]
    wish = Wish(date(2026, 10, 1), gateway="gw-west")
    done = take(watch, vendor(lambda _: rows), wish)
    assert (done.stored, done.refused) == (2, {"invalid": 1})
    assert "clocks went back" in refusals(watch)[0][1]
    told = MAPPING.replace(b"[time]", b'[time]\nambiguous = "second"')
    assert take(watch, vendor(lambda _: rows), wish, told).stored == 1


def test_days_older_than_telemetry_may_be_are_taken_when_the_import_says_so(
    watch: Watch, vendor
) -> None:
    long_ago = START - timedelta(days=200)
    path = vendor(lambda _: [row("TAG-1", long_ago, OUTSIDE)])
    done = take(watch, path, Wish(date(2026, 1, 1)))
    assert done.stored == 1
    assert watch.database.one(FixRow).measured_at.date() == long_ago.date()


def test_a_day_that_is_archived_takes_no_further_readings(watch: Watch, vendor) -> None:
    with watch.sessions.begin() as session:
        day = ReadingDayRow(
            day=EVENING.date(), kind="fixes", state=DayState.ARCHIVED.value,
            changed_at=watch.clock(), late_rows=0,
        )  # fmt: skip
        session.add(day)
    done = take(watch, vendor())
    assert done.refused == {"time_too_old": 60}
    assert "its day is archived" in refusals(watch)[0][1]
    assert watch.database.count(PendingRow) == 0


@pytest.mark.parametrize(
    ("device", "gateway", "reason"),
    [
        pytest.param("TAG-1", None, None, id="its own gateway"),
        pytest.param("TAG-1", "gw-west", None, id="the same by name"),
        pytest.param("TAG-1", "gw-east", "wrong_gateway", id="another's"),
        pytest.param("TAG-LENT", "gw-east", None, id="a tag that any may speak for"),
        pytest.param("TAG-LENT", None, "unknown_gateway", id="such a tag and nobody named"),
    ],
)
def test_who_speaks_for_the_device(
    watch: Watch, vendor, device: str, gateway: str | None, reason: str | None
) -> None:
    path = vendor(lambda _: [row(device, EVENING, OUTSIDE)])
    done = take(watch, path, Wish(OLDEST, gateway=gateway))
    assert list(done.refused) == ([] if reason is None else [reason])
    assert done.stored == (reason is None)


def test_a_dry_run_counts_and_leaves_no_trace(watch: Watch, vendor) -> None:
    before = watch.database.counts()
    done = take(watch, vendor(lambda rows: [*rows, "x"]), Wish(OLDEST, dry_run=True))
    assert (done.stored, done.refused) == (60, {"malformed": 1})
    assert watch.database.counts() == before


def test_a_row_may_hold_an_event_beside_its_position(watch: Watch, vendor) -> None:
    take(watch, vendor(lambda _: [row("TAG-1", EVENING, OUTSIDE, "Strap opened")]))
    assert watch.database.one(DeviceEventRow).code == "Strap_opened"
    assert watch.database.count(FixRow) == 1


def test_a_mapping_that_fits_nothing_stops_before_anything_is_written(watch: Watch, vendor) -> None:
    rows = [row("TAG-9", EVENING + MINUTE * n, OUTSIDE) for n in range(importing.NONE_OF_FIRST)]
    made = importer(watch, vendor(lambda _: rows))
    with pytest.raises(ImportFault, match="none of the first 1,000 lines can be taken; line 2: no"):
        list(made.run())
    assert watch.database.count(QuarantineRow) == 0


def test_ever_so_many_bad_rows_are_counted_and_so_many_kept(watch: Watch, vendor) -> None:
    done = take(watch, vendor(lambda rows: [*rows, *["x"] * 30]), most_kept=5)
    assert done.refused == {"malformed": 30}
    assert watch.database.count(QuarantineRow) == 5


def test_the_import_is_in_the_log(watch: Watch, vendor) -> None:
    take(watch, vendor())
    entry = watch.database.one(AuditRow, AuditRow.what == "readings imported")
    assert (entry.act, entry.actor) == ("collection", "import")
    assert entry.detail == {"lines": 61, "stored": 60, "repeated": 0}


# Files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "no heading", id="empty"),
        pytest.param(b"\n\n", "no heading", id="an empty first line"),
        pytest.param("Tag,When".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"Tag,When\n", "columns.lat: 'Latitude' is not", id="another vendor's"),
        pytest.param(b"\x80\x81\x82\n", "not text in utf-8", id="not text"),
        pytest.param(b"Tag,When\rTAG-1,x\r", "a lone CR", id="line ends of an old Macintosh"),
    ],
)
def test_a_file_that_cannot_be_imported_is_one_line(tmp_path: Path, content, words) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    with pytest.raises(ImportFault) as told:
        open_source(path, MAPPING, None)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_mark_windows_line_ends_and_no_last_line_end_are_taken(watch: Watch, vendor) -> None:
    path = vendor()
    text = path.read_text().rstrip("\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert take(watch, path).stored == 60


def test_an_endless_line_is_refused_and_the_next_one_taken(watch: Watch, vendor) -> None:
    endless = "x" * (3 * import_source.LONGEST_LINE_BYTES)
    done = take(watch, vendor(lambda rows: [*rows[:30], endless, *rows[30:]]))
    assert (done.stored, done.refused, done.lines) == (60, {"too_large": 1}, 62)


def test_lines_of_another_encoding_are_refused_by_themselves(watch: Watch, vendor) -> None:
    path = vendor()
    raw = path.read_bytes().splitlines(keepends=True)
    raw[5] = raw[5].replace(b"TAG-1", b"TAG-\xa31")
    path.write_bytes(b"".join(raw))
    done = take(watch, path)
    assert (done.stored, done.refused) == (59, {"malformed": 1})


def test_a_database_that_goes_away_stops_the_import_at_its_last_place(
    watch: Watch, vendor, tmp_path: Path
) -> None:
    made = importer(watch, vendor(), lines_at_once=20)
    turns = made.run()
    next(turns)
    nowhere = make_engine(f"sqlite:///{tmp_path / 'gone' / 'away.sqlite3'}")
    there, made._sessions = made._sessions, make_sessions(nowhere)
    with pytest.raises(ImportFault, match=r"the database is away .* go on after line 21"):
        next(turns)
    made._sessions = there
    done = take(watch, vendor())
    assert (done.resumed, done.stored) == (True, 60)
    nowhere.dispose()
