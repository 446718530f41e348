"""Officers' texts back: the code stops the escalation, and nothing else does."""

from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import delete, select, update
from watch import Watch

from alerts.finding import Severity
from alerts.lifecycle import Move
from alerts.routing import ANSWER_WITHIN_S
from navigate_safer.db.alerting import (
    AlertHistoryRow,
    AlertRow,
    TextAttemptRow,
    TextReplyRow,
    TextRow,
)
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.services import alerting, replies, telling
from navigate_safer.services.replies import ReplyResult
from navigate_safer.services.telling import CODE_LASTS

FIRST, SECOND, ELSEWHERE = "+447700900101", "+447700900102", "+447700900104"
STRANGER = "+447700900555"


@pytest.fixture
def told(watch):
    """A breach of which the first officer was told."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.deliver()
    watch.clock.forward(seconds=30)
    return watch


def code(watch: Watch, step: int = 0) -> str:
    return watch.database.one(TextRow, TextRow.step == step).code


def another_code(watch: Watch) -> str:
    taken = {row.code for row in watch.database.all(TextRow)}
    return next(each for each in ("111111", "222222", "333333") if each not in taken)


def reply(watch: Watch, sender: str, body: str, *, provider_id: str = "SM-1") -> ReplyResult:
    return replies.take_reply(
        watch.sessions, provider_id=provider_id, sender=sender, body=body, now=watch.clock()
    )


def alert(watch: Watch) -> AlertRow:
    return watch.database.one(AlertRow)


def ref_of(watch: Watch, staff_id: int | None) -> str | None:
    return {row.id: row.ref for row in watch.database.all(StaffRow)}.get(staff_id)


# What counts


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda code: code, id="the code alone"),
        pytest.param(lambda code: f"OK {code} on my way", id="with words around it"),
        pytest.param(lambda code: f"{code[:3]} {code[3:]}", id="parted by a space"),
    ],
)
def test_the_code_from_the_officer_s_own_telephone_acknowledges(told, write):
    assert reply(told, FIRST, write(code(told))) is ReplyResult.ACKNOWLEDGED
    found = alert(told)
    assert (found.state, found.acknowledged_at) == ("acknowledged", told.clock())
    assert ref_of(told, found.acknowledged_by) == "off-1"
    move = told.database.one(AlertHistoryRow, AlertHistoryRow.move == "acknowledge")
    assert (move.channel, move.reason) == ("sms", "reply with the code")
    told.clock.forward(minutes=10)
    assert told.escalate() == []


def test_the_first_officer_may_still_answer_after_the_second_was_told(told):
    told.clock.forward(seconds=ANSWER_WITHIN_S[Severity.CRITICAL])
    told.escalate()
    assert reply(told, FIRST, code(told)) is ReplyResult.ACKNOWLEDGED
    # What was written to the second meanwhile need not go out.
    assert told.deliver() == []
    assert told.database.one(TextRow, TextRow.step == 1).state == "cancelled"


def test_the_code_says_which_of_two_alerts_is_meant(told):
    told.hear(*walk("TAG-1", OUTSIDE, INSIDE, start=told.clock.forward(minutes=1)))
    first, second = told.database.all(AlertRow)
    second_code = told.database.one(TextRow, TextRow.alert_id == second.id).code
    assert reply(told, FIRST, second_code) is ReplyResult.ACKNOWLEDGED
    states = {row.id: row.state for row in told.database.all(AlertRow)}
    assert states == {first.id: "open", second.id: "acknowledged"}


# What does not


@pytest.mark.parametrize(
    ("sender", "body", "result"),
    [
        pytest.param(STRANGER, "{}", ReplyResult.UNKNOWN_NUMBER, id="a stranger with the code"),
        pytest.param(SECOND, "{}", ReplyResult.WRONG_CODE, id="a colleague who was not told"),
        pytest.param(ELSEWHERE, "{}", ReplyResult.WRONG_CODE, id="an officer of another area"),
        pytest.param(FIRST, "{other}", ReplyResult.WRONG_CODE, id="a code that was never given"),
        pytest.param(FIRST, "Who is it?", ReplyResult.NO_CODE, id="a question"),
        pytest.param(FIRST, "", ReplyResult.NO_CODE, id="an empty text"),
        pytest.param(FIRST, "{} {other}", ReplyResult.NO_CODE, id="two codes"),
        pytest.param(FIRST, "STOP", ReplyResult.NO_CODE, id="STOP"),
        pytest.param("", "{}", ReplyResult.UNKNOWN_NUMBER, id="no number"),
    ],
)
def test_a_reply_that_proves_nothing_changes_nothing_and_is_recorded(told, sender, body, result):
    body = body.format(code(told), other=another_code(told))
    assert reply(told, sender, body) is result
    assert alert(told).state == "open"
    row = told.database.one(TextReplyRow)
    assert (row.result, row.alert_id) == (result.value, None)
    told.clock.forward(seconds=ANSWER_WITHIN_S[Severity.CRITICAL])
    assert len(told.escalate()) == 1


def test_a_code_that_has_expired_is_refused(told):
    told.clock.at = told.database.one(TextRow).created_at + CODE_LASTS
    assert reply(told, FIRST, code(told)) is ReplyResult.EXPIRED
    assert alert(told).state == "open"
    told.clock.at -= timedelta(seconds=1)
    assert reply(told, FIRST, code(told), provider_id="SM-2") is ReplyResult.ACKNOWLEDGED


def test_an_officer_who_has_left_is_a_stranger(told):
    with told.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref == "off-1").values(active=False))
    assert reply(told, FIRST, code(told)) is ReplyResult.UNKNOWN_NUMBER
    assert alert(told).state == "open"


def test_the_provider_s_second_delivery_of_a_reply_does_nothing(told):
    reply(told, FIRST, "Who is it?")
    assert reply(told, FIRST, code(told)) is ReplyResult.REPEATED
    assert alert(told).state == "open"
    assert told.database.count(TextReplyRow) == 1


def test_a_second_reply_to_an_alert_that_is_answered_says_so_and_changes_nothing(told):
    reply(told, FIRST, code(told))
    first = alert(told)
    told.clock.forward(minutes=1)
    assert reply(told, FIRST, code(told), provider_id="SM-2") is ReplyResult.ALREADY
    again = alert(told)
    assert (again.acknowledged_at, again.next_step_at) == (
        first.acknowledged_at, first.next_step_at,
    )  # fmt: skip


def test_a_reply_does_not_open_a_resolved_alert_again(told):
    with told.sessions.begin() as session:
        session.execute(update(AlertRow).values(state="resolved", next_step_at=None))
    assert reply(told, FIRST, code(told)) is ReplyResult.ALREADY
    assert alert(told).state == "resolved"


# What is kept


@pytest.mark.parametrize("sender", [FIRST, STRANGER], ids=["an officer", "a stranger"])
def test_what_a_reply_says_is_not_kept_anywhere(told, sender):
    reply(told, sender, "Merewen rang me from Fletching Row")
    kept = [
        *(repr(vars(row)) for row in told.database.all(TextReplyRow)),
        *(repr(vars(row)) for row in told.database.all(AuditRow)),
        *(repr(vars(row)) for row in told.database.all(AlertHistoryRow)),
    ]
    assert not [each for each in kept if "Merewen" in each or "Fletching" in each]
    assert not [each for each in kept if sender.removeprefix("+") in each]


def test_every_reply_is_logged_as_collected_with_what_it_did(told):
    reply(told, STRANGER, code(told))
    reply(told, FIRST, code(told), provider_id="SM-2")
    entries = told.database.all(AuditRow, AuditRow.what == "reply by text")
    assert [(row.actor, row.detail) for row in entries] == [
        ("unknown number", {"result": "unknown_number"}),
        ("staff", {"result": "acknowledged"}),
    ]
    assert entries[1].subject_id == alert(told).id


def test_of_two_officers_with_one_telephone_the_one_who_was_told_acknowledges(told):
    with told.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref == "off-2").values(phone=FIRST))
    told.clock.forward(seconds=ANSWER_WITHIN_S[Severity.CRITICAL])
    told.escalate()
    assert reply(told, FIRST, code(told, step=1)) is ReplyResult.ACKNOWLEDGED
    assert ref_of(told, alert(told).acknowledged_by) == "off-2"


# What was true when the text was sent may not be any more


def let_it_expire(watch: Watch) -> None:
    """Somebody acknowledged and did nothing more, so that everybody is told again."""
    reply(watch, FIRST, code(watch), provider_id="SM-first")
    watch.clock.forward(minutes=16)
    watch.escalate()
    watch.deliver()
    assert alert(watch).state == "open", "the acknowledgement has expired"


def test_a_code_of_before_the_alert_was_told_again_is_refused_and_recorded(told):
    let_it_expire(told)
    assert reply(told, FIRST, code(told)) is ReplyResult.STALE
    assert alert(told).state == "open"
    kept = told.database.one(TextReplyRow, TextReplyRow.provider_id == "SM-1")
    assert (kept.result, kept.alert_id) == ("stale", alert(told).id)
    assert reply(told, FIRST, code(told, step=1), provider_id="SM-2") is ReplyResult.ACKNOWLEDGED


def test_a_step_that_was_only_repeated_makes_no_code_stale(told):
    for _ in range(4):
        told.clock.forward(seconds=ANSWER_WITHIN_S[Severity.CRITICAL])
        told.escalate()
        told.deliver()
    assert told.database.count(TextRow) > 3
    assert reply(told, FIRST, code(told)) is ReplyResult.ACKNOWLEDGED


def test_a_code_of_before_the_judge_reopened_the_alert_is_refused(told):
    with told.sessions.begin() as session:
        found = session.scalars(select(AlertRow)).one()
        moves = [(Move.RESOLVE, "page"), (Move.REOPEN, "judge")]
        for move, channel in moves:
            alerting.move(
                session, found, move, told.clock(), staff_id=None, channel=channel, reason="test"
            )
    assert reply(told, FIRST, code(told)) is ReplyResult.STALE
    assert alert(told).state == "open"


def test_a_judge_s_word_about_an_alert_that_nobody_answered_makes_no_code_stale(told):
    with told.sessions.begin() as session:
        found = session.scalars(select(AlertRow)).one()
        telling.note(session, found, told.clock(), "reopen", "late data: it was not over")
    assert reply(told, FIRST, code(told)) is ReplyResult.ACKNOWLEDGED


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(update(StaffRow).values(role="idva"), id="has another role"),
        pytest.param(delete(StaffAreaRow), id="has moved to another area"),
    ],
)
def test_who_may_no_longer_answer_cannot_by_an_old_code_either(told, change):
    with told.sessions.begin() as session:
        session.execute(change)
    assert reply(told, FIRST, code(told)) is ReplyResult.NOT_YOURS
    assert alert(told).state == "open"
    assert told.database.one(TextReplyRow).result == "not_yours"


# Keys of a call


@pytest.fixture
def called(told):
    """The text was a call instead; its attempt's id stands for the code."""
    with told.sessions.begin() as session:
        session.execute(update(TextRow).values(channel="voice"))
    return told


def press(watch: Watch, *, call: str = "CA-1") -> ReplyResult:
    first = watch.database.one(TextRow, TextRow.step == 0)
    attempt = watch.database.one(TextAttemptRow, TextAttemptRow.text_id == first.id)
    return replies.take_key(
        watch.sessions, provider_id=call, attempt_id=attempt.id, key="1", now=watch.clock()
    )


def test_a_key_in_a_call_of_before_the_alert_was_told_again_is_refused(called):
    let_it_expire(called)
    assert press(called) is ReplyResult.STALE
    assert alert(called).state == "open"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(update(StaffRow).values(active=False), id="has left"),
        pytest.param(update(StaffRow).values(role="idva"), id="has another role"),
        pytest.param(delete(StaffAreaRow), id="has moved to another area"),
    ],
)
def test_who_may_no_longer_answer_cannot_by_a_key_either(called, change):
    with called.sessions.begin() as session:
        session.execute(change)
    assert press(called) is ReplyResult.NOT_YOURS
    assert alert(called).state == "open"


def test_a_key_of_whoever_was_told_acknowledges(called):
    assert press(called) is ReplyResult.ACKNOWLEDGED
