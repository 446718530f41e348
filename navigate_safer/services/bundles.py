"""Put waiting texts into one text, let them follow it, or set them free. The caller commits.

A bundle lives from the claim of the text that is due to the end of its call. One text carries the
others; theirs is the state "bundled" meanwhile. When the provider has it they all are accepted;
when the call is to be made again they are free, and gathered anew with whatever waits then.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from alerts import bundling, messages
from alerts.bundling import Held
from alerts.finding import Severity
from alerts.policy import Channel
from navigate_safer.db import bundles
from navigate_safer.db.alerting import AlertRow, TextRow


def gather(session: Session, first: TextRow, public_url: str) -> None:
    """Take into a text that is due what waits for the same person; nothing where nothing does."""
    if first.bundle_by is None or first.channel != Channel.SMS.value:
        return
    waiting = {each.id: each for each in bundles.could_join(session, first)}
    held = [_held(each) for each in waiting.values()]
    chosen = [each.text_id for each in bundling.together(_held(first), held)]
    if len(chosen) < 2:
        return
    waiting[first.id] = first
    rows = [waiting[each] for each in chosen]
    first.bundle_body = _body(session, rows, public_url)
    for row in rows[1:]:
        row.state, row.due_at, row.bundle_id = bundles.BUNDLED, None, first.id
    session.flush()


def _held(row: TextRow) -> Held:
    assert row.bundle_by is not None
    return Held(text_id=row.id, tell_by=row.bundle_by)


def _body(session: Session, rows: list[TextRow], public_url: str) -> str:
    alerts = [session.get_one(AlertRow, row.alert_id) for row in rows]
    worst = min((Severity(each.severity) for each in alerts), key=lambda each: each.rank)
    pairs = [(alert.reference, row.code) for alert, row in zip(alerts, rows, strict=True)]
    return messages.bundle_text(word=worst.word, alerts=pairs, link=f"{public_url}/board")


def with_it(session: Session, text: TextRow) -> list[TextRow]:
    """A text and what travels in it."""
    return [text, *bundles.inside(session, text.id)]


def follow(session: Session, text: TextRow) -> None:
    """What travels in a text has come as far as the text itself."""
    for each in bundles.inside(session, text.id):
        each.state, each.due_at, each.fault = text.state, None, text.fault
        each.handed_at, each.provider, each.provider_id = (
            text.handed_at,
            text.provider,
            text.provider_id,
        )
        each.delivery, each.delivered_at = text.delivery, text.delivered_at
        each.resent_after_unknown = text.resent_after_unknown


def release(session: Session, text: TextRow, due_at: datetime, *, after_unknown: bool) -> None:
    """The text will not be sent as it is: what travels in it is due by itself again.

    ``after_unknown``: a call of it had no certain end, so that what is told now may be told twice.
    """
    text.bundle_body = None
    for each in bundles.inside(session, text.id):
        each.state, each.due_at, each.bundle_id = "pending", due_at, None
        each.resent_after_unknown = each.resent_after_unknown or after_unknown
    session.flush()
