"""The duty board: open alerts, most urgent first, refreshing by itself."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import consult, oversight, protection
from navigate_safer.web.auth import now, rule, service, signed_in

pages = Blueprint("board", __name__)
REFRESH_S = 3


@pages.get("/board")
@rule(Permission.SEE_BOARD)
def board() -> ResponseReturnValue:
    """The page."""
    return render_template("board.html", refresh_s=REFRESH_S, **_board())


@pages.get("/board/fragment")
@rule(Permission.SEE_BOARD)
def fragment() -> ResponseReturnValue:
    """The part that refreshes."""
    return render_template("board_fragment.html", **_board())


def _board() -> dict[str, object]:
    who = signed_in()
    sessions = service().sessions
    return {
        "board": consult.see_board(sessions, who.scope, who.token_hash, now()),
        "service_alerts": oversight.live_service_alerts(sessions, who.scope),
        "protection_alerts": protection.live(sessions, who.scope),
    }
