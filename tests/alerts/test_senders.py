"""What every sender must do, and what the console and the recording do besides."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from fake_twilio import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, FakeTwilio, Trouble

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText, SendError
from alerts.messages import breach_text
from alerts.senders.console import ConsoleSender
from alerts.senders.recording import RecordingSender
from alerts.senders.twilio_sms import TwilioSms

NOW = datetime(2026, 11, 21, 22, 40, 7, tzinfo=UTC)
OFFICER = "+447700900142"
OTHER_OFFICER = "+447700900199"
LINK = "https://navigate.example.org/a/Zm9vYmFyYmF6cXV4MTIzNA"


def a_text(reference="7KQ4M2", to=OFFICER, attempt_id="a-1"):
    return OutgoingText(
        attempt_id=attempt_id,
        to=to,
        body=breach_text(reference=reference, word="URGENT", code="482913", link=LINK),
        reference=reference,
        validity_period_s=120,
        status_callback=f"https://navigate.example.org/twilio/status/{attempt_id}",
    )


class Clock:
    """Time as the test tells it."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Case:
    """A sender, its clock, and a way to make its next call fail."""

    def __init__(self, sender, clock, break_next):
        self.sender, self.clock, self.break_next = sender, clock, break_next


def console_case(clock):
    stream = io.StringIO()
    yield Case(ConsoleSender(stream, clock), clock, stream.close)


def recording_case(clock):
    sender = RecordingSender(clock)
    refused = SendError(Fault.TRANSIENT, "told to fail")
    yield Case(sender, clock, lambda: sender.fail(len(sender.tried) + 1, refused))


def twilio_case(clock):
    with FakeTwilio(clock) as fake:
        sender = TwilioSms(
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            from_number=FROM_NUMBER,
            base_url=fake.base_url,
            timeout_s=5,
        )
        yield Case(sender, clock, lambda: fake.troubles.append(Trouble.TOO_MANY))
        assert fake.complaints == []


@pytest.fixture(params=[console_case, recording_case, twilio_case], ids=lambda make: make.__name__)
def case(request):
    yield from request.param(Clock())


def test_has_a_short_name(case):
    assert case.sender.name.isidentifier()


def test_a_text_is_accepted_under_an_id_of_its_own(case):
    first = case.sender.send(a_text())
    second = case.sender.send(a_text("9XHDR3", attempt_id="a-2"))
    again = case.sender.send(a_text(attempt_id="a-3"))
    assert all(isinstance(each, Accepted) and each.provider_id for each in (first, second, again))
    assert len({each.provider_id for each in (first, second, again)}) == 3
    assert isinstance(first.status, DeliveryStatus)


def test_finds_what_was_sent(case):
    sent = case.sender.send(a_text())
    case.clock.now += timedelta(seconds=30)
    case.sender.send(a_text("9XHDR3", attempt_id="a-2"))
    found = case.sender.find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found is not None
    assert found.provider_id == sent.provider_id


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"reference": "9XHDR3"}, id="another alert"),
        pytest.param({"to": OTHER_OFFICER}, id="another officer"),
        pytest.param({"since": NOW + timedelta(minutes=2)}, id="an earlier text of the same alert"),
    ],
)
def test_does_not_find_what_was_not_sent(case, asked):
    case.sender.send(a_text())
    question = {"to": OFFICER, "reference": "7KQ4M2", "since": NOW} | asked
    assert case.sender.find(**question) is None


def test_finds_the_newest_of_several(case):
    case.sender.send(a_text())
    case.clock.now += timedelta(seconds=1)
    newest = case.sender.send(a_text(attempt_id="a-2"))
    found = case.sender.find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found is not None
    assert found.provider_id == newest.provider_id


def test_fails_with_a_send_error_that_names_nobody(case):
    case.break_next()
    with pytest.raises(SendError) as failed:
        case.sender.send(a_text())
    assert failed.value.fault.retry_is_safe
    assert OFFICER[-6:] not in str(failed.value)
    assert "482913" not in str(failed.value)
    # Not even as the hidden origin of the error, which error collectors send along.
    assert failed.value.__context__ is None
    assert case.sender.find(to=OFFICER, reference="7KQ4M2", since=NOW) is None


# The console


def test_the_console_shows_the_text_and_two_digits_of_the_number():
    stream = io.StringIO()
    ConsoleSender(stream, Clock()).send(a_text())
    shown = stream.getvalue()
    assert "2026-11-21 22:40:07 UTC  text to …42" in shown
    assert "00142" not in shown
    assert "URGENT alert 7KQ4M2. Reply 482913 to acknowledge" in shown
    assert LINK in shown
    assert len({len(line) for line in shown.splitlines()}) == 1


def test_the_console_shows_utc_whatever_the_zone_of_the_clock():
    stream = io.StringIO()
    summer = datetime.fromisoformat("2026-07-01T23:30:00+01:00")
    ConsoleSender(stream, lambda: summer).send(a_text())
    assert "2026-07-01 22:30:00 UTC" in stream.getvalue()


def test_the_console_keeps_a_long_link_whole():
    stream = io.StringIO()
    link = "https://navigate.example.org/" + "x-y" * 25
    text = a_text()
    ConsoleSender(stream, Clock()).send(
        OutgoingText(
            attempt_id="a-1",
            to=text.to,
            body=f"alert 7KQ4M2 {link}",
            reference="7KQ4M2",
            validity_period_s=60,
        )
    )
    assert link in stream.getvalue()


def test_the_console_works_on_a_terminal_without_an_ellipsis():
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleSender(terminal, Clock()).send(a_text())
    assert b"text to ?42" in raw.getvalue()


# The recording


def test_the_recording_keeps_texts_in_order():
    sender = RecordingSender(Clock())
    texts = [a_text(attempt_id=f"a-{n}") for n in range(3)]
    for text in texts:
        sender.send(text)
    assert sender.sent == sender.tried == texts


def test_the_recording_fails_the_call_it_was_told_to():
    sender = RecordingSender(Clock())
    refused = SendError(Fault.RATE_LIMITED, "told to fail")
    sender.fail(2, refused)
    sender.send(a_text(attempt_id="a-1"))
    with pytest.raises(SendError) as failed:
        sender.send(a_text(attempt_id="a-2"))
    assert failed.value is refused
    sender.send(a_text(attempt_id="a-3"))
    assert [text.attempt_id for text in sender.tried] == ["a-1", "a-2", "a-3"]
    assert [text.attempt_id for text in sender.sent] == ["a-1", "a-3"]


def test_a_lost_answer_is_found_by_reconciling():
    sender = RecordingSender(Clock())
    sender.fail(1, SendError(Fault.AMBIGUOUS, "answer lost"), after_taking=True)
    with pytest.raises(SendError):
        sender.send(a_text())
    assert sender.sent == [a_text()]
    assert sender.find(to=OFFICER, reference="7KQ4M2", since=NOW) is not None


def test_a_failure_cannot_be_set_for_a_call_that_was_made():
    sender = RecordingSender(Clock())
    sender.send(a_text())
    with pytest.raises(ValueError, match="call 1 has been made"):
        sender.fail(1, SendError(Fault.TRANSIENT, "too late"))
