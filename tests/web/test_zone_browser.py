"""Zones drawn in a real browser: with the mouse, and with the keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from web.browsing import AXE, Visit, check_at_both_widths, visit_as, wait_until_drawn
from web.test_browser import CHROMIUM, CHROMIUM_ARGS, need, served
from web.world import World

from navigate_safer.db.people import ZoneRow

TRIANGLE = "53.19, -2.90\n53.19, -2.88\n53.20, -2.89"

PAGES = [
    pytest.param("/zones", id="zones"),
    pytest.param("/zones/Z-CROSS", id="one zone"),
    pytest.param("/zones/draw", id="drawing"),
    pytest.param("/zones/Z-HOME/change", id="changing"),
    pytest.param("/people/W-EXC/exceptions", id="exceptions"),
]


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
    """The pages of a world that the test may change."""
    yield from served(world)


@pytest.fixture(scope="module")
def shared_address(shared_world: World) -> Iterator[str]:
    """The pages of a world that nothing changes."""
    yield from served(shared_world)


@pytest.fixture
def manager(browser: Browser, world: World, address: str) -> Iterator[Visit]:
    """An offender manager at a desk."""
    made = visit_as(browser, world, address, "manager")
    yield made
    made.page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_about_zones_work_at_both_widths_and_for_a_screen_reader(
    browser: Browser,
    shared_world: World,
    shared_address: str,
    path: str,
) -> None:
    visit = visit_as(browser, shared_world, shared_address, "manager")
    visit.go(path)
    check_at_both_widths(visit)
    visit.page.context.close()


def begin(visit: Visit) -> Page:
    page = visit.go("/zones/draw")
    wait_until_drawn(page)
    page.get_by_label("keep out").check()
    page.get_by_label("Reference").fill("Z-DRAWN")
    page.get_by_label("Name").fill("Drawn by hand")
    page.get_by_label("Reason").fill("asked for by the court")
    return page


def saved(visit: Visit, world: World) -> ZoneRow:
    visit.page.get_by_role("button", name="Save the zone").click()
    expect(visit.page.get_by_role("heading", name="Drawn by hand")).to_be_visible()
    wait_until_drawn(visit.page)
    visit.check_clean()
    return world.database.one(ZoneRow, ZoneRow.ref == "Z-DRAWN")


def test_an_outline_drawn_with_the_mouse_is_saved(manager: Visit, world: World) -> None:
    page = begin(manager)
    page.get_by_role("button", name="Draw a part").click()
    area = page.locator(".ns-draw__map")
    area.scroll_into_view_if_needed()
    for place in ((200, 150), (300, 150), (250, 230)):
        area.click(position={"x": place[0], "y": place[1]}, delay=30)
        # A second click within this time would end the drawing.
        page.wait_for_timeout(300)
    area.dblclick(position={"x": 250, "y": 230})
    expect(page.get_by_role("status")).to_have_text("1 part is drawn.")
    assert len(page.get_by_label("Coordinates").input_value().splitlines()) == 3
    row = saved(manager, world)
    assert row.geometry["type"] == "Polygon"
    assert len(row.geometry["coordinates"][0]) == 4


def test_an_outline_written_with_the_keyboard_is_drawn_and_saved(
    manager: Visit, world: World
) -> None:
    page = begin(manager)
    page.get_by_label("Coordinates").press_sequentially(TRIANGLE, delay=0)
    expect(page.get_by_role("status")).to_have_text("1 part is drawn.")
    row = saved(manager, world)
    ring = row.geometry["coordinates"][0]
    assert ring == [[-2.9, 53.19], [-2.88, 53.19], [-2.89, 53.2], [-2.9, 53.19]]


def test_a_line_that_cannot_be_read_is_said_at_once_and_refused(manager: Visit) -> None:
    page = begin(manager)
    page.get_by_label("Coordinates").fill(f"{TRIANGLE}\nChester")
    expect(page.get_by_role("status")).to_have_text("Line 4 is not a latitude and a longitude.")
    page.get_by_role("button", name="Save the zone").click()
    expect(page.get_by_role("alert")).to_contain_text("line 4")


def test_a_changed_shape_is_a_new_version(manager: Visit, world: World) -> None:
    page = manager.go("/zones/Z-CROSS/change")
    wait_until_drawn(page)
    page.get_by_label("Coordinates").fill(TRIANGLE)
    page.get_by_label("Reason").fill("the house has moved")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("link", name="Version 2")).to_be_visible()
    rows = world.database.all(ZoneRow, ZoneRow.ref == "Z-CROSS")
    assert [row.version for row in rows] == [1, 2]
