"""The pages of what was refused, as each role sees and uses them."""

import re
from datetime import timedelta

import msgspec
import pytest
from case_files import START, fix, message
from web.world import AWAY, HOSTILE, World, words_of

from devices.rejection import Reason, Rejected
from navigate_safer.db.quarantine import QuarantineActRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.casefile import CaseFile, Device
from navigate_safer.services.quarantine import Quarantine
from navigate_safer.web.quarantine import ADVICE

NEW = "TAG-NEW"


def arrives_unknown(world: World, count: int = 1) -> list[int]:
    for minute in range(count):
        world.watch.receive(message(NEW, fix(START + timedelta(minutes=minute), AWAY)))
    return [row.id for row in world.database.all(QuarantineRow, QuarantineRow.device == NEW)]


def register_it(world: World) -> None:
    world.watch.register(CaseFile(v=1, devices=[Device(NEW, "tag")]))


def test_every_reason_says_what_to_do() -> None:
    assert set(ADVICE) == set(Reason)
    assert all(text.endswith(".") for text in ADVICE.values())


def test_reasons_are_listed_with_counts_first_last_and_a_sample(world: World) -> None:
    [entry] = arrives_unknown(world)
    world.refused()
    page = world.visitor("admin").get("/service/quarantine")
    said = words_of(page)
    assert "Unknown device" in said
    assert "Malformed" in said
    assert f'href="/service/quarantine/{entry}"' in page.text
    assert "2 messages" in said


def test_the_list_is_narrowed_by_reason_gateway_device_and_state(world: World) -> None:
    arrives_unknown(world, 3)
    world.refused()
    visitor = world.visitor("admin")
    for query, count in (
        ("reason=unknown_device", "3 messages"),
        (f"device={NEW}", "3 messages"),
        ("gateway=gw-west", "4 messages"),
        ("gateway=gw-none", "0 messages"),
        ("state=set_aside", "0 messages"),
        ("state=any&reason=malformed", "1 message,"),
        ("reason=%3Cscript%3E&state=nonsense&before=-1&after=99999999999999999999", "4 messages"),
    ):
        answer = visitor.get(f"/service/quarantine?{query}")
        assert answer.status_code == 200
        assert count in words_of(answer), query


def test_a_page_shows_fifty_and_links_to_the_older_ones(world: World) -> None:
    arrives_unknown(world, 53)
    visitor = world.visitor("admin")
    first = visitor.get("/service/quarantine?reason=unknown_device").text
    older = re.search(r'href="(/service/quarantine\?[^"]*before=\d+[^"]*)">Older', first)[1]
    second = visitor.get(older.replace("&amp;", "&")).text
    entries = r'scope="row"[^>]*><a class="govuk-link" href="/service/quarantine/(\d+)"'
    seen = re.findall(entries, first) + re.findall(entries, second)
    assert len(seen) == len(set(seen)) == 53


def test_a_supervisor_sees_the_message_and_an_administrator_does_not(world: World) -> None:
    entry = world.refused(f"not json: {AWAY.lat}".encode())
    path = f"/service/quarantine/{entry}"
    seen = words_of(world.visitor("supervisor").get(path))
    assert str(AWAY.lat) in seen
    hidden = world.visitor("admin").get(path)
    assert str(AWAY.lat) not in hidden.text
    assert "do not allow you to see the message" in words_of(hidden)
    [look] = [each for each in world.log() if each.what == "quarantined message"]
    assert look.subject_id == entry


def test_a_device_that_nobody_knows_shows_its_positions_to_nobody_of_one_area(
    world: World,
) -> None:
    [entry] = arrives_unknown(world)
    answer = world.visitor("supervisor").get(f"/service/quarantine/{entry}")
    assert str(AWAY.lat) not in answer.text
    assert "Register the device" in words_of(answer)


def test_whatever_a_message_holds_is_text_on_the_page(world: World) -> None:
    entry = world.refused(HOSTILE.encode() + b"\x00\xff</pre></textarea>")
    answer = world.visitor("supervisor").get(f"/service/quarantine/{entry}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "</pre></textarea>" not in answer.text
    assert "Some of its bytes are no text" in answer.text


def test_a_device_that_was_registered_late_is_tried_again_from_the_page(world: World) -> None:
    arrives_unknown(world, 3)
    register_it(world)
    visitor = world.visitor("admin")
    answer = visitor.post("/service/quarantine/try-again", device=NEW)
    assert answer.status_code == 302
    said = words_of(visitor.get(answer.location))
    assert "Tried again: 3. Taken: 3. Refused again: 0." in said
    assert "0 messages" in said
    [gone] = {row.state for row in world.database.all(QuarantineRow, QuarantineRow.device == NEW)}
    assert gone == "replayed"


def test_one_message_is_tried_again_and_the_page_says_what_came_of_it(world: World) -> None:
    [entry] = arrives_unknown(world)
    visitor, path = world.visitor("supervisor"), f"/service/quarantine/{entry}"
    visitor.post(f"{path}/try-again")
    said = words_of(visitor.get(path))
    assert "Refused again: 1." in said
    assert "Tried again by Supervisor Ashworthy" in said
    register_it(world)
    visitor.post(f"{path}/try-again")
    assert "Taken on trying again" in words_of(visitor.get(path))


def test_a_line_of_an_imported_file_has_no_button_and_says_what_to_do(world: World) -> None:
    held = Quarantine()
    unregistered = Rejected(Reason.UNKNOWN_DEVICE, "line 7: no device of this name is registered")
    unregistered = msgspec.structs.replace(unregistered, index=7)
    held.add("import/0123456789abcdef", b"TAG-9;53.1;-2.9", "", None, unregistered)
    with world.service.sessions.begin() as session:
        held.write(session, world.service.clock())
    [entry] = [row.id for row in world.database.all(QuarantineRow)]
    visitor, path = world.visitor("supervisor"), f"/service/quarantine/{entry}"
    answer = visitor.get(path)
    assert "import the file again" in words_of(answer)
    assert "Line 7 of the file" in words_of(answer)
    assert "/try-again" not in answer.text
    assert "/correct" not in answer.text
    assert visitor.post(f"{path}/try-again").status_code == 422
    said = words_of(visitor.get(visitor.post("/service/quarantine/try-again").location))
    assert "There was nothing to try again. Lines of imported files that wait: 1" in said


def test_a_correction_needs_a_reason_and_must_be_right(world: World) -> None:
    entry = world.refused(b'{"v": 1, "device": "TAG-W-EXC"')
    before = world.database.count(FixRow)
    visitor, path = world.visitor("supervisor"), f"/service/quarantine/{entry}"
    right = message("TAG-W-EXC", fix(START + timedelta(seconds=7), AWAY)).payload.decode()

    answer = visitor.post(f"{path}/correct", payload=right, why=" ")
    assert answer.status_code == 422
    assert "Say why, and how you know" in words_of(answer)
    assert "TAG-W-EXC" in answer.text, "what was typed is still there"
    answer = visitor.post(f"{path}/correct", payload="{", why="it was cut off")
    assert answer.status_code == 422
    assert "It would be refused" in words_of(answer)
    assert world.database.count(FixRow) == before

    answer = visitor.post(f"{path}/correct", payload=right, why="it was cut off; read from the tag")
    assert answer.status_code == 302
    assert world.database.count(FixRow) == before + 1
    said = words_of(visitor.get(path))
    assert "Corrected" in said
    assert "it was cut off; read from the tag" in said
    assert world.database.one(QuarantineActRow).payload == right.encode()


def test_an_administrator_who_may_not_see_a_message_may_not_correct_it(world: World) -> None:
    entry = world.refused()
    visitor, path = world.visitor("admin"), f"/service/quarantine/{entry}"
    assert "Store the corrected message" not in visitor.get(path).text
    answer = visitor.post(f"{path}/correct", payload="{}", why="because")
    assert answer.status_code == 403


def test_setting_aside_needs_a_reason(world: World) -> None:
    entry = world.refused()
    visitor, path = world.visitor("admin"), f"/service/quarantine/{entry}"
    assert visitor.post(f"{path}/set-aside", reason="").status_code == 422
    visitor.post(f"{path}/set-aside", reason="A tester's device.")
    said = words_of(visitor.get(path))
    assert "Set aside by Admin Ashworthy" in said
    assert "A tester&#39;s device." in said
    assert "Why it will not be repaired" not in said


def test_a_message_that_was_not_kept_says_so_and_is_not_tried(world: World) -> None:
    entry = world.refused()
    with world.database.sessions.begin() as session:
        row = session.get_one(QuarantineRow, entry)
        row.payload, row.message_hash = b"", None
    visitor, path = world.visitor("supervisor"), f"/service/quarantine/{entry}"
    assert "not kept whole" in words_of(visitor.get(path))
    answer = visitor.post(f"{path}/try-again")
    assert answer.status_code == 422
    assert "cannot be tried again" in words_of(answer)


@pytest.mark.parametrize("entry", ["0", "999999", "9223372036854775808", "-1", "x"])
def test_an_entry_that_is_not_there_is_a_page_not_found(shared_world: World, entry: str) -> None:
    visitor = shared_world.visitor("supervisor")
    assert visitor.get(f"/service/quarantine/{entry}").status_code == 404
    assert visitor.post(f"/service/quarantine/{entry}/try-again").status_code == 404


def test_a_large_message_is_shown_in_part_and_not_corrected_by_hand(world: World) -> None:
    entry = world.refused(b"x" * 200_000)
    answer = world.visitor("supervisor").get(f"/service/quarantine/{entry}")
    assert len(answer.text) < 100_000
    assert "Store the corrected message" not in answer.text
    assert "200,000 bytes" in words_of(answer)


def test_the_service_page_sums_up_and_leads_there(world: World) -> None:
    arrives_unknown(world, 2)
    page = world.visitor("admin").get("/service")
    said = words_of(page)
    assert "Unknown device 2" in said
    assert 'href="/service/quarantine"' in page.text
    assert "How far away every limit is" in said
    assert "not known yet" in said
