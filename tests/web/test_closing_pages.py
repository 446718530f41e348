"""Closing a case on its pages: what stands against it is said first, and the file stays."""

from web.casework import taken_on
from web.world import World, words_of

from alerts.finding import FindingKind


def test_an_open_alert_and_a_live_order_are_named_before_anybody_tries(world: World) -> None:
    manager = world.visitor("manager")
    page = words_of(manager.get("/people/W-EXC/close"))
    alert = world.reference(FindingKind.EXCLUSION_BREACH)
    for what in ("cannot be closed yet", f"Alert {alert} is open", "An order is in force"):
        assert what in page
    refused = manager.post("/people/W-EXC/close", why="work_done", replaces="0")
    assert refused.status_code == 422
    assert f"alert {alert} is open" in words_of(refused)


def test_a_case_is_closed_with_its_reason_and_opened_again(quiet_world: World) -> None:
    ref = taken_on(quiet_world)
    manager = quiet_world.visitor("manager")
    why_not = manager.post(f"/people/{ref}/close", why="other", replaces="0")
    assert "Enter the reason" in words_of(why_not)
    where = manager.post(
        f"/people/{ref}/close", why="other", words="She is at 3 Oak Street, CH1 2AB", replaces="0"
    )
    assert "Take out the postcode" in words_of(where)
    closed = manager.post(f"/people/{ref}/close", why="declined", replaces="0")
    assert closed.status_code == 302
    page = words_of(manager.get(f"/people/{ref}"))
    assert "This case is closed" in page
    assert "Closed by Manager Ashworthy" in page
    assert ref not in manager.get("/caseload").text
    assert ref in manager.get("/caseload?closed=yes").text
    assert "Open it again" not in quiet_world.visitor("duty").get(f"/people/{ref}").text
    assert "Closed by Manager Ashworthy" in words_of(manager.get(f"/people/{ref}/reopen"))
    assert manager.post(f"/people/{ref}/reopen", words="", replaces="1").status_code == 422
    late = manager.post(f"/people/{ref}/reopen", words="He called", replaces="9")
    assert late.status_code == 409
    assert manager.post(f"/people/{ref}/reopen", words="He called", replaces="1").status_code == 302
    assert ref in manager.get("/caseload").text
    assert manager.get(f"/people/{ref}/reopen").status_code == 404


def test_a_new_referral_waits_for_the_key_worker_until_it_is_read(quiet_world: World) -> None:
    ref = taken_on(quiet_world)
    access, manager = quiet_world.visitor("access"), quiet_world.visitor("manager")
    taken_on(quiet_world, put_to=ref)
    assert "Read the new referral" in words_of(manager.get("/today?whose=all"))
    page = manager.get(f"/people/{ref}/referrals").text
    assert "I have read it" in page
    assert "I have read it" not in access.get(f"/people/{ref}/referrals").text
    came_in = page.partition(f"/people/{ref}/referrals/")[2].partition("/read")[0]
    assert manager.post(f"/people/{ref}/referrals/{came_in}/read").status_code == 302
    assert "Read the new referral" not in words_of(manager.get("/today?whose=all"))
    assert "decided by Access Ashworthy" in words_of(manager.get(f"/people/{ref}/referrals"))
