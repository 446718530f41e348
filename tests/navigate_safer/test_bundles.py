"""Lower classes told together: one text, a code each, nothing late, lost or said twice."""

from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, battery, condition, message, one_more_wearer, walk
from watch import PUBLIC_URL, VOICE, Watch

from alerts.delivery import DeliveryStatus, Fault, SendError
from alerts.finding import Severity
from alerts.messages import fits_one_part
from alerts.terms import ConditionKind
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import alerting, burden, claiming, replies
from navigate_safer.services.receipts import take_receipt, take_receipt_by_mark
from navigate_safer.services.replies import ReplyResult

ON_SQLITE = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
FIRST = "+447700900101"


def flat(watch: Watch, number: int) -> TextRow:
    """A tag whose battery is nearly empty: an alert of medium severity, and its first text."""
    care = condition(f"CY-{number}", ConditionKind.TAG_CARE, Severity.HIGH)
    watch.register(one_more_wearer(number, conditions=[care]))
    watch.hear(message(f"TAG-X{number}", battery(watch.clock(), 4)))
    return watch.database.all(TextRow)[-1]


def row(watch: Watch, text: TextRow) -> TextRow:
    return watch.database.one(TextRow, TextRow.id == text.id)


def alert(watch: Watch, text: TextRow) -> AlertRow:
    return watch.database.one(AlertRow, AlertRow.id == text.alert_id)


def holds(watch: Watch) -> None:
    with watch.sessions() as session:
        assert invariants.broken(session, watch.clock()) == {}


@pytest.fixture
def three(watch: Watch) -> list[TextRow]:
    """One told at once, and two that wait for the end of its five minutes."""
    texts = [flat(watch, 1)]
    watch.deliver()
    texts += [flat(watch, 2), flat(watch, 3)]
    watch.deliver()
    assert len(watch.sender.sent) == 1
    return texts


def the_rest(watch: Watch) -> str:
    watch.clock.forward(minutes=5)
    watch.deliver()
    return watch.sender.sent[-1].body


def test_a_bad_quarter_of_an_hour_is_two_texts_and_not_three(watch, three):
    said = the_rest(watch)
    assert len(watch.sender.sent) == 2
    assert said.startswith("Navigate Safer MEDIUM: 2 alerts need you.")
    assert fits_one_part(said)
    for text in three[1:]:
        assert f"{alert(watch, text).reference} {text.code}" in said
    states = [row(watch, each) for each in three]
    assert [each.state for each in states] == ["accepted"] * 3
    assert states[1].provider_id == states[2].provider_id
    told = watch.database.all(AuditRow, AuditRow.what == "breach text")
    assert len({each.detail["alert"] for each in told}) == 3
    holds(watch)


@ON_SQLITE
def test_each_code_acknowledges_its_own_alert(watch, three):
    the_rest(watch)
    reply = {"provider_id": "SM1", "sender": FIRST, "body": three[2].code}
    taken = replies.take_reply(watch.sessions, now=watch.clock(), **reply)
    assert taken is ReplyResult.ACKNOWLEDGED
    assert [alert(watch, each).state for each in three] == ["open", "open", "acknowledged"]


@ON_SQLITE
def test_waiting_moves_no_escalation(watch, three):
    written = [alert(watch, each) for each in three]
    assert [each.next_step_at - each.opened_at for each in written] == [timedelta(minutes=15)] * 3


@ON_SQLITE
def test_a_breach_of_a_zone_is_told_at_once_and_by_itself(watch, three):
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, start=watch.clock()))
    watch.deliver()
    assert "URGENT" in watch.sender.sent[-1].body
    assert [row(watch, each).state for each in three] == ["accepted", "pending", "pending"]


@ON_SQLITE
def test_what_was_answered_while_it_waited_is_not_in_the_text(watch, three):
    with watch.sessions.begin() as session:
        found = session.get_one(AlertRow, three[1].alert_id)
        alerting.stand_down(session, found)
    said = the_rest(watch)
    assert three[2].code in said
    assert three[1].code not in said
    assert row(watch, three[1]).state == "cancelled"


@ON_SQLITE
def test_the_deadline_of_one_text_brings_all_that_wait(watch, three):
    """A policy of another alert gives two minutes to answer: it waits for one of them."""
    with watch.sessions.begin() as session:
        hasty = session.get_one(TextRow, three[2].id)
        hasty.due_at = hasty.bundle_by = watch.clock() + timedelta(minutes=1)
    watch.clock.forward(minutes=1)
    watch.deliver()
    assert three[1].code in watch.sender.sent[-1].body


@ON_SQLITE
def test_seven_at_once_are_told_in_time_in_more_than_one_text(watch):
    flat(watch, 0)
    watch.deliver()
    texts = [flat(watch, number) for number in range(1, 8)]
    the_rest(watch)
    said = [each.body for each in watch.sender.sent[1:]]
    assert len(said) == 2
    assert [sum(text.code in each for each in said) for text in texts] == [1] * 7
    holds(watch)


# A fault of the service that gets worse


def fault(watch: Watch, part: str, severity: Severity) -> None:
    with watch.sessions.begin() as session:
        alerting.open_service_alert(session, part, severity, watch.clock(), VOICE, "it squeaks")


@ON_SQLITE
def test_a_lower_one_that_becomes_worse_is_told_at_once(watch):
    fault(watch, "disk", Severity.MEDIUM)
    watch.deliver()
    fault(watch, "tape", Severity.MEDIUM)
    assert watch.deliver() == []
    fault(watch, "tape", Severity.CRITICAL)
    watch.deliver()
    assert "URGENT alert" in watch.sender.sent[-1].body


# Calls that go wrong


def fails(watch: Watch, what: Fault, *, taken: bool = False) -> None:
    nth = len(watch.sender.tried) + 1
    watch.sender.fail(nth, SendError(what, "planted"), after_taking=taken)


@ON_SQLITE
def test_a_text_that_must_be_sent_again_is_gathered_anew(watch, three):
    fails(watch, Fault.NOT_SENT)
    the_rest(watch)
    late = watch.sender.sent[-1].body
    assert len(watch.sender.sent) == 2
    assert [each.code in late for each in three] == [False, True, True]
    assert {row(watch, each).state for each in three} == {"accepted"}
    holds(watch)


def test_a_lost_answer_is_looked_for_and_all_that_travelled_are_accepted(watch, three):
    fails(watch, Fault.AMBIGUOUS, taken=True)
    the_rest(watch)
    assert sorted(row(watch, each).state for each in three[1:]) == ["bundled", "unknown"]
    watch.clock.forward(seconds=31)
    watch.deliver()
    assert [row(watch, each).state for each in three] == ["accepted"] * 3
    assert len(watch.sender.sent) == 2, "nobody was texted twice"


@ON_SQLITE
def test_a_sender_that_dies_holding_several_loses_none(watch, three):
    watch.clock.forward(minutes=5)
    claim = claiming.claim_next(watch.sessions, watch.ways, watch.clock, PUBLIC_URL, draw=0.0)
    assert claim is not None
    watch.clock.forward(seconds=31)
    watch.deliver()
    assert [row(watch, each).state for each in three] == ["accepted"] * 3
    assert [row(watch, each).resent_after_unknown for each in three] == [False, True, True]
    holds(watch)


@ON_SQLITE
def test_what_travelled_in_a_lost_call_is_marked_when_it_is_sent_by_itself(watch, three):
    fails(watch, Fault.AMBIGUOUS)
    the_rest(watch)
    fails(watch, Fault.NOT_SENT)
    watch.clock.forward(seconds=31)
    watch.deliver()
    watch.clock.forward(seconds=61)
    watch.deliver()
    assert {row(watch, each).state for each in three} == {"accepted"}
    assert [row(watch, each).resent_after_unknown for each in three] == [False, True, True]
    holds(watch)


@ON_SQLITE
def test_a_number_that_is_gone_makes_the_next_person_due_for_each(watch, three):
    fails(watch, Fault.NUMBER_PERMANENT)
    the_rest(watch)
    assert [row(watch, each).state for each in three[1:]] == ["failed", "failed"]
    watch.escalate()
    watch.deliver()
    assert watch.sender.sent[-1].to == "+447700900102"
    assert "2 alerts need you" in watch.sender.sent[-1].body


@ON_SQLITE
def test_a_receipt_is_for_all_that_travelled(watch, three):
    the_rest(watch)
    sent = watch.sender.sent[-1]
    take_receipt(
        watch.sessions, attempt_id=sent.attempt_id, provider_id="recording-2",
        status=DeliveryStatus.UNDELIVERED, word="undelivered", error_code=30003,
        fault=Fault.HANDSET_UNREACHABLE, now=watch.clock(),
    )  # fmt: skip
    assert [row(watch, each).delivery for each in three[1:]] == ["undelivered"] * 2
    assert all(alert(watch, each).next_step_at == watch.clock() for each in three[1:])


@ON_SQLITE
def test_a_provider_that_names_its_own_id_alone_means_all_that_travelled(watch, three):
    the_rest(watch)
    assert take_receipt_by_mark(
        watch.sessions, mark="", provider="recording", provider_id="recording-2",
        status=DeliveryStatus.DELIVERED, word="delivered", fault=None, now=watch.clock(),
    )  # fmt: skip
    assert [row(watch, each).delivery for each in three[1:]] == ["delivered"] * 2


@ON_SQLITE
def test_one_text_of_several_is_one_page_to_its_officer(watch, three):
    the_rest(watch)
    areas = frozenset(each.id for each in watch.database.all(AreaRow))
    chief = watch.database.one(StaffRow, StaffRow.ref == "sup-1").id
    scope = Scope(chief, Role.SUPERVISOR, areas)
    found = burden.see(watch.sessions, scope, 7, watch.clock())
    assert [load.pages for _, load in found.officers] == [2]
