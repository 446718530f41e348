"""One's own account: the telephone and e-mail through which one is told, verified by a code."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.services import contacts
from navigate_safer.services.contacts import CannotVerify, ContactKind
from navigate_safer.web.auth import now, rule, scope, service, signed_in

pages = Blueprint("contacts", __name__)


@pages.get("/account")
@rule(Permission.OWN_ACCOUNT)
def account() -> ResponseReturnValue:
    """The page."""
    return _page()


@pages.post("/account/ask")
@rule(Permission.OWN_ACCOUNT)
def ask() -> ResponseReturnValue:
    """Send a code to an address."""
    kind = _kind()
    if kind is None:
        return _page({"phone": "Enter a mobile number or an e-mail address"})
    typed = request.form.get(kind.value, "")
    try:
        contacts.ask(service().sessions, scope(), kind, typed, service().send_code, now())
    except CannotVerify as fault:
        return _page({kind.value: str(fault)})
    flash("A code is on its way. Enter it below within 10 minutes.", "success")
    return redirect(url_for("contacts.account"))


@pages.post("/account/verify")
@rule(Permission.OWN_ACCOUNT)
def verify() -> ResponseReturnValue:
    """Take a code back."""
    kind = _kind() or ContactKind.PHONE
    field = f"{kind.value}_code"
    typed = request.form.get(field, "")
    if not typed.strip():
        return _page({field: "Enter the code"})
    try:
        if not contacts.verify(service().sessions, scope(), kind, typed, now()):
            return _page({field: "That is not the code. Look at the newest message"})
    except CannotVerify as fault:
        return _page({field: str(fault)})
    flash("It is verified, and used from now on.", "success")
    return redirect(url_for("contacts.account"))


def _kind() -> ContactKind | None:
    typed = request.form.get("contact", "")
    return ContactKind(typed) if typed in {each.value for each in ContactKind} else None


def _page(errors: dict[str, str] | None = None) -> Response:
    page = render_template(
        "account.html",
        who=signed_in(),
        contacts=contacts.see(service().sessions, scope(), now()),
        kinds=list(ContactKind),
        errors=errors or {},
        form=request.form,
    )
    return Response(page, 422 if errors else 200)
