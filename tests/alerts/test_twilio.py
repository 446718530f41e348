"""Twilio: what is asked of it, what its faults mean, and what it posts to us."""

import logging
import socket
from datetime import UTC, datetime, timedelta, timezone
from ssl import SSLCertVerificationError

import pytest
import requests
from fake_twilio import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    FROM_NUMBER,
    SERVICE_SID,
    FakeTwilio,
    Refusal,
    Trouble,
    receipt_form,
    reply_form,
    sign,
)
from twilio.base.exceptions import TwilioException, TwilioRestException
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, SSLError
from werkzeug.datastructures import ImmutableMultiDict

from alerts.delivery import DeliveryStatus, Fault, OutgoingText, SendError
from alerts.senders.twilio_errors import FAULT_OF_CODE, receipt_fault, send_error
from alerts.senders.twilio_sms import TwilioSms, callback_is_usable
from alerts.senders.twilio_webhook import (
    EMPTY_TWIML,
    WebhookError,
    read_receipt,
    read_reply,
    signature_is_valid,
)

NOW = datetime(2026, 11, 21, 22, 40, 7, tzinfo=UTC)
OFFICER = "+447700900142"
SID = "SM" + "a1" * 16
CALLBACK = "https://navigate.example.org/twilio/status/a-1"
TEXT = OutgoingText(
    attempt_id="a-1",
    to=OFFICER,
    body="Navigate Safer URGENT alert 7KQ4M2. Reply 482913 to acknowledge, or open https://x.org/a",
    reference="7KQ4M2",
    validity_period_s=120,
    status_callback=CALLBACK,
)


@pytest.fixture
def twilio():
    with FakeTwilio(lambda: NOW) as fake:
        yield fake
        assert fake.complaints == []


def sender_for(fake, **changes):
    settings = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "from_number": FROM_NUMBER,
        "base_url": fake.base_url,
        "timeout_s": 5,
    }
    return TwilioSms(**settings | changes)


def failure_of(sender, text=TEXT):
    """The error of a call, after making sure that it and its origins keep the number secret."""
    with pytest.raises(SendError) as failed:
        sender.send(text)
    error = failed.value
    assert OFFICER[-6:] not in str(error) + repr(error)
    assert error.__context__ is None
    assert error.__cause__ is None
    return error


# Asking


def test_what_twilio_is_asked(twilio):
    accepted = sender_for(twilio).send(TEXT)
    assert accepted.provider_id == twilio.messages[0].sid
    assert accepted.status is DeliveryStatus.QUEUED
    assert twilio.seen[0].form == {
        "To": OFFICER,
        "From": FROM_NUMBER,
        "Body": TEXT.body,
        "ValidityPeriod": "120",
        "SmartEncoded": "true",
        "StatusCallback": CALLBACK,
    }


def test_a_messaging_service_chooses_the_number(twilio):
    sender = sender_for(twilio, from_number=None, messaging_service_sid=SERVICE_SID)
    assert sender.send(TEXT.without_callback()).status is DeliveryStatus.ACCEPTED
    form = twilio.seen[0].form
    assert form["MessagingServiceSid"] == SERVICE_SID
    assert not {"From", "StatusCallback"} & set(form)


def test_edge_and_region_of_the_environment_are_ignored(twilio, monkeypatch):
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    sender = sender_for(twilio)
    sender.send(TEXT)
    assert len(twilio.messages) == 1
    assert sender._client.get_hostname("https://api.twilio.com/x") == "https://api.twilio.com/x"


def test_a_base_url_may_have_a_path(twilio):
    failure_of(sender_for(twilio, base_url=twilio.base_url + "/relay/"))
    assert twilio.seen[0].path.startswith("/relay/2010-04-01/Accounts/")


def test_a_status_that_is_new_to_us_is_still_an_acceptance(twilio):
    sender_for(twilio).send(TEXT)
    twilio.move(twilio.messages[0].sid, "teleported")
    found = sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found.status is DeliveryStatus.ACCEPTED


def test_no_number_is_logged_even_at_debug(twilio, caplog):
    sender = sender_for(twilio)
    with caplog.at_level(logging.DEBUG):
        sender.send(TEXT)
        sender.find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert OFFICER[-6:] not in caplog.text


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"auth_token": ""}, "auth token", id="no token"),
        pytest.param({"account_sid": ""}, "account SID", id="no account"),
        pytest.param({"from_number": None}, "either a from number", id="no sender"),
        pytest.param({"messaging_service_sid": SERVICE_SID}, "either", id="two senders"),
        pytest.param({"base_url": "localhost:4010"}, "base_url", id="an address without http"),
        pytest.param({"timeout_s": 0}, "timeout_s", id="no time at all"),
    ],
)
def test_settings_that_cannot_work_are_refused(twilio, changes, what):
    with pytest.raises(ValueError, match=what):
        sender_for(twilio, **changes)


# Faults


@pytest.mark.parametrize(
    ("trouble", "fault", "code"),
    [
        pytest.param(Trouble.TOO_MANY, Fault.RATE_LIMITED, 20429, id="too many requests"),
        pytest.param(Trouble.UNAUTHORISED, Fault.PROVIDER_UNUSABLE, 20003, id="wrong token"),
        pytest.param(Trouble.SERVER_ERROR, Fault.AMBIGUOUS, 20500, id="error inside Twilio"),
        pytest.param(Trouble.NOT_JSON, Fault.AMBIGUOUS, None, id="a proxy's page, not JSON"),
        pytest.param(Trouble.CUT_BEFORE, Fault.AMBIGUOUS, None, id="cut, nothing taken"),
        pytest.param(Trouble.CUT_AFTER, Fault.AMBIGUOUS, None, id="cut, text taken"),
        pytest.param(Trouble.GIBBERISH_AFTER, Fault.AMBIGUOUS, None, id="taken, answer garbled"),
        pytest.param(Trouble.PROBLEM_JSON, Fault.NUMBER_PERMANENT, 21211, id="RFC 9457 refusal"),
        pytest.param(Refusal(21610), Fault.RECIPIENT_STOPPED, 21610, id="recipient sent STOP"),
        pytest.param(Refusal(21609), Fault.BAD_CALLBACK, 21609, id="callback not reachable"),
        pytest.param(Refusal(30002, 403), Fault.PROVIDER_UNUSABLE, 30002, id="suspended"),
        pytest.param(Refusal(99999), Fault.CONTENT_REFUSED, 99999, id="a refusal we do not know"),
        pytest.param(Refusal(99999, 503), Fault.AMBIGUOUS, 99999, id="an outage we do not know"),
    ],
)
def test_faults_of_a_call(twilio, trouble, fault, code):
    twilio.troubles.append(trouble)
    error = failure_of(sender_for(twilio))
    assert (error.fault, error.code) == (fault, code)
    assert len(twilio.seen) == 1, "a sender never repeats by itself"


@pytest.mark.parametrize("code", sorted(FAULT_OF_CODE))
def test_every_code_of_the_table_arrives_as_its_fault(twilio, code):
    twilio.troubles.append(Refusal(code))
    assert failure_of(sender_for(twilio)).fault is FAULT_OF_CODE[code]


def test_the_table_knows_the_codes_that_matter():
    named = {
        20003, 20429, 20500, 21211, 21408, 21606, 21609, 21610, 21612, 21614,
        30001, 30002, 30003, 30004, 30005, 30006, 30007, 30008, 30410,
    }  # fmt: skip
    assert named <= set(FAULT_OF_CODE)


def test_silence_past_the_time_out_is_ambiguous_and_reconciled(twilio):
    twilio.troubles.append(Trouble.HANG_AFTER)
    assert failure_of(sender_for(twilio, timeout_s=0.2)).fault is Fault.AMBIGUOUS
    found = sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found.provider_id == twilio.messages[0].sid


def test_a_refused_connection_was_not_sent():
    with socket.socket() as unheard:
        # Bound and not listening: nobody else can take the port, and it refuses.
        unheard.bind(("127.0.0.1", 0))
        sender = TwilioSms(
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            from_number=FROM_NUMBER,
            base_url=f"http://127.0.0.1:{unheard.getsockname()[1]}",
        )
        assert failure_of(sender).fault is Fault.NOT_SENT


def lost(reason):
    return requests.exceptions.ConnectionError(MaxRetryError(None, f"/?To={OFFICER}", reason))


@pytest.mark.parametrize(
    ("problem", "fault"),
    [
        pytest.param(requests.exceptions.ConnectTimeout(OFFICER), Fault.NOT_SENT, id="no connect"),
        pytest.param(lost(NewConnectionError(None, "no")), Fault.NOT_SENT, id="no route"),
        pytest.param(
            lost(NameResolutionError("api.twilio.com", None, OSError())), Fault.NOT_SENT, id="DNS"
        ),
        pytest.param(requests.exceptions.ProxyError(OFFICER), Fault.NOT_SENT, id="proxy down"),
        pytest.param(requests.exceptions.ReadTimeout(OFFICER), Fault.AMBIGUOUS, id="no answer"),
        pytest.param(requests.exceptions.ConnectionError(OFFICER), Fault.AMBIGUOUS, id="cut"),
        pytest.param(requests.exceptions.ChunkedEncodingError(), Fault.AMBIGUOUS, id="half answer"),
        pytest.param(
            requests.exceptions.SSLError(
                MaxRetryError(None, "/", SSLError(SSLCertVerificationError(1, "self-signed")))
            ),
            Fault.PROVIDER_UNUSABLE,
            id="a certificate nobody vouches for",
        ),
        pytest.param(requests.exceptions.SSLError("eof"), Fault.AMBIGUOUS, id="TLS broke off"),
        pytest.param(
            requests.exceptions.InvalidURL(OFFICER), Fault.PROVIDER_UNUSABLE, id="bad base URL"
        ),
        pytest.param(TwilioException("Unable to fetch page"), Fault.AMBIGUOUS, id="a bare fault"),
        pytest.param(TwilioRestException(307, "/", code=307), Fault.PROVIDER_UNUSABLE, id="moved"),
        pytest.param(TwilioRestException(404, "/", code=404), Fault.PROVIDER_UNUSABLE, id="absent"),
        pytest.param(TwilioRestException(429, "/", code=429), Fault.RATE_LIMITED, id="429 no JSON"),
        pytest.param(TwilioRestException(408, "/", code=408), Fault.AMBIGUOUS, id="408"),
        pytest.param(TwilioRestException(400, "/", code="?"), Fault.CONTENT_REFUSED, id="odd code"),
    ],
)
def test_faults_of_the_way_there(problem, fault):
    error = send_error(problem)
    assert error.fault is fault
    assert error.code is None
    assert OFFICER not in str(error)


# Callbacks


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        pytest.param(CALLBACK, True, id="as in service"),
        pytest.param("http://127.0.0.1:5000/status/a-1", True, id="a stand-in's"),
        pytest.param("https://a.org/twilio_status", True, id="underscore in the path"),
        pytest.param("https://my_host.org/status", False, id="underscore in the host"),
        pytest.param("/twilio/status/a-1", False, id="no host"),
        pytest.param("ftp://a.org/status", False, id="not http"),
        pytest.param("https://a.org:port/status", False, id="a port that is no number"),
        pytest.param("https://a.org/a b", False, id="a space"),
        pytest.param("https://a.org/" + "x" * 4000, False, id="too long"),
        pytest.param("", False, id="empty"),
    ],
)
def test_callback_addresses(url, usable):
    assert callback_is_usable(url) is usable


def test_after_a_bad_callback_the_text_goes_without_one(twilio):
    text = OutgoingText(
        attempt_id="a-1",
        to=OFFICER,
        body=TEXT.body,
        reference="7KQ4M2",
        validity_period_s=120,
        status_callback="https://my_host.org/status/a-1",
    )
    assert failure_of(sender_for(twilio), text).fault is Fault.BAD_CALLBACK
    assert twilio.seen == []
    sender_for(twilio).send(text.without_callback())
    assert len(twilio.messages) == 1


# Finding again


def test_a_text_still_queued_is_found_though_it_has_no_date(twilio):
    sent = sender_for(twilio).send(TEXT)
    found = sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found == sent
    assert [("DateSent>" in seen.query) for seen in twilio.seen[1:]] == [True, False]


def test_a_text_that_has_left_is_found_by_its_date(twilio):
    sent = sender_for(twilio).send(TEXT)
    twilio.move(sent.provider_id, "delivered")
    found = sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert found.provider_id == sent.provider_id
    assert found.status is DeliveryStatus.DELIVERED
    assert len(twilio.seen) == 2


def test_the_date_is_asked_in_utc(twilio):
    summer_time = NOW.astimezone(timezone(timedelta(hours=1)))
    sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=summer_time)
    assert twilio.seen[0].query["DateSent>"] == "2026-11-21T22:40:02Z"


@pytest.mark.parametrize(
    ("since", "is_found"),
    [
        pytest.param(NOW + timedelta(seconds=4), True, id="our clock is 4 s ahead"),
        pytest.param(NOW - timedelta(seconds=4), True, id="our clock is 4 s behind"),
        pytest.param(NOW + timedelta(seconds=60), False, id="the reminder a minute before"),
    ],
)
def test_clocks_may_differ_by_seconds_and_not_by_a_reminder(twilio, since, is_found):
    sender_for(twilio).send(TEXT)
    found = sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=since)
    assert (found is not None) is is_found


def test_later_pages_are_read_too(twilio):
    twilio.page_size_limit = 1
    sender = sender_for(twilio)
    sent = sender.send(TEXT)
    other = OutgoingText(
        attempt_id="a-2", to=OFFICER, body="alert 9XHDR3", reference="9XHDR3", validity_period_s=60
    )
    sender.send(other)
    assert sender.find(to=OFFICER, reference="7KQ4M2", since=NOW) == sent


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [
        pytest.param(Trouble.TOO_MANY, Fault.RATE_LIMITED, id="too many requests"),
        pytest.param(Trouble.UNAUTHORISED, Fault.PROVIDER_UNUSABLE, id="wrong token"),
        pytest.param(Trouble.SERVER_ERROR, Fault.AMBIGUOUS, id="error inside Twilio"),
        pytest.param(Trouble.CUT_BEFORE, Fault.AMBIGUOUS, id="cut"),
    ],
)
def test_not_being_able_to_look_is_not_the_same_as_not_found(twilio, trouble, fault):
    twilio.troubles.append(trouble)
    with pytest.raises(SendError) as failed:
        sender_for(twilio).find(to=OFFICER, reference="7KQ4M2", since=NOW)
    assert failed.value.fault is fault
    assert failed.value.__context__ is None


# Webhooks


RECEIPT = receipt_form(SID, "delivered", to=OFFICER)


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        pytest.param({}, True, id="signed with our token"),
        pytest.param({"auth_tokens": ["new-token", AUTH_TOKEN]}, True, id="during rotation"),
        pytest.param({"auth_tokens": ["new-token"]}, False, id="after rotation"),
        pytest.param({"auth_tokens": []}, False, id="no token set"),
        pytest.param({"signature": None}, False, id="no signature"),
        pytest.param({"signature": ""}, False, id="empty signature"),
        pytest.param({"signature": "é"}, False, id="nonsense signature"),
        pytest.param({"url": CALLBACK.replace("a-1", "a-2")}, False, id="another attempt's URL"),
        pytest.param({"url": CALLBACK.replace("https", "http")}, False, id="http for https"),
        pytest.param({"params": RECEIPT | {"MessageStatus": "failed"}}, False, id="a changed form"),
        pytest.param({"params": ImmutableMultiDict(RECEIPT)}, True, id="Flask's own form"),
        pytest.param(
            {"auth_tokens": [""], "signature": sign(CALLBACK, RECEIPT, "")},
            False,
            id="signed with the empty token that everybody knows",
        ),
    ],
)
def test_signatures(changes, valid):
    call = {
        "url": CALLBACK,
        "params": RECEIPT,
        "signature": sign(CALLBACK, RECEIPT),
        "auth_tokens": [AUTH_TOKEN],
    }
    assert signature_is_valid(**call | changes) is valid


def test_a_receipt(twilio):
    sent = sender_for(twilio).send(TEXT)
    twilio.move(sent.provider_id, "undelivered", error_code=30003)
    receipt = read_receipt(twilio.callback_form(sent.provider_id))
    assert receipt.provider_id == sent.provider_id
    assert receipt.status is DeliveryStatus.UNDELIVERED
    assert receipt.error_code == 30003
    assert receipt.fault is Fault.HANDSET_UNREACHABLE


@pytest.mark.parametrize(
    ("word", "code", "fault"),
    [
        pytest.param("delivered", None, None, id="delivered"),
        pytest.param("sent", 30008, None, id="a code while it is still on its way"),
        pytest.param("failed", 21610, Fault.RECIPIENT_STOPPED, id="muted"),
        pytest.param("undelivered", 30006, Fault.NUMBER_PERMANENT, id="landline"),
        pytest.param("undelivered", None, Fault.TRANSIENT, id="no code"),
        pytest.param("undelivered", 39999, Fault.TRANSIENT, id="an unknown code"),
        pytest.param("failed", 20500, Fault.TRANSIENT, id="final, so never ambiguous"),
    ],
)
def test_why_an_accepted_text_failed(word, code, fault):
    assert read_receipt(receipt_form(SID, word, to=OFFICER, error_code=code)).fault is fault


def test_no_receipt_is_ambiguous():
    assert not any(receipt_fault(code).ambiguous for code in [*FAULT_OF_CODE, None])


def test_a_new_word_in_a_receipt_is_kept_and_means_nothing_yet():
    receipt = read_receipt(receipt_form(SID, "teleported", to=OFFICER))
    assert (receipt.status, receipt.word, receipt.fault) == (None, "teleported", None)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"MessageSid": ""}, "MessageSid", id="no SID"),
        pytest.param({"MessageSid": "SM1' OR 1=1"}, "MessageSid", id="not a SID"),
        pytest.param({"MessageStatus": ""}, "MessageStatus", id="no status"),
        pytest.param({"ErrorCode": "x"}, "ErrorCode", id="a code that is no number"),
    ],
)
def test_receipts_of_another_form_are_refused(changes, what):
    with pytest.raises(WebhookError, match=what):
        read_receipt(RECEIPT | changes)


def test_a_reply():
    form = reply_form("ACK 482913", from_number=OFFICER)
    reply = read_reply(form)
    assert (reply.sender, reply.recipient) == (OFFICER, FROM_NUMBER)
    assert (reply.body, reply.provider_id) == ("ACK 482913", form["MessageSid"])
    assert OFFICER not in repr(reply)
    assert not reply.is_opt_out


@pytest.mark.parametrize("field", ["MessageSid", "From", "To", "Body"])
def test_a_reply_without_a_field_is_refused(field):
    form = reply_form("482913", from_number=OFFICER)
    del form[field]
    with pytest.raises(WebhookError, match=field) as refused:
        read_reply(form)
    assert OFFICER not in str(refused.value)


def test_a_reply_may_be_empty():
    assert read_reply(reply_form("", from_number=OFFICER)).body == ""


@pytest.mark.parametrize(
    ("body", "opt_out_type", "muted"),
    [
        pytest.param("stop ", None, True, id="stop"),
        pytest.param("END", None, True, id="end"),
        pytest.param("stop him", None, False, id="stop as part of a sentence"),
        pytest.param("482913", None, False, id="a code"),
        pytest.param("arrêt", "STOP", True, id="Twilio says it muted"),
        pytest.param("STOP", "START", False, id="Twilio says it did not"),
    ],
)
def test_an_officer_who_mutes_us_is_noticed(body, opt_out_type, muted):
    form = reply_form(body, from_number=OFFICER)
    if opt_out_type:
        form["OptOutType"] = opt_out_type
    assert read_reply(form).is_opt_out is muted


def test_the_empty_answer_is_what_the_library_makes():
    from twilio.twiml.messaging_response import MessagingResponse

    made = str(MessagingResponse()).replace("<Response />", "<Response></Response>")
    assert made == EMPTY_TWIML
