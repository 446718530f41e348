"""Silences on the pages: made by one, approved by another, ended, and what they hid."""

from case_files import walk
from web.on_call import silence_of
from web.world import AWAY, CROSS, World, words_of

from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.telling import SilenceRow

FORM = {
    "subject": "wearer", "ref": "W-EXC", "kind": "silence", "hours": "2",
    "reason": "being_dealt_with", "words": "a unit is with him", "kinds": "everything",
}  # fmt: skip


def breach(world: World) -> AlertRow:
    """Leaves the zone and walks into it again."""
    world.watch.hear(*walk("TAG-W-EXC", AWAY, CROSS, CROSS, start=world.clock()))
    return world.database.all(AlertRow)[-1]


def texts(world: World, alert: AlertRow) -> int:
    return world.database.count(TextRow, TextRow.alert_id == alert.id)


def test_a_silence_is_made_approved_by_another_and_then_holds_back_a_breach(quiet_world: World):
    world = quiet_world
    answer = world.visitor("duty").post("/silences", **FORM)
    assert answer.status_code == 302
    page = answer.location
    assert "Breaches of zones are still told" in world.visitor("duty").get(page).text
    assert "Somebody else must approve it" in words_of(follow(world, "duty", f"{page}/approve"))
    assert world.database.one(SilenceRow).approved_by is None
    world.visitor("supervisor").post(f"{page}/approve")
    world.clock.forward(minutes=1)
    alert = breach(world)
    assert (alert.state, texts(world, alert)) == ("open", 0)
    shown = words_of(world.visitor("duty").get(page))
    assert "Inside an exclusion zone" in shown
    assert "Supervisor Ashworthy" in shown
    acts = [row.what for row in world.database.all(AuditRow, AuditRow.act == "alteration")]
    assert {"silence made", "silence approved"} <= set(acts)


def follow(world: World, account: str, path: str):
    visitor = world.visitor(account)
    return visitor.get(visitor.post(path).location)


def test_ending_a_silence_early_tells_at_once_what_is_still_going_on(quiet_world: World):
    world = quiet_world
    number = silence_of(world)
    world.visitor("supervisor").post(f"/silences/{number}/approve")
    alert = breach(world)
    assert texts(world, alert) == 0
    world.visitor("duty").post(f"/silences/{number}/end")
    world.watch.escalate()
    assert texts(world, alert) == 1
    listed = words_of(world.visitor("duty").get(f"/silences/{number}"))
    assert "ended early by Duty Ashworthy" in listed
    assert "What it hid" in listed
    assert "Inside an exclusion zone" in listed


def test_an_unapproved_silence_holds_back_no_zone_but_is_listed_as_such(quiet_world: World):
    silence_of(quiet_world)
    assert texts(quiet_world, breach(quiet_world)) == 1
    assert "approval missing" in quiet_world.visitor("duty").get("/silences").text


def test_a_form_that_says_too_little_says_what_is_missing(quiet_world: World):
    shown = words_of(quiet_world.visitor("duty").post("/silences"))
    for what in ("Select what it is about", "Enter the reference", "Say in words why",
                 "Select what is not to be told", "Enter for how many hours"):  # fmt: skip
        assert what in shown
    assert quiet_world.database.count(SilenceRow) == 0


def test_a_silence_that_is_too_long_or_of_another_area_is_not_made(quiet_world: World):
    visitor = quiet_world.visitor("duty")
    assert "12 hours at the most" in visitor.post("/silences", **{**FORM, "hours": "13"}).text
    elsewhere = words_of(visitor.post("/silences", **{**FORM, "ref": "W-EAST"}))
    nobody = words_of(visitor.post("/silences", **{**FORM, "ref": "W-NONE"}))
    assert elsewhere.replace("W-EAST", "W-NONE") == nobody
    assert "There is no wearer" in nobody
    assert quiet_world.database.count(SilenceRow) == 0


def test_a_gateway_s_silence_never_mutes_a_zone(quiet_world: World):
    world = quiet_world
    from sqlalchemy import update

    from navigate_safer.db.people import DeviceRow, GatewayRow

    gateway = world.database.one(GatewayRow, GatewayRow.ref == "gw-west").id
    with world.database.sessions.begin() as session:
        session.execute(
            update(DeviceRow).where(DeviceRow.ref == "TAG-W-EXC").values(gateway_id=gateway)
        )
    form = {**FORM, "subject": "gateway", "ref": "gw-west", "kind": "maintenance",
            "reason": "planned_work"}  # fmt: skip
    page = world.visitor("duty").post("/silences", **form).location
    world.visitor("supervisor").post(f"{page}/approve")
    assert texts(world, breach(world)) == 1


def test_silences_of_another_area_are_not_there(quiet_world: World):
    number = silence_of(quiet_world)
    east = quiet_world.visitor("duty-east")
    assert east.get(f"/silences/{number}").status_code == 404
    assert east.post(f"/silences/{number}/end").status_code == 404
    assert "Umbershaw" not in east.get("/silences").text
