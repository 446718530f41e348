"""What the rows say of the parts that telling depends on: providers, the tick, gateways."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.delivery import Fault
from alerts.policy import Channel
from alerts.providers import HealthLimits
from navigate_safer.db import providers
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextRow
from navigate_safer.db.gateway_minutes import GatewayMinuteRow
from navigate_safer.db.operations import BEAT_STALE
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow
from navigate_safer.db.providers import ProviderShiftRow, ProviderWeightRow
from navigate_safer.db.telemetry import HeartbeatRow

# How far back calls to providers are looked at: one that refused us and has had no traffic since is
# still wrong, and the table of calls only grows. Policy of this project, version 1.
CALLS_SEEN = timedelta(hours=6)
SMS = Channel.SMS.value
# A step is told within a second; what is so late is told within the minute that is the project's
# bar, with the five seconds of the watch.
STEP_STALE = timedelta(seconds=45)


class ProviderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One provider in the last hours.

    ``ours`` has the newest call that failed for a reason which whoever runs the service must mend,
    by reason; ``failed`` counts the calls of the last minute that failed at the provider.
    ``points`` of a hundred is None where it shares its channel with nobody; ``moved`` says why and
    when they moved last.
    """

    name: str
    channels: frozenset[str] = frozenset()
    accepted_at: datetime | None = None
    ours: dict[Fault, datetime] = {}
    failed: int = 0
    points: int | None = None
    moved: tuple[datetime, str] | None = None


class GatewayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that says it is online; ``newest_at`` is the newest minute with a message."""

    gateway_id: int
    ref: str
    devices: int
    online_since: datetime | None
    newest_at: datetime | None


class PartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All of them. No case data.

    ``listening_since``: since when intake has been connected, if it is (real time).
    """

    providers: list[ProviderFacts] = []
    gateways: list[GatewayFacts] = []
    listening_since: datetime | None = None
    steps_overdue: int = 0


def facts(session: Session, now: datetime, wall_now: datetime) -> PartFacts:
    """Read them; ``now`` is the service's clock, ``wall_now`` real time."""
    listening = select(func.min(HeartbeatRow.connected_since)).where(
        HeartbeatRow.worker == "ingest", HeartbeatRow.at >= wall_now - BEAT_STALE
    )
    overdue = select(func.count()).where(AlertRow.next_step_at < now - STEP_STALE)
    return PartFacts(
        providers=_providers(session, now),
        gateways=_gateways(session),
        listening_since=session.scalar(listening),
        steps_overdue=session.scalar(overdue) or 0,
    )


def _providers(session: Session, now: datetime) -> list[ProviderFacts]:
    calls = (
        select(
            TextAttemptRow.provider,
            TextRow.channel,
            TextAttemptRow.outcome,
            func.max(TextAttemptRow.finished_at),
        )
        .join(TextRow, TextRow.id == TextAttemptRow.text_id)
        .where(TextAttemptRow.finished_at > now - CALLS_SEEN, TextAttemptRow.provider.is_not(None))
        .group_by(TextAttemptRow.provider, TextRow.channel, TextAttemptRow.outcome)
    )
    channels = dict[str, set[str]]()
    newest = dict[str, dict[str, datetime]]()
    for name, channel, outcome, at in session.execute(calls):
        if name is None or at is None:
            continue
        channels.setdefault(name, set()).add(channel)
        of_name = newest.setdefault(name, {})
        of_name[outcome or ""] = max(at, of_name.get(outcome or "", at))
    weights = {row.provider: row for row in session.scalars(select(ProviderWeightRow))}
    lately = now - timedelta(seconds=HealthLimits().error_window_s)
    errors = providers.failed_since(session, lately)
    return [
        ProviderFacts(
            name=name,
            # Weights are shared among providers of texts alone.
            channels=frozenset(channels.get(name, set()) | ({SMS} if name in weights else set())),
            accepted_at=newest.get(name, {}).get("accepted"),
            ours=_ours(newest.get(name, {})),
            failed=errors.get(name, 0),
            points=weights[name].points if name in weights else None,
            moved=_moved(session, name) if name in weights else None,
        )
        for name in sorted({*newest, *weights})
    ]


def _ours(newest: dict[str, datetime]) -> dict[Fault, datetime]:
    return {
        fault: newest[fault.value]
        for fault in Fault
        if fault.is_our_fault and fault.value in newest
    }


def _moved(session: Session, name: str) -> tuple[datetime, str] | None:
    """When and why the weight of a provider moved last."""
    query = (
        select(ProviderShiftRow.at, ProviderShiftRow.shift)
        .where(ProviderShiftRow.provider == name)
        .order_by(ProviderShiftRow.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    return None if row is None else (row.at, row.shift)


def _gateways(session: Session) -> list[GatewayFacts]:
    """Those that say they are online, and through which somebody's device is to report."""
    row = GatewayMinuteRow
    minutes = select(row.gateway, func.max(row.minute_at)).group_by(row.gateway)
    newest = dict(session.execute(minutes).all())
    query = (
        select(GatewayRow.id, GatewayRow.ref, GatewayRow.status_at, func.count())
        .join(DeviceRow, DeviceRow.gateway_id == GatewayRow.id)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .where(GatewayRow.online.is_(True), FittingRow.removed_at.is_(None))
        .group_by(GatewayRow.id, GatewayRow.ref, GatewayRow.status_at)
        .order_by(GatewayRow.id)
    )
    return [
        GatewayFacts(
            gateway_id=gateway_id,
            ref=ref,
            devices=devices,
            online_since=since,
            newest_at=newest.get(ref),
        )
        for gateway_id, ref, since, devices in session.execute(query)
    ]
