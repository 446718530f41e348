"""Takes the README's pictures of every page from a running demonstration.

python tests/web/screenshots.py http://127.0.0.1:8765 PASSWORD navigate_safer/demo/pictures

Each page is taken as the role that works with it, at desk and at phone width, as
``<page>-<width>.png``. It needs Chromium; an alert of a kind that the demonstration has not
reached yet is left out, and said.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
WIDTHS = {1280: 800, 390: 844}
# A long list says no more in its third screen than in its first.
TALLEST_PX = 2_000
KINDS = {
    "alert": "Inside an exclusion zone",
    "alert-curfew": "Away from the curfew address",
    "alert-alcohol": "Alcohol measured above the limit",
    "alert-strap": "Strap or case tampered with",
    "alert-battery": "Battery",
    "alert-silence": "Device is silent",
}
LISTS = {
    "supervisor-1": ["board", "caseload", "service", "audit"],
    "facilitator-1": ["caseload"],
    "idva-1": ["board"],
    "access-1": ["caseload"],
    "auditor-1": ["audit"],
    "admin-1": ["service"],
}


def sign_in(page: Page, address: str, account: str, password: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("Account").fill(account)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def wait_until_drawn(page: Page) -> None:
    if page.locator(".ns-map").count():
        page.wait_for_selector(".ns-map[data-map-ready], .ns-map .govuk-error-message")
    if page.locator(".ns-chart").count():
        page.wait_for_selector(".ns-chart svg, .ns-chart p.govuk-body")
    page.wait_for_load_state("networkidle")


def take(page: Page, path: Path) -> None:
    wait_until_drawn(page)
    tall = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST_PX)
    width = page.viewport_size["width"]
    page.screenshot(
        path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": tall}
    )
    sys.stdout.write(f"{path}\n")


def take_why(page: Page, path: Path) -> None:
    """Of an alert only what happened, why it is one, and where: its list of what to do is long."""
    heading = page.get_by_role("heading", name="What happened")
    drawn = page.locator(".ns-map").first
    if not (heading.count() and drawn.count()):
        return
    wait_until_drawn(page)
    first, last = heading.bounding_box(), drawn.bounding_box()
    top, bottom = first["y"] - 20, last["y"] + last["height"] + 20
    width = page.viewport_size["width"]
    page.screenshot(
        path=path, full_page=True, clip={"x": 0, "y": top, "width": width, "height": bottom - top}
    )
    sys.stdout.write(f"{path}\n")


def alerts_by_kind(page: Page, address: str) -> Iterator[tuple[str, str]]:
    """The page of one alert of each kind that is on the board."""
    page.goto(f"{address}/board")
    for name, words in KINDS.items():
        rows = page.locator("tbody tr").filter(has_text=re.compile(words))
        # Rather one that goes on than one of hours ago.
        live = rows.filter(has_not_text="found afterwards")
        row = (live if live.count() else rows).first
        if row.count():
            yield name, row.locator("a[href^='/alerts/']").first.get_attribute("href")
        else:
            sys.stdout.write(f"no {name}: nothing of the kind is open\n")


def take_all(browser: Browser, address: str, password: str, folder: Path, width: int) -> None:
    def page_of(account: str | None) -> Page:
        context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
        page = context.new_page()
        if account is not None:
            sign_in(page, address, account, password)
        return page

    anonymous = page_of(None)
    anonymous.goto(f"{address}/sign-in")
    take(anonymous, folder / f"sign-in-{width}.png")
    duty = page_of("duty-1")
    duty.goto(f"{address}/board")
    take(duty, folder / f"board-{width}.png")
    for name, path in list(alerts_by_kind(duty, address)):
        duty.goto(address + path)
        take(duty, folder / f"{name}-{width}.png")
        take_why(duty, folder / f"{name}-why-{width}.png")
        if name in ("alert", "alert-alcohol"):
            person = duty.locator(".moj-identity-bar a").first
            if person.count():
                duty.goto(address + person.get_attribute("href"))
                take(duty, folder / f"{name.replace('alert', 'person')}-{width}.png")
    duty.goto(f"{address}/caseload?search=Blacon")
    take(duty, folder / f"search-{width}.png")
    duty.goto(f"{address}/nowhere")
    take(duty, folder / f"missing-{width}.png")
    for account, pages in LISTS.items():
        page = page_of(account)
        for name in pages:
            page.goto(f"{address}/{name}")
            take(page, folder / f"{name}-{account}-{width}.png")
            first = page.locator("tbody a[href^='/people/']").first
            if first.count():
                page.goto(address + first.get_attribute("href"))
                take(page, folder / f"person-{account}-{width}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of every page of the demonstration.")
    parser.add_argument("address", help="such as http://127.0.0.1:8765")
    parser.add_argument("password", help="the one that the demonstration printed")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        for width in WIDTHS:
            take_all(browser, given.address.rstrip("/"), given.password, given.folder, width)
        browser.close()


if __name__ == "__main__":
    main()
