"""A browser window on the pages that remembers what went wrong, and what is checked in it."""

from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page
from web.world import World

import hatch_build

AXE = Path(hatch_build.__file__).parent / hatch_build.FRONTEND / "node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FAULTS = ("error", "warning")
DESK, PHONE = 1280, 390


class Visit:
    """A browser window that remembers what went wrong and what it asked for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.faults: list[str] = []
        self.requested: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", self._said)

    def _said(self, message) -> None:
        if message.type in FAULTS:
            self.faults.append(message.text)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def check_clean(self) -> None:
        """Nothing went wrong, nothing was asked of another host, and the page fits its width."""
        assert self.faults == []
        own = (self.address, "data:", "blob:")
        assert [url for url in self.requested if not url.startswith(own)] == []
        width = "document.documentElement.scrollWidth"
        assert self.page.evaluate(width) <= self.page.viewport_size["width"]


def visit_as(
    browser: Browser, world: World, address: str, account: str | None, width: int = DESK
) -> Visit:
    context = browser.new_context(viewport={"width": width, "height": 900})
    if account is not None:
        cookie = world.visitor(account).cookie()
        context.add_cookies([{"name": "navigate-safer", "value": cookie.value, "url": address}])
    return Visit(context, address)


def wait_until_drawn(page: Page) -> None:
    if page.locator(".ns-map").count():
        page.wait_for_selector(".ns-map[data-map-ready]")
    if page.locator(".ns-draw").count():
        page.wait_for_selector(".ns-draw[data-draw-ready]")
    if page.locator(".ns-chart").count():
        page.wait_for_selector(".ns-chart svg.ns-plot")


def tab_to(page: Page, what: str, *, most: int = 40) -> None:
    """Press Tab until the element with this id, address or text has the focus."""
    has_it = """what => {
      const { id, innerText } = document.activeElement;
      const href = document.activeElement.getAttribute("href");
      return [id, href, innerText?.trim()].includes(what);
    }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(has_it, what):
            return
    raise AssertionError(f"{what!r} cannot be reached with the Tab key")


def check_at_both_widths(visit: Visit) -> None:
    """As it comes, and narrowed to a phone; axe last, since it breaks the content policy itself."""
    page = visit.page
    for check in (visit.check_clean, lambda: check_accessible(page)):
        for width in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_drawn(page)
            check()


def check_accessible(page: Page) -> None:
    """Nothing that axe finds against WCAG 2.2 AA."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: tags})", WCAG)
    assert found["passes"], "axe looked at nothing"
    violations = [(v["id"], [node["html"] for node in v["nodes"]]) for v in found["violations"]]
    assert violations == []
