"""Sign-in: sessions the server can end, tries that are counted, passwords that are never kept."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from case_files import PASSWORD, small_case_file
from sqlalchemy import delete, update
from watch import Watch

from navigate_safer.db.audit import SignInRow, WebSessionRow
from navigate_safer.db.people import AreaRow, StaffAreaRow, StaffRow
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import accounts
from navigate_safer.services.accounts import FAILURE_WINDOW, FAILURES_ALLOWED, TooManyTries

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)


# Verifying takes as much time as the hash asks for, which in a test may be little.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def watch(database):
    whole = small_case_file()
    watch = Watch(database, CaseFile(v=1, areas=whole.areas, staff=whole.staff))
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).values(password_hash=CHEAP))
    return watch


def sign_in(watch: Watch, account: str = "off-1", password: str = PASSWORD) -> str | None:
    return accounts.sign_in(watch.sessions, account, password, watch.clock())


def signed_in(watch: Watch, token: str, *, used: bool = True):
    return accounts.signed_in(
        watch.sessions, token, watch.clock(), idle=IDLE, longest=LONGEST, used=used
    )


def area_ids(watch: Watch) -> dict[str, int]:
    return {row.ref: row.id for row in watch.database.all(AreaRow)}


def test_the_right_password_gives_a_session_with_role_and_areas(watch):
    who = signed_in(watch, sign_in(watch))
    areas = area_ids(watch)
    assert (who.staff_ref, who.name) == ("off-1", "Ottoline Quarrington")
    assert (who.scope.role, who.scope.areas) == (Role.DUTY_OFFICER, {areas["west"]})


def test_spaces_about_the_account_do_not_matter(watch):
    assert sign_in(watch, "  off-1 ") is not None


@pytest.mark.parametrize(
    ("account", "password"),
    [
        pytest.param("off-1", "three wet umbrella", id="a wrong password"),
        pytest.param("off-1", "", id="no password"),
        pytest.param("off-9", PASSWORD, id="no such account"),
        pytest.param("OFF-1", PASSWORD, id="another spelling of the account"),
        pytest.param("", "", id="nothing"),
        pytest.param("o" * 5_000, PASSWORD, id="an account as long as a page"),
        pytest.param("off-1' or '1'='1", PASSWORD, id="an account with a quotation mark"),
    ],
)
def test_a_wrong_try_gives_no_session_and_is_counted(watch, account, password):
    assert sign_in(watch, account, password) is None
    assert watch.database.count(WebSessionRow) == 0
    row = watch.database.one(SignInRow)
    assert row.succeeded is False
    assert len(row.account) <= accounts.LONGEST_REF


def test_an_account_without_a_password_cannot_sign_in(watch):
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).values(password_hash=None))
    assert sign_in(watch) is None


def test_somebody_who_has_left_cannot_sign_in_and_is_signed_out_at_once(watch):
    token = sign_in(watch)
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).values(active=False))
    assert signed_in(watch, token) is None
    assert watch.database.one(WebSessionRow).ended_at == watch.clock()
    assert sign_in(watch) is None


@pytest.mark.parametrize("account", ["off-1", "off-9"], ids=["an account", "no account"])
def test_after_too_many_failures_even_the_right_password_must_wait(watch, account):
    for _ in range(FAILURES_ALLOWED):
        assert sign_in(watch, account, "guess") is None
    with pytest.raises(TooManyTries):
        sign_in(watch, account, PASSWORD)
    watch.clock.at += FAILURE_WINDOW
    assert (sign_in(watch, account, PASSWORD) is None) == (account == "off-9")


def test_failures_of_one_account_do_not_shut_out_another(watch):
    for _ in range(FAILURES_ALLOWED):
        sign_in(watch, "off-1", "guess")
    assert sign_in(watch, "sup-1") is not None


def test_neither_the_token_nor_the_password_is_in_the_database(watch):
    token = sign_in(watch)
    kept = [
        repr(vars(row))
        for table in (WebSessionRow, SignInRow, StaffRow)
        for row in watch.database.all(table)
    ]
    assert not [each for each in kept if token in each or PASSWORD in each]
    assert watch.database.one(WebSessionRow).token_hash == accounts.hash_token(token)


def test_what_the_database_keeps_of_a_session_signs_nobody_in(watch):
    sign_in(watch)
    assert signed_in(watch, watch.database.one(WebSessionRow).token_hash) is None


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000])
def test_a_token_that_was_never_given_is_nobody(watch, token):
    assert signed_in(watch, token) is None


# How long a session lasts


def test_a_session_that_is_not_used_ends(watch):
    token = sign_in(watch)
    watch.clock.at += IDLE
    assert signed_in(watch, token) is not None
    watch.clock.at += IDLE + timedelta(seconds=1)
    assert signed_in(watch, token) is None
    # And stays ended, also for a clock that is set back.
    watch.clock.at -= IDLE
    assert signed_in(watch, token) is None


def test_a_page_that_refreshes_itself_keeps_no_session_alive(watch):
    token = sign_in(watch)
    for _ in range(3):
        watch.clock.forward(minutes=10)
        assert signed_in(watch, token, used=False) is not None
    watch.clock.forward(seconds=1)
    assert signed_in(watch, token, used=False) is None


def test_a_session_ends_after_its_longest_time_however_much_it_is_used(watch):
    token, began = sign_in(watch), watch.clock()
    while watch.clock() < began + LONGEST:
        assert signed_in(watch, token) is not None
        watch.clock.forward(minutes=20)
    watch.clock.forward(seconds=1)
    assert signed_in(watch, token) is None


def test_signing_out_ends_this_session_and_no_other(watch):
    first, second = sign_in(watch), sign_in(watch)
    accounts.sign_out(watch.sessions, first, watch.clock())
    assert signed_in(watch, first) is None
    assert signed_in(watch, second) is not None


def test_signing_out_with_a_token_that_is_none_does_nothing(watch):
    sign_in(watch)
    accounts.sign_out(watch.sessions, "guess", watch.clock())
    assert watch.database.one(WebSessionRow).ended_at is None


def test_a_new_password_ends_every_session_and_the_old_one_is_no_longer_good(watch):
    token = sign_in(watch)
    assert accounts.set_password(watch.sessions, "off-1", "four dry umbrellas", watch.clock())
    assert signed_in(watch, token) is None
    assert sign_in(watch) is None
    assert sign_in(watch, password="four dry umbrellas") is not None


def test_a_password_for_nobody_is_refused(watch):
    assert not accounts.set_password(watch.sessions, "off-9", "four dry umbrellas", watch.clock())


def test_a_change_of_role_or_area_works_in_a_session_that_is_open(watch):
    token = sign_in(watch)
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    with watch.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.id == officer).values(role="auditor"))
        session.execute(delete(StaffAreaRow).where(StaffAreaRow.staff_id == officer))
    scope = signed_in(watch, token).scope
    assert (scope.role, scope.areas) == (Role.AUDITOR, frozenset())
