"""Judge what intake has stored: gather a device's readings, run the rules, apply the decisions.

One transaction per device: states, episodes, alerts, first texts and the end of the pending mark
are saved together. Readings that come late are judged again from the last checkpoint before
them, so that the episodes depend on the readings and not on their order of arrival.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from alerts import judge as judging
from alerts.decide import Known, decide
from alerts.finding import Finding, FindingKind
from alerts.judge import FindingKey, Outcome, States
from devices.readings import Reading, order_key
from navigate_safer.db import readings, terms
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.telemetry import CheckpointRow, JudgementRow, PendingRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import episodes
from navigate_safer.services.alerting import Voice

# One checkpoint for each hour of readings: late data costs at most an hour of judging again on
# top of its own length.
CHECKPOINT_EVERY = timedelta(hours=1)
# Clocks of devices may be so far ahead of ours without remark.
AHEAD = timedelta(seconds=60)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=5)


class Judged(msgspec.Struct, frozen=True):
    """What judging one device came to."""

    device_id: int
    readings: int
    opened: int
    failed: str | None = None


def judge_next(sessions: Sessions, now: datetime, voice: Voice) -> Judged | None:
    """Judge the device that has waited longest and commit; None when nothing is waiting.

    A rule that fails leaves the device's readings pending, with the fault noted, and is tried
    again later: intake and the other devices go on.
    """
    device_id = None
    try:
        with sessions.begin() as session:
            device_id = _claim(session, now)
            if device_id is None:
                return None
            return _judge_device(session, device_id, now, voice)
    except Exception as fault:
        if device_id is None:
            raise
        _postpone(sessions, device_id, now, fault)
        return Judged(device_id, 0, 0, failed=f"{type(fault).__name__}: {fault}")


def _claim(session: Session, now: datetime) -> int | None:
    """Lock the device of the oldest pending mark that nobody else is at work on."""
    due = or_(PendingRow.not_before.is_(None), PendingRow.not_before <= now)
    oldest = (
        select(PendingRow.device_id, func.min(PendingRow.id).label("first"))
        .where(due)
        .group_by(PendingRow.device_id)
        .subquery()
    )
    return session.scalar(
        select(DeviceRow.id)
        .join(oldest, oldest.c.device_id == DeviceRow.id)
        .order_by(oldest.c.first)
        .limit(1)
        # Not a full update lock: intake's foreign keys must not wait for judgement.
        .with_for_update(of=DeviceRow, skip_locked=True, key_share=True)
    )


def _postpone(sessions: Sessions, device_id: int, now: datetime, fault: Exception) -> None:
    with sessions.begin() as session:
        for row in session.scalars(select(PendingRow).where(PendingRow.device_id == device_id)):
            row.not_before = now + min(FIRST_RETRY * 2 ** min(row.failures, 10), LONGEST_RETRY)
            row.failures += 1
            row.fault = f"{type(fault).__name__}: {fault}"[:500]


def _judge_device(session: Session, device_id: int, now: datetime, voice: Voice) -> Judged:
    marks = session.scalars(select(PendingRow).where(PendingRow.device_id == device_id)).all()
    earliest_at = min(mark.earliest_at for mark in marks)
    horizon = now + AHEAD
    taken = opened = 0
    for fitting in terms.fittings_of_device(session, device_id):
        removed_at = fitting.fitting.removed_at
        if removed_at is None or earliest_at < removed_at:
            count, new = _judge_fitting(session, fitting, earliest_at, now, voice)
            taken, opened = taken + count, opened + new
    # Only the marks that were read: one that intake adds meanwhile is for the next turn.
    session.execute(delete(PendingRow).where(PendingRow.id.in_([mark.id for mark in marks])))
    _wait_for_its_time(session, device_id, horizon)
    return Judged(device_id, taken, opened)


def _wait_for_its_time(session: Session, device_id: int, horizon: datetime) -> None:
    """Leave a mark for readings of a clock that runs ahead: judged when their time has come.

    Judged at once they would end what is going on now, and begin what nobody has done yet.
    """
    ahead_at = readings.first_from(session, device_id, horizon)
    if ahead_at is not None:
        mark = PendingRow(device_id=device_id, earliest_at=ahead_at, not_before=ahead_at)
        session.add(mark)


def _judge_fitting(
    session: Session, of: FittingOf, earliest_at: datetime, now: datetime, voice: Voice
) -> tuple[int, int]:
    row = judgement_of(session, of)
    states = msgspec.convert(row.states, States)
    late = states.through is not None and earliest_at <= states.through
    # What a tag measured while it was called silent may show that it never was.
    rerun = late or _is_called_silent(session, of)
    if rerun:
        states = _back_to(session, of, earliest_at)
    since = states.through
    fitting = of.fitting
    ends = [now + AHEAD, *([] if fitting.removed_at is None else [fitting.removed_at])]
    fresh = readings.between(
        session, of.device_id, of.device, since, min(ends), from_at=fitting.fitted_at
    )
    if not fresh:
        return 0, 0
    outcome = _run(session, of, states, fresh)
    save(row, outcome)
    findings = dict(outcome.findings)
    known = known_episodes(session, of, findings, since=since, rerun=rerun)
    if rerun:
        findings |= _silence_going_on(of, outcome.states, now, known)
    decisions = decide(findings.values(), known, now, rerun=rerun)
    return len(fresh), episodes.apply(session, of, decisions, now, voice)


def judgement_of(session: Session, of: FittingOf) -> JudgementRow:
    """The stored states of a fitting; made, and armed, when there are none yet."""
    row = session.get(JudgementRow, of.fitting.fitting_id, with_for_update=True)
    if row is None:
        row = JudgementRow(fitting_id=of.fitting.fitting_id)
        save(row, judging.judge(of.fitting, States(), []))
        session.add(row)
    return row


def save(row: JudgementRow, outcome: Outcome) -> None:
    """Keep the outcome of a run."""
    row.states = msgspec.to_builtins(outcome.states)
    row.through = outcome.states.through
    row.check_after = outcome.check_after


def _run(session: Session, of: FittingOf, states: States, fresh: Sequence[Reading]) -> Outcome:
    """Judge hour by hour, leaving a checkpoint where each new hour of readings begins."""
    findings: dict[FindingKey, Finding] = {}
    outcome = None
    for hour in _by_hour(sorted(fresh, key=order_key)):
        if states.through is not None and _hour(states.through) != _hour_of(hour[0]):
            _checkpoint(session, of, states)
        outcome = judging.judge(of.fitting, states, hour)
        states = outcome.states
        findings |= outcome.findings
    assert outcome is not None
    return Outcome(states, findings, outcome.check_after)


def _by_hour(ordered: Sequence[Reading]) -> Iterable[list[Reading]]:
    part: list[Reading] = []
    for reading in ordered:
        if part and _hour_of(reading) != _hour_of(part[0]):
            yield part
            part = []
        part.append(reading)
    yield part


def _hour_of(reading: Reading) -> int:
    return _hour(reading.stamp.measured_at)


def _hour(at: datetime) -> int:
    return int(at.timestamp() // CHECKPOINT_EVERY.total_seconds())


def _checkpoint(session: Session, of: FittingOf, states: States) -> None:
    assert states.through is not None
    key = (of.fitting.fitting_id, states.through)
    if session.get(CheckpointRow, key) is None:
        built = msgspec.to_builtins(states)
        session.add(CheckpointRow(fitting_id=key[0], at=key[1], states=built))


def _back_to(session: Session, of: FittingOf, earliest_at: datetime) -> States:
    """The states before the late reading; later checkpoints are no longer true."""
    fitting_id = of.fitting.fitting_id
    session.execute(
        delete(CheckpointRow).where(
            CheckpointRow.fitting_id == fitting_id, CheckpointRow.at >= earliest_at
        )
    )
    row = session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.fitting_id == fitting_id)
        .order_by(CheckpointRow.at.desc())
        .limit(1)
    )
    return States() if row is None else msgspec.convert(row.states, States)


def known_episodes(
    session: Session,
    of: FittingOf,
    findings: Collection[FindingKey],
    *,
    since: datetime | None,
    rerun: bool,
) -> dict[FindingKey, Known]:
    """Stored episodes that the findings may be; in a re-run all that were not over at ``since``."""
    query = select(EpisodeRow).where(EpisodeRow.fitting_id == of.fitting.fitting_id)
    found = EpisodeRow.started_at.in_({started_at for _, _, started_at in findings})
    if not rerun:
        query = query.where(found)
    elif since is not None:
        # One that ended at ``since`` was last seen there, and may be found to have gone on.
        later = or_(EpisodeRow.ended_at.is_(None), EpisodeRow.ended_at > since)
        query = query.where(or_(later, found))
    known = (
        Known(
            row.id,
            row.condition_id,
            FindingKind(row.kind),
            row.started_at,
            row.ended_at,
            row.withdrawn,
        )
        for row in session.scalars(query)
    )
    return {
        each.key: each
        for each in known
        if since is None or each.ended_at is None or each.ended_at > since or each.key in findings
    }


def _silence_going_on(
    of: FittingOf, states: States, now: datetime, known: dict[FindingKey, Known]
) -> dict[FindingKey, Finding]:
    """Silence that was raised and still lasts: only the clock can say so, not the readings.

    Late data may have moved its beginning, which makes it no other silence.
    """
    ticked = judging.tick(of.fitting, states, now).findings
    silent = {
        each.condition_id
        for each in known.values()
        if each.kind is FindingKind.SILENCE and each.ended_at is None and not each.withdrawn
    }
    return {
        key: finding
        for key, finding in ticked.items()
        if key in known or (finding.kind is FindingKind.SILENCE and finding.condition_id in silent)
    }


def _is_called_silent(session: Session, of: FittingOf) -> bool:
    query = select(EpisodeRow.id).where(
        EpisodeRow.fitting_id == of.fitting.fitting_id,
        EpisodeRow.kind == FindingKind.SILENCE.value,
        EpisodeRow.ended_at.is_(None),
        EpisodeRow.withdrawn.is_(False),
    )
    return session.scalar(query.limit(1)) is not None
