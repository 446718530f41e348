"""The demonstration's story: what goes wrong, for whom, and when, as data.

The first quarter of an hour is written by hand so that every kind of alert shows; after it comes
the seeded sprinkle. All times are relative to the start of the demonstration.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

import msgspec
from shapely.geometry.base import BaseGeometry

from devices.simulated_alcohol import Drinking
from devices.simulated_day import Routine
from devices.simulated_draws import Span
from devices.simulator import (
    Burst,
    ChargePoint,
    Simulator,
    StrayFix,
    TagSpec,
    ordinary_charge,
)
from navigate_safer.demo.drafts import Breach, Delivery, Draft
from navigate_safer.demo.excursions import Journey, departure, intrusion, stroll
from navigate_safer.demo.places import distance_m
from navigate_safer.demo.sprinkle import sprinkle
from navigate_safer.demo.wearers import WEARERS, Sketch, sketches
from navigate_safer.people.casefile import CaseFile

HISTORY = timedelta(hours=24)
# Within a minute of the start somebody is well inside a zone: he crosses its edge at 12 s, and the
# fix of 20 s finds him 60 m beyond it.
FIRST_CROSSING = timedelta(seconds=12)
FIRST_FIX = timedelta(seconds=20)
_BURST_S = 12
SPRINKLE_FROM = timedelta(minutes=15)
# The visit of the story that an exception allows.
EXCUSED = "excused_stay"
GARBAGE_GATEWAY = "gw-northwich-winsford"


class Plan(msgspec.Struct, frozen=True):
    """Everything the simulated gateways send.

    ``breaches`` is what is scripted, in order of time; ``noisy_gateway`` is the one that sends
    malformed messages.
    """

    seed: int
    start: datetime
    simulator: Simulator
    deliveries: dict[str, Delivery]
    breaches: tuple[Breach, ...]
    noisy_gateway: str


def build_plan(
    casefile: CaseFile, *, seed: int, start: datetime, lasts: timedelta = timedelta(hours=24)
) -> Plan:
    """The plan of a demonstration that starts at ``start`` (aware); quiet after ``lasts``.

    Raises ValueError when the case file is not the cohort of this seed.
    """
    if start.utcoffset() is None:
        raise ValueError("the plan needs a start with an offset, such as +00:00")
    drawn = sketches(seed)
    if [(each.ref, each.name) for each in casefile.wearers] != [(s.ref, s.name) for s in drawn]:
        raise ValueError(
            f"the case file is not the cohort of seed {seed}; build both with one seed"
        )
    drafts = [
        Draft(sketch, seed=seed, phase_s=place * 60 // WEARERS)
        for place, sketch in enumerate(drawn)
    ]
    breaches = list(_opening(drafts, start))
    breaches += sprinkle(drafts, seed=seed, from_at=start + SPRINKLE_FROM, until_at=start + lasts)
    return Plan(
        seed=seed,
        start=start,
        simulator=Simulator(
            [*(draft.tag() for draft in drafts), *_phones(drawn, seed, start)],
            [draft.monitor() for draft in drafts if draft.sketch.alcohol],
            dense_from=start,
        ),
        deliveries={name: each for draft in drafts for name, each in draft.deliveries().items()}
        | {sketch.keeps_away.device: Delivery() for sketch in drawn if sketch.keeps_away},
        breaches=tuple(sorted(breaches, key=lambda breach: breach.span.from_at)),
        noisy_gateway=GARBAGE_GATEWAY,
    )


def _opening(drafts: list[Draft], start: datetime) -> Iterator[Breach]:
    yield _first_intrusion(drafts, start)
    yield _curfew_left(drafts, start)
    yield _restriction_left(drafts, start)
    yield _drinking(drafts, start)
    plain = [each for each in drafts if each.free(start) and each.sketch.curfew == "none"]
    strap, battery, silent, late, *doubled = plain[:6]
    yield _strap(strap, start)
    yield from _battery(battery, start)
    yield _silence(silent, start)
    _late_batch(late, start)
    yield from _too_near(drafts, start)
    yield from _excused(drafts, start)
    for draft in doubled:
        draft.repeats += [start + timedelta(seconds=70), start + timedelta(minutes=6)]
    _stray(drafts, start)


def _first(drafts: list[Draft], make: Callable[[Draft], Journey | None]) -> tuple[Draft, Journey]:
    for draft in drafts:
        journey = make(draft)
        if journey is not None:
            draft.excursions.append(journey.excursion)
            draft.occupy(journey.lasts.until_at + timedelta(minutes=10))
            return draft, journey
    raise ValueError("no wearer of this seed can play a part of the opening; try another seed")


def _first_intrusion(drafts: list[Draft], start: datetime) -> Breach:
    crosses_at = start + FIRST_CROSSING

    def make(draft: Draft) -> Journey | None:
        sketch = draft.sketch
        if sketch.exclusion is None or sketch.town is not None or sketch.curfew != "none":
            return None
        stay = timedelta(minutes=6)
        return intrusion(draft.life, sketch.exclusion.shape, crosses_at, stay)

    draft, journey = _first(drafts, make)
    fixes_from = start + FIRST_FIX - timedelta(seconds=_BURST_S)
    draft.bursts.append(Burst(Span(fixes_from, start + timedelta(minutes=8)), _BURST_S))
    return Breach(draft.sketch.ref, draft.sketch.tag, "exclusion_breach", journey.breach)


def _curfew_left(drafts: list[Draft], start: datetime) -> Breach:
    """The wearer under a curfew of 24 hours, so that it works at any time of day."""
    leaves_at = start + timedelta(seconds=260)

    def make(draft: Draft) -> Journey | None:
        if draft.sketch.curfew != "always":
            return None
        return stroll(draft.life, leaves_at, 320.0, timedelta(minutes=4))

    draft, journey = _first(drafts, make)
    return Breach(draft.sketch.ref, draft.sketch.tag, "curfew_breach", journey.breach)


def _restriction_left(drafts: list[Draft], start: datetime) -> Breach:
    crosses_at = start + timedelta(seconds=400)

    def make(draft: Draft) -> Journey | None:
        area = draft.sketch.restriction
        if area is None:
            return None
        return departure(draft.life, area.shape, crosses_at, timedelta(minutes=7))

    draft, journey = _first(drafts, make)
    return Breach(draft.sketch.ref, draft.sketch.tag, "restriction_breach", journey.breach)


def _drinking(drafts: list[Draft], start: datetime) -> Breach:
    """Ten units over two hours of the evening; the last three hours arrive in one upload."""
    draft = next(each for each in drafts if each.sketch.alcohol and each.free(start))
    drank_from = start - timedelta(hours=3, minutes=15)
    draft.drinking.append(Drinking(drank_from, 80.0, 2.0))
    uploaded_at = start + timedelta(seconds=150)
    draft.withheld_samples.append(Span(start - timedelta(hours=3), uploaded_at))
    draft.occupy(start + timedelta(hours=14))
    span = Span(drank_from, drank_from + timedelta(hours=18))
    return Breach(draft.sketch.ref, draft.sketch.monitor, "alcohol_threshold", span)


def _phones(drawn: tuple[Sketch, ...], seed: int, start: datetime) -> Iterator[TagSpec]:
    """The devices of those from whom somebody must keep away: at home, and silent for a while."""
    for sketch in drawn:
        if sketch.keeps_away is not None:
            device, home = sketch.keeps_away.device, sketch.keeps_away.home
            silent = Span(start + timedelta(minutes=18), start + timedelta(minutes=45))
            routine = Routine(device=device, seed=seed, home=home, stays_home=True)
            yield TagSpec(routine=routine, phase_s=17, silences=(silent,))


def _too_near(drafts: list[Draft], start: datetime) -> Iterator[Breach]:
    """Whoever must keep away from a person comes within the distance of the order."""
    for draft in drafts:
        her = draft.sketch.keeps_away
        if her is None:
            continue
        for seconds in range(480, 780, 20):
            crosses_at, stay = start + timedelta(seconds=seconds), timedelta(minutes=5)
            journey = intrusion(draft.life, her.circle, crosses_at, stay)
            if journey is not None and journey.lasts.from_at > start:
                draft.excursions.append(journey.excursion)
                draft.occupy(journey.lasts.until_at + timedelta(minutes=10))
                sketch = draft.sketch
                yield Breach(sketch.ref, sketch.tag, "distance_breach", journey.breach)
                break


def _excused(drafts: list[Draft], start: datetime) -> Iterator[Breach]:
    """A visit to a zone that an officer has allowed: recorded, and nobody is told."""
    *others, _ = drafts
    for draft in reversed(others):
        sketch = draft.sketch
        plain = sketch.town is None and sketch.curfew == "none" and sketch.keeps_away is None
        if sketch.exclusion is None or not plain or not draft.free(start):
            continue
        crosses_at, stay = start + timedelta(seconds=560), timedelta(minutes=6)
        journey = intrusion(draft.life, sketch.exclusion.shape, crosses_at, stay)
        if journey is not None and journey.lasts.from_at > start:
            draft.excursions.append(journey.excursion)
            draft.occupy(journey.lasts.until_at + timedelta(minutes=10))
            yield Breach(sketch.ref, sketch.tag, EXCUSED, journey.breach)
            return


def _strap(draft: Draft, start: datetime) -> Breach:
    span = Span(start + timedelta(seconds=90), start + timedelta(minutes=8))
    draft.tampers.append(span)
    draft.occupy(span.until_at)
    return Breach(draft.sketch.ref, draft.sketch.tag, "strap_tamper", span)


def _battery(draft: Draft, start: datetime) -> Iterator[Breach]:
    """A worn cell: slowly to 22 %, then below 20 and below 5, then the charger."""
    sketch = draft.sketch
    low, critical, plugged = (start + timedelta(seconds=each) for each in (240, 540, 840))
    begins, ends = start - timedelta(hours=3), plugged + timedelta(hours=1)
    draft.charge.append(
        (
            ChargePoint(begins, ordinary_charge(draft.seed, sketch.tag, begins)[0], charging=False),
            ChargePoint(start, 22.0, charging=False),
            ChargePoint(low, 19.9, charging=False),
            ChargePoint(critical, 4.9, charging=False),
            ChargePoint(plugged, 3.0, charging=True),
            ChargePoint(ends, ordinary_charge(draft.seed, sketch.tag, ends)[0], charging=False),
        )
    )
    draft.occupy(ends)
    yield Breach(sketch.ref, sketch.tag, "battery_low", Span(low, plugged))
    yield Breach(sketch.ref, sketch.tag, "battery_critical", Span(critical, plugged))


def _silence(draft: Draft, start: datetime) -> Breach:
    """Last heard some minutes before the start; the deadline of 15 minutes passes soon after."""
    span = Span(start - timedelta(minutes=9), start + timedelta(minutes=18))
    draft.silences.append(span)
    draft.occupy(span.until_at)
    return Breach(draft.sketch.ref, draft.sketch.tag, "silence", span)


def _late_batch(draft: Draft, start: datetime) -> None:
    """Out of coverage for eight minutes, then everything at once."""
    span = Span(start + timedelta(seconds=60), start + timedelta(seconds=540))
    draft.withheld.append(span)
    draft.occupy(span.until_at)


def _exclusion_of(draft: Draft) -> BaseGeometry:
    if draft.sketch.exclusion is None:
        raise ValueError(f"{draft.sketch.ref} has no exclusion zone of his own")
    return draft.sketch.exclusion.shape


def _stray(drafts: list[Draft], start: datetime) -> None:
    """One fix by a phone mast, whose circle reaches into a zone that the wearer is not in."""
    free = [each for each in drafts if each.free(start) and each.sketch.exclusion is not None]
    rng = Random(f"stray|{free[0].seed}")
    near = min(free, key=lambda each: distance_m(each.sketch.home, _exclusion_of(each)))
    at = start + timedelta(seconds=120)
    accuracy_m = 100.0 * rng.randint(12, 20)
    near.strays.append(StrayFix(at, near.sketch.home, accuracy_m))
    near.occupy(at + timedelta(minutes=10))
