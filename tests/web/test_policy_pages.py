"""Escalation policies on the pages: made, changed, taken out of force, and previewed."""

from datetime import timedelta

from case_files import walk
from web.on_call import policy_of, rota_of, staff_id
from web.world import AWAY, CROSS, World, words_of

from alerts.policy import Step, Target
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.telling import PolicyRow, RotaRow

WHEN = "2026-11-25T03:00"


def form(world: World, **changed: str) -> dict[str, str]:
    area = world.database.one(AreaRow, AreaRow.ref == "west").id
    second = staff_id(world, "duty-2")
    return {
        "name": "Nights", "severities": "critical", "area": str(area), "reason": "trial",
        "who_1": f"person:{second}", "channel_1": "sms", "minutes_1": "2", **changed,
    }  # fmt: skip


def test_a_policy_made_on_the_page_decides_who_is_told_of_the_next_alert(quiet_world: World):
    world = quiet_world
    made = world.visitor("supervisor").post("/policies/new", **form(world))
    assert made.status_code == 302
    world.watch.hear(*walk("TAG-W-EXC", AWAY, CROSS, CROSS))
    assert world.database.one(AlertRow).plan["policy"] == "Nights (1.1)"
    assert world.database.one(TextRow).staff_id == staff_id(world, "duty-2")


def test_a_change_is_a_new_version_with_its_reason_and_the_old_one_stays_readable(
    quiet_world: World,
):
    world, supervisor = quiet_world, quiet_world.visitor("supervisor")
    number = policy_of(world)
    changed = form(world, replaces="1", reason="faster", minutes_1="1")
    assert supervisor.post(f"/policies/{number}", **changed).status_code == 302
    rows = world.database.all(PolicyRow)
    assert [(row.version, row.active) for row in rows] == [(1, False), (2, True)]
    shown = words_of(supervisor.get(f"/policies/{number}"))
    assert "Version 2, in force" in shown
    assert "faster" in shown
    assert "Text to every duty officer; 2 minutes to answer" in shown


def test_two_supervisors_at_once_do_not_overwrite_each_other(quiet_world: World):
    number = policy_of(quiet_world)
    supervisor = quiet_world.visitor("supervisor")
    supervisor.post(f"/policies/{number}", **form(quiet_world, replaces="1"))
    late = supervisor.post(f"/policies/{number}", **form(quiet_world, replaces="1"))
    assert late.status_code == 422
    assert "Somebody changed it meanwhile" in late.text
    assert quiet_world.database.count(PolicyRow) == 2


def test_a_policy_out_of_force_tells_nobody_and_says_why(quiet_world: World):
    number = policy_of(quiet_world)
    supervisor = quiet_world.visitor("supervisor")
    assert supervisor.post(f"/policies/{number}/deactivate").status_code == 422
    supervisor.post(f"/policies/{number}/deactivate", why_not="the trial is over")
    assert [row.active for row in quiet_world.database.all(PolicyRow)] == [False, False]
    assert "the trial is over" in supervisor.get(f"/policies/{number}").text


def test_what_cannot_be_kept_says_what_to_change(quiet_world: World):
    supervisor = quiet_world.visitor("supervisor")
    empty = words_of(supervisor.post("/policies/new"))
    for what in ("Select at least one severity", "Enter a name", "Enter why", "Select an area"):
        assert what in empty
    short = supervisor.post("/policies/new", **form(quiet_world, minutes_1="0.1"))
    assert "waits 6 s for an answer; give 30 to 3600" in words_of(short)
    east = quiet_world.database.one(AreaRow, AreaRow.ref == "east").id
    other = supervisor.post("/policies/new", **form(quiet_world, area=str(east)))
    assert "Select one of your areas" in other.text
    everywhere = supervisor.post("/policies/new", **form(quiet_world, area="all"))
    assert "you do not supervise all of them" in everywhere.text
    stranger = str(quiet_world.database.one(StaffRow, StaffRow.ref == "duty-east").id)
    outside = supervisor.post("/policies/new", **form(quiet_world, who_1=f"person:{stranger}"))
    assert "not in your areas" in outside.text
    assert quiet_world.database.count(PolicyRow) == 0


def preview(world: World, **changed: str) -> str:
    area = world.database.one(AreaRow, AreaRow.ref == "west").id
    asked = {"at": WHEN, "for_area": str(area), "severity": "critical",
             "kind": "exclusion_breach", **changed}  # fmt: skip
    answer = world.visitor("supervisor").get("/policies", query_string=asked)
    return words_of(answer)


def test_the_preview_names_everybody_in_order_with_times(quiet_world: World):
    shown = preview(quiet_world)
    assert "By the policy: built in" in shown
    first = shown.index("25 November 2026, 03:00:00 Duty Ashworthy (Duty officer) text")
    assert first < shown.index("25 November 2026, 03:02:00 Barnabas Threlkeldy")


def test_the_preview_asks_the_rota_of_that_instant_and_shows_a_gap(quiet_world: World):
    rota_of(quiet_world, until=quiet_world.clock().date() - timedelta(days=7))
    rota_id = quiet_world.database.one(RotaRow).id
    officers = Step(target=Target.ROLE, role="duty_officer", answer_within_s=120)
    on_rota = Step(target=Target.ROTA, rota_id=rota_id, answer_within_s=120)
    policy_of(quiet_world, on_rota, officers)
    shown = preview(quiet_world, at="2026-11-10T12:00")
    assert "Barnabas Threlkeldy (Duty officer) text on duty on the rota" in shown
    gap = preview(quiet_world)
    assert "There are gaps" in gap
    assert "nobody can be reached by text" in gap


def test_the_preview_says_so_when_nobody_would_be_told(quiet_world: World):
    assert "Nobody would be told" in preview(quiet_world, severity="low")
    assert "Enter a date and time" in preview(quiet_world, at="soon")
