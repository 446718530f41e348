"""What goes wrong in the fault runs of delivery, one thing at a time.

Seconds are on the wall. The service's clock runs :data:`SPEED` times as fast, so that half a
minute of waiting for a lost answer takes three seconds; time-outs are as much shorter.
"""

import itertools
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from navigate_safer.db.crash_points import CrashPoint
from navigate_safer.demo.telephones import Receipts
from navigate_safer.demo.text_provider import Plan, Trouble

SPEED = 10.0
# Twilio's client waits 10 s in service: here as many of the faster clock.
TIMEOUT_S = 1
SLOW_S, HANGS_S = 0.5, 2.5
# So many of the requests go wrong, and for so long; then the provider is well again.
SHARE, LASTS_S = 0.6, 5.0
# Longer than the budget of retries (20 s of service time) and than a step of the policy.
AWAY_S = 4.0
DATABASE_AWAY_S = 2.0
# How often a worker is killed at one point; in a call, at one text of so many.
KILLS = 2
_KILL_EVERY = 3
MARCH = datetime(2027, 3, 28, 1, tzinfo=UTC)
OCTOBER = datetime(2027, 10, 31, 1, tzinfo=UTC)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its name, and what goes wrong in it.

    Each of ``troubles`` happens to a request at least once, and each of ``receipts`` to a text in
    turn. ``crashes`` are where a worker is killed, one death each, ``calls_cut_short`` calls of a
    sender that is killed in them. ``senders`` and ``ticks`` are how many processes send and
    escalate at once; ``provider_away`` says that it does not listen for a while, ``database_stop``
    by which signal PostgreSQL is stopped. ``change_at`` is when the clocks change during the run,
    ``handover_at`` then the first instant of whoever is on duty next.
    """

    name: str
    troubles: tuple[Trouble, ...] = ()
    receipts: tuple[Receipts, ...] = (Receipts.NORMAL,)
    crashes: tuple[CrashPoint, ...] = ()
    calls_cut_short: tuple[Trouble, ...] = ()
    senders: int = 1
    ticks: int = 1
    provider_away: bool = False
    database_stop: signal.Signals | None = None
    change_at: datetime | None = None
    handover_at: datetime | None = None

    @property
    def kills(self) -> int:
        """How many processes are killed."""
        return len(self.crashes) + len(self.calls_cut_short)


def plan(fault: Fault, seed: int, clock: Callable[[], float] = time.monotonic) -> Plan:
    """What the provider does with each request of a run; ``clock`` gives seconds."""
    draw = random.Random(f"{seed}|{fault.name}")
    first, kills = list(fault.troubles), list(fault.calls_cut_short)
    texts = itertools.count(1)
    ends: list[float] = []

    def next_trouble(method: str) -> Trouble | None:
        if not ends:
            ends.append(clock() + LASTS_S)
        if method == "POST":
            if next(texts) % _KILL_EVERY == 0 and kills:
                return kills.pop(0)
            if first:
                return first.pop(0)
        if not fault.troubles or clock() > ends[0] or draw.random() >= SHARE:
            return None
        return draw.choice(fault.troubles)

    return next_trouble


FAULTS: tuple[Fault, ...] = (
    Fault(name="nothing"),
    Fault(name="provider down", provider_away=True),
    Fault(name="provider slow", troubles=(Trouble.SLOW, Trouble.SLOW, Trouble.HANGING)),
    Fault(name="cut after accepting", troubles=(Trouble.CUT_AFTER,)),
    Fault(name="cut before accepting", troubles=(Trouble.CUT_BEFORE,)),
    Fault(name="429", troubles=(Trouble.TOO_MANY,)),
    Fault(name="5xx", troubles=(Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER, Trouble.BAD_GATEWAY)),
    Fault(name="receipts repeated", receipts=(Receipts.REPEATED,)),
    Fault(name="receipts late", receipts=(Receipts.LATE,)),
    Fault(name="receipts out of order", receipts=(Receipts.OUT_OF_ORDER,)),
    Fault(name="receipts and replies forged", receipts=(Receipts.FORGED,)),
    Fault(name="kill before the alert's commit", crashes=(CrashPoint.ALERT_WRITTEN,) * KILLS),
    Fault(name="kill after the alert's commit", crashes=(CrashPoint.ALERT_COMMITTED,) * KILLS),
    Fault(name="kill before the claim's commit", crashes=(CrashPoint.CLAIM_WRITTEN,) * KILLS),
    Fault(name="kill after the claim's commit", crashes=(CrashPoint.CLAIM_COMMITTED,) * KILLS),
    Fault(name="kill in the call, not taken", calls_cut_short=(Trouble.KILL_BEFORE,) * KILLS),
    Fault(name="kill in the call, taken", calls_cut_short=(Trouble.KILL_AFTER,) * KILLS),
    Fault(name="kill before the record's commit", crashes=(CrashPoint.RECORD_WRITTEN,) * KILLS),
    Fault(name="kill after the record's commit", crashes=(CrashPoint.RECORD_COMMITTED,) * KILLS),
    Fault(name="kill before the step's commit", crashes=(CrashPoint.STEP_WRITTEN,) * KILLS),
    Fault(name="kill after the step's commit", crashes=(CrashPoint.STEP_COMMITTED,) * KILLS),
    Fault(name="two senders and two ticks", senders=2, ticks=2),
    Fault(
        name="two of each, cut after accepting",
        senders=2,
        ticks=2,
        troubles=(Trouble.CUT_AFTER, Trouble.CUT_BEFORE),
    ),
    Fault(name="database stopped", database_stop=signal.SIGINT),
    Fault(name="database stopped at once", database_stop=signal.SIGQUIT),
    Fault(name="clock change in March", change_at=MARCH, handover_at=MARCH),
    # At two by the clock on the wall, which is an hour after the clocks went back from two to one.
    Fault(
        name="clock change in October",
        change_at=OCTOBER,
        handover_at=OCTOBER.replace(hour=2),
    ),
)
