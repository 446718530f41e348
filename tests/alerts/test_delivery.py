"""Consequences of faults, the progress of receipts, and when to try again."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery import (
    RETRY_BUDGET_S,
    DeliveryStatus,
    Fault,
    OutgoingText,
    SendError,
    advance,
    next_try,
    reconcile_at,
)

NOW = datetime(2026, 11, 21, 22, 40, tzinfo=UTC)
S = DeliveryStatus
PARTS = {
    "attempt_id": "a-1",
    "to": "+447700900123",
    "body": "Navigate Safer URGENT alert 7KQ4M2.",
    "reference": "7KQ4M2",
    "validity_period_s": 120,
    "status_callback": "https://navigate.example.org/twilio/status/a-1",
}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"to": "07700900123"}, "E.164", id="a national number"),
        pytest.param({"to": "+44 7700 900123"}, "E.164", id="a number with spaces"),
        pytest.param({"to": "+447700900123\n"}, "E.164", id="a number with a line end"),
        pytest.param({"to": ""}, "E.164", id="no number"),
        pytest.param({"validity_period_s": 5}, "validity_period_s", id="gone before it is queued"),
        pytest.param({"validity_period_s": 36_001}, "validity_period_s", id="over ten hours"),
        pytest.param({"reference": "9XXXXX"}, "reference", id="a body without its reference"),
        pytest.param({"reference": ""}, "reference", id="no reference"),
    ],
)
def test_a_text_that_cannot_be_right_is_refused_without_its_number(changes, what):
    with pytest.raises(ValueError, match=what) as refused:
        OutgoingText(**PARTS | changes)
    assert "a-1" in str(refused.value)
    assert "900123" not in str(refused.value)


def test_a_text_shows_no_number_code_or_link_when_printed():
    text = OutgoingText(**PARTS)
    assert repr(text) == str(text) == "OutgoingText(attempt_id='a-1', reference='7KQ4M2')"


def test_without_callback_changes_only_the_callback():
    assert OutgoingText(**PARTS).without_callback() == OutgoingText(
        **PARTS | {"status_callback": None}
    )


CONSEQUENCES = {
    #                          retry  safe  ambiguous next  bad num down  superv. ours
    Fault.RATE_LIMITED:        (True,  True,  False, False, False, False, False, False),
    Fault.NOT_SENT:            (True,  True,  False, False, False, False, False, False),
    Fault.AMBIGUOUS:           (False, False, True,  False, False, False, False, False),
    Fault.PROVIDER_UNUSABLE:   (False, True,  False, False, False, True,  True,  True),
    Fault.NUMBER_PERMANENT:    (False, True,  False, True,  True,  False, False, False),
    Fault.RECIPIENT_STOPPED:   (False, True,  False, True,  False, False, True,  False),
    Fault.BAD_CALLBACK:        (True,  True,  False, False, False, False, False, True),
    Fault.TRANSIENT:           (True,  True,  False, False, False, False, False, False),
    Fault.HANDSET_UNREACHABLE: (True,  True,  False, True,  False, False, False, False),
    Fault.CONTENT_REFUSED:     (False, True,  False, True,  False, False, True,  True),
}  # fmt: skip


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_what_follows_from_each_fault(fault):
    assert CONSEQUENCES[fault] == (
        fault.retry_same_provider,
        fault.retry_is_safe,
        fault.ambiguous,
        fault.try_next_contact_now,
        fault.number_is_bad,
        fault.provider_is_down,
        fault.tell_supervisor,
        fault.is_our_fault,
    )


def tries_until_given_up(fault, jitter=0.5, call_s=0.0):
    """Seconds after the first failure at which each further call begins."""
    at, begun = NOW, []
    for tries in range(1, 100):
        due = next_try(fault, tries=tries, first_tried_at=NOW, now=at, jitter=jitter)
        if due is None:
            return begun
        begun.append((due - NOW).total_seconds())
        at = due + timedelta(seconds=call_s)
    raise AssertionError("never gives up")


@pytest.mark.parametrize(
    ("fault", "begun"),
    [
        pytest.param(Fault.RATE_LIMITED, [0.75, 2.25, 5.25, 11.25], id="too many: back off"),
        pytest.param(Fault.NOT_SENT, [0, 1.5, 4.5, 10.5], id="no connection: at once, then later"),
        pytest.param(Fault.TRANSIENT, [5], id="passing fault: once more"),
        pytest.param(
            Fault.HANDSET_UNREACHABLE, [60, 120, 180, 240], id="telephone off: by the minute"
        ),
        pytest.param(Fault.AMBIGUOUS, [], id="lost answer: never blindly"),
        pytest.param(Fault.PROVIDER_UNUSABLE, [], id="account suspended: not here"),
        pytest.param(Fault.NUMBER_PERMANENT, [], id="not a mobile: never"),
        pytest.param(Fault.RECIPIENT_STOPPED, [], id="recipient sent STOP: never"),
        pytest.param(Fault.CONTENT_REFUSED, [], id="wording filtered: never"),
    ],
)
def test_timetable(fault, begun):
    assert tries_until_given_up(fault) == begun


def test_a_bad_callback_is_repeated_at_once_but_not_for_ever():
    assert next_try(Fault.BAD_CALLBACK, tries=1, first_tried_at=NOW, now=NOW, jitter=0.0) == NOW
    late = NOW + timedelta(seconds=RETRY_BUDGET_S + 1)
    assert next_try(Fault.BAD_CALLBACK, tries=9, first_tried_at=NOW, now=late, jitter=0) is None


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_the_timetable_and_the_consequences_agree(fault):
    first = next_try(fault, tries=1, first_tried_at=NOW, now=NOW, jitter=0.0)
    assert (first is not None) == fault.retry_same_provider


@given(st.sampled_from([Fault.RATE_LIMITED, Fault.NOT_SENT]), st.floats(0, 0.999), st.floats(0, 30))
def test_calls_end_within_the_budget_whatever_the_jitter_and_slow_calls(fault, jitter, call_s):
    begun = tries_until_given_up(fault, jitter, call_s)
    assert all(0 <= at <= RETRY_BUDGET_S for at in begun)
    assert len(begun) <= 6


def test_a_very_late_count_of_tries_is_no_overflow():
    assert (
        next_try(Fault.RATE_LIMITED, tries=10_000, first_tried_at=NOW, now=NOW, jitter=0.9) is None
    )


@pytest.mark.parametrize(("tries", "jitter"), [(0, 0.5), (1, 1.0), (1, -0.1)])
def test_wrong_counts_and_jitter_are_refused(tries, jitter):
    with pytest.raises(ValueError, match="tries >= 1"):
        next_try(Fault.NOT_SENT, tries=tries, first_tried_at=NOW, now=NOW, jitter=jitter)


def test_a_lost_answer_is_looked_for_after_twilio_has_surely_finished():
    assert reconcile_at(NOW) - NOW > timedelta(seconds=26)


@pytest.mark.parametrize(
    ("receipts", "end"),
    [
        pytest.param([S.QUEUED, S.SENDING, S.SENT, S.DELIVERED], S.DELIVERED, id="as it should be"),
        pytest.param([S.DELIVERED, S.SENT, S.QUEUED], S.DELIVERED, id="out of order"),
        pytest.param([S.SENT, S.SENT], S.SENT, id="repeated"),
        pytest.param([S.SENT, None], S.SENT, id="a word we do not know"),
        pytest.param([S.SENT, S.UNDELIVERED, S.SENT], S.UNDELIVERED, id="late after a failure"),
        pytest.param([S.DELIVERED, S.FAILED], S.DELIVERED, id="a failure after delivery"),
        pytest.param([S.FAILED, S.DELIVERED], S.FAILED, id="a delivery after failure"),
        pytest.param([S.FAILED, S.READ], S.FAILED, id="read after failure"),
        pytest.param([S.DELIVERED, S.READ], S.READ, id="read after delivery"),
        pytest.param([S.READ, S.DELIVERED], S.READ, id="delivered after read"),
        pytest.param([S.PARTIALLY_DELIVERED, S.SENT], S.PARTIALLY_DELIVERED, id="in parts, so far"),
        pytest.param([S.PARTIALLY_DELIVERED, S.DELIVERED], S.DELIVERED, id="all parts at last"),
    ],
)
def test_receipts_only_move_forward(receipts, end):
    status = S.ACCEPTED
    for receipt in receipts:
        status = advance(status, receipt)
    assert status is end


@given(st.sampled_from(S), st.sampled_from([*S, None]))
def test_a_receipt_never_moves_back_and_a_repeat_changes_nothing(current, incoming):
    after = advance(current, incoming)
    assert after.rank >= current.rank
    assert advance(after, incoming) is after
    assert advance(after, current) is after


@pytest.mark.parametrize("end", [S.DELIVERED, S.UNDELIVERED, S.FAILED, S.CANCELED])
def test_any_order_of_arrival_gives_the_same_end(end):
    for order in itertools.permutations([S.QUEUED, S.SENDING, S.SENT, end]):
        status = S.ACCEPTED
        for receipt in order:
            status = advance(status, receipt)
        assert status is end


def test_terminal_statuses():
    assert {s for s in S if s.terminal} == {
        S.DELIVERED,
        S.UNDELIVERED,
        S.FAILED,
        S.CANCELED,
        S.READ,
    }


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("delivered", S.DELIVERED),
        (" Sent ", S.SENT),
        ("teleported", None),
        ("", None),
        (None, None),
    ],
)
def test_words_of_a_provider(word, status):
    assert S.from_word(word) is status


def test_an_error_carries_its_fault_and_code():
    error = SendError(Fault.RECIPIENT_STOPPED, "the recipient has replied STOP", code=21610)
    assert (error.fault, error.code) == (Fault.RECIPIENT_STOPPED, 21610)
    assert str(error) == "the recipient has replied STOP (provider code 21610)"
