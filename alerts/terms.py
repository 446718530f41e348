"""What a wearer must keep to: the clauses in force, as the rules need them."""

import math
from datetime import datetime
from enum import Enum

import msgspec

from alerts.alcohol.rule_set import versioned
from alerts.finding import Severity
from zones.authorised import Authorised
from zones.parts import Part, Role, parts_of
from zones.zone import Zone


class ConditionKind(Enum):
    """Monitored conditions; the Ministry's electronic-monitoring types, and the care of the tag.

    ``DISTANCE`` keeps the wearer away from a person who carries a device.
    ``TAG_CARE`` is the clause that every tagged person has: agree to the tag, keep it charged,
    do not tamper with it.
    """

    EXCLUSION_ZONE = "exclusion_zone"
    CURFEW = "curfew"
    RESTRICTION_ZONE = "restriction_zone"
    DISTANCE = "distance"
    ALCOHOL_ABSTINENCE = "alcohol_abstinence"
    ALCOHOL_LEVEL = "alcohol_level"
    TAG_CARE = "tag_care"

    @property
    def needs_zone(self) -> bool:
        """True where the condition is about a place."""
        return self in (
            ConditionKind.EXCLUSION_ZONE,
            ConditionKind.CURFEW,
            ConditionKind.RESTRICTION_ZONE,
        )


class DeviceKind(Enum):
    """What sort of device is fitted; a protected person carries hers, and nobody judges it."""

    LOCATION_TAG = "location_tag"
    ALCOHOL_MONITOR = "alcohol_monitor"
    PROTECTED_PERSON = "protected_person"


# Nobody's heading says where they will be in more than half an hour; the project's own.
LONGEST_APPROACH_S = 1_800.0
# A position that is unknown for a day was to be told long before; the project's own.
LONGEST_UNKNOWN_S = 86_400


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of one condition. Defaults are policy with a source; an order may set its own.

    - ``tac_g_dl``: alcohol of this much or more is a finding. 0.02 g/dl is the usual agency
      caseload threshold of transdermal monitoring (SCRAM help "Alert Overview"; PIRE/AMS case
      study).
    - ``max_gap_s``: a longer stretch between fixes is unknown, never a breach. 600 s is the
      project's geometric baseline.
    - ``silence_s``: no reading of a location tag for this long is a finding. 900 s is the
      Ministry's "data out of sync" age for a tag that reports each minute.
    - ``alcohol_silence_s``: the same for an alcohol monitor, which samples each half hour and
      uploads daily; 25 h, because a missed upload is a vendor's alert after 24 h and the upload
      itself takes time.
    - ``alcohol_gap_s``: samples further apart are not one episode (90 min, the project's episode
      definition).
    - ``alcohol_rules``: name and version of the rule set that alcohol is judged by. "standard 1" is
      the project's own; the default never changes, so that a newer set judges only what is
      measured under a condition that asks for it.
    - ``battery_low_percent``: 20 % is the Ministry's seeded rule BATTERY_LEVEL v1;
      ``battery_critical_percent``: 5 % its event EV_BATTERY_LEV_5PERCENT.
    - ``battery_clear_percent``: charge at which a low battery is over without a charger; 30 % is
      the project's own, so that a level trembling about 20 % is one episode.
    - ``strap_grace_s``: a strap event counts when its end has not come for this long; 0 s, at once,
      is the project's own, because the strap cannot be seen otherwise. The Ministry's generator of
      test data waits 120 s.
    - ``curfew_event_grace_s``: the same for the tag's own curfew events; 600 s is the Ministry's
      (e-surveillance test data; it says that the real value needs research).
    - ``zone_event_grace_s``: for its exclusion zone events; 300 s, the Ministry's likewise.
    - ``battery_event_grace_s``: for its battery events; 120 s, the Ministry's likewise.
    - ``base_station_grace_s``: for a base station that is tilted and not put back; 120 s is the
      project's own, as for the battery.
    - ``upload_critical_s``: an alcohol monitor without an upload for 48 h is critical (SCRAM's
      communication alert).
    - ``charge_within_s``: a tag that says when it charges is charged within 36 h (the project's
      own: daily, with half a day's grace).
    - ``exclusion_miss_cost``: what a missed entry costs, counted in false alarms; 2.5 false alarms
      is the project's own. An officer is told from the probability on at which both mistakes cost
      the same, 1 / (1 + cost), here 29 %.
    - ``curfew_miss_cost``: the same for an absence from a curfew address; 0.4 false alarms (71 %)
      is the project's own: a curfew lasts all night, so that an absence is still found a fix
      later, while every false one wakes a household.
    - ``restriction_miss_cost``: the same for leaving a restriction zone; 0.4 false alarms (71 %)
      is the project's own, as for a curfew.
    - ``distance_miss_cost``: the same for coming too near a protected person; 2.5 false alarms
      (29 %) is the project's own, as for an exclusion zone.
    - ``exclusion_position_s``: no fix that can tell whether the wearer is in a zone to keep out of,
      for longer than this although the device goes on sending, is a finding. 1 h is the
      project's own: most trains, shops and cellars last less, and from far off even a vague fix can
      tell. Wisconsin's centre had 32,766 alerts of lost satellites in May 2017: what is short is
      not worth telling.
    - ``curfew_position_s``: the same of a curfew address; 30 min is the project's own: twice the
      Ministry's age of data out of sync, because a tag that still sends is worn and charged.
    - ``restriction_position_s``: the same of a zone to stay in; 1 h is the project's own, as
      for a zone to keep out of: it counts all day. None of the three is taken for less than
      ``max_gap_s``.
    - ``approach_s``: a zone to keep out of that the wearer will reach within this time, at the
      speed and heading of the last minute, is an early warning; 0 s, none, unless an order asks
      for it: the project's own.
    - ``approach_percent``: the warning is raised from this probability on. 10 % is the project's
      own: in its benchmark earlier than a ring of 500 m with a third of the false warnings.

    Raises ValueError where the three levels of the battery are out of order, a cost is not above 0,
    a time is out of its bounds or there is no such rule set.
    """

    tac_g_dl: float = 0.02
    max_gap_s: float = 600
    silence_s: int = 900
    alcohol_silence_s: int = 90_000
    alcohol_gap_s: int = 5_400
    alcohol_rules: str = "standard 1"
    battery_low_percent: float = 20.0
    battery_critical_percent: float = 5.0
    battery_clear_percent: float = 30.0
    strap_grace_s: int = 0
    curfew_event_grace_s: int = 600
    zone_event_grace_s: int = 300
    battery_event_grace_s: int = 120
    base_station_grace_s: int = 120
    upload_critical_s: int = 172_800
    charge_within_s: int = 129_600
    exclusion_miss_cost: float = 2.5
    curfew_miss_cost: float = 0.4
    restriction_miss_cost: float = 0.4
    distance_miss_cost: float = 2.5
    exclusion_position_s: int = 3_600
    curfew_position_s: int = 1_800
    restriction_position_s: int = 3_600
    approach_s: float = 0.0
    approach_percent: float = 10.0

    def __post_init__(self) -> None:
        critical, low = self.battery_critical_percent, self.battery_low_percent
        # A battery that is clear where it is low would never be found low.
        if not critical <= low < self.battery_clear_percent:
            raise ValueError("battery levels must rise: critical, low, clear, in percent")
        if not 0 < self.tac_g_dl < math.inf:
            raise ValueError("the level of alcohol must be above 0 g/dl")
        versioned(self.alcohol_rules)
        costs = (
            self.exclusion_miss_cost,
            self.curfew_miss_cost,
            self.restriction_miss_cost,
            self.distance_miss_cost,
        )
        for cost in costs:
            if not 0 < cost < math.inf:
                raise ValueError("the cost of a miss must be a number above 0, in false alarms")
        unknown = self.exclusion_position_s, self.curfew_position_s, self.restriction_position_s
        if not all(0 < each <= LONGEST_UNKNOWN_S for each in unknown):
            raise ValueError(f"a position may be unknown for 1 to {LONGEST_UNKNOWN_S} seconds")
        if not 0 <= self.approach_s <= LONGEST_APPROACH_S:
            raise ValueError(f"approach_s must be from 0 to {LONGEST_APPROACH_S:g} seconds")
        if not 0 < self.approach_percent < 100:
            raise ValueError("approach_percent must be between 0 and 100")


class Condition(msgspec.Struct, frozen=True):
    """One monitored condition, in one version, with the clause it comes from.

    In force for ``from_at <= measured_at < until_at``; ``until_at`` None means open-ended.
    ``permissions`` are what an officer has allowed under it. ``part`` is set by :meth:`pieces`: the
    part of the zone, its ring, or what is excused, that this piece of the condition is about.
    """

    condition_id: int
    version: int
    clause: str
    kind: ConditionKind
    severity: Severity
    from_at: datetime
    until_at: datetime | None
    limits: Limits = Limits()
    zone: Zone | None = None
    permissions: tuple[Authorised, ...] = ()
    part: Part | None = None

    def pieces(self) -> "tuple[Condition, ...]":
        """What rules judge one by one: itself, or the parts of its zone, its rings, its excuses."""
        if self.zone is None or not (self.zone.rings or self.permissions):
            return (self,)
        return tuple(self._piece(part) for part in parts_of(self.zone, self.permissions))

    def _piece(self, part: Part) -> "Condition":
        severity = self.severity
        if part.role is Role.EXCUSED:
            severity = Severity.LOW
        elif part.ring is not None:
            severity = Severity(part.ring.severity)
        # Outside of its dates a part costs nothing, however many there have been.
        starts = [at for at in (self.from_at, part.dates.from_at) if at is not None]
        ends = [at for at in (self.until_at, part.dates.until_at) if at is not None]
        return msgspec.structs.replace(
            self,
            zone=part.zone,
            part=part,
            permissions=(),
            severity=severity,
            from_at=max(starts),
            until_at=min(ends, default=None),
        )

    @property
    def part_name(self) -> str:
        """The name of the part among those of its condition; empty for the whole."""
        return "" if self.part is None else self.part.name

    def in_force(self, at: datetime) -> bool:
        """Whether the clause applies at this instant."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


class Fitting(msgspec.Struct, frozen=True):
    """A device on a wearer, with the conditions that it can check; judgement runs per fitting.

    Readings with ``fitted_at <= measured_at < removed_at`` are the wearer's.
    """

    fitting_id: int
    device_kind: DeviceKind
    fitted_at: datetime
    removed_at: datetime | None
    conditions: tuple[Condition, ...]

    def worn_at(self, at: datetime) -> bool:
        """Whether the device was this wearer's at the instant."""
        return self.fitted_at <= at and (self.removed_at is None or at < self.removed_at)
