"""The cohort on its pages: panels, colours that move up at once, who works with whom, settings."""

from datetime import date, timedelta

from web.cohort_forms import PERSON, day, panel, select, today
from web.on_call import staff_id, west
from web.world import World, words_of

from alerts.finding import FindingKind
from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.people import WearerRow

COHORT = f"/people/{PERSON}/cohort"


def colour(**changed: str) -> dict[str, str]:
    return {"colour": "amber", "cause": "He came to both appointments", "replaces": "0", **changed}


def test_an_open_urgent_alert_makes_him_red_the_moment_he_is_selected(world: World):
    manager = select(world)
    shown = words_of(manager.get(COHORT))
    assert "Moved up to red" in shown
    assert "Urgent alert open" in shown
    key = f"critical_alert:{world.reference(FindingKind.EXCLUSION_BREACH)}"
    assert manager.post(f"{COHORT}/rag", **colour(seen=key)).status_code == 302
    shown = words_of(manager.get(COHORT))
    assert "Moved up to" not in shown
    assert "Decided last: amber" in shown
    # The same alert is confirmed later: that is news, and nobody has to type it in.
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    manager.post(f"/alerts/{reference}/resolve", outcome="breach_confirmed")
    shown = words_of(manager.get(COHORT))
    assert "Moved up to red" in shown
    assert "Breach confirmed" in shown
    assert "Red, breach confirmed: decide on the colour" in words_of(manager.get("/today"))


def test_what_came_in_while_the_officer_wrote_is_still_a_cause(world: World):
    manager = select(world)
    assert manager.post(f"{COHORT}/rag", **colour()).status_code == 302
    assert "Urgent alert open" in words_of(manager.get(COHORT))


def test_who_may_not_see_alerts_sees_that_he_moved_up_and_not_by_what(world: World):
    select(world)
    shown = world.visitor("facilitator").get(COHORT).text
    assert "Found by monitoring" in shown
    assert world.reference(FindingKind.EXCLUSION_BREACH) not in shown
    assert "Decide on the colour" not in shown


def test_a_disclosure_moves_up_without_a_word_of_it(quiet_world: World):
    manager = select(quiet_world)
    manager.post(f"{COHORT}/rag", **colour(colour="green"))
    told = quiet_world.visitor("idva").post(
        f"{COHORT}/event", kind="disclosure", agency="Health", **day("on", today(quiet_world))
    )
    assert told.status_code == 302
    assert "Disclosure by a victim" in words_of(manager.get(COHORT))
    body = quiet_world.database.one(CaseRecordRow, CaseRecordRow.kind == "upward").body
    assert set(body) == {"kind", "on", "agency"}


def test_nobody_is_deselected_before_his_time_and_without_the_idva(quiet_world: World):
    world, manager = quiet_world, select(quiet_world)
    manager.post(f"{COHORT}/rag", **colour(colour="green"))
    leaves = {"decision": "deselected", "replaces": "1"}
    early = manager.post(f"{COHORT}/panel", **panel(world, **leaves))
    assert early.status_code == 422
    for what in ("green for 0 of 183 days", "recorded no safety check"):
        assert what in words_of(early)

    world.clock.at += timedelta(days=190)
    manager, idva = world.visitor("manager"), world.visitor("idva")
    check = {"result": "something_against", **day("on", today(world))}
    idva.post(f"{COHORT}/safety-check", **check)
    refused = manager.post(f"{COHORT}/panel", **panel(world, **leaves))
    assert "something speaks against it" in words_of(refused)
    assert "days; green for" not in words_of(refused)

    idva.post(f"{COHORT}/safety-check", **check | {"result": "nothing_against"})
    alone = panel(world, **leaves, people="B. Bostock, Probation")
    assert "at least 2 agencies" in words_of(manager.post(f"{COHORT}/panel", **alone))
    assert manager.post(f"{COHORT}/panel", **panel(world, **leaves)).status_code == 302
    assert "Not in the cohort, so without a colour" in words_of(manager.get(COHORT))


def test_a_new_key_worker_takes_over_at_once_and_the_old_one_stays_in_the_history(
    quiet_world: World,
):
    world, manager = quiet_world, select(quiet_world)
    supervisor = staff_id(world, "supervisor")
    form = {
        "key_worker": str(supervisor), "police_lead": "Sgt D. Eccleston", "reason": "leave",
        "probation_lead": "F. Gawsworth", "replaces": "0",
    }  # fmt: skip
    assert manager.post(f"{COHORT}/leads", **form).status_code == 302
    wearer = world.database.one(WearerRow, WearerRow.ref == PERSON)
    assert wearer.offender_manager_id == supervisor
    late = manager.post(f"{COHORT}/leads", **form | {"police_lead": "PC H. Ince"})
    assert late.status_code == 409
    assert "Somebody else has changed this" in words_of(late)
    assert "PC H. Ince" in late.text
    assert "Sgt D. Eccleston" in late.text
    stranger = form | {"key_worker": str(staff_id(world, "duty-east")), "replaces": "1"}
    assert "Select the key worker" in words_of(manager.post(f"{COHORT}/leads", **stranger))
    nobody = form | {"key_worker": "", "replaces": "1"}
    assert manager.post(f"{COHORT}/leads", **nobody).status_code == 422


def test_who_has_no_lead_is_on_the_supervisors_morning_view(quiet_world: World):
    select(quiet_world)
    supervisor = quiet_world.visitor("supervisor")
    missing = "Nobody named: police lead, probation lead, team"
    assert missing in words_of(supervisor.get("/today"))
    assert "Somebody is missing" in words_of(supervisor.get("/cohort"))
    listed = words_of(supervisor.get("/cohort?missing=yes"))
    assert "1 shown" in listed


def test_the_list_is_filtered_and_shows_the_most_pressing_first(world: World):
    manager = select(world)
    select(world, "W-SIL")
    manager.post("/people/W-SIL/cohort/rag", **colour(colour="green"))
    shown = words_of(manager.get("/cohort"))
    assert shown.index("Leofric Umbershaw") < shown.index("Aldous Kinnerton")
    green = words_of(manager.get("/cohort?colour=green"))
    assert "Aldous Kinnerton" in green
    assert "Leofric Umbershaw" not in green
    assert "Osgar Pettivale" not in words_of(manager.get("/cohort?search=W-CUR"))
    assert "Osgar Pettivale" in words_of(manager.get("/cohort?search=W-CUR&whole=yes"))


def test_two_panels_at_once_are_told_of_each_other_and_neither_is_lost(quiet_world: World):
    manager = select(quiet_world)
    second = manager.post(f"{COHORT}/panel", **panel(quiet_world, reasons="A fourth incident"))
    assert second.status_code == 409
    assert "A fourth incident" in second.text
    assert "Three incidents in a month" in second.text
    again = panel(quiet_world, reasons="A fourth incident", replaces="1")
    assert manager.post(f"{COHORT}/panel", **again).status_code == 302
    assert quiet_world.database.count(CaseRecordRow, CaseRecordRow.kind == "cohort") == 2


def test_nothing_is_half_saved_and_each_field_says_what_to_do(quiet_world: World):
    manager = quiet_world.visitor("manager")
    tomorrow = today(quiet_world) + timedelta(days=1)
    wrong = panel(
        quiet_world, **day("on", tomorrow), people="A. Aldersey", legal_basis="",
        reasons="She now lives at CH1 2HJ",
    )  # fmt: skip
    shown = words_of(manager.post(f"{COHORT}/panel", **wrong))
    for what in ("is not after", "has no comma", "Take out the postcode"):
        assert what in shown
    lawless = words_of(manager.post(f"{COHORT}/panel", **panel(quiet_world, legal_basis="")))
    assert "Enter the legal basis" in lawless
    assert quiet_world.database.count(CaseRecordRow) == 0


def test_mappa_is_proposed_from_the_facts_and_never_set_by_itself(quiet_world: World):
    manager = quiet_world.visitor("manager")
    facts = {
        "replaces": "0", "coercive_months": "12", **day("coercive_on", date(2025, 2, 3)),
        "mental_health": "yes", "mental_health_source": "GP", "substance": "not_known",
        "domestic_abuse": "yes", "domestic_abuse_source": "Police",
        **day("mental_health_on", date(2026, 9, 1)), **day("domestic_abuse_on", date(2026, 9, 1)),
    }  # fmt: skip
    assert manager.post(f"{COHORT}/flags", **facts).status_code == 302
    shown = words_of(manager.get(COHORT))
    assert "Check for MAPPA category 2" in shown
    assert "not managed so" in shown
    assert "All three needs" not in shown
    half = words_of(
        manager.post(f"{COHORT}/flags", **facts | {"replaces": "1"}, mappa_category="2")
    )
    assert "Select both a category and a level" in half


def test_the_supervisor_sets_levels_and_teams_and_others_read_them(quiet_world: World):
    world, supervisor = quiet_world, quiet_world.visitor("supervisor")
    page = supervisor.get("/cohort/settings").text
    assert "unverified" in page.lower()
    form = {f"means_{each}": each for each in ("red", "amber", "green", "blue")}
    form |= {f"contact_days_{each}": "14" for each in ("red", "amber", "green", "blue")}
    form |= {"review_red": "3", "review_amber": "10", "review_green": "20", "review_blue": "28"}
    form |= {
        "contacts_red": "5",
        "contacts_amber": "6",
        "contacts_green": "1",
        "contacts_blue": "0",
    }
    form |= {
        "deselect_green_days": "200", "safety_check_days": "14", "look_back_days": "28",
        "before_release_days": "84", "panel_agencies": "2", "mappa_1": "100", "mappa_2": "80",
        "mappa_3": "40", "version": "2", "source": "the board", "provenance": "agreed",
        "reason": "after a year", "replaces": "0", "area": str(west(world)),
    }  # fmt: skip
    odd = supervisor.post("/cohort/settings", **form)
    assert "at least as many contacts for red" in words_of(odd)
    assert supervisor.post("/cohort/settings", **form | {"contacts_amber": "2"}).status_code == 302
    manager = select(world)
    late = colour(colour="red", **day("review_on", today(world) + timedelta(days=4)))
    assert "not after" in words_of(manager.post(f"{COHORT}/rag", **late))

    teams = {"area": str(west(world)), "reason": "new", "replaces": "0", "name_1": "North",
             "localities_1": "Boughton", "name_2": "Rest"}  # fmt: skip
    twice = words_of(supervisor.post("/cohort/teams", **teams | {"name_2": "north"}))
    assert "Two teams are called" in twice
    assert supervisor.post("/cohort/teams", **teams).status_code == 302
    assert "the rule names the team North" in words_of(manager.get(f"{COHORT}/leads"))
    assert "Save as a new version" not in manager.get("/cohort/teams").text
