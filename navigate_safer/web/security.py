"""Headers of every answer: what a browser may load, keep and send on."""

import secrets

from flask import Flask, Response, abort, g, request

# The nonce is for GOV.UK's one inline script and the map component's two shadow style elements.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def install(app: Flask) -> None:
    """Give each request its nonce and each answer its headers."""
    app.before_request(_nonce)
    app.before_request(_refuse_controls)
    app.after_request(_headers)


def _nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def _refuse_controls() -> None:
    """No name, reference or note holds a NUL, and PostgreSQL cannot be asked about one."""
    sent = (request.path, *request.args.values(), *request.form.values())
    if any("\0" in value for value in sent):
        abort(400)


def _headers(answer: Response) -> Response:
    headers = answer.headers
    headers["Content-Security-Policy"] = POLICY.format(nonce=g.get("csp_nonce", ""))
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "geolocation=(), camera=(), microphone=()"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint == "static":
        # Addresses carry a hash of the content, so that a changed file is another address.
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers["Cache-Control"] = "no-store"
    return answer
