"""The order of a plan's steps: circles are refused, a start before its time is warned of."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import msgspec

from navigate_safer.people.plans import EngagementPlan, Step, StepStatus


class OutOfOrder(msgspec.Struct, frozen=True):
    """A step that runs before one that it waits for; a warning, since life may have its reasons."""

    step: int
    text: str


def why_not_after(steps: Iterable[Step], step: Step) -> str | None:
    """What is wrong with the steps that a step is to wait for; None when nothing is."""
    others = {each.number: each for each in steps if each.number != step.number}
    if step.number in step.after:
        return "A step cannot wait for itself"
    unknown = [each for each in step.after if each not in others]
    if unknown:
        return f"There is no step {unknown[0]} in this plan"
    graph = {number: each.after for number, each in others.items()}
    graph[step.number] = step.after
    if _circle(graph):
        return "These steps would wait for each other for ever: choose others"
    return None


def _circle(graph: Mapping[int, Iterable[int]]) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def out_of_order(plan: EngagementPlan) -> list[OutOfOrder]:
    """Steps that were begun, or are due, before one that they wait for."""
    known = {each.number: each for each in plan.steps}
    found = []
    for step in plan.steps:
        if step.status is StepStatus.NO_LONGER_NEEDED:
            continue
        for number in step.after:
            before = known.get(number)
            if before is not None and before.status.open:
                found += _between(step, before)
    return found


def _between(step: Step, before: Step) -> list[OutOfOrder]:
    if step.status.begun:
        text = f"“{step.what}” was begun, but waits for “{before.what}”, which is not done."
        return [OutOfOrder(step.number, text)]
    if step.due_on is not None and before.due_on is not None and step.due_on < before.due_on:
        text = f"“{step.what}” is due before “{before.what}”, for which it waits."
        return [OutOfOrder(step.number, text)]
    return []
