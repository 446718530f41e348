"""Locate now in a real browser: by keyboard, read out, at both widths, and without scripts."""

from collections.abc import Iterator

import pytest
from case_files import fix, message
from playwright.sync_api import Browser, expect, sync_playwright
from posts import Post
from web.browsing import AXE, Visit, check_at_both_widths, tab_to, visit_as
from web.test_browser import CHROMIUM, CHROMIUM_ARGS, need, served
from web.world import AWAY, World

from navigate_safer.services import command_post, heartbeats

SOON_MS = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need(CHROMIUM, "Chromium")
    need(AXE, "axe-core")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield started
        started.close()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    heartbeats.beat(world.database.sessions, "commands", world.clock())
    yield from served(world)


@pytest.fixture
def duty(browser: Browser, world: World, address: str) -> Iterator[Visit]:
    made = visit_as(browser, world, address, "duty")
    yield made
    made.page.context.close()


def answer(world: World, accuracy_m: float = 8) -> None:
    at = world.clock()
    world.watch.receive(message("TAG-W-EXC", fix(at, AWAY, accuracy_m=accuracy_m), received_at=at))
    command_post.settle(world.database.sessions, world.clock())


def send(world: World) -> None:
    command_post.send_next(world.database.sessions, Post(), world.clock)


def test_the_answer_comes_to_the_page_that_is_open_and_is_read_out(
    world: World, duty: Visit
) -> None:
    page = duty.go("/people/W-EXC")
    tab_to(page, "locate-TAG-W-EXC")
    page.keyboard.press("Enter")
    said = page.locator("[data-said]").first
    expect(said).to_have_text("Being sent.")
    # Asked for once before anything changes, so that the change is what is read out.
    with page.expect_response("**/commands.json"):
        pass
    world.clock.forward(seconds=1)
    send(world)
    expect(said).to_contain_text("Sent to gw-west", timeout=SOON_MS)
    news = page.locator("[data-news]")
    expect(news).to_contain_text("Sent to gw-west")
    assert news.get_attribute("aria-live") == "polite"
    answer(world)
    world.clock.forward(seconds=12)
    expect(said).to_contain_text("12 seconds ago, within 8 m", timeout=SOON_MS)
    expect(news).to_contain_text("within 8 m")
    check_at_both_widths(duty)


def test_the_desk_is_accessible_also_with_errors(world: World, duty: Visit) -> None:
    page = duty.go("/people/W-EXC/commands")
    check_at_both_widths(duty)
    page = duty.go("/people/W-EXC/commands")
    page.get_by_role("button", name="Ask the device").click()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.get_by_label("Show a text").check()
    page.get_by_label("Text to show").select_option("Charge this device now.")
    page.get_by_label("Reason").fill("4 % left")
    page.get_by_role("button", name="Ask the device").click()
    expect(page.locator("[data-command]")).to_contain_text("Charge this device now.")


def test_it_works_without_scripts(world: World, browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    cookie = world.visitor("duty").cookie()
    context.add_cookies([{"name": "navigate-safer", "value": cookie.value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/people/W-EXC")
    page.get_by_role("button", name="Locate now").click()
    send(world)
    answer(world)
    page.get_by_role("link", name="Show the newest state").click()
    expect(page.locator("[data-said]")).to_contain_text("within 8 m")
    page.goto(f"{address}/people/W-EXC/commands")
    page.get_by_label("Vibrate").check()
    page.get_by_label("Reason").fill("he asked for a test")
    page.get_by_role("button", name="Ask the device").click()
    expect(page.locator("[data-command]")).to_have_count(2)
    context.close()


def test_whoever_is_signed_out_meanwhile_is_told(world: World, duty: Visit) -> None:
    page = duty.go("/people/W-EXC")
    page.get_by_role("button", name="Locate now").click()
    expect(page.locator("[data-said]")).to_be_visible()
    page.context.clear_cookies()
    expect(page.get_by_text("You are signed out.")).to_be_visible(timeout=SOON_MS)
