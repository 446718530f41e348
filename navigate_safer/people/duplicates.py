"""Two agencies that do the same for one person: found by what they do, or by the words for it."""

import re
from collections.abc import Sequence
from itertools import combinations

import msgspec

from navigate_safer.people.plans import Step

OTHER = "other"
# Words that say nothing of what is done.
_EMPTY = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
)


class Twice(msgspec.Struct, frozen=True):
    """Two open steps of different agencies that are the same, and by what that was seen."""

    first: Step
    second: Step
    same_action: bool


def twice(steps: Sequence[Step], similar_words: float) -> list[Twice]:
    """Pairs of the same, in the order of the steps.

    The same action of the catalogue; of two without one, words of which the share
    ``similar_words`` is common to both.
    """
    live = [each for each in steps if each.status.open and each.agency]
    found = []
    for first, second in combinations(live, 2):
        if first.agency.casefold() == second.agency.casefold():
            continue
        if first.action == second.action != OTHER:
            found.append(Twice(first, second, same_action=True))
        elif OTHER in {first.action, second.action} and alike(first, second) >= similar_words:
            found.append(Twice(first, second, same_action=False))
    return found


def alike(first: Step, second: Step) -> float:
    """The share of the words that both have, from 0 to 1."""
    ours, theirs = _words(first.what), _words(second.what)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0


def _words(text: str) -> set[str]:
    return {each for each in re.findall(r"[^\W\d_]+", text.casefold()) if each not in _EMPTY}
