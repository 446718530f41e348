"""What intake must know of each device that reports, and what it writes of each after a batch."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Text, bindparam, cast, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from alerts.finding import Finding, FindingKind
from alerts.judge import FindingKey
from devices.columns import Flags, Ints
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.among import Keyed
from navigate_safer.db.base import READ_ONLY, Sessions
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.telemetry import DeviceLatestRow, JudgementRow, PendingRow


class Latest(msgspec.Struct, frozen=True):
    """The newest of some devices, in columns, in the order of ``device_id``.

    Written where the stored turn is still ``turn`` and the last position is still that of
    ``seen_us``, which is before ``position_us``. ``calm`` replaces what is stored where ``kept``
    is False. Times are microseconds since 1970, UTC; ``accuracy`` and ``fix_quality`` are packed
    as in ``fixes``.
    """

    device_id: Ints
    turn: Ints
    seen_us: Ints
    received_us: Ints
    position_us: Ints
    lat_e7: Ints
    lon_e7: Ints
    accuracy: Ints
    fix_quality: Ints
    kept: Flags
    calm: list[str | None]


class Saved(msgspec.Struct, frozen=True):
    """A fitting's states after a batch, to be written over ``version``; ``states`` is JSON.

    Written only where what is newest of ``device_id`` is written with it.
    """

    device_id: int
    fitting_id: int
    version: int
    through_us: int
    states: str
    check_after: datetime | None
    quiet_s: int | None
    ends_at: datetime | None


class Settled(NamedTuple):
    """The devices whose newest was written, and the fittings whose states were."""

    devices: set[int]
    fittings: set[int]


class Noted(msgspec.Struct, frozen=True):
    """A batch's figures: counts, when its first message came, and when it was stored."""

    received_at: datetime
    at: datetime
    messages: int
    stored: int
    repeated: int
    refused: int
    devices: int


class Marks(msgspec.Struct, frozen=True):
    """Pending marks to be left: devices, the earliest of their readings to be judged, and now."""

    device_id: Ints
    earliest_us: Ints
    marked_us: Ints


class Kept(msgspec.Struct, frozen=True):
    """A checkpoint: states as JSON, after the readings up to ``at``."""

    fitting_id: int
    at: datetime
    states: str


class Reporting(NamedTuple):
    """A registered device: its present fitting, its last position, how its judgement stands.

    Ids are 0 where there is none; ``fitting_id`` also where more than one fitting is open. Times
    are microseconds since 1970. ``fit``: it has a position and a judgement, and every stored
    reading has been judged whose time has come. The rest is packed as in ``device_latest``.
    """

    device: str
    device_id: int
    gateway_id: int
    fitting_id: int
    fitted_us: int
    fit: bool
    turn: int
    position_us: int
    received_us: int
    lat_e7: int
    lon_e7: int
    accuracy: int
    quality: int
    calm: str | None


# One row a device and open fitting, in the order of :class:`Reporting`. ``{…_us}`` is how the
# database gives a time as microseconds, ``{which}`` chooses devices.
REPORTING = """
select d.ref, d.id, coalesce(d.gateway_id, 0), coalesce(f.id, 0), {fitted_us},
       case when f.id is not null and l.position_at is not null and j.through is not null
             and not exists (select 1 from pending_judgements p where p.device_id = d.id
                  and (p.not_before is null or p.not_before <= {now} or p.failures > 0))
            then 1 else 0 end,
       coalesce(l.turn, 0), {position_us}, {received_us}, coalesce(l.lat_e7, 0),
       coalesce(l.lon_e7, 0), coalesce(l.accuracy, 0), coalesce(l.fix_quality, 0), l.calm
  from devices d
  left join fittings f on f.device_id = d.id and f.removed_at is null
  left join judgements j on j.fitting_id = f.id
  left join device_latest l on l.device_id = d.id
 where {which}
"""


def last_of_next(session: Session, after: int, most: int) -> int | None:
    """The last of the next ``most`` devices by id, None where there is none after that one."""
    following = select(DeviceRow.id).where(DeviceRow.id > after).order_by(DeviceRow.id).limit(most)
    last: int | None = session.scalar(select(func.max(following.subquery().c.id)))
    return last


def gateways(session: Session) -> dict[str, int]:
    """Every registered gateway's id by its name."""
    return dict(session.execute(select(GatewayRow.ref, GatewayRow.id)).all())


_SILENT = exists().where(
    EpisodeRow.fitting_id == JudgementRow.fitting_id,
    EpisodeRow.kind == FindingKind.SILENCE.value,
    EpisodeRow.ended_at.is_(None),
    EpisodeRow.withdrawn.is_(False),
)
# Made once: putting such a query together costs more than asking it.
_OPEN = (EpisodeRow.ended_at.is_(None), EpisodeRow.withdrawn.is_(False))
_JUDGEMENTS = Keyed(
    lambda among: select(
        JudgementRow.fitting_id,
        JudgementRow.version,
        JudgementRow.through,
        cast(JudgementRow.states, Text).label("states"),
        exists().where(EpisodeRow.fitting_id == JudgementRow.fitting_id, *_OPEN).label("in_breach"),
    ).where(among(JudgementRow.fitting_id, "fittings"), ~_SILENT)
)


def judgements(session: Session, fitting_ids: Collection[int]) -> Sequence[Any]:
    """The stored states of fittings as they are now: id, version, through, JSON, in breach.

    Without those that are called silent: what they measure may show that they never were.
    """
    return _JUDGEMENTS.ask(session.connection(), fittings=list(fitting_ids)).all()


_EPISODES = Keyed(
    lambda among: select(
        EpisodeRow.fitting_id, EpisodeRow.condition_id, EpisodeRow.kind, EpisodeRow.started_at
    ).where(among(EpisodeRow.fitting_id, "fittings"), *_OPEN)
)


def open_episodes(session: Session, fitting_ids: Collection[int]) -> dict[int, set[FindingKey]]:
    """The keys of the episodes of fittings that go on, those that are known."""
    found: dict[int, set[FindingKey]] = {}
    rows = _EPISODES.ask(session.connection(), fittings=list(fitting_ids))
    for fitting_id, condition_id, kind, started_at in rows:
        found.setdefault(fitting_id, set()).add((condition_id, kind, started_at))
    return found


_GOES_ON = (
    update(EpisodeRow)
    .where(
        EpisodeRow.fitting_id == bindparam("of_fitting"),
        EpisodeRow.condition_id == bindparam("of_condition"),
        EpisodeRow.kind == bindparam("of_kind"),
        EpisodeRow.started_at == bindparam("of_start"),
        *_OPEN,
    )
    .values(evidence=bindparam("evidence_now"))
)


def say_goes_on(session: Session, fitting_id: int, findings: Iterable[Finding]) -> bool:
    """Write the newest evidence of episodes that go on; whether each was there and open."""
    rows = [
        {
            "of_fitting": fitting_id,
            "of_condition": each.condition_id,
            "of_kind": each.kind.value,
            "of_start": each.started_at,
            "evidence_now": dict(each.evidence),
        }
        for each in findings
    ]
    written = session.connection().execute(_GOES_ON, rows)
    return written.rowcount == len(rows)


def newest_turns(session: Session, device_ids: Collection[int]) -> dict[int, int]:
    """The turn of each device."""
    query = select(DeviceLatestRow.device_id, DeviceLatestRow.turn)
    rows = session.execute(query.where(DeviceLatestRow.device_id.in_(device_ids)))
    return dict(rows.all())


_WAITING = (
    select(literal(1))
    .select_from(PendingRow)
    .where(or_(PendingRow.not_before.is_(None), PendingRow.not_before <= bindparam("now")))
    .limit(1)
)


def something_waits(sessions: Sessions, now: datetime) -> bool:
    """Whether any device has a mark whose time has come; takes no lock."""
    with sessions() as session:
        connection = session.connection(execution_options={READ_ONLY: True})
        return connection.scalar(_WAITING, {"now": now}) is not None


_SAY_CALM = (
    update(DeviceLatestRow)
    .where(
        DeviceLatestRow.device_id.in_(
            select(DeviceLatestRow.device_id)
            .where(
                DeviceLatestRow.device_id == bindparam("device"),
                DeviceLatestRow.turn == bindparam("turn_then"),
            )
            .with_for_update(skip_locked=True)
        )
    )
    .values(calm=bindparam("calm_now"))
)


def say_calm(session: Session, device_id: int, turn: int, calm: str | None) -> None:
    """Store where a device is calm, unless its turn has gone on meanwhile.

    Not where somebody holds the row: intake takes this row before a fitting's judgement, and the
    caller has the judgement. It says itself where the device is calm, or leaves a mark.
    """
    asked = {"device": device_id, "turn_then": turn, "calm_now": calm}
    session.connection().execute(_SAY_CALM, asked)


class BeingWritten(Exception):
    """Intake is writing a batch of the device at this moment."""


def turn_on(session: Session, device_id: int, *, wait: bool = False) -> datetime | None:
    """What intake has at hand about the device's judgement is no longer so.

    Gives back when the device was last heard, as it stands with this row held; None where it never
    was. Raises :class:`BeingWritten` rather than wait: intake takes this row before a fitting's
    judgement, and each would wait for the other where the caller holds that. Who holds none yet may
    ``wait``, the some milliseconds of a batch; of several devices in order of id, as intake does.
    """
    row = select(DeviceLatestRow.device_id).where(DeviceLatestRow.device_id == device_id)
    if session.scalar(row.with_for_update(skip_locked=not wait)) is None:
        if session.scalar(row) is not None:
            raise BeingWritten
        return None
    return session.scalar(
        update(DeviceLatestRow)
        .where(DeviceLatestRow.device_id == device_id)
        .values(calm=None, turn=DeviceLatestRow.turn + 1)
        .returning(DeviceLatestRow.measured_at)
    )
