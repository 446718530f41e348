"""Twilio's calls to us: receipts, replies and keys. Each proves itself by its signature."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from alerts.messages import (
    ACKNOWLEDGED_BY_KEY,
    NOT_ACKNOWLEDGED_BY_CODE,
    NOT_ACKNOWLEDGED_BY_KEY,
)
from alerts.senders.twilio_voice import answer
from alerts.senders.twilio_webhook import (
    EMPTY_TWIML,
    SIGNATURE_HEADER,
    Receipt,
    WebhookError,
    read_call_receipt,
    read_key,
    read_receipt,
    read_reply,
    signature_is_valid,
    text_back,
)
from navigate_safer import logs
from navigate_safer.services import receipts, replies, stopped
from navigate_safer.services.replies import ReplyResult
from navigate_safer.web.auth import now, public, service

pages = Blueprint("twilio", __name__)
_Document = TypeVar("_Document")


@pages.post("/twilio/status/<attempt_id>")
@public
def status(attempt_id: str) -> ResponseReturnValue:
    """A receipt for one attempt."""
    receipt = _proven(read_receipt)
    return _taken(attempt_id, receipt, receipt.word, "twilio")


@pages.post("/twilio/reply")
@public
def reply() -> ResponseReturnValue:
    """A text from an officer. The answer is empty: a reply discloses nothing to a forged number.

    But whoever believes to have acknowledged, with a code that was theirs, is told that it did not
    count; the text back goes to the number on file and says nothing of the case.
    """
    message = _proven(read_reply)
    result = replies.take_reply(
        service().sessions,
        provider_id=message.provider_id,
        sender=message.sender,
        body=message.body,
        now=now(),
    )
    log = logs.logger("web")
    log.info("reply by text", state=result.value)
    if message.is_opt_out:
        log.warning("somebody has stopped all texts")
        stopped.tell(service().sessions, message.sender, now(), service().voice)
    elif message.is_opt_in:
        log.info("somebody takes texts again")
        stopped.unmark(service().sessions, message.sender)
    said = text_back(NOT_ACKNOWLEDGED_BY_CODE) if result.needs_an_answer else EMPTY_TWIML
    return Response(said, mimetype="text/xml")


@pages.post("/twilio/voice/status/<attempt_id>")
@public
def call_status(attempt_id: str) -> ResponseReturnValue:
    """How far a call has come."""
    receipt = _proven(read_call_receipt)
    # Kept in our words: a call that was not answered must look like a text that did not come.
    word = receipt.status.value if receipt.status else receipt.word
    return _taken(attempt_id, receipt, word, "twilio-voice")


@pages.post("/twilio/voice/key/<attempt_id>")
@public
def key(attempt_id: str) -> ResponseReturnValue:
    """A key that was pressed in a call. What is said back tells nothing of the case."""
    call_id, pressed = _proven(read_key)
    result = replies.take_key(
        service().sessions,
        provider_id=call_id,
        attempt_id=attempt_id,
        key=pressed,
        now=now(),
    )
    logs.logger("web").info("reply by key", state=result.value)
    good = result in (ReplyResult.ACKNOWLEDGED, ReplyResult.ALREADY, ReplyResult.REPEATED)
    words = ACKNOWLEDGED_BY_KEY if good else NOT_ACKNOWLEDGED_BY_KEY
    return Response(answer(words), mimetype="text/xml")


def _taken(attempt_id: str, receipt: Receipt, word: str, provider: str) -> ResponseReturnValue:
    receipts.take_receipt(
        service().sessions,
        attempt_id=attempt_id,
        provider_id=receipt.provider_id,
        status=receipt.status,
        word=word,
        error_code=receipt.error_code,
        fault=receipt.fault,
        now=now(),
        provider=provider,
    )
    return Response(status=204)


def _proven(read: Callable[[Mapping[str, str]], _Document]) -> _Document:
    """What was posted, if Twilio signed it and it is what Twilio documents."""
    form = _signed_form()
    try:
        return read(form)
    except WebhookError:
        abort(400)


def _signed_form() -> Mapping[str, str]:
    settings = service().settings
    form = request.form.to_dict()
    # Built from configuration: a Host header is the caller's to choose.
    url = settings.public_url + request.full_path.rstrip("?")
    good = signature_is_valid(
        url=url,
        params=form,
        signature=request.headers.get(SIGNATURE_HEADER),
        auth_tokens=[settings.twilio_auth_token, settings.twilio_auth_token_old],
    )
    if not good:
        logs.logger("web").warning("unsigned call refused", path="/twilio")
        abort(403)
    return form
