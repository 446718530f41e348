"""Texts out of the outbox: each sent once, none lost, whoever cannot be told is passed over."""

import threading
from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, one_more_wearer, walk
from sqlalchemy import select, update
from watch import PUBLIC_URL, Watch

from alerts.delivery import DeliveryStatus, Fault, OutgoingText, SendError
from alerts.policy import Channel
from alerts.senders.recording import RecordingSender
from navigate_safer.db.alerting import (
    AlertHistoryRow,
    AlertRow,
    TextAttemptRow,
    TextReceiptRow,
    TextRow,
)
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import casework, claiming, deliver
from navigate_safer.services.receipts import take_receipt

OFFICERS = {"off-1": "+447700900101", "off-2": "+447700900102", "sup-1": "+447700900103"}


@pytest.fixture
def alerted(watch):
    """A breach, with its first text written and not sent."""
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def text(watch: Watch, step: int = 0) -> TextRow:
    return watch.database.one(TextRow, TextRow.step == step)


def alert(watch: Watch) -> AlertRow:
    return watch.database.one(AlertRow)


def moves(watch: Watch) -> list[str]:
    return [row.move for row in watch.database.all(AlertHistoryRow)]


def fails(watch: Watch, fault: Fault, *, nth: int = 1, taken: bool = False) -> None:
    watch.sender.fail(nth, SendError(fault, "planted"), after_taking=taken)


def acknowledge(watch: Watch) -> None:
    west = watch.database.one(AreaRow, AreaRow.ref == "west").id
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    scope = Scope(officer, Role.DUTY_OFFICER, frozenset({west}))
    assert casework.acknowledge(watch.sessions, scope, alert(watch).reference, watch.clock())


def receive(watch: Watch, word: str, *, attempt: str, provider_id: str, **rest) -> bool:
    return take_receipt(
        watch.sessions,
        attempt_id=attempt,
        provider_id=provider_id,
        status=DeliveryStatus.from_word(word),
        word=word,
        error_code=rest.get("error_code"),
        fault=rest.get("fault"),
        now=watch.clock(),
    )


# One text


def test_a_text_that_is_due_is_sent_and_recorded(alerted):
    (done,) = alerted.deliver()
    (sent,) = alerted.sender.sent
    row, attempt = text(alerted), alerted.database.one(TextAttemptRow)
    assert (done.state, done.fault) == ("accepted", None)
    assert sent.to == OFFICERS["off-1"]
    # But for the link, which is made for each call.
    assert sent.body.rpartition(" ")[0] == row.body.rpartition(" ")[0]
    assert sent.attempt_id == attempt.id
    assert sent.status_callback == f"{PUBLIC_URL}/twilio/status/{attempt.id}"
    assert sent.validity_period_s == 120
    assert (row.state, row.due_at, row.provider_id) == ("accepted", None, "recording-1")
    assert (row.handed_at, row.provider, row.tries) == (alerted.clock(), "recording", 1)
    assert (attempt.outcome, attempt.finished_at) == ("accepted", alerted.clock())


def test_a_text_that_is_sent_is_not_sent_again(alerted):
    alerted.deliver()
    alerted.clock.forward(hours=1)
    assert alerted.deliver() == []
    assert len(alerted.sender.sent) == 1


def test_telling_an_officer_is_logged_as_disclosure_before_the_call_is_made(alerted):
    seen_by_sender = []

    class Looking(RecordingSender):
        def send(self, outgoing: OutgoingText):
            seen_by_sender.extend(alerted.database.all(AuditRow, AuditRow.act == "disclosure"))
            return super().send(outgoing)

    alerted.sender = Looking(alerted.clock)
    alerted.deliver()
    (entry,) = seen_by_sender
    row = text(alerted)
    assert (entry.recipient_id, entry.subject_id) == (row.staff_id, alert(alerted).wearer_id)
    assert entry.detail == {
        "alert": row.alert_id, "text": row.id, "attempt": alerted.database.one(TextAttemptRow).id,
    }  # fmt: skip


def test_no_transaction_is_held_during_the_call(alerted):
    """Somebody else can write while the provider thinks, on SQLite too."""

    class Slow(RecordingSender):
        def send(self, outgoing: OutgoingText):
            acknowledge(alerted)
            return super().send(outgoing)

    alerted.sender = Slow(alerted.clock)
    alerted.deliver()
    assert (alert(alerted).state, text(alerted).state) == ("acknowledged", "accepted")


# A call that went wrong


@pytest.mark.parametrize(
    ("fault", "again_after_s"),
    [
        pytest.param(Fault.RATE_LIMITED, 0.5, id="too many requests"),
        pytest.param(Fault.NOT_SENT, 0, id="no connection"),
        pytest.param(Fault.TRANSIENT, 5, id="a passing fault"),
        pytest.param(Fault.HANDSET_UNREACHABLE, 60, id="a telephone that is off"),
        pytest.param(Fault.BAD_CALLBACK, 0, id="a callback address that is refused"),
    ],
)
def test_a_fault_that_may_pass_is_tried_again_in_its_time(alerted, fault, again_after_s):
    fails(alerted, fault)
    done = alerted.deliver_one()
    assert (done.state, done.fault) == ("pending", fault.value)
    row = text(alerted)
    assert row.due_at == alerted.clock() + timedelta(seconds=again_after_s)
    assert row.fault == fault.value
    alerted.clock.at = row.due_at
    alerted.deliver()
    row = text(alerted)
    assert (row.state, row.fault, row.tries) == ("accepted", None, 2)
    assert len(alerted.sender.sent) == 1
    assert row.resent_after_unknown is False


def test_after_a_refused_callback_the_text_goes_without_one(alerted):
    fails(alerted, Fault.BAD_CALLBACK)
    alerted.deliver()
    first, second = alerted.sender.tried
    assert first.status_callback is not None
    assert second.status_callback is None
    assert second.mark == first.mark


@pytest.mark.parametrize(
    ("fault", "state", "next_now"),
    [
        pytest.param(Fault.NUMBER_PERMANENT, "failed", True, id="a number that is none"),
        pytest.param(Fault.CONTENT_REFUSED, "failed", True, id="wording that is refused"),
        pytest.param(Fault.PROVIDER_UNUSABLE, "pending", False, id="a provider that refuses us"),
        pytest.param(Fault.HANDSET_UNREACHABLE, "pending", True, id="a telephone that is off"),
        pytest.param(Fault.TRANSIENT, "pending", False, id="a passing fault"),
        pytest.param(Fault.RATE_LIMITED, "pending", False, id="too many requests"),
    ],
)
def test_whoever_cannot_be_told_is_passed_over_without_waiting(alerted, fault, state, next_now):
    fails(alerted, fault)
    before = alert(alerted).next_step_at
    alerted.deliver_one()
    assert text(alerted).state == state
    assert alert(alerted).next_step_at == (alerted.clock() if next_now else before)
    assert len(alerted.escalate()) == int(next_now)
    if next_now:
        alerted.deliver()
        assert alerted.sender.sent[-1].to == OFFICERS["off-2"]


def test_a_text_that_cannot_be_sent_is_in_the_history_of_its_alert(alerted):
    fails(alerted, Fault.NUMBER_PERMANENT)
    alerted.deliver()
    row = alerted.database.one(AlertHistoryRow, AlertHistoryRow.move == "not_told")
    assert row.staff_id == text(alerted).staff_id
    assert "number_permanent" in row.reason


def test_when_nobody_can_be_reached_it_is_tried_on_and_on_at_a_bearable_pace(alerted):
    for nth in range(1, 100):
        fails(alerted, Fault.NUMBER_PERMANENT, nth=nth)
    for _ in range(600):
        alerted.deliver()
        alerted.escalate()
        alerted.clock.forward(seconds=1)
    # Three people at once, and the last of them each half minute for the rest of ten.
    assert len(alerted.sender.tried) == 3 + 600 // 30 - 1
    assert alert(alerted).state == "open"


def test_an_officer_whose_number_was_taken_out_is_passed_over(alerted):
    with alerted.sessions.begin() as session:
        session.execute(update(StaffRow).where(StaffRow.ref == "off-1").values(phone=None))
    assert alerted.deliver() == []
    assert (text(alerted).state, text(alerted).fault) == ("failed", "no_number")
    alerted.escalate()
    alerted.deliver()
    assert [sent.to for sent in alerted.sender.sent] == [OFFICERS["off-2"]]


# An answer that was lost


def test_a_text_that_the_provider_took_is_found_and_not_sent_again(alerted):
    fails(alerted, Fault.AMBIGUOUS, taken=True)
    done = alerted.deliver_one()
    assert (done.state, text(alerted).state) == ("unknown", "unknown")
    alerted.clock.forward(seconds=29)
    assert alerted.deliver() == []
    alerted.clock.forward(seconds=1)
    alerted.deliver()
    row = text(alerted)
    assert (row.state, row.provider_id, row.resent_after_unknown) == (
        "accepted", "recording-1", False,
    )  # fmt: skip
    assert len(alerted.sender.tried) == 1


def test_a_text_that_the_provider_does_not_have_is_sent_again_and_says_so(alerted):
    fails(alerted, Fault.AMBIGUOUS)
    alerted.deliver_one()
    alerted.clock.forward(seconds=30)
    alerted.deliver()
    assert len(alerted.sender.tried) == 2
    assert len(alerted.sender.sent) == 1
    assert (text(alerted).state, text(alerted).resent_after_unknown) == ("accepted", True)


def test_a_text_that_is_refused_after_a_lost_answer_still_says_that_it_may_come_twice(alerted):
    """The provider was asked, did not have it, and took it only at the third call."""
    fails(alerted, Fault.AMBIGUOUS)
    fails(alerted, Fault.RATE_LIMITED, nth=2)
    alerted.deliver_one()
    alerted.clock.forward(seconds=30)
    alerted.deliver_one()
    assert text(alerted).state == "pending"
    alerted.clock.at = text(alerted).due_at
    alerted.deliver()
    assert (text(alerted).state, text(alerted).resent_after_unknown) == ("accepted", True)


def test_while_the_provider_cannot_say_nothing_is_sent_and_the_next_person_is_told(alerted):
    class Speechless(RecordingSender):
        def find(self, *, to, reference, since, taken=()):
            raise SendError(Fault.AMBIGUOUS, "cannot say")

    alerted.sender = Speechless(alerted.clock)
    fails(alerted, Fault.AMBIGUOUS, taken=True)
    alerted.deliver_one()
    alerted.clock.forward(seconds=30)
    for _ in range(3):
        done = alerted.deliver_one()
        assert done.state == "unknown"
        assert alerted.deliver() == []
        alerted.clock.forward(seconds=10)
    assert len(alerted.sender.tried) == 1
    assert len(alerted.escalate()) == 1
    assert text(alerted, 1).staff_id != text(alerted, 0).staff_id


def test_the_text_of_an_earlier_step_to_the_same_officer_is_not_mistaken_for_this_one(alerted):
    with alerted.sessions.begin() as session:
        same = update(StaffRow).where(StaffRow.ref.in_(["off-1", "off-2"]))
        session.execute(same.values(phone="+447700900199"))
    alerted.deliver()
    alerted.clock.forward(seconds=120)
    alerted.escalate()
    fails(alerted, Fault.AMBIGUOUS, nth=2)
    alerted.deliver_one()
    alerted.clock.forward(seconds=30)
    alerted.deliver_one()
    assert [row.state for row in alerted.database.all(TextRow)] == ["accepted", "accepted"]
    assert len(alerted.sender.sent) == 2
    assert text(alerted, 1).resent_after_unknown


def test_a_text_whose_sender_died_is_looked_for_when_its_lease_is_over(alerted):
    class Dies(RecordingSender):
        def send(self, outgoing):
            super().send(outgoing)
            raise KeyboardInterrupt

    dying = alerted.sender = Dies(alerted.clock)
    with pytest.raises(KeyboardInterrupt):
        alerted.deliver_one()
    assert text(alerted).state == "sending"
    assert alerted.deliver() == []
    alerted.clock.at += claiming.LEASE
    alerted.deliver()
    assert (text(alerted).state, text(alerted).provider_id) == ("accepted", "recording-1")
    assert len(dying.tried) == 1


def test_a_callback_proves_that_the_provider_took_a_text_whose_answer_was_lost(alerted):
    fails(alerted, Fault.AMBIGUOUS)
    alerted.deliver_one()
    attempt = alerted.database.one(TextAttemptRow).id
    assert receive(alerted, "sent", attempt=attempt, provider_id="SM-1")
    alerted.clock.forward(hours=1)
    assert alerted.deliver() == []
    row = text(alerted)
    assert (row.state, row.provider_id, row.delivery) == ("accepted", "SM-1", "sent")
    assert len(alerted.sender.tried) == 1


@pytest.mark.parametrize("fault", [Fault.AMBIGUOUS, Fault.TRANSIENT])
def test_a_callback_that_overtakes_the_lost_answer_is_not_forgotten(alerted, fault):
    class Overtaken(RecordingSender):
        def send(self, outgoing):
            receive(alerted, "delivered", attempt=outgoing.attempt_id, provider_id="SM-1")
            return super().send(outgoing)

    alerted.sender = Overtaken(alerted.clock)
    fails(alerted, fault)
    alerted.deliver_one()
    alerted.clock.forward(hours=1)
    alerted.deliver()
    row = text(alerted)
    assert (row.state, row.provider_id, row.delivery) == ("accepted", "SM-1", "delivered")
    assert len(alerted.sender.tried) == 1


def test_a_callback_that_overtakes_the_answer_itself_is_kept(alerted):
    class Overtaken(RecordingSender):
        def send(self, outgoing):
            receive(alerted, "delivered", attempt=outgoing.attempt_id, provider_id="recording-1")
            return super().send(outgoing)

    alerted.sender = Overtaken(alerted.clock)
    alerted.deliver()
    assert (text(alerted).state, text(alerted).delivery) == ("accepted", "delivered")


# An alert that was answered meanwhile


def test_an_answered_alert_s_text_is_not_sent(alerted):
    acknowledge(alerted)
    alerted.clock.forward(hours=1)
    assert alerted.deliver() == []
    assert alerted.sender.tried == []
    assert text(alerted).state == "cancelled"


def test_a_text_to_be_tried_again_is_dropped_when_somebody_answers(alerted):
    fails(alerted, Fault.TRANSIENT)
    alerted.deliver_one()
    acknowledge(alerted)
    alerted.clock.forward(seconds=5)
    alerted.deliver()
    assert len(alerted.sender.tried) == 1
    assert text(alerted).state == "cancelled"


def test_a_failure_after_somebody_answered_tells_nobody_else(alerted):
    class Answered(RecordingSender):
        def send(self, outgoing):
            acknowledge(alerted)
            return super().send(outgoing)

    alerted.sender = Answered(alerted.clock)
    fails(alerted, Fault.NUMBER_PERMANENT)
    alerted.deliver()
    assert alerted.escalate() == []
    assert alerted.database.count(TextRow) == 1


@pytest.mark.parametrize("taken", [True, False], ids=["the provider had it", "it never had it"])
def test_an_answered_alert_is_not_texted_again_after_a_lost_call(alerted, taken):
    fails(alerted, Fault.AMBIGUOUS, taken=taken)
    alerted.deliver_one()
    acknowledge(alerted)
    alerted.clock.forward(seconds=30)
    alerted.deliver()
    assert len(alerted.sender.tried) == 1
    assert text(alerted).state == ("accepted" if taken else "cancelled")


# Receipts


@pytest.fixture
def sent(alerted):
    alerted.deliver()
    return alerted


def receipt(watch: Watch, word: str, **rest) -> bool:
    attempt = watch.database.one(TextAttemptRow).id
    return receive(watch, word, attempt=attempt, provider_id="recording-1", **rest)


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        pytest.param(["queued", "sent", "delivered"], "delivered", id="in order"),
        pytest.param(["delivered", "sent", "queued"], "delivered", id="the last one first"),
        pytest.param(["sent", "sent", "sent"], "sent", id="repeated"),
        pytest.param(["sent", "teleported"], "sent", id="a word that is new to us"),
        pytest.param(["delivered", "undelivered"], "delivered", id="delivered and then not"),
        pytest.param(["undelivered", "delivered"], "undelivered", id="not delivered and then so"),
        pytest.param(["delivered", "read"], "read", id="read"),
    ],
)
def test_receipts_only_go_forward(sent, words, ends):
    for word in words:
        assert receipt(sent, word)
    assert text(sent).delivery == ends
    assert sent.database.count(TextReceiptRow) == len(set(words))


def test_a_text_that_did_not_arrive_makes_the_next_step_due_once(sent):
    assert sent.escalate() == []
    fault = Fault.HANDSET_UNREACHABLE
    for _ in range(2):
        receipt(sent, "undelivered", error_code=30003, fault=fault)
    assert text(sent).fault == fault.value
    assert moves(sent).count("not_told") == 1
    assert len(sent.escalate()) == 1
    assert sent.escalate() == []


def test_a_receipt_for_an_attempt_that_is_not_ours_is_refused_and_not_kept(sent):
    assert not receive(sent, "delivered", attempt="0" * 32, provider_id="recording-1")
    assert sent.database.count(TextReceiptRow) == 0


def test_a_receipt_for_another_message_of_the_provider_changes_nothing(sent):
    attempt = sent.database.one(TextAttemptRow).id
    receive(sent, "failed", attempt=attempt, provider_id="SM-another")
    assert text(sent).delivery == "accepted"
    assert sent.escalate() == []


# Two senders


def test_two_senders_at_once_send_each_text_once(watch):
    """On SQLite they wait for each other; on PostgreSQL each passes over what the other holds."""
    wearers = 8
    for number in range(wearers):
        watch.register(one_more_wearer(number))
        watch.receive(*walk(f"TAG-X{number}", OUTSIDE, INSIDE))
    watch.judge()
    due = watch.database.count(TextRow, TextRow.state == "pending")
    assert due == wearers
    together, faults = threading.Barrier(2), []
    senders = [RecordingSender(watch.clock), RecordingSender(watch.clock)]

    def work(sender):
        together.wait(10)
        try:
            ways = {Channel.SMS: [sender]}
            while deliver.deliver_next(watch.sessions, ways, watch.clock, PUBLIC_URL, jitter=0.0):
                pass
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(each,)) for each in senders]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert faults == []
    bodies = [sent.body for each in senders for sent in each.tried]
    assert len(bodies) == len(set(bodies)) == due
    assert {row.state for row in watch.database.all(TextRow)} == {"accepted"}


@pytest.mark.parametrize("factory", ["postgresql"], indirect=True)
def test_a_text_in_another_sender_s_hands_is_passed_over_without_waiting(alerted):
    with alerted.sessions.begin() as session:
        session.scalars(select(TextRow).with_for_update()).all()
        # It would hang here for as long as the lock is held.
        assert alerted.deliver() == []
    assert len(alerted.deliver()) == 1


def test_texts_go_out_in_the_order_in_which_they_fell_due(watch):
    for number in range(3):
        watch.register(one_more_wearer(number))
        watch.hear(*walk(f"TAG-X{number}", INSIDE, start=START + timedelta(minutes=number)))
    # Written first, and to be tried again only after the two others.
    with watch.sessions.begin() as session:
        late = START + timedelta(minutes=2, seconds=30)
        first_written = update(TextRow).where(TextRow.created_at < START + timedelta(seconds=30))
        session.execute(first_written.values(due_at=late))
    first, *others = [row.code for row in watch.database.all(TextRow)]
    watch.clock.forward(minutes=1)
    watch.deliver()
    assert [each.mark for each in watch.sender.sent] == [*others, first]
