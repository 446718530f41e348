"""Judge what intake has stored: gather a device's readings, run the rules, apply the decisions.

One transaction per device: states, episodes, alerts, first texts and the end of the pending mark
are saved together. Readings that come late are judged again from the last checkpoint before
them, so that the episodes depend on the readings and not on their order of arrival. What takes
long is worked out before the transaction (:mod:`navigate_safer.services.stretch`).
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import or_
from sqlalchemy.orm import Session

from alerts import judge as judging
from alerts.decide import Known, decide
from alerts.finding import FindingKind
from alerts.judge import FindingKey, Outcome, Run, States
from navigate_safer.db import alerting, arrivals, bulk, pending, readings, terms
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.pending import Mark
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading import reading
from navigate_safer.db.telemetry import TERMS, JudgementRow, PendingRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import checkpoints, compliance, consequences, distances, stretch
from navigate_safer.services.fleet import calm_text
from navigate_safer.services.stretch import AHEAD, Stretch, Worked
from navigate_safer.services.telling import Voice

# A month of a device takes a second to read; a database that takes longer is asked again later.
LONGEST_READING_S = 60.0


class Judged(msgspec.Struct, frozen=True):
    """What judging one device came to; ``left``: it was handed over."""

    device_id: int
    readings: int
    opened: int
    failed: str | None = None
    left: bool = False


def judge_next(
    sessions: Sessions,
    now: datetime,
    voice: Voice,
    *,
    at_work: Collection[int] = (),
    leave: Callable[[int], None] | None = None,
) -> Judged | None:
    """Judge the device that has waited longest and commit; None when nothing is waiting.

    A rule that fails leaves the device's readings pending, with the fault noted, and is tried
    again later: intake and the other devices go on. A device that would keep the others waiting
    is handed to ``leave``, for :func:`judge_long`; those ``at_work`` there are passed over.
    """
    if not arrivals.something_waits(sessions, now):  # a tenth of what the claim costs
        return None
    device_id = None
    try:
        with sessions.begin() as session:
            if (device_id := pending.claim(session, now, at_work)) is None:
                return None
            marks = pending.of_device(session, device_id)
            # Without one another judge was there since we asked.
            again = not marks or pending.wake(session, device_id, marks, now)
            if not again and not stretch.is_long(session, device_id, _earliest_at(marks)):
                return _judge_device(session, device_id, marks, now, voice, {})
    except Exception as fault:
        if device_id is None:
            raise
        return _failed(sessions, device_id, now, fault)
    if again:
        return judge_next(sessions, now, voice, at_work=at_work, leave=leave)
    return _hand_over(sessions, device_id, now, voice, leave)


def _hand_over(
    sessions: Sessions,
    device_id: int,
    now: datetime,
    voice: Voice,
    leave: Callable[[int], None] | None,
) -> Judged:
    if leave is None:
        return judge_long(sessions, device_id, now, voice)
    leave(device_id)
    return Judged(device_id, 0, 0, left=True)


def judge_long(sessions: Sessions, device_id: int, now: datetime, voice: Voice) -> Judged:
    """Judge a device with much to judge: worked out with no lock held, written in a moment."""
    try:
        with reading(sessions, within_s=LONGEST_READING_S) as session:
            marks = pending.of_device(session, device_id)
            worked = _work_out(session, device_id, marks, now)
        with sessions.begin() as session:
            session.get_one(DeviceRow, device_id, with_for_update={"key_share": True})
            # Marks left meanwhile are for the next turn; some may be gone or put off, by another.
            left = set(pending.of_device(session, device_id))
            marks = [mark for mark in marks if mark in left]
            if not marks:
                return Judged(device_id, 0, 0)
            return _judge_device(session, device_id, marks, now, voice, worked)
    except Exception as fault:
        return _failed(sessions, device_id, now, fault)


def _work_out(session: Session, device_id: int, marks: Sequence[Mark], now: datetime) -> Worked:
    worked = {}
    for of in terms.fittings_of_device(session, device_id):
        row = session.get(JudgementRow, of.fitting.fitting_id)
        if row is not None and marks:
            worked[row.fitting_id] = stretch.work_out(session, of, row, _earliest_at(marks), now)
    return worked


def _earliest_at(marks: Sequence[Mark]) -> datetime:
    return min(mark.earliest_at for mark in marks)


def _failed(sessions: Sessions, device_id: int, now: datetime, fault: Exception) -> Judged:
    said = f"{type(fault).__name__}: {fault}"
    with sessions.begin() as session:
        pending.put_off(session, device_id, now, said[:500])
    return Judged(device_id, 0, 0, failed=said)


def _judge_device(
    session: Session,
    device_id: int,
    marks: Sequence[Mark],
    now: datetime,
    voice: Voice,
    worked: Worked,
) -> Judged:
    earliest_at = _earliest_at(marks)
    turn = arrivals.newest_turns(session, [device_id]).get(device_id)
    taken, opened = 0, distances.judge(session, device_id, earliest_at, now, voice)
    terms_changed = any(mark.cause == TERMS for mark in marks)
    for fitting in terms.fittings_of_device(session, device_id):
        removed_at = fitting.fitting.removed_at
        if removed_at is None or earliest_at < removed_at:
            known = worked.get(fitting.fitting.fitting_id)
            count, new = _judge_fitting(
                session, fitting, earliest_at, now, voice, known, terms_changed=terms_changed
            )
            taken, opened = taken + count, opened + new
            compliance.note_late(session, fitting.wearer_id, earliest_at, now)
        if removed_at is None and turn is not None:
            _say_where_calm(session, fitting, turn)
    # Only the marks that were read: one that intake adds meanwhile is for the next turn.
    pending.drop(session, marks)
    _wait_for_its_time(session, device_id, now + AHEAD)
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
    session: Session,
    of: FittingOf,
    earliest_at: datetime,
    now: datetime,
    voice: Voice,
    worked: Stretch | None = None,
    *,
    terms_changed: bool = False,
) -> tuple[int, int]:
    row = judgement_of(session, of)
    if worked is None or (worked.version, worked.of) != (row.version, of):
        # Nothing was worked out before, or somebody has judged or changed the terms since.
        worked = stretch.work_out(session, of, row, earliest_at, now)
    if worked.rerun:
        checkpoints.drop_from(session, of.fitting.fitting_id, earliest_at)
    if worked.outcome is None:
        return 0, 0
    bulk.keep(session, worked.kept)
    save(row, worked.outcome)
    findings = dict(worked.outcome.findings)
    known = known_episodes(session, of, findings, since=worked.since, rerun=worked.rerun)
    if worked.rerun:
        findings |= stretch.silence_going_on(of, worked.outcome.states, now, known)
    decisions = decide(
        findings.values(), known, now, rerun=worked.rerun, terms_changed=terms_changed
    )
    return worked.readings, consequences.apply(session, of, decisions, now, voice)


def catch_up(session: Session, of: FittingOf, now: datetime, voice: Voice) -> int:
    """Judge what was stored since the states were saved; alerts opened, mostly none."""
    row = judgement_of(session, of)
    since = row.through
    if since is None:
        return 0
    return _judge_fitting(session, of, since + timedelta(microseconds=1), now, voice)[1]


def _say_where_calm(session: Session, of: FittingOf, turn: int) -> None:
    """Let intake pass by what needs no judging, until something changes (the turn goes up)."""
    calm = None
    if not bool(alerting.called_silent(session, [of.fitting.fitting_id])):
        # Held and written by now, so that it need not be read again.
        row = session.get_one(JudgementRow, of.fitting.fitting_id)
        calm = Run(of.fitting, msgspec.convert(row.states, States)).calm()
    arrivals.say_calm(session, of.device_id, turn, calm_text(calm))


def _at_hand(session: Session, rows: Sequence[object]) -> None:
    """Keep rows for as long as the transaction lasts: a session forgets whom nobody holds."""
    session.info.setdefault("at_hand", []).extend(rows)


def judgement_of(session: Session, of: FittingOf) -> JudgementRow:
    """The stored states of a fitting; made, and armed, when there are none yet."""
    row = session.get(JudgementRow, of.fitting.fitting_id, with_for_update=True)
    if row is None:
        row = JudgementRow(fitting_id=of.fitting.fitting_id)
        save(row, judging.judge(of.fitting, States(), []))
        session.add(row)
    _at_hand(session, [row])
    return row


def save(row: JudgementRow, outcome: Outcome) -> None:
    """Keep the outcome of a run."""
    row.states = msgspec.to_builtins(outcome.states)
    row.through = outcome.states.through
    row.check_after, row.quiet_s = outcome.check_after, outcome.quiet_s
    row.ends_at = outcome.ends_at


def known_episodes(
    session: Session,
    of: FittingOf,
    findings: Collection[FindingKey],
    *,
    since: datetime | None,
    rerun: bool,
) -> dict[FindingKey, Known]:
    """Stored episodes that the findings may be; in a re-run all that were not over at ``since``."""
    query = distances.of_rules(of)
    found = EpisodeRow.started_at.in_({started_at for _, _, started_at in findings})
    if not rerun:
        query = query.where(found)
    elif since is not None:
        # One that ended at ``since`` was last seen there, and may be found to have gone on.
        later = or_(EpisodeRow.ended_at.is_(None), EpisodeRow.ended_at > since)
        query = query.where(or_(later, found))
    rows = session.scalars(query).all()
    _at_hand(session, rows)
    known = (
        Known(
            row.id,
            row.condition_id,
            FindingKind(row.kind),
            row.started_at,
            row.ended_at,
            row.withdrawn,
        )
        for row in rows
    )
    return {
        each.key: each
        for each in known
        if since is None or each.ended_at is None or each.ended_at > since or each.key in findings
    }
