"""Make a silence, approve it, end it, and see what it hid. Nothing is ever discarded by one."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind
from alerts.silences import Reason, Silence, SilenceFault, SilenceKind
from navigate_safer.db import audit, silenced, telling
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import ConditionRow, DeviceRow, GatewayRow, OrderRow, WearerRow
from navigate_safer.db.silenced import HiddenAlert, Meanwhile, SilenceLine
from navigate_safer.db.telling import SilenceRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound

LONGEST_WORDS = 1_000
SUBJECTS = ("wearer", "device", "gateway", "condition")


class CannotSilence(Exception):
    """A silence that is not made, approved or ended; the message says why and what to do."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is not to be told, for how long and why; ``subject`` is one of :data:`SUBJECTS`."""

    kind: SilenceKind
    subject: str
    ref: str
    kinds: frozenset[FindingKind] | None
    from_at: datetime
    until_at: datetime
    reason: Reason
    words: str


class SilencePage(msgspec.Struct, frozen=True):
    """One silence, the alerts that it held back, and what else went on meanwhile."""

    line: SilenceLine
    hidden: list[HiddenAlert]
    meanwhile: list[Meanwhile]


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> list[SilenceLine]:
    """The silences of the scope's areas; raises Forbidden."""
    with sessions.begin() as session:
        rows = session.scalars(select(SilenceRow).where(SilenceRow.area_id.in_(scope.areas)))
        second = [row.id for row in rows if telling.silence(row).needs_second_person]
        lines = silenced.lines(session, scope, second)
        _log(session, scope, Act.CONSULTATION, "silences", None, now)
        return lines


def see(sessions: Sessions, scope: Scope, number: int, now: datetime) -> SilencePage:
    """One silence; raises :class:`NotFound`, Forbidden."""
    with sessions.begin() as session:
        row = _find(session, scope, number)
        _log(session, scope, Act.CONSULTATION, "silence", number, now)
        needs = telling.silence(row).needs_second_person
        return SilencePage(
            silenced.line(session, row, needs),
            silenced.hidden(session, scope, row),
            silenced.meanwhile(session, scope, row, now),
        )


def make(sessions: Sessions, scope: Scope, wanted: Wanted, now: datetime) -> int:
    """Make it; its number. Raises :class:`CannotSilence`, Forbidden.

    What could mute a breach of a zone does not do so until somebody else has approved it.
    """
    scope.require(Permission.ACT_ON_ALERTS)
    if wanted.until_at <= now:
        raise CannotSilence("It must end in the future")
    from_at = max(wanted.from_at, now)
    with sessions.begin() as session:
        about, area_id = _subject(session, scope, wanted, now)
        made = _checked(scope, wanted, about, from_at)
        kinds = None if made.kinds is None else sorted(each.value for each in made.kinds)
        row = SilenceRow(
            kind=made.kind.value,
            from_at=from_at,
            until_at=made.until_at,
            author_id=scope.staff_id,
            made_at=now,
            reason=made.reason.value,
            words=made.words.strip()[:LONGEST_WORDS],
            kinds=kinds,
            area_id=area_id,
            **about,
        )
        session.add(row)
        session.flush()
        _log(session, scope, Act.ALTERATION, "silence made", row.id, now)
        return row.id


def _checked(scope: Scope, wanted: Wanted, about: dict[str, int], from_at: datetime) -> Silence:
    try:
        return Silence(
            number=0,
            kind=wanted.kind,
            from_at=from_at,
            until_at=wanted.until_at,
            author_id=scope.staff_id,
            reason=wanted.reason,
            words=wanted.words,
            kinds=wanted.kinds,
            **about,
        )
    except SilenceFault as fault:
        raise CannotSilence(str(fault).capitalize()) from None


def approve(sessions: Sessions, scope: Scope, number: int, now: datetime) -> bool:
    """Agree to it as the second person; False where it is over or approved.

    Raises :class:`CannotSilence` for its author, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = _find(session, scope, number, lock=True)
        if row.author_id == scope.staff_id:
            raise CannotSilence("Somebody else must approve it: ask a colleague")
        if row.approved_by is not None or row.ended_at is not None or row.until_at <= now:
            return False
        row.approved_by, row.approved_at = scope.staff_id, now
        _log(session, scope, Act.ALTERATION, "silence approved", row.id, now)
        return True


def end(sessions: Sessions, scope: Scope, number: int, now: datetime) -> bool:
    """End it now; False where it is over. What it holds back is due at once.

    The next tick tells what is still going on, and leaves what is over on the board.
    """
    with sessions.begin() as session:
        row = _find(session, scope, number, lock=True)
        if row.ended_at is not None or row.until_at <= now:
            return False
        row.ended_at, row.ended_by = now, scope.staff_id
        for alert in silenced.to_tell(session, row.id):
            alert.next_step_at = now
        _log(session, scope, Act.ALTERATION, "silence ended", row.id, now)
        return True


def _find(session: Session, scope: Scope, number: int, *, lock: bool = False) -> SilenceRow:
    scope.require(Permission.ACT_ON_ALERTS)
    query = select(SilenceRow).where(SilenceRow.id == number, SilenceRow.area_id.in_(scope.areas))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


def _subject(
    session: Session, scope: Scope, wanted: Wanted, now: datetime
) -> tuple[dict[str, int], int]:
    """The column that names the subject, and its area; what is elsewhere is not there."""
    unknown = CannotSilence(f"There is no {wanted.subject} {wanted.ref.strip()!r} in your areas")
    areas: set[int] = set()
    found: int | None = None
    ref = wanted.ref.strip()
    if wanted.subject == "wearer":
        wearer = session.scalar(select(WearerRow).where(WearerRow.ref == ref))
        found, areas = (wearer.id, {wearer.area_id}) if wearer else (None, set())
    elif wanted.subject == "condition":
        found, areas = _condition(session, ref)
    else:
        table = DeviceRow if wanted.subject == "device" else GatewayRow
        found = session.scalar(select(table.id).where(table.ref == ref))
        column = DeviceRow.id if wanted.subject == "device" else DeviceRow.gateway_id
        areas = set() if found is None else silenced.areas_of_devices(session, column == found, now)
    # A gateway of several areas would be silenced for people whom nobody here answers for.
    if found is None or not areas or not areas <= scope.areas:
        raise unknown
    return {f"{wanted.subject}_id": found}, min(areas)


def _condition(session: Session, ref: str) -> tuple[int | None, set[int]]:
    query = (
        select(ConditionRow.id, WearerRow.area_id)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .join(WearerRow, WearerRow.id == OrderRow.wearer_id)
        .where(ConditionRow.ref == ref)
        .order_by(ConditionRow.version.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return (None, set()) if row is None else (row.id, {row.area_id})


def _log(
    session: Session, scope: Scope, act: Act, what: str, number: int | None, now: datetime
) -> None:
    audit.record(
        session,
        act,
        what,
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="silence",
        subject_id=number,
    )
