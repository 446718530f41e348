"""After the opening: a breach somewhere in the cohort about every four minutes.

Each ends by itself after some minutes. Which wearer and which kind is drawn from the seed; a
wearer with something going on is left alone.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from random import Random

from devices.simulated_alcohol import Drinking
from devices.simulated_day import LONDON
from devices.simulated_draws import Span
from devices.simulator import ChargePoint, ordinary_charge
from navigate_safer.demo.drafts import Breach, Draft
from navigate_safer.demo.excursions import Journey, intrusion, stroll

EVERY = timedelta(minutes=4)
_JITTER_S = 100
_ATTEMPTS = 12
_LONGEST_DRIVE = timedelta(minutes=14)
# Curfews of the cohort run from 19:00 to 07:00, local; a script keeps well within.
_CURFEW_FROM = time(19, 30)
_CURFEW_UNTIL = time(6, 0)

_Script = Callable[[Draft, datetime, Random], Breach | None]


def sprinkle(
    drafts: list[Draft], *, seed: int, from_at: datetime, until_at: datetime
) -> Iterator[Breach]:
    """Write breaches into the drafts over the span, and yield each."""
    rng = Random(f"sprinkle|{seed}")
    slot = from_at
    while slot < until_at:
        at = slot + timedelta(seconds=rng.randint(0, _JITTER_S))
        breach = _one(drafts, at, rng)
        if breach is not None:
            yield breach
        slot += EVERY


def tamper(draft: Draft, at: datetime, rng: Random) -> Breach:
    """The strap is opened and closed again some minutes later."""
    span = Span(at, at + timedelta(seconds=rng.randint(150, 480)))
    draft.tampers.append(span)
    draft.occupy(span.until_at)
    return Breach(draft.sketch.ref, draft.sketch.tag, "strap_tamper", span)


def _one(drafts: list[Draft], at: datetime, rng: Random) -> Breach | None:
    (script,) = rng.choices(list(_SCRIPTS), weights=list(_SCRIPTS.values()))
    for _ in range(_ATTEMPTS):
        draft = rng.choice(drafts)
        if draft.free(at - _LONGEST_DRIVE) and (breach := script(draft, at, rng)) is not None:
            return breach
    return None


def _enter(draft: Draft, at: datetime, rng: Random) -> Breach | None:
    sketch = draft.sketch
    # A town centre counts in the evening only; those who have one would confuse the story.
    if sketch.exclusion is None or sketch.town is not None or sketch.curfew != "none":
        return None
    stay = timedelta(seconds=rng.randint(200, 460))
    journey = intrusion(draft.life, sketch.exclusion.shape, at, stay)
    if journey is None or at - journey.lasts.from_at > _LONGEST_DRIVE:
        return None
    return _travel(draft, journey, "exclusion_breach")


def _break_curfew(draft: Draft, at: datetime, rng: Random) -> Breach | None:
    local = at.astimezone(LONDON).time()
    if draft.sketch.curfew != "nightly" or _CURFEW_UNTIL < local < _CURFEW_FROM:
        return None
    stay = timedelta(seconds=rng.randint(60, 300))
    journey = stroll(draft.life, at, rng.uniform(260, 420), stay)
    return None if journey is None else _travel(draft, journey, "curfew_breach")


def _travel(draft: Draft, journey: Journey, kind: str) -> Breach:
    draft.excursions.append(journey.excursion)
    draft.occupy(journey.lasts.until_at)
    return Breach(draft.sketch.ref, draft.sketch.tag, kind, journey.breach)


def _run_down(draft: Draft, at: datetime, rng: Random) -> Breach | None:
    key = (draft.seed, draft.sketch.tag)
    begins, plugged = at - timedelta(minutes=14), at + timedelta(seconds=rng.randint(180, 420))
    ends = plugged + timedelta(minutes=40)
    level, charging = ordinary_charge(*key, begins)
    if charging:
        return None
    draft.charge.append(
        (
            ChargePoint(begins, level, charging=False),
            ChargePoint(at, 19.9, charging=False),
            ChargePoint(plugged, 16.0, charging=True),
            ChargePoint(ends, ordinary_charge(*key, ends)[0], charging=False),
        )
    )
    draft.occupy(ends)
    return Breach(draft.sketch.ref, draft.sketch.tag, "battery_low", Span(at, plugged))


def _fall_silent(draft: Draft, at: datetime, rng: Random) -> Breach:
    """No reading for long enough that the deadline of 15 minutes passes at ``at``."""
    span = Span(at - timedelta(minutes=14), at + timedelta(seconds=rng.randint(240, 420)))
    draft.silences.append(span)
    draft.occupy(span.until_at)
    return Breach(draft.sketch.ref, draft.sketch.tag, "silence", span)


def _drink(draft: Draft, at: datetime, rng: Random) -> Breach | None:
    """Drinking begins; the skin shows it hours later, and the monitor's upload later still."""
    if not draft.sketch.alcohol:
        return None
    draft.drinking.append(Drinking(at, rng.uniform(45, 95), rng.uniform(1.2, 3.0)))
    span = Span(at, at + timedelta(hours=18))
    draft.occupy(span.until_at)
    return Breach(draft.sketch.ref, draft.sketch.monitor, "alcohol_threshold", span)


_SCRIPTS: dict[_Script, int] = {
    _enter: 32,
    _break_curfew: 22,
    tamper: 18,
    _run_down: 14,
    _fall_silent: 10,
    _drink: 4,
}
