"""What the wearers of an area are told: the policy in force, and new versions with a reason."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.wearer_messages import WearerPolicy
from navigate_safer.db import audit, wearer_messages
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.wearer_messages import WearerPolicyRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.services.policies import LONGEST_REASON, CannotKeep


class WearerVersion(msgspec.Struct, frozen=True):
    """One version of a policy with who made it and why."""

    version: int
    policy: WearerPolicy
    made_at: datetime
    made_by: str
    reason: str


class AreaPolicy(msgspec.Struct, frozen=True):
    """An area with what its wearers are told; ``newest`` None: nothing was ever switched on."""

    area_id: int
    area: str
    newest: WearerVersion | None


def see_all(sessions: Sessions, scope: Scope) -> list[AreaPolicy]:
    """The scope's areas with their policies; raises Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        newest = {row.area_id: row for row in wearer_messages.newest_policies(session)}
        areas = select(AreaRow).where(AreaRow.id.in_(scope.areas)).order_by(AreaRow.name)
        return [
            AreaPolicy(
                each.id,
                each.name,
                _version(session, newest[each.id]) if each.id in newest else None,
            )
            for each in session.scalars(areas)
        ]


def versions(sessions: Sessions, scope: Scope, area_id: int) -> tuple[str, list[WearerVersion]]:
    """An area's name and every version, newest first; raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        area = _area(session, scope, area_id)
        return area.name, [_version(session, row) for row in _rows(session, area_id)]


def save(
    sessions: Sessions,
    scope: Scope,
    area_id: int,
    policy: WearerPolicy,
    reason: str,
    replaces: int,
    now: datetime,
) -> int:
    """Keep a new version; its number. ``replaces`` is the version it was made from, 0 for none.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.RUN_ALERTING)
    if not reason.strip():
        raise CannotKeep("Enter why the messages are changed")
    with sessions.begin() as session:
        # The area's row is the lock: two supervisors at once must not make the same version.
        _area(session, scope, area_id, lock=True)
        rows = _rows(session, area_id)
        known = rows[0].version if rows else 0
        if known != replaces:
            raise CannotKeep(
                "Somebody changed it meanwhile: open it again and make your change there"
            )
        row = WearerPolicyRow(
            area_id=area_id,
            version=known + 1,
            body=msgspec.to_builtins(policy),
            made_at=now,
            made_by=scope.staff_id,
            reason=reason.strip()[:LONGEST_REASON],
        )
        session.add(row)
        session.flush()
        audit.record(
            session, Act.ALTERATION, "messages to wearers", at=now, actor="staff",
            staff_id=scope.staff_id, subject_kind="area", subject_id=area_id,
            detail={"version": row.version},
        )  # fmt: skip
        return row.version


def _area(session: Session, scope: Scope, area_id: int, *, lock: bool = False) -> AreaRow:
    if area_id not in scope.areas:
        raise NotFound
    query = select(AreaRow).where(AreaRow.id == area_id)
    area = session.scalar(query.with_for_update() if lock else query)
    if area is None:
        raise NotFound
    return area


def _rows(session: Session, area_id: int) -> list[WearerPolicyRow]:
    query = select(WearerPolicyRow).where(WearerPolicyRow.area_id == area_id)
    return list(session.scalars(query.order_by(WearerPolicyRow.version.desc())))


def _version(session: Session, row: WearerPolicyRow) -> WearerVersion:
    maker = session.get_one(StaffRow, row.made_by).name
    return WearerVersion(row.version, row.policy, row.made_at, maker, row.reason)
