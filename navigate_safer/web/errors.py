"""Faults as pages, or as a JSON problem where a script asked; never a traceback."""

from flask import Flask, Response, json, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from navigate_safer import logs
from navigate_safer.people.access import Forbidden
from navigate_safer.services.casework import NotFound

WORDS: dict[int, tuple[str, str]] = {
    400: ("The request was not understood", "Go back, reload the page and try again."),
    401: ("You need to sign in", "Your session has ended. Sign in and try again."),
    403: ("You may not see this", "Your role does not allow it. Ask your supervisor if it should."),
    404: ("Page not found", "Check the address, or go to the first page."),
    405: ("The request was not understood", "Go back and use the buttons on the page."),
    413: ("That is too much", "Send less than 256 kB."),
    500: (
        "Sorry, there is a fault in the service",
        "It has been logged. Try again; if an alert is waiting, use the reply code in your text.",
    ),
}


def install(app: Flask) -> None:
    """Answer every fault."""
    log = logs.logger("web")

    def on_http(fault: HTTPException) -> Response:
        return _answer(fault.code or 500)

    def on_csrf(_fault: CSRFError) -> Response:
        return _answer(400)

    def on_missing(_fault: NotFound) -> Response:
        return _answer(404)

    def on_forbidden(_fault: Forbidden) -> Response:
        return _answer(403)

    def on_any(fault: Exception) -> Response:
        last = fault.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        where = "" if last is None else f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}"
        # The address could hold a search; the rule that it matched cannot.
        path = request.url_rule.rule if request.url_rule else ""
        log.error("page failed", exception_type=type(fault).__name__, where=where, path=path)
        return _answer(500)

    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(NotFound, on_missing)
    app.register_error_handler(Forbidden, on_forbidden)
    app.register_error_handler(Exception, on_any)


def _answer(status: int) -> Response:
    title, advice = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    if request.path.endswith((".json", ".geojson")):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": advice}
        return Response(json.dumps(problem), status, mimetype="application/problem+json")
    page = render_template("error.html", title=title, advice=advice, status=status)
    return Response(page, status)
