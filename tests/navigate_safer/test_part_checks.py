"""Providers, the tick and gateways: what is said of each, how urgently, and that it is told."""

from datetime import timedelta

import pytest
from case_files import INSIDE, OUTSIDE, START, walk
from sqlalchemy import update
from watch import VOICE, Watch

from alerts.delivery import Fault, SendError
from alerts.finding import Severity
from alerts.senders.recording import RecordingSender
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextAttemptRow, TextRow
from navigate_safer.db.gateway_minutes import GatewayMinuteRow
from navigate_safer.db.parts import CALLS_SEEN, GatewayFacts, PartFacts, ProviderFacts
from navigate_safer.db.people import GatewayRow, StaffRow
from navigate_safer.db.providers import ProviderWeightRow
from navigate_safer.services import heartbeats, part_checks, provider_health, stopped
from navigate_safer.services.checks import Check, State
from navigate_safer.services.part_checks import GATEWAY_QUIET, NO_WEIGHT_SHOWN, REFUSAL_SHOWN
from navigate_safer.services.self_watch import STEADY, SelfWatch, part_of

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SMS = frozenset({"sms"})


def provider(name: str = "twilio", **fields: object) -> ProviderFacts:
    return ProviderFacts(name=name, **{"channels": SMS, "accepted_at": START - MINUTE, **fields})


def said(*providers: ProviderFacts) -> list[Check]:
    """What is not well."""
    found = part_checks.judge(PartFacts(providers=list(providers)), START)
    return [each for each in found if each.state is not State.OK]


# Providers

REFUSED = {"ours": {Fault.PROVIDER_UNUSABLE: START - SECOND}}
WRONG = [
    pytest.param(REFUSED, "refuses us", id="it refuses us"),
    pytest.param({"failed": 5}, "failed 5 calls within the last minute", id="it fails"),
    pytest.param({"points": 0, "moved": (START - MINUTE, "slow deliveries")},
                 "gets no texts at present (slow deliveries)", id="it has no weight left"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_a_provider_that_fails_beside_another_is_told_at_once_and_is_no_fault(fields, words):
    [check] = said(provider(**fields), provider("notify"))
    assert (check.name, check.state) == ("provider: twilio", State.WARNING)
    assert words in check.text
    assert part_of(check).severity is Severity.MEDIUM, "somebody is texted"


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_the_only_provider_of_a_channel_that_fails_is_a_fault(fields, words):
    by_mail = provider("smtp", channels=frozenset({"email"}))
    [check] = said(provider(**fields), by_mail)
    assert check.state is State.FAULT
    assert words in check.text


def test_when_all_fail_each_is_a_fault():
    checks = said(provider(**REFUSED), provider("notify", failed=9))
    assert [each.state for each in checks] == [State.FAULT] * 2


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="all is well"),
        pytest.param({"failed": 4}, id="a few failures"),
        pytest.param({**REFUSED, "accepted_at": START}, id="it has taken something since"),
        pytest.param({"points": 10, "moved": (START, "errors")}, id="less weight than its share"),
        pytest.param({"points": 0, "moved": (START - NO_WEIGHT_SHOWN - SECOND, "errors")},
                     id="one that is set up no more"),
        pytest.param({"ours": {Fault.CONTENT_REFUSED: START - REFUSAL_SHOWN - SECOND}},
                     id="a wording that was refused long ago"),
    ],
)  # fmt: skip
def test_of_a_provider_that_does_its_work_nothing_is_said(fields):
    assert said(provider(**fields)) == []


def test_a_wording_that_is_refused_mutes_breaches_and_an_address_for_receipts_does_not():
    [wording] = said(provider(ours={Fault.CONTENT_REFUSED: START - MINUTE}, accepted_at=START))
    [address] = said(provider(ours={Fault.BAD_CALLBACK: START - MINUTE}, accepted_at=START))
    assert (wording.state, address.state) == (State.FAULT, State.WARNING)
    assert part_of(address).severity is Severity.MEDIUM


def beat(watch: Watch) -> None:
    for worker in ("ingest", "monitor", "deliver", "schedule"):
        up = watch.clock() - timedelta(hours=1)
        heartbeats.beat(watch.sessions, worker, watch.clock(), connected_since=up)


def look(watch: Watch, own: SelfWatch) -> tuple[str, ...]:
    beat(watch)
    return own.look(watch.clock(), watch.clock()).opened


@pytest.fixture
def alerted(watch: Watch) -> Watch:
    """A breach whose first text is written; texts go through two providers."""
    watch.others = [RecordingSender(watch.clock, name="second")]
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch


def test_a_provider_that_refuses_us_is_told_although_the_other_takes_its_texts(alerted):
    alerted.sender.fail(1, SendError(Fault.PROVIDER_UNUSABLE, "planted"))
    alerted.deliver()
    assert alerted.database.one(TextRow).provider == "second"
    own = SelfWatch(alerted.sessions, VOICE)
    assert "provider: recording" in look(alerted, own)
    alert = alerted.database.one(AlertRow, AlertRow.part == "provider: recording")
    assert alerted.database.count(TextRow, TextRow.alert_id == alert.id) == 1
    # It stays until the provider takes something, however long nobody asks it.
    alerted.clock.forward(seconds=CALLS_SEEN.total_seconds() / 2)
    look(alerted, own)
    alerted.clock.forward(seconds=STEADY.total_seconds() + 1)
    look(alerted, own)
    assert alerted.database.one(AlertRow, AlertRow.id == alert.id).state == "open"


def test_what_a_provider_takes_again_ends_its_alert(alerted):
    alerted.sender.fail(1, SendError(Fault.PROVIDER_UNUSABLE, "planted"))
    alerted.deliver()
    own = SelfWatch(alerted.sessions, VOICE)
    look(alerted, own)
    alerted.clock.forward(seconds=1)
    with alerted.sessions.begin() as session:
        text = session.query(TextRow).first()
        session.add(
            TextAttemptRow(id="later", text_id=text.id, provider="recording",
                           claimed_at=alerted.clock(), finished_at=alerted.clock(),
                           outcome="accepted")
        )  # fmt: skip
    look(alerted, own)
    alerted.clock.forward(seconds=STEADY.total_seconds())
    look(alerted, own)
    alert = alerted.database.one(AlertRow, AlertRow.part == "provider: recording")
    assert alert.state == "resolved"


def test_the_weight_of_a_provider_that_is_set_up_no_more_is_forgotten(alerted):
    provider_health.tick(alerted.sessions, ("recording", "second"), alerted.clock())
    provider_health.forget_others(alerted.sessions, ("recording", "second"))
    assert alerted.database.count(ProviderWeightRow) == 2
    provider_health.forget_others(alerted.sessions, ("second",))
    assert alerted.database.count(ProviderWeightRow) == 0


# The tick


def test_a_step_that_nobody_takes_is_told_within_the_minute(alerted):
    alerted.deliver()
    own = SelfWatch(alerted.sessions, VOICE)
    due = alerted.database.one(AlertRow).next_step_at
    alerted.clock.at = due + timedelta(seconds=45)
    assert "tick" not in look(alerted, own)
    alerted.clock.forward(seconds=1)
    assert "tick" in look(alerted, own)
    about = alerted.database.one(AlertRow, AlertRow.part == "tick")
    assert alerted.database.count(TextRow, TextRow.alert_id == about.id) == 1
    # Made up for, and steady for a minute, it ends.
    for _ in range(3):
        alerted.escalate()
        look(alerted, own)
        alerted.clock.forward(seconds=40)
    assert alerted.database.one(AlertRow, AlertRow.part == "tick").state == "resolved"


# Gateways


def gateway(**fields: object) -> GatewayFacts:
    return GatewayFacts(
        **{"gateway_id": 7, "ref": "gw-west", "devices": 3, "newest_at": START - timedelta(hours=1),
           "online_since": START - timedelta(days=2), **fields}
    )  # fmt: skip


def quiet(*gateways: GatewayFacts, listening: timedelta | None = timedelta(days=1)) -> list[Check]:
    since = None if listening is None else START - listening
    found = PartFacts(gateways=list(gateways), listening_since=since)
    return [each for each in part_checks.judge(found, START) if each.name.startswith("gateway")]


def test_a_gateway_that_is_connected_and_brings_nothing_is_told_at_once():
    [check] = quiet(gateway())
    assert (check.name, check.state) == ("gateway:7", State.WARNING)
    assert "no message for 59 minutes; 3 fitted device(s)" in check.text
    assert "gw-west" not in check.text, "anybody may read it"
    part = part_of(check)
    assert "gw-west" in part.text
    assert part.severity is Severity.HIGH


def test_how_long_a_gateway_has_brought_nothing_is_said_in_the_largest_unit():
    long_ago = START - timedelta(days=9)
    [check] = quiet(gateway(newest_at=long_ago, online_since=long_ago), listening=timedelta(days=9))
    assert "no message for 8 days; 3 fitted device(s)" in check.text


@pytest.mark.parametrize(
    ("one", "listening"),
    [
        pytest.param(gateway(newest_at=START - GATEWAY_QUIET), timedelta(days=1),
                     id="it brought something in its last minute"),
        pytest.param(gateway(online_since=START - MINUTE), timedelta(days=1),
                     id="it has just come back"),
        pytest.param(gateway(), MINUTE, id="intake has just been connected"),
        pytest.param(gateway(), None, id="intake is not connected"),
    ],
)  # fmt: skip
def test_a_gateway_is_not_to_blame(one, listening):
    assert quiet(one, listening=listening) == []


def test_a_gateway_that_never_brought_anything_is_counted_from_its_first_word():
    assert len(quiet(gateway(newest_at=None))) == 1


def test_a_quiet_gateway_is_an_alert_and_ends_when_it_brings_something(watch):
    watch.hear(*walk("TAG-1", OUTSIDE))
    with watch.sessions.begin() as session:
        session.execute(
            update(GatewayRow).where(GatewayRow.ref == "gw-west")
            .values(online=True, status_at=watch.clock() - GATEWAY_QUIET - SECOND)
        )  # fmt: skip
    own = SelfWatch(watch.sessions, VOICE)
    gateway_id = watch.database.one(GatewayRow, GatewayRow.ref == "gw-west").id
    assert look(watch, own) == (f"gateway:{gateway_id}",)
    with watch.sessions.begin() as session:
        session.add(
            GatewayMinuteRow(gateway="gw-west", minute_at=watch.clock().replace(second=0),
                             instance="a", messages=1, readings=1)
        )  # fmt: skip
    look(watch, own)
    watch.clock.forward(seconds=STEADY.total_seconds())
    look(watch, own)
    part = AlertRow.part == f"gateway:{gateway_id}"
    assert watch.database.one(AlertRow, part).state == "resolved"


# Numbers that a provider refuses for good

OFFICER = "+447700900101"


@pytest.fixture
def refused(watch: Watch) -> Watch:
    """The first officer's number is refused for good; the next person was told."""
    watch.sender.fail(1, SendError(Fault.NUMBER_PERMANENT, "planted"))
    watch.clock.forward(hours=1)
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, start=watch.clock()))
    watch.deliver()
    return watch


def contact(watch: Watch) -> AlertRow:
    return watch.database.one(AlertRow, AlertRow.part.startswith("contact:"))


def test_a_number_that_is_refused_for_good_is_told_to_the_supervisor(refused):
    opened = look(refused, SelfWatch(refused.sessions, VOICE))
    officer = refused.database.one(StaffRow, StaffRow.ref == "off-1")
    assert stopped.part(officer.id) in opened
    alert = contact(refused)
    told = refused.database.one(TextRow, TextRow.alert_id == alert.id)
    assert refused.database.one(StaffRow, StaffRow.id == told.staff_id).ref == "sup-1"
    line = refused.database.one(AlertHistoryRow, AlertHistoryRow.alert_id == alert.id,
                                AlertHistoryRow.move == "opened")  # fmt: skip
    assert "off-1" in line.reason
    assert OFFICER not in line.reason


def test_a_bad_number_stays_told_until_another_is_verified(refused):
    own = SelfWatch(refused.sessions, VOICE)
    look(refused, own)
    for _ in range(3):
        refused.clock.forward(hours=2)
        look(refused, own)
    assert contact(refused).state == "open", "its age does not mend it"
    with refused.sessions.begin() as session:
        session.execute(
            update(StaffRow).where(StaffRow.ref == "off-1")
            .values(phone="+447700900177", phone_verified_at=refused.clock())
        )  # fmt: skip
    look(refused, own)
    refused.clock.forward(seconds=STEADY.total_seconds())
    look(refused, own)
    assert contact(refused).state == "resolved"


def test_a_number_that_was_reached_after_all_is_no_bad_one(refused):
    own = SelfWatch(refused.sessions, VOICE)
    look(refused, own)
    refused.clock.forward(seconds=10)
    with refused.sessions.begin() as session:
        first = session.query(TextRow).order_by(TextRow.id).first()
        later = TextRow(
            alert_id=first.alert_id, step=99, staff_id=first.staff_id, channel="sms", body="x",
            code="000000", code_expires_at=refused.clock(), validity_s=60,
            created_at=refused.clock(), state="accepted", delivery="delivered",
        )  # fmt: skip
        session.add(later)
        session.flush()
        session.add(
            TextAttemptRow(id="later", text_id=later.id, provider="recording",
                           claimed_at=refused.clock(), finished_at=refused.clock(),
                           outcome="accepted")
        )  # fmt: skip
    look(refused, own)
    refused.clock.forward(seconds=STEADY.total_seconds())
    look(refused, own)
    assert contact(refused).state == "resolved"
