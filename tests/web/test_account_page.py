"""One's own telephone and e-mail: a code sent there must come back before either is used."""

import io
import re

import pytest
from web.world import World, words_of

from alerts.messages import fits_one_part
from navigate_safer.db.answering import ContactCodeRow
from navigate_safer.db.people import StaffRow
from navigate_safer.services import contacts

NEW = "07700 900177"
E164 = "+447700900177"


@pytest.fixture
def console(quiet_world: World) -> io.StringIO:
    """What the demonstration would show on the console."""
    quiet_world.service._console = io.StringIO()
    return quiet_world.service._console


def code_in(console: io.StringIO) -> str:
    return re.findall(r"code\s+is\s+(\d{6})", console.getvalue().replace("|", " "))[-1]


def staff(world: World, ref: str = "duty") -> StaffRow:
    return world.database.one(StaffRow, StaffRow.ref == ref)


def ask(world: World, account: str = "duty", typed: str = NEW):
    return world.visitor(account).post("/account/ask", contact="phone", phone=typed)


def enter(world: World, code: str, account: str = "duty"):
    return world.visitor(account).post("/account/verify", contact="phone", phone_code=code)


def test_a_number_is_used_once_its_code_came_back_and_not_before(
    quiet_world: World, console: io.StringIO
):
    old = staff(quiet_world).phone
    assert ask(quiet_world).status_code == 302
    assert staff(quiet_world).phone == old, "until then the old one is told"
    assert E164 in quiet_world.visitor("duty").get("/account").text
    quiet_world.clock.forward(minutes=2)
    assert enter(quiet_world, code_in(console)).status_code == 302
    found = staff(quiet_world)
    assert (found.phone, found.phone_verified_at) == (E164, quiet_world.clock())


def test_the_code_itself_is_not_kept(quiet_world: World, console: io.StringIO):
    ask(quiet_world)
    row = quiet_world.database.one(ContactCodeRow)
    assert code_in(console) not in row.code_hash
    assert E164 not in console.getvalue()


def test_an_e_mail_address_is_verified_in_the_same_way(quiet_world: World, console: io.StringIO):
    visitor = quiet_world.visitor("idva")
    visitor.post("/account/ask", contact="email", email="i.ashworthy@example.gov.uk")
    visitor.post("/account/verify", contact="email", email_code=code_in(console))
    found = staff(quiet_world, "idva")
    assert found.email == "i.ashworthy@example.gov.uk"
    assert found.email_verified_at == quiet_world.clock()


def test_a_wrong_code_changes_nothing_and_five_end_it(quiet_world: World, console: io.StringIO):
    old = staff(quiet_world).phone
    ask(quiet_world)
    good = code_in(console)
    wrong = f"{(int(good) + 1) % 10**6:06d}"
    for _ in range(contacts.MOST_TRIES):
        assert "That is not the code" in enter(quiet_world, wrong).text
    assert "no code that still counts" in enter(quiet_world, good).text
    assert staff(quiet_world).phone == old


def test_a_code_expires_is_good_once_and_is_its_owner_s(quiet_world: World, console: io.StringIO):
    ask(quiet_world)
    assert "no code" in enter(quiet_world, code_in(console), "manager").text
    quiet_world.clock.forward(minutes=10)
    assert "no code" in enter(quiet_world, code_in(console)).text
    ask(quiet_world)
    enter(quiet_world, code_in(console))
    assert "no code" in enter(quiet_world, code_in(console)).text


def test_codes_cannot_be_asked_for_without_end(quiet_world: World, console: io.StringIO):
    for _ in range(contacts.MOST_CODES):
        assert ask(quiet_world).status_code == 302
    assert "wait an hour" in ask(quiet_world).text
    assert console.getvalue().count("your code") == contacts.MOST_CODES


@pytest.mark.parametrize("typed", ["", "hello", "01244 350000", "999", "+1"])
def test_what_is_no_mobile_number_is_not_sent_a_code(quiet_world: World, console, typed: str):
    answer = ask(quiet_world, typed=typed)
    assert answer.status_code == 422
    assert "Enter a mobile number" in words_of(answer)
    assert console.getvalue() == ""


def test_a_code_s_text_is_one_part_with_the_largest_number():
    assert fits_one_part(contacts.code_text("000000", f"check {2**63 - 1}"))


def test_a_code_that_cannot_be_sent_says_so(quiet_world: World):
    gone = io.StringIO()
    gone.close()
    quiet_world.service._console = gone
    answer = ask(quiet_world)
    assert answer.status_code == 422
    assert "could not be sent" in answer.text
