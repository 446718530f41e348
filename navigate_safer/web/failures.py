"""One failure: decide, warn, keep the answer, refer, close."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.failures import Failure, Reply, evidence_by, letter_by
from navigate_safer.people.safety import Answer
from navigate_safer.services import (
    breaches,
    enforcement,
    failures,
    safety_checks,
    warning_letters,
)
from navigate_safer.services.enforcement import FailurePage
from navigate_safer.services.failures import CannotClose, CannotDecide
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import Stale
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.orders import shown
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import RECORD

pages = Blueprint("failures", __name__)
RECORD_PAGES = {"failure": ("failures.one", RECORD)}


@pages.get("/failures/<ref>")
@rule(Permission.SEE_CASEWORK)
def one(ref: str) -> ResponseReturnValue:
    """What happened, what was decided, the letter, and what can be done next."""
    return _page(ref, {}, {})


@pages.post("/failures/<ref>/decide")
@rule(Permission.MANAGE_CASES)
def decide(ref: str) -> ResponseReturnValue:
    """Decide whether there was a good reason."""
    fields, page = Fields(request.form), _see(ref)
    word = fields.among("acceptable", ("yes", "no"), "whether there was a good reason")
    why = fields.long_text("why", "why you decide so")
    orders = {each.order_ref: each for each in page.orders}
    order = fields.among("order_ref", orders, "the order", required=word == "no")
    body = replace(
        page.failure.body,
        what=fields.long_text("what", "what happened"),
        requirement=fields.long_text("requirement", "what it was against", required=word == "no"),
        evidence=fields.long_text("evidence", "the evidence", required=False),
        order_ref=order or None,
        order_kind=orders[order].kind if order else None,
    )
    fields.refuse_private("what", "requirement", "evidence", "why")

    def run() -> object:
        return failures.decide(
            service().sessions, scope(), ref, body,
            acceptable=word == "yes", why=why, replaces=fields.version(), now=now(),
        )  # fmt: skip

    return _done(ref, fields, run, body, "Your decision is kept.", "acceptable")


@pages.post("/failures/<ref>/letter")
@rule(Permission.MANAGE_CASES)
def letter(ref: str) -> ResponseReturnValue:
    """Keep that the warning letter was sent."""
    fields, page = Fields(request.form), _see(ref)
    sent_on = fields.day("sent_on", "the day on which it was sent", not_after=day_of(now()))
    person = page.failure.wearer_ref or ""
    said = safety_checks.may_contact(service().sessions, scope(), person, now())
    if said in (Answer.WAIT, Answer.DO_NOT):
        fields.errors["sent_on"] = f"The IDVA has answered a safety check: {said.words}"

    def run() -> object:
        assert sent_on is not None, "read above"
        return warning_letters.send(
            service().sessions, scope(), ref, sent_on, replaces=fields.version(), now=now()
        )

    return _done(ref, fields, run, page.failure.body, "The letter is kept as sent.", "sent_on")


@pages.get("/failures/<ref>/letter.pdf")
@rule(Permission.MANAGE_CASES)
def letter_pdf(ref: str) -> ResponseReturnValue:
    """The warning letter; before it is sent, as a draft."""
    return pdf(warning_letters.pdf(service().sessions, scope(), ref, now()), f"letter-{ref}")


@pages.post("/failures/<ref>/reply")
@rule(Permission.MANAGE_CASES)
def reply(ref: str) -> ResponseReturnValue:
    """Keep what the wearer answered."""
    fields, page = Fields(request.form), _see(ref)
    on = fields.day("replied_on", "the day of the answer", not_after=day_of(now()))
    text = fields.long_text("reply", "what was answered")
    fields.refuse_private("reply")

    def run() -> object:
        assert on is not None, "read above"
        return failures.answered(
            service().sessions, scope(), ref, Reply(on, text, ""),
            replaces=fields.version(), now=now(),
        )  # fmt: skip

    return _done(ref, fields, run, page.failure.body, "The answer is kept.", "reply")


@pages.post("/failures/<ref>/refer")
@rule(Permission.MANAGE_CASES)
def refer(ref: str) -> ResponseReturnValue:
    """Refer it to an enforcement officer."""
    fields, page = Fields(request.form), _see(ref)
    to = fields.text("referred_to", "the enforcement officer")
    why = fields.text("refer_why", "why it is referred", longest=1_000)
    fields.refuse_private("referred_to", "refer_why")

    def run() -> object:
        return breaches.refer(
            service().sessions, scope(), ref,
            why=why, referred_to=to, replaces=fields.version(), now=now(),
        )  # fmt: skip

    return _done(ref, fields, run, page.failure.body, "It is referred.", "refer_why")


@pages.post("/failures/<ref>/close")
@rule(Permission.MANAGE_CASES)
def close(ref: str) -> ResponseReturnValue:
    """Close it; refused while it must be referred."""
    fields, page = Fields(request.form), _see(ref)
    why = fields.text("close_why", "why it is closed", longest=1_000)
    fields.refuse_private("close_why")

    def run() -> object:
        return failures.close(
            service().sessions, scope(), ref, why, replaces=fields.version(), now=now()
        )

    return _done(ref, fields, run, page.failure.body, "It is closed.", "close_why")


def _see(ref: str) -> FailurePage:
    return enforcement.see_failure(service().sessions, scope(), ref, now())


def _done(
    ref: str, fields: Fields, run: Callable[[], object], typed: Failure, told: str, field: str
) -> ResponseReturnValue:
    """Do it unless something was typed wrongly, and say what came of it."""
    stale = None
    if not fields.errors:
        try:
            run()
        except Faulty as fault:
            fields.errors.update(fault.faults)
        except (CannotClose, CannotDecide) as fault:
            fields.errors[field] = str(fault)
        except Stale as fault:
            stale = conflict(fault, typed)
        else:
            flash(told, "success")
            return redirect(url_for("failures.one", ref=ref))
    return _page(ref, request.form, fields.errors, stale)


def _page(
    ref: str,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    stale: Conflict | None = None,
) -> Response:
    page = _see(ref)
    body, rules = page.failure.body, page.failure.body.rules
    happened = day_of(page.failure.at)
    if not form:
        form = {
            "what": body.what, "requirement": body.requirement, "evidence": body.evidence,
            "order_ref": body.order_ref or _only(page), "replaces": str(page.failure.version),
            **day_fields("sent_on", day_of(now())), **day_fields("replied_on", day_of(now())),
        }  # fmt: skip
    text = render_template(
        "failure.html",
        page=page,
        form=shown(form),
        errors=errors,
        conflict=stale,
        rules=rules,
        letter_by=None if rules is None else letter_by(rules, happened),
        evidence_by=None if rules is None else evidence_by(rules, happened),
        now=now(),
    )
    return Response(text, 409 if stale is not None else 422 if errors else 200)


def _only(page: FailurePage) -> str:
    """Where there is one order only, it is that."""
    return page.orders[0].order_ref if len(page.orders) == 1 else ""


def pdf(content: bytes, name: str) -> Response:
    """A paper to be looked at or kept."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, mimetype="application/pdf", headers=headers)
