"""A call whose answer was lost, and what is then found at the provider."""

import pytest
from case_files import INSIDE, OUTSIDE, battery, condition, message, one_more_wearer, walk
from sqlalchemy import update
from watch import Watch

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText, SendError
from alerts.finding import Severity
from alerts.policy import Channel
from alerts.senders.recording import RecordingSender
from alerts.senders.twilio_sms import CLOCK_SKEW
from alerts.terms import ConditionKind
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextAttemptRow, TextRow
from navigate_safer.services.receipts import take_receipt


class Exchange:
    """Calls as Twilio keeps them: listed by number and time, without what was said in them."""

    name = "twilio-voice"

    def __init__(self, clock) -> None:
        self._clock = clock
        self.made: list[tuple[str, OutgoingText, object]] = []
        self.lose: list[bool] = []
        """Of each call to come whether it is made, though its answer is lost."""

    def send(self, text: OutgoingText) -> Accepted:
        lost = self.lose.pop(0) if self.lose else None
        if lost is not False:
            self.made.append((f"CA{len(self.made) + 1}", text, self._clock()))
        if lost is not None:
            raise SendError(Fault.AMBIGUOUS, "planted")
        return Accepted(self.made[-1][0], DeliveryStatus.QUEUED)

    def find(self, *, to, reference, since, taken=()):
        for sid, text, at in self.made:
            if text.to == to and at >= since - CLOCK_SKEW and sid not in taken:
                return Accepted(sid, DeliveryStatus.QUEUED)
        return None


@pytest.fixture
def exchange(watch: Watch) -> Exchange:
    made = Exchange(watch.clock)
    watch.channels = {Channel.VOICE: [made]}
    return made


def call_about(watch: Watch, number: int) -> TextRow:
    """A breach of another wearer, of which the first officer is told by telephone."""
    watch.register(one_more_wearer(number))
    watch.hear(*walk(f"TAG-X{number}", INSIDE, INSIDE, start=watch.clock()))
    text = watch.database.all(TextRow)[-1]
    with watch.sessions.begin() as session:
        session.execute(
            update(TextRow).where(TextRow.id == text.id).values(channel=Channel.VOICE.value)
        )
    return text


def row(watch: Watch, text: TextRow) -> TextRow:
    return watch.database.one(TextRow, TextRow.id == text.id)


def look(watch: Watch) -> None:
    watch.clock.forward(seconds=30)
    watch.deliver()


def test_the_call_of_another_alert_a_minute_before_is_not_taken_for_the_lost_one(watch, exchange):
    first = call_about(watch, 1)
    watch.deliver()
    watch.clock.forward(seconds=60)
    second = call_about(watch, 2)
    exchange.lose = [False]
    watch.deliver()
    assert row(watch, second).state == "unknown"
    look(watch)
    assert (row(watch, first).provider_id, row(watch, second).provider_id) == ("CA1", "CA2")
    assert row(watch, second).resent_after_unknown
    assert len({text.reference for _, text, _ in exchange.made}) == 2, "each alert has its call"


def test_nor_one_of_the_same_moment(watch, exchange):
    first, second = call_about(watch, 1), call_about(watch, 2)
    watch.deliver_one()
    watch.clock.forward(seconds=2)
    exchange.lose = [False]
    watch.deliver_one()
    look(watch)
    assert (row(watch, first).provider_id, row(watch, second).provider_id) == ("CA1", "CA2")
    assert row(watch, second).resent_after_unknown


def test_a_call_that_was_made_is_found_and_not_made_again(watch, exchange):
    text = call_about(watch, 1)
    exchange.lose = [True]
    watch.deliver()
    look(watch)
    assert (row(watch, text).state, row(watch, text).provider_id) == ("accepted", "CA1")
    assert len(exchange.made) == 1


def test_two_lost_calls_are_found_each_as_its_own(watch, exchange):
    first, second = call_about(watch, 1), call_about(watch, 2)
    exchange.lose = [True, True]
    watch.deliver_one()
    watch.clock.forward(seconds=2)
    watch.deliver_one()
    look(watch)
    look(watch)
    assert (row(watch, first).provider_id, row(watch, second).provider_id) == ("CA1", "CA2")
    assert len(exchange.made) == 2


# Found, and known to have failed


class Undelivered(RecordingSender):
    """What it took did not arrive."""

    def find(self, **asked):
        found = super().find(**asked)
        return found and Accepted(found.provider_id, DeliveryStatus.UNDELIVERED)


def not_told(watch: Watch) -> int:
    return watch.database.count(AlertHistoryRow, AlertHistoryRow.move == "not_told")


def test_a_text_that_is_found_not_to_have_arrived_makes_the_next_person_due(watch):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.sender = Undelivered(watch.clock)
    watch.sender.fail(1, SendError(Fault.AMBIGUOUS, "planted"), after_taking=True)
    watch.deliver()
    look(watch)
    (text,) = watch.database.all(TextRow)
    assert (text.state, text.delivery, text.fault) == ("accepted", "undelivered", "undelivered")
    assert not_told(watch) == 1
    assert watch.database.one(AlertRow).next_step_at == watch.clock()
    assert len(watch.escalate()) == 1


def test_each_alert_of_a_text_that_is_found_not_to_have_arrived_is_hurried(watch):
    care = ConditionKind.TAG_CARE
    for number in (1, 2, 3):
        own = condition(f"CY-{number}", care, Severity.HIGH)
        watch.register(one_more_wearer(number, conditions=[own]))
        watch.hear(message(f"TAG-X{number}", battery(watch.clock(), 4)))
        if number == 1:
            watch.deliver()
    taken = watch.sender.sent
    watch.sender = Undelivered(watch.clock)
    watch.sender.fail(1, SendError(Fault.AMBIGUOUS, "planted"), after_taking=True)
    watch.clock.forward(minutes=5)
    watch.deliver()
    look(watch)
    assert (len(taken), len(watch.sender.sent)) == (1, 1)
    together = watch.database.all(TextRow)[1:]
    assert [each.fault for each in together] == ["undelivered", "undelivered"]
    due = [watch.database.one(AlertRow, AlertRow.id == each.alert_id) for each in together]
    assert [each.next_step_at for each in due] == [watch.clock()] * 2


def test_a_failure_that_overtakes_the_answer_is_kept_and_said_once(watch):
    class Overtaken(RecordingSender):
        def send(self, text):
            take_receipt(
                watch.sessions, attempt_id=watch.database.one(TextAttemptRow).id,
                provider_id="recording-1", status=DeliveryStatus.UNDELIVERED, word="undelivered",
                error_code=30003, fault=Fault.HANDSET_UNREACHABLE, now=watch.clock(),
            )  # fmt: skip
            return super().send(text)

    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    watch.sender = Overtaken(watch.clock)
    watch.deliver()
    (text,) = watch.database.all(TextRow)
    assert (text.delivery, text.fault) == ("undelivered", Fault.HANDSET_UNREACHABLE.value)
    assert not_told(watch) == 1
