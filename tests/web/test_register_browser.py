"""The register in a real browser: twelve people by keyboard alone, in few enough keys."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from web import programmes
from web.browsing import DESK, visit_as
from web.test_browser import browser, served
from web.world import World

from navigate_safer.people.programmes import REGISTER
from navigate_safer.services import groups, records

__all__ = ["browser"]
TWELVE = [f"W-X{number}" for number in range(1, 13)]
# A practised hand presses two keys a second: under a minute with time to look up.
MOST_KEYS = 60


@pytest.fixture
def address(world: World) -> Iterator[str]:
    yield from served(world)


def test_twelve_people_are_filled_in_by_keyboard_with_one_submit(
    browser: Browser, world: World, address: str
) -> None:
    programmes.larger_group(world, 12)
    ref = programmes.group_of(world, *TWELVE)
    visit = visit_as(browser, world, address, "facilitator", DESK)
    page = visit.go(f"/groups/{ref}/sessions/1/register")
    page.locator(f"#outcome-{sorted(TWELVE)[0]}").focus()
    keys = 0

    def press(key: str) -> None:
        nonlocal keys
        page.keyboard.press(key)
        keys += 1

    for number in range(12):
        press("Space")
        if number == 5:
            press("ArrowDown")
            press("ArrowDown")
        press("Tab")
        press("Tab")
    press("Tab")
    press("Tab")
    press("Enter")
    page.wait_for_url(f"**/groups/{ref}")
    assert "11 of 12 attended" in page.locator(".ns-flashes").inner_text()
    assert keys <= MOST_KEYS
    with world.database.sessions() as session:
        scope = programmes.scope_of(world, "facilitator")
        first = records.in_slots(session, scope, REGISTER, groups.slot_of(ref, 1))[0]
    assert [each.outcome for each in first.body.lines.values()].count("UAAB") == 1
    page.context.close()
