"""Faults as pages, or as a JSON problem where a script asked; never a traceback."""

from flask import Flask, Response, g, json, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from navigate_safer import logs
from navigate_safer.db.parquet import ArchiveUnreadable
from navigate_safer.db.reading import DATABASE_FAULTS
from navigate_safer.people.access import Forbidden
from navigate_safer.services.casework import NotFound

WORDS: dict[int, tuple[str, str]] = {
    400: ("The request was not understood", "Go back, reload the page and try again."),
    401: ("You need to sign in", "Your session has ended. Sign in and try again."),
    403: ("You may not see this", "Your role does not allow it. Ask your supervisor if it should."),
    404: ("Page not found", "Check the address, or go to the first page."),
    405: ("The request was not understood", "Go back and use the buttons on the page."),
    413: ("That is too much", "Send less than 256 kB."),
    503: (
        "The service cannot reach its records",
        (
            "The database does not answer, or not in time. Telemetry is kept until it does, and "
            "nothing is lost. Try again in a minute; if an alert is waiting, use the reply code "
            "in your text."
        ),
    ),
    500: (
        "Sorry, there is a fault in the service",
        "It has been logged. Try again; if an alert is waiting, use the reply code in your text.",
    ),
}

ARCHIVE_WORDS = (
    "Old readings cannot be read",
    (
        "A file of the archive is missing or damaged, so that this page would not show everything. "
        "Ask the system administrator to run: navigate-safer archive verify."
    ),
)
RETRY_AFTER_S = 60


def install(app: Flask) -> None:
    """Answer every fault."""
    log = logs.logger("web")

    def on_http(fault: HTTPException) -> Response:
        return answer(fault.code or 500)

    def on_missing(_fault: NotFound) -> Response:
        return answer(404)

    def on_forbidden(_fault: Forbidden) -> Response:
        return answer(403)

    def on_any(fault: Exception) -> Response:
        status = 503 if isinstance(fault, DATABASE_FAULTS) else 500
        last = fault.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        where = "" if last is None else f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}"
        log.error(
            "page failed",
            exception_type=type(fault).__name__,
            where=where,
            path=_path(),
            status=status,
            request_id=g.get("request_id", ""),
        )
        shown = answer(status)
        if status == 503:
            shown.headers["Retry-After"] = str(RETRY_AFTER_S)
        return shown

    app.register_error_handler(CSRFError, _on_csrf)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(NotFound, on_missing)
    app.register_error_handler(Forbidden, on_forbidden)
    app.register_error_handler(ArchiveUnreadable, _on_archive)
    app.register_error_handler(Exception, on_any)


def _on_csrf(_fault: CSRFError) -> Response:
    return answer(400)


def _on_archive(_fault: ArchiveUnreadable) -> Response:
    logs.logger("web").error("archive unreadable", path=_path())
    return answer(503, ARCHIVE_WORDS)


def _path() -> str:
    """The rule that the address matched: the address itself could hold a search."""
    return request.url_rule.rule if request.url_rule else ""


def answer(status: int, words: tuple[str, str] | None = None) -> Response:
    """The page of a fault, or a JSON problem where a script asked."""
    title, advice = words or WORDS.get(status, WORDS[500 if status >= 500 else 400])
    if request.path.endswith((".json", ".geojson")):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": advice}
        return Response(json.dumps(problem), status, mimetype="application/problem+json")
    page = render_template("error.html", title=title, advice=advice, status=status)
    return Response(page, status)
