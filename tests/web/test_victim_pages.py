"""The IDVA's pages: what is kept, what is refused, and who never sees it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from web.casework import check_of
from web.on_call import scope_of
from web.world import ACCOUNTS, World, plain

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import VictimRow, WearerRow
from navigate_safer.people.records import Due
from navigate_safer.people.safety import (
    SAFETY_CHECK,
    RefusedAddress,
    SafetyCheck,
    address_to_keep,
)
from navigate_safer.services import records

SECRET = ["Merewen Dunstable", "14 Fletching Row", "07700900199"]
CONTACT = {
    "reached": "spoke", "feels": "less_safe", "note": "He waits by the school gate",
    "safe_times": "mornings", "next_on-day": "27", "next_on-month": "11", "next_on-year": "2026",
}  # fmt: skip


@pytest.mark.parametrize(
    "typed", ["The Women's Aid refuge, Crewe", "c/o Safe House", "Oak safehouse 2", "REFUGE"]
)
def test_the_address_of_a_refuge_is_refused_outright(typed: str) -> None:
    with pytest.raises(RefusedAddress, match="never stored"):
        address_to_keep(typed, in_refuge=False)


def test_of_somebody_in_a_refuge_no_address_is_kept() -> None:
    assert address_to_keep("  ", in_refuge=True) is None
    with pytest.raises(RefusedAddress):
        address_to_keep("1 Any Street", in_refuge=True)
    assert address_to_keep(" 1  Refugee Lane ", in_refuge=False) == "1 Refugee Lane"


def test_a_contact_is_recorded_and_the_next_is_on_the_morning_view(world: World) -> None:
    idva = world.visitor("idva")
    assert idva.post("/victims/V-1/contact", **CONTACT).status_code == 302
    page = plain(idva.get("/victims/V-1"))
    assert "He waits by the school gate" in page
    assert "mornings" in page
    world.clock.not_before(datetime(2026, 11, 27, 9, tzinfo=UTC))
    idva = world.visitor("idva")
    assert "Contact with V-1" in idva.get("/today").text
    assert "Contact with V-1" not in world.visitor("manager").get("/today?whose=all").text


def test_who_was_not_asked_how_she_feels_has_a_reason(world: World) -> None:
    answer = world.visitor("idva").post("/victims/V-1/contact", reached="spoke", feels="not_asked")
    assert answer.status_code == 422
    assert "Enter why she was not asked" in answer.text


def test_moving_to_a_refuge_takes_the_address_away_and_says_who_did_it(world: World) -> None:
    idva = world.visitor("idva")
    form = {"name": "Merewen Dunstable", "phone": "07700 900199", "replaces": "0"}
    refused = idva.post("/victims/V-1/details", **form, in_refuge="yes", address="2 New Street")
    assert refused.status_code == 422
    assert "2 New Street" in refused.text, "what was typed is not lost"
    assert idva.post("/victims/V-1/details", **form, in_refuge="yes", address="").status_code == 302
    row = world.database.one(VictimRow)
    assert (row.address, row.in_refuge) == (None, True)
    page = plain(idva.get("/victims/V-1"))
    assert "its address is not kept here" in page
    assert "Changed: address" in page
    late = idva.post("/victims/V-1/details", **form, address="3 Old Street")
    assert late.status_code == 422
    assert "Somebody else has changed her details" in late.text


def test_the_officer_reads_the_answer_and_nothing_of_why(world: World) -> None:
    ref = check_of(world)
    idva, manager = world.visitor("idva"), world.visitor("manager")
    assert "A visit at home" in idva.get("/victims").text
    until = {f"until_{ref}-day": "30", f"until_{ref}-month": "11", f"until_{ref}-year": "2026"}
    form = {f"answer_{ref}": "do_not", "replaces": "1", **until}
    assert idva.post(f"/victims/checks/{ref}/answer", **form).status_code == 302
    page = plain(manager.get("/people/W-EXC/safety-checks"))
    assert "Do not do this" in page
    assert not any(secret in page for secret in SECRET)


@pytest.mark.parametrize("who", sorted(set(ACCOUNTS) - {"idva"}))
def test_nobody_else_sees_who_is_protected(shared_world: World, who: str) -> None:
    visitor = shared_world.visitor(who)
    assert visitor.get("/victims/V-1").status_code == 403
    for path in ("/today?whose=all", "/people/W-EXC/timeline", "/people/W-EXC/safety-checks"):
        text = visitor.get(path).text
        assert not any(secret in text for secret in [*SECRET, "V-1"])


def test_each_look_at_somebody_protected_is_logged(world: World) -> None:
    world.visitor("idva").get("/victims/V-1")
    looks = [row for row in world.database.all(AuditRow) if row.subject_kind == "victim"]
    assert [row.what for row in looks] == ["protected person"]
    assert "Dunstable" not in str([row.detail for row in looks])


@pytest.mark.parametrize(
    "told", ["She has moved to CH1 2AB", "Call her on 07700 900199", "She is in a refuge"]
)
def test_where_she_is_stays_out_of_checks_and_minutes(shared_world: World, told: str) -> None:
    manager = shared_world.visitor("manager")
    day = {"day": "27", "month": "11", "year": "2026"}
    planned = {f"planned_on-{part}": value for part, value in day.items()}
    asked = manager.post("/people/W-EXC/safety-checks", what=told, **planned)
    assert asked.status_code == 422
    held_on = {f"held_on-{part}": value for part, value in day.items()}
    area = re.findall(r'name="area"[^>]*value="(\d+)"', manager.get("/meetings/new").text)
    area += re.findall(r'<option value="(\d+)"', manager.get("/meetings/new").text)
    form = {"kind": "marac", "starts": "10:00", "chair": "DI Marsh", "area": area[0], **held_on}
    meeting = manager.post("/meetings/new", **form).headers["Location"]
    referred = {f"referred_on-{part}": value for part, value in day.items()}
    listed = {"person": "W-EXC", "referred_by": "Police", **referred}
    refused = manager.post(f"{meeting}/agenda", why=told, **listed)
    assert refused.status_code == 422
    assert "Take out" in refused.text
    assert manager.post(f"{meeting}/agenda", why="High risk", **listed).status_code == 302
    assert manager.post(f"{meeting}/minutes", minutes=told, **form).status_code == 422
    asks = {"about": "W-EXC", "agency": "Police", "owner": "PC Lowe"}
    due = {f"due_on-{part}": value for part, value in day.items()}
    assert manager.post(f"{meeting}/actions", what=told, **asks, **due).status_code == 422


@pytest.mark.parametrize(
    "note", ["She is in the Crewe refuge", "Now at 7 Oak Street", "07700 900555"]
)
def test_no_note_says_where_somebody_is_or_how_to_call(shared_world: World, note: str) -> None:
    answer = shared_world.visitor("idva").post("/victims/V-1/contact", **CONTACT | {"note": note})
    assert answer.status_code == 422
    assert "Take out" in answer.text


def test_what_is_due_of_ones_own_is_not_lost_behind_hundreds_of_others(world: World) -> None:
    manager = scope_of(world, "manager")
    check_of(world)
    with world.database.sessions.begin() as session:
        other = session.scalar(select(WearerRow).where(WearerRow.ref == "W-CUR"))
        other.offender_manager_id = None
        about, _ = records.about(session, manager, "W-CUR")
        for number in range(520):
            due = Due(world.clock() - timedelta(days=2), f"Old {number}")
            body = SafetyCheck(world.clock().date(), "A visit")
            records.add(session, manager, SAFETY_CHECK, about, body, now=world.clock(), due=due)
    shown = world.visitor("manager").get("/today").text
    assert "Safety check: answer before the contact" in shown
    assert "Old 1" not in shown
