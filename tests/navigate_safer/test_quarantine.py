"""What is refused: counted for ever, kept as far as there is room, and put right by people."""

import contextlib
import hashlib
import threading
from datetime import timedelta

import msgspec
import pytest
from case_files import CREWE, INSIDE, MINUTE, OUTSIDE, START, fix, message, walk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text, update

from alerts.terms import DeviceKind
from devices.rejection import Reason, Rejected
from navigate_safer.db import refusals
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, DeviceRow, StaffRow
from navigate_safer.db.quarantine import Handling, QuarantineActRow, QuarantineGroupRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.refusals import Wanted
from navigate_safer.db.telemetry import PendingRow, QuarantineRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.casefile import CaseFile, Device, Gateway
from navigate_safer.services import command_post, repair
from navigate_safer.services.casework import NotFound
from navigate_safer.services.ingest import Message
from navigate_safer.services.quarantine import DEFAULT_KEPT_BYTES, Quarantine, message_hash
from navigate_safer.services.repair import CannotRepair

TOPIC = "telemetry/v1/gw-west/TAG-1"
MALFORMED = Rejected(Reason.MALFORMED, "it is not JSON")


def scope_of(watch, role=Role.SUPERVISOR, areas=("west", "east")) -> Scope:
    known = {row.ref: row.id for row in watch.database.all(AreaRow)}
    staff = watch.database.one(StaffRow, StaffRow.ref == "sup-1")
    return Scope(staff.id, role, frozenset(known[ref] for ref in areas))


def refuse(watch, payloads, *, kept_bytes=1_000_000, rejected=MALFORMED, gateway="gw-west"):
    """Write refusals of these payloads as one batch."""
    held = Quarantine(kept_bytes)
    for payload in payloads:
        held.add(TOPIC, payload, gateway, "TAG-1", rejected, START)
    with watch.sessions.begin() as session:
        held.write(session, watch.clock())
    return held


def group(watch, reason="malformed", gateway="gw-west"):
    return watch.database.one(
        QuarantineGroupRow,
        QuarantineGroupRow.reason == reason,
        QuarantineGroupRow.gateway == gateway,
    )


def entry_of(watch, payload: bytes) -> QuarantineRow:
    return watch.database.one(QuarantineRow, QuarantineRow.payload == payload)


# Keeping


def test_each_message_is_one_entry_and_its_group_counts_them(watch):
    held = refuse(watch, [b"one", b"two", b"one"])
    assert (held.count, held.by_reason) == (3, {"malformed": 3})
    rows = {row.payload: row.times for row in watch.database.all(QuarantineRow)}
    assert rows == {b"one": 2, b"two": 1}
    of = group(watch)
    assert (of.times, of.kept, of.kept_bytes) == (3, 2, 6)


def test_the_same_bytes_in_a_later_batch_count_up_and_take_no_more_room(watch):
    refuse(watch, [b"one"])
    watch.clock.forward(hours=2)
    refuse(watch, [b"one", b"one"])
    row, of = watch.database.one(QuarantineRow), group(watch)
    assert (row.times, row.first_at, row.last_at) == (3, START, START + timedelta(hours=2))
    assert (of.times, of.kept, of.kept_bytes) == (3, 1, 3)
    assert (of.first_at, of.last_at) == (row.first_at, row.last_at)


def test_several_bad_readings_of_one_message_keep_its_bytes_once(watch):
    bad = [fix(START, INSIDE) | {"lat": 91 + n} for n in range(20)]
    document = {"v": 1, "device": "TAG-1", "readings": bad}
    payload = msgspec.json.encode(document)
    watch.receive(Message(TOPIC, payload, START))
    rows = watch.database.all(QuarantineRow)
    assert len(rows) == 20
    assert sum(len(row.payload) for row in rows) == len(payload)
    with watch.sessions() as session:
        for row in rows:
            assert refusals.whole_payload(session, session.merge(row)) == payload


def test_past_the_room_the_commonest_garbage_is_counted_only_and_a_rare_refusal_still_kept(watch):
    room = 20_000
    for batch in range(10):
        refuse(watch, [b"%04d" % (batch * 50 + n) * 25 for n in range(50)], kept_bytes=room)
    common = group(watch)
    assert common.times == 500
    assert common.kept_bytes < room
    assert watch.database.count(QuarantineRow) < 500

    rare = Rejected(Reason.UNKNOWN_DEVICE, "no device of this name is registered")
    refuse(watch, [b"r" * 100], kept_bytes=room, rejected=rare)
    assert entry_of(watch, b"r" * 100).reason == "unknown_device"


def test_a_refusal_that_is_known_still_counts_up_when_nothing_more_is_kept(watch):
    refuse(watch, [b"x" * 100], kept_bytes=100)
    refuse(watch, [b"x" * 100, b"y" * 100], kept_bytes=100)
    assert watch.database.one(QuarantineRow).times == 2
    assert group(watch).times == 3


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["gw-a", "gw-b", "gw-c"]), st.integers(0, 40)), max_size=30
        ),
        max_size=6,
    )
)
@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_whatever_comes_every_refusal_is_counted_and_room_is_bounded(watch, batches):
    with watch.sessions.begin() as session:
        session.query(QuarantineRow).delete()
        session.query(QuarantineGroupRow).delete()
    room, largest = 1_000, 0
    for batch in batches:
        held = Quarantine(room)
        for gateway, number in batch:
            held.add(TOPIC, b"%040d" % number, gateway, None, MALFORMED)
        with watch.sessions.begin() as session:
            held.write(session, START)
        largest = max(largest, 40 * len(batch))
    groups = watch.database.all(QuarantineGroupRow)
    assert sum(each.times for each in groups) == sum(len(batch) for batch in batches)
    kept = sum(len(row.payload) for row in watch.database.all(QuarantineRow))
    assert kept == sum(each.kept_bytes for each in groups)
    assert kept <= room + largest


def test_two_workers_with_the_same_garbage_wait_for_each_other_and_lose_no_count(watch):
    together, faults = threading.Barrier(3), []

    def work(order):
        together.wait(10)
        try:
            for _ in range(10):
                refuse(watch, [b"%03d" % n for n in order])
        except Exception as fault:
            faults.append(fault)

    threads = [
        threading.Thread(target=work, args=(order,))
        for order in (range(60), range(59, -1, -1), range(30, 90))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert faults == []
    assert group(watch).times == 3 * 10 * 60
    assert sum(row.times for row in watch.database.all(QuarantineRow)) == 3 * 10 * 60
    assert group(watch).kept == watch.database.count(QuarantineRow) == 90


def test_a_batch_of_refusals_is_written_in_two_statements(watch):
    said = []

    def note(_connection, _cursor, statement, _parameters, _context, many):
        if not statement.startswith("BEGIN"):
            said.append((statement, many))

    event.listen(watch.database.engine, "before_cursor_execute", note)
    try:
        refuse(watch, [b"%04d" % n for n in range(400)])
    finally:
        event.remove(watch.database.engine, "before_cursor_execute", note)
    most = {"postgresql": 2, "sqlite": 4}[watch.database.kind]
    assert len(said) <= most
    assert watch.database.count(QuarantineRow) == 400


# Putting right


def unknown(device="TAG-NEW", minute=0, place=OUTSIDE):
    return message(device, fix(START + timedelta(minutes=minute), place))


def register_device(watch, ref="TAG-NEW"):
    watch.register(CaseFile(v=1, devices=[Device(ref, "tag")]))


def test_a_message_of_a_device_registered_late_is_taken_as_received_at_its_own_time(watch):
    sent = unknown()
    watch.receive(sent)
    register_device(watch)
    watch.clock.forward(days=3)
    row = watch.database.one(QuarantineRow)
    tried = repair.try_again(watch.sessions, scope_of(watch), row.id, watch.clock(), watch.limits)
    assert (tried.messages, tried.taken) == (1, 1)
    stored = watch.database.one(FixRow)
    assert stored.taken_at == START
    assert abs(stored.received_at - sent.received_at) < timedelta(milliseconds=20)
    assert watch.database.one(QuarantineRow).state == Handling.REPLAYED.value
    assert watch.database.count(PendingRow) == 1, "and it will be judged"


def test_who_tried_again_is_in_the_log_and_beside_the_entry(watch):
    watch.receive(unknown())
    register_device(watch)
    row, scope = watch.database.one(QuarantineRow), scope_of(watch)
    repair.try_again(watch.sessions, scope, row.id, watch.clock(), watch.limits)
    act = watch.database.one(QuarantineActRow)
    assert (act.quarantine_id, act.staff_id, act.act, act.result) == (
        row.id, scope.staff_id, "try_again", "taken",
    )  # fmt: skip
    logged = watch.database.one(AuditRow, AuditRow.subject_kind == "quarantine")
    assert (logged.act, logged.subject_id, logged.staff_id) == (
        "alteration",
        row.id,
        scope.staff_id,
    )


def test_what_is_refused_again_goes_on_waiting(watch):
    watch.receive(unknown())
    row = watch.database.one(QuarantineRow)
    tried = repair.try_again(watch.sessions, scope_of(watch), row.id, watch.clock(), watch.limits)
    assert (tried.taken, tried.refused) == (0, 1)
    again = watch.database.one(QuarantineRow)
    assert (again.state, again.times) == (Handling.WAITING.value, 2)
    assert watch.database.one(QuarantineActRow).result == "refused again"


def test_what_was_taken_and_comes_again_and_is_refused_waits_again(watch):
    sent = unknown()
    watch.receive(sent)
    register_device(watch)
    row = watch.database.one(QuarantineRow)
    repair.try_again(watch.sessions, scope_of(watch), row.id, watch.clock(), watch.limits)
    refuse_again = Rejected(Reason.UNKNOWN_DEVICE, "no device of this name is registered")
    held = Quarantine()
    held.add(sent.topic, sent.payload, "gw-west", "TAG-NEW", refuse_again, START)
    with watch.sessions.begin() as session:
        held.write(session, watch.clock())
    assert watch.database.one(QuarantineRow).state == Handling.WAITING.value


def test_all_of_one_device_are_tried_in_slices_until_none_is_left(watch):
    for minute in range(repair.SLICE + 30):
        watch.receive(unknown(minute=minute))
    watch.receive(unknown("TAG-OTHER"))
    register_device(watch)
    wanted, after, presses, taken = Wanted(device="TAG-NEW"), 0, 0, 0
    while after is not None:
        tried = repair.try_slice(
            watch.sessions, scope_of(watch), wanted, after, watch.clock(), watch.limits
        )
        assert tried.messages <= repair.SLICE
        after, presses, taken = tried.last_id, presses + 1, taken + tried.taken
    assert (presses, taken, tried.left) == (2, repair.SLICE + 30, 0)
    assert watch.database.count(FixRow) == repair.SLICE + 30
    waiting = watch.database.all(QuarantineRow, QuarantineRow.state == "waiting")
    assert [row.device for row in waiting] == ["TAG-OTHER"]


def test_of_a_message_with_several_bad_readings_only_what_is_still_bad_waits(watch):
    good, bad = fix(START, OUTSIDE), fix(START, OUTSIDE) | {"lat": 91}
    document = {"v": 1, "device": "TAG-1", "readings": [good, bad]}
    watch.receive(Message(TOPIC, msgspec.json.encode(document), START))
    row = watch.database.one(QuarantineRow)
    tried = repair.try_again(watch.sessions, scope_of(watch), row.id, watch.clock(), watch.limits)
    assert (tried.taken, tried.refused) == (0, 1)
    assert watch.database.count(FixRow) == 1, "the good one was there already, and is not doubled"


def try_one(watch, entry_id: int):
    return repair.try_again(watch.sessions, scope_of(watch), entry_id, watch.clock(), watch.limits)


def from_new_gateway():
    return message("TAG-NEW", fix(START, OUTSIDE), gateway="gw-new")


def test_a_message_of_an_unknown_gateway_and_device_waits_until_both_are_registered(watch):
    sent = from_new_gateway()
    watch.receive(sent)
    first = watch.database.one(QuarantineRow)
    assert first.reason == "unknown_gateway"
    watch.register(CaseFile(v=1, gateways=[Gateway("gw-new", "New")]))
    tried = try_one(watch, first.id)
    assert (tried.taken, tried.refused) == (0, 1), "it is refused for another reason now"
    assert {row.reason: row.state for row in watch.database.all(QuarantineRow)} == {
        "unknown_gateway": "waiting",
        "unknown_device": "waiting",
    }
    said = watch.database.one(QuarantineActRow).result
    assert said == "refused for another reason: no device of this name is registered"
    register_device(watch)
    assert try_one(watch, first.id).taken == 1
    assert {row.state for row in watch.database.all(QuarantineRow)} == {"replayed"}
    assert watch.database.count(FixRow) == 1


def test_what_was_taken_and_is_refused_when_tried_again_waits_and_counts_once(watch):
    sent = from_new_gateway()
    watch.receive(sent)
    entry = watch.database.one(QuarantineRow)
    watch.register(CaseFile(v=1, gateways=[Gateway("gw-new", "New")]))
    register_device(watch)
    assert try_one(watch, entry.id).taken == 1
    assert group(watch, "unknown_gateway", "gw-new").kept_bytes == 0
    with watch.sessions.begin() as session:
        device = session.scalars(select(DeviceRow).where(DeviceRow.ref == "TAG-NEW")).one()
        device.ref = "TAG-GONE"
    for _ in range(2):
        assert try_one(watch, entry.id).refused == 1
        assert watch.database.one(QuarantineRow, QuarantineRow.id == entry.id).state == "waiting"
        assert group(watch, "unknown_gateway", "gw-new").kept_bytes == len(entry.payload)


def test_all_that_is_refused_for_another_reason_is_told_as_refused(watch):
    for minute in range(3):
        watch.receive(message("TAG-NEW", fix(START + minute * MINUTE, OUTSIDE), gateway="gw-new"))
    watch.receive(message("TAG-1", fix(START, OUTSIDE), gateway="gw-new"))
    watch.register(CaseFile(v=1, gateways=[Gateway("gw-new", "New")]))
    with watch.sessions.begin() as session:
        session.execute(update(DeviceRow).values(gateway_id=None))
    wanted = Wanted(reason="unknown_gateway")
    tried = repair.try_slice(
        watch.sessions, scope_of(watch), wanted, 0, watch.clock(), watch.limits
    )
    assert (tried.messages, tried.taken, tried.refused) == (4, 1, 3)
    assert tried.left == 3


def test_a_message_refused_anew_is_not_lost_where_there_is_no_room_for_another_entry(watch):
    watch.receive(from_new_gateway())
    watch.register(CaseFile(v=1, gateways=[Gateway("gw-new", "New")]))
    with watch.sessions.begin() as session:
        session.add(full_group("unknown_device", "gw-new"))
    row = watch.database.one(QuarantineRow)
    assert try_one(watch, row.id).taken == 0
    assert watch.database.one(QuarantineRow).state == "waiting"


def full_group(reason: str, gateway: str) -> QuarantineGroupRow:
    """A group that holds all that quarantine keeps."""
    return QuarantineGroupRow(
        reason=reason, gateway=gateway, first_at=START, last_at=START, times=1, kept=1,
        kept_bytes=DEFAULT_KEPT_BYTES,
    )  # fmt: skip


def test_a_message_that_nothing_can_store_costs_the_others_of_a_slice_nothing(watch):
    poison = message("TAG-NEW", fix(START + 40 * MINUTE, CREWE))
    watch.receive(poison)
    for minute in range(3):
        watch.receive(unknown(minute=minute))
    register_device(watch)
    with no_fix_at(watch.database, CREWE):
        tried = [
            repair.try_slice(
                watch.sessions, scope_of(watch), Wanted(), 0, watch.clock(), watch.limits
            )
            for _ in range(2)
        ]
    assert [(each.taken, each.refused) for each in tried] == [(3, 1), (0, 1)]
    waiting = watch.database.all(QuarantineRow, QuarantineRow.state == "waiting")
    assert {row.reason for row in waiting} == {"unknown_device", "internal_fault"}
    assert {row.message_hash for row in waiting} == {message_hash(poison.topic, poison.payload)}
    assert try_one(watch, waiting[0].id).taken == 1, "mended, it is taken"
    assert watch.database.count(QuarantineRow, QuarantineRow.state == "waiting") == 0


@contextlib.contextmanager
def no_fix_at(database, place):
    """Nothing at this place can be stored, as if there were a fault in the service."""
    lat_e7 = round(place.lat * 1e7)
    trigger = f"create trigger no_poison before insert on fixes when new.lat_e7 = {lat_e7}"
    make, drop = {
        "postgresql": (
            f"alter table fixes add constraint no_poison check (lat_e7 <> {lat_e7})",
            "alter table fixes drop constraint no_poison",
        ),
        "sqlite": (
            f"{trigger} begin select raise(abort, 'poison'); end",
            "drop trigger no_poison",
        ),
    }[database.kind]
    with database.engine.begin() as connection:
        connection.execute(text(make))
    try:
        yield
    finally:
        with database.engine.begin() as connection:
            connection.execute(text(drop))


def imported_line(watch) -> QuarantineRow:
    held = Quarantine()
    unregistered = Rejected(Reason.UNKNOWN_DEVICE, "line 7: no device of this name is registered")
    held.add("import/0123456789abcdef", b"TAG-9;2026-11-20;53.1;-2.9", "", None, unregistered)
    with watch.sessions.begin() as session:
        held.write(session, watch.clock())
    return watch.database.one(QuarantineRow, QuarantineRow.topic.startswith("import/"))


def test_a_line_of_an_imported_file_is_not_tried_but_says_to_import_the_file_again(watch):
    row = imported_line(watch)
    with pytest.raises(CannotRepair, match="import the file again"):
        try_one(watch, row.id)
    with pytest.raises(CannotRepair, match="import the file again"):
        repair.correct(
            watch.sessions, scope_of(watch), row.id, b"x", "because", START, watch.limits
        )
    watch.receive(unknown())
    register_device(watch)
    tried = repair.try_slice(
        watch.sessions, scope_of(watch), Wanted(), 0, watch.clock(), watch.limits
    )
    assert (tried.messages, tried.taken, tried.left, tried.imported) == (1, 1, 0, 1)
    assert imported_line(watch).state == "waiting"
    assert watch.database.count(QuarantineRow, QuarantineRow.reason == "unknown_topic") == 0


def test_a_devices_word_on_a_command_is_not_tried_as_telemetry(watch):
    late = Message("ack/v1/gw-west/TAG-1", b'{"v": 1}', START)
    command_post.take_acks(watch.sessions, [late], START)
    row = watch.database.one(QuarantineRow)
    with pytest.raises(CannotRepair, match="set it aside"):
        try_one(watch, row.id)
    tried = repair.try_slice(watch.sessions, scope_of(watch), Wanted(), 0, START, watch.limits)
    assert (tried.messages, tried.left, tried.imported) == (0, 0, 0)
    assert watch.database.count(QuarantineRow) == 1, "and makes no second entry"


def test_a_corrected_message_is_stored_and_its_original_kept(watch):
    swapped = fix(START, OUTSIDE) | {"lat": OUTSIDE.lon, "lon": OUTSIDE.lat}
    watch.receive(message("TAG-1", swapped, received_at=START))
    row = watch.database.one(QuarantineRow)
    right = message("TAG-1", fix(START, OUTSIDE)).payload
    why = "the gateway's maker confirmed that latitude and longitude are exchanged"
    tried = repair.correct(
        watch.sessions, scope_of(watch), row.id, right, why, watch.clock(), watch.limits
    )
    assert tried.taken == 1
    stored, after = watch.database.one(FixRow), watch.database.one(QuarantineRow)
    assert (stored.lat_e7, stored.lon_e7) == (round(OUTSIDE.lat * 1e7), round(OUTSIDE.lon * 1e7))
    assert (after.payload, after.state) == (row.payload, Handling.CORRECTED.value)
    act = watch.database.one(QuarantineActRow)
    assert (act.act, act.why, act.payload) == ("correct", why, right)
    assert "1 stored" in act.result


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param(b"still not json", "JSON", id="not JSON"),
        pytest.param(message("TAG-9", fix(START, OUTSIDE)).payload, "topic", id="another device"),
        pytest.param(b'{"v":1,"device":"TAG-1","readings":[]}', "", id="no reading"),
        pytest.param(
            message("TAG-1", fix(START, OUTSIDE) | {"lat": 91}, received_at=START).payload,
            "reading 1",
            id="a latitude of 91",
        ),
    ],
)
def test_a_correction_that_intake_would_refuse_is_refused_before_it_becomes_an_entry(
    watch, payload, says
):
    watch.receive(Message(TOPIC, b"not json", START))
    row = watch.database.one(QuarantineRow)
    with pytest.raises(CannotRepair) as caught:
        repair.correct(
            watch.sessions, scope_of(watch), row.id, payload, "because", START, watch.limits
        )
    assert says in str(caught.value)
    assert "91" not in str(caught.value)
    after = watch.database.one(QuarantineRow)
    assert (after.state, after.times, after.payload) == ("waiting", 1, b"not json")


def test_a_correction_for_a_device_that_nobody_registered_is_refused(watch):
    watch.receive(Message("telemetry/v1/gw-west/TAG-9", b"not json", START))
    row = watch.database.one(QuarantineRow)
    right = message("TAG-9", fix(START, OUTSIDE)).payload
    with pytest.raises(CannotRepair, match="no device of this name"):
        repair.correct(
            watch.sessions, scope_of(watch), row.id, right, "because", START, watch.limits
        )


def test_what_is_set_aside_is_kept_makes_room_and_is_not_tried_with_the_others(watch):
    watch.receive(unknown(), unknown(minute=1))
    first, second = watch.database.all(QuarantineRow)
    scope = scope_of(watch)
    repair.set_aside(watch.sessions, scope, first.id, "a tag of another county", watch.clock())
    assert group(watch, "unknown_device").kept_bytes == len(second.payload)
    register_device(watch)
    tried = repair.try_slice(
        watch.sessions, scope, Wanted(device="TAG-NEW"), 0, watch.clock(), watch.limits
    )
    assert tried.messages == 1
    kept = watch.database.one(QuarantineRow, QuarantineRow.id == first.id)
    assert (kept.state, kept.payload) == (Handling.SET_ASIDE.value, first.payload)


def test_a_message_that_was_not_kept_whole_cannot_be_tried_and_says_so(watch):
    # As an earlier release kept it: the first bytes only.
    with watch.sessions.begin() as session:
        session.add(
            QuarantineRow(
                fingerprint=hashlib.sha256(b"old").hexdigest(), first_at=START, last_at=START,
                times=1, reason="malformed", explanation="it is not JSON", topic=TOPIC,
                gateway="gw-west", device="TAG-1", payload=b"first bytes", payload_bytes=99_999,
            )
        )  # fmt: skip
    row = watch.database.one(QuarantineRow)
    with pytest.raises(CannotRepair, match="not kept whole"):
        repair.try_again(watch.sessions, scope_of(watch), row.id, START, watch.limits)


def test_there_is_no_entry_of_another_number(watch):
    for act in (
        lambda: repair.see_entry(watch.sessions, scope_of(watch), 404, START),
        lambda: repair.try_again(watch.sessions, scope_of(watch), 404, START, watch.limits),
        lambda: repair.set_aside(watch.sessions, scope_of(watch), 404, "why", START),
    ):
        with pytest.raises(NotFound):
            act()


# Who may


@pytest.mark.parametrize("role", [each for each in Role if each not in (
    Role.SUPERVISOR, Role.SYSTEM_ADMINISTRATOR)])  # fmt: skip
def test_other_roles_may_put_nothing_right(watch, role):
    watch.receive(unknown())
    row, scope = watch.database.one(QuarantineRow), scope_of(watch, role)
    for act in (
        lambda: repair.try_again(watch.sessions, scope, row.id, START, watch.limits),
        lambda: repair.try_slice(watch.sessions, scope, Wanted(), 0, START, watch.limits),
        lambda: repair.correct(watch.sessions, scope, row.id, b"{}", "why", START, watch.limits),
        lambda: repair.set_aside(watch.sessions, scope, row.id, "why", START),
    ):
        with pytest.raises(Forbidden):
            act()
    assert watch.database.one(QuarantineRow).state == "waiting"


@pytest.mark.parametrize(
    ("role", "areas", "device", "sees"),
    [
        pytest.param(Role.SUPERVISOR, ("west",), "TAG-1", True, id="a supervisor of the wearer"),
        pytest.param(Role.SUPERVISOR, ("east",), "TAG-1", False, id="of another area"),
        pytest.param(Role.SUPERVISOR, ("west",), "TAG-LENT", False, id="worn in both areas"),
        pytest.param(Role.SUPERVISOR, ("west", "east"), "TAG-LENT", True, id="of both areas"),
        pytest.param(Role.SUPERVISOR, ("east",), "TAG-9", False, id="of a device of nobody"),
        pytest.param(Role.SUPERVISOR, ("west", "east"), "TAG-9", True, id="of nobody, all areas"),
        pytest.param(Role.SYSTEM_ADMINISTRATOR, ("west",), "TAG-1", False, id="administrator"),
    ],
)
def test_a_message_is_shown_to_those_who_may_see_where_its_wearer_was(
    watch, role, areas, device, sees
):
    watch.receive(Message(f"telemetry/v1/gw-west/{device}", b"not json: 53.19", START))
    row, scope = watch.database.one(QuarantineRow), scope_of(watch, role, areas)
    seen = repair.see_entry(watch.sessions, scope, row.id, START)
    assert (seen.payload is not None, seen.hidden) == (sees, not sees)
    looks = watch.database.count(AuditRow, AuditRow.what == "quarantined message")
    assert looks == sees, "a look at positions is in the log"
    if not sees:
        with pytest.raises(Forbidden):
            repair.correct(watch.sessions, scope, row.id, b"{}", "why", START, watch.limits)


def test_a_message_on_another_devices_topic_is_not_shown_to_the_area_of_the_topic(watch):
    payload = b'{"v": 1, "device": "TAG-9", "readings": [{"lat": 53.19}]}'
    watch.receive(Message("telemetry/v1/gw-west/TAG-1", payload, START))
    row, scope = watch.database.one(QuarantineRow), scope_of(watch, Role.SUPERVISOR, ("west",))
    assert repair.see_entry(watch.sessions, scope, row.id, START).payload is None


def register_hers(watch) -> None:
    """A protected person's device; nobody may see where it was."""
    kind = DeviceKind.PROTECTED_PERSON
    watch.register(CaseFile(v=1, devices=[Device("HERS-1", "Phone", kind, gateway="gw-west")]))


def seen_by_all_areas(watch, row: QuarantineRow) -> bytes | None:
    return repair.see_entry(watch.sessions, scope_of(watch), row.id, START).payload


def test_a_list_of_the_suppliers_is_shown_to_those_who_may_see_every_device_in_it(watch):
    record = {"position_gps_date": "2026-11-20 20:59:00", "position_latitude": 53.1,
              "position_longitude": -2.9}  # fmt: skip
    others = msgspec.json.encode({"positions": [{**record, "device_id": "TAG-2"}]})
    watch.receive(Message("mdss/v1/gw-west/TAG-1", others, START))
    row, west = watch.database.one(QuarantineRow), scope_of(watch, areas=("west",))
    assert row.reason == "wrong_topic"
    assert repair.see_entry(watch.sessions, west, row.id, START).hidden, "TAG-2 is in the east"
    assert seen_by_all_areas(watch, row) == others


@pytest.mark.parametrize("name", [b"TAG\x00-9", b"TAG\\u0000-9", b"TAG\\ud800-9"])
def test_a_name_that_no_database_can_look_for_is_of_no_known_device(watch, name):
    watch.receive(Message("telemetry/v1/gw-west/TAG-1", b'{"device": "' + name + b'"', START))
    row = watch.database.one(QuarantineRow)
    west = scope_of(watch, areas=("west",))
    assert repair.see_entry(watch.sessions, west, row.id, START).hidden
    assert seen_by_all_areas(watch, row) is not None


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"positions": [{"device_id": "HERS-1", "position_latitude": 53.1}]}',
                     id="one record of hers in a list"),
        pytest.param(b'{"v": 1, "device": "HERS-1", "readings": [{"lat": 53.1', id="cut off"),
        pytest.param(b'{"positions": [{"device_id": "HERS\\u002d1", "lat": 53.1}]}', id="escaped"),
        pytest.param('{"device": "HERS-1", "lat": 53.1}'.encode("utf-16"), id="in UTF-16"),
    ],
)  # fmt: skip
def test_where_a_protected_person_was_is_shown_to_nobody_whatever_the_topic(watch, payload):
    register_hers(watch)
    watch.receive(Message("mdss/v1/gw-west/TAG-1", payload, START))
    rows = watch.database.all(QuarantineRow)
    assert rows
    assert [seen_by_all_areas(watch, row) for row in rows] == [None] * len(rows)


def test_reasons_are_listed_with_their_counts_and_a_sample(watch):
    watch.receive(*[Message(TOPIC, b"not json", START)] * 3, unknown())
    watch.receive(*walk("TAG-1", OUTSIDE))
    common, rare = repair.see_reasons(watch.sessions, scope_of(watch))
    assert (common.reason, common.times, common.waiting) == ("malformed", 3, 1)
    assert (rare.reason, rare.times, rare.waiting) == ("unknown_device", 1, 1)
    assert rare.explanation == "no device of this name is registered"
    lines, total = repair.see_lines(
        watch.sessions, scope_of(watch), Wanted(reason="unknown_device"), None
    )
    assert ([line.entry_id for line in lines], total) == ([rare.sample_id], 1)
