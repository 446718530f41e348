"""The common assessment on the pages: scored whole or not at all, judged, disagreed, overridden."""

import re

from web import casework
from web.test_intake_pages import errors_of
from web.world import VICTIM_WORDS, World, words_of

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.people import WearerRow
from navigate_safer.people.assessment_forms import form

DASH = "/people/W-EXC/assessments/dash/V-1"
OVERVIEW = "/people/W-EXC/assessments"
BY = {
    "assessor": "I. Ashworthy", "agency": "IDVA service", "on-day": "20", "on-month": "11",
    "on-year": "2026", "review_on-day": "20", "review_on-month": "2", "review_on-year": "2027",
}  # fmt: skip


def dash(ticks: int, **more: str) -> dict[str, str]:
    items = [item.id for item in form("dash").items()]
    answers = {f"a_{item}": "yes" if n < ticks else "no" for n, item in enumerate(items)}
    return answers | BY | {"replaces": "0"} | more


def band_of(world: World) -> str:
    return world.database.one(WearerRow, WearerRow.ref == "W-EXC").band


def test_a_dash_with_answers_missing_is_not_scored_and_each_is_named(quiet_world: World) -> None:
    sent = dash(15)
    del sent["a_q7"], sent["a_q15"]
    answer = quiet_world.visitor("idva").post(DASH, **sent)
    assert answer.status_code == 422
    assert errors_of(answer) == {
        "a_q7": "Answer 7, Conflict over child contact: it is not scored with answers missing",
        "a_q15": (
            "Answer 15, Strangling, choking, suffocating, drowning: it is not scored with answers "
            "missing"
        ),
    }
    assert quiet_world.database.count(CaseRecordRow) == 0


def test_a_dash_sets_the_band_for_all_and_shows_its_answers_to_assessors_only(
    quiet_world: World,
) -> None:
    idva = quiet_world.visitor("idva")
    sent = dash(15, e_q1="Bruises on both arms", s_q1="Health", d_q1="18/11/2026")
    assert idva.post(DASH, **sent).location == OVERVIEW
    again = idva.get(DASH).text
    assert 'value="Bruises on both arms"' in again
    assert 'value="18/11/2026"' in again
    assert "15 of 24" in words_of(idva.get(OVERVIEW))
    for who in ("duty", "facilitator"):
        shown = words_of(quiet_world.visitor(who).get(OVERVIEW))
        assert "Band: High" in shown
        assert "of 24" not in shown
        assert "V-1" not in shown
        assert "12,301" in shown, "the caution stands beside every band"
        timeline = words_of(quiet_world.visitor(who).get("/people/W-EXC/timeline"))
        assert "Bruises" not in timeline
    for page in (idva.get(OVERVIEW), idva.get(DASH)):
        assert not [word for word in VICTIM_WORDS if word in page.text]


def test_judgement_may_raise_a_dash_with_a_reason_and_never_lower_it(quiet_world: World) -> None:
    idva = quiet_world.visitor("idva")
    lower = idva.post(DASH, **dash(15, judged="medium", judged_why="He is calmer"))
    assert errors_of(lower)["judged"].startswith("Select high or above")
    silent = idva.post(DASH, **dash(3, judged="high"))
    assert set(errors_of(silent)) == {"judged_why"}
    assert idva.post(DASH, **dash(3, judged="high", judged_why="He stalks")).status_code == 302
    assert "raised from standard: He stalks" in words_of(idva.get(OVERVIEW))
    overrides = words_of(quiet_world.visitor("supervisor").get("/assessments/overrides"))
    assert "IDVA service 1 1 100 %" in overrides


def test_two_who_assess_at_once_are_told_and_nothing_is_lost(quiet_world: World) -> None:
    quiet_world.visitor("idva").post(DASH, **dash(3))
    late = quiet_world.visitor("manager").post(DASH, **dash(5, e_q4="Alone all week"))
    assert late.status_code == 422
    told = words_of(late)
    assert "Idva Ashworthy saved version 1" in told
    assert "Answers, q4, value" in told
    assert 'value="Alone all week"' in late.text
    assert 'name="replaces" value="1"' in late.text


def test_a_closed_dash_needs_a_reason_and_no_longer_counts(quiet_world: World) -> None:
    idva = quiet_world.visitor("idva")
    idva.post(DASH, **dash(15))
    refused = idva.post(f"{DASH}/close", replaces="1")
    assert errors_of(refused) == {"close_reason": "Enter why it no longer counts"}
    closed = idva.post(f"{DASH}/close", replaces="1", close_reason="She moved abroad")
    assert closed.location == OVERVIEW
    assert "none yet" in words_of(idva.get(OVERVIEW))


def test_a_band_below_a_victims_tool_is_refused_and_above_it_is_kept(quiet_world: World) -> None:
    manager = quiet_world.visitor("manager")
    manager.post(DASH, **dash(11))
    path = "/people/W-EXC/assessments/band"
    judged = BY | {"agency": "Probation", "reason": "Work and a home since May", "replaces": "1"}
    low = manager.post(path, **judged, band="standard")
    assert errors_of(low) == {"band": "Select medium or above: a victim's tool says medium"}
    assert manager.post(path, **judged, band="medium").status_code == 302
    assert band_of(quiet_world) == "medium"
    shown = words_of(manager.get(OVERVIEW))
    assert "Medium, from high" in shown
    past = manager.post(path, **judged | {"review_on-year": "2025"}, band="high")
    assert set(errors_of(past)) == {"review_on"}


def test_a_partners_rating_is_taken_in_its_own_words_and_disagreement_is_shown(
    quiet_world: World,
) -> None:
    access = quiet_world.visitor("access")
    path = "/people/W-EXC/assessments/rating"
    sent = {
        "tool": "DARA", "tool_version": "1", "rating": "very bad", "agency": "Police",
        "on-day": "18", "on-month": "11", "on-year": "2026",
    }  # fmt: skip
    assert errors_of(access.post(path, **sent)) == {
        "rating": "Enter one of Standard, Medium, High",
        "victim": "Select which victim: this tool is about one",
    }
    assert access.post(path, **sent | {"rating": "high", "victim": "V-1"}).status_code == 302
    other = sent | {"tool": "SARA", "rating": "Low", "agency": "Probation"}
    assert access.post(path, **other).status_code == 302
    shown = words_of(access.get(OVERVIEW))
    assert "say different things" in shown
    assert "“Low”" in shown
    assert "DARA" not in words_of(quiet_world.visitor("duty").get(OVERVIEW))


def test_rfgv_is_filled_from_the_records_and_shows_its_four_parts(quiet_world: World) -> None:
    manager = quiet_world.visitor("manager")
    path = "/people/W-EXC/assessments/rfgv"
    page = manager.get(path)
    assert "The records here hold 4 incidents" in words_of(page)
    sent = {
        "incidents": "6", "last_on-day": "6", "last_on-month": "10", "last_on-year": "2026",
        "gravest": "injury", "victims": "2", "agency": "Police", "evidence": "Niche of today",
        "replaces": "0",
    }  # fmt: skip
    assert set(errors_of(manager.post(path, **sent | {"gravest": "", "evidence": ""}))) == {
        "gravest", "evidence",
    }  # fmt: skip
    assert manager.post(path, **sent).status_code == 302
    shown = words_of(manager.get(OVERVIEW))
    assert "73.5 of 100" in shown
    for part, points, added in (("Recency", "75", "18.75"), ("Gravity", "80", "24.00")):
        assert f"{part} {points} {added}" in shown


def test_a_supervisor_changes_the_weights_and_a_table_that_is_no_score_is_refused(
    quiet_world: World,
) -> None:
    supervisor = quiet_world.visitor("supervisor")
    page = supervisor.get("/assessments/weights").text
    filled = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
    filled |= {"area": "west", "replaces": "0", "source": "Board", "why": "a trial"}
    assert set(errors_of(supervisor.post("/assessments/weights", **filled))) == {"version"}
    filled["version"] = "2027-01"
    wrong = filled | {"recency_points_2": "100", "recency_points_1": "50"}
    assert set(errors_of(supervisor.post("/assessments/weights", **wrong))) == {"recency_limit_1"}
    assert errors_of(
        supervisor.post("/assessments/weights", **filled | {"share_victims": "1"})
    ) == {"share_recency": "Make the four shares add up to 1"}
    assert supervisor.post("/assessments/weights", **filled).status_code == 302
    assert "RFGV weights: 2027-01" in words_of(
        quiet_world.visitor("duty").get("/assessments/weights")
    )


def test_needs_are_shown_to_all_with_what_they_rest_on(quiet_world: World) -> None:
    casework.assessed(quiet_world)
    shown = words_of(quiet_world.visitor("facilitator").get(OVERVIEW))
    assert "Alcohol, then housing" in shown
    assert "seen (Police, 3 November 2026)" in shown
    manager = quiet_world.visitor("manager")
    again = manager.get("/people/W-EXC/assessments/needs")
    assert "Alcohol, then housing" in again.text
    sent = {f"a_{item.id}": "none" for item in form("needs").items()} | BY
    late = manager.post("/people/W-EXC/assessments/needs", **sent, summary="All well", replaces="0")
    assert "saved version 1" in words_of(late)
