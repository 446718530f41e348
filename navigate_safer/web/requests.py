"""Each request has an id, in its log line and in its answer; and is counted."""

import secrets
import string
import time

from flask import Flask, Response, g, request

from navigate_safer import logs, metrics

HEADER = "X-Request-Id"
_LETTERS = string.ascii_lowercase
_LENGTH = 16


def _new_id() -> str:
    """An id without a digit: logs refuse what could be read as a telephone number."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def install(app: Flask) -> None:
    """Number, time and count every request."""
    log = logs.logger("web")

    def begin() -> None:
        # Our own, never the caller's: a log line must not repeat what somebody sent.
        g.request_id = _new_id()
        g.request_began = time.monotonic()

    def end(answer: Response) -> Response:
        if "request_id" not in g:
            return answer
        answer.headers[HEADER] = g.request_id
        if request.endpoint == "static":
            return answer
        metrics.page_served(request.method, answer.status_code)
        log.debug(
            "request",
            request_id=g.request_id,
            method=request.method if request.url_rule else "",
            path=request.url_rule.rule if request.url_rule else "",
            status=answer.status_code,
            seconds=round(time.monotonic() - g.request_began, 3),
        )
        return answer

    app.before_request(begin)
    app.after_request(end)
