"""What every answer tells the browser."""

import re

import pytest
from web.world import World

from alerts.finding import FindingKind

HTTPS = "https://localhost"
# A page, a fragment, JSON, a fault of each sort, a file, a public answer, a redirect.
ANSWERS = [
    pytest.param("duty", "/board", 200, id="page"),
    pytest.param("duty", "/board/fragment", 200, id="fragment"),
    pytest.param("duty", "/people/W-EXC/map.json", 200, id="JSON"),
    pytest.param("duty", "/people/W-NONE/map.json", 404, id="JSON of nobody"),
    pytest.param("duty", "/nowhere", 404, id="no such page"),
    pytest.param("facilitator", "/board", 403, id="not allowed"),
    pytest.param(None, "/board", 302, id="sent to the sign-in"),
    pytest.param(None, "/board/fragment", 401, id="signed out"),
    pytest.param(None, "/sign-in", 200, id="sign-in"),
    pytest.param(None, "/health", 503, id="health"),
    pytest.param(None, "/twilio/reply", 405, id="wrong method"),
]


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split(";")}


@pytest.mark.parametrize(("account", "path", "status"), ANSWERS)
def test_every_answer_is_fenced_in_and_not_kept(
    shared_world: World, account: str | None, path: str, status: int
) -> None:
    answer = shared_world.visitor(account).get(path)
    assert answer.status_code == status
    headers = answer.headers
    policy = directives(headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    for source in policy["script-src"] + policy["style-src"]:
        assert source == "'self'" or re.fullmatch(r"'nonce-[\w-]{20,}'", source)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]


def test_a_nonce_is_used_once_and_every_inline_script_carries_it(shared_world: World) -> None:
    visitor = shared_world.visitor("duty")
    seen = set()
    for _ in range(2):
        page = visitor.get("/board")
        nonce = re.search(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"])[1]
        seen.add(nonce)
        inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page.text)
        assert inline
        assert all(f'nonce="{nonce}"' in attributes for attributes in inline)
    assert len(seen) == 2


@pytest.mark.parametrize("path", ["/board", "/caseload", "/people/W-EXC", "/sign-in", "ALERT"])
def test_no_page_needs_what_the_policy_forbids(shared_world: World, path: str) -> None:
    path = path.replace("ALERT", f"/alerts/{shared_world.reference(FindingKind.EXCLUSION_BREACH)}")
    page = shared_world.visitor("duty").get(path).text
    assert not re.search(r"\son[a-z]+=", page), "handlers in attributes"
    assert not re.search(r"\sstyle=", page), "styles in attributes"
    loaded = re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)="([^"]+)\"""", page)
    assert loaded
    assert [url for url in loaded if not url.startswith("/assets/")] == []


def test_only_an_answer_over_https_asks_for_https_for_ever(shared_world: World) -> None:
    over_https = shared_world.visitor(base_url=HTTPS).get("/sign-in")
    assert "max-age=31536000" in over_https.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in shared_world.visitor().get("/sign-in").headers


def test_scripts_and_styles_may_be_kept_since_their_address_names_their_content(
    shared_world: World,
) -> None:
    page = shared_world.visitor().get("/sign-in").text
    style = re.search(r'href="(/assets/app\.css\?v=[0-9a-f]+)"', page)[1]
    answer = shared_world.visitor().get(style)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers
    answer.close()


def test_too_large_a_form_is_refused(world: World) -> None:
    reference = world.reference(FindingKind.SILENCE)
    answer = world.visitor("duty").post(f"/alerts/{reference}/note", note="x" * 300_000)
    assert answer.status_code == 413
    assert "256 kB" in answer.text


@pytest.mark.parametrize("path", ["/people/%00", "/alerts/%00", "/caseload?search=a%00b"])
def test_a_nul_is_refused_before_the_database_is_asked(shared_world: World, path: str) -> None:
    assert shared_world.visitor("duty").get(path).status_code == 400


def test_an_entry_past_every_number_is_no_fault_of_ours(shared_world: World) -> None:
    assert shared_world.visitor("auditor").get(f"/audit?before={10**20}").status_code == 200
