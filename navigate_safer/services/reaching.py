"""Whom an alert reaches now: by the next step of its plan, or else by any way there is."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import routing
from alerts.finding import FindingKind, Severity
from alerts.policy import Person, Plan, Step, Target, receivers
from alerts.rota import on_duty
from navigate_safer.db import telling
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.telling import RotaRow
from zones.bank_holidays import is_bank_holiday

Way = tuple[Step, list[Person], str]
"""A step, who it reaches, and in words why them."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def next_way(
    session: Session, alert: AlertRow, plan: Plan, kind: FindingKind | None, now: datetime
) -> tuple[Way | None, list[str]]:
    """Whom the next step reaches, and the steps passed over because they reach nobody, in words.

    The alert moves on past them. Where none reaches anybody, whoever can be reached at all; None
    where nobody can be. ``kind`` as of :func:`alerts.routing.roles_for`.
    """
    people = telling.people(session, alert.area_id)
    missed: list[str] = []
    for step in plan.left(alert.next_step):
        found, why = receivers(step, who_is_on(session, [step], now), people)
        alert.next_step += 1
        if found:
            return (step, found, why), missed
        missed.append(f"step {alert.next_step} reaches nobody by {step.channel.label}")
    return _any_way(session, alert, plan, people, kind, now), missed


def _any_way(
    session: Session,
    alert: AlertRow,
    plan: Plan,
    people: Sequence[Person],
    kind: FindingKind | None,
    now: datetime,
) -> Way | None:
    """Who is reached by any step of the plan, or would be without a policy, worked out anew.

    Of several the one who was told of this alert longest ago, or never.
    """
    built_in = routing.plan(Severity(alert.severity), people, routing.roles_for(kind))
    steps = (*plan.steps, *built_in.steps)
    on_rota = who_is_on(session, steps, now)
    ways = [(step, one) for step in steps for one in receivers(step, on_rota, people)[0]]
    told = _told(session, alert)

    def last_told(way: tuple[Step, Person]) -> datetime:
        step, person = way
        return told.get((person.staff_id, step.channel.value), _NEVER)

    chosen = min(ways, key=last_told, default=None)
    return None if chosen is None else (chosen[0], [chosen[1]], "whoever can be reached")


def _told(session: Session, alert: AlertRow) -> dict[tuple[int, str], datetime]:
    """When each person was last told of an alert by each channel."""
    query = (
        select(TextRow.staff_id, TextRow.channel, func.max(TextRow.created_at))
        .where(TextRow.alert_id == alert.id)
        .group_by(TextRow.staff_id, TextRow.channel)
    )
    return {(staff_id, channel): at for staff_id, channel, at in session.execute(query)}


def who_is_on(session: Session, steps: Iterable[Step], at: datetime) -> dict[int, int | None]:
    """Who is on duty on each rota that the steps name."""
    named = {each.rota_id for each in steps if each.target is Target.ROTA}
    ids = [each for each in named if each is not None]
    if not ids:
        return {}
    return {row.id: on_duty_now(session, row, at) for row in telling.active_rotas(session, ids)}


def on_duty_now(session: Session, row: RotaRow, at: datetime) -> int | None:
    """Who is on duty on one rota at an instant."""
    just_after = at + timedelta(microseconds=1)
    rota = telling.rota(session, row, at, just_after)
    return on_duty(rota, at, holidays(row.timezone, at, just_after))


def holidays(timezone: str, from_at: datetime, until_at: datetime) -> Collection[date]:
    """The bank holidays that a stretch touches on the calendar of a place."""
    zone = ZoneInfo(timezone)
    first, last = (each.astimezone(zone).toordinal() for each in (from_at, until_at))
    days = (date.fromordinal(each) for each in range(first, last + 1))
    return frozenset(day for day in days if is_bank_holiday(day))
