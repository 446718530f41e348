"""Ours at other costs of a miss: which of them is at least as good as a peer on every row.

A rule that tells less is wrong less often, so no single row says which of two is better, and one
setting cannot be both the quickest and the least often wrong. A rule is better than another where
it can be set to be no worse in anything: that is looked for here, for each peer.
"""

from collections.abc import Mapping, Sequence

from navigate_safer.demo.place_scores import Score

# Costs of a miss in false alarms, from telling only what is all but certain to telling any doubt.
SWEEP = (0.003, 0.05, 0.4, 1.5, 8.0, 20.0, 40.0, 150.0, 600.0)
# What the setting changes; what is stated at a fix, and so how well, is the same at each.
COMPARED = (
    "breaches_found_percent",
    "passes_found_percent",
    "delay_p50_s",
    "delay_p90_s",
    "start_error_p50_s",
    "false_episodes_device_week",
    "false_minutes_device_week",
)

# What a row is called, whether more is better, and the digits that are worth comparing.
Rows = Mapping[str, tuple[str, bool, int]]


def best_for_each(
    ours: Mapping[str, Score], peers: Mapping[str, Score], rows: Rows
) -> list[dict[str, object]]:
    """For each peer, the one of ``ours`` that is behind it on the fewest rows of :data:`COMPARED`.

    Of several the one with the fewest false episodes; ``behind`` names the rows, none at best.
    """
    found: list[dict[str, object]] = []
    for peer, score in peers.items():
        theirs = score.row()
        by_name = {name: each.row() for name, each in ours.items()}
        behind = {name: _behind(row, theirs, rows) for name, row in by_name.items()}
        best = min(
            by_name,
            key=lambda name: (len(behind[name]), by_name[name]["false_episodes_device_week"]),
        )
        found.append(
            {
                "peer": peer,
                "setting": best,
                "theirs": {name: theirs[name] for name in COMPARED},
                "ours": {name: by_name[best][name] for name in COMPARED},
                "behind": behind[best],
            }
        )
    return found


def _behind(ours: Mapping[str, float], theirs: Mapping[str, float], rows: Rows) -> Sequence[str]:
    worse = []
    for name in COMPARED:
        _, more, digits = rows[name]
        mine, other = round(ours[name], digits), round(theirs[name], digits)
        if (mine < other) if more else (mine > other):
            worse.append(name)
    return worse
