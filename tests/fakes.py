"""Stand-ins that are passed in where the real thing needs a database."""

import itertools
from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.decide import Action, Decision, Known, decide
from alerts.finding import Finding
from alerts.judge import FindingKey, Outcome, States, judge, tick
from alerts.terms import Fitting
from devices.readings import Reading


def through_json(states: States) -> States:
    """States as they come back from their column: nothing but JSON in between."""
    return msgspec.convert(
        msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(states))), States
    )


class BatchJudge:
    """Judges a fitting batch by batch, keeping between two batches only what a database keeps."""

    def __init__(self, fitting: Fitting, states: States | None = None) -> None:
        self.fitting = fitting
        self.states = judge(fitting, States(), []).states if states is None else states
        self.found: dict[FindingKey, Finding] = {}
        self.check_after: datetime | None = None

    def take(self, readings: Sequence[Reading]) -> dict[FindingKey, Finding]:
        return self._keep(judge(self.fitting, through_json(self.states), readings))

    def tick(self, now: datetime) -> dict[FindingKey, Finding]:
        return self._keep(tick(self.fitting, through_json(self.states), now))

    def _keep(self, outcome: Outcome) -> dict[FindingKey, Finding]:
        self.states = outcome.states
        self.check_after = outcome.check_after
        self.found |= outcome.findings
        return outcome.findings


class Register:
    """Intake and monitoring of one fitting in memory: readings in any order, episodes out.

    A late reading is judged again from the last checkpoint before it, and what the re-run finds is
    decided upon, as the service does it; here each batch leaves a checkpoint.
    """

    def __init__(self, fitting: Fitting) -> None:
        self.fitting = fitting
        self.readings: list[Reading] = []
        self.checkpoints = [judge(fitting, States(), []).states]
        self.episodes: dict[int, Known] = {}
        self.decisions: list[Decision] = []
        self._ids = itertools.count(1)

    def receive(self, batch: Sequence[Reading], now: datetime) -> None:
        self.readings += [reading for reading in batch if reading not in self.readings]
        earliest_at = min(reading.stamp.measured_at for reading in batch)
        before = [each for each in self.checkpoints if _before(each, earliest_at)]
        rerun = len(before) < len(self.checkpoints)
        self.checkpoints = before
        states = through_json(before[-1])
        since = states.through
        fresh = [
            reading
            for reading in self.readings
            if since is None or reading.stamp.measured_at > since
        ]
        outcome = judge(self.fitting, states, fresh)
        self.checkpoints.append(outcome.states)
        known = self._known(outcome.findings, since=since, rerun=rerun)
        self._apply(decide(outcome.findings.values(), known, now, rerun=rerun))

    def standing(self) -> set[tuple[FindingKey, datetime | None]]:
        """The episodes that are not withdrawn, each with its end."""
        return {(each.key, each.ended_at) for each in self.episodes.values() if not each.withdrawn}

    def _known(
        self, found: dict[FindingKey, Finding], *, since: datetime | None, rerun: bool
    ) -> dict[FindingKey, Known]:
        wanted = {}
        for each in self.episodes.values():
            in_stretch = since is None or each.ended_at is None or each.ended_at > since
            if each.key in found or (rerun and in_stretch):
                wanted[each.key] = each
        return wanted

    def _apply(self, decisions: Sequence[Decision]) -> None:
        self.decisions += decisions
        for decision in decisions:
            known, finding = decision.known, decision.finding
            episode_id = next(self._ids) if known is None else known.episode_id
            if finding is not None:
                known = Known(
                    episode_id,
                    finding.condition_id,
                    finding.kind,
                    finding.started_at,
                    finding.ended_at,
                    withdrawn=False,
                )
            elif known is not None:
                known = msgspec.structs.replace(known, withdrawn=decision.action is Action.WITHDRAW)
            assert known is not None
            self.episodes[episode_id] = known


def _before(states: States, at: datetime) -> bool:
    return states.through is None or states.through < at
