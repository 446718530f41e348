"""A wearer's telephone: entered by the offender manager, verified, and shown to nobody again.

It is used once it is verified: by a code that the wearer reads out to the officer, or by an officer
who has called the number and says so in words. Pages show its last three digits.
"""

import re
import secrets
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import messages
from alerts.delivery import SendError
from alerts.wearer_messages import Phone
from alerts.wearer_words import masked
from navigate_safer.db import audit, wearer_messages
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.db.wearer_messages import WearerCodeRow, WearerContactRow, WearerLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.services.contacts import (
    CODE_LASTS,
    CODES_WITHIN,
    MOST_CODES,
    MOST_TRIES,
    CannotVerify,
    ContactKind,
    Post,
    hashed,
    matches,
    mobile,
)

LONGEST_WORDS = 1_000
MOST_SHOWN = 50
BY_CODE, BY_OFFICER = "code", "officer"
_random = secrets.SystemRandom()


class WearerContact(msgspec.Struct, frozen=True):
    """A number as pages show it: masked, with how it was verified and whether STOP came."""

    masked: str
    known: Phone
    entered_at: datetime
    verified_at: datetime | None
    verified_by: str | None
    verified_how: str | None
    stopped_at: datetime | None
    code_asked: bool


class WearerPage(msgspec.Struct, frozen=True):
    """A wearer with the number, if any, and what he was told."""

    ref: str
    name: str
    contact: WearerContact | None
    lines: list[WearerLine]


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> WearerPage:
    """The page of one wearer; raises :class:`NotFound`, Forbidden. It is logged."""
    scope.require(Permission.ACT_ON_ALERTS)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref)
        _log(session, scope, Act.CONSULTATION, "messages to the wearer", wearer.id, now)
        row = session.get(WearerContactRow, wearer.id)
        contact = None if row is None else _shown(session, row, now)
        lines = wearer_messages.of_wearer(session, wearer.id, MOST_SHOWN)
        return WearerPage(wearer.ref, wearer.name, contact, lines)


def _shown(session: Session, row: WearerContactRow, now: datetime) -> WearerContact:
    by = None if row.verified_by is None else session.get_one(StaffRow, row.verified_by).name
    live = wearer_messages.live_code(session, row.wearer_id, now, MOST_TRIES)
    return WearerContact(
        masked=masked(row.phone),
        known=row.known,
        entered_at=row.entered_at,
        verified_at=row.verified_at,
        verified_by=by,
        verified_how=row.verified_how,
        stopped_at=row.stopped_at,
        code_asked=live is not None and live.phone == row.phone,
    )


def enter(sessions: Sessions, scope: Scope, ref: str, typed: str, now: datetime) -> None:
    """Keep a number, not verified; raises :class:`CannotVerify`, :class:`NotFound`, Forbidden.

    The one before is used no more at once: it may be somebody else's by now.
    """
    scope.require(Permission.CONTACT_WEARERS)
    phone = mobile(typed)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref, lock=True)
        if session.scalar(select(StaffRow.id).where(StaffRow.phone == phone).limit(1)) is not None:
            raise CannotVerify("This is the number of a member of staff: enter the wearer's own")
        row = session.get(WearerContactRow, wearer.id)
        if row is None:
            row = WearerContactRow(wearer_id=wearer.id)
            session.add(row)
        # STOP was said of a number: the same one typed again does not take it back.
        row.stopped_at = row.stopped_at if row.phone == phone else None
        row.phone, row.entered_at, row.entered_by = phone, now, scope.staff_id
        row.verified_at = row.verified_by = row.verified_how = row.verified_words = None
        _log(session, scope, Act.ALTERATION, "wearer's number entered", wearer.id, now)


def send_code(sessions: Sessions, scope: Scope, ref: str, post: Post, now: datetime) -> None:
    """Send a code to the number; raises :class:`CannotVerify`, :class:`NotFound`, Forbidden.

    The code's row is committed before it is sent, so that no code goes out that cannot be used.
    """
    scope.require(Permission.CONTACT_WEARERS)
    code = messages.reply_code(_random)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref, lock=True)
        contact = _contact(session, wearer)
        if wearer_messages.codes_since(session, wearer.id, now - CODES_WITHIN) >= MOST_CODES:
            raise CannotVerify("Many codes were sent to this wearer: wait an hour")
        phone = contact.phone
        row = WearerCodeRow(
            wearer_id=wearer.id, phone=phone, code_hash=hashed(code),
            made_at=now, expires_at=now + CODE_LASTS, tries=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
        reference = f"check {row.id}"
        _log(session, scope, Act.DISCLOSURE, "code to the wearer's number", wearer.id, now)
    try:
        post(ContactKind.PHONE, phone, code_text(code, reference), reference)
    except SendError:
        raise CannotVerify("The code could not be sent: try again in a minute") from None


def code_text(code: str, reference: str) -> str:
    """The message with a code: one GSM-7 part that says nothing of any order."""
    minutes = int(CODE_LASTS.total_seconds() // 60)
    return (
        f"Your code is {code}. Read it out to your officer. It lasts {minutes} minutes. "
        f"Ref {reference}"
    )


def verify(sessions: Sessions, scope: Scope, ref: str, typed: str, now: datetime) -> bool:
    """Take a code back that the wearer has read out; False for a wrong one.

    Raises :class:`CannotVerify` where no code counts any more, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.CONTACT_WEARERS)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref, lock=True)
        contact = _contact(session, wearer)
        row = wearer_messages.live_code(session, wearer.id, now, MOST_TRIES)
        if row is None or row.phone != contact.phone:
            raise CannotVerify("There is no code that still counts: send a new one")
        row.tries += 1
        if not matches(row.code_hash, re.sub(r"\s", "", typed)):
            return False
        row.used_at = now
        _verified(session, scope, contact, BY_CODE, None, now)
        return True


def confirm(sessions: Sessions, scope: Scope, ref: str, words: str, now: datetime) -> None:
    """Say that the number is the wearer's, and how one knows.

    Raises :class:`CannotVerify` without words, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.CONTACT_WEARERS)
    if not words.strip():
        raise CannotVerify("Say how you know that it is the wearer's number")
    with sessions.begin() as session:
        contact = _contact(session, _wearer(session, scope, ref, lock=True))
        _verified(session, scope, contact, BY_OFFICER, words.strip()[:LONGEST_WORDS], now)


def _verified(
    session: Session,
    scope: Scope,
    contact: WearerContactRow,
    how: str,
    words: str | None,
    now: datetime,
) -> None:
    contact.verified_at, contact.verified_by = now, scope.staff_id
    contact.verified_how, contact.verified_words = how, words
    _log(session, scope, Act.ALTERATION, f"wearer's number verified by {how}", contact.wearer_id,
         now)  # fmt: skip


def remove(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> bool:
    """Forget a number; False where there is none. Raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.CONTACT_WEARERS)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref, lock=True)
        row = session.get(WearerContactRow, wearer.id)
        if row is None:
            return False
        session.delete(row)
        codes = select(WearerCodeRow).where(WearerCodeRow.wearer_id == wearer.id)
        for code in session.scalars(codes):
            session.delete(code)
        _log(session, scope, Act.ERASURE, "wearer's number", wearer.id, now)
        return True


def _contact(session: Session, wearer: WearerRow) -> WearerContactRow:
    row = session.get(WearerContactRow, wearer.id)
    if row is None:
        raise CannotVerify("Enter the wearer's number first")
    return row


def _wearer(session: Session, scope: Scope, ref: str, *, lock: bool = False) -> WearerRow:
    query = select(WearerRow).where(WearerRow.ref == ref, WearerRow.area_id.in_(scope.areas))
    wearer = session.scalar(query.with_for_update() if lock else query)
    if wearer is None:
        raise NotFound
    return wearer


def _log(
    session: Session, scope: Scope, act: Act, what: str, wearer_id: int, now: datetime
) -> None:
    audit.record(
        session, act, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="wearer", subject_id=wearer_id,
    )  # fmt: skip
