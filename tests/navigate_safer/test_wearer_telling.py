"""A wearer is told what the policy of the area says, once, and apart from every officer's text."""

import io
from datetime import date, datetime, timedelta

import pytest
from case_files import (
    INSIDE,
    MINUTE,
    OUTSIDE,
    START,
    battery,
    box,
    condition,
    message,
    order,
    walk,
)
from watch import Watch
from wearer_told import E164, by_text, look, number, policy, post, scope_of

from alerts.delivery import DeliveryStatus, Fault, SendError
from alerts.finding import Severity
from alerts.terms import ConditionKind
from alerts.wearer_messages import Way
from alerts.wearer_words import Occasion, Tone
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.commands import CommandRow
from navigate_safer.db.exceptions import ExceptionRow
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.db.telling import SilenceRow
from navigate_safer.db.wearer_messages import WearerContactRow, WearerMessageRow
from navigate_safer.people.casefile import CaseFile, Device, Fitting, Wearer, Window, ZoneEntry
from navigate_safer.services import burden, stopped, wearer_contacts, wearer_post
from navigate_safer.services.contacts import CannotVerify
from navigate_safer.services.receipts import take_receipt
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers import schedule
from navigate_safer.workers.deliver import DeliverWorker

pytestmark = pytest.mark.parametrize("factory", ["sqlite"], indirect=True)


@pytest.fixture
def ready(watch: Watch) -> Watch:
    """The wearers of the west are told of breaches of zones by text, and W-1 has a number."""
    policy(watch, by_text(Occasion.ZONE_BREACH))
    number(watch)
    return watch


def breach(watch: Watch, *, start: datetime | None = None) -> None:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, start=start or watch.clock()))


def told(watch: Watch) -> WearerMessageRow:
    return watch.database.one(WearerMessageRow)


def verdict(watch: Watch) -> str:
    return told(watch).verdict


def add(watch: Watch, row: object) -> None:
    with watch.sessions.begin() as session:
        session.add(row)


def ids(watch: Watch) -> tuple[int, int, int]:
    who = watch.database.one(WearerRow, WearerRow.ref == "W-1")
    chief = watch.database.one(StaffRow, StaffRow.ref == "sup-1").id
    officer = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    return who.id, chief, officer


# Told, once, and by the outbox


def test_a_breach_is_told_to_the_wearer_once_and_the_officer_as_ever(ready):
    breach(ready)
    for _ in range(3):
        look(ready)
        post(ready)
    assert [each.to for each in ready.sender.sent] == [E164]
    row = told(ready)
    assert (row.state, row.alert_id) == ("accepted", ready.database.one(AlertRow).id)
    assert ready.sender.sent[0].body == row.body
    ready.deliver()
    assert [each.to[-3:] for each in ready.sender.sent] == ["288", "101"]


def test_it_stands_among_no_officer_s_text_and_is_counted_for_itself(ready):
    breach(ready)
    look(ready)
    post(ready)
    assert ready.database.count(TextRow) == 1
    found = burden.see(ready.sessions, scope_of(ready), 7, ready.clock())
    assert (found.wearer_texts, [load.pages for _, load in found.officers]) == (1, [1])


def test_telling_the_wearer_is_logged_without_the_number(ready):
    breach(ready)
    look(ready)
    post(ready)
    entry = ready.database.one(AuditRow, AuditRow.what == "text to the wearer")
    assert (entry.act, entry.subject_kind) == ("disclosure", "wearer")
    assert "900288" not in repr([each.detail for each in ready.database.all(AuditRow)])


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param([], id="nothing"),
        pytest.param([by_text(Occasion.BATTERY)], id="something else"),
        pytest.param([Way(occasion=Occasion.ZONE_BREACH)], id="it, by no way"),
    ],
)
def test_nothing_is_told_that_is_not_switched_on(watch, ways):
    policy(watch, *ways)
    number(watch)
    breach(watch)
    look(watch)
    assert watch.database.count(WearerMessageRow) == 0


def test_the_policy_of_another_area_tells_nobody_here(watch):
    policy(watch, by_text(Occasion.ZONE_BREACH), area="east")
    number(watch)
    breach(watch)
    look(watch)
    assert watch.database.count(WearerMessageRow) == 0


@pytest.mark.parametrize("tone", Tone)
def test_the_tone_is_the_policy_s(watch, tone):
    policy(watch, by_text(Occasion.ZONE_BREACH, tone))
    number(watch)
    breach(watch)
    look(watch)
    officers_told = "officers have been told" in told(watch).body
    assert (told(watch).tone, officers_told) == (tone.value, tone is Tone.STERN)


def test_two_alerts_of_one_battery_are_one_message(watch):
    policy(watch, by_text(Occasion.BATTERY))
    number(watch)
    watch.hear(message("TAG-1", battery(watch.clock(), 4)))
    assert watch.database.count(AlertRow) == 2
    look(watch)
    verdicts = sorted(each.verdict for each in watch.database.all(WearerMessageRow))
    assert verdicts == ["told", "told_lately"]


# Held back


def test_quiet_hours_hold_back_a_battery_and_no_breach(watch):
    policy(watch, by_text(Occasion.BATTERY), by_text(Occasion.ZONE_BREACH))
    number(watch)
    watch.clock.not_before(START + timedelta(hours=2))
    watch.hear(message("TAG-1", battery(watch.clock(), 18)))
    look(watch)
    assert verdict(watch) == "quiet_hours"
    breach(watch)
    look(watch)
    assert watch.database.all(WearerMessageRow)[-1].verdict == "told"


def test_a_silence_holds_it_back(ready):
    who, chief, officer = ids(ready)
    now = ready.clock()
    add(ready, SilenceRow(
        kind="silence", from_at=now, until_at=now + timedelta(hours=1), author_id=officer,
        made_at=now, reason="being_dealt_with", words="a unit is with him", wearer_id=who,
        area_id=ready.database.one(WearerRow, WearerRow.id == who).area_id, approved_by=chief,
    ))  # fmt: skip
    breach(ready)
    look(ready)
    assert (verdict(ready), post(ready)) == ("silenced", [])


def test_what_is_found_in_late_data_is_no_news_to_the_wearer(ready):
    ready.hear(*walk("TAG-1", OUTSIDE, OUTSIDE, start=ready.clock()))
    late = walk("TAG-1", INSIDE, INSIDE, start=START - 90 * MINUTE)
    for each in late:
        ready.hear(each)
    look(ready)
    assert [each.late_data for each in ready.database.all(AlertRow)] == [True]
    assert ready.database.count(WearerMessageRow) == 0


def test_a_day_has_a_most(watch):
    policy(watch, by_text(Occasion.ZONE_BREACH), most_a_day=1)
    number(watch)
    breach(watch)
    look(watch)
    post(watch)
    watch.hear(*walk("TAG-1", OUTSIDE, OUTSIDE, start=watch.clock() + 31 * MINUTE))
    breach(watch, start=watch.clock() + MINUTE)
    look(watch)
    verdicts = [each.verdict for each in watch.database.all(WearerMessageRow)]
    assert verdicts == ["told", "most_a_day"]


# The curfew that starts soon

HOURS = [Window(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "21:30", "23:00")]


@pytest.fixture
def curfew(watch: Watch) -> Watch:
    """W-9 must be in from 21:30 on; it is 21:00."""
    entry = condition("C-9", ConditionKind.CURFEW, Severity.MEDIUM, zone="Z-9")
    who = Wearer(
        "W-9", "Hilda Quennell", date(1980, 1, 1), "west", "Hoole", "high", None,
        [order("O-9", entry)], [Fitting("TAG-9", START - timedelta(days=2))],
    )  # fmt: skip
    zone = ZoneEntry("Z-9", "Larkspur House", "inclusion", box(OUTSIDE), schedule=HOURS)
    devices = [Device("TAG-9", "tag", gateway="gw-west")]
    watch.register(CaseFile(v=1, devices=devices, zones=[zone], wearers=[who]))
    policy(watch, by_text(Occasion.CURFEW_SOON), curfew_notice_min=15)
    number(watch, "W-9")
    return watch


def test_a_curfew_is_announced_once_with_its_time_and_not_its_place(curfew):
    look(curfew)
    assert curfew.database.count(WearerMessageRow) == 0
    for _ in range(3):
        curfew.clock.forward(minutes=6)
        look(curfew)
    assert "Your curfew starts at 21:30" in told(curfew).body
    assert "Larkspur" not in told(curfew).body
    curfew.clock.forward(days=1)
    look(curfew)
    assert curfew.database.count(WearerMessageRow) == 2, "the next evening's"


def test_who_is_excused_from_a_curfew_is_not_told_to_be_in(curfew):
    who = curfew.database.one(WearerRow, WearerRow.ref == "W-9").id
    now = curfew.clock()
    add(curfew, ExceptionRow(
        condition_ref="C-9", wearer_id=who, from_at=now, until_at=now + timedelta(hours=4),
        reason="a night shift", staff_id=ids(curfew)[1], made_at=now,
    ))  # fmt: skip
    curfew.clock.forward(minutes=20)
    look(curfew)
    assert (verdict(curfew), post(curfew)) == ("excused", [])


# Vibration


def test_a_vibration_is_a_command_to_the_tag_in_the_name_of_the_policy(watch):
    policy(watch, Way(occasion=Occasion.ZONE_BREACH, by_vibration=True))
    breach(watch)
    look(watch)
    command = watch.database.one(CommandRow)
    assert (command.kind, command.state, command.staff_id) == ("vibrate", "queued", ids(watch)[1])
    assert command.reason == "messages to wearers, version 1: zone_breach"
    assert (told(watch).state, told(watch).command_id) == ("none", command.id)
    assert post(watch) == []


# The number


def test_a_number_that_is_not_verified_is_not_used(watch):
    policy(watch, by_text(Occasion.ZONE_BREACH))
    number(watch, verified=False)
    breach(watch)
    look(watch)
    assert verdict(watch) == "no_way"


def test_a_code_that_the_wearer_reads_out_verifies_it(watch):
    number(watch, verified=False)
    scope, said = scope_of(watch), []
    wearer_contacts.send_code(
        watch.sessions, scope, "W-1", lambda *given: said.append(given), watch.clock()
    )
    (_, address, body, reference) = said[0]
    assert (address, reference in body) == (E164, True)
    code = next(word.strip(".") for word in body.split() if word.strip(".").isdigit())
    assert not wearer_contacts.verify(watch.sessions, scope, "W-1", "000000", watch.clock())
    assert wearer_contacts.verify(watch.sessions, scope, "W-1", code, watch.clock())
    row = watch.database.one(WearerContactRow)
    assert (row.verified_at, row.verified_how) == (watch.clock(), "code")


def test_a_code_for_the_number_before_does_not_verify_the_new_one(watch):
    number(watch, verified=False)
    scope, said = scope_of(watch), []
    wearer_contacts.send_code(
        watch.sessions, scope, "W-1", lambda *given: said.append(given), watch.clock()
    )
    number(watch, typed="07700 900299", verified=False)
    with pytest.raises(CannotVerify, match="send a new one"):
        wearer_contacts.verify(watch.sessions, scope, "W-1", "123456", watch.clock())


def test_the_number_of_an_officer_is_not_a_wearer_s(watch):
    with pytest.raises(CannotVerify, match="member of staff"):
        number(watch, typed="07700 900101")


def test_stop_is_respected_until_start_and_typing_the_number_again_does_not_lift_it(ready):
    stopped.tell(ready.sessions, E164, ready.clock(), voice=None)
    number(ready)
    breach(ready)
    look(ready)
    assert verdict(ready) == "stopped"
    assert ready.database.count(AlertRow, AlertRow.part.is_not(None)) == 0
    stopped.unmark(ready.sessions, E164)
    assert ready.database.one(WearerContactRow).stopped_at is None


def test_stop_that_only_the_provider_knows_of_is_learnt_from_its_refusal(ready):
    ready.sender.fail(1, SendError(Fault.RECIPIENT_STOPPED, "planted"))
    breach(ready)
    look(ready)
    assert post(ready) == ["failed"]
    assert ready.database.one(WearerContactRow).stopped_at == ready.clock()


# Calls that go wrong


def test_a_lost_answer_is_looked_for_and_not_sent_again(ready):
    ready.sender.fail(1, SendError(Fault.AMBIGUOUS, "planted"), after_taking=True)
    breach(ready)
    look(ready)
    assert post(ready) == ["unknown"]
    ready.clock.forward(seconds=31)
    assert post(ready) == ["accepted"]
    assert len(ready.sender.sent) == 1


def test_what_was_refused_after_a_lost_answer_is_marked_when_it_is_sent(ready):
    ready.sender.fail(1, SendError(Fault.AMBIGUOUS, "planted"))
    ready.sender.fail(2, SendError(Fault.NOT_SENT, "planted"))
    breach(ready)
    look(ready)
    assert post(ready) == ["unknown"]
    ready.clock.forward(seconds=31)
    assert post(ready) == ["pending"]
    ready.clock.forward(seconds=61)
    assert post(ready) == ["accepted"]
    assert told(ready).resent_after_unknown


def test_a_sender_that_dies_loses_no_text(ready):
    breach(ready)
    look(ready)
    site = "https://safer.example.gov.uk"
    assert wearer_post.claim_next(ready.sessions, ready.ways, ready.clock, site, draw=0.0)
    assert post(ready) == []
    ready.clock.forward(seconds=31)
    assert post(ready) == ["accepted"]
    assert told(ready).resent_after_unknown


def test_a_provider_that_is_down_for_long_brings_no_text_too_late(ready):
    for nth in range(1, 200):
        ready.sender.fail(nth, SendError(Fault.PROVIDER_UNUSABLE, "planted"))
    breach(ready)
    look(ready)
    for _ in range(70):
        post(ready)
        ready.clock.forward(seconds=10)
    assert (told(ready).state, told(ready).due_at) == ("failed", None)
    assert ready.sender.sent == []


def test_a_receipt_moves_the_message_and_no_officer_s_text(ready):
    breach(ready)
    look(ready)
    post(ready)
    attempt = ready.sender.sent[0].attempt_id
    assert take_receipt(
        ready.sessions, attempt_id=attempt, provider_id="recording-1",
        status=DeliveryStatus.DELIVERED, word="delivered", error_code=None, fault=None,
        now=ready.clock(),
    )  # fmt: skip
    assert told(ready).delivery == "delivered"
    assert ready.database.one(TextRow).delivery is None


# The workers


def test_the_scheduler_notices_and_the_sender_sends_after_the_officer_s(ready):
    service = Service(Settings(database_url=ready.database.url), console=io.StringIO())
    service.clock = ready.clock
    breach(ready)
    jobs = {name: job for name, _, job in schedule._jobs(service)}
    jobs["wearers"]()
    jobs["curfews"]()
    sender = DeliverWorker(service)
    assert [sender.turn() for _ in range(3)] == [True, True, False]
    sender._pool.shutdown(wait=True)
    sender._wearer_pool.shutdown(wait=True)
    # What is written before each call, in the order of the claims.
    claimed = [row.what for row in ready.database.all(AuditRow, AuditRow.actor == "deliver")]
    assert claimed == ["breach text", "text to the wearer"]
    assert told(ready).state == ready.database.one(TextRow).state == "accepted"
    service.close()
