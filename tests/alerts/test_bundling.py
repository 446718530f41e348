"""Which texts wait to be told together, until when, and that none is late, lost or doubled."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bundling import NEVER_WAIT, Held, Waiting, may_wait, tell_at, tell_by, together
from alerts.finding import FindingKind, Severity
from alerts.messages import MOST_TOGETHER
from alerts.policy import MAX_ANSWER_S, MIN_ANSWER_S, Bundling, Channel, Plan, PolicyFault
from alerts.silences import ZONE_BREACHES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
USUAL = Bundling()
NOBODY_WAITS = Waiting(told_at=None, due_at=None)
kinds = st.sampled_from([None, *FindingKind])


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("severity", "kind", "channel", "waits"),
    [
        pytest.param("medium", "battery_critical", "sms", True, id="a battery"),
        pytest.param("medium", None, "sms", True, id="a fault of the service"),
        pytest.param("high", "strap_tamper", "sms", False, id="as urgent as the policy's bar"),
        pytest.param("critical", "silence", "sms", False, id="urgent"),
        pytest.param("medium", "curfew_breach", "sms", False, id="a zone, however mild"),
        pytest.param("medium", "exclusion_approach", "sms", False, id="a warning of a zone"),
        pytest.param("medium", "battery_critical", "voice", False, id="a call"),
    ],
)
def test_who_may_wait(severity, kind, channel, waits):
    kind = None if kind is None else FindingKind(kind)
    assert may_wait(USUAL, Severity(severity), kind, Channel(channel)) is waits


@given(st.sampled_from([each for each in Severity if each.texts_an_officer]), kinds)
def test_neither_what_is_urgent_nor_a_breach_of_a_zone_ever_waits(at_once, kind):
    rule = Bundling(at_once=at_once)
    assert not may_wait(rule, Severity.CRITICAL, kind, Channel.SMS)
    if kind in ZONE_BREACHES:
        assert not any(may_wait(rule, each, kind, Channel.SMS) for each in Severity)


def test_a_policy_may_switch_it_off():
    assert not may_wait(Bundling(at_once=Severity.MEDIUM), Severity.MEDIUM, None, Channel.SMS)


@pytest.mark.parametrize("wrong", [{"at_once": Severity.LOW}, {"every_s": 59}, {"every_s": 1801}])
def test_a_setting_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(PolicyFault):
        Bundling(**wrong)


def test_an_alert_that_opened_before_there_was_a_setting_has_the_usual_one():
    assert Plan("2", ()).bundling == USUAL


@pytest.mark.parametrize(
    ("told_s", "due_s", "answer_s", "told_after_s"),
    [
        pytest.param(None, None, 900, 0, id="the first is told at once"),
        pytest.param(-301, None, 900, 0, id="the interval is over"),
        pytest.param(-100, None, 900, 200, id="until the interval is over"),
        pytest.param(-100, None, 120, 60, id="its own deadline comes first"),
        pytest.param(-100, 30, 900, 30, id="with what is told sooner anyway"),
        pytest.param(-100, -5, 900, 0, id="with what is due already"),
    ],
)
def test_when_a_text_that_may_wait_is_told(told_s, due_s, answer_s, told_after_s):
    waiting = Waiting(
        told_at=None if told_s is None else after(told_s),
        due_at=None if due_s is None else after(due_s),
    )
    assert tell_at(USUAL, waiting, NOON, answer_s) == after(told_after_s)


def test_the_deadline_leaves_half_of_the_time_to_answer():
    assert tell_by(NOON, 900) == after(450)
    assert tell_at(USUAL, NOBODY_WAITS, NOON, 900) == NOON


class Outbox:
    """One person's texts as the service keeps them: what waits, and what went out together."""

    def __init__(self, rule: Bundling) -> None:
        self.rule = rule
        self.due: dict[int, datetime] = {}
        self.deadline: dict[int, datetime] = {}
        self.sent: list[tuple[datetime, list[int]]] = []

    def write(self, text_id: int, at: datetime, answer_s: int) -> None:
        told_at = self.sent[-1][0] if self.sent else None
        waiting = Waiting(told_at=told_at, due_at=min(self.due.values(), default=None))
        self.due[text_id] = tell_at(self.rule, waiting, at, answer_s)
        self.deadline[text_id] = tell_by(at, answer_s)

    def send_until(self, at: datetime) -> None:
        while self.due and min(self.due.values()) <= at:
            first = min(self.due, key=lambda each: (self.due[each], each))
            now = self.due[first]
            held = [Held(text_id=each, tell_by=self.deadline[each]) for each in self.due]
            lead = Held(text_id=first, tell_by=self.deadline[first])
            inside = [each.text_id for each in together(lead, held)]
            for each in inside:
                del self.due[each]
            self.sent.append((now, inside))


@given(
    st.lists(
        st.tuples(st.integers(0, 700), st.integers(MIN_ANSWER_S, MAX_ANSWER_S)),
        min_size=1, max_size=25,
    ),
    st.integers(60, 1800),
)  # fmt: skip
def test_every_alert_is_told_once_and_in_time_and_texts_are_few(arrivals, every_s):
    outbox, now, written = Outbox(Bundling(every_s=every_s)), NOON, {}
    for number, (gap_s, answer_s) in enumerate(arrivals):
        now += timedelta(seconds=gap_s)
        outbox.send_until(now)
        written[number] = now
        outbox.write(number, now, answer_s)
    outbox.send_until(NOON + timedelta(days=1))

    told = {each: at for at, inside in outbox.sent for each in inside}
    assert sorted(each for _, inside in outbox.sent for each in inside) == sorted(written)
    assert all(written[each] <= at <= outbox.deadline[each] for each, at in told.items())
    assert all(len(inside) <= MOST_TOGETHER for _, inside in outbox.sent)
    for (before, full), (at, inside) in zip(outbox.sent, outbox.sent[1:], strict=False):
        sooner = at - before < timedelta(seconds=every_s)
        forced = outbox.deadline[inside[0]] == at or len(full) == MOST_TOGETHER
        assert not sooner or forced, "a text inside the interval, and nothing demanded it"


def test_what_finds_no_room_keeps_its_time_and_the_nearest_deadline_goes_first():
    held = [Held(text_id=each, tell_by=after(1000 - each)) for each in range(2, 10)]
    inside = together(Held(text_id=1, tell_by=after(5000)), held)
    assert [each.text_id for each in inside] == [1, 9, 8, 7, 6]


def test_what_warns_of_a_zone_is_among_what_never_waits():
    assert {FindingKind.EARLY_WARNING_1, FindingKind.EXCLUSION_APPROACH} <= NEVER_WAIT


def test_a_protected_person_s_silent_device_never_waits_whatever_a_policy_gathers():
    rule = Bundling(at_once=Severity.CRITICAL)
    assert may_wait(rule, Severity.HIGH, None, Channel.SMS)
    assert not may_wait(rule, Severity.HIGH, FindingKind.PROTECTED_SILENCE, Channel.SMS)
