"""The real pages under a real server in a real browser: keyboard, screen sizes, accessibility.

Without Chromium or the built front end (``python hatch_build.py``) they are skipped; in CI they
fail.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_files import MINUTE, START, walk
from playwright.sync_api import Browser, Page, expect, sync_playwright
from watch import VOICE
from web import casework, programmes
from web.browsing import (
    AXE,
    DESK,
    PHONE,
    Visit,
    check_at_both_widths,
    tab_to,
    visit_as,
    wait_until_drawn,
)
from web.cohort_forms import planned
from web.enforcing import breach_of, failure_of, notice_of, order_of
from web.world import AWAY, CROSS, PASSWORD, World, enters_the_cross
from werkzeug.serving import make_server

from alerts.compound import MissedSession
from alerts.finding import FindingKind
from navigate_safer.db.alerting import AlertRow
from navigate_safer.services import compound

# The condition of the catalogue that has most to fill in.
EXCLUSION = "99195049-f355-46fb-b7d8-aef87a1b19c5"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def need(path: Path | str, what: str) -> None:
    if not Path(path).exists():
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report(f"{what} is missing; `python hatch_build.py` builds the pages' files")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need(CHROMIUM, "Chromium")
    need(AXE, "axe-core")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield started
        started.close()


def served(world: World) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The pages of a world that the test may change."""
    yield from served(world)


@pytest.fixture(scope="module")
def shared_address(shared_world: World) -> Iterator[str]:
    """The pages of a world that nothing changes."""
    yield from served(shared_world)


@pytest.fixture
def duty(browser: Browser, world: World, address: str) -> Iterator[Visit]:
    """A duty officer at a desk."""
    made = visit_as(browser, world, address, "duty")
    yield made
    made.page.context.close()


def reference_of(path: str, world: World) -> str:
    """The path with a kind of finding exchanged for the reference of its alert."""
    path = path.replace("ENTRY", str(world.refused())) if "ENTRY" in path else path
    if "PLANNED" in path:
        path = path.replace("PLANNED", planned(world))
    if path.startswith(("/people/W-EXC/orders", "/people/W-EXC/enforcement", "/failures")):
        made = {"ORDER": order_of(world), "FAILURE": failure_of(world), "ZONE": EXCLUSION}
        breach_of(world), notice_of(world)
        for word, value in made.items():
            path = path.replace(word, str(value))
    if "MEETING" in path:
        path = path.replace("MEETING", casework.meeting_of(world))
    if "REFERRAL" in path:
        path = path.replace("REFERRAL", casework.referral_of(world))
    if path.startswith("/people/W-EXC/assessments"):
        casework.assessed(world)
    if "GROUP" in path:
        path = path.replace("GROUP", programmes.group_of(world))
    if path == "QUESTION":
        form = {
            "lat": str(CROSS.lat), "lon": str(CROSS.lon), "radius_m": "300", "purpose": "crime",
            "from_at": "2026-11-20T21:00", "to_at": "2026-11-20T21:10", "reference": "CC/1",
        }  # fmt: skip
        return world.visitor("manager").post("/near/ask", **form).location
    return re.sub(
        r"\{(\w+)\}", lambda found: world.reference(FindingKind(found[1])), path
    )  # fmt: skip


PAGES = [
    pytest.param(None, "/sign-in", id="sign-in"),
    pytest.param("duty", "/board", id="board"),
    pytest.param("supervisor", "/service/quarantine/ENTRY", id="refused message"),
    pytest.param("admin", "/service/quarantine/ENTRY", id="refused message without its bytes"),
    pytest.param("admin", "/service/quarantine?reason=malformed", id="quarantine"),
    pytest.param("duty", "/alerts/{exclusion_breach}", id="alert with a map"),
    pytest.param("duty", "/alerts/{alcohol_threshold}", id="alert with a chart"),
    pytest.param("idva", "/alerts/{silence}", id="alert without its places"),
    pytest.param("duty", "/caseload", id="caseload"),
    pytest.param("duty", "/people/W-EXC", id="person with a map"),
    pytest.param("manager", "/people/W-CUR", id="person with a curfew's compliance"),
    pytest.param("manager", "/today", id="who needs me today"),
    pytest.param("manager", "/people/W-EXC/timeline", id="timeline of a person"),
    pytest.param("manager", "/people/W-EXC/safety-checks", id="safety checks"),
    pytest.param("manager", "/meetings/MEETING", id="meeting"),
    pytest.param("facilitator", "/groups/GROUP/sessions/1/register", id="register of a group"),
    pytest.param("facilitator", "/groups/GROUP", id="group"),
    pytest.param("facilitator", "/people/W-EXC/sessions", id="sessions of a person"),
    pytest.param("supervisor", "/capacity", id="capacity"),
    pytest.param("manager", "/people/PLANNED/plan", id="plan"),
    pytest.param("manager", "/people/PLANNED/plan/unmanaged", id="unmanaged risk"),
    pytest.param("manager", "/people/PLANNED/cohort", id="a person of the cohort"),
    pytest.param("supervisor", "/cohort", id="cohort"),
    pytest.param("idva", "/victims/V-1", id="protected person"),
    pytest.param("access", "/intake/new", id="new referral"),
    pytest.param("access", "/intake/referrals/REFERRAL", id="referral with who may be the same"),
    pytest.param("manager", "/people/W-EXC/assessments", id="assessments"),
    pytest.param("idva", "/people/W-EXC/assessments/dash/V-1", id="Dash"),
    pytest.param("manager", "/near", id="who was near a place"),
    pytest.param("manager", "QUESTION", id="who was near a place: the answer"),
    pytest.param("manager", "/outcomes", id="outcomes"),
    pytest.param("auditor", "/outcomes", id="outcomes without names"),
    pytest.param("auditor", "/outcomes/framework", id="joint outcomes framework"),
    pytest.param("manager", "/outcomes/behind/before", id="outcomes: who is behind a figure"),
    pytest.param("manager", "/outcomes?against_people=W-CUR", id="outcomes of two groups"),
    pytest.param("supervisor", "/outcomes/cost", id="cost and benefit"),
    pytest.param("supervisor", "/outcomes/cost/benefit/new", id="form of a benefit"),
    pytest.param("supervisor", "/outcomes/harm", id="tables of harm"),
    pytest.param("board", "/outcomes/pack", id="pack of the board"),
    pytest.param("facilitator", "/people/W-ALC", id="person, to a facilitator"),
    pytest.param("duty", "/people/W-BAD", id="person with hostile words"),
    pytest.param("manager", "/people/W-EXC/orders/ORDER", id="an order"),
    pytest.param("manager", "/people/W-EXC/orders/ORDER/clauses/new?code=ZONE", id="a clause"),
    pytest.param("manager", "/people/W-EXC/enforcement", id="enforcement"),
    pytest.param("manager", "/failures/FAILURE", id="a failure to comply"),
    pytest.param("admin", "/service", id="service"),
    pytest.param("auditor", "/audit", id="audit log"),
]


@pytest.mark.parametrize(("account", "path"), PAGES)
def test_a_page_is_accessible_fits_and_asks_nobody_else(
    browser: Browser, shared_world: World, shared_address: str, account: str | None, path: str
) -> None:
    """At a desk, and then, with a narrower window, as on a phone."""
    visit = visit_as(browser, shared_world, shared_address, account, DESK)
    page = visit.go(reference_of(path, shared_world))
    assert page.locator("h1").count() == 1
    check_at_both_widths(visit)
    page.context.close()


def test_a_case_alert_with_its_chart_is_accessible(world: World, duty: Visit) -> None:
    missed = MissedSession("S-1", START, START + 60 * MINUTE)
    compound.session_missed(world.database.sessions, "W-ALC", missed, world.clock(), VOICE)
    page = duty.go(f"/alerts/{world.reference(FindingKind.COMPOUND, 'W-ALC')}")
    wait_until_drawn(page)
    label = page.locator("figure[data-chart-kind=alcohol] svg.ns-plot").first
    assert "Cannot be told from 20 November 2026, 21:01" in label.get_attribute("aria-label")
    assert page.locator("svg.ns-plot [fill='url(#ns-alcohol-undetermined)']").count() == 1
    check_at_both_widths(duty)


def test_forms_with_errors_are_accessible_and_take_the_focus(world: World, duty: Visit) -> None:
    page = duty.go(reference_of("/alerts/{silence}", world))
    page.get_by_role("button", name="Resolve the alert").click()
    link = page.get_by_role("link", name="Select what you found")
    link.wait_for()

    assert page.title().startswith("Error: ")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    link.click()
    assert page.evaluate("document.activeElement.name") == "outcome"
    # The browser itself says in its console that the answer was 422.
    duty.faults = [fault for fault in duty.faults if "422" not in fault]
    check_at_both_widths(duty)


def test_a_refused_message_is_set_aside_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go(f"/service/quarantine/{world.refused()}")
    tab_to(page, "reason")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Say why it is set aside").wait_for()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    tab_to(page, "reason")
    page.keyboard.type("a device of a tester")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The message is set aside")
    page.context.close()


def test_signing_in_and_acknowledging_need_no_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, None)
    page = visit.go("/board")
    tab_to(page, "account")
    page.keyboard.type("duty")
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Duty board").wait_for()

    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    tab_to(page, f"/alerts/{reference}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{reference}")
    tab_to(page, "Acknowledge: I am dealing with it")
    page.keyboard.press("Enter")
    page.get_by_text("Duty Ashworthy is dealing with this").wait_for()

    assert world.alert(reference).state == "acknowledged"
    visit.check_clean()
    page.context.close()


def test_the_first_key_skips_to_the_content(duty: Visit) -> None:
    page = duty.go("/board")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()


def test_a_new_alert_comes_onto_the_board_by_itself(world: World, duty: Visit) -> None:
    page = duty.go("/board")
    assert page.title() == "(9) Duty board - Navigate Safer"
    page.get_by_role("button", name="Pause updates").focus()

    leaves_the_zone_and_comes_back(world)
    new = world.database.all(AlertRow)[-1].reference
    page.locator(f"a[href='/alerts/{new}']").wait_for()
    assert page.locator("[aria-live=polite]").inner_text() == "1 new alert. 10 open."
    assert page.title() == "(10) Duty board - Navigate Safer"
    assert page.evaluate("document.activeElement.innerText") == "Pause updates"
    duty.check_clean()


def leaves_the_zone_and_comes_back(world: World) -> None:
    start = world.clock()
    world.watch.hear(*walk("TAG-W-EXC", AWAY, AWAY, start=start))
    world.watch.hear(*enters_the_cross("TAG-W-EXC", start=world.clock()))


def test_an_alert_that_somebody_takes_on_is_no_longer_open_on_the_board(
    world: World, duty: Visit
) -> None:
    page = duty.go("/board")
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    world.visitor("supervisor").post(f"/alerts/{reference}/acknowledge")
    expect(page.get_by_text("being dealt with")).to_contain_text("8 waiting for somebody, 1 being")
    row = page.locator("tr", has=page.locator(f"a[href='/alerts/{reference}']"))
    expect(row).to_contain_text("by Supervisor Ashworthy")


def test_a_board_before_an_ended_session_says_so(world: World, duty: Visit) -> None:
    page = duty.go("/board")
    world.clock.forward(minutes=31)
    page.get_by_text("You are signed out. Not updated since").wait_for()


def test_the_map_of_an_alert_is_drawn_with_its_zone_and_trail(world: World, duty: Visit) -> None:
    page = duty.go(reference_of("/alerts/{exclusion_breach}", world))
    wait_until_drawn(page)
    canvas = page.locator("em-map canvas").first
    assert canvas.evaluate("each => each.width > 0 && each.height > 0")
    assert painted(page) > 1, "more than one colour"
    layers = "document.querySelector('em-map').olMapInstance.getLayers().getArray()"
    titles = page.evaluate(f"{layers}.map(layer => layer.get('title'))")
    assert {"wards", "zones", "zone-names", "alert-points"} <= set(titles)
    page.get_by_role("button", name="Next point").click()
    expect(page.locator(".ns-map__spoken")).to_contain_text("Point 1 of 3")
    # The same for whoever cannot see the map.
    page.get_by_text("The same points as a table").click()
    expect(page.get_by_role("cell", name="53.19050").first).to_be_visible()
    duty.check_clean()


def painted(page: Page) -> int:
    """How many colours the map's canvas has."""
    return page.evaluate(
        """() => {
          const canvas = document.querySelector("em-map").shadowRoot.querySelector("canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
          return seen.size;
        }"""
    )


def test_a_person_page_draws_the_alcohol_readings_and_has_them_as_a_table(duty: Visit) -> None:
    page = duty.go("/people/W-ALC")
    wait_until_drawn(page)
    chart = page.locator("figure[data-chart-kind=alcohol] svg.ns-plot").first
    expect(chart).to_be_visible()
    label = chart.get_attribute("aria-label")
    assert "3 readings. 2 of them at or above the threshold of 0.02 g/dl." in label
    page.get_by_text("The newest readings as a table").click()
    expect(page.get_by_role("cell", name="0.071")).to_be_visible()
    duty.check_clean()


def test_on_a_phone_every_cell_of_the_board_has_its_name_and_the_whole_row_is_seen(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "duty", PHONE)
    page = visit.go("/board")
    row = page.locator("tbody tr").first
    row.scroll_into_view_if_needed()
    cells = row.locator("td").all()
    assert len(cells) == 5
    for cell in cells:
        expect(cell).to_be_in_viewport(ratio=1)
    labels = row.locator("td[data-label]").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
    )
    assert labels == ['"Who"', '"Began"', '"State"']
    page.context.close()


def test_without_scripts_the_pages_still_do_their_work(
    browser: Browser, world: World, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    cookie = world.visitor("duty").cookie()
    context.add_cookies([{"name": "navigate-safer", "value": cookie.value, "url": address}])
    page = context.new_page()
    page.goto(address + reference_of("/alerts/{exclusion_breach}", world))
    page.get_by_text("The same points as a table").click()
    expect(page.get_by_role("cell", name="53.19050").first).to_be_visible()
    page.get_by_role("button", name="Acknowledge: I am dealing with it").click()
    expect(page.get_by_text("Duty Ashworthy is dealing with this")).to_be_visible()
    context.close()


def test_the_probability_is_drawn_with_its_threshold_and_told_in_words(
    world: World, duty: Visit
) -> None:
    page = duty.go(reference_of("/alerts/{exclusion_breach}", world))
    wait_until_drawn(page)
    chart = page.locator("[data-chart-kind=probability] svg.ns-plot")
    expect(chart).to_have_attribute("aria-label", re.compile(r"highest 100.0 %.* 29 % from which"))
    assert chart.locator("text", has_text="Told from 29 %").count() == 1
    page.get_by_text("The same fixes as a table, with their doubts").click()
    expect(page.get_by_role("cell", name="over 99.9 %").first).to_be_visible()
    duty.check_clean()


def test_the_bars_of_compliance_say_in_words_what_they_show(world: World, duty: Visit) -> None:
    page = duty.go("/people/W-CUR")
    bars = page.locator("svg.ns-strip").first
    expect(bars).to_have_attribute("aria-label", re.compile(r"Curfew.*kept.*in breach.*unknown"))
    duty.check_clean()
