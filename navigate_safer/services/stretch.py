"""Work out what a stretch of readings means, apart from writing it down.

A device that brings a month at once takes seconds to judge. These are spent with no lock held, and
what came of them is written in a short transaction, if nobody has judged the device meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from alerts import judge as judging
from alerts.decide import Known
from alerts.finding import Finding, FindingKind
from alerts.judge import FindingKey, Outcome, States
from devices.readings import Reading, order_key
from navigate_safer.db import alerting, readings
from navigate_safer.db.arrivals import Kept
from navigate_safer.db.telemetry import JudgementRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import checkpoints

# Clocks of devices may be so far ahead of ours without remark.
AHEAD = timedelta(seconds=60)
# More readings than this are worked out before the transaction: some 0.2 ms each.
LONGEST_AT_ONCE = 2_000


class Stretch(msgspec.Struct, frozen=True):
    """The readings of a fitting after ``since``, judged; None for ``outcome``: there were none.

    It holds for ``version`` of the fitting's judgement and for these terms ``of`` it. ``rerun``:
    some had been judged before. ``kept`` are the checkpoints on the way.
    """

    of: FittingOf
    version: int
    since: datetime | None
    rerun: bool
    readings: int
    outcome: Outcome | None
    kept: list[Kept]


Worked = Mapping[int, Stretch]


def is_long(session: Session, device_id: int, earliest_at: datetime) -> bool:
    """Whether there is so much to judge that others must not wait for it."""
    return readings.more_than(session, device_id, earliest_at, LONGEST_AT_ONCE)


def work_out(
    session: Session, of: FittingOf, row: JudgementRow, earliest_at: datetime, now: datetime
) -> Stretch:
    """Judge what is stored; ``earliest_at`` is the first reading that has not been judged.

    Writes nothing. Raises :class:`alerts.judge.RuleFailed`.
    """
    fitting = of.fitting
    states = msgspec.convert(row.states, States)
    late = states.through is not None and earliest_at <= states.through
    # What a tag measured while it was called silent may show that it never was.
    rerun = late or bool(alerting.called_silent(session, [fitting.fitting_id]))
    if rerun:
        states = checkpoints.before(session, fitting.fitting_id, earliest_at)
    since = states.through
    ends = [now + AHEAD, *([] if fitting.removed_at is None else [fitting.removed_at])]
    fresh = readings.between(
        session, of.device_id, of.device, since, min(ends), from_at=fitting.fitted_at
    )
    outcome, kept = _run(of, states, fresh)
    if outcome is None and rerun:
        # What was found in readings that are no longer his: a fitting whose end was moved back.
        outcome = judging.judge(fitting, states, [])
    return Stretch(of, row.version, since, rerun, len(fresh), outcome, kept)


def _run(
    of: FittingOf, states: States, fresh: Sequence[Reading]
) -> tuple[Outcome | None, list[Kept]]:
    """Judge hour by hour, with a checkpoint where each new hour of readings begins."""
    findings: dict[FindingKey, Finding] = {}
    outcome, kept = None, list[Kept]()
    for hour in checkpoints.by_hour(sorted(fresh, key=order_key)):
        begins = checkpoints.hour_of(hour[0].stamp.measured_at)
        if states.through is not None and checkpoints.hour_of(states.through) != begins:
            text = msgspec.json.encode(states).decode()
            kept.append(Kept(of.fitting.fitting_id, states.through, text))
        outcome = judging.judge(of.fitting, states, hour)
        states = outcome.states
        findings |= outcome.findings
    if outcome is None:
        return None, []
    return msgspec.structs.replace(outcome, findings=findings), kept


def silence_going_on(
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
