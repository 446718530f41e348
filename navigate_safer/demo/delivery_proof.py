"""Whether a fault run lost or doubled anything: the rows beside what the provider was given.

The invariants are those of the alerting reference, section 3.5, and of the issue: nothing
unacknowledged past its deadline, no text twice unless it is marked as a resend after an unknown.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

import msgspec

from alerts.lifecycle import AlertState
from alerts.messages import parse_reply
from navigate_safer.db.delivery_rows import UNSETTLED, DeliveryRows, TextLine
from navigate_safer.demo.telephones import Posted
from navigate_safer.demo.text_provider import Taken

_FORBIDDEN = 403
_OK = frozenset({200, 204})


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What happened outside the service.

    ``taken`` are the texts that the provider took, ``answered`` (code, number) of each reply that
    an officer really sent, ``posted`` what was posted to the service, ``complaints`` whatever else
    went wrong. ``on_duty`` says which account a text of this instant may go to; None allows all.
    """

    taken: Sequence[Taken]
    answered: Collection[tuple[str, str]]
    posted: Sequence[Posted]
    complaints: Sequence[str] = ()
    on_duty: dict[int, str] | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to. ``late_s`` is service time; ``broken`` names every broken invariant."""

    breaches: int
    accepted: int
    twice: int
    marked: int
    overdue: int
    late_s: float
    broken: list[str]


def verdict(rows: DeliveryRows, outside: Outside, breaches: int) -> Verdict:
    """Check a run of so many breaches after everything has come to rest."""
    by_attempt = {attempt: text for text in rows.texts for attempt in text.attempts}
    owner = {each.sid: by_attempt.get(each.attempt_id) for each in outside.taken}
    times = Counter(text.text_id for text in owner.values() if text is not None)
    again = {text_id: count - 1 for text_id, count in times.items() if count > 1}
    marked_ids = {text.text_id for text in rows.texts if text.resent}
    marked = sum(count for text_id, count in again.items() if text_id in marked_ids)
    twice, sids = sum(again.values()), set(owner)
    broken = [
        *_breaches(rows, breaches),
        *_counted(_at_provider(rows, outside, owner)),
        *_counted(each for text in rows.texts for each in _in_row(text, outside, sids)),
        *_acknowledged(rows, outside),
        *_posts(rows, outside),
        *(f"{what} ({count})" for what, count in rows.broken.items()),
        *sorted(set(outside.complaints)),
    ]
    if twice > marked:
        broken.append(f"{twice - marked} text(s) twice and not marked as a resend")
    if rows.overdue:
        broken.append(f"{rows.overdue} alert(s) unacknowledged past the deadline")
    return Verdict(
        breaches=breaches,
        accepted=len(outside.taken),
        twice=twice,
        marked=marked,
        overdue=rows.overdue,
        late_s=latest_s(rows),
        broken=broken,
    )


def latest_s(rows: DeliveryRows) -> float:
    """How far behind its deadline the latest telling of anybody was, in seconds."""
    worst = timedelta()
    for alert in rows.alerts:
        for number, (before, after) in enumerate(
            zip(alert.told_at, alert.told_at[1:], strict=False)
        ):
            wait = alert.waits[min(number, len(alert.waits) - 1)]
            worst = max(worst, after - before - wait)
    return worst.total_seconds()


def _counted(wrong: Iterable[str]) -> list[str]:
    return [f"{count} {what}" for what, count in Counter(wrong).items()]


def _breaches(rows: DeliveryRows, breaches: int) -> Iterable[str]:
    """Each reading stored once, each breach with one episode, one alert, and an answer."""
    found = {
        "readings": rows.readings,
        "episodes": rows.episodes,
        "alerts": len(rows.alerts),
        "acknowledged alerts": sum(each.state != AlertState.OPEN.value for each in rows.alerts),
    }
    for what, count in found.items():
        if count != breaches:
            yield f"{count} {what} of {breaches} breaches"
    untold = sum(not each.told_at for each in rows.alerts)
    if untold:
        yield f"{untold} alert(s) that nobody was told of"


def _at_provider(
    rows: DeliveryRows, outside: Outside, owner: dict[str, TextLine | None]
) -> Iterable[str]:
    """What is wrong with each text that the provider took."""
    for taken in outside.taken:
        text = owner[taken.sid]
        if text is None:
            yield "text(s) at the provider that no row knows"
            continue
        if (text.phone, text.body) != (taken.to, taken.body):
            yield "text(s) that went to somebody else or said something else"
        if text.state != "accepted":
            yield "text(s) that the provider took and no row says so"
        if taken.attempt_id not in rows.disclosed:
            yield "text(s) that went out and are not in the log of disclosures"


def _in_row(text: TextLine, outside: Outside, sids: Collection[str]) -> Iterable[str]:
    """What is wrong with one row."""
    # What the service's watch over itself says may be written at any moment.
    if text.state in UNSETTLED and (text.about_breach or text.state != "pending"):
        yield "text(s) that never came to rest"
    if text.state in ("accepted", "failed") and not text.attempts:
        yield "text(s) at an end without a call"
    if text.state == "accepted" and text.provider_id not in sids:
        yield "text(s) called accepted that the provider does not have"
    if text.state == "accepted" and not _has_an_end(text):
        yield "accepted text(s) of which no call has an end"
    if _wrong_person(text, outside):
        yield "text(s) to somebody who was not on duty then"


def _has_an_end(text: TextLine) -> bool:
    """A call was answered; or its receipt came, which says the same where the sender has died."""
    return "accepted" in text.attempts.values() or text.delivery is not None


def _wrong_person(text: TextLine, outside: Outside) -> bool:
    if outside.on_duty is None or not text.about_breach:
        return False
    return outside.on_duty.get(text.text_id, text.staff) != text.staff


def _acknowledged(rows: DeliveryRows, outside: Outside) -> Iterable[str]:
    """Acknowledged by nobody but who answered a text of the alert."""
    replied = {
        (text.reference, text.staff)
        for text in rows.texts
        if (parse_reply(text.body), text.phone) in outside.answered
    }
    answered = [each for each in rows.alerts if each.state != AlertState.OPEN.value]
    unasked = sum((each.reference, each.acknowledged_by) not in replied for each in answered)
    if unasked:
        yield f"{unasked} alert(s) acknowledged by somebody who did not answer"


def _posts(rows: DeliveryRows, outside: Outside) -> Iterable[str]:
    """Nothing forged believed, and receipts only forward."""
    forged = [each for each in outside.posted if not each.good]
    believed = sum(each.status != _FORBIDDEN for each in forged)
    if believed:
        yield f"{believed} forged post(s) not refused"
    kept = sum((each.sid, each.what) in rows.receipts for each in forged)
    if kept:
        yield f"{kept} forged receipt(s) kept"
    good = [each for each in outside.posted if each.good and each.status in _OK]
    delivered = {each.sid for each in good if each.what == "delivered"}
    told = [text for text in rows.texts if text.provider_id in delivered]
    behind = sum(text.delivery not in ("delivered", "read") for text in told)
    if behind:
        yield f"{behind} delivered text(s) not called delivered"
