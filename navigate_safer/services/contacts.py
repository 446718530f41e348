"""One's own telephone and e-mail: entered, and used only once a code sent there came back.

A new address takes the place of the old one when it is verified, not before: between the two an
officer would be told nothing.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

import msgspec
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import messages
from alerts.delivery import SendError
from navigate_safer.db import audit
from navigate_safer.db.answering import ContactCodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act

# OWASP ASVS 5.0 chapter 6.6 lets a code out of band live ten minutes at most and asks for a limit
# of tries; the two numbers below it are this project's.
CODE_LASTS = timedelta(minutes=10)
MOST_TRIES = 5
MOST_CODES, CODES_WITHIN = 5, timedelta(hours=1)
HOME_REGION = "GB"
LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^\s@<>\"',;:\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_random = secrets.SystemRandom()

# (kind, address, body, reference): hands the code over, or raises SendError.
Post = Callable[["ContactKind", str, str, str], None]


class ContactKind(Enum):
    """What sort of address."""

    PHONE = "phone"
    EMAIL = "email"


class CannotVerify(Exception):
    """An address or a code that is not taken; the message says what to do."""


class Contact(msgspec.Struct, frozen=True):
    """An address as its owner sees it, and what is being verified instead, if anything."""

    address: str | None
    verified_at: datetime | None
    asked: str | None


def see(sessions: Sessions, scope: Scope, now: datetime) -> dict[ContactKind, Contact]:
    """One's own addresses."""
    scope.require(Permission.OWN_ACCOUNT)
    with sessions.begin() as session:
        staff = session.get_one(StaffRow, scope.staff_id)
        asked = {kind: _live(session, scope.staff_id, kind, now) for kind in ContactKind}
        return {
            ContactKind.PHONE: Contact(
                staff.phone, staff.phone_verified_at, _address(asked[ContactKind.PHONE])
            ),
            ContactKind.EMAIL: Contact(
                staff.email, staff.email_verified_at, _address(asked[ContactKind.EMAIL])
            ),
        }


def _address(row: ContactCodeRow | None) -> str | None:
    return None if row is None else row.address


def ask(
    sessions: Sessions, scope: Scope, kind: ContactKind, typed: str, post: Post, now: datetime
) -> None:
    """Send a code to an address; raises :class:`CannotVerify`.

    The code's row is committed before it is sent, so that no code goes out that cannot be used.
    """
    scope.require(Permission.OWN_ACCOUNT)
    address = mobile(typed) if kind is ContactKind.PHONE else _email(typed)
    code = messages.reply_code(_random)
    with sessions.begin() as session:
        # One's own row is the lock: two requests at once must not pass the limit together.
        session.get_one(StaffRow, scope.staff_id, with_for_update=True)
        sent = select(func.count()).where(
            ContactCodeRow.staff_id == scope.staff_id, ContactCodeRow.made_at > now - CODES_WITHIN
        )
        if (session.scalar(sent) or 0) >= MOST_CODES:
            raise CannotVerify("You have asked for many codes: wait an hour")
        row = ContactCodeRow(
            staff_id=scope.staff_id, kind=kind.value, address=address, code_hash=hashed(code),
            made_at=now, expires_at=now + CODE_LASTS, tries=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
        reference = f"check {row.id}"
        _log(session, scope, f"{kind.value} to verify", now)
    try:
        post(kind, address, code_text(code, reference), reference)
    except SendError:
        raise CannotVerify("The code could not be sent: try again in a minute") from None


def code_text(code: str, reference: str) -> str:
    """The message with a code: one GSM-7 part, whatever the reference's number."""
    minutes = int(CODE_LASTS / timedelta(minutes=1))
    return (
        f"Navigate Safer {reference}: your code is {code}. It lasts {minutes} minutes. "
        "Enter it on your account page and give it to nobody."
    )


def verify(sessions: Sessions, scope: Scope, kind: ContactKind, typed: str, now: datetime) -> bool:
    """Take a code back: the address is then one's own. False for a wrong one.

    Raises :class:`CannotVerify` where no code is live any more.
    """
    scope.require(Permission.OWN_ACCOUNT)
    with sessions.begin() as session:
        staff = session.get_one(StaffRow, scope.staff_id, with_for_update=True)
        row = _live(session, scope.staff_id, kind, now)
        if row is None:
            raise CannotVerify("There is no code that still counts: ask for a new one")
        row.tries += 1
        if not matches(row.code_hash, re.sub(r"\s", "", typed)):
            return False
        row.used_at = now
        if kind is ContactKind.PHONE:
            staff.phone, staff.phone_verified_at = row.address, now
            # The code came through: a STOP was taken back, or was of another telephone.
            staff.phone_stopped_at = None
        else:
            staff.email, staff.email_verified_at = row.address, now
        _log(session, scope, f"{kind.value} verified", now)
        return True


def _live(
    session: Session, staff_id: int, kind: ContactKind, now: datetime
) -> ContactCodeRow | None:
    """The newest code, if it still counts; one that is asked for later replaces it."""
    query = (
        select(ContactCodeRow)
        .where(ContactCodeRow.staff_id == staff_id, ContactCodeRow.kind == kind.value)
        .order_by(ContactCodeRow.id.desc())
        .limit(1)
    )
    row = session.scalar(query)
    if row is None or row.used_at is not None or row.expires_at <= now or row.tries >= MOST_TRIES:
        return None
    return row


def mobile(typed: str) -> str:
    """A mobile number as E.164; raises :class:`CannotVerify` for anything else."""
    try:
        number = phonenumbers.parse(typed, HOME_REGION)
    except NumberParseException:
        raise CannotVerify("Enter a mobile number, such as 07700 900123") from None
    kinds = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    # Some carriers read a text to a landline aloud to whoever answers. Ofcom's numbers for
    # invented people are of no kind at all, and reach nobody.
    invented = number.country_code == 44 and str(number.national_number).startswith("7700900")
    if phonenumbers.number_type(number) not in kinds and not invented:
        raise CannotVerify("Enter a mobile number: texts cannot be relied on anywhere else")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(typed: str) -> str:
    address = typed.strip()
    if len(address) > LONGEST_EMAIL or not _EMAIL.fullmatch(address):
        raise CannotVerify("Enter an e-mail address, such as name@example.gov.uk")
    return address


def hashed(code: str, salt: str | None = None) -> str:
    """What the database keeps of a code."""
    salt = salt or secrets.token_hex(8)
    digest = hashlib.scrypt(code.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=20)
    return f"{salt}${digest.hex()}"


def matches(stored: str, code: str) -> bool:
    """Whether a code is the one of which this was kept."""
    salt, _, _ = stored.partition("$")
    return hmac.compare_digest(stored, hashed(code, salt))


def _log(session: Session, scope: Scope, what: str, now: datetime) -> None:
    audit.record(
        session, Act.ALTERATION, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="staff", subject_id=scope.staff_id,
    )  # fmt: skip
