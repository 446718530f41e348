"""GOV.UK Notify's calls to us: receipts and replies. Each carries our token or is refused."""

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from alerts.delivery import SendError
from alerts.senders.notify_webhook import (
    WebhookError,
    read_receipt,
    read_reply,
    token_is_valid,
)
from navigate_safer import logs
from navigate_safer.services import receipts, replies
from navigate_safer.web.auth import now, public, service

pages = Blueprint("notify", __name__)


@pages.post("/notify/status")
@public
def status() -> ResponseReturnValue:
    """A receipt for one text."""
    body = _proven_body()
    try:
        receipt = read_receipt(body)
    except WebhookError:
        abort(400)
    meaning = receipt.meaning
    receipts.take_receipt_by_mark(
        service().sessions,
        mark=receipt.reference or "",
        provider="notify",
        provider_id=receipt.id,
        status=meaning,
        word=meaning.value if meaning else receipt.status,
        fault=receipt.fault,
        now=now(),
    )
    return Response(status=204)


@pages.post("/notify/reply")
@public
def reply() -> ResponseReturnValue:
    """A text from an officer. Whoever used a code that no longer counts is told so by a text.

    Notify takes no words in the answer to its call, as Twilio does; it waits five seconds for it
    and calls again after minutes, which by then is a reply that was taken already.
    """
    body = _proven_body()
    try:
        message = read_reply(body)
    except WebhookError:
        abort(400)
    result = replies.take_reply(
        service().sessions,
        provider_id=message.id,
        sender=message.sender,
        body=message.message,
        now=now(),
    )
    log = logs.logger("web")
    log.info("reply by text", state=result.value)
    if result.needs_an_answer:
        try:
            service().text_back("notify", message.sender)
        except SendError as problem:
            # The alert stays open, and whoever is next is told of it.
            log.warning("text back not sent", fault=problem.fault.value)
    return Response(status=204)


def _proven_body() -> bytes:
    token = service().settings.notify_callback_token
    if not token_is_valid(request.headers.get("Authorization"), token):
        logs.logger("web").warning("unsigned call refused", path="/notify")
        abort(403)
    return request.get_data()
