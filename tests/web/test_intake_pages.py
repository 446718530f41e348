"""Intake on the pages: a referral is taken in, compared and decided; faults are told in place."""

import html
import re

import pytest
from web import casework
from web.world import World, words_of

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.people import WearerRow

ASKED = {
    "area": "west", "given_name": "Godric", "family_name": "Wistaston", "born_on-day": "6",
    "born_on-month": "5", "born_on-year": "1990", "pnc": "2012/123456a", "locality": "Hoole",
    "source": "Probation", "caller": "agency", "received_at": "2026-11-20T20:30",
    "reason": "He asks for help", "what": "Shouting", "alcohol": "yes", "drugs": "no",
    "repeat": "no", "same_sex": "no", "children": "not_collected", "victims": "2",
}  # fmt: skip
TAKEN_ON = {"outcome": "appropriate", "decision_reason": "He is willing", "replaces": "1"}


def errors_of(answer) -> dict[str, str]:
    """The error summary: what to do, by the field that each link leads to."""
    summary = re.search(r'class="govuk-error-summary".*?</ul>', answer.text, re.S)
    assert summary, "the page has an error summary"
    found = re.findall(r'<a href="#([^"]+)">(.*?)</a>', summary[0], re.S)
    for field, _ in found:
        assert f'id="{field}"' in answer.text, f"nothing on the page is {field}"
    return {field: html.unescape(text.strip()) for field, text in found}


def test_a_referral_goes_from_the_form_to_somebody_on_the_caseload(quiet_world: World) -> None:
    access = quiet_world.visitor("access")
    sent = access.post("/intake/new", **ASKED)
    assert sent.status_code == 302
    page = words_of(access.get(sent.location))
    assert "PNC 12/0123456A" in page
    assert "2: serial" in page
    assert "Nobody in your areas is like the person" in page
    decided = access.post(f"{sent.location}/decide", **TAKEN_ON, put_to="new", band="high")
    assert decided.status_code == 302
    person = quiet_world.database.one(WearerRow, WearerRow.name == "Godric Wistaston")
    assert decided.location == f"/people/{person.ref}/referrals"
    assert "Serial: 2 victims in 3 years" in words_of(access.get(decided.location))
    manager = quiet_world.visitor("manager")
    assert "Band: High" in words_of(manager.get(f"/people/{person.ref}/assessments"))
    assert person.ref in words_of(manager.get("/caseload?search=Godric"))
    seen = words_of(manager.get(decided.location))
    assert "The whole referral" not in seen
    assert "He asks for help" not in seen


def test_what_is_missing_or_wrong_is_told_in_place_and_nothing_is_kept(quiet_world: World) -> None:
    wrong = ASKED | {
        "given_name": "", "born_on-year": "2190", "pnc": "12", "source": "A friend of mine",
        "received_at": "2026-11-29T10:00", "what": "At 14 Fletching Row", "alcohol": "maybe",
        "victims": "many",
    }  # fmt: skip
    answer = quiet_world.visitor("access").post("/intake/new", **wrong)
    assert answer.status_code == 422
    told = errors_of(answer)
    assert set(told) == {
        "given_name", "born_on", "pnc", "source", "received_at", "what", "alcohol", "victims",
    }  # fmt: skip
    assert told["what"].startswith("Take out the street address")
    assert told["pnc"].endswith("such as 12/0123456A")
    assert 'value="Wistaston"' in answer.text, "what was typed is still there"
    assert quiet_world.database.count(CaseRecordRow) == 0


def test_somebody_like_one_of_ours_is_shown_with_why_and_not_made_twice(
    quiet_world: World,
) -> None:
    ref = casework.referral_of(quiet_world)
    access = quiet_world.visitor("access")
    page = words_of(access.get(f"/intake/referrals/{ref}"))
    assert "Leofric Umbershaw, W-EXC" in page
    assert "Likely the same" in page
    assert "day and month swapped" in page
    assert "nearly the same, as by a slip" in page
    path = f"/intake/referrals/{ref}/decide"
    refused = access.post(path, **TAKEN_ON, put_to="new", band="high")
    assert errors_of(refused) == {
        "not_same": "Enter why this is not W-EXC, or put it to that person"
    }
    assert access.post(path, **TAKEN_ON, put_to="W-EXC").status_code == 302
    assert "CRN X123456" in words_of(access.get("/people/W-EXC/referrals"))


def test_a_reference_of_nobody_here_is_told_and_one_of_another_area_looks_the_same(
    quiet_world: World,
) -> None:
    path = f"/intake/referrals/{casework.referral_of(quiet_world)}/decide"
    access = quiet_world.visitor("access")
    told = [
        errors_of(access.post(path, **TAKEN_ON, put_to="other", other_ref=ref))
        for ref in ("W-NONE", "W-EAST")
    ]
    assert told[0] == told[1]
    assert set(told[0]) == {"other_ref"}


def test_the_second_of_two_decisions_is_told_what_the_first_was(quiet_world: World) -> None:
    ref = casework.referral_of(quiet_world)
    path = f"/intake/referrals/{ref}/decide"
    more = {
        "outcome": "more_information", "asked_of": "Probation", "answer_by-day": "25",
        "answer_by-month": "11", "answer_by-year": "2026",
    }  # fmt: skip
    access = quiet_world.visitor("access")
    assert access.post(path, **TAKEN_ON | more).status_code == 302
    late = quiet_world.visitor("supervisor").post(path, **TAKEN_ON, put_to="W-EXC")
    assert late.status_code == 422
    assert "Access Ashworthy saved version 2" in words_of(late)
    assert 'name="replaces" value="2"' in late.text
    assert "Waiting for information" in words_of(access.get("/intake"))


def test_a_supervisor_sets_sources_and_clock_and_the_access_team_only_reads_them(
    quiet_world: World,
) -> None:
    supervisor = quiet_world.visitor("supervisor")
    page = supervisor.get("/intake/settings")
    form = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page.text))
    form |= {
        "area": "west", "replaces": "0", "sources": "Ferry\nPolice", "destinations": "Housing",
        "source": "Board of 3 November", "decide_within_h": "8", "why": "fewer hands",
    }  # fmt: skip
    wrong = form | {"sources": "Ferry\nferry", "urgent_within_h": "12"}
    assert set(errors_of(supervisor.post("/intake/settings", **wrong))) == {
        "sources", "urgent_within_h",
    }  # fmt: skip
    assert supervisor.post("/intake/settings", **form).status_code == 302
    access = quiet_world.visitor("access")
    shown = access.get("/intake/settings")
    assert "Ferry; Police" in words_of(shown)
    assert "Save as a new version" not in shown.text
    assert 'value="Ferry"' in access.get("/intake/new").text
    assert errors_of(access.post("/intake/new", **ASKED)) == {
        "source": "Select where it comes from"
    }


def test_the_report_shows_the_quarter(quiet_world: World) -> None:
    casework.referral_of(quiet_world)
    page = words_of(quiet_world.visitor("access").get("/intake/report"))
    assert "1 open, 0 overdue" in page
    assert "2026 Q4 so far" in page
    assert "Probation" in page


@pytest.mark.parametrize("path", ["/intake", "/intake/report", "/people/W-CUR/referrals"])
def test_with_nothing_recorded_a_page_says_so(quiet_world: World, path: str) -> None:
    page = words_of(quiet_world.visitor("access").get(path))
    assert re.search(r"No referral (waits|in these quarters|is recorded)", page)
