"""More than one way to a person: a second provider, calls, e-mail, and what is hurried when."""

import itertools
from datetime import timedelta

import msgspec
import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import update
from watch import PUBLIC_URL, VOICE, Watch

from alerts.delivery import DeliveryStatus, Fault, SendError
from alerts.finding import Severity
from alerts.lifecycle import AlertState
from alerts.policy import Channel, Step
from alerts.senders.recording import RecordingSender
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextAttemptRow, TextRow
from navigate_safer.db.people import StaffRow
from navigate_safer.db.providers import ProviderShiftRow, ProviderWeightRow
from navigate_safer.services import chase, provider_health, replies, stopped
from navigate_safer.services.receipts import take_receipt, take_receipt_by_mark
from navigate_safer.services.replies import ReplyResult
from navigate_safer.services.self_watch import SelfWatch

OFFICERS = {"off-1": "+447700900101", "off-2": "+447700900102", "sup-1": "+447700900103"}
NAMES = ("recording", "second")


@pytest.fixture
def alerted(watch):
    """A breach whose first text is written; texts go through two providers."""
    watch.others = [RecordingSender(watch.clock, name="second")]
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def text(watch: Watch, step: int = 0) -> TextRow:
    breach = watch.database.one(AlertRow, AlertRow.part.is_(None))
    return watch.database.one(TextRow, TextRow.step == step, TextRow.alert_id == breach.id)


def alert(watch: Watch) -> AlertRow:
    return watch.database.one(AlertRow, AlertRow.part.is_(None))


def breaks(sender: RecordingSender, fault: Fault, *, times: int = 1, taken: bool = False) -> None:
    made = len(sender.tried)
    for nth in range(made + 1, made + 1 + times):
        sender.fail(nth, SendError(fault, "planted"), after_taking=taken)


def staff_id(watch: Watch, ref: str) -> int:
    return watch.database.one(StaffRow, StaffRow.ref == ref).id


def replan(watch: Watch, *channels: Channel) -> None:
    """The plan of the alert as if its policy had told the first officer by these channels."""
    steps = tuple(
        Step(staff_id=staff_id(watch, "off-1"), answer_within_s=120, channel=channel)
        for channel in channels
    )
    plan = {"policy_version": "2", "policy": "test", "steps": []}
    with watch.sessions.begin() as session:
        row = session.get(AlertRow, alert(watch).id)
        row.plan = {**plan, "steps": msgspec.to_builtins(steps)}


# A provider that is down


@pytest.mark.parametrize(
    "fault", [Fault.PROVIDER_UNUSABLE, Fault.NOT_SENT, Fault.RATE_LIMITED, Fault.TRANSIENT]
)
def test_a_text_whose_provider_fails_goes_through_the_other_to_the_same_person(alerted, fault):
    breaks(alerted.sender, fault)
    alerted.deliver()
    (second,) = alerted.others
    assert [sent.to for sent in second.sent] == [OFFICERS["off-1"]]
    assert (text(alerted).state, text(alerted).provider) == ("accepted", "second")
    assert text(alerted).resent_after_unknown is False
    assert alerted.escalate() == [], "nobody else is hurried"


def test_while_every_provider_is_down_the_steps_are_not_burnt_through(alerted):
    for sender in (alerted.sender, *alerted.others):
        breaks(sender, Fault.PROVIDER_UNUSABLE, times=500)
    for _ in range(100):
        alerted.deliver()
        alerted.escalate()
        alerted.clock.forward(seconds=1)
    assert alerted.database.count(TextRow) == 1, "the first person still has their time"
    assert text(alerted).state == "pending"
    alerted.sender._failures.clear()
    alerted.clock.forward(seconds=10)
    alerted.deliver()
    assert [sent.to for sent in alerted.sender.sent] == [OFFICERS["off-1"]]


def test_a_text_that_waited_in_vain_for_its_provider_ends_and_hurries_nobody(alerted):
    for sender in (alerted.sender, *alerted.others):
        breaks(sender, Fault.NOT_SENT, times=500)
    for _ in range(140):
        alerted.deliver()
        alerted.clock.forward(seconds=1)
    assert (text(alerted).state, text(alerted).fault) == ("failed", "not_sent")
    assert len(alerted.escalate()) == 1, "by the deadline of its step, not before"
    assert text(alerted, 1).state == "pending"


def test_while_texts_cannot_go_the_next_step_by_another_way_is_taken_at_once(alerted):
    replan(alerted, Channel.SMS, Channel.EMAIL)
    for sender in (alerted.sender, *alerted.others):
        breaks(sender, Fault.PROVIDER_UNUSABLE, times=50)
    with alerted.sessions.begin() as session:
        reachable = {"email": "off-1@example.org", "email_verified_at": alerted.clock()}
        session.execute(update(StaffRow).where(StaffRow.ref == "off-1").values(**reachable))
    mail = RecordingSender(alerted.clock, name="smtp")
    alerted.channels = {Channel.EMAIL: [mail]}
    alerted.deliver()
    assert len(alerted.escalate()) == 1
    alerted.deliver()
    (sent,) = mail.sent
    assert sent.to == "off-1@example.org"
    assert sent.status_callback is None
    for _ in range(5):
        alerted.clock.forward(seconds=10)
        alerted.deliver()
        assert alerted.escalate() == [], "once is enough"


def test_a_lost_answer_is_looked_for_where_it_was_lost(alerted):
    """Not at the provider whose turn it would be: it cannot know of the text."""
    breaks(alerted.sender, Fault.AMBIGUOUS, taken=True)
    alerted.deliver()
    alerted.clock.forward(seconds=30)
    alerted.draw = 0.99
    alerted.deliver()
    assert (text(alerted).state, text(alerted).provider) == ("accepted", "recording")
    assert [len(each.tried) for each in (alerted.sender, *alerted.others)] == [1, 0]


# Weights


def weights(watch: Watch) -> dict[str, int]:
    return {row.provider: row.points for row in watch.database.all(ProviderWeightRow)}


def test_weight_moves_from_a_provider_that_fails_and_comes_back(alerted):
    provider_health.tick(alerted.sessions, NAMES, alerted.clock())
    assert weights(alerted) == {"recording": 50, "second": 50}
    alerted.clock.forward(minutes=2)
    breaks(alerted.sender, Fault.PROVIDER_UNUSABLE)
    alerted.deliver()
    provider_health.tick(alerted.sessions, NAMES, alerted.clock())
    assert weights(alerted) == {"recording": 0, "second": 100}
    moved = alerted.database.all(ProviderShiftRow)
    assert {(row.provider, row.before, row.points) for row in moved} == {
        ("recording", 50, 0),
        ("second", 50, 100),
    }
    for _ in range(30):
        alerted.clock.forward(minutes=1)
        provider_health.tick(alerted.sessions, NAMES, alerted.clock())
    assert weights(alerted) == {"recording": 50, "second": 50}


def test_a_text_goes_by_the_weights(alerted):
    provider_health.tick(alerted.sessions, NAMES, alerted.clock())
    alerted.draw = 0.75
    alerted.deliver()
    assert text(alerted).provider == "second"


def test_slow_deliveries_move_weight_unless_all_are_slow(alerted):
    provider_health.tick(alerted.sessions, NAMES, alerted.clock())
    now = alerted.clock.forward(minutes=5)
    late = [("recording", 61, 12), ("second", 3, 12)]
    row = text(alerted)
    columns = {c.key for c in TextRow.__table__.columns} - {"id", "step"}
    base = {key: getattr(row, key) for key in columns}
    steps = itertools.count(100)
    with alerted.sessions.begin() as session:
        for provider, seconds, count in late:
            for _ in range(count):
                handed = now - timedelta(minutes=3)
                changed = {
                    "state": "accepted", "due_at": None, "provider": provider, "handed_at": handed,
                    "delivery": "delivered", "delivered_at": handed + timedelta(seconds=seconds),
                }  # fmt: skip
                session.add(TextRow(**{**base, **changed}, step=next(steps)))
    (first, _) = provider_health.tick(alerted.sessions, NAMES, now)
    assert weights(alerted) == {"recording": 40, "second": 60}
    assert first.shift.value == "slow deliveries"


# STOP


def test_an_officer_who_sent_stop_is_passed_over_and_a_supervisor_hears_of_it(alerted):
    breaks(alerted.sender, Fault.RECIPIENT_STOPPED)
    alerted.deliver_one()
    assert text(alerted).state == "failed"
    assert alert(alerted).next_step_at == alerted.clock(), "the next person is due now"
    about = alerted.database.one(AlertRow, AlertRow.part.is_not(None))
    assert (about.part, about.severity) == (
        stopped.part(staff_id(alerted, "off-1")), Severity.HIGH.value,
    )  # fmt: skip
    opened = alerted.database.one(AlertHistoryRow, AlertHistoryRow.alert_id == about.id,
                                  AlertHistoryRow.move == "opened")  # fmt: skip
    assert "STOP" in opened.reason
    assert OFFICERS["off-1"] not in opened.reason
    told = alerted.database.all(TextRow, TextRow.alert_id == about.id)
    assert [each.staff_id for each in told] == [staff_id(alerted, "sup-1")]


def test_a_contact_that_is_stopped_is_texted_no_more_until_start(alerted):
    stopped.tell(alerted.sessions, OFFICERS["off-1"], alerted.clock(), VOICE)
    stopped.tell(alerted.sessions, OFFICERS["off-1"], alerted.clock(), VOICE)
    assert alerted.database.count(AlertRow, AlertRow.part.is_not(None)) == 1, "told once"
    watching = SelfWatch(alerted.sessions, VOICE)
    for _ in range(5):
        now = alerted.clock.forward(seconds=30)
        watching.look(now, now)
    live = AlertRow.part.like("contact:%"), AlertRow.state != AlertState.RESOLVED.value
    assert alerted.database.count(AlertRow, *live) == 1, "the watch does not call it mended"
    stopped.unmark(alerted.sessions, OFFICERS["off-1"])
    for _ in range(5):
        now = alerted.clock.forward(seconds=30)
        watching.look(now, now)
    assert alerted.database.count(AlertRow, *live) == 0


# Sent, and not delivered


def delivery(watch: Watch, word: str, step: int = 0) -> None:
    row = text(watch, step)
    attempt = watch.database.all(TextAttemptRow, TextAttemptRow.text_id == row.id)[-1]
    assert take_receipt(
        watch.sessions, attempt_id=attempt.id, provider_id=row.provider_id,
        status=DeliveryStatus.from_word(word), word=word, error_code=None, fault=None,
        now=watch.clock(),
    )  # fmt: skip


def test_a_text_that_is_sent_and_not_delivered_in_a_minute_makes_the_next_person_due(alerted):
    alerted.deliver()
    delivery(alerted, "sent")
    alerted.clock.forward(seconds=59)
    assert chase.chase_next(alerted.sessions, alerted.clock()) is None
    alerted.clock.forward(seconds=1)
    assert chase.chase_next(alerted.sessions, alerted.clock()) == text(alerted).id
    assert chase.chase_next(alerted.sessions, alerted.clock()) is None, "once"
    assert len(alerted.escalate()) == 1
    assert text(alerted, 1).staff_id == staff_id(alerted, "off-2")
    with alerted.sessions() as session:
        assert invariants.broken(session, alerted.clock()) == {}


def test_a_text_that_was_delivered_hurries_nobody(alerted):
    alerted.deliver()
    delivery(alerted, "delivered")
    alerted.clock.forward(seconds=90)
    assert chase.chase_next(alerted.sessions, alerted.clock()) is None
    assert alerted.escalate() == []


def test_a_receipt_that_is_late_does_not_hurry_whoever_comes_after_the_next(alerted):
    alerted.deliver()
    alerted.clock.forward(seconds=120)
    assert len(alerted.escalate()) == 1
    alerted.deliver()
    assert chase.chase_next(alerted.sessions, alerted.clock()) == text(alerted).id
    assert alerted.escalate() == [], "the second person has just been told"


# A telephone call


@pytest.fixture
def called(alerted):
    """The next step is a call to the first officer, and it has been made."""
    replan(alerted, Channel.SMS, Channel.VOICE)
    voice = RecordingSender(alerted.clock, name="twilio-voice")
    alerted.channels = {Channel.VOICE: [voice]}
    alerted.clock.forward(seconds=120)
    alerted.escalate()
    alerted.deliver()
    return alerted


def press(watch: Watch, key: str = "1", call: str = "CA1") -> ReplyResult:
    attempt = watch.database.one(TextAttemptRow, TextAttemptRow.text_id == text(watch, 1).id)
    return replies.take_key(
        watch.sessions, provider_id=call, attempt_id=attempt.id, key=key, now=watch.clock()
    )


def test_a_call_spells_the_reference_and_names_where_keys_go(called):
    (call,) = called.channels[Channel.VOICE][0].sent
    assert call.to == OFFICERS["off-1"]
    assert ", ".join(alert(called).reference) in call.body
    assert call.answer_url == f"{PUBLIC_URL}/twilio/voice/key/{call.attempt_id}"
    assert call.status_callback == f"{PUBLIC_URL}/twilio/voice/status/{call.attempt_id}"


def test_the_key_1_acknowledges(called):
    assert press(called) is ReplyResult.ACKNOWLEDGED
    assert (alert(called).state, alert(called).acknowledged_by) == (
        "acknowledged", staff_id(called, "off-1"),
    )  # fmt: skip


def test_other_keys_late_keys_and_keys_of_nobodys_call_do_nothing(called):
    assert press(called, "2") is ReplyResult.OTHER_KEY
    nobody = replies.take_key(
        called.sessions, provider_id="CA2", attempt_id="f" * 32, key="1", now=called.clock()
    )
    assert nobody is ReplyResult.WRONG_CODE
    called.clock.forward(hours=2)
    assert press(called) is ReplyResult.EXPIRED
    assert press(called) is ReplyResult.REPEATED
    assert alert(called).state == "open"


# Receipts that name a text by our mark


def test_a_receipt_by_mark_proves_that_a_text_whose_answer_was_lost_was_taken(alerted):
    breaks(alerted.sender, Fault.AMBIGUOUS)
    alerted.deliver()
    row = text(alerted)

    def receive(mark: str, word: str, provider: str = "recording") -> bool:
        return take_receipt_by_mark(
            alerted.sessions, mark=mark, provider=provider, provider_id="N-1",
            status=DeliveryStatus.from_word(word), word=word, fault=None, now=alerted.clock(),
        )  # fmt: skip

    assert not receive("000000" if row.code != "000000" else "111111", "sent")
    assert not receive(row.code, "sent", provider="second"), "it was never asked"
    assert receive(row.code, "sent")
    assert receive("", "delivered"), "from now on by the provider's own id"
    row = text(alerted)
    assert (row.state, row.provider_id, row.delivery) == ("accepted", "N-1", "delivered")
    alerted.clock.forward(minutes=1)
    assert alerted.deliver() == []
