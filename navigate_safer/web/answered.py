"""What is done with an alert that is about no wearer: take it on, add a note, close it by hand."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from alerts.lifecycle import Outcome
from navigate_safer.people.access import Permission
from navigate_safer.services import casework
from navigate_safer.web.auth import now, rule, scope, service

TAKEN_ON = "You have acknowledged this alert. Record what you did within 15 minutes."
BEFORE_YOU = "This alert was acknowledged or resolved before you."
NOT_REOPENED = "This alert is not resolved, or a newer one is open."
Page = Callable[[str, dict[str, str] | None], Response]


def install(
    pages: Blueprint,
    address: str,
    permission: Permission,
    page: Page,
    *,
    closed: str,
    fault: Callable[[str], str | None] = lambda _text: None,
) -> None:
    """Add the forms of a page at ``address``, whose view is named alert.

    ``page`` shows it with errors by field, ``closed`` is said once it is resolved, and ``fault``
    says what must come out of a text.
    """

    def acknowledge(reference: str) -> ResponseReturnValue:
        done = casework.acknowledge(service().sessions, scope(), reference, now())
        return back(reference, TAKEN_ON if done else None)

    def add_note(reference: str) -> ResponseReturnValue:
        text, wrong = _typed("note", "Enter a note", fault)
        if wrong is not None:
            return page(reference, {"note": wrong})
        casework.add_note(service().sessions, scope(), reference, text, now())
        return back(reference, "Your note is saved.")

    def resolve(reference: str) -> ResponseReturnValue:
        text, wrong = _typed("explanation", "Say what you did", fault)
        if wrong is not None:
            return page(reference, {"explanation": wrong})
        done = casework.resolve(service().sessions, scope(), reference, Outcome.OTHER, text, now())
        return back(reference, f"The alert is resolved. {closed}" if done else None)

    def back(reference: str, said: str | None) -> ResponseReturnValue:
        return _back(pages, reference, said, BEFORE_YOU)

    for last, view in (("acknowledge", acknowledge), ("note", add_note), ("resolve", resolve)):
        pages.post(f"{address}/{last}", endpoint=view.__name__)(rule(permission)(view))


def install_reopening(
    pages: Blueprint,
    address: str,
    permission: Permission,
    page: Page,
    fault: Callable[[str], str | None],
) -> None:
    """Add the form by which one that is closed is opened again; arguments as above."""

    def reopen(reference: str) -> ResponseReturnValue:
        text, wrong = _typed("reopening", "Enter why the alert is opened again", fault)
        if wrong is not None:
            return page(reference, {"reopening": wrong})
        done = casework.reopen(service().sessions, scope(), reference, text, now())
        return _back(pages, reference, "The alert is open again." if done else None, NOT_REOPENED)

    pages.post(f"{address}/reopen")(rule(permission)(reopen))


def _back(pages: Blueprint, reference: str, said: str | None, else_: str) -> ResponseReturnValue:
    flash(said or else_, "success" if said else "information")
    return redirect(url_for(f"{pages.name}.alert", reference=reference))


def _typed(field: str, missing: str, fault: Callable[[str], str | None]) -> tuple[str, str | None]:
    text = request.form.get(field, "")
    return text, fault(text) if text.strip() else missing
