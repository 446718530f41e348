"""What is being written about each simulated wearer before the plan is finished.

A draft begins as an ordinary life, taken from the sketch; the opening and the sprinkle add what
goes wrong; :meth:`Draft.tag` and :meth:`Draft.monitor` then freeze it for the simulator.
"""

from datetime import datetime, time, timedelta

import msgspec

from devices.simulated_alcohol import Drinking, MonitorSpec
from devices.simulated_day import Excursion, Routine, Whereabouts
from devices.simulated_draws import Span
from devices.simulator import Burst, ChargePoint, StrayFix, TagSpec
from navigate_safer.demo.wearers import Sketch

# The curfew runs from 19:00; an hour before it, those who have one are home.
_HOME_BY = time(18)
_FREE_UNTIL = time(22, 30)

ALCOHOL_UPLOAD_S = 3600


class Breach(msgspec.Struct, frozen=True):
    """What the script makes happen, for tests and for a guided tour; times are measured ones.

    ``kind`` is a finding kind of :mod:`alerts.finding`.
    """

    wearer: str
    device: str
    kind: str
    span: Span


class Delivery(msgspec.Struct, frozen=True):
    """How a device's readings travel: at once, or in uploads each ``upload_every_s``.

    Readings measured in a ``withheld`` span are sent together at its end. After each time in
    ``repeats``, the next message is sent twice.
    """

    upload_every_s: int | None = None
    withheld: tuple[Span, ...] = ()
    repeats: tuple[datetime, ...] = ()

    def released_until(self, now: datetime) -> datetime:
        """Readings measured before this may have been sent by ``now``."""
        until = now
        if self.upload_every_s is not None:
            late = timedelta(seconds=now.timestamp() % self.upload_every_s)
            until = now - late
        for span in self.withheld:
            if span.holds(now):
                until = min(until, span.from_at)
            elif span.until_at <= now:
                until = max(until, span.until_at)
        return until


class Draft:
    """One wearer's simulated future, still open to change."""

    def __init__(self, sketch: Sketch, *, seed: int, phase_s: int) -> None:
        self.sketch = sketch
        self._phase_s = phase_s
        self._routine = Routine(
            device=sketch.tag,
            seed=seed,
            home=sketch.home,
            avoid=sketch.avoid,
            keep_within=None if sketch.restriction is None else sketch.restriction.shape,
            out_until=_FREE_UNTIL if sketch.curfew == "none" else _HOME_BY,
            stays_home=sketch.curfew == "always",
        )
        self.seed = seed
        self.life = Whereabouts(self._routine)
        self.busy_until: datetime | None = None
        self.excursions: list[Excursion] = []
        self.silences: list[Span] = []
        self.bursts: list[Burst] = []
        self.tampers: list[Span] = []
        self.strays: list[StrayFix] = []
        self.charge: list[tuple[ChargePoint, ...]] = []
        self.drinking: list[Drinking] = []
        self.withheld: list[Span] = []
        self.withheld_samples: list[Span] = []
        self.repeats: list[datetime] = []

    def free(self, at: datetime) -> bool:
        """Whether nothing scripted is going on for this wearer at the time or after it."""
        return self.busy_until is None or self.busy_until <= at

    def occupy(self, until: datetime) -> None:
        """Keep every other script off this wearer until then."""
        self.busy_until = until if self.busy_until is None else max(self.busy_until, until)

    def tag(self) -> TagSpec:
        """The tag as the simulator takes it."""
        return TagSpec(
            routine=msgspec.structs.replace(self._routine, excursions=tuple(self.excursions)),
            phase_s=self._phase_s,
            silences=tuple(self.silences),
            bursts=tuple(self.bursts),
            tampers=tuple(self.tampers),
            strays=tuple(self.strays),
            charge=tuple(self.charge),
        )

    def monitor(self) -> MonitorSpec:
        """The alcohol monitor as the simulator takes it."""
        return MonitorSpec(self.sketch.monitor, self.seed, tuple(self.drinking))

    def deliveries(self) -> dict[str, Delivery]:
        """How each device of this wearer sends."""
        found = {
            self.sketch.tag: Delivery(None, tuple(self.withheld), tuple(self.repeats)),
        }
        if self.sketch.alcohol:
            samples = tuple(self.withheld_samples)
            found[self.sketch.monitor] = Delivery(ALCOHOL_UPLOAD_S, samples)
        return found
