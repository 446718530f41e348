"""What one wearer was told, and the number by which; the number itself is never shown again."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import wearer_contacts
from navigate_safer.services.contacts import CannotVerify
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("wearer_messages", __name__)


@pages.get("/people/<ref>/messages")
@rule(Permission.ACT_ON_ALERTS)
def told(ref: str) -> ResponseReturnValue:
    """The page."""
    return _page(ref)


@pages.post("/people/<ref>/messages/number")
@rule(Permission.CONTACT_WEARERS)
def enter(ref: str) -> ResponseReturnValue:
    """Keep a number, to be verified."""
    typed = request.form.get("phone", "")
    return _try(
        ref,
        "phone",
        lambda: wearer_contacts.enter(service().sessions, scope(), ref, typed, now()),
        "The number is kept. It is used once you have verified it.",
    )


@pages.post("/people/<ref>/messages/code")
@rule(Permission.CONTACT_WEARERS)
def send_code(ref: str) -> ResponseReturnValue:
    """Send a code to the number."""
    post = service().send_code
    return _try(
        ref,
        "phone",
        lambda: wearer_contacts.send_code(service().sessions, scope(), ref, post, now()),
        "A code is on its way. Have it read out to you and enter it within 10 minutes.",
    )


@pages.post("/people/<ref>/messages/verify")
@rule(Permission.CONTACT_WEARERS)
def verify(ref: str) -> ResponseReturnValue:
    """Take the code back."""
    typed = request.form.get("code", "")
    if not typed.strip():
        return _page(ref, {"code": "Enter the code that the wearer reads out"})

    def check() -> None:
        if not wearer_contacts.verify(service().sessions, scope(), ref, typed, now()):
            raise CannotVerify("That is not the code. Ask for the newest message")

    return _try(ref, "code", check, "The number is verified, and used from now on.")


@pages.post("/people/<ref>/messages/confirm")
@rule(Permission.CONTACT_WEARERS)
def confirm(ref: str) -> ResponseReturnValue:
    """An officer says that the number is the wearer's."""
    words = request.form.get("words", "")
    return _try(
        ref,
        "words",
        lambda: wearer_contacts.confirm(service().sessions, scope(), ref, words, now()),
        "The number is verified by you, and used from now on.",
    )


@pages.post("/people/<ref>/messages/remove")
@rule(Permission.CONTACT_WEARERS)
def remove(ref: str) -> ResponseReturnValue:
    """Forget the number."""
    done = wearer_contacts.remove(service().sessions, scope(), ref, now())
    flash(
        "The number is removed. The wearer is texted no more."
        if done
        else "There is no number to remove.",
        "success" if done else "information",
    )
    return redirect(url_for("wearer_messages.told", ref=ref))


def _try(ref: str, field: str, act: Callable[[], None], done: str) -> ResponseReturnValue:
    try:
        act()
    except CannotVerify as fault:
        return _page(ref, {field: str(fault)})
    flash(done, "success")
    return redirect(url_for("wearer_messages.told", ref=ref))


def _page(ref: str, errors: dict[str, str] | None = None) -> Response:
    page = render_template(
        "wearer_messages.html",
        page=wearer_contacts.see(service().sessions, scope(), ref, now()),
        errors=errors or {},
        form=request.form,
    )
    return Response(page, 422 if errors else 200)
