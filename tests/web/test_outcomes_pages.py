"""Outcomes: the page, the lists behind it, and what those who may not see names are shown."""

import io
import zipfile
from datetime import date, timedelta
from urllib.parse import quote

from case_files import START
from web.world import World, entry, words_of

from navigate_safer.db.audit import AuditRow
from navigate_safer.people.offending import EntryKind, IncidentRole
from navigate_safer.services import offending

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
    made = quiet_world.visitor("auditor").get("/outcomes/pack.zip")
    assert "outcomes-board-2026-09-30.zip" in made.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        words = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "left out: fewer than 5" in words
    assert not any(name in words for name in NAMES)
    wrong = quiet_world.visitor("manager").get("/outcomes/pack.pdf?as_at=soon")
    assert wrong.location == "/outcomes?as_at=soon"
