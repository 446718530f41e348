"""Commands to devices: asked with a right and a reason, sent once or twice, never lost."""

import threading
from datetime import timedelta

import pytest
from case_files import CREWE, INSIDE, OUTSIDE, START, event, fix, message, walk
from msgspec import json
from posts import Post
from sqlalchemy import select, update
from watch import Watch

from devices.command import CommandKind, StandingText
from devices.mqtt_publish import Published
from devices.rejection import Reason
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.commands import CommandHistoryRow, CommandRow
from navigate_safer.db.people import AreaRow, DeviceRow, FittingRow, OrderRow, StaffRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.casefile import CaseFile, Gateway
from navigate_safer.services import command_post, commands, heartbeats
from navigate_safer.services.casework import NotFound
from navigate_safer.services.commands import Asked, CommandPolicy, Wanted
from navigate_safer.services.ingest import Message

POLICY = CommandPolicy(lasts_s=180, per_hour=3)
LOCATE, VIBRATE = CommandKind.LOCATE, CommandKind.VIBRATE


def officer(watch: Watch, ref: str = "off-1", area: str = "west") -> Scope:
    areas = frozenset({watch.database.one(AreaRow, AreaRow.ref == area).id})
    return Scope(
        watch.database.one(StaffRow, StaffRow.ref == ref).id, Role.DUTY_OFFICER, areas
    )  # fmt: skip


def ask(watch: Watch, kind: CommandKind = LOCATE, *, reason: str = "welfare check", **wanted):
    wish = Wanted(wanted.pop("device", "TAG-1"), kind, reason=reason, **wanted)
    return commands.ask(watch.sessions, officer(watch), "W-1", wish, watch.clock(), POLICY)


def send(watch: Watch, post: Post | None = None):
    return command_post.send_next(watch.sessions, post or Post(), watch.clock)


def settle(watch: Watch) -> int:
    return command_post.settle(watch.sessions, watch.clock())


def row(watch: Watch) -> CommandRow:
    return watch.database.one(CommandRow)


def moves(watch: Watch) -> list[str]:
    return [each.move for each in watch.database.all(CommandHistoryRow)]


def acknowledge(watch: Watch, status: str, *, device="TAG-1", gateway="gw-west", **fields) -> int:
    document = {"v": 1, "id": row(watch).name, "status": status, **fields}
    return hear(watch, f"ack/v1/{gateway}/{device}", json.encode(document))


def hear(watch: Watch, topic: str, payload: bytes) -> int:
    told = [Message(topic, payload, watch.clock())]
    return command_post.take_acks(watch.sessions, told, watch.clock())


def refusals(watch: Watch) -> list[str]:
    return [each.reason for each in watch.database.all(QuarantineRow)]


def panel(watch: Watch, who: Scope | None = None):
    return commands.see_panel(
        watch.sessions, who or officer(watch), "W-1", watch.clock(), watch.clock()
    )


def test_a_locate_goes_down_and_its_answer_comes_back_with_its_age_and_error(watch: Watch) -> None:
    assert ask(watch) is Asked.QUEUED
    post = Post()
    assert send(watch, post).fault is None
    ((topic, sent),) = post.sent
    assert topic == "command/v1/gw-west/TAG-1"
    assert (sent["kind"], sent["id"], sent["v"]) == ("locate", row(watch).name, 1)
    assert "text" not in sent
    assert post.expiries_s == [180]

    watch.clock.forward(seconds=4)
    assert acknowledge(watch, "received") == 1
    watch.clock.forward(seconds=8)
    watch.receive(message("TAG-1", fix(watch.clock(), OUTSIDE, accuracy_m=8.2)))
    assert settle(watch) == 1
    answered = row(watch)
    assert answered.state == "answered"
    assert answered.answer_at == START + timedelta(seconds=12)
    assert answered.answer_accuracy_m == pytest.approx(8.2)
    assert moves(watch) == ["ask", "send", "deliver", "answer"]
    assert send(watch) is None


def test_only_a_fix_measured_and_received_after_the_question_answers_it(watch: Watch) -> None:
    watch.receive(message("TAG-1", fix(START - timedelta(seconds=20), OUTSIDE)))
    # A device whose clock is 40 s ahead sent this before anybody asked.
    watch.receive(message("TAG-1", fix(START + timedelta(seconds=40), INSIDE), received_at=START))
    watch.clock.forward(seconds=1)
    ask(watch)
    send(watch)
    assert settle(watch) == 0
    late = START - timedelta(seconds=50)
    watch.receive(message("TAG-1", fix(late, OUTSIDE), received_at=watch.clock.forward(seconds=5)))
    watch.receive(message("TAG-1", event(watch.clock(), "button")))
    assert settle(watch) == 0
    now = watch.clock.forward(seconds=5)
    watch.receive(message("TAG-1", fix(now, OUTSIDE), received_at=now))
    assert settle(watch) == 1
    assert row(watch).answer_at == now


def test_a_fix_of_another_tag_is_no_answer(watch: Watch) -> None:
    ask(watch)
    send(watch)
    at = watch.clock.forward(seconds=10)
    watch.receive(message("TAG-2", fix(at, CREWE), gateway="gw-east"))
    assert settle(watch) == 0


def test_a_text_is_one_of_the_list_and_is_answered_by_the_devices_word(watch: Watch) -> None:
    assert ask(watch, CommandKind.MESSAGE, text=StandingText.CHARGE) is Asked.QUEUED
    post = Post()
    send(watch, post)
    assert post.sent[0][1]["text"] == "Charge this device now."
    assert post.sent[0][1]["message"] == "charge"
    watch.receive(message("TAG-1", fix(watch.clock.forward(seconds=9), OUTSIDE)))
    assert settle(watch) == 0, "a position says nothing of a text"
    assert acknowledge(watch, "done") == 1
    assert row(watch).state == "answered"
    assert row(watch).answer_at is None


def test_a_device_that_only_says_done_to_a_locate_has_not_answered_it(watch: Watch) -> None:
    ask(watch)
    send(watch)
    acknowledge(watch, "done")
    assert row(watch).state == "delivered"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param("refused", "refused", id="refuses"),
        pytest.param("failed", "failed", id="fails"),
    ],
)
def test_a_device_may_decline_with_a_reason(watch: Watch, status: str, state: str) -> None:
    ask(watch, VIBRATE)
    send(watch)
    acknowledge(watch, status, reason="battery_low")
    assert row(watch).state == state
    assert watch.database.all(CommandHistoryRow)[-1].reason == "battery_low"
    assert send(watch) is None


def test_an_acknowledgement_that_overtakes_the_record_of_sending_is_kept(watch: Watch) -> None:
    """The device was quicker than our commit, or we were killed before it."""
    ask(watch)
    acknowledge(watch, "received")
    assert row(watch).state == "delivered"
    watch.clock.forward(seconds=30)
    assert send(watch) is None, "the device has it: nothing is sent again"


def test_a_repeated_acknowledgement_changes_nothing(watch: Watch) -> None:
    ask(watch)
    send(watch)
    assert [acknowledge(watch, "received") for _ in range(3)] == [1, 0, 0]
    assert moves(watch) == ["ask", "send", "deliver"]


def test_nobody_answers_and_it_expires(watch: Watch) -> None:
    ask(watch)
    send(watch)
    watch.clock.forward(seconds=181)
    assert settle(watch) == 0, "a fix measured in time may be on its way"
    watch.clock.forward(seconds=5)
    assert settle(watch) == 1
    assert row(watch).state == "expired"
    # What the device says after that is kept, once, and changes nothing.
    assert [acknowledge(watch, "received") for _ in range(2)] == [1, 0]
    assert row(watch).state == "expired"
    assert moves(watch) == ["ask", "send", "expire", "late_deliver"]


@pytest.mark.parametrize("fault", [each for each in Published if each is not Published.ACCEPTED])
def test_what_the_broker_does_not_take_is_tried_again_until_its_time_is_over(
    watch: Watch, fault: Published
) -> None:
    ask(watch)
    assert send(watch, Post(fault)).fault == fault.value
    assert send(watch) is None, "not at once"
    watch.clock.forward(seconds=2)
    assert send(watch, Post(fault)).fault == fault.value
    watch.clock.forward(seconds=200)
    assert send(watch) is None
    settle(watch)
    assert row(watch).state == "failed"
    assert row(watch).fault == fault.value


def test_the_broker_comes_back_and_the_command_goes_out(watch: Watch) -> None:
    ask(watch)
    send(watch, Post(Published.NOT_CONNECTED))
    watch.clock.forward(seconds=2)
    assert send(watch).fault is None
    assert (row(watch).state, row(watch).fault, row(watch).tries) == ("sent", None, 2)


class Killed(BaseException):
    pass


class Killing(Post):
    """Publishes, and is killed before anybody can write that down."""

    def publish(self, topic: str, payload: bytes, *, expires_in_s: int) -> Published:
        super().publish(topic, payload, expires_in_s=expires_in_s)
        raise Killed


def test_a_sender_killed_after_publishing_leaves_it_to_the_next_with_the_same_id(
    watch: Watch,
) -> None:
    ask(watch)
    post = Killing()
    with pytest.raises(Killed):
        send(watch, post)
    assert send(watch) is None, "its lease still runs"
    watch.clock.forward(seconds=21)
    again = Post()
    assert send(watch, again).fault is None
    assert again.sent == post.sent, "a device does one id once"
    assert again.expiries_s == [159], "and the broker keeps it no longer than it lasts"


def test_two_senders_at_once_send_it_once(watch: Watch) -> None:
    ask(watch)
    post, meet = Post(), threading.Barrier(2)

    def one() -> None:
        meet.wait()
        send(watch, post)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(post.sent) == 1


class SlowPost(Post):
    """Takes its time for each gateway."""

    def __init__(self, watch: Watch, seconds: int, *answers: Published) -> None:
        super().__init__(*answers)
        self._watch, self._seconds = watch, seconds

    def publish(self, topic: str, payload: bytes, *, expires_in_s: int) -> Published:
        self._watch.clock.forward(seconds=self._seconds)
        return super().publish(topic, payload, expires_in_s=expires_in_s)


def ask_handover(watch: Watch, *gateways: tuple[str, bytes]) -> None:
    """Ask TAG-LENT, which is bound to no gateway and worn in the east."""
    watch.register(CaseFile(v=1, gateways=[Gateway("gw-new", "a"), Gateway("gw-other", "b")]))
    for gateway, status in gateways:
        watch.receive(Message(f"status/v1/{gateway}", status, watch.clock()))
    wish = Wanted("TAG-LENT", LOCATE, reason="handover")
    east = officer(watch, "off-3", "east")
    assert commands.ask(watch.sessions, east, "W-2", wish, watch.clock(), POLICY) is Asked.QUEUED


ALL_ONLINE = [(f"gw-{name}", b"online") for name in ("west", "east", "new", "other")]


def test_a_broker_that_does_not_answer_is_asked_once_and_not_once_a_gateway(watch: Watch) -> None:
    """Three gateways at five seconds each would outlast the lease."""
    ask_handover(watch, *ALL_ONLINE)
    post = SlowPost(watch, 5, *[Published.NO_ANSWER] * 3)
    assert send(watch, post).fault == "no_answer"
    assert len(post.sent) == 1
    assert row(watch).due_at > watch.clock(), "nobody else had it meanwhile"


def test_each_gateway_is_told_what_is_left_when_it_is_its_turn(watch: Watch) -> None:
    ask_handover(watch, *ALL_ONLINE)
    post = SlowPost(watch, 3, *[Published.NOBODY_LISTENS] * 2)
    assert send(watch, post).fault is None
    assert post.expiries_s == [180, 177, 174]


def test_what_expires_while_it_is_sent_goes_to_no_further_gateway(watch: Watch) -> None:
    ask_handover(watch, *ALL_ONLINE)
    watch.clock.forward(seconds=178)
    post = SlowPost(watch, 3, *[Published.NOBODY_LISTENS] * 2)
    assert send(watch, post).fault == "nobody_listens"
    assert post.expiries_s == [2]


def test_nothing_is_locked_while_there_is_nothing_to_send(watch: Watch, writes) -> None:
    assert send(watch) is None
    assert writes == []


def test_a_tag_of_no_gateway_is_not_asked_through_those_of_another_area(watch: Watch) -> None:
    """The west's gateway would put the command of an east case on the air in the west."""
    ask_handover(watch, ("gw-west", b"online"))
    post = Post()
    send(watch, post)
    asked = [topic for topic, _ in post.sent]
    assert asked == [f"command/v1/gw-{name}/TAG-LENT" for name in ("east", "new", "other")]


def test_a_tag_of_no_gateway_is_asked_through_each_that_is_online(watch: Watch) -> None:
    ask_handover(watch, ("gw-new", b"online"), ("gw-east", b"offline"))
    post = Post()
    send(watch, post)
    assert [topic for topic, _ in post.sent] == ["command/v1/gw-new/TAG-LENT"]


# A device that changes hands meanwhile


def take_off(watch: Watch, device: str = "TAG-1") -> None:
    with watch.sessions.begin() as session:
        device_id = session.scalar(select(DeviceRow.id).where(DeviceRow.ref == device))
        worn = update(FittingRow).where(FittingRow.device_id == device_id)
        session.execute(worn.values(removed_at=watch.clock()))


def test_what_waits_for_the_broker_is_not_sent_to_a_device_that_was_taken_off(watch: Watch) -> None:
    ask(watch, VIBRATE)
    send(watch, Post(Published.NOT_CONNECTED))
    watch.clock.forward(seconds=10)
    take_off(watch)
    post = Post()
    assert send(watch, post) is None
    assert post.sent == []
    assert (row(watch).state, row(watch).fault) == ("failed", "taken_off")
    assert moves(watch) == ["ask", "fail"]


def test_where_a_device_is_that_was_taken_off_meanwhile_is_no_answer(watch: Watch) -> None:
    ask(watch)
    send(watch)
    watch.clock.forward(seconds=10)
    take_off(watch)
    watch.receive(message("TAG-1", fix(watch.clock.forward(seconds=10), CREWE)))
    assert settle(watch) == 0
    watch.clock.forward(seconds=200)
    assert settle(watch) == 1
    assert (row(watch).state, row(watch).answer_at) == ("expired", None)


# Who may ask, and how often


def test_after_the_order_has_ended_an_open_alert_is_no_reason_to_locate(watch: Watch) -> None:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    assert not panel(watch).needs_reason
    with watch.sessions.begin() as session:
        session.execute(update(OrderRow).values(ends_on=START.date() - timedelta(days=1)))
    assert panel(watch).needs_reason
    assert ask(watch, reason="") is Asked.NEEDS_REASON
    assert ask(watch, reason="to have the tag given back") is Asked.QUEUED


def test_the_open_alert_is_the_reason_to_locate_and_never_to_act_on_the_wearer(
    watch: Watch,
) -> None:
    assert ask(watch, reason=" ") is Asked.NEEDS_REASON
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    assert ask(watch, reason="") is Asked.QUEUED
    assert row(watch).reason.startswith("open alert ")
    assert row(watch).alert_id is not None
    assert ask(watch, VIBRATE, reason="") is Asked.NEEDS_REASON


def test_a_second_press_adds_nothing_while_the_first_is_under_way(watch: Watch) -> None:
    assert [ask(watch), ask(watch)] == [Asked.QUEUED, Asked.ALREADY]
    assert ask(watch, VIBRATE) is Asked.QUEUED
    watch.clock.forward(seconds=190)
    settle(watch)
    assert ask(watch) is Asked.QUEUED


def test_a_tag_is_asked_so_often_in_an_hour_and_no_oftener(watch: Watch) -> None:
    answers = []
    for _ in range(4):
        answers.append(ask(watch))
        watch.clock.forward(seconds=200)
        settle(watch)
    assert answers == [Asked.QUEUED] * 3 + [Asked.TOO_MANY]
    watch.clock.forward(minutes=50)
    assert ask(watch) is Asked.QUEUED


def test_an_alcohol_monitor_has_no_position_to_give(watch: Watch) -> None:
    assert ask(watch, device="MON-1") is Asked.NO_POSITIONS
    assert ask(watch, VIBRATE, device="MON-1") is Asked.QUEUED


@pytest.mark.parametrize(
    ("wearer", "device"),
    [
        pytest.param("W-2", "TAG-2", id="a wearer of another area"),
        pytest.param("W-9", "TAG-1", id="nobody"),
        pytest.param("W-1", "TAG-2", id="another wearer's tag"),
        pytest.param("W-1", "TAG-LENT", id="a tag that has been taken off"),
    ],
)
def test_who_and_what_is_not_there_for_this_officer_is_not_found(
    watch: Watch, wearer: str, device: str
) -> None:
    wish = Wanted(device, LOCATE, reason="a reason")
    with pytest.raises(NotFound):
        commands.ask(watch.sessions, officer(watch), wearer, wish, watch.clock(), POLICY)
    assert watch.database.count(CommandRow) == 0


@pytest.mark.parametrize(
    "role", [Role.IDVA, Role.PROGRAMME_FACILITATOR, Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR]
)
def test_a_role_without_the_right_is_refused(watch: Watch, role: Role) -> None:
    scope = Scope(officer(watch).staff_id, role, officer(watch).areas)
    wish = Wanted("TAG-1", LOCATE, reason="a reason")
    with pytest.raises(Forbidden):
        commands.ask(watch.sessions, scope, "W-1", wish, watch.clock(), POLICY)
    with pytest.raises(Forbidden):
        panel(watch, scope)


def test_asking_and_first_seeing_the_answer_are_in_the_log(watch: Watch) -> None:
    before = watch.database.count(AuditRow)
    ask(watch)
    send(watch)
    watch.receive(message("TAG-1", fix(watch.clock.forward(seconds=9), OUTSIDE)))
    settle(watch)
    for _ in range(3):
        panel(watch)
    panel(watch, officer(watch, "off-2"))
    entries = [
        (each.act, each.what)
        for each in watch.database.all(AuditRow)[before:]
        if each.actor == "staff"
    ]
    assert entries == [
        ("collection", "command: locate"),
        ("consultation", "position on demand"),
        ("consultation", "position on demand"),
    ]


# What is not ours


@pytest.mark.parametrize(
    ("topic", "change", "reason"),
    [
        pytest.param("ack/v1/gw-west/TAG-2", {}, Reason.WRONG_TOPIC, id="another device's"),
        pytest.param("ack/v1/gw-east/TAG-1", {}, Reason.WRONG_GATEWAY, id="another gateway"),
        pytest.param("ack/v1/gw-moon/TAG-1", {}, Reason.UNKNOWN_GATEWAY, id="an unknown gateway"),
        pytest.param("ack/v1/gw-west/TAG-1", {"id": "0" * 32}, Reason.INVALID, id="of no command"),
        pytest.param("ack/v1/gw-west/TAG-1", {"status": "fine"}, Reason.INVALID, id="no status"),
        pytest.param("ack/v1/gw-west", {}, Reason.UNKNOWN_TOPIC, id="a topic too short"),
    ],
)
def test_an_acknowledgement_that_is_not_its_own_is_quarantined_and_changes_nothing(
    watch: Watch, topic: str, change: dict, reason: Reason
) -> None:
    ask(watch)
    send(watch)
    document = {"v": 1, "id": row(watch).name, "status": "received", **change}
    assert hear(watch, topic, json.encode(document)) == 0
    assert refusals(watch) == [reason.value]
    assert row(watch).state == "sent"


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"[" * 3000, b"x" * 5000])
def test_rubbish_on_the_topic_is_quarantined(watch: Watch, payload: bytes) -> None:
    assert hear(watch, "ack/v1/gw-west/TAG-1", payload) == 0
    assert len(refusals(watch)) == 1


def test_the_panel_says_how_a_device_can_be_reached(watch: Watch) -> None:
    watch.receive(Message("status/v1/gw-west", b"offline", watch.clock()))
    watch.receive(message("TAG-1", fix(START, OUTSIDE), gateway="gw-east"))
    shown = panel(watch)
    tag = next(each for each in shown.ways if each.device == "TAG-1")
    assert (tag.gateway, tag.online, tag.elsewhere) == ("gw-west", False, ["gw-east"])
    assert tag.status_at == START
    assert not shown.sender_up
    heartbeats.beat(watch.sessions, "commands", watch.clock())
    assert panel(watch).sender_up
    assert shown.needs_reason
