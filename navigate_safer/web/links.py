"""The page behind the link of a text: looking changes nothing, sending its form acknowledges.

Nobody signs in for it, so it shows the reference and the severity, which the text says too, and
nothing else of the case. Its form needs no token against forged requests: such a token stops
another site from using what the browser holds already, a session; here nothing of the browser is
used, and whoever can name the address holds the secret itself and needs no victim's browser.
"""

from flask import Blueprint, Response, g, render_template
from flask.typing import ResponseReturnValue

from navigate_safer import logs
from navigate_safer.services import ack_links
from navigate_safer.services.ack_links import Link, LinkResult
from navigate_safer.web.auth import now, public, service

pages = Blueprint("links", __name__)
STATUS = {
    LinkResult.USED: 410,
    LinkResult.EXPIRED: 410,
    LinkResult.STALE: 410,
    LinkResult.FOREIGN: 403,
    LinkResult.FORGED: 404,
    LinkResult.TOO_MANY: 429,
}


@pages.get("/k/<token>")
@public
def look(token: str) -> ResponseReturnValue:
    """Ask whether to acknowledge; telephones and previews come here by themselves."""
    return _page(ack_links.see(service().sessions, token, _visitor(), now()), token)


@pages.post("/k/<token>")
@public
def acknowledge(token: str) -> ResponseReturnValue:
    """Acknowledge, once."""
    link = ack_links.take(service().sessions, token, _visitor(), now())
    logs.logger("web").info("reply by link", state=link.result.value)
    return _page(link, token)


def _visitor() -> int | None:
    """Who is signed in here: a link that somebody else was sent is not theirs to use."""
    who = g.get("signed_in")
    return None if who is None else who.scope.staff_id


def _page(link: Link, token: str) -> Response:
    page = render_template("link.html", link=link, result=link.result.name.lower(), token=token)
    answer = Response(page, STATUS.get(link.result, 200))
    # The address is the secret: no other page is told where its visitor came from.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
