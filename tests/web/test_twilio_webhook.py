"""Twilio's calls to us, each proven by its signature or refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_twilio import AUTH_TOKEN, sign
from sqlalchemy import update
from web.world import World, world_at

from alerts.delivery import Fault, SendError
from alerts.finding import FindingKind
from alerts.messages import NOT_ACKNOWLEDGED_BY_CODE, fits_one_part
from alerts.senders.recording import RecordingSender
from alerts.senders.twilio_webhook import SIGNATURE_HEADER
from navigate_safer.db.alerting import (
    AlertRow,
    TextAttemptRow,
    TextReceiptRow,
    TextReplyRow,
    TextRow,
)
from navigate_safer.db.people import StaffRow

ADDRESS = "https://safer.example.gov.uk"
OLD_TOKEN = "invented-token-of-before"
SID = "SM" + "0" * 31
DUTY, STRANGER = "+447700900101", "+447700900999"


NOTIFY_TOKEN = "invented-token-for-notify"


@pytest.fixture
def world(breached: Path, tmp_path: Path) -> Iterator[World]:
    """The office behind its public address, which is not the one that the server is called by."""
    copy = tmp_path / "world.sqlite3"
    shutil.copyfile(breached, copy)
    with world_at(
        f"sqlite:///{copy}",
        public_url=ADDRESS,
        twilio_auth_token=AUTH_TOKEN,
        twilio_auth_token_old=OLD_TOKEN,
        notify_callback_token=NOTIFY_TOKEN,
    ) as made:
        yield made


def call(
    world: World,
    path: str,
    form: dict[str, str],
    *,
    token: str = AUTH_TOKEN,
    signed_for: str | None = None,
    signed_form: dict[str, str] | None = None,
    header: bool = True,
):
    signature = sign(signed_for or ADDRESS + path, signed_form or form, token)
    headers = {SIGNATURE_HEADER: signature} if header else {}
    return world.app.test_client().post(path, data=form, headers=headers)


def text_of(world: World, kind: FindingKind = FindingKind.EXCLUSION_BREACH) -> TextRow:
    alert = world.alert(world.reference(kind))
    return world.database.one(TextRow, TextRow.alert_id == alert.id, TextRow.step == 0)


def attempt_of(world: World, text: TextRow) -> TextAttemptRow:
    return world.database.one(TextAttemptRow, TextAttemptRow.text_id == text.id)


def receipt(world: World, text: TextRow, status: str, **fields: str) -> dict[str, str]:
    return {"MessageSid": text.provider_id, "MessageStatus": status, **fields}


def reply(body: str, *, sender: str = DUTY, number: int = 1) -> dict[str, str]:
    sid = "SM" + f"{number:032x}"
    return {"MessageSid": sid, "From": sender, "To": "+441632960999", "Body": body}


@pytest.fixture
def sent(world: World) -> TextRow:
    """The first text of the exclusion breach, as if Twilio had taken it."""
    text = text_of(world)
    with world.database.sessions.begin() as session:
        session.get(TextRow, text.id).provider_id = SID + "1"
    return text_of(world)


def test_a_receipt_says_that_the_text_was_delivered(world: World, sent: TextRow) -> None:
    path = f"/twilio/status/{attempt_of(world, sent).id}"
    answer = call(world, path, receipt(world, sent, "delivered"))
    assert (answer.status_code, answer.data) == (204, b"")
    assert text_of(world).delivery == "delivered"


def test_a_receipt_that_comes_twice_is_kept_once(world: World, sent: TextRow) -> None:
    path = f"/twilio/status/{attempt_of(world, sent).id}"
    for _ in range(2):
        assert call(world, path, receipt(world, sent, "delivered")).status_code == 204
    assert world.database.count(TextReceiptRow) == 1


def test_a_receipt_of_failure_hurries_the_next_person(world: World, sent: TextRow) -> None:
    path = f"/twilio/status/{attempt_of(world, sent).id}"
    form = receipt(world, sent, "undelivered", ErrorCode="30003")
    assert call(world, path, form).status_code == 204
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).next_step_at <= world.clock()


def test_a_receipt_of_nobodys_attempt_changes_nothing(world: World, sent: TextRow) -> None:
    answer = call(world, "/twilio/status/" + "f" * 32, receipt(world, sent, "delivered"))
    assert answer.status_code == 204, "Twilio would ask again"
    assert world.database.count(TextReceiptRow) == 0


def test_a_reply_with_the_code_acknowledges(world: World) -> None:
    code = text_of(world).code
    answer = call(world, "/twilio/reply", reply(code))
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text.endswith("<Response></Response>")
    alert = world.alert(world.reference(FindingKind.EXCLUSION_BREACH))
    assert alert.state == "acknowledged"
    assert world.database.one(TextReplyRow).result == "acknowledged"
    # Nothing personal of the reply is kept.
    assert DUTY not in repr(world.database.one(TextReplyRow).__dict__)


def test_a_reply_that_is_played_again_does_nothing_again(world: World) -> None:
    code = text_of(world).code
    for _ in range(2):
        assert call(world, "/twilio/reply", reply(code)).status_code == 200
    assert world.database.count(TextReplyRow) == 1
    assert len(world.log("alteration")) == 1


@pytest.mark.parametrize(
    ("form", "result"),
    [
        pytest.param(reply("CODE", sender=STRANGER), "unknown_number", id="from a stranger"),
        pytest.param(reply("on my way"), "no_code", id="without a code"),
        pytest.param(reply(""), "no_code", id="a picture without words"),
        pytest.param(reply("NEVER-SENT"), "wrong_code", id="with a code that was never sent"),
    ],
)
def test_other_replies_are_kept_and_disclose_nothing(
    world: World, form: dict[str, str], result: str
) -> None:
    code = text_of(world).code
    sent = {text.code for text in world.database.all(TextRow)}
    never_sent = next(f"{number:06d}" for number in range(10**6) if f"{number:06d}" not in sent)
    body = form["Body"].replace("CODE", code).replace("NEVER-SENT", never_sent)
    form = {**form, "Body": body}
    answer = call(world, "/twilio/reply", form)
    assert answer.status_code == 200
    assert answer.text.endswith("<Response></Response>"), "the same for everybody"
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"
    assert world.database.one(TextReplyRow).result == result


@pytest.mark.parametrize("why", ["expired", "stale"])
def test_who_believes_to_have_acknowledged_with_an_old_code_is_told_what_to_do(
    world: World, why: str
) -> None:
    text = text_of(world)
    if why == "stale":
        call(world, "/twilio/reply", reply(text.code, number=2))
        world.clock.forward(minutes=16)
        world.watch.escalate()
    else:
        world.clock.forward(hours=3)
    answer = call(world, "/twilio/reply", reply(text.code))
    assert f"<Message>{NOT_ACKNOWLEDGED_BY_CODE}</Message>" in answer.text
    assert fits_one_part(NOT_ACKNOWLEDGED_BY_CODE)
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"


FORGED = [
    pytest.param({"header": False}, id="no signature"),
    pytest.param({"token": "somebody-elses-token"}, id="another account's token"),
    pytest.param({"token": ""}, id="the empty token"),
    pytest.param({"signed_for": "https://evil.example/twilio/reply"}, id="for another address"),
    pytest.param({"signed_for": "http://safer.example.gov.uk/twilio/reply"},
                 id="for the address without TLS"),
    pytest.param({"signed_for": ADDRESS + "/twilio/reply?x=1"}, id="for another query"),
    pytest.param({"signed_form": reply("000000")}, id="for another form"),
]  # fmt: skip


@pytest.mark.parametrize("how", FORGED)
def test_a_call_that_is_not_proven_is_refused_and_changes_nothing(
    world: World, how: dict[str, object]
) -> None:
    answer = call(world, "/twilio/reply", reply(text_of(world).code), **how)
    assert answer.status_code == 403
    assert world.database.count(TextReplyRow) == 0
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"


def test_the_host_that_a_caller_names_proves_nothing(world: World) -> None:
    """The signed address is our own from the settings, not what the request says of itself."""
    form = reply(text_of(world).code)
    signature = sign("https://evil.example/twilio/reply", form)
    answer = world.app.test_client().post(
        "/twilio/reply",
        data=form,
        base_url="https://evil.example",
        headers={SIGNATURE_HEADER: signature, "Host": "evil.example"},
    )
    assert answer.status_code == 403


def test_a_receipt_needs_a_signature_too(world: World, sent: TextRow) -> None:
    path = f"/twilio/status/{attempt_of(world, sent).id}"
    before = text_of(world).delivery
    assert call(world, path, receipt(world, sent, "failed"), header=False).status_code == 403
    # A signature for one attempt is none for another.
    other = f"{ADDRESS}/twilio/status/{'f' * 32}"
    answer = call(world, path, receipt(world, sent, "failed"), signed_for=other)
    assert answer.status_code == 403
    assert text_of(world).delivery == before


def test_while_the_token_is_changed_both_are_good(world: World) -> None:
    answer = call(world, "/twilio/reply", reply("hello", number=1), token=OLD_TOKEN)
    assert answer.status_code == 200
    answer = call(world, "/twilio/reply", reply("hello", number=2), token=AUTH_TOKEN)
    assert answer.status_code == 200


def test_without_any_token_nothing_can_be_proven(breached: Path, tmp_path: Path) -> None:
    copy = tmp_path / "world.sqlite3"
    shutil.copyfile(breached, copy)
    with world_at(f"sqlite:///{copy}", public_url=ADDRESS) as world:
        answer = call(world, "/twilio/reply", reply("hello"), token="")
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param("/twilio/reply", {"From": DUTY, "To": "+44", "Body": "1"}, id="no MessageSid"),
        pytest.param("/twilio/reply", {"MessageSid": SID + "2"}, id="no Body"),
        pytest.param("/twilio/status/x", {"MessageSid": "nonsense", "MessageStatus": "sent"},
                     id="a MessageSid of another form"),
        pytest.param("/twilio/status/x",
                     {"MessageSid": SID + "2", "MessageStatus": "failed", "ErrorCode": "-1"},
                     id="an ErrorCode that is no number"),
    ],
)  # fmt: skip
def test_a_signed_form_that_is_not_as_documented_is_a_bad_request(
    world: World, path: str, form: dict[str, str]
) -> None:
    assert call(world, path, form).status_code == 400


# STOP and START


def test_stop_from_an_officer_opens_an_alert_and_start_lets_texts_through_again(
    world: World,
) -> None:
    def stopped() -> bool:
        owner = world.database.one(StaffRow, StaffRow.phone == DUTY)
        return owner.phone_stopped_at is not None

    assert call(world, "/twilio/reply", reply("STOP", number=1)).status_code == 200
    assert stopped()
    assert world.database.count(AlertRow, AlertRow.part.like("contact:%")) == 1
    assert call(world, "/twilio/reply", reply("start", number=2)).status_code == 200
    assert not stopped()


# Calls


@pytest.fixture
def rung(world: World) -> TextAttemptRow:
    """The first text of the exclusion breach, as if it had been a call."""
    text = text_of(world)
    with world.database.sessions.begin() as session:
        changed = {"channel": "voice", "provider_id": "CA" + "1" * 32, "delivery": "queued"}
        session.execute(update(TextRow).where(TextRow.id == text.id).values(**changed))
    return attempt_of(world, text)


def test_the_key_1_in_a_call_acknowledges_and_the_answer_says_nothing_of_the_case(
    world: World, rung: TextAttemptRow
) -> None:
    path = f"/twilio/voice/key/{rung.id}"
    answer = call(world, path, {"CallSid": "CA" + "1" * 32, "Digits": "1"})
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert "Acknowledged. Open Navigate Safer for the rest." in answer.text
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    assert world.alert(reference).state == "acknowledged"


def test_a_key_that_nobody_signed_or_that_is_none_does_nothing(
    world: World, rung: TextAttemptRow
) -> None:
    path, form = f"/twilio/voice/key/{rung.id}", {"CallSid": "CA" + "1" * 32, "Digits": "1"}
    assert call(world, path, form, header=False).status_code == 403
    assert call(world, path, {**form, "Digits": "one"}).status_code == 400
    assert call(world, path, {**form, "CallSid": "x"}).status_code == 400
    assert "Not acknowledged" in call(world, path, {**form, "Digits": "2"}).text
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"


def test_a_call_that_nobody_took_hurries_the_next_person(
    world: World, rung: TextAttemptRow
) -> None:
    form = {"CallSid": "CA" + "1" * 32, "CallStatus": "no-answer"}
    assert call(world, f"/twilio/voice/status/{rung.id}", form).status_code == 204
    assert text_of(world).delivery == "undelivered"
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).next_step_at <= world.clock()


# GOV.UK Notify


def notify(world: World, path: str, document: object, token: str = NOTIFY_TOKEN):
    headers = {"Authorization": f"Bearer {token}"}
    return world.app.test_client().post(path, json=document, headers=headers)


def test_a_reply_through_notify_acknowledges(world: World) -> None:
    document = {"id": "n-1", "source_number": DUTY[1:], "message": text_of(world).code}
    assert notify(world, "/notify/reply", document, "forged").status_code == 403
    assert notify(world, "/notify/reply", []).status_code == 400
    assert notify(world, "/notify/reply", document).status_code == 204
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "acknowledged"


def test_a_receipt_of_notify_says_that_the_text_was_delivered(world: World) -> None:
    text = text_of(world)
    with world.database.sessions.begin() as session:
        changed = {"provider": "notify", "provider_id": "n-1", "delivery": "accepted"}
        session.execute(update(TextRow).where(TextRow.id == text.id).values(**changed))
    document = {"id": "n-1", "reference": text.code, "status": "delivered"}
    assert notify(world, "/notify/status", document, "forged").status_code == 403
    assert notify(world, "/notify/status", document).status_code == 204
    assert text_of(world).delivery == "delivered"


@pytest.fixture
def by_notify(breached: Path, tmp_path: Path) -> Iterator[World]:
    """The office whose texts go by Notify alone."""
    copy = tmp_path / "notify.sqlite3"
    shutil.copyfile(breached, copy)
    with world_at(
        f"sqlite:///{copy}",
        public_url=ADDRESS,
        sms_sender="notify",
        notify_api_key="an-invented-key",
        notify_template_id="an-invented-template",
        notify_callback_token=NOTIFY_TOKEN,
    ) as made:
        yield made


def sent_by_notify(world: World) -> RecordingSender:
    """What texts go through, in place of Notify itself."""
    sender = RecordingSender(world.clock, name="notify")
    world.service.text_sender = lambda name: {"notify": sender}[name]
    return sender


def inbound(text: str, *, sender: str = DUTY, number: int = 1) -> dict[str, str]:
    """An inbound text as Notify documents it for callbacks."""
    return {
        "id": f"{number:08d}-0000-4000-8000-000000000000",
        "source_number": sender[1:],
        "destination_number": "447860000000",
        "message": text,
        "date_received": "2026-11-21T21:00:00.000000Z",
    }


def test_who_replies_through_notify_with_an_old_code_is_told_what_to_do_once(
    by_notify: World,
) -> None:
    sender, code = sent_by_notify(by_notify), text_of(by_notify).code
    by_notify.clock.forward(hours=3)
    for _ in range(2):  # Notify calls again when our answer came too late for it
        assert notify(by_notify, "/notify/reply", inbound(code)).status_code == 204
    assert [(text.to, text.body) for text in sender.sent] == [(DUTY, NOT_ACKNOWLEDGED_BY_CODE)]
    assert by_notify.alert(by_notify.reference(FindingKind.EXCLUSION_BREACH)).state == "open"


@pytest.mark.parametrize("sender_number", [DUTY, STRANGER])
def test_of_replies_through_notify_only_one_with_an_old_code_of_ones_own_is_answered(
    by_notify: World, sender_number: str
) -> None:
    sender, code = sent_by_notify(by_notify), text_of(by_notify).code
    wrong = "000000" if code != "000000" else "111111"
    for number, said in enumerate((wrong, code), start=1):
        document = inbound(said, sender=sender_number, number=number)
        assert notify(by_notify, "/notify/reply", document).status_code == 204
    assert not sender.tried
    state = by_notify.alert(by_notify.reference(FindingKind.EXCLUSION_BREACH)).state
    assert state == ("acknowledged" if sender_number == DUTY else "open")
    by_notify.clock.forward(hours=3)
    for number, who in enumerate((STRANGER, DUTY), start=3):
        notify(by_notify, "/notify/reply", inbound(code, sender=who, number=number))
    assert [text.to for text in sender.sent] == [DUTY]


def test_a_text_back_that_notify_does_not_take_leaves_the_reply_taken(by_notify: World) -> None:
    sender, code = sent_by_notify(by_notify), text_of(by_notify).code
    sender.fail(1, SendError(Fault.AMBIGUOUS, "no answer"))
    by_notify.clock.forward(hours=3)
    assert notify(by_notify, "/notify/reply", inbound(code)).status_code == 204
    assert by_notify.database.one(TextReplyRow).result == "expired"
    assert (len(sender.tried), len(sender.sent)) == (1, 0)


def test_nothing_is_sent_back_by_notify_where_texts_go_by_it_no_more(
    world: World, by_notify: World
) -> None:
    sent = []
    for each in (world, by_notify):
        sender, code = sent_by_notify(each), text_of(each).code
        each.clock.forward(hours=3)
        assert notify(each, "/notify/reply", inbound(code)).status_code == 204
        sent.append(len(sender.sent))
    assert sent == [0, 1]
