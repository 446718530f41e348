"""What goes wrong in the fault runs of delivery, one thing at a time, as issue and reference list it.

Seconds are on the wall. The service's clock runs :data:`SPEED` times as fast, so that half a minute
of waiting for a lost answer takes three seconds; time-outs are as much shorter.
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
# How often a worker is killed.
KILLS = 2
_KILL_TEXTS = (2, 6)
MARCH = datetime(2027, 3, 28, 1, tzinfo=UTC)
OCTOBER = datetime(2027, 10, 31, 1, tzinfo=UTC)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its name, and what goes wrong in it.

    ``crash`` is where a worker is killed, ``senders`` and ``ticks`` how many processes send and
    escalate at once, ``provider_away`` that it does not listen for a while, ``database_stop`` the
    signal by which PostgreSQL is stopped. ``change_at`` is when the clocks change during the run.
    ``handover_at`` is then the first instant of whoever is on duty next.
    """

    name: str
    troubles: tuple[Trouble, ...] = ()
    receipts: Receipts = Receipts.NORMAL
    crash: CrashPoint | None = None
    senders: int = 1
    ticks: int = 1
    provider_away: bool = False
    database_stop: signal.Signals | None = None
    change_at: datetime | None = None
    handover_at: datetime | None = None

    @property
    def kills(self) -> int:
        """How many processes are killed, at the least."""
        by_provider = any(each in (Trouble.KILL_BEFORE, Trouble.KILL_AFTER) for each in self.troubles)
        return KILLS if self.crash is not None or by_provider else 0


def plan(fault: Fault, seed: int, clock: Callable[[], float] = time.monotonic) -> Plan:
    """What the provider does with each request of a run; ``clock`` gives seconds."""
    draw = random.Random(f"{seed}|{fault.name}")
    began: list[float] = []
    texts = itertools.count(1)

    def next_trouble(method: str) -> Trouble | None:
        if fault.kills and fault.troubles:
            kills = method == "POST" and next(texts) in _KILL_TEXTS
            return fault.troubles[0] if kills else None
        if not began:
            began.append(clock())
        over = clock() - began[0] > LASTS_S
        if not fault.troubles or over or draw.random() >= SHARE:
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
    Fault(
        name="5xx", troubles=(Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER, Trouble.BAD_GATEWAY)
    ),
    Fault(name="receipts repeated", receipts=Receipts.REPEATED),
    Fault(name="receipts late", receipts=Receipts.LATE),
    Fault(name="receipts out of order", receipts=Receipts.OUT_OF_ORDER),
    Fault(name="receipts and replies forged", receipts=Receipts.FORGED),
    Fault(name="kill before the alert's commit", crash=CrashPoint.ALERT_WRITTEN),
    Fault(name="kill after the alert's commit", crash=CrashPoint.ALERT_COMMITTED),
    Fault(name="kill before the claim's commit", crash=CrashPoint.CLAIM_WRITTEN),
    Fault(name="kill after the claim's commit", crash=CrashPoint.CLAIM_COMMITTED),
    Fault(name="kill in the call, not taken", troubles=(Trouble.KILL_BEFORE,)),
    Fault(name="kill in the call, taken", troubles=(Trouble.KILL_AFTER,)),
    Fault(name="kill before the record's commit", crash=CrashPoint.RECORD_WRITTEN),
    Fault(name="kill after the record's commit", crash=CrashPoint.RECORD_COMMITTED),
    Fault(name="kill before the step's commit", crash=CrashPoint.STEP_WRITTEN),
    Fault(name="kill after the step's commit", crash=CrashPoint.STEP_COMMITTED),
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
