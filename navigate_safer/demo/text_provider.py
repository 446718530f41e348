"""A stand-in for Twilio's Messages API on a loopback port, which goes wrong as it is told to.

It speaks what Twilio's public reference of the Message resource says of the two calls that we make:
create one, and list those to a number. What it took is kept, because only the provider can say
whether an officer was texted twice.
"""

import base64
import json
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from navigate_safer.demo.server_process import HOST

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "an-invented-token-of-no-account"  # noqa: S105 - of the stand-in alone
FROM_NUMBER = "+447700900000"
_PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


class Trouble(Enum):
    """What goes wrong with one request; those that say "taken" have taken the text first."""

    TOO_MANY = "refused with 429"
    ERROR_BEFORE = "500, not taken"
    ERROR_AFTER = "taken, then 500"
    BAD_GATEWAY = "502 and a page instead of an answer, not taken"
    CUT_BEFORE = "connection cut, not taken"
    CUT_AFTER = "taken, then the connection cut"
    SLOW = "taken, the answer late"
    HANGING = "taken, the answer later than anybody waits"
    KILL_BEFORE = "the sender killed, not taken"
    KILL_AFTER = "taken, the sender killed before the answer"

    @property
    def takes(self) -> bool:
        """Whether the officer gets the text."""
        return self in (
            Trouble.ERROR_AFTER,
            Trouble.CUT_AFTER,
            Trouble.SLOW,
            Trouble.HANGING,
            Trouble.KILL_AFTER,
        )

    @property
    def refusal(self) -> tuple[int, int] | None:
        """Status and Twilio's code of an answer that says no."""
        if self is Trouble.TOO_MANY:
            return 429, 20429
        return (500, 20500) if self in (Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER) else None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A text that the provider took; ``callback`` is where its receipts go."""

    sid: str
    to: str
    body: str
    callback: str
    at: datetime

    @property
    def attempt_id(self) -> str:
        """Our call for it, which its callback names."""
        return self.callback.rsplit("/", 1)[-1]


# What goes wrong with the next request, if anything; POST hands a text over, GET looks for one.
Plan = Callable[[str], Trouble | None]


def _all_well(_method: str) -> Trouble | None:
    return None


class TextProvider:
    """The stand-in; ``clock`` dates what it takes. Use as a context manager.

    ``slow_s`` and ``hangs_s`` are the seconds of a late answer. ``took`` hears of each text,
    ``kill`` ends whoever is asking, and says whether there was anybody: one who has ended meanwhile
    cannot be killed, and the next text is met with what was planned for this one.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        slow_s: float,
        hangs_s: float,
        took: Callable[[Taken], None] = lambda _taken: None,
        kill: Callable[[], bool] = lambda: True,
    ) -> None:
        self.clock, self.slow_s, self.hangs_s = clock, slow_s, hangs_s
        self.took, self.kill = took, kill
        self.plan: Plan = _all_well
        self.complaints: list[str] = []
        self.ended = threading.Event()
        self._taken: list[Taken] = []
        self._owed: list[Trouble] = []
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self.port = 0
        self.come_back()

    def __enter__(self) -> "TextProvider":
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.go_away()

    @property
    def url(self) -> str:
        """What the sender is told to call."""
        return f"http://{HOST}:{self.port}"

    @property
    def taken(self) -> list[Taken]:
        """Every text that was taken, oldest first."""
        with self._lock:
            return list(self._taken)

    def go_away(self) -> None:
        """Listen no more: connections are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        if self._server is None:
            self._server = _Server((HOST, self.port), self)
            self.port = self._server.server_port
            threading.Thread(
                target=self._server.serve_forever, args=(0.02,), name="provider", daemon=True
            ).start()

    def next_trouble(self, method: str) -> Trouble | None:
        """What goes wrong with the request that has just come."""
        with self._lock:
            if method == "POST" and self._owed:
                return self._owed.pop(0)
            return self.plan(method)

    def cut_short(self, trouble: Trouble) -> None:
        """Kill whoever is asking, now or at the next text."""
        if not self.kill():
            with self._lock:
                self._owed.append(trouble)

    def take(self, form: dict[str, str]) -> Taken:
        """Take a text over."""
        taken = Taken(
            sid="SM" + uuid.uuid4().hex,
            to=form["To"],
            body=form["Body"],
            callback=form.get("StatusCallback", ""),
            at=self.clock(),
        )
        with self._lock:
            self._taken.append(taken)
        self.took(taken)
        return taken


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many senders at once: more than the five that may wait by default.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], provider: TextProvider) -> None:
        self.provider = provider
        super().__init__(address, _Handler)

    def handle_error(self, _request: object, _client_address: object) -> None:
        """A sender that was killed has left its connection; nobody need read of it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing: the path of a request holds an officer's number."""

    def do_POST(self) -> None:
        """Create a message."""
        provider = self.server.provider
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        if not self._is_ours() or not {"To", "Body", "From"} <= set(form):
            provider.complaints.append("a request that Twilio would not understand")
            self._answer(400, {"code": 20001, "message": "bad request", "status": 400})
            return
        trouble = provider.next_trouble("POST")
        taken = provider.take(form) if trouble is None or trouble.takes else None
        if not self._goes_wrong(trouble) and taken is not None:
            self._answer(201, _as_json(taken))

    def do_GET(self) -> None:
        """List messages to a number, newest first."""
        if not self._is_ours():
            self.server.provider.complaints.append("a list that Twilio does not have")
            self._answer(404, {"code": 20404, "message": "not found", "status": 404})
            return
        trouble = self.server.provider.next_trouble("GET")
        if self._goes_wrong(trouble):
            return
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        # Dated when it leaves, and ours never leave: only a list without a date has them.
        dated = any(name.startswith("DateSent") for name in query)
        found = [] if dated else reversed(self.server.provider.taken)
        mine = [_as_json(each) for each in found if each.to == query.get("To")]
        size = int(query.get("PageSize", "50"))
        page = {"messages": mine[:size], "page": 0, "page_size": size, "next_page_uri": None}
        self._answer(200, page)

    def _is_ours(self) -> bool:
        secret = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        signed_in = self.headers["Authorization"] == f"Basic {secret}"
        return signed_in and urlsplit(self.path).path == _PATH

    def _goes_wrong(self, trouble: Trouble | None) -> bool:
        """Do to this request what is planned; whether it has had its answer, or will get none."""
        provider = self.server.provider
        if trouble is None:
            return False
        if trouble in (Trouble.SLOW, Trouble.HANGING):
            provider.ended.wait(provider.slow_s if trouble is Trouble.SLOW else provider.hangs_s)
            return False
        if trouble is Trouble.BAD_GATEWAY:
            self._say(502, "text/html", b"<html>Bad gateway</html>")
        elif trouble.refusal is not None:
            status, code = trouble.refusal
            self._answer(status, {"code": code, "message": "refused", "status": status})
        else:
            if trouble in (Trouble.KILL_BEFORE, Trouble.KILL_AFTER):
                provider.cut_short(trouble)
            self.close_connection = True
        return True

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        self._say(status, "application/json", json.dumps(document).encode())

    def _say(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _as_json(taken: Taken) -> dict[str, Any]:
    created = format_datetime(taken.at)
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": taken.body,
        "date_created": created,
        "date_sent": None,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": FROM_NUMBER,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": taken.sid,
        "status": "queued",
        "subresource_uris": {},
        "to": taken.to,
        "uri": f"{_PATH.removesuffix('.json')}/{taken.sid}.json",
    }
