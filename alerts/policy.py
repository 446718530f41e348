"""Escalation: for which alerts, who is told through what, in what order, and by when.

A policy is chosen and copied into the alert when the alert opens, so that a later edit cannot
change what was promised for an alert that is already out. Who a rota or a role stands for is asked
at each step, because an alert can outlast a shift. The last step repeats until somebody answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.finding import FindingKind, Severity

POLICY_VERSION = "3"


class PolicyFault(ValueError):
    """A policy that cannot be kept; the message says what to change."""


class Channel(Enum):
    """A way to a person; the duty board shows every alert besides."""

    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"sms": "text", "voice": "telephone call", "email": "e-mail"}[self.value]

    @property
    def needs(self) -> str:
        """Which contact detail it uses."""
        return "email" if self is Channel.EMAIL else "phone"


class Target(Enum):
    """What sort of receiver a step names."""

    PERSON = "person"
    ROTA = "rota"
    ROLE = "role"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Tell this receiver through this channel, and wait so long for an acknowledgement.

    ``staff_id``, ``rota_id`` or ``role`` is set as ``target`` says. The defaults read the steps of
    alerts that opened under version 1, which knew texts to a person alone.
    """

    answer_within_s: int
    target: Target = Target.PERSON
    channel: Channel = Channel.SMS
    staff_id: int | None = None
    rota_id: int | None = None
    role: str | None = None

    def __post_init__(self) -> None:
        named = {
            Target.PERSON: self.staff_id,
            Target.ROTA: self.rota_id,
            Target.ROLE: self.role,
        }
        if named[self.target] is None or sum(each is not None for each in named.values()) != 1:
            raise PolicyFault(f"a step to a {self.target.value} must name that and nothing else")
        if not MIN_ANSWER_S <= self.answer_within_s <= MAX_ANSWER_S:
            what = f"a step waits {self.answer_within_s} s for an answer"
            raise PolicyFault(f"{what}; give {MIN_ANSWER_S} to {MAX_ANSWER_S}")


# Project policy, version 2. Less than half a minute is no time to read and answer a text; past an
# hour an active breach has no answer. NIJ 1004.00 asks for four minutes to reach the agency.
MIN_ANSWER_S, MAX_ANSWER_S = 30, 3600


# Project policy, version 1. Below a minute nothing is gathered; past half an hour a waiting alert
# would be a forgotten one.
MIN_EVERY_S, MAX_EVERY_S = 60, 1800


class Bundling(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts may wait to be told together in one text, and how often one comes.

    ``at_once`` and worse never wait; HIGH is the project's own, after the practice of gathering
    lower classes alone (alerting reference, section 1). MEDIUM gathers nothing, because lower ones
    are not texted. One person gets such a text every ``every_s`` seconds at most; 300 s is the
    interval at which Alertmanager tells of what has joined a group (``group_interval``).
    :mod:`alerts.bundling` decides by it.
    """

    at_once: Severity = Severity.HIGH
    every_s: int = 300
    version: str = "1"

    def __post_init__(self) -> None:
        if not self.at_once.texts_an_officer:
            raise PolicyFault("alerts of low severity are not texted; choose another severity")
        if not MIN_EVERY_S <= self.every_s <= MAX_EVERY_S:
            what = f"texts are gathered for {self.every_s} s"
            raise PolicyFault(f"{what}; give {MIN_EVERY_S} to {MAX_EVERY_S}")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Steps for the alerts it covers; None covers all. ``number`` and ``version`` name it.

    One ``about_service`` is for faults of the service itself, which have no area and no kind, and
    for nothing else.
    """

    number: int
    version: int
    name: str
    severities: frozenset[Severity]
    steps: tuple[Step, ...]
    area_id: int | None = None
    kinds: frozenset[FindingKind] | None = None
    about_service: bool = False
    bundling: Bundling = Bundling()

    def __post_init__(self) -> None:
        if not self.severities:
            raise PolicyFault("a policy covers no severity; choose at least one")
        if not self.steps:
            raise PolicyFault("a policy without steps tells nobody; give at least one")

    def covers(self, severity: Severity, area_id: int | None, kind: FindingKind | None) -> bool:
        """Whether an alert like this falls under it; ``kind`` None is about the service itself."""
        return (
            severity in self.severities
            and self.about_service is (kind is None)
            and self.area_id in (None, area_id)
            and (self.kinds is None or kind in self.kinds)
        )

    @property
    def closeness(self) -> tuple[bool, bool, int]:
        """How closely it fits: its kinds before its area before how few severities."""
        return (self.kinds is not None, self.area_id is not None, -len(self.severities))


def choose(
    policies: Iterable[Policy], severity: Severity, area_id: int | None, kind: FindingKind | None
) -> Policy | None:
    """The policy that fits an alert most closely; of two equal ones the newer number."""
    fitting = [each for each in policies if each.covers(severity, area_id, kind)]
    return max(fitting, key=lambda each: (each.closeness, each.number), default=None)


class Plan(msgspec.Struct, frozen=True):
    """The steps of one alert as they were when it opened, and the policy they are from.

    Of an alert that opened under version 1 or 2 ``bundling`` is the usual one.
    """

    policy_version: str
    steps: tuple[Step, ...]
    policy: str = "built in"
    bundling: Bundling = Bundling()

    def step(self, number: int) -> Step | None:
        """Step ``number`` from 0; past the end the last one, again and again; None without any."""
        return self.steps[min(number, len(self.steps) - 1)] if self.steps else None

    def left(self, number: int) -> tuple[Step, ...]:
        """Step ``number`` and those after it; past the end the last one; none without any."""
        return self.steps[min(number, len(self.steps) - 1) :] if self.steps else ()


def snapshot(chosen: Policy) -> Plan:
    """A policy as an alert keeps it."""
    name = f"{chosen.name} ({chosen.number}.{chosen.version})"
    return Plan(POLICY_VERSION, chosen.steps, name, chosen.bundling)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be told; ``channels`` are those with a verified contact detail."""

    staff_id: int
    role: str
    call_order: int
    channels: frozenset[Channel]


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person at one instant, and why that person."""

    at: datetime
    staff_id: int
    channel: Channel
    why: str


class Nobody(msgspec.Struct, frozen=True, kw_only=True):
    """A step that reaches nobody at its instant, and why: itself a fault to be told."""

    at: datetime
    why: str


def receivers(
    step: Step, on_rota: Mapping[int, int | None], people: Sequence[Person]
) -> tuple[list[Person], str]:
    """Who a step means at this instant, and in words why.

    ``on_rota`` has who is on duty by rota id; ``people`` are active and of the alert's area. A gap
    in a rota falls to the supervisors, so that it never means nobody.
    """
    by_id = {each.staff_id: each for each in people}
    in_order = sorted(people, key=lambda each: (each.call_order, each.staff_id))
    if step.target is Target.PERSON:
        person = by_id.get(step.staff_id or 0)
        return _with(step.channel, [person] if person else [], "named in the policy")
    if step.target is Target.ROLE:
        of_role = [each for each in in_order if each.role == step.role]
        return _with(step.channel, of_role, f"every {step.role} of the area".replace("_", " "))
    on_duty = by_id.get(on_rota.get(step.rota_id or 0) or 0)
    found, why = _with(step.channel, [on_duty] if on_duty else [], "on duty on the rota")
    if found:
        return found, why
    supervisors = [each for each in in_order if each.role == "supervisor"]
    return _with(step.channel, supervisors, "the rota names nobody who can be reached: supervisors")


def _with(channel: Channel, people: Sequence[Person], why: str) -> tuple[list[Person], str]:
    return [each for each in people if channel in each.channels], why


def preview(
    policy: Policy,
    opened_at: datetime,
    rota_at: Mapping[datetime, Mapping[int, int | None]],
    people: Sequence[Person],
) -> list[Telling | Nobody]:
    """Who would be told, and when, if nobody answered, for an alert that opens at an instant.

    ``rota_at`` has who is on duty at each instant of :func:`instants`.
    """
    listed: list[Telling | Nobody] = []
    for at, step in zip(instants(policy, opened_at), policy.steps, strict=True):
        found, why = receivers(step, rota_at.get(at, {}), people)
        if not found:
            listed.append(Nobody(at=at, why=f"nobody can be reached by {step.channel.label}"))
        for person in found:
            listed.append(Telling(at=at, staff_id=person.staff_id, channel=step.channel, why=why))
    return listed


def instants(policy: Policy, opened_at: datetime) -> list[datetime]:
    """When each step of a policy is due if nobody answers."""
    due, at = [], opened_at
    for step in policy.steps:
        due.append(at)
        at += timedelta(seconds=step.answer_within_s)
    return due
