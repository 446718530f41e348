"""Getting in, staying in, and being out again."""

import time
from datetime import timedelta

import pytest
from web.world import PASSWORD, World, words_of, world_at

from navigate_safer.db.audit import SignInRow, WebSessionRow
from navigate_safer.db.people import StaffRow
from navigate_safer.services import accounts
from navigate_safer.web.auth import BACKGROUND

WRONG = "The account or the password is wrong."
TOO_MANY = "There were too many tries."


def set_active(world: World, account: str, active: bool) -> None:
    with world.database.sessions.begin() as session:
        row = world.database.one(StaffRow, StaffRow.ref == account)
        session.get(StaffRow, row.id).active = active


def test_the_right_password_opens_the_first_page(quiet_world: World) -> None:
    visitor = quiet_world.visitor()
    answer = visitor.sign_in("duty")
    assert (answer.status_code, answer.location) == (302, "/")
    board = visitor.get("/board")
    assert board.status_code == 200
    assert "Signed in as Duty Ashworthy : my contact details (Duty officer)" in words_of(board)
    assert [row.succeeded for row in quiet_world.database.all(SignInRow)] == [True]


@pytest.mark.parametrize(
    ("account", "password"),
    [
        pytest.param("duty", "nine damp umbrellaz", id="wrong password"),
        pytest.param("duty", "", id="no password"),
        pytest.param("duti", PASSWORD, id="no such account"),
        pytest.param("", PASSWORD, id="no account"),
        pytest.param("duty-2", PASSWORD, id="an account that was given no password"),
        pytest.param("' or 1=1 --", PASSWORD, id="not an account but a query"),
        pytest.param("d" * 5_000, PASSWORD, id="a very long account"),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    quiet_world: World, account: str, password: str
) -> None:
    visitor = quiet_world.visitor()
    answer = visitor.sign_in(account, password)
    assert answer.status_code == 401
    assert "<title>Error: Sign in" in answer.text
    assert words_of(answer).count(WRONG) == 2, "in the summary and at the field"
    assert 'href="#account"' in answer.text
    assert PASSWORD not in answer.text
    assert visitor.get("/board").status_code == 302


def test_an_inactive_account_does_not_get_in(quiet_world: World) -> None:
    set_active(quiet_world, "duty", False)
    assert quiet_world.visitor().sign_in("duty").status_code == 401


def test_what_was_typed_as_account_is_shown_as_text(quiet_world: World) -> None:
    answer = quiet_world.visitor().sign_in("<script>alert(1)</script>", "x")
    assert "<script>alert(1)" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


@pytest.mark.parametrize("account", ["duty", "nobody-at-all"])
def test_after_five_failures_an_account_waits_and_then_may_try_again(
    quiet_world: World, account: str
) -> None:
    visitor = quiet_world.visitor()
    for _ in range(accounts.FAILURES_ALLOWED):
        assert WRONG in visitor.sign_in(account, "wrong").text
    waiting = visitor.sign_in(account)
    assert waiting.status_code == 401
    assert TOO_MANY in waiting.text
    # Others are not kept out by it.
    assert quiet_world.visitor().sign_in("supervisor").status_code == 302

    quiet_world.clock.forward(minutes=16)
    answer = visitor.sign_in(account)
    assert TOO_MANY not in answer.text
    assert answer.status_code == (302 if account == "duty" else 401)


def test_an_unknown_account_takes_as_long_as_a_known_one(quiet_world: World) -> None:
    """Else the time tells which accounts there are; the least of three shows the work done."""

    def least_s(account: str) -> float:
        took = []
        for _ in range(3):
            began = time.perf_counter()
            accounts.sign_in(quiet_world.database.sessions, account, "wrong", quiet_world.clock())
            took.append(time.perf_counter() - began)
        return min(took)

    assert least_s("nobody-at-all") > 0.5 * least_s("duty")


def test_signing_out_ends_the_session_also_for_a_stolen_cookie(world: World) -> None:
    visitor, thief = world.visitor("duty"), world.visitor()
    thief.client.set_cookie("navigate-safer", visitor.cookie().value)
    assert thief.get("/board").status_code == 200

    answer = visitor.post("/sign-out")
    assert answer.location == "/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "You are signed out." in visitor.get("/sign-in").text
    assert thief.get("/board").status_code == 302
    assert thief.get("/board/fragment").status_code == 401


def test_a_session_ends_when_its_person_is_made_inactive(world: World) -> None:
    visitor = world.visitor("duty")
    set_active(world, "duty", False)
    assert visitor.get("/board").status_code == 302
    set_active(world, "duty", True)
    assert visitor.get("/board").status_code == 302, "an ended session does not come back"


def test_a_new_password_ends_every_session_of_the_account(world: World) -> None:
    one, other = world.visitor("duty"), world.visitor("supervisor")
    accounts.set_password(world.database.sessions, "duty", "ten dry umbrellas", world.clock())
    assert one.get("/board").status_code == 302
    assert other.get("/board").status_code == 200
    assert world.visitor().sign_in("duty", "ten dry umbrellas").status_code == 302


def test_a_session_that_nobody_uses_ends_after_half_an_hour(world: World) -> None:
    visitor = world.visitor("duty")
    world.clock.forward(minutes=29)
    assert visitor.get("/board").status_code == 200
    world.clock.forward(minutes=29)
    assert visitor.get("/board").status_code == 200, "use keeps it alive"
    world.clock.forward(minutes=31)
    assert visitor.get("/board").status_code == 302


def test_a_board_that_refreshes_itself_does_not_keep_a_session_alive(world: World) -> None:
    visitor = world.visitor("duty")
    for _ in range(3):
        world.clock.forward(minutes=9)
        answer = visitor.get("/board/fragment", headers={BACKGROUND: "1"})
        assert answer.status_code == 200
    world.clock.forward(minutes=4)
    assert visitor.get("/board/fragment", headers={BACKGROUND: "1"}).status_code == 401


def test_no_session_lasts_longer_than_a_shift(world: World) -> None:
    visitor = world.visitor("duty")
    began = world.clock()
    while world.clock() - began < timedelta(hours=12) - timedelta(minutes=20):
        assert visitor.get("/").status_code == 302
        assert visitor.get("/caseload").status_code == 200
        world.clock.forward(minutes=20)
    world.clock.forward(minutes=21)
    assert visitor.get("/caseload").status_code == 302


def test_the_database_holds_no_token_that_signs_anybody_in(quiet_world: World) -> None:
    visitor = quiet_world.visitor()
    visitor.sign_in("duty")
    with visitor.client.session_transaction() as session:
        token = session["token"]
    stored = quiet_world.database.one(WebSessionRow).token_hash
    assert stored != token
    assert stored == accounts.hash_token(token)


def test_signing_in_gives_a_new_session_and_carries_nothing_over(quiet_world: World) -> None:
    visitor = quiet_world.visitor()
    with visitor.client.session_transaction() as session:
        session["token"] = "chosen-by-somebody-else"
        session["planted"] = "by somebody else"
    visitor.sign_in("duty")
    with visitor.client.session_transaction() as session:
        assert session["token"] != "chosen-by-somebody-else"
        assert "planted" not in session


def test_a_forged_cookie_signs_nobody_in(quiet_world: World) -> None:
    visitor = quiet_world.visitor()
    visitor.client.set_cookie("navigate-safer", "eyJ0b2tlbiI6ICJ4In0.aaaa.bbbb")
    assert visitor.get("/board").status_code == 302


def test_after_signing_in_one_comes_to_the_page_that_was_asked_for(quiet_world: World) -> None:
    visitor = quiet_world.visitor()
    asked = visitor.get("/a/QX7K2M")
    assert asked.location == "/sign-in?next=/a/QX7K2M"
    assert visitor.sign_in("duty", next_="/a/QX7K2M").location == "/a/QX7K2M"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/board",
        "//evil.example/board",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "/%0a/evil.example",
        "%20//evil.example",
        "javascript:alert(1)",
        "board",
        "",
    ],
)
def test_signing_in_sends_nobody_to_another_site(quiet_world: World, target: str) -> None:
    answer = quiet_world.visitor().sign_in("duty", next_=target)
    assert answer.status_code == 302
    assert answer.location == "/"


def test_over_https_the_cookie_stays_on_this_host_and_out_of_scripts(breached, tmp_path) -> None:
    import shutil

    copy = tmp_path / "world.sqlite3"
    shutil.copyfile(breached, copy)
    address = "https://safer.example.gov.uk"
    with world_at(f"sqlite:///{copy}", public_url=address) as world:
        visitor = world.visitor(base_url=address)
        page = visitor.get("/sign-in")
        parts = page.headers["Set-Cookie"].split("; ")
        assert parts[0].startswith("__Host-navigate-safer=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
        assert not any(part.startswith("Domain=") for part in parts)
        form = {"account": "duty", "password": PASSWORD, "csrf_token": visitor._token()}
        # A form of another site carries that site as its referrer.
        send = visitor.client.post
        elsewhere = {"Referer": "https://evil.example/"}
        assert send("/sign-in", data=form, base_url=address, headers=elsewhere).status_code == 400
        own = {"Referer": f"{address}/sign-in"}
        assert send("/sign-in", data=form, base_url=address, headers=own).status_code == 302
        assert visitor.get("/board").status_code == 200


def test_over_http_on_one_machine_the_cookie_is_kept_from_scripts_too(quiet_world: World) -> None:
    parts = quiet_world.visitor().get("/sign-in").headers["Set-Cookie"].split("; ")
    assert parts[0].startswith("navigate-safer=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
