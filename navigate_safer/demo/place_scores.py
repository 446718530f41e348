"""What a rule found against the truth, added up over devices, zones and worlds."""

import math

import msgspec
import numpy as np

from navigate_safer.demo.place_lives import PASS_S, Floats, Spans

# Seconds by which a found stretch may miss the true one and still be about it: a fix a minute.
SLACK_S = 60.0
DECILES = 10
# A decile with fewer fixes says nothing about calibration; and what is within so many standard
# errors is what chance alone makes of it.
ENOUGH = 200
ENOUGH_EPISODES = 20
CHANCE_ERRORS = 2.0
WEEK_S = 7 * 86_400.0
# A breach that is never found is told so late: a rule must not look quick by missing the hard ones.
NEVER_S = 86_400.0


class Episode(msgspec.Struct, frozen=True):
    """A stretch in breach by some rule, seconds; told at ``told_s``, with its probability."""

    start_s: float
    end_s: float
    told_s: float
    probability: float = 1.0


class Score(msgspec.Struct):
    """Sums; see :meth:`row` for what they come to."""

    breaches: int = 0
    breaches_found: int = 0
    passes: int = 0
    passes_found: int = 0
    delays_s: list[float] = msgspec.field(default_factory=list)
    start_errors_s: list[float] = msgspec.field(default_factory=list)
    false_episodes: int = 0
    false_s: float = 0.0
    device_s: float = 0.0
    square: float = 0.0
    fixes: int = 0
    stated: list[float] = msgspec.field(default_factory=lambda: [0.0] * DECILES)
    observed: list[float] = msgspec.field(default_factory=lambda: [0.0] * DECILES)
    number: list[int] = msgspec.field(default_factory=lambda: [0] * DECILES)
    # What each witness is off by. Fixes of one track are no strangers; nor is the same zone of the
    # same life in another world: a home just inside the edge is so in all of them.
    off: dict[object, list[float]] = msgspec.field(default_factory=dict)
    # Episodes by the probability that they were told with: its sum, how many were true, how many.
    told_stated: list[float] = msgspec.field(default_factory=lambda: [0.0] * DECILES)
    told_true: list[int] = msgspec.field(default_factory=lambda: [0] * DECILES)
    told: list[int] = msgspec.field(default_factory=lambda: [0] * DECILES)

    def add_episodes(self, episodes: list[Episode], truth: Spans) -> None:
        """Count one zone's episodes against the true stretches."""
        for start, end in truth:
            about = [
                each
                for each in episodes
                if each.start_s <= end + SLACK_S and each.end_s >= start - SLACK_S
            ]
            if end - start < PASS_S:
                self.passes += 1
                self.passes_found += bool(about)
                continue
            self.breaches += 1
            told_s = min((each.told_s for each in about), default=start + NEVER_S)
            self.delays_s.append(max(0.0, told_s - start))
            if about:
                self.breaches_found += 1
                self.start_errors_s.append(abs(min(each.start_s for each in about) - start))
        wide = [(start - SLACK_S, end + SLACK_S) for start, end in truth]
        for each in episodes:
            covered = sum(
                max(0.0, min(each.end_s, end) - max(each.start_s, start)) for start, end in wide
            )
            touched = any(each.start_s <= end and each.end_s >= start for start, end in wide)
            self.false_episodes += not touched
            decile = min(int(each.probability * DECILES), DECILES - 1)
            self.told_stated[decile] += each.probability
            self.told_true[decile] += touched
            self.told[decile] += 1
            self.false_s += max(0.0, each.end_s - each.start_s - covered)

    def add_fixes(self, stated: Floats, true: Floats, witness: object = None) -> None:
        """Count what was stated of each fix's instant against what was so.

        ``witness`` names the life and its zone, of which other worlds may tell too; None: one of
        its own.
        """
        self.square += float(((stated - true) ** 2).sum())
        self.fixes += len(stated)
        decile = np.minimum((stated * DECILES).astype(int), DECILES - 1)
        for sums, values in ((self.stated, stated), (self.observed, true)):
            for n, total in enumerate(np.bincount(decile, values, DECILES).tolist()):
                sums[n] += total
        for n, count in enumerate(np.bincount(decile, minlength=DECILES).tolist()):
            self.number[n] += count
        key = object() if witness is None else witness
        self._is_off(key, np.bincount(decile, stated - true, DECILES).tolist())

    def _is_off(self, witness: object, off: list[float]) -> None:
        before = self.off.get(witness, [0.0] * DECILES)
        self.off[witness] = [a + b for a, b in zip(before, off, strict=True)]

    def add(self, other: "Score") -> None:
        """Take another's sums in."""
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "off":
                for witness, off in other.off.items():
                    self._is_off(witness, off)
            elif isinstance(mine, list) and name not in ("delays_s", "start_errors_s"):
                setattr(self, name, [a + b for a, b in zip(mine, theirs, strict=True)])
            else:
                setattr(self, name, mine + theirs)

    def calibration(self) -> list[dict[str, float]]:
        """Stated against observed share, percent, for each decile with enough fixes.

        ``error`` is the standard error of their difference, points: what chance alone makes of it.
        """
        return [
            {
                "decile": n + 1,
                "fixes": self.number[n],
                "stated": 100 * self.stated[n] / self.number[n],
                "observed": 100 * self.observed[n] / self.number[n],
                "error": 100 * self._error(n) / self.number[n],
            }
            for n in range(DECILES)
            if self.number[n] >= ENOUGH
        ]

    def _error(self, decile: int) -> float:
        return math.sqrt(sum(off[decile] ** 2 for off in self.off.values()))

    def episode_calibration(self) -> list[dict[str, float]]:
        """Of episodes told with so much probability, percent, how many were of a true stretch.

        ``error`` is the standard error of that share, points.
        """
        found = []
        for n in range(DECILES):
            if self.told[n] >= ENOUGH_EPISODES:
                share = self.told_true[n] / self.told[n]
                found.append(
                    {
                        "decile": n + 1,
                        "episodes": self.told[n],
                        "stated": 100 * self.told_stated[n] / self.told[n],
                        "true": 100 * share,
                        "error": 100 * (share * (1 - share) / self.told[n]) ** 0.5,
                    }
                )
        return found

    def row(self) -> dict[str, float]:
        """The figures of a table's row; a share without anything to share is 100 %."""
        gaps = [
            abs(each["stated"] - each["observed"]) - CHANCE_ERRORS * each["error"]
            for each in self.calibration()
        ]
        weeks = self.device_s / WEEK_S or 1.0
        return {
            "breaches_found_percent": 100 * self.breaches_found / max(self.breaches, 1),
            "passes_found_percent": 100 * self.passes_found / max(self.passes, 1),
            "delay_p50_s": _quantile(self.delays_s, 0.5),
            "delay_p90_s": _quantile(self.delays_s, 0.9),
            "start_error_p50_s": _quantile(self.start_errors_s, 0.5),
            "false_episodes_device_week": self.false_episodes / weeks,
            "false_minutes_device_week": self.false_s / 60 / weeks,
            "brier": self.square / max(self.fixes, 1),
            "calibration_worst_points": max([0.0, *gaps]),
        }


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share)) if values else 0.0
