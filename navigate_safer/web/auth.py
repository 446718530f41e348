"""The one door: who is signed in, and whether the route may be theirs. Deny by default.

Every view names its rule with :func:`rule` or :func:`public`. A view without one is refused to
everybody, and a test fails before that is ever seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.services import accounts, health
from navigate_safer.services.accounts import SignedIn, TooManyTries
from navigate_safer.wiring import Service

pages = Blueprint("auth", __name__)
View = TypeVar("View", bound=Callable[..., object])
_RULE = "navigate_safer_rule"
PUBLIC = "public"
# Of roles whose morning begins elsewhere than on the board or the caseload.
FIRST_PAGES = {Role.OFFENDER_MANAGER: "today.today", Role.ACCESS_TEAM: "referrals.queue"}
# Sent by pages that refresh themselves.
BACKGROUND = "X-Background-Refresh"
# What a script asks for: a redirect to the sign-in page would be taken for the answer.
FOR_SCRIPTS = (".json", ".geojson", "/fragment")


def rule(permission: Permission) -> Callable[[View], View]:
    """Allow a view to those whose role carries the permission."""

    def mark(view: View) -> View:
        setattr(view, _RULE, permission)
        return view

    return mark


def public(view: View) -> View:
    """Allow a view to anybody: sign-in, health, the schema, Twilio's signed calls."""
    setattr(view, _RULE, PUBLIC)
    return view


def rule_of(view: Callable[..., object] | None) -> Permission | str | None:
    """The rule a view was given; None when it has none."""
    return getattr(view, _RULE, None)


def service() -> Service:
    """The service behind the pages."""
    made: Service = current_app.extensions["service"]
    return made


def now() -> datetime:
    """The service's clock."""
    return service().clock()


def degraded() -> list[str]:
    """What is wrong with the monitoring itself."""
    return health.degraded(service().sessions, now(), service().wall_clock())


def signed_in() -> SignedIn:
    """Who is asking; only behind a rule."""
    who: SignedIn | None = g.get("signed_in")
    if who is None:
        abort(401)
    return who


def scope() -> Scope:
    """What the one who asks may reach."""
    return signed_in().scope


def install(app: Flask) -> None:
    """Put the door in front of every request."""
    app.before_request(_guard)
    public(app.view_functions["static"])


def _guard() -> ResponseReturnValue | None:
    if request.endpoint == "static":
        return None  # nobody's data, and several to a page: the session is not looked at
    g.signed_in = _who()
    if request.endpoint is None:
        return None  # no such address: the error page says so
    required = rule_of(current_app.view_functions.get(request.endpoint))
    if required == PUBLIC:
        return None
    if g.signed_in is None:
        if request.method == "GET" and not request.path.endswith(FOR_SCRIPTS):
            return redirect(url_for("auth.sign_in", next=request.path))
        abort(401)
    if not isinstance(required, Permission) or not g.signed_in.scope.may(required):
        abort(403)
    return None


def may_have_route() -> bool:
    """Whether the route is theirs who ask, where a fault came before the door; notes who it is."""
    g.signed_in = _who()
    required = rule_of(current_app.view_functions.get(request.endpoint or ""))
    return (
        g.signed_in is not None
        and isinstance(required, Permission)
        and g.signed_in.scope.may(required)
    )


def _who() -> SignedIn | None:
    token = session.get("token")
    if not isinstance(token, str):
        return None
    settings = service().settings
    return accounts.signed_in(
        service().sessions,
        token,
        now(),
        idle=timedelta(seconds=settings.session_idle_s),
        longest=timedelta(seconds=settings.session_longest_s),
        used=BACKGROUND not in request.headers,
    )


@pages.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Ask for account and password."""
    account = request.form.get("account", "")
    error = None
    if request.method == "POST":
        try:
            password = request.form.get("password", "")
            token = accounts.sign_in(service().sessions, account, password, now())
        except TooManyTries:
            token, error = None, "There were too many tries. Wait 15 minutes and try again."
        if token is not None:
            # A new session for a new sign-in: nothing of the one before is carried on.
            session.clear()
            session["token"] = token
            session.permanent = True
            return redirect(_own_path(request.args.get("next")))
        error = error or "The account or the password is wrong."
    status = 200 if error is None else 401
    page = render_template("sign_in.html", account=account, error=error)
    return Response(page, status=status)


@pages.post("/sign-out")
@rule(Permission.OWN_ACCOUNT)
def sign_out() -> ResponseReturnValue:
    """End the session on the server, and ask the browser to forget the pages."""
    accounts.sign_out(service().sessions, session["token"], now())
    session.clear()
    flash("You are signed out.", "success")
    answer = redirect(url_for("auth.sign_in"))
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@pages.get("/")
@rule(Permission.OWN_ACCOUNT)
def home() -> ResponseReturnValue:
    """The first page of the role."""
    may = scope().may
    if scope().role in FIRST_PAGES:
        return redirect(url_for(FIRST_PAGES[scope().role]))
    if may(Permission.SEE_BOARD):
        return redirect(url_for("board.board"))
    if may(Permission.SEE_CASELOAD):
        return redirect(url_for("cases.caseload"))
    if may(Permission.SEE_OPERATIONS):
        return redirect(url_for("oversight.operations"))
    if may(Permission.SEE_AUDIT):
        return redirect(url_for("oversight.audit"))
    return redirect(url_for("outcomes.report"))


def _own_path(target: str | None) -> str:
    """Where to go after signing in: a path of this site and nothing else."""
    if (
        not target
        or not target.startswith("/")
        or target.startswith(("//", "/\\"))
        or not target.isprintable()
    ):
        return url_for("auth.home")
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else url_for("auth.home")
