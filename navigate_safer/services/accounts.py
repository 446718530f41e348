"""Sign-in: Argon2 passwords, sessions kept by the server, throttled tries.

Sessions are rows, so that signing out, or making somebody inactive, ends them at once: a signed
cookie alone would stay good until it expires.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db import audit
from navigate_safer.db.audit import SignInRow, WebSessionRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.db.reading import reading
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.account import Act

# After so many failures within the window, an account waits; OWASP ASVS 6.3.1 asks for a limit
# and leaves the numbers to the service.
FAILURES_ALLOWED, FAILURE_WINDOW = 5, timedelta(minutes=15)
# A sign of use is written at most this often, so that reading a page is not a write each time.
SEEN_EVERY = timedelta(seconds=60)
LOOK_WITHIN_S = 5.0
LONGEST_REF = 64

_hasher = PasswordHasher()


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in, with what they may reach as of now."""

    scope: Scope
    staff_ref: str
    name: str
    token_hash: str


class TooManyTries(Exception):
    """The account has failed too often; wait."""


def sign_in(sessions: Sessions, account: str, password: str, now: datetime) -> str | None:
    """A new session's token, or None for a wrong account or password.

    Raises :class:`TooManyTries`, also for accounts that do not exist.
    """
    account = account.strip()[:LONGEST_REF]
    with sessions.begin() as session:
        failures = select(func.count()).where(
            SignInRow.account == account,
            SignInRow.at > now - FAILURE_WINDOW,
            SignInRow.succeeded.is_(False),
        )
        if (session.scalar(failures) or 0) >= FAILURES_ALLOWED:
            raise TooManyTries
        query = select(StaffRow).where(StaffRow.ref == account, StaffRow.active)
        staff = session.scalar(query)
        stored = staff.password_hash if staff else None
    # Hashing takes tens of milliseconds by design: no transaction is held meanwhile.
    good = _verify(stored or _nobody(), password) and stored is not None
    with sessions.begin() as session:
        session.add(SignInRow(at=now, account=account, succeeded=good))
        if not good or staff is None:
            return None
        token = secrets.token_urlsafe(32)
        session.add(
            WebSessionRow(
                token_hash=hash_token(token), staff_id=staff.id, created_at=now, seen_at=now
            )
        )
        return token


def signed_in(
    sessions: Sessions,
    token: str,
    now: datetime,
    *,
    idle: timedelta,
    longest: timedelta,
    used: bool,
) -> SignedIn | None:
    """Whose session a token is, if it is still good; role and areas are read at each request.

    ``used`` False for a page that refreshes by itself: it must not keep a session alive that
    nobody sits before.
    """
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        row = session.get(WebSessionRow, hash_token(token))
        if row is None or row.ended_at is not None:
            return None
        good = now - row.seen_at <= idle and now - row.created_at <= longest
        staff = session.get_one(StaffRow, row.staff_id)
        seen = used and now - row.seen_at > SEEN_EVERY
        if good and staff.active and not seen:
            # Nothing to write: a page that polls must not take the database's write lock.
            return SignedIn(scope_of(session, staff), staff.ref, staff.name, row.token_hash)
    with sessions.begin() as session:
        row = session.get_one(WebSessionRow, hash_token(token))
        if row.ended_at is not None:
            return None
        if now - row.seen_at > idle or now - row.created_at > longest:
            row.ended_at = now
            return None
        staff = session.get_one(StaffRow, row.staff_id)
        if not staff.active:
            row.ended_at = now
            return None
        if seen:
            row.seen_at = now
        return SignedIn(scope_of(session, staff), staff.ref, staff.name, row.token_hash)


def scope_of(session: Session, staff: StaffRow) -> Scope:
    """What a member of staff may reach."""
    areas = select(StaffAreaRow.area_id).where(StaffAreaRow.staff_id == staff.id)
    return Scope(staff.id, Role(staff.role), frozenset(session.scalars(areas)))


def sign_out(sessions: Sessions, token: str, now: datetime) -> None:
    """End a session for good."""
    with sessions.begin() as session:
        row = session.get(WebSessionRow, hash_token(token))
        if row is not None and row.ended_at is None:
            row.ended_at = now


def set_password(sessions: Sessions, account: str, password: str, now: datetime) -> bool:
    """Give an account a password and end its sessions; False when there is no such account."""
    hashed = _hasher.hash(password)
    with sessions.begin() as session:
        staff = session.scalar(select(StaffRow).where(StaffRow.ref == account))
        if staff is None:
            return False
        staff.password_hash = hashed
        audit.record(
            session,
            Act.ALTERATION,
            "password set",
            at=now,
            actor="command line",
            subject_kind="staff",
            subject_id=staff.id,
        )
        query = select(WebSessionRow).where(
            WebSessionRow.staff_id == staff.id, WebSessionRow.ended_at.is_(None)
        )
        for row in session.scalars(query):
            row.ended_at = now
        return True


def phone_of(sessions: Sessions, account: str) -> str | None:
    """The telephone number of an account; never to be shown or logged."""
    with sessions.begin() as session:
        return session.scalar(select(StaffRow.phone).where(StaffRow.ref == account))


def hash_token(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _nobody() -> str:
    """Verified when there is no such account, so that the answer takes as long as for one."""
    return _hasher.hash(secrets.token_hex())


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
