"""Calls, GOV.UK Notify and e-mail against stand-ins on a loopback port: asked, and failing."""

import json
import socketserver
import ssl
import subprocess
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from alerts.delivery import DeliveryStatus, Fault, OutgoingText, SendError
from alerts.finding import Severity
from alerts.messages import breach_call, breach_email, breach_text, fits_one_part
from alerts.policy import Channel
from alerts.senders.notify_sms import NotifySms, text_status
from alerts.senders.notify_webhook import WebhookError, read_receipt, read_reply, token_is_valid
from alerts.senders.smtp_email import SmtpEmail
from alerts.senders.twilio_voice import TwilioVoice, call_status, spoken
from navigate_safer.settings import LONGEST_PUBLIC_URL

NOW = datetime(2026, 11, 21, 22, 40, 7, tzinfo=UTC)
OFFICER = "+447700900142"
REFERENCE = "7KQ4M2"
SITE = "https://safer.example.gov.uk"
LINK = f"{SITE}/a/{REFERENCE}"
SERVICE_ID, SECRET = (f"{n * 8}-{n * 4}-{n * 4}-{n * 4}-{n * 12}" for n in "12")
NOTIFY_KEY = f"test-{SERVICE_ID}-{SECRET}"
ACCOUNT = {"account_sid": "AC" + "0" * 32, "auth_token": "invented", "timeout_s": 2.0}

TEXT = OutgoingText(
    attempt_id="a-1",
    to=OFFICER,
    body=breach_text(reference=REFERENCE, word="URGENT", code="482913", link=LINK),
    reference=REFERENCE,
    validity_period_s=120,
)
CALL = OutgoingText(
    attempt_id="a-2",
    to=OFFICER,
    body=breach_call(reference=REFERENCE, word="URGENT"),
    reference=REFERENCE,
    validity_period_s=120,
    channel=Channel.VOICE,
    status_callback=f"{SITE}/twilio/voice/status/a-2",
    answer_url=f"{SITE}/twilio/voice/key/a-2",
)
MAIL = OutgoingText(
    attempt_id="a-3",
    to="duty.officer@example.org",
    body=breach_email(reference=REFERENCE, word="URGENT", link=LINK),
    reference=REFERENCE,
    validity_period_s=120,
    channel=Channel.EMAIL,
)


class Http:
    """Answers each request with the next of ``answers``; None cuts the connection."""

    def __enter__(self):
        self.answers, self.seen = deque(), []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                self._take(raw)

            def do_GET(self):
                self._take(b"")

            def _take(self, raw):
                outer.seen.append((urlsplit(self.path), raw, dict(self.headers.items())))
                answer = outer.answers.popleft()
                if answer is None:
                    self.close_connection = True
                    return
                status, document = answer
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def http():
    with Http() as made:
        yield made


def failure(send, text) -> Fault:
    with pytest.raises(SendError) as caught:
        send(text)
    assert text.to not in str(caught.value)
    assert caught.value.__context__ is None, "the original quotes the number"
    return caught.value.fault


# What is said


@pytest.mark.parametrize("word", sorted({each.word for each in Severity}))
def test_the_longest_text_of_each_severity_is_one_part(word):
    link = "https://" + "x" * (LONGEST_PUBLIC_URL - 8) + "/a/" + REFERENCE
    body = breach_text(reference=REFERENCE, word=word, code="000000", link=link)
    assert fits_one_part(body)


def test_a_call_spells_the_reference_and_says_nothing_of_the_case():
    document = ElementTree.fromstring(spoken(CALL))
    gathers = document.findall("Gather")
    assert len(gathers) == 3
    assert {each.get("action") for each in gathers} == {CALL.answer_url}
    assert {each.get("numDigits") for each in gathers} == {"1"}
    said = {each.text for each in document.iter("Say")}
    assert said == {
        "Navigate Safer. Urgent alert. Reference 7, K, Q, 4, M, 2. Press 1 to acknowledge."
    }


def test_an_address_that_could_begin_a_header_is_refused():
    for to in ("nobody", "a@b\r\nBcc: c@d", "a b@c"):
        with pytest.raises(ValueError, match="not an e-mail address") as caught:
            OutgoingText("a", to, REFERENCE, REFERENCE, 60, channel=Channel.EMAIL)
        assert to not in str(caught.value)


# Calls


def voice(http) -> TwilioVoice:
    return TwilioVoice(**ACCOUNT, from_number="+441632960999", base_url=http.url)


def test_what_twilio_is_asked_for_a_call(http):
    http.answers.append((201, {"sid": "CA" + "1" * 32, "status": "queued"}))
    accepted = voice(http).send(CALL)
    assert (accepted.provider_id, accepted.status) == ("CA" + "1" * 32, DeliveryStatus.QUEUED)
    ((path, raw, _),) = http.seen
    form = parse_qs(raw.decode())
    assert path.path.endswith("/Calls.json")
    assert (form["To"], form["StatusCallback"]) == ([OFFICER], [CALL.status_callback])
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert "Url" not in form, "nothing about the case is fetched from anywhere"
    assert form["Twiml"] == [spoken(CALL)]


def test_a_lost_call_is_looked_up_by_number_and_time(http):
    def call(sid, at):
        made = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return {"sid": sid, "status": "no-answer", "date_created": made}

    page = {"calls": [call("CA1", NOW), call("CA0", NOW - timedelta(hours=1))]}
    http.answers.extend([(200, page), (200, page)])
    found = voice(http).find(to=OFFICER, reference=REFERENCE, since=NOW - timedelta(minutes=2))
    assert (found.provider_id, found.status) == ("CA1", DeliveryStatus.UNDELIVERED)
    later = voice(http).find(to=OFFICER, reference=REFERENCE, since=NOW + timedelta(minutes=2))
    assert later is None


def test_of_several_calls_the_first_that_is_not_another_s_is_the_lost_one(http):
    def call(sid, after_s):
        made = (NOW + timedelta(seconds=after_s)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        return {"sid": sid, "status": "in-progress", "date_created": made}

    page = {"calls": [call("CA3", 9), call("CA2", 5), call("CA1", 1)]}
    http.answers.extend([(200, page)] * 2)
    asked = {"to": OFFICER, "reference": REFERENCE, "since": NOW}
    assert voice(http).find(**asked).provider_id == "CA1"
    assert voice(http).find(**asked, taken={"CA1", "CA3"}).provider_id == "CA2"


@pytest.mark.parametrize("word", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_nobody_took_has_failed(word):
    assert call_status(word).failed


# GOV.UK Notify


def notify(http) -> NotifySms:
    return NotifySms(api_key=NOTIFY_KEY, template_id="t-1", base_url=http.url, timeout_s=2.0)


def test_what_notify_is_asked(http):
    http.answers.append((201, {"id": "n-1", "reference": "482913"}))
    assert notify(http).send(TEXT).provider_id == "n-1"
    ((path, raw, headers),) = http.seen
    assert path.path == "/v2/notifications/sms"
    assert json.loads(raw) == {
        "phone_number": OFFICER,
        "template_id": "t-1",
        "personalisation": {"text": TEXT.body},
        "reference": "482913",
    }
    assert headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ((429, {"errors": [{"error": "RateLimitError"}]}), Fault.RATE_LIMITED),
        ((403, {"errors": [{"error": "AuthError"}]}), Fault.PROVIDER_UNUSABLE),
        ((400, {"errors": [{"message": f"phone_number {OFFICER} is short"}]}),
         Fault.NUMBER_PERMANENT),
        ((400, {"errors": [{"message": "Template not found"}]}), Fault.PROVIDER_UNUSABLE),
        ((500, {"message": "Internal server error"}), Fault.AMBIGUOUS),
        ((503, {"message": "Away"}), Fault.AMBIGUOUS),
        ((201, {"unexpected": True}), Fault.AMBIGUOUS),
        (None, Fault.AMBIGUOUS),
    ],
)  # fmt: skip
def test_faults_of_notify(http, answer, fault):
    http.answers.append(answer)
    assert failure(notify(http).send, TEXT) is fault


def test_a_refused_connection_to_notify_was_not_sent():
    sender = NotifySms(api_key=NOTIFY_KEY, template_id="t", base_url="http://127.0.0.1:9")
    assert failure(sender.send, TEXT) is Fault.NOT_SENT


def test_a_lost_text_is_found_at_notify_by_its_mark(http):
    def sent(id_, to, at):
        return {"id": id_, "phone_number": to, "status": "delivered", "created_at": at}

    found = [
        sent("other", "+447700900199", "2026-11-21T22:41:00.000000Z"),
        sent("mine", OFFICER, "2026-11-21T22:40:30.000000Z"),
    ]
    http.answers.append((200, {"notifications": found, "links": {}}))
    accepted = notify(http).find(to=OFFICER, reference="482913", since=NOW)
    assert (accepted.provider_id, accepted.status) == ("mine", DeliveryStatus.DELIVERED)
    assert parse_qs(http.seen[0][0].query)["reference"] == ["482913"]
    http.answers.append((200, {"notifications": found, "links": {}}))
    assert notify(http).find(to=OFFICER, reference="482913", since=NOW + timedelta(1)) is None


def test_receipts_and_replies_of_notify():
    receipt = read_receipt(b'{"id": "n", "reference": "482913", "status": "permanent-failure"}')
    assert (receipt.meaning, receipt.fault) == (DeliveryStatus.UNDELIVERED, Fault.NUMBER_PERMANENT)
    reply = read_reply(b'{"id": "r", "source_number": "447700900142", "message": "482913"}')
    assert (reply.sender, reply.message) == (OFFICER, "482913")
    assert OFFICER not in repr(reply)
    assert text_status("something new") is None
    for body in (b"", b"[]", b'{"id": 1}', b"\xff"):
        with pytest.raises(WebhookError):
            read_receipt(body)


@pytest.mark.parametrize(
    ("header", "token", "valid"),
    [
        ("Bearer secret", "secret", True),
        ("Bearer other", "secret", False),
        ("secret", "secret", False),
        (None, "secret", False),
        ("Bearer ", "", False),
    ],
)
def test_the_token_of_notify(header, token, valid):
    assert token_is_valid(header, token) is valid


# E-mail


class Smtp:
    """A mail server that offers STARTTLS and answers ``answers`` (by command) instead of 250."""

    def __init__(self, context, answers, tls):  # noqa: C901 - one branch a command
        self.mails, outer = [], self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                self.say("220 ready")
                while line := self.rfile.readline():
                    word = line.split()[0].decode().upper().split(":")[0]
                    planted = answers.get(word)
                    if planted == "cut":
                        return
                    if planted is not None:
                        self.say(planted)
                    elif word == "EHLO":
                        self.say("250-stand-in\r\n250 STARTTLS" if tls else "250 stand-in")
                    elif word == "STARTTLS":
                        self.say("220 go ahead")
                        try:
                            self.request = context.wrap_socket(self.request, server_side=True)
                        except ssl.SSLError:
                            return
                        self.rfile = self.request.makefile("rb")
                        self.wfile = self.request.makefile("wb", buffering=0)
                    elif word == "DATA":
                        self.say("354 go on")
                        mail = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            mail += part
                        if answers.get("END") == "cut":
                            return
                        outer.mails.append((isinstance(self.request, ssl.SSLSocket), mail.decode()))
                        self.say(answers.get("END", "250 taken"))
                    else:
                        self.say("250 fine")

            def finish(self):
                self.request.close()
                for stream in (self.rfile, self.wfile):
                    stream.close()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        self.port = self._server.server_address[1]
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smtp")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", folder / "key",
            "-out", folder / "pem"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    return folder


def mail(certificate, answers=None, *, tls=True, trusted=True, text=MAIL):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "pem", certificate / "key")
    with Smtp(context, answers or {}, tls) as server:
        sender = SmtpEmail(
            host="localhost",
            port=server.port,
            sender="alerts@safer.example.gov.uk",
            ca_file=str(certificate / "pem") if trusted else "",
            timeout_s=5.0,
        )
        try:
            return sender.send(text), server.mails
        except SendError as error:
            return error.fault, server.mails


def test_an_e_mail_goes_over_tls_with_a_reference_and_a_link_only(certificate):
    accepted, ((over_tls, sent),) = mail(certificate)
    assert accepted.status is DeliveryStatus.SENT
    assert over_tls
    assert f"Subject: Navigate Safer alert {REFERENCE}" in sent
    body = sent.split("\r\n\r\n", 1)[1]
    assert body.split() == MAIL.body.split()


@pytest.mark.parametrize(
    ("answers", "options", "fault"),
    [
        ({}, {"tls": False}, Fault.PROVIDER_UNUSABLE),
        ({}, {"trusted": False}, Fault.PROVIDER_UNUSABLE),
        ({"RCPT": "550 no such box"}, {}, Fault.NUMBER_PERMANENT),
        ({"RCPT": "451 later"}, {}, Fault.TRANSIENT),
        ({"MAIL": "530 not you"}, {}, Fault.PROVIDER_UNUSABLE),
        ({"MAIL": "cut"}, {}, Fault.NOT_SENT),
        ({"END": "cut"}, {}, Fault.AMBIGUOUS),
        ({"END": "452 full"}, {}, Fault.TRANSIENT),
        ({"END": "554 refused"}, {}, Fault.PROVIDER_UNUSABLE),
    ],
)
def test_faults_of_a_mail_server(certificate, answers, options, fault):
    got, mails = mail(certificate, answers, **options)
    assert got is fault
    if answers.get("END") is None:
        assert mails == [], "nothing goes without TLS, nor after a refusal"


def test_a_mail_server_that_is_not_there():
    sender = SmtpEmail(host="127.0.0.1", port=9, sender="a@example.org", timeout_s=2.0)
    assert failure(sender.send, MAIL) is Fault.NOT_SENT
