"""What the board, the caseload, a person's page and the service's pages show, and to whom."""

import json
import re

import pytest
from case_files import START, fix, message
from web.world import (
    AWAY,
    HOSTILE,
    PLACE_WORDS,
    VICTIM_WORDS,
    WEST_ALERTS,
    World,
    words_of,
)

from alerts.finding import FindingKind
from navigate_safer.services import collection

KINDS = FindingKind


def page_of(world: World, kind: FindingKind, account: str = "duty"):
    return world.visitor(account).get(f"/alerts/{world.reference(kind)}")


def lines_of_the_board(page: str) -> list[str]:
    """Severity and reference of each row, in their order."""
    body = page[page.index("<tbody") : page.index("</tbody>")]
    return [
        f"{severity} {reference}"
        for severity, reference in re.findall(
            r'govuk-tag--\w+">(\w+)</strong></td>.*?/alerts/(\w+)"', body, re.S
        )
    ]


# The board


def test_the_board_lists_the_most_urgent_first_and_of_these_the_one_that_waits_longest(
    shared_world: World,
) -> None:
    page = shared_world.visitor("duty").get("/board")
    reference = shared_world.reference
    hostile = reference(KINDS.EXCLUSION_BREACH, "W-BAD")
    listed = lines_of_the_board(page.text)
    assert listed[0] == f"Urgent {reference(KINDS.EXCLUSION_BREACH)}"
    assert set(listed[1:4]) == {
        f"High {reference(KINDS.RESTRICTION_BREACH)}",
        f"High {reference(KINDS.STRAP_TAMPER)}",
        f"High {hostile}",
    }
    # The silence was told last, at 21:16.
    assert set(listed[4:6]) <= {
        f"Medium {reference(KINDS.CURFEW_BREACH)}",
        f"Medium {reference(KINDS.ALCOHOL_THRESHOLD)}",
    }
    assert listed[6:] == [
        f"Medium {reference(KINDS.BATTERY_CRITICAL)}",
        f"Medium {reference(KINDS.SILENCE)}",
        f"Low {reference(KINDS.BATTERY_LOW)}",
    ]
    assert "9 waiting for somebody, 0 being dealt with" in words_of(page)


def test_an_acknowledged_alert_goes_below_those_that_nobody_has_answered(world: World) -> None:
    visitor = world.visitor("duty")
    urgent = world.reference(KINDS.EXCLUSION_BREACH)
    visitor.post(f"/alerts/{urgent}/acknowledge")
    page = visitor.get("/board")
    assert lines_of_the_board(page.text)[-1] == f"Urgent {urgent}"
    assert "8 waiting for somebody, 1 being dealt with" in words_of(page)
    assert "Acknowledged by Duty Ashworthy" in words_of(page)
    # Only what is open is counted in the title and announced.
    assert page.text.count("data-alert-id=") == 8


def test_a_resolved_alert_leaves_the_board(world: World) -> None:
    visitor = world.visitor("duty")
    urgent = world.reference(KINDS.EXCLUSION_BREACH)
    visitor.post(f"/alerts/{urgent}/resolve", outcome="false_alarm")
    assert urgent not in visitor.get("/board").text
    assert visitor.get(f"/alerts/{urgent}").status_code == 200


def test_an_empty_board_says_so(quiet_world: World) -> None:
    page = words_of(quiet_world.visitor("duty").get("/board"))
    assert "0 waiting for somebody" in page
    assert "No alert is open in your areas." in page


def test_the_refreshing_part_is_the_board_without_the_page_about_it(shared_world: World) -> None:
    visitor = shared_world.visitor("duty")
    part, page = visitor.get("/board/fragment").text, visitor.get("/board").text
    assert "<html" not in part
    assert part.strip() in page


def test_the_board_says_when_monitoring_itself_is_not_well(world: World) -> None:
    visitor = world.visitor("duty")
    page = words_of(visitor.get("/board"))
    assert "Monitoring is degraded" in page
    assert "The ingest worker gives no sign of life." in page
    assert world.visitor().get("/health").status_code == 503

    world.all_workers_well()
    assert "Monitoring is degraded" not in visitor.get("/board").text
    healthy = world.visitor().get("/health")
    assert (healthy.status_code, healthy.json["status"]) == (200, "ok")


# Caseload and person


def test_the_caseload_lists_everybody_of_the_area_with_open_alerts_first(
    shared_world: World,
) -> None:
    page = shared_world.visitor("duty").get("/caseload")
    assert "7 people in your areas." in words_of(page)
    listed = re.findall(r'href="/people/([\w-]+)"', page.text)
    assert listed[0] == "W-TAG", "three alerts are open"
    assert len(listed) == 7


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param("umber", ["W-EXC"], id="part of a name, in any case"),
        pytest.param("W-SIL", ["W-SIL"], id="reference"),
        pytest.param("%", [], id="a sign that means anything to a database"),
        pytest.param("_-_", [], id="another"),
        pytest.param("nobody", [], id="nobody of that name"),
    ],
)
def test_a_search_finds_by_name_reference_or_ward(
    shared_world: World, search: str, found: list[str]
) -> None:
    page = shared_world.visitor("duty").get("/caseload", query_string={"search": search})
    assert re.findall(r'href="/people/([\w-]+)"', page.text) == found
    assert re.search(r'name="search"[^>]*value="', page.text), "what was searched stays"
    assert ("1 person" if found else "0 people") in words_of(page)


def test_a_person_page_says_who_what_and_when_last_seen(shared_world: World) -> None:
    page = words_of(shared_world.visitor("duty").get("/people/W-TAG"))
    for words in (
        "Edric Sandiway", "Born 2 April 1987", "Boughton, Cheshire West", "Risk high",
        "Offender manager Manager Ashworthy", "Wear and charge the tag", "Licence 12",
        "29 June 2027", "TAG-W-TAG", "Last reading 13 minutes ago", "Battery 4 %",
        "Strap or case tampered with", "Battery nearly empty",
    ):  # fmt: skip
        assert words in page, words


def test_a_person_page_has_a_map_of_the_last_day_and_a_week_of_alcohol(
    shared_world: World,
) -> None:
    visitor = shared_world.visitor("duty")
    assert 'data-map-src="/people/W-EXC/map.json"' in visitor.get("/people/W-EXC").text
    assert len(visitor.get("/people/W-EXC/map.json").json["fixes"]) == 3
    page = visitor.get("/people/W-ALC")
    assert 'data-chart-src="/people/W-ALC/alcohol.json"' in page.text
    assert "No position was received in the last day." in words_of(page)
    assert len(visitor.get("/people/W-ALC/alcohol.json").json["readings"]) == 3


# Who may not see what


@pytest.mark.parametrize("account", ["facilitator", "access", "idva"])
def test_those_who_may_not_see_places_find_none_anywhere(shared_world: World, account: str) -> None:
    visitor = shared_world.visitor(account)
    seen = [visitor.get("/caseload"), visitor.get("/caseload?search=Boughton")]
    seen += [visitor.get(f"/people/{ref}") for ref in set(WEST_ALERTS.values())]
    assert {each.status_code for each in seen} == {200}
    seen += [visitor.get(f"/people/W-EXC/{name}.json") for name in ("map", "alcohol")]
    for answer in seen:
        for word in PLACE_WORDS + VICTIM_WORDS + ["data-map-src", "data-chart-src"]:
            assert word not in answer.text, (answer.request.path, word)


def test_a_facilitator_sees_no_alert(shared_world: World) -> None:
    visitor = shared_world.visitor("facilitator")
    for path in ("/caseload", "/people/W-EXC"):
        page = visitor.get(path).text
        assert "/alerts/" not in page
        assert "Open alerts" not in page
        assert shared_world.reference(KINDS.EXCLUSION_BREACH) not in page


@pytest.mark.parametrize("account", ["duty", "manager", "supervisor"])
def test_no_page_about_a_wearer_says_who_is_protected(shared_world: World, account: str) -> None:
    visitor = shared_world.visitor(account)
    reference = shared_world.reference(KINDS.EXCLUSION_BREACH)
    for path in ("/board", "/caseload", "/people/W-EXC", f"/alerts/{reference}",
                 f"/alerts/{reference}/map.json", "/people/W-EXC/map.json"):  # fmt: skip
        body = visitor.get(path).text
        assert [word for word in VICTIM_WORDS if word in body] == [], path


def test_a_system_administrator_sees_the_service_and_no_case(world: World) -> None:
    world.watch.receive(message("TAG-NOBODY", fix(START, AWAY)))
    answer = world.visitor("admin").get("/service")
    page = words_of(answer)
    assert "Unknown device" in page
    assert "West gateway" in page
    names = [wearer.name for wearer in _wearers(world)] + PLACE_WORDS + VICTIM_WORDS
    for word in [*names, "Boughton", "W-EXC", "Umbershaw"]:
        assert word not in answer.text.replace("TAG-W-EXC", ""), word


def test_an_auditor_reads_who_did_what_and_no_case(shared_world: World) -> None:
    shared_world.visitor("duty").get("/people/W-EXC")
    answer = shared_world.visitor("auditor").get("/audit")
    page = words_of(answer)
    assert "Consultation Person duty" in page
    for word in [wearer.name for wearer in _wearers(shared_world)] + PLACE_WORDS + VICTIM_WORDS:
        assert word not in answer.text, word
    older = re.search(r'href="(/audit\?before=\d+)"', answer.text)[1]
    assert shared_world.visitor("auditor").get(older).status_code == 200
    assert shared_world.visitor("auditor").get("/audit?before=drop table").status_code == 200


def test_an_auditor_reads_the_entries_of_one_act(shared_world: World) -> None:
    shared_world.visitor("duty").get("/people/W-EXC")
    page = words_of(shared_world.visitor("auditor").get("/audit?act=consultation"))
    assert "Consultation Person duty" in page
    assert "Collection Telemetry stored" not in page
    # What was collected is logged by the minute, once its batches are settled.
    settled = shared_world.clock() + 2 * collection.SETTLED_AFTER
    assert collection.log(shared_world.database.sessions, settled)
    assert "Collection Telemetry stored" in words_of(
        shared_world.visitor("auditor").get("/audit?act=collection")
    )
    assert shared_world.visitor("auditor").get("/audit?act=everything").status_code == 200


def _wearers(world: World):
    from navigate_safer.db.people import WearerRow

    return world.database.all(WearerRow)


# Hostile words


@pytest.mark.parametrize("path", ["/board", "/board/fragment", "/caseload", "PERSON", "ALERT"])
def test_names_and_clauses_are_text_and_never_markup(shared_world: World, path: str) -> None:
    reference = shared_world.reference(KINDS.EXCLUSION_BREACH, "W-BAD")
    path = path.replace("PERSON", "/people/W-BAD").replace("ALERT", f"/alerts/{reference}")
    page = shared_world.visitor("duty").get(path).text
    assert "&lt;script&gt;alert(" in page
    assert "<script>alert(" not in page
    assert "</title><script" not in page


@pytest.mark.parametrize("words", [HOSTILE, "' or 1=1 --", "💥" * 200, "%3Cscript%3E"])
def test_hostile_searches_and_references_are_only_words(shared_world: World, words: str) -> None:
    visitor = shared_world.visitor("duty")
    answer = visitor.get("/caseload", query_string={"search": words})
    assert answer.status_code == 200
    assert "<script>alert(" not in answer.text
    for path in ("/people/", "/alerts/"):
        answer = visitor.get(path + words)
        assert answer.status_code == 404
        assert "<script>alert(" not in answer.text


def test_faults_of_json_addresses_are_json(shared_world: World) -> None:
    for account, path, status in (
        ("duty", "/people/W-NONE/map.json", 404),
        ("facilitator", "/people/W-EXC/map.json", 403),
        (None, "/people/W-EXC/map.json", 401),
    ):
        answer = shared_world.visitor(account).get(path)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
        assert json.loads(answer.text)["status"] == status


def test_the_demonstration_says_on_every_page_that_its_people_are_invented(
    breached, tmp_path
) -> None:
    import shutil

    from web.world import world_at

    copy = tmp_path / "world.sqlite3"
    shutil.copyfile(breached, copy)
    with world_at(f"sqlite:///{copy}", demonstration=True) as world:
        for path in ("/sign-in", "/board", "/caseload", "/people/W-EXC"):
            page = world.visitor(None if path == "/sign-in" else "duty").get(path)
            assert "Demonstration: invented people" in page.text
