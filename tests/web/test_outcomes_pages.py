"""Outcomes: the page, the lists behind it, and what those who may not see names are shown."""

import io
import zipfile
from datetime import date, datetime, timedelta
from urllib.parse import quote

import pytest
from case_files import START
from sqlalchemy import select
from web.world import World, entry, words_of

from navigate_safer.db import outcomes as stored
from navigate_safer.db.alerting import EpisodeHistoryRow, EpisodeRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import WearerRow
from navigate_safer.people.casefile import CaseFile, Wearer
from navigate_safer.people.offending import EntryKind, IncidentRole
from navigate_safer.services import offending, register

NAMES = ("Umbershaw", "Pettivale", "Quennell", "W-EXC", "W-CUR")


def test_a_manager_reads_figures_with_what_they_can_say(quiet_world: World) -> None:
    words = words_of(quiet_world.visitor("manager").get("/outcomes"))
    assert "7 people, events up to 19 November 2026" in words
    assert "21 in 2,555 days at risk" in words
    assert "1 in 2,555 days at risk" in words
    assert "The rate is lower after than before" in words
    assert "does not show that the programme worked" in words
    assert "Haslington" not in words


def test_the_list_behind_a_figure_is_named_and_logged_for_each_person(quiet_world: World) -> None:
    words = words_of(quiet_world.visitor("manager").get("/outcomes/behind/after"))
    assert "1 person of your areas" in words
    assert "Leofric Umbershaw" in words
    assert "10 Dec 2025: Incident" in words
    assert "police record, as at 19 Nov 2026" in words
    (entry,) = quiet_world.database.all(
        AuditRow, AuditRow.what == "offending records behind a figure"
    )
    assert entry.subject_kind == "wearer"
    assert entry.detail == {"figure": "after", "entries": 1}


def test_a_list_that_no_figure_has_is_not_found(quiet_world: World) -> None:
    assert quiet_world.visitor("manager").get("/outcomes/behind/victims").status_code == 404


def test_who_may_see_figures_only_gets_the_last_quarter_without_small_numbers(
    quiet_world: World,
) -> None:
    auditor = quiet_world.visitor("auditor")
    page = auditor.get("/outcomes?window=90&area=west&as_at=2026-11-01")
    words = words_of(page)
    assert page.status_code == 200
    assert "events up to 30 September 2026" in words, "whatever the address asks for"
    assert "Window 365 days" in words
    assert "left out: fewer than 5" in words
    assert not any(name in page.text for name in NAMES)
    assert "/outcomes/behind" not in page.text
    assert auditor.get("/outcomes/behind/before").status_code == 403


def test_a_manager_can_look_at_what_a_board_would_see(quiet_world: World) -> None:
    page = quiet_world.visitor("manager").get("/outcomes?view=public").text
    assert "figures without names" in page
    assert not any(name in page for name in NAMES)


def test_a_day_that_is_not_over_and_a_word_for_a_day_are_refused_in_words(
    quiet_world: World,
) -> None:
    manager = quiet_world.visitor("manager")
    future = manager.get("/outcomes?as_at=2027-01-01")
    assert future.status_code == 422
    assert "days that are over" in words_of(future)
    assert "Enter the day as year-month-day" in words_of(manager.get("/outcomes?as_at=soon"))


def test_an_area_of_somebody_else_is_like_none(quiet_world: World) -> None:
    manager = quiet_world.visitor("manager")
    assert manager.get("/outcomes?area=east").status_code == 404
    assert manager.get("/outcomes?area=nowhere").status_code == 404


def test_looking_is_logged(quiet_world: World) -> None:
    quiet_world.visitor("manager").get("/outcomes")
    (entry,) = quiet_world.database.all(AuditRow, AuditRow.what == "outcomes")
    assert entry.detail == {"as_at": "2026-11-19", "people": 7}


def test_the_joint_framework_says_what_was_not_supplied(quiet_world: World) -> None:
    words = words_of(quiet_world.visitor("auditor").get("/outcomes/framework"))
    assert "Children on a child protection plan not supplied" in words
    assert "Re-offending by known perpetrators cannot be estimated" in words
    assert not any(name in words for name in NAMES)


def test_the_pack_of_a_moment_is_the_same_after_records_have_been_corrected(
    quiet_world: World,
) -> None:
    manager = quiet_world.visitor("manager")
    known = quiet_world.clock().isoformat()
    address = f"/outcomes/pack.pdf?as_at=2026-11-01&known={quote(known)}"
    before = manager.get(address)
    assert before.content_type == "application/pdf"
    quiet_world.clock.not_before(START + timedelta(days=3))
    late = entry("W-CUR", 9, EntryKind.INCIDENT, date(2025, 12, 1), role=IncidentRole.SUSPECT)
    offending.import_entries(quiet_world.database.sessions, [late], quiet_world.clock())
    later = quiet_world.visitor("manager")
    assert later.get(address).data == before.data
    assert later.get("/outcomes/pack.pdf?as_at=2026-11-01").data != before.data


def test_the_pack_for_a_board_has_no_name_and_a_bad_day_leads_back_to_the_form(
    quiet_world: World,
) -> None:
    made = quiet_world.visitor("auditor").get("/outcomes/pack.xlsx")
    assert "outcomes-board-2026-09-30.xlsx" in made.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        words = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "left out: fewer than 5" in words
    assert not any(name in words for name in NAMES)
    wrong = quiet_world.visitor("manager").get("/outcomes/pack.pdf?as_at=soon")
    assert wrong.location == "/outcomes?as_at=soon"


def test_the_board_reads_its_pack_and_nothing_of_a_team(quiet_world: World) -> None:
    board = quiet_world.visitor("board")
    assert board.get("/").location == "/outcomes"
    page = board.get("/outcomes/pack")
    words = words_of(page)
    assert "Board pack, without names" in words
    assert "What it costs and what it brings" in words
    assert "The size of the cohort is not stated" in words
    assert not any(name in page.text for name in NAMES)
    assert board.get("/outcomes/pack?tier=team").status_code == 403
    assert board.get("/outcomes/cost").status_code == 403


def test_the_steering_group_sees_what_is_late_and_who_has_room(world: World) -> None:
    world.clock.forward(seconds=50 * 3_600)
    words = words_of(world.visitor("auditor").get("/outcomes/pack?tier=steering"))
    assert "Alerts that nobody has answered for 24 hours 9 of 9 open" in words
    assert "Cheshire West 7 7.0 within" in words
    assert "Measures of the framework not supplied" in words


def test_a_pack_of_a_moment_does_not_know_what_was_withdrawn_later(world: World) -> None:
    manager = world.visitor("manager")
    known = world.clock()
    world.clock.forward(seconds=60)
    with world.database.sessions.begin() as session:
        for episode in session.scalars(select(EpisodeRow)):
            episode.withdrawn = True
            session.add(
                EpisodeHistoryRow(
                    episode_id=episode.id, at=world.clock(), action="withdraw", why="late data"
                )
            )

    def withdrawn(at: datetime) -> int:
        with world.database.sessions() as session:
            wearers = [each.id for each in session.scalars(select(WearerRow))]
            start = START - timedelta(days=1)
            found = stored.alerts(session, wearers, start, at + timedelta(days=1), at)
            return sum(each.withdrawn for each in found)

    assert withdrawn(known) == 0
    assert withdrawn(world.clock()) == 10
    assert manager.get("/outcomes").status_code == 200


def test_a_second_group_is_compared_by_band_by_area_and_by_name(quiet_world: World) -> None:
    manager = quiet_world.visitor("manager")
    words = words_of(manager.get("/outcomes?against_people=W-CUR,%20W-EXC"))
    assert "The others against 2 named people" in words
    assert "were not drawn by lot" in words
    assert "Cannot be estimated: no event in the treated group after" in words
    assert "The others against High band" in words_of(manager.get("/outcomes?against_band=high"))


def test_a_reference_of_another_area_is_unknown_and_nothing_is_compared(
    quiet_world: World,
) -> None:
    page = quiet_world.visitor("manager").get("/outcomes?against_people=W-EAST+W-CUR")
    assert page.status_code == 422
    words = words_of(page)
    assert "There is nobody called W-EAST in your areas" in words
    assert "Change of the first against the second" not in words


def test_a_supervisor_loads_a_table_of_harm_and_the_report_names_it(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    sheet = b"code,days\r\nno code,20\r\nabh,20\r\n"
    fields = {"version": "2026-02", "source": "Cambridge"}
    done = supervisor.post("/outcomes/harm", **fields, file=(io.BytesIO(sheet), "t.csv"))
    assert done.status_code == 302
    words = words_of(supervisor.get("/outcomes"))
    assert "Days by offence: version 2026-02, Cambridge" in words
    assert "420 before, 20 after" in words
    assert "21 before, 1 after" in words, "the count stands beside it"
    again = supervisor.post("/outcomes/harm", **fields, file=(io.BytesIO(sheet), "t.csv"))
    assert again.status_code == 422
    assert "is loaded already" in words_of(again)


def test_a_table_of_harm_that_cannot_be_read_says_where(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    for sheet, why in (
        (b"code,days\nabh,many\n", "line 2: days"),
        (b"code,days\nabh,1\nabh,2\n", "line 3: code"),
        (b"code,days\n", "has no row"),
        (b"offence,days\nabh,1\n", "no column"),
    ):
        page = supervisor.post(
            "/outcomes/harm", version="1", source="s", file=(io.BytesIO(sheet), "t.csv")
        )
        assert page.status_code == 422
        assert why in words_of(page)
    assert "No table is loaded" in words_of(supervisor.get("/outcomes/harm"))


@pytest.mark.parametrize(
    "known",
    [
        "1800-01-01T00:00:00%2B00:00",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "2027-01-01T00:00:00Z",
        "2026-10-01",
        "soon",
    ],
)
def test_a_moment_that_cannot_be_is_refused_in_words(quiet_world: World, known: str) -> None:
    board = quiet_world.visitor("board")
    for page in ("pack?tier=board&", "pack.pdf?", "pack.xlsx?"):
        sent_back = board.get(f"/outcomes/{page}known={known}")
        assert sent_back.status_code == 302
        told = board.get(sent_back.location)
        assert told.status_code == 422
        assert "The address names" in words_of(told)
    costs = quiet_world.visitor("manager").get(f"/outcomes/cost?known={known}")
    assert costs.status_code == 422
    assert "The address names" in words_of(costs)


def test_board_packs_of_one_day_are_the_same_whatever_came_in_between(quiet_world: World) -> None:
    """Two that differ by one record would tell a board what the record says."""
    quiet_world.clock.forward(days=1)
    before = quiet_world.visitor("board").get("/outcomes/pack.pdf").data
    late = [
        entry(each, 9, EntryKind.INCIDENT, date(2025, 12, 1), role=IncidentRole.SUSPECT)
        for each in ("W-CUR", "W-RES", "W-TAG", "W-SIL", "W-ALC")
    ]
    offending.import_entries(quiet_world.database.sessions, late, quiet_world.clock())
    quiet_world.clock.forward(minutes=5)
    board = quiet_world.visitor("board")
    assert board.get("/outcomes/pack.pdf").data == before
    picked = quote(quiet_world.clock().isoformat())
    assert board.get(f"/outcomes/pack.pdf?known={picked}").data == before
    assert "Records as known on 21 November 2026, 00:00:00" in words_of(board.get("/outcomes/pack"))
    quiet_world.clock.forward(days=1)
    assert quiet_world.visitor("board").get("/outcomes/pack.pdf").data != before


def test_on_the_day_of_the_first_records_a_board_sees_those_and_no_later_ones(
    quiet_world: World,
) -> None:
    words = words_of(quiet_world.visitor("board").get("/outcomes/pack"))
    assert "7 people, events up to 30 September 2026" in words


def test_a_pack_of_a_moment_does_not_know_who_was_registered_later(quiet_world: World) -> None:
    known = quote(quiet_world.clock().isoformat())
    address = f"/outcomes/pack.pdf?as_at=2026-11-01&known={known}"
    before = quiet_world.visitor("manager").get(address).data
    quiet_world.clock.forward(days=2)
    new = Wearer(
        "W-NEW", "Alaric Nantwick", date(1990, 1, 1), "west", "Upton", "high", None, [], []
    )
    office = CaseFile(v=1, wearers=[new])
    register.register(quiet_world.database.sessions, office, quiet_world.clock())
    later = quiet_world.visitor("manager")
    assert later.get(address).data == before
    assert "8 people" in words_of(later.get("/outcomes"))


def test_days_after_the_moment_of_a_pack_do_not_count_in_it(quiet_world: World) -> None:
    known = quote(quiet_world.clock().isoformat())
    quiet_world.clock.forward(days=30)
    manager = quiet_world.visitor("manager")
    words = words_of(manager.get(f"/outcomes/pack?tier=team&as_at=2026-12-15&known={known}"))
    assert "events up to 19 November 2026" in words
    assert "events up to 15 December 2026" in words_of(manager.get("/outcomes?as_at=2026-12-15"))


def test_page_and_pack_say_to_which_day_the_records_reach_and_that_they_are_old(
    quiet_world: World,
) -> None:
    manager = quiet_world.visitor("manager")
    fresh = words_of(manager.get("/outcomes"))
    assert "incidents, arrests and charges reach to 19 November 2026." in fresh
    assert "These records are old" not in fresh
    quiet_world.clock.forward(days=60)
    for page in ("/outcomes", "/outcomes/pack?tier=team"):
        words = words_of(quiet_world.visitor("manager").get(page))
        assert "These records are old" in words
        assert "reach to 19 November 2026: no later day is counted. That is 60 days" in words
    sheet = quiet_world.visitor("manager").get("/outcomes/pack.xlsx?tier=team").data
    with zipfile.ZipFile(io.BytesIO(sheet)) as archive:
        shared = archive.read("xl/sharedStrings.xml").decode()
    assert "ask for a newer extract" in shared
