"""A stand-in for Twilio's Messages API on a free loopback port, with faults on demand.

It holds messages as Twilio does (create, fetch, list with the documented filters), refuses
requests that are not of the documented shape, and records both. Written from Twilio's public
reference of the Message resource, not from the client library, so that the two check each other.
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "invented-token-1"
FROM_NUMBER = "+441632960999"
SERVICE_SID = "MG" + "0" * 31 + "1"

FIELDS = {
    "To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod",
    "SmartEncoded", "ContentRetention", "AddressRetention", "RiskCheck", "ApplicationSid",
    "MaxPrice", "ProvideFeedback", "Attempt", "ForceDelivery", "PersistentAction", "TrafficType",
    "ShortenUrls", "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "MessageIntent",
    "FallbackFrom", "MediaUrl", "ContentSid",
}  # fmt: skip
FILTERS = {"To", "From", "DateSent", "DateSent<", "DateSent>", "Page", "PageSize", "PageToken"}


class Trouble(Enum):
    """What goes wrong with one request; ``AFTER`` ones have taken the message first."""

    TOO_MANY = (429, 20429)
    UNAUTHORISED = (401, 20003)
    SERVER_ERROR = (500, 20500)
    NOT_JSON = (502, None)
    CUT_AFTER = "accept, then cut the connection"
    CUT_BEFORE = "cut the connection and keep nothing"
    HANG_AFTER = "accept, then say nothing"
    GIBBERISH_AFTER = "accept, then answer 201 with something that is not JSON"
    PROBLEM_JSON = "refuse in the form of RFC 9457"


@dataclass
class Refusal:
    """A refusal with one of Twilio's codes; the words repeat the number, as Twilio's do."""

    code: int
    status: int = 400


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Message:
    """A stored message; ``date_sent`` None while it has not left."""

    sid: str
    form: dict[str, str]
    status: str
    date_created: datetime
    date_sent: datetime | None = None
    error_code: int | None = None

    def as_json(self) -> dict[str, object]:
        service = self.form.get("MessagingServiceSid")
        base = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{self.sid}"
        return {
            "account_sid": ACCOUNT_SID,
            "api_version": "2010-04-01",
            "body": self.form["Body"],
            "date_created": _rfc2822(self.date_created),
            "date_sent": _rfc2822(self.date_sent),
            "date_updated": _rfc2822(self.date_created),
            "direction": "outbound-api",
            "error_code": self.error_code,
            "error_message": None,
            "from": self.form.get("From"),
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": "0" if service else "1",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{base}/Media.json"},
            "to": self.form["To"],
            "uri": f"{base}.json",
        }


def _rfc2822(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at.astimezone(UTC))


@dataclass
class FakeTwilio:
    """Use as a context manager; ``troubles`` are consumed one a request, then all is well."""

    clock: object
    troubles: deque = field(default_factory=deque)
    messages: list[Message] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    page_size_limit: int = 1000

    def __enter__(self):
        self._released = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # Joined at close, so that no socket outlives its test.
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def move(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Let a message come further, as the network would."""
        message = next(m for m in self.messages if m.sid == sid)
        message.status, message.error_code = status, error_code
        if status in ("sent", "delivered", "undelivered") and message.date_sent is None:
            message.date_sent = self.clock()

    def callback_form(self, sid: str) -> dict[str, str]:
        """The form that Twilio would post to the message's status callback now."""
        message = next(m for m in self.messages if m.sid == sid)
        return receipt_form(
            sid,
            message.status,
            to=message.form["To"],
            from_number=message.form.get("From", FROM_NUMBER),
            error_code=message.error_code,
        )


def receipt_form(
    sid: str,
    status: str,
    *,
    to: str,
    from_number: str = FROM_NUMBER,
    error_code: int | None = None,
) -> dict[str, str]:
    """A status callback's form."""
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": from_number,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "To": to,
    }
    return form if error_code is None else {**form, "ErrorCode": str(error_code)}


def reply_form(body: str, *, from_number: str, to: str = FROM_NUMBER) -> dict[str, str]:
    """An inbound text's form, under a new SID."""
    sid = _new_sid()
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "Body": body,
        "From": from_number,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": to,
    }


def sign(url: str, form: dict[str, str], token: str = AUTH_TOKEN) -> str:
    """Twilio's signature of a posted form: HMAC-SHA1 of the URL and the sorted fields."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _new_sid() -> str:
    return "SM" + uuid.uuid4().hex


def refusal_of(form: dict[str, str]) -> int | None:
    """Twilio's code for a form that is not as documented; None where all is well."""
    checks = [
        ("To" not in form, 21604),
        (not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")), 21211),
        (not form.get("Body"), 21602),
        (len(form.get("Body", "")) > 1600, 21617),
        (("From" in form) == ("MessagingServiceSid" in form), 21603),
        (not re.fullmatch(r"MG[0-9a-f]{32}", form.get("MessagingServiceSid", SERVICE_SID)), 21701),
        (not 1 <= int(form.get("ValidityPeriod", "36000")) <= 36000, 21624),
        (not _callback_ok(form.get("StatusCallback", "https://example.org/")), 21609),
    ]
    return next((code for wrong, code in checks if wrong), None)


def _callback_ok(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return urlsplit(url).scheme in ("http", "https") and bool(host) and "_" not in host


class _Handler(BaseHTTPRequestHandler):
    fake: FakeTwilio
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        raw = self.rfile.read(length).decode()
        form = {k: v[0] for k, v in parse_qs(raw, keep_blank_values=True).items()}
        trouble = self._note(form)
        if self.headers["Content-Type"] != "application/x-www-form-urlencoded":
            self.fake.complaints.append(f"content type {self.headers['Content-Type']}")
        if set(form) - FIELDS:
            self.fake.complaints.append(f"unknown fields {sorted(set(form) - FIELDS)}")
        if form.get("SmartEncoded", "true") not in ("true", "false"):
            self.fake.complaints.append("SmartEncoded is neither true nor false")
        if self._refused(trouble, form.get("To", "")):
            return
        code = refusal_of(form)
        if code is not None:
            self._error(400, code, form.get("To", ""))
            return
        self._created(self._store(form), trouble)

    def do_GET(self):
        trouble = self._note({})
        if self._refused(trouble, self.fake.seen[-1].query.get("To", "")):
            return
        query = self.fake.seen[-1].query
        if set(query) - FILTERS:
            self.fake.complaints.append(f"unknown filters {sorted(set(query) - FILTERS)}")
        one = re.search(r"/Messages/(SM[0-9a-f]{32})\.json$", self.fake.seen[-1].path)
        if one:
            found = [m for m in self.fake.messages if m.sid == one[1]]
            if found:
                self._answer(200, found[0].as_json())
            else:
                self._error(404, 20404, "")
            return
        self._answer(200, self._page(query))

    def _note(self, form):
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        with self.fake._lock:
            self.fake.seen.append(
                Seen(self.command, parts.path, query, form, dict(self.headers.items()))
            )
            return self.fake.troubles.popleft() if self.fake.troubles else None

    def _refused(self, trouble, number) -> bool:
        """Answer without taking anything; False where the request goes through."""
        expected = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {expected}":
            self._error(401, 20003, number)
        elif not self.path.startswith(f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"):
            self._error(404, 20404, number)
        elif isinstance(trouble, Refusal):
            self._error(trouble.status, trouble.code, number)
        elif trouble is Trouble.CUT_BEFORE:
            self._cut()
        elif trouble is Trouble.NOT_JSON:
            self._answer(502, f"<html>Bad gateway while texting {number}</html>")
        elif trouble is Trouble.PROBLEM_JSON:
            problem = {"type": "about:blank", "title": f"{number} refused", "status": 400}
            self._answer(400, {**problem, "code": 21211, "detail": number})
        elif trouble is not None and isinstance(trouble.value, tuple):
            self._error(*trouble.value, number)
        else:
            return False
        return True

    def _store(self, form) -> Message:
        status = "accepted" if "MessagingServiceSid" in form else "queued"
        message = Message(_new_sid(), form, status, self.fake.clock())
        with self.fake._lock:
            self.fake.messages.append(message)
        return message

    def _created(self, message, trouble):
        if trouble is Trouble.CUT_AFTER:
            self._cut()
        elif trouble is Trouble.HANG_AFTER:
            self.fake._released.wait()
            self._cut()
        elif trouble is Trouble.GIBBERISH_AFTER:
            self._answer(201, "<html>Created</html>")
        else:
            self._answer(201, message.as_json())

    def _page(self, query):
        after = query.get("DateSent>")
        kept = [
            m
            for m in reversed(self.fake.messages)
            if query.get("To") in (None, m.form["To"])
            # Documented for whole days; a message that has not left has no date to compare.
            and (after is None or (m.date_sent and f"{m.date_sent:%Y-%m-%d}" >= after[:10]))
        ]
        size = min(int(query.get("PageSize", "50")), self.fake.page_size_limit)
        page = int(query.get("Page", "0"))
        base = urlsplit(self.path).path
        more = len(kept) > (page + 1) * size
        nexts = {**query, "Page": str(page + 1), "PageSize": str(size)}
        encoded = "&".join(f"{quote(k)}={quote(v)}" for k, v in nexts.items())
        return {
            "end": 0,
            "first_page_uri": base,
            "next_page_uri": f"{base}?{encoded}" if more else None,
            "page": page,
            "page_size": size,
            "previous_page_uri": None,
            "start": 0,
            "uri": self.path,
            "messages": [m.as_json() for m in kept[page * size : (page + 1) * size]],
        }

    def _error(self, status, code, number):
        words = f"Request about {number} was refused"
        more = f"https://www.twilio.com/docs/errors/{code}"
        self._answer(status, {"code": code, "message": words, "more_info": more, "status": status})

    def _answer(self, status, content):
        raw = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _cut(self):
        self.close_connection = True
