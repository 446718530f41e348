"""What a measure gives back: figures, and for each that cannot be estimated the reason."""

from collections.abc import Iterable

import msgspec

Interval = tuple[float, float]
# An end that does not exist is None: with no event before, a ratio has no upper limit.
OpenInterval = tuple[float, float | None]

Reasons = dict[str, str]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by name; ``reasons`` says for each that is ``None`` why it cannot be estimated."""

    reasons: Reasons = {}

    def figures(self) -> Iterable[tuple[str, object]]:
        """Each figure with the name that it has in a document."""
        names = (name for name in self.__struct_fields__ if name != "reasons")
        return ((name, getattr(self, name)) for name in names)


def document(result: object) -> object:
    """A result as JSON values.

    Each object that holds a null says why in its ``reason``; where nulls stand further inside, the
    outermost object gathers all reasons with their places.
    """
    gathered: list[str] = []
    plain = _plain(result, "", gathered)
    if gathered and isinstance(plain, dict):
        plain["reason"] = "; ".join(gathered)
    return plain


def _plain(value: object, path: str, gathered: list[str]) -> object:
    if isinstance(value, Estimate):
        return _object(value, path, gathered)
    if isinstance(value, dict):
        return {str(key): _plain(each, f"{path}{key}.", gathered) for key, each in value.items()}
    return msgspec.to_builtins(value)


def _object(estimate: Estimate, path: str, gathered: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in estimate.figures():
        found[name] = _plain(value, f"{path}{name}.", gathered)
    if estimate.reasons:
        found["reason"] = "; ".join(_by_reason(estimate.reasons, ""))
    gathered += _by_reason(estimate.reasons, path)
    return found


def _by_reason(reasons: Reasons, path: str) -> list[str]:
    """One line for all names that have the same reason."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(f"{path}{name}")
    return [f"{', '.join(each)}: {why}" for why, each in names.items()]
