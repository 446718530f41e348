"""Alerts about the service itself on the pages: who sees them, answers and resolves them."""

import pytest
from web.world import World, plain

from navigate_safer.db.alerting import AlertRow

TEXT = "The tape drive squeaks."


@pytest.fixture
def fault(world: World) -> str:
    """The reference of an alert about a part of the service."""
    return world.fault()


@pytest.mark.parametrize(
    ("account", "status"),
    [
        ("duty", 200),
        ("supervisor", 200),
        ("admin", 200),
        ("manager", 403),
        ("idva", 403),
        ("facilitator", 403),
        ("access", 403),
        ("auditor", 403),
    ],
)
def test_who_may_see_one(world: World, fault: str, account: str, status: int) -> None:
    answer = world.visitor(account).get(f"/service/alerts/{fault}")
    assert answer.status_code == status
    assert (TEXT in plain(answer)) is (status == 200)


def test_the_link_of_the_text_leads_to_it(world: World, fault: str) -> None:
    answer = world.visitor("admin").get(f"/a/{fault}")
    assert answer.headers["Location"].endswith(f"/service/alerts/{fault}")


def test_the_board_and_the_service_page_list_it(world: World, fault: str) -> None:
    assert TEXT in plain(world.visitor("duty").get("/board"))
    assert TEXT in plain(world.visitor("duty").get("/board/fragment"))
    assert TEXT in plain(world.visitor("admin").get("/service"))
    assert TEXT not in plain(world.visitor("manager").get("/board/fragment"))


def test_an_administrator_acknowledges_notes_and_resolves_it(world: World, fault: str) -> None:
    admin, path = world.visitor("admin"), f"/service/alerts/{fault}"
    admin.post(f"{path}/acknowledge")
    assert world.alert(fault).state == "acknowledged"
    assert admin.post(f"{path}/note", note=" ").status_code == 422
    admin.post(f"{path}/note", note="restarting it")
    assert world.alert(fault).next_step_at is None
    assert admin.post(f"{path}/resolve", explanation="").status_code == 422
    admin.post(f"{path}/resolve", explanation="restarted, runs")
    assert world.alert(fault).state == "resolved"
    page = plain(admin.get(path))
    assert "restarting it" in page
    assert "restarted, runs" in page


def test_an_administrator_reaches_no_alert_about_a_wearer(world: World) -> None:
    reference = world.database.all(AlertRow, AlertRow.wearer_id.is_not(None))[0].reference
    admin = world.visitor("admin")
    assert admin.get(f"/service/alerts/{reference}").status_code == 404
    assert admin.post(f"/service/alerts/{reference}/acknowledge").status_code == 404
    assert world.alert(reference).state == "open"


def test_there_is_none_by_another_reference(world: World) -> None:
    assert world.visitor("admin").get("/service/alerts/ZZZZZZ").status_code == 404


def test_one_about_the_service_is_not_opened_by_hand_but_by_the_part_that_fails(
    world: World, fault: str
) -> None:
    admin = world.visitor("admin")
    admin.post(f"/service/alerts/{fault}/resolve", explanation="runs")
    assert "Open the alert again" not in plain(admin.get(f"/service/alerts/{fault}"))
    duty = world.visitor("duty").post(f"/protection/{fault}/reopen", reopening="again")
    assert duty.status_code == 404
    assert world.alert(fault).state == "resolved"
