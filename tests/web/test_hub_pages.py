"""The intelligence hub on its pages: a large extract, one that is too large, and one look-up."""

import re

import pytest
from web import casework
from web.on_call import west
from web.test_intake_pages import errors_of
from web.world import World, words_of

from navigate_safer.db.partners import PartnerImportRow
from navigate_safer.services import partner_import
from navigate_safer.services.partner_files import MOST_BYTES

LINE = "B-{},W-NOBODY,03/11/2026,hearing,Adjourned for reports that are not written yet\n"
AS_AT = {"as_at-day": "20", "as_at-month": "11", "as_at-year": "2026"}


def extract(rows: int) -> bytes:
    return (
        "reference,person,date,type,summary\n" + "".join(map(LINE.format, range(rows)))
    ).encode()


def send(world: World, account: str | None, content: bytes):
    visitor = world.visitor(account)
    # Written by hand: the test client would keep a large file in one that it never closes.
    fields = {"source": "courts", "area": str(west(world)), **AS_AT, "csrf_token": visitor._token()}
    parts = [f'name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    parts.append(b'name="file"; filename="courts.csv"\r\n\r\n' + content)
    head = b"--part\r\nContent-Disposition: form-data; "
    body = b"".join(head + part + b"\r\n" for part in parts) + b"--part--\r\n"
    kind = "multipart/form-data; boundary=part"
    path, base_url = "/hub/extracts", visitor.base_url
    return visitor.client.post(path, data=body, content_type=kind, base_url=base_url)


def too_large(world: World, account: str | None):
    visitor = world.visitor(account)
    return visitor.client.post(
        "/hub/extracts",
        base_url=visitor.base_url,
        data=b"--part--\r\n",
        content_type="multipart/form-data; boundary=part",
        environ_overrides={"CONTENT_LENGTH": str(MOST_BYTES + 1024 * 1024)},
    )


def test_an_extract_of_more_than_a_megabyte_is_taken_up_from_the_page(quiet_world: World) -> None:
    casework.extract_of(quiet_world)
    content = extract(14_000)
    assert len(content) > 1_000_000
    assert send(quiet_world, "supervisor", content).status_code == 302
    partner_import.read_waiting(quiet_world.database.sessions, quiet_world.clock())
    made = quiet_world.database.all(PartnerImportRow)[-1]
    assert (made.state, made.all_rows, made.not_ours) == ("done", 14_000, 14_000)


def test_an_extract_that_is_too_large_is_told_at_its_field(quiet_world: World) -> None:
    answer = too_large(quiet_world, "supervisor")
    assert answer.status_code == 413
    assert errors_of(answer) == {"file": "The file is larger than 64 MB: send it in parts"}
    assert "Send an extract" in answer.text


@pytest.mark.parametrize("account", [None, "manager"])
def test_nobody_else_is_shown_the_hub_by_sending_much(
    quiet_world: World, account: str | None
) -> None:
    answer = too_large(quiet_world, account)
    assert answer.status_code == 413
    assert "Send an extract" not in answer.text
    assert quiet_world.database.all(PartnerImportRow) == []


def test_who_is_not_signed_in_sends_no_more_than_any_form_holds(quiet_world: World) -> None:
    assert send(quiet_world, None, extract(14_000)).status_code == 413


def test_a_look_up_shows_what_partners_hold_by_date_among_the_rest(quiet_world: World) -> None:
    casework.extract_of(quiet_world)
    supervisor, path = quiet_world.visitor("supervisor"), f"/people/{casework.PERSON}/partners"
    assert "Adjourned" not in supervisor.get(path).text
    assert "Adjourned" not in supervisor.get(f"/people/{casework.PERSON}/timeline").text
    page = supervisor.post(path, purpose="plan_or_review", note="review of Friday")
    assert page.status_code == 200
    told = words_of(page)
    assert "By date, with the person's own timeline" in told.replace("&#39;", "'")
    assert re.search(r"Hearing Partner record by Courts 3 November 2026 Adjourned for re", told)
    assert "Look-up of partners" in told
    private = supervisor.post(path, purpose="plan_or_review", note="seen at 14 Fletching Row")
    assert (private.status_code, "Adjourned" in private.text) == (422, False)


def test_lines_of_another_encoding_are_said_on_the_page(quiet_world: World) -> None:
    casework.extract_of(quiet_world)
    content = extract(1) + LINE.format("José").encode("cp1252")
    assert send(quiet_world, "supervisor", content).status_code == 302
    shown = words_of(quiet_world.visitor("supervisor").get("/hub"))
    assert "1 line read as Windows-1252, not UTF-8" in shown
