"""Links of texts and messages to wearers in a real browser: accessible, and without a mouse."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from web.browsing import check_accessible, check_at_both_widths, tab_to, visit_as
from web.test_browser import browser, served
from web.test_links_page import link_of
from web.test_wearer_pages import PAGE, west
from web.world import World

from alerts.finding import FindingKind
from navigate_safer.db.wearer_messages import WearerContactRow, WearerPolicyRow

__all__ = ["browser"]


@pytest.fixture
def address(world: World) -> Iterator[str]:
    yield from served(world)


def test_an_officer_acknowledges_by_the_link_without_a_mouse_and_without_signing_in(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, None, 390)
    page = visit.go(link_of(world))
    check_at_both_widths(visit)
    page.reload()  # axe leaves its script behind
    tab_to(page, "Acknowledge: I am dealing with it")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("You have acknowledged the alert")
    alert = world.alert(world.reference(FindingKind.EXCLUSION_BREACH))
    assert alert.state == "acknowledged"
    page.context.close()


def test_a_supervisor_switches_a_message_on_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go(f"/wearer-messages/{west(world)}")
    check_at_both_widths(visit)
    page.reload()
    tab_to(page, "by_battery", most=80)
    page.keyboard.press("Space")
    tab_to(page, "tone_battery")
    page.keyboard.type("Sup")
    tab_to(page, "Save as a new version", most=80)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Enter why").wait_for()
    check_accessible(page)
    tab_to(page, "reason", most=120)
    page.keyboard.type("fewer empty tags")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is in force from now on")
    (row,) = world.database.all(WearerPolicyRow)
    on = [each for each in row.policy.ways if each.by_text or each.by_vibration]
    assert [(each.occasion.value, each.tone.value) for each in on] == [("battery", "supportive")]
    page.context.close()


def test_a_number_is_entered_and_confirmed_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "manager")
    page = visit.go(PAGE)
    tab_to(page, "phone")
    page.keyboard.type("07700 900288")
    page.keyboard.press("Enter")
    page.get_by_text("Not verified: not used").wait_for()
    check_at_both_widths(visit)
    page.reload()
    tab_to(page, "words")
    page.keyboard.type("I called it with him before me")
    tab_to(page, "Confirm the number")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The number is verified by you")
    assert world.database.one(WearerContactRow).verified_how == "officer"
    page.context.close()
