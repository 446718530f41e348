"""What wearers are told, on the pages: switched on, verified, shown; a number is never shown."""

import io
import re

import pytest
from case_files import walk
from web.world import AWAY, CROSS, World, words_of

from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow
from navigate_safer.db.wearer_messages import WearerContactRow, WearerMessageRow, WearerPolicyRow
from navigate_safer.services import wearer_telling
from navigate_safer.services.commands import CommandPolicy

PAGE = "/people/W-EXC/messages"
NUMBER, E164 = "07700 900288", "+447700900288"
FORM = {
    "by_zone_breach": "text", "tone_zone_breach": "supportive", "quiet_from": "22:00",
    "quiet_until": "07:00", "most_a_day": "4", "curfew_notice_min": "30", "reason": "a trial",
}  # fmt: skip


def west(world: World) -> int:
    return world.database.one(AreaRow, AreaRow.ref == "west").id


def switch_on(world: World, **changed: str):
    path = f"/wearer-messages/{west(world)}"
    return world.visitor("supervisor").post(path, **{**FORM, "replaces": "0", **changed})


def enter(world: World, typed: str = NUMBER, account: str = "manager"):
    return world.visitor(account).post(f"{PAGE}/number", phone=typed)


def told(world: World) -> WearerMessageRow:
    return world.database.one(WearerMessageRow)


def test_a_supervisor_switches_it_on_and_the_officer_sees_what_the_wearer_was_told(
    quiet_world: World,
) -> None:
    world = quiet_world
    assert switch_on(world).status_code == 302
    enter(world)
    world.visitor("manager").post(f"{PAGE}/confirm", words="I called it with him before me")
    world.watch.hear(*walk("TAG-W-EXC", AWAY, CROSS, CROSS, start=world.clock()))
    wearer_telling.look(world.database.sessions, world.clock(), CommandPolicy(180, 12))
    reference = world.database.one(AlertRow, AlertRow.id == told(world).alert_id).reference
    for path in (f"/alerts/{reference}", "/people/W-EXC", PAGE):
        shown = words_of(world.visitor("duty").get(path))
        assert "You can still put it right" in shown, path
        assert "supportive" in shown, path


def test_off_is_the_default_and_the_page_says_what_a_warning_reveals(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    page = supervisor.get(f"/wearer-messages/{west(quiet_world)}")
    assert " checked" not in page.text
    assert "A warning on approach reveals the zone" in words_of(page)
    assert "Nothing" in words_of(supervisor.get("/wearer-messages"))


def test_a_change_is_a_version_with_its_reason_and_an_old_form_is_refused(
    quiet_world: World,
) -> None:
    world = quiet_world
    switch_on(world)
    assert switch_on(world, reason="late").status_code == 422
    assert switch_on(world, replaces="1", reason="too many", by_zone_breach="").status_code == 302
    assert [row.version for row in world.database.all(WearerPolicyRow)] == [1, 2]
    shown = words_of(world.visitor("supervisor").get(f"/wearer-messages/{west(world)}"))
    assert "Version 2, in force" in shown
    assert "too many. Told of: nothing" in shown


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("quiet_from", "late", "Enter a time of day"),
        ("most_a_day", "0", "Give 1 to 20 messages a day"),
        ("most_a_day", "many", "Enter a whole number"),
        ("curfew_notice_min", "3", "5 to 120 minutes"),
        ("tone_zone_breach", "rude", "Select a tone"),
        ("reason", " ", "Enter why"),
    ],
)
def test_what_cannot_be_kept_says_what_to_do(
    quiet_world: World, field: str, typed: str, says: str
) -> None:
    answer = switch_on(quiet_world, **{field: typed})
    assert (answer.status_code, says in words_of(answer)) == (422, True)
    assert quiet_world.database.count(WearerPolicyRow) == 0


def test_a_supervisor_changes_no_other_area(quiet_world: World) -> None:
    east = quiet_world.database.one(AreaRow, AreaRow.ref == "east").id
    supervisor = quiet_world.visitor("supervisor")
    assert supervisor.get(f"/wearer-messages/{east}").status_code == 404
    assert supervisor.post(f"/wearer-messages/{east}", **FORM).status_code == 404


# The number


def test_a_number_is_shown_by_three_digits_to_everybody_and_logged_without_one(
    quiet_world: World,
) -> None:
    world = quiet_world
    assert enter(world).status_code == 302
    assert world.database.one(WearerContactRow).phone == E164
    for account in ("duty", "manager", "supervisor"):
        page = world.visitor(account).get(PAGE).text
        assert "288" in page
        assert not re.search(r"900\s?288|7700", page), account
    entries = [(row.what, row.detail) for row in world.database.all(AuditRow)]
    assert "wearer's number entered" in [what for what, _ in entries]
    assert "900288" not in repr(entries)


def test_the_code_comes_back_through_the_wearer(quiet_world: World) -> None:
    world = quiet_world
    console = world.service._console = io.StringIO()
    enter(world)
    manager = world.visitor("manager")
    assert "Code that the wearer reads out" not in manager.get(PAGE).text
    manager.post(f"{PAGE}/code")
    assert "Code that the wearer reads out" in manager.get(PAGE).text
    wrong = manager.post(f"{PAGE}/verify", code="000000")
    assert "That is not the code" in words_of(wrong)
    code = re.search(r"code\s+is\s+(\d{6})", console.getvalue().replace("|", " "))[1]
    assert manager.post(f"{PAGE}/verify", code=code).status_code == 302
    assert "by a code, entered by Manager Ashworthy" in words_of(manager.get(PAGE))


def test_saying_that_it_is_theirs_needs_words(quiet_world: World) -> None:
    enter(quiet_world)
    answer = quiet_world.visitor("manager").post(f"{PAGE}/confirm", words=" ")
    assert "Say how you know" in words_of(answer)
    assert quiet_world.database.one(WearerContactRow).verified_at is None


@pytest.mark.parametrize("typed", ["01244 350000", "hello", ""])
def test_what_is_no_mobile_number_is_refused(quiet_world: World, typed: str) -> None:
    answer = enter(quiet_world, typed)
    assert (answer.status_code, "Enter a mobile number" in words_of(answer)) == (422, True)
    assert quiet_world.database.count(WearerContactRow) == 0


def test_stop_is_shown_to_the_offender_manager(quiet_world: World) -> None:
    world = quiet_world
    enter(world)
    with world.database.sessions.begin() as session:
        row = session.get_one(WearerContactRow, world.database.one(WearerContactRow).wearer_id)
        row.stopped_at = world.clock()
    assert "The wearer has replied STOP" in words_of(world.visitor("manager").get(PAGE))


def test_a_number_that_is_removed_is_gone(quiet_world: World) -> None:
    enter(quiet_world)
    quiet_world.visitor("manager").post(f"{PAGE}/remove")
    assert quiet_world.database.count(WearerContactRow) == 0
    assert quiet_world.database.count(AuditRow, AuditRow.act == "erasure") == 1
