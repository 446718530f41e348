"""The officers' telephones of a fault run, and the provider's receipts: signed posts to us.

Whoever is told first leaves every second text unanswered, so that each run escalates. Receipts
come as they do from Twilio, or repeated, late, out of order; and somebody may forge them.
"""

import base64
import hashlib
import heapq
import hmac
import itertools
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

import msgspec

from alerts.messages import parse_reply
from navigate_safer.demo.text_provider import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, Taken

FIRST = "+447700900101"
SECOND = "+447700900102"
SUPERVISOR = "+447700900103"
STRANGER = "+447700900199"
# Seconds on the wall. Whoever is told first leaves every second alert to the next.
ANSWERS_AFTER_S = 0.4
POST_WITHIN_S = 10.0
_AT_ONCE = 4
_HEADER = "X-Twilio-Signature"


class Receipts(Enum):
    """How the provider's receipts come: the word and the seconds after the text was taken."""

    NORMAL = (("sent", 0.1), ("delivered", 0.2))
    REPEATED = (("sent", 0.1), ("delivered", 0.2), ("delivered", 0.2), ("sent", 0.3))
    LATE = (("sent", 3.0), ("delivered", 4.0))
    OUT_OF_ORDER = (("delivered", 0.1), ("sent", 0.2), ("sending", 0.3), ("queued", 0.4))
    FORGED = (("sent", 0.6), ("delivered", 0.7))


class Posted(msgspec.Struct, frozen=True):
    """A post to the service and what it said; 0 when it did not answer. ``good`` is not forged."""

    what: str
    sid: str
    good: bool
    status: int


class _Post(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    sid: str
    path: str
    form: dict[str, str]
    token: str | None = AUTH_TOKEN
    good: bool = True


class Telephones:
    """Posts what is due, from threads of its own; ``answered`` is (code, number) of each reply."""

    def __init__(self, public_url: str, receipts: Sequence[Receipts]) -> None:
        self._url, self._receipts = public_url, itertools.cycle(receipts)
        self._due: list[tuple[float, int, _Post]] = []
        self._count = itertools.count()
        self._to_first = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._busy = 0
        self.answered: set[tuple[str, str]] = set()
        self.posted: list[Posted] = []
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="telephones")
        self._thread = threading.Thread(target=self._run, name="telephones", daemon=True)
        self._thread.start()

    def take(self, taken: Taken) -> None:
        """A telephone has a text: receipts go to the service, and mostly an answer."""
        path = taken.callback.removeprefix(self._url)
        with self._changed:
            receipts = next(self._receipts)
        for word, after_s in receipts.value:
            form = _receipt(taken, word)
            self._later(after_s, _Post(what=word, sid=taken.sid, path=path, form=form))
        code = parse_reply(taken.body)
        if code is None:
            return
        if receipts is Receipts.FORGED:
            self._forge(taken, path, code)
        if taken.to != FIRST or next(self._to_first) % 2:
            self.answered.add((code, taken.to))
            after_s = ANSWERS_AFTER_S + (1.0 if receipts is Receipts.FORGED else 0.0)
            reply = _reply(code, taken.to)
            for _ in range(2 if receipts is Receipts.REPEATED else 1):
                self._later(
                    after_s, _Post(what="reply", sid=taken.sid, path="/twilio/reply", form=reply)
                )

    def _forge(self, taken: Taken, path: str, code: str) -> None:
        """What somebody posts who knows the address and everything but the token."""
        failed = _receipt(taken, "failed") | {"ErrorCode": "30005"}
        for number, token in enumerate((None, "a token of somebody else's", "")):
            forged = _Post(what="failed", sid=taken.sid, path=path, form=failed, token=token,
                           good=False)  # fmt: skip
            self._later(0.02 * number, forged)
        own = _reply(code, taken.to)
        self._later(0.1, _Post(what="reply", sid=taken.sid, path="/twilio/reply", form=own,
                               token=None, good=False))  # fmt: skip
        # Signed by Twilio itself: a sender's number can be forged where a signature cannot.
        for other in (STRANGER, SECOND if taken.to != SECOND else FIRST):
            spoofed = _reply(code, other)
            self._later(0.15, _Post(what="spoofed reply", sid=taken.sid, path="/twilio/reply",
                                    form=spoofed))  # fmt: skip

    @property
    def idle(self) -> bool:
        """Whether nothing is to be posted any more."""
        with self._changed:
            return not self._due and not self._busy

    def end(self) -> None:
        """Post nothing further."""
        with self._changed:
            self._ended = True
            self._due.clear()
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _later(self, after_s: float, post: _Post) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + after_s, next(self._count), post))
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                wait_s = self._due[0][0] - time.monotonic() if self._due else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                post = heapq.heappop(self._due)[2]
                self._busy += 1
            self._pool.submit(self._send, post)

    def _send(self, post: _Post) -> None:
        url = self._url + post.path
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if post.token is not None:
            headers[_HEADER] = sign(url, post.form, post.token)
        try:
            status = _status(url, urlencode(post.form), headers)
        except (OSError, HTTPException):
            status = 0
        with self._changed:
            self.posted.append(Posted(post.what, post.sid, post.good, status))
            self._busy -= 1


def _status(url: str, body: str, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=POST_WITHIN_S)
    try:
        connection.request("POST", parts.path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def sign(url: str, form: dict[str, str], token: str) -> str:
    """Twilio's signature of a post, by its guide to webhooks: HMAC-SHA1 of address and form."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _receipt(taken: Taken, word: str) -> dict[str, str]:
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": FROM_NUMBER,
        "MessageSid": taken.sid,
        "MessageStatus": word,
        "SmsSid": taken.sid,
        "SmsStatus": word,
        "To": taken.to,
    }


def _reply(code: str, sender: str) -> dict[str, str]:
    sid = "SM" + uuid.uuid4().hex
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "Body": code,
        "From": sender,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": FROM_NUMBER,
    }
